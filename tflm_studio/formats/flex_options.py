# SPDX-License-Identifier: Apache-2.0
"""Custom options that are flexbuffers, as a tree that can be changed and written back.

The official reader trusts its bytes; here it is given limits, and whatever it stumbles over
means that the bytes are no flexbuffer that can be edited.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flatbuffers.flexbuffers import Builder, GetRoot, Ref, Type

from tflm_studio.model.errors import EditError

MOST_BYTES = 2**20
MOST_NODES = 20_000
DEEPEST = 32
_STUMBLES = (
    ValueError,
    TypeError,
    IndexError,
    KeyError,
    OverflowError,
    MemoryError,
    AssertionError,
    RuntimeError,
    struct.error,
)
_NUMBERS = {
    Type.INT: Type.INT,
    Type.UINT: Type.UINT,
    Type.FLOAT: Type.FLOAT,
    Type.INDIRECT_INT: Type.INT,
    Type.INDIRECT_UINT: Type.UINT,
    Type.INDIRECT_FLOAT: Type.FLOAT,
}
WHOLE = {Type.INT: (-(2**63), 2**63 - 1), Type.UINT: (0, 2**64 - 1)}


@dataclass(slots=True)
class FlexNode:
    """One value of a flexbuffer.

    Attributes:
        type: What it is, as the format says.
        value: None, bool, int, float, str (keys and strings) or bytes; for typed vectors the
            list of their numbers; None for maps and vectors.
        key: Its name in the map it stands in, "" elsewhere.
        items: What a map or a vector holds.
    """

    type: Type
    value: Any = None
    key: str = ""
    items: list[FlexNode] = field(default_factory=list)

    @property
    def has_items(self) -> bool:
        """Whether it is a map or a vector of anything."""
        return self.type in (Type.MAP, Type.VECTOR)


def read_flex(data: bytes) -> FlexNode:
    """The tree of a flexbuffer.

    Raises:
        EditError: The bytes are no flexbuffer, or one that this cannot write back.
    """
    if not 3 <= len(data) <= MOST_BYTES:
        raise EditError(f"{len(data):,} bytes are no flexbuffer that can be edited.")
    try:
        node = _read(GetRoot(bytearray(data)), iter(range(MOST_NODES)), DEEPEST)
        # What cannot be written and read again must not be edited.
        again = _read(GetRoot(write_flex(node)), iter(range(MOST_NODES)), DEEPEST)
    except (*_STUMBLES, StopIteration, EditError) as error:
        raise EditError(f"The bytes are no flexbuffer that can be edited ({error}).") from None
    if repr(again) != repr(node):
        raise EditError("The bytes are no flexbuffer that can be edited.")
    return node


def _read(ref: Ref, budget: Iterator[int], depth: int) -> FlexNode:
    next(budget)
    if depth == 0:
        raise ValueError("it is nested too deep")
    kind: Type = ref._type
    if kind is Type.MAP:
        found = ref.AsMap
        keys = [str(key.AsKeyBytes, "ascii") for key in _each(found.Keys, budget)]
        items = [_read(item, budget, depth - 1) for item in _each(found.Values, budget)]
        for key, item in zip(keys, items, strict=True):
            item.key = key
        return FlexNode(kind, items=items)
    if kind is Type.VECTOR:
        items = [_read(item, budget, depth - 1) for item in _each(ref.AsVector, budget)]
        return FlexNode(kind, items=items)
    if ref.IsTypedVector or ref.IsFixedTypedVector:
        vector = ref.AsTypedVector if ref.IsTypedVector else ref.AsFixedTypedVector
        return FlexNode(kind, [item.Value for item in _each(vector, budget)])
    if kind is Type.KEY:
        return FlexNode(kind, str(ref.AsKeyBytes, "ascii"))
    if kind is Type.BLOB:
        return FlexNode(kind, bytes(ref.AsBlob))
    return FlexNode(kind, ref.Value)


def _each(vector: Any, budget: Iterator[int]) -> Iterator[Any]:
    for index in range(len(vector)):
        next(budget)
        yield vector[index]


def write_flex(node: FlexNode) -> bytes:
    """The bytes of a tree; maps are sorted by key, as the format asks.

    Raises:
        EditError: A value does not suit its type, or a key is named twice.
    """
    builder = Builder()
    try:
        _write(builder, node)
        return bytes(builder.Finish())
    except _STUMBLES as error:
        raise EditError(f"This cannot be written as a flexbuffer: {error}.") from None


def _write(builder: Builder, node: FlexNode) -> None:
    kind = node.type
    if kind is Type.MAP:
        names = [item.key for item in node.items]
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise EditError(f"The key '{twice}' is there twice.")
        with builder.Map():
            for item in node.items:
                builder.Key(item.key.encode("ascii"))
                _write(builder, item)
    elif kind is Type.VECTOR:
        with builder.Vector():
            for item in node.items:
                _write(builder, item)
    elif Type.IsFixedTypedVector(kind):
        element, _ = Type.ToFixedTypedVectorElementType(kind)
        builder.FixedTypedVectorFromElements(node.value, element)
    elif Type.IsTypedVector(kind):
        element = Type.ToTypedVectorElementType(kind)
        builder.TypedVectorFromElements(node.value, element)
    elif kind is Type.NULL:
        builder.Null()
    elif kind in (Type.FLOAT, Type.INDIRECT_FLOAT):
        # Left to itself, the official writer fails at what only a double can hold.
        builder.Adder(kind)(node.value, 8 if _needs_double(node.value) else 4)
    else:
        builder.Adder(kind)(node.value)


def _needs_double(value: float) -> bool:
    try:
        stored: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return True
    return stored != value


def with_value(data: bytes, node: FlexNode) -> bytes:
    """The bytes for a tree that came from these bytes and may have changed since.

    Where nothing changed, the very same bytes.

    Raises:
        EditError: As `write_flex`.
    """
    return data if repr(read_flex(data)) == repr(node) else write_flex(node)


def number_type(kind: Type) -> Type | None:
    """INT, UINT or FLOAT for the numbers of a type, None if it has none."""
    if kind in _NUMBERS:
        return _NUMBERS[kind]
    if Type.IsFixedTypedVector(kind):
        return Type.ToFixedTypedVectorElementType(kind)[0]
    if Type.IsTypedVector(kind):
        return _NUMBERS.get(Type.ToTypedVectorElementType(kind))
    return None
