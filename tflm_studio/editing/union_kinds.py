# SPDX-License-Identifier: Apache-2.0
"""Changing which kind of table a union field holds."""

from __future__ import annotations

from typing import Any

from tflm_studio.editing.edits import Set
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.address import Address, parent_and_field, resolve
from tflm_studio.model.place_names import name_place
from tflm_studio.schema.structure import Table
from tflm_studio.schema.tables import Model


def carried_over(old: Any, member: type[Table]) -> tuple[Table, list[str]]:
    """A table of another class with the fields both have alike, and those it lost.

    Fields are alike if they agree in name, kind, number type and enumeration.
    """
    new: Table = member()
    lost = []
    known = {row.name: row for row in member.ROWS}
    for row in old.ROWS if isinstance(old, Table) else ():
        twin, value = known.get(row.name), getattr(old, row.name)
        alike = twin is not None and (twin.kind, twin.scalar, twin.enum, twin.members) == (
            row.kind,
            row.scalar,
            row.enum,
            row.members,
        )
        if alike:
            setattr(new, row.name, value)
        elif value != row.default:
            lost.append(row.name)
    return new, lost


def change_union(model: Model, place: Address, member: type[Table] | None) -> Proposal:
    """Gives a union field another kind of table; fields both kinds have keep their values.

    Args:
        model: The model.
        place: The field.
        member: Class of the new kind; None makes the field absent.

    Raises:
        EditError: The place is no union, or has no such kind.
    """
    parent_and_field(model, place)
    if member is None:
        label = f"{name_place(model, place)}: absent"
        return Proposal((Set(place, None),), (), label)
    new, lost = carried_over(resolve(model, place), member)
    notes = (f"{member.__name__} has no {', '.join(lost)}.",) if lost else ()
    edit = Set(place, new)
    edit.check(model)
    label = f"{name_place(model, place)}: change to {member.__name__}"
    return Proposal((edit,), notes, label)
