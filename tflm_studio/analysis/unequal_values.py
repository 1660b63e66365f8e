# SPDX-License-Identifier: Apache-2.0
"""Which values of two columns differ: first whether any does, then which."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from tflm_studio.model.comparison import same_bytes, same_value
from tflm_studio.model.field_text import FLOATS
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.outside import OUTSIDE, lasting_values
from tflm_studio.schema.structure import Field, Kind, Table

SMALL_BYTES = 2**12  # that are compared faster as a whole


def unequal(row: Field, first: list[Any], second: list[Any]) -> Iterator[int]:
    """The numbers of the values of a field without tables that differ, ascending.

    Args:
        row: The field.
        first: Its values in some tables.
        second: Its values in as many others.
    """
    pairs = enumerate(zip(first, second, strict=True))
    if row.kind is Kind.BYTES:
        return (k for k, (a, b) in pairs if a is not b and not _same_bytes(a, b))
    is_float = row.scalar in FLOATS
    if first == second and not (is_float and not _same_floats(row, first, second)):
        return iter(())
    return (
        k
        for k, (a, b) in pairs
        if a is not b and (is_float or a != b) and not same_value(row, a, b)
    )


def lasting_column(tables: Sequence[Table], row: Field, values: list[Any]) -> list[Any]:
    """What a field says whatever file it is in; the size of bytes shows in the bytes."""
    fields = OUTSIDE[type(tables[0])]
    if row.name not in (fields.offset.name, fields.size.name):
        return values
    lasting = [lasting_values(table).get(row.name) for table in tables]
    is_size = row.name == fields.size.name
    pairs = zip(lasting, values, strict=True)
    return [value if last is None else -1 if is_size else last for last, value in pairs]


def _same_bytes(a: Any, b: Any) -> bool:
    if a is None or b is None or data_bytes(a) != data_bytes(b):
        return False
    if data_bytes(a) <= SMALL_BYTES:
        return bytes(a) == bytes(b)
    return same_bytes(a, b)


def _same_floats(row: Field, first: list[Any], second: list[Any]) -> bool:
    """Whether equal columns are also the same bit by bit: -0.0 is equal to 0.0."""
    if row.kind is Kind.SCALARS:
        first, second = (list(chain.from_iterable(filter(None, v))) for v in (first, second))
    return array("d", first).tobytes() == array("d", second).tobytes()
