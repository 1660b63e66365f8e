# SPDX-License-Identifier: Apache-2.0
"""Operators that come and go: add, duplicate, delete.

Indices in notes and messages are those of the model as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tflm_studio.analysis.operator_order import NEVER, first_makers
from tflm_studio.editing.field_values import copied
from tflm_studio.editing.fresh_names import FreeNames, tensor_names
from tflm_studio.editing.located import list_place, selected, subgraph_at
from tflm_studio.editing.new_tensors import activation, copy_of
from tflm_studio.editing.operations import check_tensor_indices
from tflm_studio.editing.operator_bypass import bypass
from tflm_studio.editing.operator_codes import find_or_add
from tflm_studio.editing.operator_insertion import redirect_behind
from tflm_studio.editing.operator_kind_changes import (
    change_kind,
    replace_by_custom,
    set_version,
)
from tflm_studio.editing.operator_options import fitted_options
from tflm_studio.editing.operator_sequence import move, sort_topologically
from tflm_studio.editing.operator_slots import filled_inputs, missing_inputs
from tflm_studio.editing.orphans import named_by, remove_orphans
from tflm_studio.editing.proposal import Draft, Proposal, cut_notes
from tflm_studio.editing.renumbering import insert_each, insert_items, remove_items
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import Wiring, wiring_of
from tflm_studio.model.operator_kinds import OperatorKind, kind_named
from tflm_studio.model.operators import CUSTOM, NO_TENSOR, find_tensor, is_constant
from tflm_studio.model.place_names import at_start, name_operator, name_operators, name_tensor
from tflm_studio.schema.tables import Model, Operator, SubGraph, Tensor

__all__ = [
    "add",
    "bypass",
    "change_kind",
    "delete",
    "duplicate",
    "move",
    "replace_by_custom",
    "set_version",
    "sort_topologically",
]


def add(
    model: Model,
    subgraph_index: int,
    index: int,
    kind: OperatorKind | str,
    *,
    inputs: Sequence[int] | None = None,
    outputs: Sequence[int] | None = None,
    version: int | None = None,
    is_between: bool = False,
) -> Proposal:
    """Puts a new operator before the one that has `index` now. O(operators + tensors).

    It gets an operator code of its kind, options with which it could run, and new tensors
    for the outputs that are not given: like its first input, without data.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        index: Where; the number of operators puts it at the end.
        kind: What it is; a text is looked up with `kind_named`.
        inputs: Tensor indices; optional ones behind the last are left out. None leaves all
            inputs open, and the notes say which still need a tensor.
        outputs: Tensor indices of the first outputs.
        version: Of the operator code; None takes the version that the model has, or else 1.
        is_between: Whether what stands behind the place and reads its input reads its output
            instead.

    Raises:
        EditError: There is no such place or kind, a needed input is missing, there are too
            many tensors, one of them does not exist, or nothing goes in or comes out.
    """
    subgraph = subgraph_at(model, subgraph_index)
    kind = kind_named(kind) if isinstance(kind, str) else kind
    count = len(subgraph.operators or [])
    if not 0 <= index <= count:
        raise EditError(f"There is no place {index} for an operator; the last is {count}.")
    given = list(outputs or [])
    reads = filled_inputs(kind, inputs)
    check_tensor_indices(subgraph, reads, optional=True)
    check_tensor_indices(subgraph, given, optional=False)
    fresh = _fresh_outputs(kind, subgraph, reads, given)
    first_fresh = len(subgraph.tensors or [])
    makes = [*given, *range(first_fresh, first_fresh + len(fresh))]
    code = find_or_add(model, kind.code, kind.custom_code, version)
    operator = Operator(code.index, reads, makes)
    made = [*(find_tensor(subgraph, k) for k in given), *fresh]
    options = fitted_options(kind, [find_tensor(subgraph, k) for k in reads], made)
    if options is not None:
        setattr(operator, kind.union, options)
    notes = _notes_on_new(model, subgraph_index, index, kind, operator, given)
    with Draft(model) as draft:
        draft.do(code.proposal)
        if fresh:
            place = list_place(subgraph_index, "tensors")
            draft.do(insert_items(model, place, first_fresh, fresh))
        draft.do(
            insert_items(model, list_place(subgraph_index, "operators"), index, [operator])
        )
        if is_between:
            old, new = _through(kind, subgraph, operator)
            redirect_behind(draft, model, subgraph_index, index, old, new)
    draft.note(*notes)
    return draft.proposal(f"{'Insert' if is_between else 'Add'} {kind.name}")


def _fresh_outputs(
    kind: OperatorKind, subgraph: SubGraph, reads: list[int], given: list[int]
) -> list[Tensor]:
    """New tensors for the needed outputs that are not given."""
    slots = kind.outputs
    any_number = any(slot.is_variadic for slot in slots)
    if len(given) > len(slots) and not any_number:
        raise EditError(f"{kind.name} has {len(slots)} outputs at most, not {len(given)}.")
    # Of any number of outputs there is one to begin with.
    needed = [slot for slot in slots if not slot.is_optional][len(given) :]
    like = _template(kind, subgraph, reads)
    names = FreeNames(tensor_names(subgraph))
    start = len(subgraph.tensors or [])
    return [
        activation(names.take(f"{kind.name}_{start + k}"), like) for k in range(len(needed))
    ]


def _through(kind: OperatorKind, subgraph: SubGraph, operator: Operator) -> tuple[int, int]:
    """The data that goes in, and the first output."""
    flowing = _data_input(kind, subgraph, operator.inputs or [])
    if flowing is None or not operator.outputs:
        missing = "input" if flowing is None else "output"
        raise EditError(f"{kind.name} cannot stand between others: it has no {missing}.")
    return flowing, operator.outputs[0]


def _template(kind: OperatorKind, subgraph: SubGraph, reads: list[int]) -> Tensor | None:
    flowing = _data_input(kind, subgraph, reads)
    return find_tensor(subgraph, flowing) if flowing is not None else None


def _data_input(kind: OperatorKind, subgraph: SubGraph, reads: list[int]) -> int | None:
    """The first input that is data and not a parameter, or else the first that there is."""
    there = [k for k, index in enumerate(reads) if find_tensor(subgraph, index) is not None]
    data = [k for k in there if kind.known.input_role(k).startswith("activation")]
    return reads[(data or there)[0]] if there else None


def _notes_on_new(
    model: Model,
    subgraph_index: int,
    index: int,
    kind: OperatorKind,
    operator: Operator,
    given: list[int],
) -> list[str]:
    subgraph = subgraph_at(model, subgraph_index)
    missing = missing_inputs(kind, operator.inputs or [])
    notes = [f"{kind.name} still needs {', '.join(missing)}."] if missing else []
    if kind.code == CUSTOM:
        notes.append(f"{kind.name} has no custom options yet.")
    reads = dict.fromkeys(operator.inputs or [])
    made_at = first_makers(model, subgraph, [*reads, *given])
    for k in reads:
        if made_at.get(k, NEVER) >= index:
            maker = name_operator(model, subgraph_index, made_at[k])
            notes.append(
                f"{kind.name} reads {name_tensor(model, subgraph_index, k)} before {maker} "
                "makes it."
            )
    for k in given:
        if k in made_at:
            maker = name_operator(model, subgraph_index, made_at[k])
            notes.append(f"{name_tensor(model, subgraph_index, k)} is also made by {maker}.")
    return notes


def duplicate(model: Model, subgraph_index: int, indices: Iterable[int]) -> Proposal:
    """Puts a copy behind each of some operators. O(operators + tensors).

    A copy has the options of the original and reads the same tensors, but for variables: a
    state of its own. What it makes are new tensors, which nobody reads yet.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        indices: Of the operators.

    Raises:
        EditError: There is no such operator.
    """
    chosen = selected(model, subgraph_index, indices)
    subgraph = subgraph_at(model, subgraph_index)
    label = f"Duplicate {name_operators(model, subgraph_index, chosen)}"
    names, first_fresh = FreeNames(tensor_names(subgraph)), len(subgraph.tensors or [])
    fresh: list[Tensor] = []
    own: dict[int, dict[int, int]] = {}
    notes: list[str] = []
    for k in chosen:
        own[k] = {}
        states = _states_of(subgraph, k)
        for old in dict.fromkeys([*states, *_made_by(subgraph, k)]):
            own[k][old] = first_fresh + len(fresh)
            tensor = (subgraph.tensors or [])[old]
            fresh.append(copy_of(tensor, names.take(f"{tensor.name or 'unnamed'}_copy")))
        notes += [
            f"The copy of {name_operator(model, subgraph_index, k)} has a variable of its "
            f"own in place of {name_tensor(model, subgraph_index, old)}."
            for old in states
        ]
    with Draft(model) as draft:
        if fresh:
            place = list_place(subgraph_index, "tensors")
            draft.do(insert_items(model, place, first_fresh, fresh))
        copies = [_copy_of_operator(subgraph, k, own[k]) for k in chosen]
        place = list_place(subgraph_index, "operators")
        draft.do(insert_each(model, place, [k + 1 for k in chosen], copies))
    draft.note(*cut_notes(notes))
    return draft.proposal(label)


def _states_of(subgraph: SubGraph, index: int) -> list[int]:
    """The variables that an operator reads, and may change."""
    inputs = (subgraph.operators or [])[index].inputs or []
    return [k for k in dict.fromkeys(inputs) if _is_variable(subgraph, k)]


def _made_by(subgraph: SubGraph, index: int) -> list[int]:
    outputs = (subgraph.operators or [])[index].outputs or []
    return [k for k in outputs if find_tensor(subgraph, k) is not None]


def _copy_of_operator(subgraph: SubGraph, index: int, own: dict[int, int]) -> Operator:
    """A copy with tensors of its own in place of some."""
    made: Operator = copied((subgraph.operators or [])[index])
    if made.inputs is not None:
        states = own.keys() & set(_states_of(subgraph, index))
        made.inputs = [own[k] if k in states else k for k in made.inputs]
    if made.outputs is not None:
        made.outputs = [own.get(k, k) for k in made.outputs]
    return made


def _is_variable(subgraph: SubGraph, tensor_index: int) -> bool:
    tensor = find_tensor(subgraph, tensor_index)
    return tensor is not None and tensor.is_variable


def delete(
    model: Model, subgraph_index: int, indices: Iterable[int], *, with_orphans: bool = False
) -> Proposal:
    """Removes operators. O(operators + tensors).

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        indices: Of the operators.
        with_orphans: Whether tensors that nothing names any more go too, and their buffers.

    Raises:
        EditError: There is no such operator.
    """
    chosen = selected(model, subgraph_index, indices)
    label = f"Delete {name_operators(model, subgraph_index, chosen)}"
    notes = _notes_on_unmade(model, subgraph_index, chosen)
    named = named_by(subgraph_at(model, subgraph_index), chosen)
    with Draft(model) as draft:
        draft.do(remove_items(model, list_place(subgraph_index, "operators"), chosen))
        if with_orphans:
            remove_orphans(draft, subgraph_index, named)
    draft.note(*notes)
    return draft.proposal(label)


def _notes_on_unmade(model: Model, subgraph_index: int, chosen: list[int]) -> list[str]:
    """What is still wanted and made by nobody when some operators are gone."""
    subgraph = subgraph_at(model, subgraph_index)
    operators, gone = subgraph.operators or [], set(chosen)
    wiring = wiring_of(subgraph)
    outputs = dict.fromkeys(t for k in chosen for t in operators[k].outputs or [])
    notes = []
    for t in outputs:
        if gone.issuperset(wiring.makers.of(t)) and not _has_value(model, subgraph, wiring, t):
            title = name_tensor(model, subgraph_index, t)
            users = [k for k in wiring.users.of(t) if k not in gone]
            if users:
                more = f" and {len(users) - 1} more" if len(users) > 1 else ""
                reader = name_operator(model, subgraph_index, users[0])
                notes.append(f"{reader}{more} still reads {title}, which nobody makes now.")
            if t in wiring.outputs:
                notes.append(f"{title} is an output of the subgraph and nobody makes it now.")
    return cut_notes(list(map(at_start, notes)))


def _has_value(model: Model, subgraph: SubGraph, wiring: Wiring, tensor_index: int) -> bool:
    return (
        tensor_index in wiring.inputs
        or tensor_index == NO_TENSOR
        or _is_variable(subgraph, tensor_index)
        or is_constant(model, subgraph, tensor_index)
        or find_tensor(subgraph, tensor_index) is None
    )
