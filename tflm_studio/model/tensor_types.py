# SPDX-License-Identifier: Apache-2.0
"""Element types of tensors: how many bits, which numbers, how bytes become values and back.

Packed types follow LiteRT's `portable_tensor_utils`: two or four elements per byte, the first
in the lowest bits, signed types sign-extended. Everything is little-endian.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from tflm_studio.model.errors import EditError
from tflm_studio.schema.enums import TensorType

Array = NDArray[Any]
BytesLike = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class ElementType:
    """What one element of a tensor is.

    Attributes:
        name: Lower-case name, such as "int8".
        bits: Size of an element; 0 if elements have no fixed size.
        storage: numpy dtype of the stored bits; packed types are stored as bytes.
        kind: "integer", "float", "complex", "bool", or "opaque" (cannot be edited).
        low: Smallest integer, for integers.
        high: Largest integer, for integers.
    """

    name: str
    bits: int
    storage: np.dtype[Any]
    kind: str
    low: int = 0
    high: int = 0

    @property
    def is_packed(self) -> bool:
        """Whether several elements share a byte."""
        return 0 < self.bits < 8

    @property
    def is_small_float(self) -> bool:
        """Whether numpy needs `ml_dtypes` to read it; such values are shown as float32."""
        return self.storage.type.__module__ == "ml_dtypes"

    def nbytes(self, count: int) -> int:
        """Bytes that `count` elements take, rounded up to whole bytes."""
        return -(-count * self.bits // 8)

    def count(self, nbytes: int) -> int:
        """Elements that fit in `nbytes` bytes; 0 if they have no fixed size."""
        return nbytes * 8 // self.bits if self.bits else 0


def _integer(name: str, bits: int, *, signed: bool) -> ElementType:
    storage = np.dtype(f"<{'i' if signed else 'u'}{bits // 8}" if bits >= 8 else "u1")
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return ElementType(name, bits, storage, "integer", low, high)


def _float(name: str, storage: Any) -> ElementType:
    dtype = np.dtype(storage)
    return ElementType(name, dtype.itemsize * 8, dtype, "float")


_OPAQUE = np.dtype("u1")

ELEMENT_TYPES: dict[int, ElementType] = {
    TensorType.FLOAT32: _float("float32", "<f4"),
    TensorType.FLOAT16: _float("float16", "<f2"),
    TensorType.INT32: _integer("int32", 32, signed=True),
    TensorType.UINT8: _integer("uint8", 8, signed=False),
    TensorType.INT64: _integer("int64", 64, signed=True),
    TensorType.STRING: ElementType("string", 0, _OPAQUE, "opaque"),
    TensorType.BOOL: ElementType("bool", 8, np.dtype("u1"), "bool", 0, 1),
    TensorType.INT16: _integer("int16", 16, signed=True),
    TensorType.COMPLEX64: ElementType("complex64", 64, np.dtype("<c8"), "complex"),
    TensorType.INT8: _integer("int8", 8, signed=True),
    TensorType.FLOAT64: _float("float64", "<f8"),
    TensorType.COMPLEX128: ElementType("complex128", 128, np.dtype("<c16"), "complex"),
    TensorType.UINT64: _integer("uint64", 64, signed=False),
    TensorType.RESOURCE: ElementType("resource", 32, np.dtype("<i4"), "opaque"),
    TensorType.VARIANT: ElementType("variant", 0, _OPAQUE, "opaque"),
    TensorType.UINT32: _integer("uint32", 32, signed=False),
    TensorType.UINT16: _integer("uint16", 16, signed=False),
    TensorType.INT4: _integer("int4", 4, signed=True),
    TensorType.BFLOAT16: _float("bfloat16", ml_dtypes.bfloat16),
    TensorType.INT2: _integer("int2", 2, signed=True),
    TensorType.UINT4: _integer("uint4", 4, signed=False),
    TensorType.FLOAT8_E4M3FN: _float("float8_e4m3fn", ml_dtypes.float8_e4m3fn),
    TensorType.FLOAT8_E5M2: _float("float8_e5m2", ml_dtypes.float8_e5m2),
}
RAW_BYTES = ELEMENT_TYPES[TensorType.UINT8]


def element_type(code: int) -> ElementType:
    """The element type of a TensorType value; unknown values are opaque bytes."""
    known = ELEMENT_TYPES.get(code)
    return known or ElementType(f"type {int(code)}", 0, _OPAQUE, "opaque")


def decode(
    data: BytesLike, kind: ElementType, start: int = 0, count: int | None = None
) -> Array:
    """Elements of a buffer as numbers, a view of `data` wherever the type allows it.

    Args:
        data: The bytes of the buffer.
        kind: What its elements are; those without a size or meaning are read as bytes.
        start: First element.
        count: How many; all that are whole if None.

    Returns:
        One-dimensional array: integers, float32 for the small floats, bool for BOOL.
    """
    available = kind.count(len(data)) if kind.bits else len(data)
    stop = available if count is None else min(start + count, available)
    if kind.is_packed:
        return _unpacked(data, kind, start, max(stop, start))
    stored = np.frombuffer(data, kind.storage, available)[start:stop]
    return _meant(stored, kind)


def _meant(stored: Array, kind: ElementType) -> Array:
    if kind.kind == "bool":
        truth: Array = stored != 0
        return truth
    return stored.astype(np.float32) if kind.is_small_float else stored


def _unpacked(data: BytesLike, kind: ElementType, start: int, stop: int) -> Array:
    per_byte = 8 // kind.bits
    first = start // per_byte
    raw = np.frombuffer(data, np.uint8)[first : -(-stop // per_byte)]
    shifts = np.arange(0, 8, kind.bits, dtype=np.uint8)
    values = ((raw[:, None] >> shifts) & ((1 << kind.bits) - 1)).reshape(-1)
    if kind.low < 0:
        lift = 8 - kind.bits
        values = (values << lift).view(np.int8) >> lift
    wanted: Array = values[start - first * per_byte : stop - first * per_byte]
    return wanted


def encode(values: Array | list[Any], kind: ElementType) -> bytes:
    """The stored bytes of whole elements; the rest of a last, packed byte is zero.

    Values must be in range: check single ones with `checked_value`. Floats are rounded to the
    nearest storable value, ties to even.
    """
    array = np.asarray(values)
    if kind.is_packed:
        per_byte = 8 // kind.bits
        bits = (array.astype(np.int64) & ((1 << kind.bits) - 1)).astype(np.uint8)
        bits = np.pad(bits, (0, -len(bits) % per_byte)).reshape(-1, per_byte)
        shifts = np.arange(0, 8, kind.bits, dtype=np.uint8)
        return bytes((bits << shifts).sum(axis=1, dtype=np.uint8).tobytes())
    with np.errstate(over="ignore", invalid="ignore"):
        return array.astype(kind.storage).tobytes()


def element_patch(
    data: BytesLike, kind: ElementType, index: int, value: Any
) -> tuple[int, bytes]:
    """Where and which bytes put one value into a buffer.

    Args:
        data: The bytes of the buffer.
        kind: What its elements are.
        index: Which element.
        value: A value that `checked_value` has passed.

    Returns:
        Byte offset in the buffer and the new bytes; the neighbours in a packed byte are kept.

    Raises:
        EditError: There is no such element, or its type cannot be edited.
    """
    count = kind.count(len(data))
    if kind.kind == "opaque":
        raise EditError(f"elements of type {kind.name} cannot be changed one by one.")
    if not 0 <= index < count:
        raise EditError(
            f"element {index} is outside the buffer, which holds {count} elements."
        )
    if not kind.is_packed:
        return index * kind.bits // 8, encode([value], kind)
    per_byte = 8 // kind.bits
    byte = index // per_byte
    shift = index % per_byte * kind.bits
    mask = ((1 << kind.bits) - 1) << shift
    old = data[byte]
    return byte, bytes([(old & ~mask & 0xFF) | ((int(value) << shift) & mask)])


def checked_value(value: Any, kind: ElementType) -> Any:
    """A value as the type can hold it.

    Raises:
        EditError: It is no value of this type, or out of its range.
    """
    if kind.kind == "integer":
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
            raise EditError(
                f"{value!r} is not a whole number; {kind.name} holds whole numbers."
            )
        if not kind.low <= value <= kind.high:
            raise EditError(
                f"{value} does not fit {kind.name}, which holds {kind.low} to {kind.high}."
            )
        return int(value)
    if kind.kind == "bool":
        return bool(value)
    if kind.kind == "float":
        return _checked_float(float(value), kind)
    if kind.kind == "complex":
        return complex(value)
    raise EditError(f"elements of type {kind.name} cannot be changed one by one.")


def _checked_float(value: float, kind: ElementType) -> float:
    stored = float(decode(encode(np.array([value]), kind), kind)[0])
    if math.isfinite(value) > math.isfinite(stored) or math.isinf(value) > math.isinf(stored):
        raise EditError(f"{value!r} does not fit {kind.name}.")
    return stored


def parse_value(text: str, kind: ElementType) -> Any:
    """The value that a person typed; whole numbers also as 0x..., 0b... and 0o....

    Raises:
        EditError: The text is no value of this type; says what is.
    """
    text = text.strip().replace("\N{MINUS SIGN}", "-")
    try:
        if kind.kind == "integer":
            return checked_value(_whole(text), kind)
        if kind.kind == "bool":
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        if kind.kind == "complex":
            return complex(text.replace(" ", ""))
        return checked_value(float(text), kind)
    except (ValueError, KeyError) as error:
        if isinstance(error, EditError):
            raise
        wanted = {"bool": "true or false", "integer": "a whole number"}.get(
            kind.kind, "a number"
        )
        raise EditError(f"'{text}' is not {wanted}, as {kind.name} needs.") from None


def _whole(text: str) -> int | float:
    try:
        # 007 is a number to a person, though not to Python with base 0.
        return (
            int(text, 0) if text.lstrip("+-")[:2].lower() in ("0x", "0b", "0o") else int(text)
        )
    except ValueError:
        return float(text)


def format_value(value: Any, kind: ElementType) -> str:
    """The shortest text that reads back as the same value."""
    if kind.kind == "float":
        if kind.bits <= 16 or kind.name == "float32":
            return format_float(np.float16(value) if kind.name == "float16" else value)
        return repr(float(value))
    if kind.kind == "bool":
        return "true" if value else "false"
    if kind.kind == "complex":
        return str(complex(value)).strip("()")
    return str(int(value))


def format_float(value: Any) -> str:
    """A float32 (or float16) in the fewest digits that read back as the same float."""
    is_narrow = isinstance(value, np.floating) and value.itemsize < 8
    narrow = value if is_narrow else np.float32(value)
    magnitude = abs(float(narrow))
    if not math.isfinite(magnitude):
        return str(float(narrow))
    if magnitude and not 1e-4 <= magnitude < 1e9:
        return np.format_float_scientific(narrow, trim="-", exp_digits=1)
    return np.format_float_positional(narrow, trim="-")
