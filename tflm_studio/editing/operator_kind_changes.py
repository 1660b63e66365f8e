# SPDX-License-Identifier: Apache-2.0
"""Operators that become others where they stand: another kind, another version."""

from __future__ import annotations

from collections.abc import Iterable

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.located import list_place, selected, subgraph_at
from tflm_studio.editing.operator_codes import (
    codes_in_use,
    find_or_add,
    identity_of,
    make_code,
)
from tflm_studio.editing.operator_options import (
    carried_options,
    custom_bytes,
    option_edits,
    without_custom_options,
)
from tflm_studio.editing.operator_slots import missing_inputs
from tflm_studio.editing.proposal import Draft, Proposal, cut_notes
from tflm_studio.editing.set_each import SetEach
from tflm_studio.model.errors import EditError
from tflm_studio.model.operator_kinds import OperatorKind, custom_kind, kind_named
from tflm_studio.model.operators import CUSTOM
from tflm_studio.model.place_names import name_operator, name_operators
from tflm_studio.schema.tables import Model, Operator


def change_kind(
    model: Model, subgraph_index: int, indices: Iterable[int], kind: OperatorKind | str
) -> Proposal:
    """Makes operators those of another kind, with the same inputs and outputs.

    Options that both kinds have by one name and type keep their values. The old operator code
    stays, even if nobody uses it any more.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        indices: Of the operators.
        kind: What they become; a text is looked up with `kind_named`.

    Raises:
        EditError: There is no such operator or kind.
    """
    kind = kind_named(kind) if isinstance(kind, str) else kind
    chosen = selected(model, subgraph_index, indices)
    operators = subgraph_at(model, subgraph_index).operators or []
    edits: list[Edit] = []
    notes: list[str] = []
    for index in chosen:
        operator = operators[index]
        place = (*list_place(subgraph_index, "operators"), index)
        title = name_operator(model, subgraph_index, index)
        options, dropped, _ = carried_options(operator, kind)
        edits += option_edits(place, operator, kind, options)
        if kind.code != CUSTOM:
            edits += without_custom_options(place, operator)
            notes += _note_on_custom_options(operator, title)
        if dropped:
            notes.append(f"{title} loses {', '.join(dropped)}.")
        notes += _notes_on_slots(kind, operator, title)
    label = f"Change {name_operators(model, subgraph_index, chosen)} to {kind.name}"
    return _with_code(model, subgraph_index, chosen, kind, edits, notes).labelled(label)


def replace_by_custom(
    model: Model,
    subgraph_index: int,
    indices: Iterable[int],
    custom_code: str,
    custom_options: bytes | None = None,
) -> Proposal:
    """Makes operators custom ones, with the same inputs and outputs.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        indices: Of the operators.
        custom_code: The name they are registered by.
        custom_options: What each gets, such as a flexbuffer; None for nothing.

    Raises:
        EditError: There is no such operator, or the name is empty.
    """
    kind = custom_kind(custom_code)
    chosen = selected(model, subgraph_index, indices)
    operators = subgraph_at(model, subgraph_index).operators or []
    edits: list[Edit] = []
    notes: list[str] = []
    for index in chosen:
        operator = operators[index]
        place = (*list_place(subgraph_index, "operators"), index)
        title = name_operator(model, subgraph_index, index)
        dropped = carried_options(operator, kind).dropped
        if dropped:
            notes.append(f"{title} loses {', '.join(dropped)}.")
        notes += _note_on_custom_options(operator, title)
        edits += option_edits(place, operator, kind, None)
        edits += without_custom_options(place, operator)
        if custom_options is not None:
            edits.append(Set((*place, "custom_options"), custom_options))
    label = f"Replace {name_operators(model, subgraph_index, chosen)} by {kind.name}"
    return _with_code(model, subgraph_index, chosen, kind, edits, notes).labelled(label)


def _with_code(
    model: Model,
    subgraph_index: int,
    chosen: list[int],
    kind: OperatorKind,
    edits: list[Edit],
    notes: list[str],
) -> Proposal:
    """The operator code of a kind for some operators, after what else they get."""
    code = find_or_add(model, kind.code, kind.custom_code, None)
    with Draft(model) as draft:
        draft.do(edits)
        draft.do(code.proposal)
        draft.do(_pointed_at(model, subgraph_index, chosen, code.index))
    draft.note(*cut_notes(notes))
    return draft.proposal()


def _pointed_at(
    model: Model, subgraph_index: int, chosen: list[int], code_index: int
) -> list[Edit]:
    """Gives operators another operator code, if they have not got it."""
    operators = subgraph_at(model, subgraph_index).operators or []
    place = list_place(subgraph_index, "operators")
    others = [k for k in chosen if operators[k].opcode_index != code_index]
    if len(others) == 1:
        return [Set((*place, others[0], "opcode_index"), code_index)]
    return (
        [SetEach(place, "opcode_index", others, [code_index] * len(others))] if others else []
    )


def _note_on_custom_options(operator: Operator, title: str) -> list[str]:
    size = custom_bytes(operator)
    return [f"{title} loses {size:,} bytes of custom options."] if size else []


def _notes_on_slots(kind: OperatorKind, operator: Operator, title: str) -> list[str]:
    """Where the tensors do not fit what the operator is now."""
    inputs, known = operator.inputs or [], kind.known
    notes = []
    missing = missing_inputs(kind, inputs)
    if missing:
        notes.append(f"{title} needs {', '.join(missing)} as {kind.name}.")
    if len(inputs) > len(known.inputs) and not known.takes_any_number:
        notes.append(
            f"{title} has {len(inputs)} inputs; {kind.name} takes {len(known.inputs)} at most."
        )
    return notes


def set_version(
    model: Model, subgraph_index: int, indices: Iterable[int], version: int
) -> Proposal:
    """Gives operators another version; others with the same operator code keep theirs.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        indices: Of the operators.
        version: From 1 on.

    Raises:
        EditError: There is no such operator or version, or an operator without a code.
    """
    chosen = selected(model, subgraph_index, indices)
    operators = subgraph_at(model, subgraph_index).operators or []
    by_code: dict[int, list[int]] = {}
    for index in chosen:
        by_code.setdefault(operators[index].opcode_index, []).append(index)
    count = len(model.operator_codes or [])
    for code_index, users in by_code.items():
        if code_index >= count:
            raise EditError(
                f"Operator {users[0]} names operator code {code_index}, and the model has "
                f"{count}: give it a kind first."
            )
    label = f"Version of {name_operators(model, subgraph_index, chosen)} to {version}"
    with Draft(model) as draft:
        for code_index, users in by_code.items():
            _set_version_of(draft, subgraph_index, code_index, users, version)
    return draft.proposal(label)


def _set_version_of(
    draft: Draft, subgraph_index: int, code_index: int, users: list[int], version: int
) -> None:
    model = draft.model
    code = (model.operator_codes or [])[code_index]
    wanted = identity_of(code)._replace(version=version)
    make_code(*wanted)
    if wanted == identity_of(code):
        return
    is_there = any(identity_of(other) == wanted for other in model.operator_codes or [])
    shared = sum(used == code_index for used in codes_in_use(model)) > len(users)
    if not is_there and not shared:
        draft.do(Set(("operator_codes", code_index, "version"), version))
        return
    found = find_or_add(model, *wanted)
    draft.do(found.proposal)
    draft.do(_pointed_at(model, subgraph_index, users, found.index))
    if shared and not is_there:
        draft.note(f"Others keep operator code {code_index}; a new one is added.")
    if not shared:
        draft.note(f"Operator code {code_index} is not in use any more.")
