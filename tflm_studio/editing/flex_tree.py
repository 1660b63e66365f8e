# SPDX-License-Identifier: Apache-2.0
"""What a person may change in the tree of a flexbuffer: values as text, types, keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np
from flatbuffers.flexbuffers import Type

from tflm_studio.editing.fresh_names import fresh_name
from tflm_studio.formats.flex_options import (
    WHOLE,
    FlexNode,
    number_type,
    read_flex,
    with_value,
    write_flex,
)
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.field_text import parse_whole_number, read_float
from tflm_studio.model.tensor_types import format_float

TYPES = (
    Type.NULL,
    Type.BOOL,
    Type.INT,
    Type.UINT,
    Type.FLOAT,
    Type.STRING,
    Type.BLOB,
    Type.MAP,
    Type.VECTOR,
    Type.VECTOR_INT,
    Type.VECTOR_UINT,
    Type.VECTOR_FLOAT,
)
LONGEST_KEY = 255
# Kernels beside the signal operators that know a map only by the order of its keys.
_READ_BY_POSITION = frozenset(("CIRCULAR_BUFFER",))
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


def find_tree(data: bytes) -> FlexNode | None:
    """The tree of some custom options; None if they had better be seen as bytes.

    Nearly any bytes can be taken for a flexbuffer of one number: those that are not written
    as one would be are not.
    """
    try:
        node = read_flex(data)
        return node if node.has_items or write_flex(node) == data else None
    except EditError:
        return None


def tree_bytes(data: bytes, node: FlexNode) -> bytes:
    """The bytes for a tree that came from these bytes, which may not be a flexbuffer yet.

    Raises:
        EditError: It cannot be written.
    """
    return with_value(data, node) if find_tree(data) is not None else write_flex(node)


def reads_by_position(custom_code: str | None) -> bool:
    """Whether TFLM's kernel finds its options by the sorted position of their keys."""
    name = custom_code or ""
    return name.startswith("Signal") or name in _READ_BY_POSITION


def type_name(kind: Type) -> str:
    """What a type is called, such as "vector of int"."""
    name: str = kind.name.lower().replace("_deprecated", "")
    if name.startswith("vector_"):
        _, element, *count = re.split(r"_|(?=\d)", name)
        return f"{count[0]} {element}s" if count else f"vector of {element}"
    return name.replace("_", " ")


# ------------------------------------------------------------------ values


def is_editable(node: FlexNode) -> bool:
    """Whether a value can be typed."""
    if node.has_items or node.type is Type.NULL:
        return False
    if isinstance(node.value, list):
        return _element(node.type) is not None
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
    if _element(kind) is not None:
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
    element = _element(kind)
    numbers = [read_value(element, word) for word in re.split(r"[\s,]+", text) if word]
    if Type.IsFixedTypedVector(kind):
        count = Type.ToFixedTypedVectorElementType(kind)[1]
        if len(numbers) != count:
            raise EditError(f"{type_name(kind)} are wanted, not {len(numbers)}.")
    if not numbers:
        # The official writer would make it a vector of keys.
        raise EditError(f"A {type_name(kind)} needs at least one.")
    return numbers


def _element(kind: Type) -> Type | None:
    """The type of what a typed vector holds, if it can be typed."""
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


# ------------------------------------------------------------------ types


def retype(node: FlexNode, kind: Type) -> None:
    """Gives a node another type; what it holds stays as far as the type can hold it."""
    value, items = _converted(node, kind)
    node.type, node.value, node.items = kind, value, items


def _converted(node: FlexNode, kind: Type) -> tuple[Any, list[FlexNode]]:
    if kind in (Type.MAP, Type.VECTOR):
        items = node.items or _parts(node)
        for index, item in enumerate(items):
            item.key = (item.key or f"item_{index}") if kind is Type.MAP else ""
        return None, sorted(items, key=lambda item: item.key)
    if node.has_items:
        text = " ".join(value_text(item) for item in node.items if is_editable(item))
    else:
        text = value_text(node)
    if kind is Type.BLOB and isinstance(node.value, str):
        return node.value.encode(), []
    if number_type(kind) in WHOLE and isinstance(node.value, float):
        text = text.removesuffix(".0")
    for tried in (text, "0", "false", ""):
        try:
            return (None if kind is Type.NULL else read_value(kind, tried)), []
        except EditError:
            continue
    return None, []


def _parts(node: FlexNode) -> list[FlexNode]:
    """The numbers of a typed vector as nodes of their own."""
    element = _element(node.type)
    if not isinstance(node.value, list) or element is None:
        return []
    return [FlexNode(element, value) for value in node.value]


# ------------------------------------------------------------------ entries


def check_key(key: str) -> None:
    """Refuses what cannot be a key.

    Raises:
        EditError: It is empty, long, or has other than printable ASCII characters.
    """
    if not key:
        raise EditError("A key needs at least one character.")
    if not (key.isascii() and key.isprintable()) or len(key) > LONGEST_KEY:
        raise EditError(f"A key is up to {LONGEST_KEY} printable ASCII characters.")


def rename(parent: FlexNode, item: FlexNode, key: str) -> None:
    """Gives an entry of a map another key, and its place among the sorted keys.

    Raises:
        EditError: It cannot be a key, or another entry has it.
    """
    check_key(key)
    if any(other.key == key for other in parent.items if other is not item):
        raise EditError(f"There is another entry with the key '{key}'.")
    item.key = key
    parent.items.sort(key=lambda each: each.key)


def add_entry(parent: FlexNode, index: int | None = None) -> FlexNode:
    """Puts a new number into a map or a vector, at the end if not told otherwise."""
    last = parent.items[-1] if parent.items else None
    alike = last is not None and not last.has_items and parent.type is Type.VECTOR
    made = FlexNode(last.type, last.value) if last and alike else FlexNode(Type.INT, 0)
    return _put(parent, made, len(parent.items) if index is None else index)


def duplicate_entry(parent: FlexNode, item: FlexNode) -> FlexNode:
    """Puts a copy behind an entry; in a map, under a key of its own."""
    index = next(k for k, each in enumerate(parent.items) if each is item)
    return _put(parent, deepcopy(item), index + 1)


def _put(parent: FlexNode, made: FlexNode, index: int) -> FlexNode:
    if parent.type is Type.MAP:
        made.key = fresh_name(made.key or "key", {each.key for each in parent.items})
    parent.items.insert(index, made)
    if parent.type is Type.MAP:
        parent.items.sort(key=lambda each: each.key)
    return made


def remove_entry(parent: FlexNode, item: FlexNode) -> None:
    """Takes an entry out of a map or a vector."""
    parent.items[:] = [each for each in parent.items if each is not item]


# ------------------------------------------------------------------ a list of lines


def tree_lines(node: FlexNode, most: int) -> list[str]:
    """A tree as lines such as "fft_length: 512", the first of many."""
    if node.has_items and not node.items:
        return ["no entries"]
    lines: list[str] = []
    for line in _lines(node, 0):
        if len(lines) == most:
            return [*lines, "…"]
        lines.append(line)
    return lines


def _lines(node: FlexNode, depth: int) -> Iterator[str]:
    indent = "   " * depth
    if not node.has_items:
        yield indent + excerpt(value_text(node), 80)
    for index, item in enumerate(node.items):
        name = f"{indent}{item.key or index}: "
        if item.has_items:
            yield name + type_name(item.type)
            yield from _lines(item, depth + 1)
        else:
            yield name + excerpt(value_text(item), 80)
