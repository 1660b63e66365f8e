# SPDX-License-Identifier: Apache-2.0
"""What a scan knows of one table type, and the small steps from bytes to columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import Positions
from tflm_studio.formats.scalars import DTYPES
from tflm_studio.schema.structure import NO_SLOT, Extra, Field, Kind, Table, UnknownField

# Stands for the tables themselves where a field is named.
WHOLE = Field(name="", slot=NO_SLOT, kind=Kind.TABLE)


@dataclass(slots=True)
class Part:
    """The rows of a table type that state one field, and what they say.

    Attributes:
        table: The type.
        row: The field, or `WHOLE`.
        rows: Which rows state it.
        places: Where it stands in the file.
        width: How many bytes it takes there.
        stored: The numbers there.
        targets: Where they lead if they are offsets.
        counts: How many items a vector has there.
    """

    table: type[Table]
    row: Field
    rows: Positions
    places: Positions
    width: int = 4
    stored: NDArray[Any] = field(init=False)
    targets: Positions = field(init=False)
    counts: Positions = field(init=False)

    @property
    def leads(self) -> bool:
        """Whether offsets are stored, rather than numbers or the type of a union."""
        return self.row.kind is not Kind.SCALAR and self.width == 4


def joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Arrays of one type, of which there is at least one, one behind the other."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def share(
    parts: Sequence[Part], name: Literal["stored", "targets", "counts"], found: NDArray[Any]
) -> None:
    """Gives each part its own of what was found for all of them."""
    begin = 0
    for part in parts:
        end = begin + len(part.rows)
        setattr(part, name, found[begin:end])
        begin = end


@dataclass(slots=True)
class Contribution:
    """Tables that one field of one parent type refers to, in the order of its rows.

    `rows[k]` is the parent's row of the table at `start + k` of the child's column. Of vectors
    of tables, `ends[k]` says how many tables the first `k + 1` hold.
    """

    parent: type[Table]
    field: Field
    start: int
    rows: Positions
    ends: Positions | None = None

    def parent_of(self, k: int) -> tuple[int, str]:
        """The parent's row of the table at `start + k`, and the step from there."""
        if self.ends is None:
            return int(self.rows[k]), self.field.name
        vector = int(self.ends.searchsorted(k, "right"))
        item = k - int(self.ends[vector - 1]) if vector else k
        return int(self.rows[vector]), f"{self.field.name}[{item}]"


@dataclass(slots=True)
class TypeScan:
    """Everything read of one table type; column values wait for `objects` of the children."""

    positions: list[Positions] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)
    count: int = 0
    columns: dict[str, list[Any]] = field(default_factory=dict)
    links: dict[str, list[tuple[type[Table], Contribution]]] = field(default_factory=dict)
    extras: list[Extra | None] = field(default_factory=list)


def note_extras(
    scan: TypeScan,
    explicit: dict[int, list[int]],
    unknown: dict[int, dict[int, UnknownField]],
) -> None:
    """Notes what tables say beyond their values, one object for all that say the same."""
    nothing: frozenset[int] = frozenset()
    same: dict[tuple[int, ...], frozenset[int]] = {}
    for k, present in explicit.items():
        slots = tuple(present)
        scan.extras[k] = Extra(same.setdefault(slots, frozenset(slots)))
    for k, strange in unknown.items():
        known = scan.extras[k]
        scan.extras[k] = Extra(known.explicit if known else nothing, strange)


def item_places(start: Positions, count: Positions, size: int) -> Positions:
    """Byte place of every item of many vectors, one vector behind the other."""
    if len(start) == 1:
        begin = int(start[0])
        return np.arange(begin, begin + size * int(count[0]), size)
    first = start - size * (count.cumsum() - count)
    places: Positions = first.repeat(count)
    places += np.arange(0, size * len(places), size)
    return places


def item_size(row: Field) -> int:
    """How many bytes an item takes in a vector of a field."""
    if row.kind is Kind.SCALARS:
        return DTYPES[row.scalar].itemsize
    return 4 if row.kind is Kind.TABLES else 1


def spread(rows: Positions, values: list[Any], height: int) -> list[Any]:
    """A column of `height` rows that has values in some."""
    column: list[Any] = [None] * height
    for k, value in zip(rows.tolist(), values, strict=True):
        column[k] = value
    return column


def scalars(part: Part, height: int, explicit: dict[int, list[int]]) -> list[Any]:
    """The column of a field of numbers; notes who states the default, and where."""
    row, dtype = part.row, DTYPES[part.row.scalar]
    stored = part.stored.view(dtype)
    for k in part.rows[stored == (row.default or 0)].tolist():
        explicit.setdefault(k, []).append(row.slot)
    if len(stored) == height:
        return typed(stored, row)
    values = np.full(height, row.default, dtype)
    values[part.rows] = stored
    return typed(values, row)


def typed(values: NDArray[Any], row: Field) -> list[Any]:
    """Python values of a column: bool, enumeration members where known, else numbers."""
    if row.scalar == "bool":
        values = values != 0
    plain: list[Any] = values.tolist()
    if row.enum is not None:
        members = _members(row.enum)
        return [members.get(value, value) for value in plain]
    return plain


@cache
def _members(enum: type[IntEnum]) -> dict[int, IntEnum]:
    return {int(member): member for member in enum}
