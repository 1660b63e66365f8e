# SPDX-License-Identifier: Apache-2.0
"""A few bytes as numbers of every kind, numbers as bytes, and bytes found in many."""

from __future__ import annotations

import re
from typing import NamedTuple

from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.tensor_types import (
    ELEMENT_TYPES,
    ElementType,
    decode,
    encode,
    format_value,
    parse_value,
)
from tflm_studio.schema.enums import TensorType

SEARCHED_PIECE = 1 << 24  # bytes
LONGEST_QUOTE = 40
BINARY = "binary"


class Reading(NamedTuple):
    """One way to read bytes.

    Attributes:
        name: What people call it.
        kind: The type of the number.
    """

    name: str
    kind: ElementType


READINGS = tuple(
    Reading(name, ELEMENT_TYPES[code])
    for name, code in (
        ("i8", TensorType.INT8),
        ("u8", TensorType.UINT8),
        ("i16", TensorType.INT16),
        ("u16", TensorType.UINT16),
        ("i32", TensorType.INT32),
        ("u32", TensorType.UINT32),
        ("i64", TensorType.INT64),
        ("u64", TensorType.UINT64),
        ("f16", TensorType.FLOAT16),
        ("bf16", TensorType.BFLOAT16),
        ("f32", TensorType.FLOAT32),
        ("f64", TensorType.FLOAT64),
        (BINARY, TensorType.UINT8),
    )
)


def read_number(
    data: memoryview, offset: int, reading: Reading, *, is_big_endian: bool = False
) -> str:
    """The number at an offset as text; empty if there are too few bytes."""
    size = reading.kind.bits // 8
    raw = bytes(data[offset : offset + size])
    if len(raw) < size:
        return ""
    if reading.name == BINARY:
        return f"{raw[0]:08b}"
    return format_value(
        decode(raw[::-1] if is_big_endian else raw, reading.kind)[0], reading.kind
    )


def number_bytes(text: str, reading: Reading, *, is_big_endian: bool = False) -> bytes:
    """The bytes of a number that a person typed.

    Raises:
        EditError: The text is no number of this kind.
    """
    if reading.name == BINARY:
        bare = text.replace(" ", "").removeprefix("0b")
        if not re.fullmatch("[01]{1,8}", bare):
            raise EditError(f"'{excerpt(text, LONGEST_QUOTE)}' is not eight binary digits.")
        return bytes([int(bare, 2)])
    raw = encode([parse_value(text, reading.kind)], reading.kind)
    return raw[::-1] if is_big_endian else raw


def parse_hex(text: str) -> bytes:
    """Bytes that a person wrote: `de ad be ef`, `deadbeef` or `0xde, 0xad`.

    Raises:
        EditError: The text is something else.
    """
    bare = re.sub(r"0[xX]|[\s,;:{}\[\]]", "", text)
    if not bare or len(bare) % 2 or not re.fullmatch("[0-9a-fA-F]*", bare):
        raise EditError(
            f"'{excerpt(text.strip(), LONGEST_QUOTE)}' is not bytes in hex; write de ad be ef."
        )
    return bytes.fromhex(bare)


def wanted_bytes(text: str) -> bytes:
    """What a person looks for: bytes in hex, or else a text; quotes always mean a text."""
    quoted = re.fullmatch(r"(['\"])(.+)\1", text.strip())
    if quoted:
        return quoted[2].encode()
    try:
        return parse_hex(text)
    except EditError:
        return text.encode()


def find_bytes(data: memoryview, wanted: bytes, start: int) -> int | None:
    """Offset of the next place with these bytes, from `start` on and then from the beginning.

    O(bytes), without a copy of them all.
    """
    found = _find(data, wanted, start, len(data))
    if found is None:
        found = _find(data, wanted, 0, min(start + len(wanted), len(data)))
    return found


def _find(data: memoryview, wanted: bytes, start: int, stop: int) -> int | None:
    for first in range(start, stop, SEARCHED_PIECE):
        last = min(first + SEARCHED_PIECE + len(wanted) - 1, stop)
        place = bytes(data[first:last]).find(wanted)
        if place >= 0:
            return first + place
    return None
