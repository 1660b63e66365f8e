# SPDX-License-Identifier: Apache-2.0
"""Taking operators out of the flow: what read their outputs reads their inputs instead."""

from __future__ import annotations

from collections.abc import Iterable

from tflm_studio.editing.located import list_place, selected, subgraph_at
from tflm_studio.editing.orphans import made_by, named_by, remove_orphans
from tflm_studio.editing.proposal import Draft, Proposal, cut_notes
from tflm_studio.editing.renumbering import remove_items
from tflm_studio.model.comparison import differences
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import Wiring, short_shape_text, wiring_of
from tflm_studio.model.index_references import Space, index_columns
from tflm_studio.model.operators import find_tensor, is_constant, knowledge_of
from tflm_studio.model.place_names import at_start, name_operator, name_operators, name_tensor
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.structure import OpaqueMember, Table
from tflm_studio.schema.tables import Model, Operator, SubGraph, Tensor


def bypass(
    model: Model, subgraph_index: int, indices: Iterable[int], *, with_orphans: bool = False
) -> Proposal:
    """Removes operators and puts their input in the place of their output.

    Whatever names the output (other operators, outputs of the subgraph, signatures) names the
    input then, and the output tensor goes. Operators behind each other go in one piece.
    O(operators + tensors).

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        indices: Of the operators.
        with_orphans: Whether what only these operators named goes too, such as weights.

    Raises:
        EditError: There is no such operator, or an output that is in use is of another shape
            or type than the input.
    """
    chosen = selected(model, subgraph_index, indices)
    label = f"Bypass {name_operators(model, subgraph_index, chosen)}"
    finder = _StandIns(model, subgraph_index, chosen)
    stand_ins = finder.find()
    notes = finder.notes + _notes_on_outputs(model, subgraph_index, stand_ins)
    with Draft(model) as draft:
        if stand_ins:
            place = list_place(subgraph_index, "tensors")
            draft.do(remove_items(model, place, stand_ins, stand_ins))
        subgraph = subgraph_at(model, subgraph_index)
        named = named_by(subgraph, chosen) if with_orphans else made_by(subgraph, chosen)
        draft.do(remove_items(model, list_place(subgraph_index, "operators"), chosen))
        remove_orphans(draft, subgraph_index, named)
    draft.note(*cut_notes(notes))
    return draft.proposal(label)


class _StandIns:
    """Finds which tensor takes the place of which.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        chosen: The operators that go.
    """

    def __init__(self, model: Model, subgraph_index: int, chosen: list[int]) -> None:
        self.model = model
        self.subgraph_index = subgraph_index
        self.subgraph: SubGraph = subgraph_at(model, subgraph_index)
        self.wiring: Wiring = wiring_of(self.subgraph)
        self.chosen = chosen
        self.maker = {
            k: index for index in chosen for k in self._operator(index).outputs or []
        }
        self.named = _named_outside(model, subgraph_index)
        self.notes: list[str] = []

    def find(self) -> dict[int, int]:
        """For each output that others name the input that they name afterwards.

        Raises:
            EditError: There is none for an output.
        """
        found = {}
        gone = set(self.chosen)
        for output, index in self.maker.items():
            is_read = not gone.issuperset(self.wiring.users.of(output))
            if find_tensor(self.subgraph, output) and (is_read or output in self.named):
                self._check_maker(index, output)
                found[output] = self._input_for(index, output)
        return found

    def _check_maker(self, index: int, output: int) -> None:
        others = [k for k in self.wiring.makers.of(output) if k != index]
        if others:
            raise EditError(
                f"{self._title(index)} cannot be bypassed: {self._tensor(output)} is also "
                f"made by {self._title(others[0])}."
            )
        if output in self.wiring.inputs:
            raise EditError(
                f"{self._title(index)} cannot be bypassed: {self._tensor(output)}, which it "
                "makes, is an input of the subgraph."
            )

    def _input_for(self, index: int, output: int) -> int:
        choice = self._ends(index)
        title = self._title(index)
        if not choice:
            raise EditError(
                f"{title} cannot be bypassed: it has no input that could take the place of "
                f"{self._tensor(output)}."
            )
        fitting = [k for k in choice if self._fits(k, output)]
        if not fitting:
            raise EditError(
                f"{title} cannot be bypassed: {self._described(choice[0])} goes in and "
                f"{self._described(output)} comes out; shape and type have to be the same."
            )
        if len(fitting) > 1:
            self.notes.append(f"Of the inputs of {title}, {self._tensor(fitting[0])} stays.")
        if not _same_quantization(self._at(fitting[0]), self._at(output)):
            self.notes.append(
                f"{at_start(self._tensor(fitting[0]))} has another quantization than "
                f"{self._tensor(output)}, whose place it takes: values change."
            )
        return fitting[0]

    def _ends(self, index: int) -> list[int]:
        """The data that an operator gets, seen through those before it that go as well."""
        found: dict[int, None] = {}
        seen, ahead = {index}, self._data_inputs(self._operator(index))[::-1]
        while ahead:
            tensor_index = ahead.pop()
            maker = self.maker.get(tensor_index)
            if maker is None:
                found[tensor_index] = None
            elif maker not in seen:
                seen.add(maker)
                ahead += self._data_inputs(self._operator(maker))[::-1]
        return list(found)

    def _data_inputs(self, operator: Operator) -> list[int]:
        """The inputs that are no parameters; constants only if there is nothing else."""
        known = knowledge_of(self.model, operator)
        data = [
            k
            for position, k in enumerate(operator.inputs or [])
            if known.input_role(position).startswith("activation")
            and find_tensor(self.subgraph, k) is not None
        ]
        computed = [k for k in data if not is_constant(self.model, self.subgraph, k)]
        return list(dict.fromkeys(computed or data))

    def _fits(self, tensor_index: int, output: int) -> bool:
        a, b = self._at(tensor_index), self._at(output)
        return (a.shape or [], a.type) == (b.shape or [], b.type)

    def _at(self, tensor_index: int) -> Tensor:
        return (self.subgraph.tensors or [])[tensor_index]

    def _operator(self, index: int) -> Operator:
        return (self.subgraph.operators or [])[index]

    def _title(self, index: int) -> str:
        return name_operator(self.model, self.subgraph_index, index)

    def _tensor(self, tensor_index: int) -> str:
        return name_tensor(self.model, self.subgraph_index, tensor_index)

    def _described(self, tensor_index: int) -> str:
        tensor = self._at(tensor_index)
        kind = element_type(tensor.type).name
        return f"{self._tensor(tensor_index)} ({short_shape_text(tensor.shape)} {kind})"


def _named_outside(model: Model, subgraph_index: int) -> set[int]:
    """The tensors that something else than an operator names."""
    named: set[int] = set()
    for column in index_columns(model, Space.TENSORS, subgraph_index):
        if column.place[2:] != ("operators",):
            for _, value in column.values():
                named.update(value if isinstance(value, list) else [value])
    return named


def _same_quantization(a: Tensor, b: Tensor) -> bool:
    first, second = a.quantization, b.quantization
    if first is None or second is None:
        given = first or second
        return given is None or not (given.scale or given.zero_point or given.details)
    several = len(first.scale or []) > 1
    return (
        _same_details(first.details, second.details)
        and (first.scale or []) == (second.scale or [])
        and (first.zero_point or []) == (second.zero_point or [])
        and (not several or first.quantized_dimension == second.quantized_dimension)
    )


def _same_details(a: Table | OpaqueMember | None, b: Table | OpaqueMember | None) -> bool:
    if isinstance(a, Table) and isinstance(b, Table):
        return next(differences(a, b), None) is None
    return a == b


def _notes_on_outputs(
    model: Model, subgraph_index: int, stand_ins: dict[int, int]
) -> list[str]:
    outputs = subgraph_at(model, subgraph_index).outputs or []
    notes = [
        f"Output {position} of the subgraph is now "
        f"{name_tensor(model, subgraph_index, stand_ins[k])}."
        for position, k in enumerate(outputs)
        if k in stand_ins
    ]
    after = [stand_ins.get(k, k) for k in outputs]
    if notes and len(set(after)) < len(set(outputs)):
        notes.append("Several outputs of the subgraph are now the same tensor.")
    return notes
