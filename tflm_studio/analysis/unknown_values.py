# SPDX-License-Identifier: Apache-2.0
"""Values of enumerations that the schema has no name for, such as an element type of later."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import EVERY_TABLE, Model

_INSIDE = (Kind.TABLE, Kind.TABLES, Kind.UNION)


def unknown_values(model: Model) -> tuple[str, ...]:
    """Fields and the values in them that have no name, such as "Tensor.type 99".

    O(operators + tensors), like tables together.
    """
    found: set[tuple[str, str, int]] = set()
    alike: dict[type[Table], list[Any]] = {Model: [model]}
    while alike:
        below: dict[type[Table], list[Any]] = defaultdict(list)
        for table, items in alike.items():
            for row in _TELLING.get(table, ()):
                column = list(map(attrgetter(row.name), items))
                if row.kind in _INSIDE:
                    _sort_out(row, column, below)
                else:
                    found |= {(table.__name__, row.name, v) for v in _nameless(row, column)}
        alike = below
    return tuple(f"{table}.{field} {value}" for table, field, value in sorted(found))


def _telling_fields() -> dict[type[Table], tuple[Field, ...]]:
    """For each class its fields with an enumeration, and those with tables that have some."""
    telling = {
        table for table in EVERY_TABLE.values() if any(row.enum for row in table.FIELDS)
    }
    known = 0
    while known != len(telling):
        known = len(telling)
        telling |= {
            table
            for table in EVERY_TABLE.values()
            if any(telling.intersection(row.members) for row in table.FIELDS)
        }
    return {
        table: tuple(
            row for row in table.FIELDS if row.enum or telling.intersection(row.members)
        )
        for table in telling
    }


_TELLING = _telling_fields()


def _sort_out(row: Field, column: list[Any], below: dict[type[Table], list[Any]]) -> None:
    items = list(filter(None, column))
    if row.kind is Kind.TABLES:
        items = list(chain.from_iterable(items))
    kinds = set(map(type, items))
    for kind in kinds:
        if kind in _TELLING:
            below[kind] += items if len(kinds) == 1 else [i for i in items if type(i) is kind]


def _nameless(row: Field, column: Sequence[Any]) -> Iterable[int]:
    values = chain.from_iterable(filter(None, column)) if row.kind is Kind.SCALARS else column
    assert row.enum is not None
    return set(map(int, values)).difference(row.enum)
