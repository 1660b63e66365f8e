# SPDX-License-Identifier: Apache-2.0
"""Numbers of a schema field as JSON values and back, bit for bit.

Floats have the fewest digits that read back as the same bits. What JSON has no number for is
text: "inf", "-inf", "nan", and "nan:7fc00001" for a NaN of other bits, in hexadecimal; a NaN
is always a quiet one. Enumerations are names, values without a name are numbers.
"""

from __future__ import annotations

import difflib
import math
import re
import struct
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.scalars import DTYPES
from tflm_studio.schema.structure import Field

FLOATS = frozenset(("float", "double"))

_MAX_NAMES = 32  # of an enumeration in a message
_SHOWN_CHARACTERS = 40
_NAN = re.compile(r"nan:([0-9a-f]{8}|[0-9a-f]{16})")
_BITS = {name: (dtype.kind, 8 * dtype.itemsize) for name, dtype in DTYPES.items()}
_RANGES = {
    name: (-(1 << bits - 1), (1 << bits - 1) - 1) if kind == "i" else (0, (1 << bits) - 1)
    for name, (kind, bits) in _BITS.items()
} | {"bool": (0, 1)}


def numbers_to_json(row: Field, values: Any) -> list[Any]:
    """The JSON values of many numbers of a field.

    Raises:
        ValueError: A value does not fit the field; says why.
    """
    if row.scalar in FLOATS:
        return floats_to_json(stored_floats(row, values))
    numbers = [_whole(row, value) for value in values]
    return [_named(row, number) for number in numbers] if row.enum else numbers


def number_to_json(row: Field, value: Any) -> tuple[Any, bool]:
    """The JSON value of one number, and whether it is the default of its field, bit for bit.

    Raises:
        ValueError: The value does not fit the field; says why.
    """
    if row.scalar in FLOATS:
        stored = stored_floats(row, [value])
        default = np.array([row.default], stored.dtype)
        return floats_to_json(stored)[0], stored.tobytes() == default.tobytes()
    number = _whole(row, value)
    return _named(row, number), number == row.default


def numbers_from_json(row: Field, values: list[Any]) -> list[Any] | None:
    """Many numbers of a field at once; None if one of them needs `number_from_json`."""
    kinds = set(map(type, values))
    if row.scalar in FLOATS:
        return _plain_floats(row, values) if kinds <= {int, float} else None
    if not values or row.scalar == "bool" or kinds != {int}:
        return None if values else []
    low, high = _RANGES[row.scalar]
    if min(values) < low or max(values) > high:
        return None
    return [_member(row, value) for value in values] if row.enum else list(values)


def number_from_json(row: Field, value: object) -> Any:
    """The number of a field that a JSON value stands for.

    Raises:
        ValueError: It stands for none; says what can stand there.
    """
    if row.scalar in FLOATS:
        return _float(row, value)
    if row.enum is not None and isinstance(value, str):
        return _by_name(row, value)
    low, high = _RANGES[row.scalar]
    if row.scalar == "bool":
        if type(value) not in (bool, int) or value not in (0, 1):
            raise ValueError(f"here stands true or false, not {shown(value)}.")
        return bool(value)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        name = f"the name of a {row.enum.__name__} or " if row.enum else ""
        raise ValueError(
            f"here stands {name}a whole number from {low} to {high}, not {shown(value)}."
        )
    return _member(row, value)


def shown(value: object) -> str:
    """A JSON value as messages show it: never long, whatever the file holds."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return str(value).lower().replace("none", "null")
    if isinstance(value, str):
        cut = value[:_SHOWN_CHARACTERS]
        return repr(cut) if cut == value else f"{cut!r}..."
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def floats_to_json(bits: NDArray[Any]) -> list[Any]:
    """Floats of either size with the fewest digits that read back as the same bits."""
    exact: list[float] = bits.tolist()
    # The digits of a 32-bit float, as the 64-bit float that prints with just these.
    shortest = exact if bits.dtype.itemsize == 8 else list(map(float, map(str, bits)))
    size = bits.dtype.itemsize
    form = f"<{len(exact)}{'f' if size == 4 else 'd'}"
    again = struct.pack(form, *shortest)
    if again == bits.tobytes() and all(map(math.isfinite, exact)):
        return shortest
    words = _words(np.frombuffer(again, bits.dtype))
    columns = zip(shortest, exact, words, _words(bits), strict=True)
    return [_exactly(short, full, a, b, size) for short, full, a, b in columns]


def stored_floats(row: Field, values: Any) -> NDArray[Any]:
    """Numbers as the file stores them, rounded to the floats of the field.

    Raises:
        ValueError: A value is no number, or too large.
    """
    try:
        with np.errstate(over="raise"):
            return np.array(list(values), DTYPES[row.scalar])
    except (TypeError, OverflowError, FloatingPointError) as error:
        raise ValueError(str(error)) from error


def _exactly(short: float, full: float, word: int, wanted: int, size: int) -> float | str:
    """The short form if it has the wanted bits; the long one, or a name, if it has not."""
    if math.isfinite(full):
        # The shortest digits may lie so near the middle between two floats that the way over
        # 64 bits rounds them to the other one.
        return short if word == wanted else full
    if math.isinf(full):
        return "inf" if full > 0 else "-inf"
    plain = _words(np.array([math.nan], f"<f{size}"))[0]
    return "nan" if wanted == plain else f"nan:{wanted:0{2 * size}x}"


def _words(values: NDArray[Any]) -> list[int]:
    words: list[int] = values.view(f"<u{values.dtype.itemsize}").tolist()
    return words


def _whole(row: Field, value: Any) -> int:
    low, high = _RANGES[row.scalar]
    try:
        number = int(index(value))
    except TypeError as error:
        raise ValueError(f"{value!r} is no whole number") from error
    if not low <= number <= high:
        raise ValueError(f"{number} is not from {low} to {high}")
    return bool(number) if row.scalar == "bool" else number


def _named(row: Field, number: int) -> int | str:
    if row.enum is not None and number in row.enum._value2member_map_:
        return row.enum(number).name
    return number


def _member(row: Field, number: int) -> int:
    if row.enum is not None and number in row.enum._value2member_map_:
        return row.enum(number)
    return number


def _by_name(row: Field, name: str) -> int:
    assert row.enum is not None
    members = row.enum.__members__
    if name in members:
        return row.enum[name]
    names = list(members)
    if len(names) > _MAX_NAMES:
        near = difflib.get_close_matches(name[:_SHOWN_CHARACTERS].upper(), names, 5)
        names = [*near, "..."]
    raise ValueError(
        f"{shown(name)} is not a {row.enum.__name__}; here stands one of {', '.join(names)}, "
        "or a number."
    )


def _plain_floats(row: Field, values: list[Any]) -> list[Any] | None:
    # Faster than numpy for the short lists of most tensors, and refuses what is too large.
    form = f"<{len(values)}{'f' if row.scalar == 'float' else 'd'}"
    try:
        stored = list(struct.unpack(form, struct.pack(form, *values)))
    except (OverflowError, struct.error):
        return None
    return stored if all(map(math.isfinite, stored)) else None


def _float(row: Field, value: object) -> float:
    dtype = DTYPES[row.scalar]
    if isinstance(value, str):
        return _special(value, dtype)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f'here stands a number, "inf", "-inf" or "nan", not {shown(value)}.')
    found = _plain_floats(row, [value])
    if found is None:
        raise ValueError(f"{shown(value)} is too large for a {row.scalar}.")
    number: float = found[0]
    return number


def _special(text: str, dtype: np.dtype[Any]) -> float:
    if text in ("inf", "-inf", "nan"):
        return float(text)
    match = _NAN.fullmatch(text)
    if match is None or len(match[1]) != 2 * dtype.itemsize:
        raise ValueError(f'here stands a number, "inf", "-inf" or "nan", not {shown(text)}.')
    word = np.array([int(match[1], 16)], f"<u{dtype.itemsize}")
    number: float = word.view(dtype).tolist()[0]
    if not math.isnan(number):
        raise ValueError(f"{text!r} are not the bits of a NaN.")
    return number
