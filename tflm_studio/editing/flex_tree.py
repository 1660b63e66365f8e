# SPDX-License-Identifier: Apache-2.0
"""What a person may change in the tree of a flexbuffer: types, keys and entries."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from flatbuffers.flexbuffers import Type

from tflm_studio.editing.flex_values import (
    check_key,
    element_type,
    is_editable,
    read_value,
    type_name,
    value_text,
)
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
# Kernels beside the signal operators that know a map only by the order of its keys.
_READ_BY_POSITION = frozenset(("CIRCULAR_BUFFER",))


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
    element = element_type(node.type)
    if not isinstance(node.value, list) or element is None:
        return []
    return [FlexNode(element, value) for value in node.value]


# ------------------------------------------------------------------ entries


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
