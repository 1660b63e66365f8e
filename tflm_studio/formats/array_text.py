# SPDX-License-Identifier: Apache-2.0
"""Arrays as text to paste elsewhere: tabs for a spreadsheet, numpy, and C."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tflm_studio.formats.c_source_writer import check_symbol
from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import Array, format_float

LINE_ITEMS = 16

_C_TYPES = {
    "bool": "bool",
    "float32": "float",
    "float64": "double",
    "complex64": "",
    "complex128": "",
    "object": "const char *",
}


def tabbed_text(values: Array) -> str:
    """Lines of the last dimension with tabs between values."""
    wide = values.reshape(-1, values.shape[-1] if values.ndim and values.shape[-1] else 1)
    return "\n".join("\t".join(map(number_text, row)) for row in wide)


def number_text(value: Any) -> str:
    """A value in the fewest digits that read back; texts as they are."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, (np.float32, np.float16)):
        return format_float(value)
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (np.floating, float)):
        return repr(float(value))
    return str(value).strip("()")


def numpy_text(values: Array) -> str:
    """An expression that gives the array, where numpy is `np`."""
    if values.dtype == object:
        return f"np.array({values.tolist()!r}, dtype=object)"
    body = _nested(values, "[]", _python_number, "")
    empty = f".reshape({values.shape})" if not values.size else ""
    return f"np.array({body}, dtype=np.{_dtype_name(values)}){empty}"


def c_text(values: Array, symbol: str) -> str:
    """A C array with its initialiser, in the dimensions of the array.

    Raises:
        EditError: C has no such values, or there are none.
    """
    check_symbol(symbol)
    name = "object" if values.dtype == object else values.dtype.name
    element = _C_TYPES.get(name, "float" if name == "float16" else f"{name}_t")
    if not element:
        raise EditError("C has no constants of complex numbers; export them as .npy.")
    if not values.size:
        raise EditError("There are no values: C has no empty arrays.")
    dimensions = "".join(f"[{size}]" for size in values.shape)
    body = _nested(values, "{}", _c_number, "") if values.ndim else _c_number(values[()])
    space = "" if element.endswith("*") else " "
    start = "" if element.startswith("const") else "const "
    return f"{start}{element}{space}{symbol}{dimensions} = {body};\n"


def c_source(values: Array, symbol: str) -> str:
    """A C source or header with the array."""
    lines = ["#include <math.h>"] if _has_special(values) else []
    if values.dtype == bool:
        lines.append("#include <stdbool.h>")
    if values.dtype.kind in "iu":
        lines.append("#include <stdint.h>")
    shape = "x".join(map(str, values.shape)) or "scalar"
    top = f"/* {shape} values of a TensorFlow Lite model. Made by TFLM Studio. */\n"
    return top + "".join(f"{line}\n" for line in lines) + "\n" + c_text(values, symbol)


def _dtype_name(values: Array) -> str:
    return "bool_" if values.dtype == bool else values.dtype.name


def _has_special(values: Array) -> bool:
    return values.dtype.kind == "f" and not bool(np.isfinite(values).all())


def _nested(values: Array, marks: str, one: Any, indent: str) -> str:
    """Brackets within brackets, rows of numbers on lines of their own."""
    if not values.ndim:
        return str(one(values[()]))
    if values.ndim == 1:
        items = [one(value) for value in values]
        if len(items) <= LINE_ITEMS:
            return f"{marks[0]}{', '.join(items)}{marks[1]}"
        lines = [
            ", ".join(items[start : start + LINE_ITEMS])
            for start in range(0, len(items), LINE_ITEMS)
        ]
        return f"{marks[0]}\n{indent} " + f",\n{indent} ".join(lines) + f"{marks[1]}"
    parts = [_nested(part, marks, one, indent + " ") for part in values]
    return f"{marks[0]}" + f",\n{indent} ".join(parts) + f"{marks[1]}"


def _python_number(value: Any) -> str:
    if isinstance(value, np.complexfloating):
        return repr(complex(value))
    if isinstance(value, np.floating):
        number = float(value)
        if math.isnan(number):
            return "np.nan"
        if math.isinf(number):
            return "np.inf" if number > 0 else "-np.inf"
        return _with_point(number_text(value))
    return str(value)


def _with_point(text: str) -> str:
    # Without one it is a whole number, which has no negative zero.
    return text if set(text) & set(".e") else f"{text}.0"


def _c_number(value: Any) -> str:
    if isinstance(value, bytes):
        return '"' + "".join(_c_character(byte) for byte in value) + '"'
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, np.floating):
        number, is_narrow = float(value), value.itemsize < 8
        if math.isnan(number):
            return "NAN"
        if math.isinf(number):
            return "INFINITY" if number > 0 else "-INFINITY"
        text = _with_point(number_text(value))
        return f"{text}f" if is_narrow else text
    number = int(value)
    if number == -(2**63):
        return "INT64_MIN"  # C has no such literal
    if number == -(2**31):
        return "INT32_MIN"
    if abs(number) > 2**31 - 1:
        return f"{number}{'U' if number > 2**63 - 1 else ''}LL"
    return str(number)


def _c_character(byte: int) -> str:
    plain = 32 <= byte < 127 and chr(byte) not in '"\\?'
    return chr(byte) if plain else f"\\{byte:03o}"
