# SPDX-License-Identifier: Apache-2.0
"""Values put into the original bytes of a file, where they take the same room.

The smallest change is the safest: a weight edited by hand alters exactly its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

from tflm_studio.formats.layout import Layout
from tflm_studio.formats.number_columns import numbers
from tflm_studio.formats.snapshot import SMALLEST
from tflm_studio.model.address import Address, find_address, find_field
from tflm_studio.model.comparison import PIECE_BYTES, same_bytes, same_value
from tflm_studio.model.outside import OUTSIDE, PLACEHOLDER, is_outside
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import Buffer, Model, Operator

Patch = tuple[int, bytes | memoryview]
NOTHING: Patch = (0, b"")


class Misfit(Enum):
    """Why values cannot be put into the original bytes."""

    OTHER_SIZE = "a value takes more or less room than it has in the file"
    UNCLEAR = "a value has no place of its own in the file"


def patched(model: Model, original: memoryview, changed: Iterable[Address]) -> Layout | Misfit:
    """The original bytes with the model's values at `changed`, or why they do not fit.

    A value fits if its place exists in the file and has its size: numbers that are stored, and
    bytes, text and lists of numbers of the same length. Bytes that other tables share are
    changed for those as well, so the result must be read back and compared.
    """
    patches: list[Patch] = []
    for address in changed:
        patch = _patch(model, original, address)
        if isinstance(patch, Misfit):
            return patch
        if patch is not NOTHING:
            patches += _changed_pieces(original, *patch)
    patches.sort(key=lambda item: item[0])
    segments: list[bytes | bytearray | memoryview] = []
    end = 0
    for at, raw in patches:
        if at < end:
            return Misfit.UNCLEAR
        segments += [original[end:at], raw]
        end = at + len(raw)
    return Layout(len(original), [*segments, original[end:]])


def _changed_pieces(original: memoryview, at: int, raw: bytes | memoryview) -> Iterator[Patch]:
    """What of a patch differs from the original, so that the rest is copied by the system."""
    if len(raw) < SMALLEST:
        yield at, raw
        return
    for start in range(0, len(raw), PIECE_BYTES):
        piece = raw[start : start + PIECE_BYTES]
        if not same_bytes(piece, original[at + start : at + start + len(piece)]):
            yield at + start, piece


def _patch(model: Model, original: memoryview, address: Address) -> Patch | Misfit:
    if address and isinstance(address[-1], int):
        address = address[:-1]  # an item of a list is written with its list
    found = _locate(original, address)
    value: Any = find_address(model, address)
    if found is None:
        return Misfit.UNCLEAR
    at, row = found
    table = find_address(model, address[:-1])
    parent = type(table)
    if find_field(parent, row.name) is not row:
        return Misfit.UNCLEAR  # what held it has gone since, or is of another kind
    if parent in OUTSIDE and row in (OUTSIDE[parent].offset, OUTSIDE[parent].size):
        stated = _number("<Q", original, at) if at else row.default
        return NOTHING if value == stated else Misfit.OTHER_SIZE  # the bytes stand elsewhere
    if not at and parent in OUTSIDE and row is OUTSIDE[parent].data and is_outside(table):
        return _patch_outside(original, address, memoryview(value).cast("B"))
    if not at:
        # The file does not state the field: nothing to do if it is at its default again.
        return NOTHING if same_value(row, value, row.default) else Misfit.OTHER_SIZE
    if row.kind is Kind.SCALAR:
        return at, numbers(parent, row, [value]).tobytes()
    if row.kind not in _FLAT:
        return Misfit.UNCLEAR
    if value is None:
        return Misfit.OTHER_SIZE
    start = at + _number("<I", original, at)
    raw, count = _flat_bytes(parent, row, value)
    fits = count == _number("<I", original, start)
    return (start + 4, raw) if fits else Misfit.OTHER_SIZE


def _patch_outside(original: memoryview, address: Address, data: memoryview) -> Patch | Misfit:
    """Bytes behind the flatbuffer, at the place where the file says they are."""
    kind = Buffer if address[0] == "buffers" else Operator
    fields, stated = OUTSIDE[kind], []
    for row in (fields.offset, fields.size):
        found = _locate(original, (*address[:-1], row.name))
        if found is None:
            return Misfit.OTHER_SIZE
        stated.append(_number("<Q", original, found[0]) if found[0] else 0)
    start, size = stated
    fits = size == len(data) and start > PLACEHOLDER and start + size <= len(original)
    return (start, data) if fits else Misfit.OTHER_SIZE


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
    """Byte of the field an address ends with, 0 if its table does not state it.

    None if there is no such table in the bytes, which have been verified.
    """
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
        if row is not None and depth == len(address) - 1:
            return place, row
        if row is None or not place:
            return None
        number = data[_slot(data, at, row.slot - 1)] if row.kind is Kind.UNION else 1
        if not 1 <= number <= len(row.members):
            return None
        kind = row.members[number - 1]
        at = place + _number("<I", data, place)
    return None
