# SPDX-License-Identifier: Apache-2.0
"""What a scan knows of one table type, and the small steps from bytes to columns."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import Positions
from tflm_studio.schema.structure import Extra, Field, Kind, Table, UnknownField

WIDEST_UNKNOWN = 16  # bytes of an unknown field and the padding behind it
Span = tuple[int, int, int]


@dataclass(slots=True)
class Contribution:
    """Tables that one field of one parent type refers to, in the order of its rows.

    `rows[k]` is the parent's row and `items[k]` the place in its vector of the table at
    `start + k` of the child's column.
    """

    parent: type[Table]
    field: Field
    start: int
    rows: Positions
    items: Positions | None


@dataclass(slots=True)
class TypeScan:
    """Everything read of one table type; column values wait for `objects` of the children."""

    positions: list[Positions] = field(default_factory=list)
    contributions: list[Contribution] = field(default_factory=list)
    count: int = 0
    columns: dict[str, list[Any]] = field(default_factory=dict)
    links: dict[str, list[tuple[type[Table], Contribution]]] = field(default_factory=dict)
    lengths: dict[str, tuple[Positions, Positions]] = field(default_factory=dict)
    extras: list[Extra | None] = field(default_factory=list)


def unknown_spans(u2: NDArray[Any], vtable: int, slots: frozenset[int]) -> list[Span]:
    """Slot, start and end in the table of the fields of a vtable that the schema lacks.

    Args:
        u2: The file as 2-byte numbers.
        vtable: Byte of the vtable.
        slots: Which of its slots are unknown and in use.
    """
    size, inline = u2[vtable >> 1 : (vtable >> 1) + 2].tolist()
    stated = u2[(vtable >> 1) + 2 : (vtable + size) >> 1].tolist()
    ends = sorted({*stated, inline})
    spans = []
    for slot in sorted(slots):
        begin = stated[slot]
        later = bisect_right(ends, begin)
        end = ends[later] if later < len(ends) else begin
        spans.append((slot, begin, min(end, begin + WIDEST_UNKNOWN)))
    return spans


def unknown_fields(view: memoryview, at: int, spans: list[Span]) -> dict[int, UnknownField]:
    """The unknown fields of the table at a byte, by slot."""
    return {
        slot: UnknownField(at + begin, bytes(view[at + begin : at + end]))
        for slot, begin, end in spans
    }


def is_stated(stated: list[int], row: Field) -> bool:
    """Whether any row has the field; for a union, its type or its value."""
    first = row.slot - 1 if row.kind is Kind.UNION else row.slot
    return any(stated[first : row.slot + 1])


def stated_offsets(offsets: NDArray[np.uint16], slot: int) -> Positions:
    """The offsets of one field, 0 where it is absent."""
    if slot < offsets.shape[1]:
        return offsets[:, slot].astype(np.int64)
    return np.zeros(len(offsets), np.int64)


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
    first = start - size * (np.cumsum(count) - count)
    places: Positions = np.repeat(first, count)
    places += size * np.arange(len(places))
    return places


def typed(values: NDArray[Any], row: Field) -> list[Any]:
    """Python values of a column: bool, enumeration members where known, else numbers."""
    if row.scalar == "bool":
        values = values != 0
    plain: list[Any] = values.tolist()
    if row.enum is not None:
        members = {int(member): member for member in row.enum}
        return [members.get(value, value) for value in plain]
    return plain
