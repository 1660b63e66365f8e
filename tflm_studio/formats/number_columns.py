# SPDX-License-Identifier: Apache-2.0
"""Numbers of a model as arrays of the type that their field stores."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import compress
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import Positions
from tflm_studio.formats.scalars import DTYPES
from tflm_studio.model.errors import WriteError
from tflm_studio.schema.structure import Field, Table

# How `struct` calls the types: with it, conversion is twice as fast as with numpy or `array`.
_CODES = dict(zip(DTYPES, "BBbBhHiIqQfd", strict=True))
_FLOATS = frozenset(("float", "double"))
MANY_EACH = 16  # items in a vector from which on it pays to look at each vector by itself


def numbers(table: type[Table], row: Field, values: Sequence[Any]) -> NDArray[Any]:
    """Values of a field as an array of its type.

    Raises:
        WriteError: A value is no number or out of the field's range.
    """
    dtype = DTYPES[row.scalar]
    try:
        raw = struct.pack(f"<{len(values)}{_CODES[row.scalar]}", *values)
        return np.frombuffer(raw, dtype)
    except OverflowError as error:
        raise _misfit(table, row, error) from error
    except struct.error:
        return _numbers_one_by_one(table, row, values)


def _numbers_one_by_one(table: type[Table], row: Field, values: Sequence[Any]) -> NDArray[Any]:
    """The same for what only numpy takes for a number, such as its own bools."""
    dtype = DTYPES[row.scalar]
    try:
        if dtype.kind == "f":
            with np.errstate(over="raise"):
                return np.array(values, dtype)
        return np.array([_whole(value) for value in values], dtype)
    except _FractionError as error:
        raise WriteError(
            f"{table.__name__}.{row.name}: a value is no whole number, as {row.scalar} needs."
        ) from error
    except (OverflowError, FloatingPointError, TypeError, ValueError) as error:
        raise _misfit(table, row, error) from error


class _FractionError(Exception):
    """A float where whole numbers stand: cutting it off would change it without a word."""


def _whole(value: Any) -> int:
    if isinstance(value, (float, np.floating)):
        raise _FractionError
    return int(value) if isinstance(value, np.bool_) else index(value)


def _misfit(table: type[Table], row: Field, error: Exception) -> WriteError:
    return WriteError(
        f"{table.__name__}.{row.name}: a value does not fit the type {row.scalar}: {error}"
    )


def flat_numbers(
    table: type[Table], row: Field, values: list[list[Any]]
) -> tuple[NDArray[Any], Positions]:
    """The items of many vectors one behind the other, and how many each has.

    Raises:
        WriteError: A value is no number or out of the field's range.
    """
    lengths, flat = lengths_of(values), _flat(values)
    is_short = len(flat) < MANY_EACH * len(values)
    if is_short or row.scalar in _FLOATS or set(map(type, values)) != {list}:
        return numbers(table, row, flat), lengths
    # Zero points per channel are nearly always zero, and counting is faster than converting.
    # A sum is whole only if all that is added is: 0.0 counts as 0, but is refused.
    is_stored = [
        list.count(vector, 0) != len(vector) or type(sum(vector)) is not int
        for vector in values
    ]
    items = np.zeros(len(flat), DTYPES[row.scalar])
    stored = numbers(table, row, _flat(compress(values, is_stored)))
    items[np.repeat(is_stored, lengths)] = stored
    return items, lengths


def _flat(vectors: Iterable[Iterable[Any]]) -> list[Any]:
    flat: list[Any] = []
    extend = flat.extend  # `+=` would have an array added to each item
    for vector in vectors:
        extend(vector)
    return flat


def lengths_of(vectors: Sequence[Sequence[Any]]) -> Positions:
    """How many items each of many vectors has."""
    return np.fromiter(map(len, vectors), np.int64, len(vectors))
