# SPDX-License-Identifier: Apache-2.0
"""Fields of a newer schema: those in use in a table that this schema does not know."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import Positions
from tflm_studio.formats.scan_limits import Allowance
from tflm_studio.schema.structure import UnknownField

WIDEST_UNKNOWN = 16  # bytes of an unknown field and the padding behind it
Span = tuple[int, int, int]


def newer_fields(
    view: memoryview,
    u2: NDArray[Any],
    at: Positions,
    vtable: Positions,
    size: Positions,
    known: int,
    allowance: Allowance,
) -> dict[int, dict[int, UnknownField]]:
    """Fields in use that the schema does not know, by row and slot.

    Args:
        view: The file.
        u2: The file as 2-byte numbers.
        at: Where the tables of one type stand.
        vtable: Where the vtable of each stands.
        size: The size of each vtable in bytes.
        known: How many slots the schema knows.
        allowance: Counts them.

    Raises:
        ReadError: There are too many.
    """
    wide = np.flatnonzero(size > 4 + 2 * known)
    places, chosen, owner = np.unique(vtable[wide], return_index=True, return_inverse=True)
    ends = places + size[wide[chosen]]
    starts = places + 4 + 2 * known
    allowance.take_unknown_fields(int((ends - starts).sum()) // 2)
    spans = zip((starts >> 1).tolist(), (ends >> 1).tolist(), strict=True)
    slots = [frozenset((np.flatnonzero(u2[a:b]) + known).tolist()) for a, b in spans]
    allowance.take_unknown_fields(sum(len(slots[k]) for k in owner.tolist()))
    chosen_spans = [
        _spans(u2, place, fields) for place, fields in zip(places.tolist(), slots, strict=True)
    ]
    rows = zip(wide.tolist(), at[wide].tolist(), owner.tolist(), strict=True)
    return {
        row: _fields(view, start, chosen_spans[k]) for row, start, k in rows if chosen_spans[k]
    }


def _spans(u2: NDArray[Any], vtable: int, slots: frozenset[int]) -> list[Span]:
    """Slot, start and end in the table of some fields of the vtable at a byte."""
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


def _fields(view: memoryview, at: int, spans: list[Span]) -> dict[int, UnknownField]:
    return {
        slot: UnknownField(at + begin, bytes(view[at + begin : at + end]))
        for slot, begin, end in spans
    }
