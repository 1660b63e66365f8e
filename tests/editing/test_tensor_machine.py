# SPDX-License-Identifier: Apache-2.0
"""Any order of tensor and buffer operations, against a plain model of what names what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import tflm_studio as ts
from tests.conftest import examples
from tests.editing.tensor_models import code_of
from tflm_studio.editing import buffers, graph_ends, tensors
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    Buffer,
    Metadata,
    Model,
    Operator,
    SignatureDef,
    SubGraph,
    Tensor,
    TensorMap,
)

NUMBERS = st.integers(0, 30)


def first_model() -> Model:
    """Each tensor has a name of its own, each buffer with data bytes of its own."""
    tensor = [
        Tensor(shape=[1, 4], name="x"),
        Tensor(shape=[1, 4], name="c1", buffer=1),
        Tensor(shape=[1, 4], name="c2", buffer=2),
        Tensor(shape=[1, 4], name="y"),
        Tensor(shape=[1, 4], name="z", buffer=3),
    ]
    return Model(
        version=3,
        operator_codes=[code_of(BuiltinOperator.ADD), code_of(BuiltinOperator.CONCATENATION)],
        buffers=[
            Buffer(),
            *(Buffer(data=b"%016d" % k) for k in (1, 2)),
            Buffer(),
            Buffer(data=b"m"),
        ],
        subgraphs=[
            SubGraph(
                tensors=tensor,
                inputs=[0],
                outputs=[4],
                operators=[Operator(0, [0, 1], [3]), Operator(1, [3, 2], [4])],
            )
        ],
        signature_defs=[
            SignatureDef([TensorMap("x", 0)], [TensorMap("z", 4)], "s", subgraph_index=0)
        ],
        metadata=[Metadata("m", 4)],
    )


class Names:
    """What the model says, by names and bytes instead of by indices."""

    def __init__(self, model: Model) -> None:
        graph = model.subgraphs[0]
        data = [bytes(buffer.data or b"") for buffer in model.buffers]
        self.tensors = [tensor.name for tensor in graph.tensors]
        self.data = {tensor.name: data[tensor.buffer] for tensor in graph.tensors}
        self.operators = [
            (self._named(operator.inputs), self._named(operator.outputs))
            for operator in graph.operators
        ]
        self.ends = (self._named(graph.inputs), self._named(graph.outputs))
        signature = model.signature_defs[0]
        self.aliases = [
            {(entry.name, self.tensors[entry.tensor_index]) for entry in entries}
            for entries in (signature.inputs, signature.outputs)
        ]
        self.metadata = data[model.metadata[0].buffer]

    def _named(self, indices: list[int]) -> list[str | None]:
        assert all(-1 <= index < len(self.tensors) for index in indices)
        return [None if index == -1 else self.tensors[index] for index in indices]

    def all(self) -> tuple[Any, ...]:
        return (self.data, self.operators, self.ends, self.aliases, self.metadata)


class TensorMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.document = ts.Document(first_model())
        self.original = lay_out(self.document.model).tobytes()
        self.made = 0

    @property
    def model(self) -> Model:
        return self.document.model

    def graph(self) -> SubGraph:
        return self.model.subgraphs[0]

    def chosen(self, number: int) -> int:
        return number % len(self.graph().tensors)

    def new_name(self) -> str:
        self.made += 1
        return f"n{self.made}"

    def do(self, propose: Callable[[], Proposal]) -> Names | None:
        """Does it if it is not refused, and gives what the model said before."""
        before, bytes_before = Names(self.model), lay_out(self.model).tobytes()
        try:
            proposal = propose()
        except EditError as error:
            assert str(error).endswith(".")
            assert lay_out(self.model).tobytes() == bytes_before
            return None
        assert lay_out(self.model).tobytes() == bytes_before
        self.document.do(proposal)
        return before

    # -------------------------------------------------------------- tensors

    @rule(at=NUMBERS, buffer=NUMBERS)
    def add(self, at: int, buffer: int) -> None:
        name, place = self.new_name(), at % (len(self.graph().tensors) + 1)
        chosen = buffer % len(self.model.buffers)
        data = bytes(self.model.buffers[chosen].data or b"")
        before = self.do(
            lambda: tensors.add(
                self.model, 0, place, name=name, shape=[1, 4], type=0, buffer=chosen
            )
        )
        assert before is not None
        before.data[name] = data
        assert Names(self.model).all() == before.all()
        assert self.graph().tensors[place].name == name

    @rule(which=NUMBERS, with_data=st.booleans())
    @precondition(lambda self: len(self.graph().tensors) < 12)
    def duplicate(self, which: int, *, with_data: bool) -> None:
        index = self.chosen(which)
        old = self.graph().tensors[index]
        before = self.do(
            lambda: tensors.duplicate(self.model, 0, [index], with_data=with_data)
        )
        copy = self.graph().tensors[-1]
        assert before is not None
        before.data[copy.name] = before.data[old.name]
        assert Names(self.model).all() == before.all()
        is_shared = copy.buffer == self.graph().tensors[index].buffer
        assert is_shared == (not with_data or not before.data[old.name])

    @rule(which=NUMBERS, buffers_too=st.booleans())
    def delete_unused(self, which: int, *, buffers_too: bool) -> None:
        index = self.chosen(which)
        name = self.graph().tensors[index].name
        before = self.do(
            lambda: tensors.delete(self.model, 0, [index], remove_buffers=buffers_too)
        )
        if before is None:
            return
        assert name not in str((before.operators, before.ends, before.aliases)).split("'")
        del before.data[name]
        assert Names(self.model).all() == before.all()

    @rule(which=NUMBERS)
    def leave_out(self, which: int) -> None:
        index = self.chosen(which)
        name = self.graph().tensors[index].name
        before = self.do(lambda: tensors.delete(self.model, 0, [index], users="leave_out"))
        if before is None:
            return
        del before.data[name]
        after = Names(self.model)
        assert after.data == before.data
        assert [out for _, out in after.operators] == [out for _, out in before.operators]
        without = [[name_ for name_ in side if name_ != name] for side in before.ends]
        assert list(after.ends) == without
        for (now, _), (then, _) in zip(after.operators, before.operators, strict=True):
            assert now == [name_ for name_ in then if name_ != name]

    @rule(which=NUMBERS, other=NUMBERS)
    def replace(self, which: int, other: int) -> None:
        index, stand_in = self.chosen(which), self.chosen(other)
        name, now = (self.graph().tensors[k].name for k in (index, stand_in))
        before = self.do(lambda: tensors.delete(self.model, 0, [index], users=stand_in))
        if before is None:
            return
        del before.data[name]
        after = Names(self.model)
        assert (after.data, after.metadata) == (before.data, before.metadata)
        swapped = [[now if n == name else n for n in read] for read, _ in before.operators]
        assert [read for read, _ in after.operators] == swapped

    @rule(which=NUMBERS, other=NUMBERS)
    def merge(self, which: int, other: int) -> None:
        keep, gone = self.chosen(which), self.chosen(other)
        if keep == gone:
            return
        kept, name = (self.graph().tensors[k].name for k in (keep, gone))
        before = self.do(lambda: tensors.merge(self.model, 0, keep, [gone]))
        if before is None:
            return
        after = Names(self.model)
        swapped = [
            tuple([kept if n == name else n for n in side] for side in operator)
            for operator in before.operators
        ]
        assert after.operators == swapped
        assert name not in after.data

    @rule(which=NUMBERS)
    def rename(self, which: int) -> None:
        index, new = self.chosen(which), self.new_name()
        old = self.graph().tensors[index].name
        before = self.do(lambda: tensors.rename(self.model, 0, {index: new}))
        assert before is not None
        after = Names(self.model)
        assert after.data == {new if k == old else k: v for k, v in before.data.items()}
        for now, then in zip(after.aliases, before.aliases, strict=True):
            assert now == {
                (new if alias == name == old else alias, new if name == old else name)
                for alias, name in then
            }

    @rule(which=NUMBERS)
    def make_constant(self, which: int) -> None:
        index = self.chosen(which)
        name = self.graph().tensors[index].name
        self.made += 1
        data = b"%016d" % (1000 + self.made)
        before = self.do(lambda: tensors.make_constant(self.model, 0, index, data))
        if before is not None:
            before.data[name] = data
            assert Names(self.model).all() == before.all()

    @rule(which=NUMBERS, is_variable=st.booleans())
    def drop_data(self, which: int, *, is_variable: bool) -> None:
        index = self.chosen(which)
        name = self.graph().tensors[index].name
        make = tensors.make_variable if is_variable else tensors.make_activation
        before = self.do(lambda: make(self.model, 0, index))
        if before is not None:
            before.data[name] = b""
            assert Names(self.model).all() == before.all()
            assert self.graph().tensors[index].is_variable == is_variable

    @rule(which=NUMBERS)
    @precondition(lambda self: len(self.graph().operators) < 8)
    def insert_quantize(self, which: int) -> None:
        index = self.chosen(which)
        name = self.graph().tensors[index].name
        before = self.do(
            lambda: tensors.insert_quantize(
                self.model, 0, index, type=TensorType.INT8, scale=1.0, zero_point=0
            )
        )
        if before is None:
            return
        after = Names(self.model)
        new = self.graph().tensors[-1].name
        assert ([name], [new]) in after.operators
        after.operators.remove(([name], [new]))
        back = [
            ([name if n == new else n for n in read], made) for read, made in after.operators
        ]
        assert back == before.operators

    # -------------------------------------------------------------- ends

    @rule(which=NUMBERS, side=st.sampled_from(["input", "output"]), add=st.booleans())
    def change_ends(self, which: int, side: str, *, add: bool) -> None:
        index = self.chosen(which)
        change = getattr(graph_ends, f"{'make' if add else 'remove'}_{side}")
        before = self.do(lambda: change(self.model, 0, index))
        if before is None:
            return
        after = Names(self.model)
        assert (after.data, after.operators) == (before.data, before.operators)
        for names, aliases in zip(after.ends, after.aliases, strict=True):
            assert set(names) == {name for _, name in aliases}

    # -------------------------------------------------------------- buffers

    @rule(at=NUMBERS)
    @precondition(lambda self: len(self.model.buffers) < 20)
    def add_buffer(self, at: int) -> None:
        place = 1 + at % len(self.model.buffers)
        before = self.do(lambda: buffers.add(self.model, b"new", place))
        assert before is not None
        assert Names(self.model).all() == before.all()

    @rule(which=NUMBERS)
    def delete_buffer(self, which: int) -> None:
        index = which % len(self.model.buffers)
        before = self.do(lambda: buffers.delete(self.model, [index]))
        if before is not None:
            assert Names(self.model).all() == before.all()

    @rule(which=NUMBERS)
    def detach(self, which: int) -> None:
        index = self.chosen(which)
        before = self.do(lambda: buffers.detach(self.model, 0, index))
        if before is not None:
            assert Names(self.model).all() == before.all()
            buffer = self.graph().tensors[index].buffer
            assert [tensor.buffer for tensor in self.graph().tensors].count(buffer) == 1

    @rule(one=NUMBERS, two=NUMBERS, force=st.booleans())
    def share(self, one: int, two: int, *, force: bool) -> None:
        pair = [(0, self.chosen(one)), (0, self.chosen(two))]
        name, other = (self.graph().tensors[index].name for _, index in pair)
        before = self.do(lambda: buffers.share(self.model, pair, force=force))
        if before is not None:
            before.data[other] = before.data[name]
            assert Names(self.model).all() == before.all()

    @rule()
    def share_identical(self) -> None:
        before = self.do(lambda: buffers.share_identical(self.model))
        assert before is not None
        assert Names(self.model).all() == before.all()

    @rule()
    def remove_unused(self) -> None:
        before = self.do(lambda: buffers.remove_unused(self.model))
        assert before is not None
        assert Names(self.model).all() == before.all()
        used = {tensor.buffer for tensor in self.graph().tensors}
        assert {0, self.model.metadata[0].buffer} | used == set(range(len(self.model.buffers)))

    # -------------------------------------------------------------- always

    @rule()
    def undo_and_redo(self) -> None:
        if self.document.history.can_undo:
            after = lay_out(self.model).tobytes()
            self.document.undo()
            self.document.redo()
            assert lay_out(self.model).tobytes() == after

    @invariant()
    def names_are_unique_and_nothing_dangles(self) -> None:
        names = Names(self.model)
        assert len(set(names.tensors)) == len(names.tensors)
        assert not self.model.buffers[0].data

    def teardown(self) -> None:
        while self.document.history.can_undo:
            self.document.undo()
        assert lay_out(self.document.model).tobytes() == self.original


TestTensorMachine = TensorMachine.TestCase
TestTensorMachine.settings = settings(
    max_examples=examples(10), stateful_step_count=20, deadline=None
)
