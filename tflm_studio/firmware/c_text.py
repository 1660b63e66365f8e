# SPDX-License-Identifier: Apache-2.0
"""Names, texts and numbers of a model as C++ has them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from tflm_studio.model.tensor_types import Array, ElementType

LINE = 92
# How C++ and TFLM call the types in which tests and settings hold values.
C_TYPES = {
    "int8": ("std::int8_t", "kTfLiteInt8"),
    "uint8": ("std::uint8_t", "kTfLiteUInt8"),
    "int16": ("std::int16_t", "kTfLiteInt16"),
    "uint16": ("std::uint16_t", "kTfLiteUInt16"),
    "int32": ("std::int32_t", "kTfLiteInt32"),
    "uint32": ("std::uint32_t", "kTfLiteUInt32"),
    "int64": ("std::int64_t", "kTfLiteInt64"),
    "uint64": ("std::uint64_t", "kTfLiteUInt64"),
    "float32": ("float", "kTfLiteFloat32"),
    "float64": ("double", "kTfLiteFloat64"),
    "bool": ("std::uint8_t", "kTfLiteBool"),
    "int4": ("std::uint8_t", "kTfLiteInt4"),
    "float16": ("std::uint16_t", "kTfLiteFloat16"),
    "bfloat16": ("std::uint16_t", "kTfLiteBFloat16"),
}
_ESCAPED = [
    chr(byte) if 32 <= byte < 127 and chr(byte) not in '"\\?' else f"\\{byte:03o}"
    for byte in range(256)
]
PLAIN = frozenset(
    "int8 uint8 int16 uint16 int32 uint32 int64 uint64 float32 float64 bool".split()
)


def c_type(kind: ElementType) -> str:
    """The C++ type of an element; bytes for those that C++ has no type for."""
    return C_TYPES.get(kind.name, ("std::uint8_t", ""))[0]


def tflite_type(kind: ElementType) -> str:
    """TFLM's enumerator for a type; "" if it has none."""
    return C_TYPES.get(kind.name, ("", ""))[1]


def string_literal(text: str) -> str:
    """A text as a C string; what is no plain character as octal bytes, three digits each."""
    escaped = "".join(map(_ESCAPED.__getitem__, text.encode("utf-8", "surrogateescape")))
    return f'"{escaped}"'


def comment_text(text: str) -> str:
    """A text from a model as a comment may hold it: one line, no backslash at its end."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else "?" for c in text)
    return text.rstrip("\\ ")


def float_literal(value: float) -> str:
    """A number as a float literal that gives just this float32 back."""
    if math.isnan(value):
        return "std::numeric_limits<float>::quiet_NaN()"
    if math.isinf(value):
        return f"{'-' if value < 0 else ''}std::numeric_limits<float>::infinity()"
    text = np.format_float_scientific(np.float32(value), unique=True, trim="0")
    short = np.format_float_positional(np.float32(value), unique=True, trim="0")
    return f"{short if len(short) <= len(text) else text}f"


def number_literals(values: Array, kind: ElementType) -> list[str]:
    """Values as literals of `c_type`."""
    if kind.name == "float32":
        return [float_literal(float(value)) for value in values.reshape(-1)]
    if kind.name == "float64":
        return [_double_literal(float(value)) for value in values.reshape(-1)]
    numbers = [int(value) for value in values.reshape(-1).tolist()]
    if kind.name in ("int64", "uint64"):
        return [_wide_literal(number, kind.name == "uint64") for number in numbers]
    if kind.name == "int32":
        return [str(n) if n > -(2**31) else "-2147483647 - 1" for n in numbers]
    return [f"{number}u" if kind.name == "uint32" else str(number) for number in numbers]


def _double_literal(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    name = "quiet_NaN" if math.isnan(value) else "infinity"
    return f"{'-' if value < 0 else ''}std::numeric_limits<double>::{name}()"


def _wide_literal(number: int, is_unsigned: bool) -> str:
    if is_unsigned:
        return f"{number}ull"
    return f"{number}ll" if number > -(2**63) else "-9223372036854775807ll - 1"


def wrapped(words: Iterable[str], indent: str = "    ") -> str:
    """Words with commas between them, in lines that fit on a screen."""
    lines, line = [], indent
    for word in words:
        if len(line) + len(word) + 2 > LINE and line != indent:
            lines.append(line.rstrip())
            line = indent
        line += f"{word}, "
    lines.append(line.rstrip().rstrip(","))
    return "\n".join(lines)
