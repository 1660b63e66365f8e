# SPDX-License-Identifier: Apache-2.0
"""The list of operator codes: finding or adding one, and putting the list in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from tflm_studio.editing.bound_metadata import listed
from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.renumbering import insert_items, remove_items
from tflm_studio.editing.set_each import SetEach
from tflm_studio.model.errors import EditError
from tflm_studio.model.operator_kinds import PLACEHOLDER
from tflm_studio.model.operators import CUSTOM, builtin_code
from tflm_studio.model.place_names import at_start
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model, OperatorCode

CODES = "operator_codes"
LARGEST = 2**31 - 1


class Identity(NamedTuple):
    """What makes two operator codes the same."""

    builtin_code: int
    custom_code: str
    version: int


@dataclass(frozen=True, slots=True)
class FoundCode:
    """An operator code, and what has to be done before it is there.

    Attributes:
        index: Its index then.
        proposal: Without edits if it is there already.
    """

    index: int
    proposal: Proposal


def identity_of(code: OperatorCode) -> Identity:
    """What an operator code means, however it is written."""
    return Identity(builtin_code(code), code.custom_code or "", code.version)


def make_code(builtin: int, custom_code: str | None = None, version: int = 1) -> OperatorCode:
    """An operator code that old and new readers take for the same.

    Args:
        builtin: BuiltinOperator value.
        custom_code: Name of a custom operator.
        version: From 1 on.

    Raises:
        EditError: There can be no such operator code.
    """
    if not 0 <= builtin <= LARGEST or builtin == PLACEHOLDER:
        raise EditError(f"{builtin} is not the code of an operator.")
    if builtin == CUSTOM and not custom_code:
        raise EditError("A custom operator needs a custom code, the name it is registered by.")
    if not 1 <= version <= LARGEST:
        raise EditError(f"Version {version} of an operator: versions count from 1.")
    known = BuiltinOperator(builtin) if builtin in _KNOWN else builtin
    return OperatorCode(min(builtin, PLACEHOLDER), custom_code or None, version, known)


_KNOWN = frozenset(map(int, BuiltinOperator))


def find_or_add(
    model: Model, builtin: int, custom_code: str | None = None, version: int | None = 1
) -> FoundCode:
    """The operator code of a kind of operator; at the end of the list if it has to be added.

    Args:
        model: The model.
        builtin: BuiltinOperator value.
        custom_code: Name of a custom operator.
        version: Which one; None takes the first version that the model has, or else 1.

    Raises:
        EditError: There can be no such operator code.
    """
    wanted = identity_of(make_code(builtin, custom_code, 1 if version is None else version))
    codes = model.operator_codes or []
    for index, code in enumerate(codes):
        found = identity_of(code)
        if found == wanted or (version is None and found[:2] == wanted[:2]):
            return FoundCode(index, Proposal())
    made = make_code(*wanted)
    return FoundCode(len(codes), insert_items(model, CODES, len(codes), [made]))


def merge_duplicates(model: Model) -> Proposal:
    """Leaves one of each operator code; operators use the first of those that are the same.

    The same are those with one effective code, one custom code and one version. A code with
    fields that the schema does not know is like no other. O(operators).
    """
    codes = model.operator_codes or []
    first: dict[Identity, int] = {}
    stand_ins = {}
    for index, code in enumerate(codes):
        if not (code.extra and code.extra.unknown):
            kept = first.setdefault(identity_of(code), index)
            if kept != index:
                stand_ins[index] = kept
    label = "Merge operator codes"
    if not stand_ins:
        return Proposal(notes=("No two operator codes are the same.",), label=label)
    with Draft(model) as draft:
        draft.do(_redirected(model, stand_ins))
        draft.do(remove_items(model, CODES, stand_ins))
    said = f"{at_start(listed('operator code', stand_ins))} merged into others like them."
    draft.note(said)
    return draft.proposal(label)


def _redirected(model: Model, stand_ins: dict[int, int]) -> Iterator[Edit]:
    """The operators of some codes get others."""
    for s, subgraph in enumerate(model.subgraphs or []):
        found = {
            index: stand_ins[operator.opcode_index]
            for index, operator in enumerate(subgraph.operators or [])
            if operator.opcode_index in stand_ins
        }
        if found:
            place = ("subgraphs", s, "operators")
            yield SetEach(place, "opcode_index", [*found], [*found.values()])


def remove_unused(model: Model) -> Proposal:
    """Removes the operator codes that no operator has. O(operators)."""
    used = set(codes_in_use(model))
    unused = [k for k in range(len(model.operator_codes or [])) if k not in used]
    label = "Remove unused operator codes"
    if not unused:
        return Proposal(notes=("Every operator code is in use.",), label=label)
    removed = remove_items(model, CODES, unused)
    said = f"{at_start(listed('operator code', unused))} removed."
    return Proposal(removed.edits, (*removed.notes, said), label)


def codes_in_use(model: Model) -> Iterable[int]:
    """The index that each operator of the model has."""
    for subgraph in model.subgraphs or []:
        for operator in subgraph.operators or []:
            yield operator.opcode_index


def upgrade_legacy(model: Model) -> Proposal:
    """Writes the codes of old files, which have only the deprecated field, to both fields.

    The effective codes stay. TFLM plans the subgraphs of IF, WHILE and CALL_ONCE only if the
    new field says so.
    """
    edits, notes = [], []
    for index, code in enumerate(model.operator_codes or []):
        old = code.deprecated_builtin_code
        if int(code.builtin_code) != 0 or old <= 0:
            continue
        if old == PLACEHOLDER:
            notes.append(f"Operator code {index} does not say which operator it means.")
        else:
            edits.append(Set((CODES, index, "builtin_code"), old))
    if not edits:
        notes.append("No operator code has to be brought up to date.")
    return Proposal(tuple(edits), tuple(notes), "Bring operator codes up to date")
