# SPDX-License-Identifier: Apache-2.0
"""Values checked against their schema row, and brought to the form the model keeps them in."""

from __future__ import annotations

import math
import mmap
from functools import lru_cache
from typing import Any, cast

import numpy as np

from tflm_studio.formats.scalars import DTYPES
from tflm_studio.formats.snapshot import PrivatePages
from tflm_studio.model.errors import EditError
from tflm_studio.schema.structure import Field, Kind, OpaqueMember, Table

_FLOATS = frozenset(("float", "double"))
_PLAIN = frozenset((int,))


def checked(row: Field, value: Any) -> Any:
    """A value as a field keeps it: floats rounded to what the file holds, tables copied.

    Args:
        row: The field's schema row.
        value: Numbers, names of enumeration values, text, bytes, lists or tables.

    Raises:
        EditError: The field cannot hold the value; says what it can hold.
    """
    if row.kind is Kind.SCALAR:
        return _scalar(row, value)
    if value is None:
        return None
    return _CHECKS[row.kind](row, value)


def checked_item(row: Field, value: Any) -> Any:
    """The same for one item of a vector."""
    if row.kind is Kind.TABLES:
        return _table(row, value)
    if row.kind is Kind.SCALARS:
        return _scalar(row, value)
    raise EditError("this is not a list.")


def scalar_range(row: Field) -> tuple[int, int] | None:
    """Smallest and largest integer of a number field, None for floats and bools."""
    return _range_of(row.scalar)


@lru_cache
def _range_of(scalar: str) -> tuple[int, int] | None:
    if scalar in _FLOATS or scalar == "bool":
        return None
    dtype = DTYPES[scalar]
    bits = dtype.itemsize * 8
    return (
        (-(1 << bits - 1), (1 << bits - 1) - 1) if dtype.kind == "i" else (0, (1 << bits) - 1)
    )


def _scalar(row: Field, value: Any) -> Any:
    if row.scalar == "bool":
        if value not in (0, 1):
            raise EditError(f"this is either true or false, not {value!r}.")
        return bool(value)
    if row.scalar in _FLOATS:
        return _float(row, value)
    return _integer(row, value)


def _float(row: Field, value: Any) -> float:
    try:
        exact = float(value)
    except (TypeError, ValueError, OverflowError):
        raise EditError(f"this takes a number, not {value!r}.") from None
    with np.errstate(over="ignore"):
        stored = float(np.array(exact, DTYPES[row.scalar]))
    if math.isfinite(exact) and not math.isfinite(stored):
        raise EditError(f"{value!r} is too large for a {row.scalar}.")
    return stored


def _integer(row: Field, value: Any) -> int:
    if row.enum is not None and isinstance(value, str):
        if value not in row.enum.__members__:
            raise EditError(f"'{value}' is not one of {', '.join(row.enum.__members__)}.")
        return row.enum[value]
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise EditError(f"this takes a whole number, not {value!r}.")
    low, high = scalar_range(row) or (0, 0)
    if not low <= value <= high:
        raise EditError(f"{value} does not fit; the field holds {low} to {high}.")
    number = int(value)
    known = row.enum is not None and number in row.enum._value2member_map_
    return row.enum(number) if known and row.enum is not None else number


def _string(row: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise EditError(f"this takes text, not {value!r}.")
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise EditError(f"character {error.start + 1} of the text cannot be stored.") from None
    return value


def _bytes(row: Field, value: Any) -> Any:
    try:
        view = memoryview(value)
    except TypeError:
        raise EditError(f"this takes bytes, not {type(value).__name__}.") from None
    if not view.c_contiguous:
        raise EditError("this takes bytes in one piece; this array is strided.")
    return view.cast("B") if _is_fixed(view) else bytes(view)


def _scalars(row: Field, value: Any) -> list[Any]:
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
        raise EditError(f"this takes a list of numbers, not {value!r}.")
    ends = scalar_range(row)
    # Renumbering sets tens of thousands of lists at once.
    if (
        ends is not None
        and row.enum is None
        and _are_plain(value)
        and (not value or (ends[0] <= min(value) and max(value) <= ends[1]))
    ):
        return list(value)
    return [_scalar(row, item) for item in value]


def _are_plain(value: Any) -> bool:
    """Whether a value is a list of nothing but int; a bool or an enum member is another."""
    return type(value) is list and set(map(type, value)) <= _PLAIN


def _table(row: Field, value: Any) -> Table:
    if type(value) not in row.members:
        wanted = " or ".join(member.__name__ for member in row.members[:4])
        raise EditError(f"this takes a {wanted}, not {type(value).__name__}.")
    table: Table = copied(value)
    return table


def _tables(row: Field, value: Any) -> list[Table]:
    if not isinstance(value, (list, tuple)):
        raise EditError(f"this takes a list of tables, not {value!r}.")
    return [_table(row, item) for item in value]


def _union(row: Field, value: Any) -> Table | OpaqueMember:
    # A member that nobody can read is kept as it is: undo puts it back.
    return value if isinstance(value, OpaqueMember) else _table(row, value)


def copied(table: Table) -> Any:
    """A table with everything in it, checked; bytes are shared unless they can change.

    Raises:
        EditError: A field holds what it cannot hold.
    """
    fields = {row.name: checked(row, getattr(table, row.name)) for row in table.ROWS}
    make: Any = type(table)
    return make(**fields, extra=table.extra)


def frozen(value: Any) -> Any:
    """A value as an edit keeps it for good: what the caller may change later is copied."""
    if isinstance(value, Table):
        return copied(value)
    if _are_plain(value):
        return value.copy()
    if isinstance(value, (list, tuple)):
        return [frozen(item) for item in value]
    if isinstance(value, (bytearray, np.ndarray, memoryview)):
        view = memoryview(cast(Any, value))
        return view if _is_fixed(view) else bytes(view)
    return value


def _is_fixed(view: memoryview) -> bool:
    """Whether nobody can write to the bytes: those of a file stay views, others are copied."""
    is_of_file = isinstance(view.obj, mmap.mmap) and not isinstance(view.obj, PrivatePages)
    return view.readonly and (isinstance(view.obj, bytes) or is_of_file)


def cost_bytes(value: Any) -> int:
    """About how much memory a value in the history takes."""
    if isinstance(value, Table):
        return 64 + sum(cost_bytes(getattr(value, row.name)) for row in value.ROWS)
    if isinstance(value, list):
        return 56 + (64 * len(value) if _are_plain(value) else sum(map(cost_bytes, value)))
    if isinstance(value, (bytes, bytearray, memoryview)):
        # A read-only view is a piece of the file, which is in memory anyway.
        return 64 if isinstance(value, memoryview) and value.readonly else len(value)
    return 64


_CHECKS = {
    Kind.STRING: _string,
    Kind.BYTES: _bytes,
    Kind.SCALARS: _scalars,
    Kind.TABLE: _table,
    Kind.TABLES: _tables,
    Kind.UNION: _union,
}
