# SPDX-License-Identifier: Apache-2.0
"""Values of flexbuffers as text, as a person types them."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from flatbuffers.flexbuffers import Type

from tflm_studio.formats.flex_options import WHOLE, FlexNode, number_type
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.field_text import parse_whole_number, read_float
from tflm_studio.model.tensor_types import format_float

LONGEST_KEY = 255
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


def type_name(kind: Type) -> str:
    """What a type is called, such as "vector of int"."""
    name: str = kind.name.lower().replace("_deprecated", "")
    if name.startswith("vector_"):
        _, element, *count = re.split(r"_|(?=\d)", name)
        return f"{count[0]} {element}s" if count else f"vector of {element}"
    return name.replace("_", " ")


def is_editable(node: FlexNode) -> bool:
    """Whether a value can be typed."""
    if node.has_items or node.type is Type.NULL:
        return False
    if isinstance(node.value, list):
        return element_type(node.type) is not None
    return True


def value_text(node: FlexNode) -> str:
    """A value as it is typed; how many items there are for maps and vectors."""
    if node.has_items:
        return f"{len(node.items):,} {'entries' if len(node.items) != 1 else 'entry'}"
    if isinstance(node.value, list):
        return " ".join(map(_scalar_text, node.value))
    return _scalar_text(node.value)


def _scalar_text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        with np.errstate(over="ignore"):
            narrow = np.float32(value)
        return format_float(narrow) if float(narrow) == value else repr(value)
    if isinstance(value, bytes):
        return value.hex(" ")
    return _escaped(value) if isinstance(value, str) else str(value)


def read_value(kind: Type, text: str) -> Any:
    """The value that a text means.

    Raises:
        EditError: It is not one of the type, or out of its range.
    """
    if element_type(kind) is not None:
        return _read_vector(kind, text)
    number = number_type(kind)
    if number is Type.FLOAT:
        return _narrowed(read_float(text))
    if number is not None:
        return _read_whole(number, text)
    readers = {Type.BOOL: _read_bool, Type.BLOB: _read_blob, Type.STRING: _unescaped}
    if kind in readers:
        return readers[kind](text)
    check_key(text)
    return text


def _read_vector(kind: Type, text: str) -> list[Any]:
    element = element_type(kind)
    numbers = [read_value(element, word) for word in re.split(r"[\s,]+", text) if word]
    if Type.IsFixedTypedVector(kind):
        count = Type.ToFixedTypedVectorElementType(kind)[1]
        if len(numbers) != count:
            raise EditError(f"{type_name(kind)} are wanted, not {len(numbers)}.")
    if not numbers:
        # The official writer would make it a vector of keys.
        raise EditError(f"A {type_name(kind)} needs at least one.")
    return numbers


def element_type(kind: Type) -> Type | None:
    """The type of what a typed vector holds, None for others and if it cannot be typed."""
    if not (Type.IsTypedVector(kind) or Type.IsFixedTypedVector(kind)):
        return None
    return Type.BOOL if kind is Type.VECTOR_BOOL else number_type(kind)


def _narrowed(value: float) -> float:
    """The float32 of the same digits, if there is one: kernels read no other."""
    with np.errstate(over="ignore"):
        narrow = np.float32(value)
    return float(narrow) if float(format_float(narrow)) == value else value


def _read_whole(kind: Type, text: str) -> int:
    value = parse_whole_number(text.strip())
    low, high = WHOLE[kind]
    if not low <= value <= high:
        raise EditError(f"{excerpt(text, 40)} is out of range: {low} to {high}.")
    return value


def _read_bool(text: str) -> bool:
    if text.strip().lower() not in _BOOLS:
        raise EditError(f"'{excerpt(text, 20)}' is neither true nor false.")
    return _BOOLS[text.strip().lower()]


def _read_blob(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise EditError(f"'{excerpt(text, 20)}' is not hexadecimal.") from None


def _escaped(text: str) -> str:
    r"""A text on one line: line ends and the like become \n or \x07."""

    def sign(found: re.Match[str]) -> str:
        return found[0].encode("unicode_escape").decode("ascii")

    return re.sub(r"[\x00-\x1f\x7f\\\u2028\u2029]", sign, text)


def _unescaped(text: str) -> str:
    def sign(found: re.Match[str]) -> str:
        try:
            return found[0].encode("ascii").decode("unicode_escape")
        except UnicodeDecodeError:
            raise EditError(
                f"'{found[0]}' means nothing; a backslash is typed \\\\."
            ) from None

    return re.sub(r"\\(?:x..|u....|.|$)", sign, text)


def check_key(key: str) -> None:
    """Refuses what cannot be a key.

    Raises:
        EditError: It is empty, long, or has other than printable ASCII characters.
    """
    if not key:
        raise EditError("A key needs at least one character.")
    if not (key.isascii() and key.isprintable()) or len(key) > LONGEST_KEY:
        raise EditError(f"A key is up to {LONGEST_KEY} printable ASCII characters.")
