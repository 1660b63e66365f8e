# SPDX-License-Identifier: Apache-2.0
"""Any sequence of changes of operators, against a model of plain names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.conftest import examples
from tflm_studio.editing import operators as ops
from tflm_studio.editing.document import Document
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import builtin_code
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    Buffer,
    Model,
    Operator,
    OperatorCode,
    SignatureDef,
    SubGraph,
    Tensor,
    TensorMap,
)

KINDS = ("RELU", "ABS", "NEG", "LOGISTIC", "ADD", "DILATE")
ONE_INPUT = KINDS[:4]


@dataclass
class Op:
    """An operator by names."""

    kind: str
    version: int
    inputs: list[str]
    outputs: list[str]

    def copy(self) -> Op:
        return Op(self.kind, self.version, list(self.inputs), list(self.outputs))


@dataclass
class Plain:
    """What a model should say, with names in place of indices."""

    operators: list[Op] = field(default_factory=list)
    tensors: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)

    def copy(self) -> Plain:
        return Plain([op.copy() for op in self.operators], [*self.tensors], [*self.outputs])

    def rename(self, old: str, new: str) -> None:
        for op in self.operators:
            op.inputs = [new if name == old else name for name in op.inputs]
        self.outputs = [new if name == old else name for name in self.outputs]
        self.tensors.remove(old)

    def names(self, name: str) -> bool:
        return name in self.outputs or any(
            name in (*op.inputs, *op.outputs) for op in self.operators
        )


def read(model: Model) -> Plain:
    graph = model.subgraphs[0]
    names = [tensor.name for tensor in graph.tensors]
    found = Plain(tensors=names, outputs=[names[k] for k in graph.outputs])
    for op in graph.operators:
        code = model.operator_codes[op.opcode_index]
        kind = BuiltinOperator(builtin_code(code)).name
        reads, makes = ([names[k] for k in indices] for indices in (op.inputs, op.outputs))
        found.operators.append(Op(kind, code.version, reads, makes))
    return found


def start() -> Model:
    tensors = [Tensor([1, 4], TensorType.FLOAT32, k, f"t{k}") for k in range(6)]
    codes = [OperatorCode(19, None, 1, 19), OperatorCode(0, None, 1, 0)]
    operators = [
        Operator(0, [0], [1]),
        Operator(0, [1], [2]),
        Operator(1, [1, 2], [3]),
        Operator(0, [3], [4]),
    ]
    graph = SubGraph(tensors, [0], [4], operators, "main")
    other = SubGraph([Tensor([1])], [0], [0], [Operator(0, [0], [0])], "other")
    signatures = [
        SignatureDef([TensorMap("in", 0)], [TensorMap("out", 4)], "s", None, 0),
        SignatureDef([TensorMap("in", 0)], [TensorMap("out", 0)], "o", None, 1),
    ]
    buffers = [Buffer() for _ in range(6)]
    return Model(3, codes, [graph, other], None, buffers, signature_defs=signatures)


INDICES = st.integers(0, 11)


class Operators(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.document = Document(start())
        self.model = self.document.model
        self.before = lay_out(self.model).tobytes()
        self.states = [read(self.model)]
        self.position = 0

    @property
    def now(self) -> Plain:
        return self.states[self.position]

    def pick(self, *numbers: int) -> list[int]:
        count = len(self.now.operators)
        return sorted({number % count for number in numbers}) if count else []

    def do(self, call: Any, expected: Plain | None, *refused: str) -> None:
        """Does it; what is expected to be refused says so."""
        try:
            made: Proposal = call()
        except EditError as error:
            assert expected is None or any(text in str(error) for text in refused), error
            assert read(self.model) == self.now
            return
        assert expected is not None, made
        assert read(self.model) == self.now, "only looked at"
        if self.document.do(made):
            del self.states[self.position + 1 :]
            self.states.append(expected)
            self.position += 1

    @rule(where=INDICES, kind=st.sampled_from(ONE_INPUT), source=INDICES)
    def add(self, where: int, kind: str, source: int) -> None:
        index = where % (len(self.now.operators) + 1)
        tensor = source % len(self.now.tensors)

        def call() -> Proposal:
            return ops.add(self.model, 0, index, kind, inputs=[tensor])

        name = self.fresh_name(call())
        same = [code.version for code in self.model.operator_codes if self.is_kind(code, kind)]
        expected = self.now.copy()
        new = Op(kind, same[0] if same else 1, [self.now.tensors[tensor]], [name])
        expected.operators.insert(index, new)
        expected.tensors.append(name)
        self.do(call, expected)

    def is_kind(self, code: OperatorCode, kind: str) -> bool:
        return builtin_code(code) == BuiltinOperator[kind]

    def fresh_name(self, made: Proposal) -> str:
        (name,) = [edit.item.name for edit in made.edits if edit.address[-1:] == ("tensors",)]
        assert name not in self.now.tensors
        return str(name)

    @rule(first=INDICES, second=INDICES)
    def duplicate(self, first: int, second: int) -> None:
        chosen = self.pick(first, second)
        if not chosen or len(self.now.operators) > 12:
            return
        expected = self.now.copy()
        for k in reversed(chosen):
            expected.operators.insert(k + 1, expected.operators[k].copy())
        made = ops.duplicate(self.model, 0, chosen)
        fresh = [edit.item.name for edit in made.edits if edit.address[-1:] == ("tensors",)]
        assert len(set(fresh) - set(self.now.tensors)) == len(fresh)
        for behind, (k, name) in enumerate(zip(chosen, fresh, strict=True)):
            expected.operators[k + 1 + behind].outputs = [name]
        expected.tensors += fresh
        self.do(lambda: made, expected)

    @rule(first=INDICES, second=INDICES, with_orphans=st.booleans())
    def delete(self, first: int, second: int, with_orphans: bool) -> None:
        chosen = self.pick(first, second)
        if not chosen:
            return
        expected = self.now.copy()
        gone = [expected.operators.pop(k) for k in reversed(chosen)]
        named = {name for op in gone for name in (*op.inputs, *op.outputs)}
        if with_orphans:
            kept = {"t0", *(n for n in expected.tensors if expected.names(n))}
            expected.tensors = [n for n in expected.tensors if n not in named or n in kept]
        self.do(lambda: ops.delete(self.model, 0, chosen, with_orphans=with_orphans), expected)

    @rule(first=INDICES, second=INDICES)
    def bypass(self, first: int, second: int) -> None:
        chosen = self.pick(first, second)
        if not chosen:
            return
        expected = self.now.copy()
        gone = [expected.operators.pop(k) for k in reversed(chosen)][::-1]
        made = {op.outputs[0]: op.inputs[0] for op in gone}
        others = {name for op in expected.operators for name in op.outputs}
        for op in gone:
            end, steps = op.inputs[0], 0
            while end in made and steps <= len(made):
                end, steps = made[end], steps + 1
            if end in made or op.outputs[0] in others:
                return  # in a circle, or made by several: not a matter of this test
            if expected.names(op.outputs[0]):
                expected.rename(op.outputs[0], end)
            elif op.outputs[0] in expected.tensors:
                expected.tensors.remove(op.outputs[0])
        self.do(lambda: ops.bypass(self.model, 0, chosen), expected)

    @rule(first=INDICES, second=INDICES, where=INDICES)
    def move(self, first: int, second: int, where: int) -> None:
        chosen = self.pick(first, second)
        if not chosen:
            return
        target = where % (len(self.now.operators) - len(chosen) + 1)
        expected = self.now.copy()
        block = [expected.operators.pop(k) for k in reversed(chosen)][::-1]
        expected.operators[target:target] = block
        self.do(
            lambda: ops.move(self.model, 0, chosen, target), expected, "would stand before"
        )
        if self.document.history.position and read(self.model) != expected:
            self.do(lambda: ops.move(self.model, 0, chosen, target, force=True), expected)

    @rule(first=INDICES, second=INDICES, kind=st.sampled_from(KINDS))
    def change_kind(self, first: int, second: int, kind: str) -> None:
        chosen = self.pick(first, second)
        if not chosen:
            return
        same = [code.version for code in self.model.operator_codes if self.is_kind(code, kind)]
        expected = self.now.copy()
        for k in chosen:
            expected.operators[k].kind = kind
            expected.operators[k].version = same[0] if same else 1
        self.do(lambda: ops.change_kind(self.model, 0, chosen, kind), expected)

    @rule(first=INDICES, second=INDICES, version=st.integers(1, 3))
    def set_version(self, first: int, second: int, version: int) -> None:
        chosen = self.pick(first, second)
        if not chosen:
            return
        expected = self.now.copy()
        for k in chosen:
            expected.operators[k].version = version
        self.do(lambda: ops.set_version(self.model, 0, chosen, version), expected)

    @rule()
    def sort(self) -> None:
        order = [id(op) for op in self.model.subgraphs[0].operators]
        made = ops.sort_topologically(self.model, 0)
        expected = self.now.copy()
        for edit in made.edits:
            expected.operators.insert(edit.target, expected.operators.pop(edit.index))
        assert order == [id(op) for op in self.model.subgraphs[0].operators]
        self.do(lambda: made, expected)

    @rule()
    def undo(self) -> None:
        if self.document.history.can_undo:
            self.document.undo()
            self.position -= 1

    @rule()
    def redo(self) -> None:
        if self.document.history.can_redo:
            self.document.redo()
            self.position += 1

    @invariant()
    def says_what_it_should(self) -> None:
        if not hasattr(self, "document"):
            return
        assert read(self.model) == self.now
        model = self.model
        signature = model.signature_defs[0]
        names = [tensor.name for tensor in model.subgraphs[0].tensors]
        assert names[signature.inputs[0].tensor_index] == "t0"
        assert names[signature.outputs[0].tensor_index] == self.now.outputs[0]
        other = model.subgraphs[1]
        assert (other.operators[0].inputs, other.inputs, other.outputs) == ([0], [0], [0])
        code = model.operator_codes[other.operators[0].opcode_index]
        assert (builtin_code(code), code.version) == (19, 1)
        for code in model.operator_codes:
            assert code.deprecated_builtin_code == min(code.builtin_code, 127)
        for tensor in model.subgraphs[0].tensors:
            assert tensor.buffer < len(model.buffers)

    def teardown(self) -> None:
        if hasattr(self, "document"):
            self.document.go_to(0)
            assert lay_out(self.model).tobytes() == self.before


Operators.TestCase.settings = settings(
    max_examples=examples(25), stateful_step_count=25, deadline=None
)
TestOperators = Operators.TestCase
