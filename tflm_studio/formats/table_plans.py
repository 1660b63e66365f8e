# SPDX-License-Identifier: Apache-2.0
"""How tables are laid out: one plan for all that store the same slots."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import Positions
from tflm_studio.formats.table_types import SLOTS
from tflm_studio.formats.unknown_content import WIDEST
from tflm_studio.schema.structure import Table


@dataclass(frozen=True, slots=True)
class Plan:
    """How tables that store the same slots are laid out.

    Attributes:
        offsets: Of every slot from the start of the table, 0 if absent.
        size: Bytes of a table.
        unit: What the place behind the first 4 bytes must be a multiple of.
        vtable: The bytes of their vtable.
    """

    offsets: tuple[int, ...]
    size: int
    unit: int
    vtable: bytes


def patterns_of(present: NDArray[np.bool_]) -> tuple[list[bytes], Positions | None]:
    """The different sets of slots that rows store, and which of them each row has.

    None in place of the latter if all rows have the first.
    """
    width = present.shape[1]
    raw = present.tobytes()
    if raw == raw[:width] * len(present):
        return [raw[:width]], None
    rows = present.view(f"V{width}").reshape(-1).tolist()
    patterns = sorted(set(rows))
    number_of = {pattern: k for k, pattern in enumerate(patterns)}
    return patterns, np.fromiter(map(number_of.__getitem__, rows), np.int64, len(rows))


@lru_cache(4096)
def plan_of(table: type[Table], pattern: bytes) -> Plan:
    """The layout of a table that stores the slots where the pattern is not 0."""
    known = SLOTS[table]
    # What the schema does not know is wider than what it refers to with offsets.
    sizes = [known[slot][1] if slot in known else WIDEST for slot in range(len(pattern))]
    offsets = [0] * len(pattern)
    stored = [slot for slot, is_stored in enumerate(pattern) if is_stored]
    end = 4
    for slot in sorted(stored, key=lambda k: (-sizes[k], k)):
        offsets[slot] = end
        end += sizes[slot]
    used = max(stored, default=-1) + 1
    vtable = struct.pack(f"<{used + 2}H", 4 + 2 * used, end, *offsets[:used])
    # 8-byte fields come right behind the 4 bytes of the vtable offset.
    unit = 8 if any(sizes[slot] == 8 for slot in stored) else 4
    return Plan(tuple(offsets), end, unit, vtable)
