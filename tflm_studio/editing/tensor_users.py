# SPDX-License-Identifier: Apache-2.0
"""What becomes of the users of tensors that go: they do without, or get another one."""

from __future__ import annotations

from tflm_studio.analysis.operator_order import order_of
from tflm_studio.editing.edits import Set
from tflm_studio.editing.graph_ends import set_inputs, set_outputs
from tflm_studio.editing.located import subgraph_at, tensor_at
from tflm_studio.editing.proposal import Draft, cut_notes
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import describe_tensor, makers_of
from tflm_studio.model.operators import (
    NO_TENSOR,
    OperatorKnowledge,
    builtin_code,
    has_data,
    knowledge_of,
    operator_code,
)
from tflm_studio.model.place_names import at_start, name_operator, name_tensor
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model, Operator, PackOptions

# Operators that work on as many inputs as there are, each like the others.
_FREE_LISTS = (BuiltinOperator.CONCATENATION, BuiltinOperator.ADD_N, BuiltinOperator.PACK)


def leave_out(draft: Draft, subgraph_index: int, gone: frozenset[int]) -> None:
    """Takes tensors from everything that can do without.

    Raises:
        EditError: An operator makes one or needs it.
    """
    model = draft.model
    subgraph = subgraph_at(model, subgraph_index)
    for position, operator in enumerate(subgraph.operators or []):
        _check_not_made(model, subgraph_index, position, operator, gone)
        if not gone.isdisjoint(operator.inputs or ()):
            _leave_out_inputs(draft, subgraph_index, position, gone)
        if not gone.isdisjoint(operator.intermediates or ()):
            left = [NO_TENSOR if t in gone else t for t in operator.intermediates or []]
            place = ("subgraphs", subgraph_index, "operators", position, "intermediates")
            draft.do(Set(place, left))
    _without_ends(draft, subgraph_index, gone)
    _without_entries(draft, subgraph_index, gone)


def _check_not_made(
    model: Model,
    subgraph_index: int,
    position: int,
    operator: Operator,
    gone: frozenset[int],
) -> None:
    for index in operator.outputs or []:
        if index in gone:
            name = name_operator(model, subgraph_index, position)
            raise EditError(
                f"{name} makes {name_tensor(model, subgraph_index, index)}; delete the "
                "operator as well, or let it make another one."
            )


def _leave_out_inputs(
    draft: Draft, subgraph_index: int, position: int, gone: frozenset[int]
) -> None:
    model = draft.model
    operator = (subgraph_at(model, subgraph_index).operators or [])[position]
    place = ("subgraphs", subgraph_index, "operators", position)
    inputs = list(operator.inputs or [])
    name = name_operator(model, subgraph_index, position)
    if _takes_any(model, operator):
        left = [index for index in inputs if index not in gone]
        if not left:
            raise EditError(f"{name} needs an input; none would be left.")
        draft.do(Set((*place, "inputs"), left))
        if isinstance(operator.builtin_options, PackOptions):
            draft.do(Set((*place, "builtin_options", "values_count"), len(left)))
        return
    known = knowledge_of(model, operator)
    for slot, index in enumerate(inputs):
        if index not in gone:
            continue
        if not _is_optional(known, slot):
            raise EditError(
                f"{name} needs its {known.input_name(slot)} (input {slot}), which is "
                f"{name_tensor(model, subgraph_index, index)}."
            )
        inputs[slot] = NO_TENSOR
        draft.note(f"{name} goes on without {known.input_name(slot)} (input {slot}).")
    draft.do(Set((*place, "inputs"), inputs))


def _takes_any(model: Model, operator: Operator) -> bool:
    code = operator_code(model, operator)
    return code is not None and builtin_code(code) in _FREE_LISTS


def _is_optional(known: OperatorKnowledge, slot: int) -> bool:
    """Whether -1 may stand in a slot; never in the open end of a list of inputs."""
    is_open = known.takes_any_number and slot >= len(known.inputs) - 1
    return known.is_optional(slot) and not is_open


def _without_ends(draft: Draft, subgraph_index: int, gone: frozenset[int]) -> None:
    model = draft.model
    subgraph = subgraph_at(model, subgraph_index)
    for side, set_ends in (("inputs", set_inputs), ("outputs", set_outputs)):
        old = getattr(subgraph, side) or []
        left = [index for index in old if index not in gone]
        if left != old:
            count = len(old) - len(left)
            draft.note(f"The subgraph has {count} of its {len(old)} {side} less.")
            draft.do(set_ends(model, subgraph_index, left))


def _without_entries(draft: Draft, subgraph_index: int, gone: frozenset[int]) -> None:
    """Takes what else signatures say of the tensors out of them."""
    for index, signature in enumerate(draft.model.signature_defs or []):
        if signature.subgraph_index != subgraph_index:
            continue
        for side in ("inputs", "outputs"):
            old = getattr(signature, side) or []
            left = [entry for entry in old if entry.tensor_index not in gone]
            if len(left) != len(old):
                draft.do(Set(("signature_defs", index, side), left))


# ------------------------------------------------------------------ another tensor


def check_replacement(
    model: Model, subgraph_index: int, gone: frozenset[int], replacement: int
) -> None:
    """Refuses a stand-in that would be made twice.

    Raises:
        EditError: It is one of those that go, there is none, or an operator that stays makes
            one of those that go.
    """
    tensor_at(model, subgraph_index, replacement)
    if replacement in gone:
        raise EditError(f"Tensor {replacement} cannot stand in: it is to be deleted as well.")
    for position, operator in enumerate(subgraph_at(model, subgraph_index).operators or []):
        _check_not_made(model, subgraph_index, position, operator, gone)


def replace_ends(
    draft: Draft, subgraph_index: int, gone: frozenset[int], replacement: int
) -> None:
    """Puts a stand-in into the inputs and outputs, and tells how it differs.

    As an input it stands in only if nothing gives it values; else the input is removed.
    """
    model = draft.model
    subgraph = subgraph_at(model, subgraph_index)
    stand_in = tensor_at(model, subgraph_index, replacement)
    is_given = bool(
        replacement in (subgraph.inputs or ())
        or has_data(model, stand_in)
        or stand_in.is_variable
        or makers_of(subgraph, replacement)
    )
    if is_given and not gone.isdisjoint(subgraph.inputs or ()):
        left = [index for index in subgraph.inputs or [] if index not in gone]
        draft.note(f"Tensor {replacement} has values of its own: inputs that go are removed.")
        draft.do(set_inputs(model, subgraph_index, left))
    notes = []
    for index in sorted(gone):
        tensor = tensor_at(model, subgraph_index, index)
        if (tensor.shape or [], tensor.type) != (stand_in.shape or [], stand_in.type):
            notes.append(
                f"Tensor {index} ({describe_tensor(tensor)}) and its stand-in "
                f"({describe_tensor(stand_in)}) differ."
            )
    draft.note(*cut_notes(notes), *_early_reader(model, subgraph_index, gone, replacement))


def _early_reader(
    model: Model, subgraph_index: int, gone: frozenset[int], replacement: int
) -> list[str]:
    """Whether a reader of what goes would read the stand-in before it is made."""
    subgraph = subgraph_at(model, subgraph_index)
    made_at = int(order_of(model, subgraph).made_at[replacement])
    for position, operator in enumerate(subgraph.operators or []):
        if position <= made_at and not gone.isdisjoint(operator.inputs or ()):
            reader = at_start(name_operator(model, subgraph_index, position))
            stand_in = name_tensor(model, subgraph_index, replacement)
            maker = name_operator(model, subgraph_index, made_at)
            return [f"{reader} reads {stand_in} before {maker} makes it: sort the operators."]
    return []
