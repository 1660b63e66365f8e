# SPDX-License-Identifier: Apache-2.0
"""The table types of the schema as reader and writer go through them."""

from __future__ import annotations

from collections.abc import Mapping

from tflm_studio.formats.scalars import DTYPES
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import TABLES

# Tables refer only to those before them in TABLES, so parents come first in this order.
PARENTS_FIRST = tuple(reversed(TABLES.values()))


def _by_depth() -> tuple[tuple[type[Table], ...], ...]:
    depth = dict.fromkeys(PARENTS_FIRST, 0)
    for table in PARENTS_FIRST:
        for row in table.FIELDS:
            for member in row.members:
                depth[member] = max(depth[member], depth[table] + 1)
    deepest = max(depth.values())
    return tuple(
        tuple(table for table in PARENTS_FIRST if depth[table] == level)
        for level in range(deepest + 1)
    )


def _slots(table: type[Table]) -> Mapping[int, tuple[Field, int]]:
    slots = {}
    for row in table.FIELDS:
        is_inline = row.kind is Kind.SCALAR
        slots[row.slot] = row, DTYPES[row.scalar].itemsize if is_inline else 4
        if row.kind is Kind.UNION:
            slots[row.slot - 1] = row, 1
    return slots


# The types in steps: all that refer to a type stand in earlier steps.
BY_DEPTH = _by_depth()
# The field of every slot, and how many bytes the slot takes in a table; a union has two.
SLOTS = {table: _slots(table) for table in PARENTS_FIRST}
# How many slots of each table the schema knows; it leaves none out.
KNOWN_SLOTS = {table: len(slots) for table, slots in SLOTS.items()}
