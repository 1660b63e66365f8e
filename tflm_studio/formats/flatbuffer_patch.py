# SPDX-License-Identifier: Apache-2.0
"""Values put into the original bytes of a file, where they take the same room.

The smallest change is the safest: a weight edited by hand alters exactly its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from tflm_studio.formats.flatbuffer_columns import numbers
from tflm_studio.formats.flatbuffer_writer import Layout
from tflm_studio.model.address import Address, find_field, resolve
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import Model

Patch = tuple[int, bytes | memoryview]


def patched(model: Model, original: memoryview, changed: Iterable[Address]) -> Layout | None:
    """The original bytes with the model's values at `changed`, or None if they do not fit.

    A value fits if its place exists in the file and has its size: numbers that are stored, and
    bytes, text and lists of numbers of the same length. Bytes that other tables share are
    changed for those as well, so the result must be read back and compared.
    """
    patches: list[Patch] = []
    for address in changed:
        patch = _patch(model, original, address)
        if patch is None:
            return None
        patches.append(patch)
    patches.sort(key=lambda item: item[0])
    segments: list[bytes | bytearray | memoryview] = []
    end = 0
    for at, raw in patches:
        if at < end:
            return None
        segments += [original[end:at], raw]
        end = at + len(raw)
    return Layout(len(original), [*segments, original[end:]])


def _patch(model: Model, original: memoryview, address: Address) -> Patch | None:
    found = _locate(original, address)
    if found is None:
        return None
    at, row = found
    value: Any = resolve(model, address)
    parent = type(resolve(model, address[:-1]))
    if row.kind is Kind.SCALAR:
        return at, numbers(parent, row, [value]).tobytes()
    if row.kind not in _FLAT or value is None:
        return None
    start = at + _number("<I", original, at)
    raw, count = _flat_bytes(parent, row, value)
    return (start + 4, raw) if count == _number("<I", original, start) else None


_FLAT = frozenset((Kind.BYTES, Kind.STRING, Kind.SCALARS))


def _flat_bytes(parent: type[Table], row: Field, value: Any) -> tuple[bytes | memoryview, int]:
    """The bytes of a vector or string, and how many items its length states."""
    if row.kind is Kind.BYTES:
        view = memoryview(value).cast("B")
        return view, len(view)
    if row.kind is Kind.STRING:
        raw = value.encode("utf-8", "surrogateescape")
        return raw, len(raw)
    return numbers(parent, row, value).tobytes(), len(value)


def _number(form: str, data: memoryview, at: int) -> int:
    return int(struct.unpack_from(form, data, at)[0])


def _slot(data: memoryview, table: int, slot: int) -> int:
    """Place of a slot of the table at byte `table`, 0 if the table does not store it."""
    vtable = table - _number("<i", data, table)
    if 4 + 2 * slot >= _number("<H", data, vtable):
        return 0
    offset = _number("<H", data, vtable + 4 + 2 * slot)
    return table + offset if offset else 0


def _locate(data: memoryview, address: Address) -> tuple[int, Field] | None:
    """Byte of the field an address ends with, in bytes that have been verified."""
    at = _number("<I", data, 0)
    kind: type[Table] = Model
    row: Field | None = None
    for depth, step in enumerate(address):
        if isinstance(step, int):
            at += 4 + 4 * step
            at += _number("<I", data, at)
            continue
        row = find_field(kind, step)
        place = _slot(data, at, row.slot) if row else 0
        if row is None or not place:
            return None
        if depth == len(address) - 1:
            return place, row
        if row.kind is Kind.UNION:
            kind = row.members[data[_slot(data, at, row.slot - 1)] - 1]
        else:
            kind = row.members[0]
        at = place + _number("<I", data, place)
    return None
