# SPDX-License-Identifier: Apache-2.0
"""The metadata "COMPRESSION_METADATA": which tensors TFLM decompresses with a table.

The buffer holds a flatbuffer of its own: `Metadata {schema_version, subgraphs}`, `Subgraph
{lut_tensors}`, `LutTensor {tensor, value_buffer, index_bitwidth}` (tflite-micro,
micro/compression/metadata.fbs). It has no size prefix: TFLM takes the length of the vector
around it for one (micro/micro_allocator.cc). Files with fields that this schema lacks are not
read, since writing them again would lose those fields.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

import flatbuffers

from tflm_studio.model.errors import ReadError

COMPRESSION = "COMPRESSION_METADATA"
SCHEMA_VERSION = 1
# Sizes of the fields of each table, in slot order.
_METADATA = (4, 4)
_SUBGRAPH = (4,)
_LUT_TENSOR = (4, 4, 1)
LUT_TENSOR_BYTES = 8  # the least that one takes: its entry in the list, and an empty table


class LutTensor(NamedTuple):
    """A tensor whose buffer holds indices into a table of values.

    Attributes:
        tensor: Its index in the subgraph.
        value_buffer: Index of the buffer with the table.
        index_bitwidth: Bits of an index.
    """

    tensor: int
    value_buffer: int
    index_bitwidth: int


class Compression(NamedTuple):
    """What the metadata says.

    Attributes:
        schema_version: As the file states it.
        subgraphs: For each subgraph its compressed tensors; those at the end may be left out.
    """

    schema_version: int
    subgraphs: tuple[tuple[LutTensor, ...], ...]


def parse_compression(data: bytes | bytearray | memoryview) -> Compression:
    """Reads the metadata.

    Raises:
        ReadError: The bytes are no such flatbuffer, or one of a newer kind.
    """
    view = _View(bytes(data))
    root = view.table(view.jump(0), _METADATA)
    version = view.unpack("<I", root[0]) if root[0] else SCHEMA_VERSION
    if version != SCHEMA_VERSION:
        raise ReadError(f"version {version} is not known")
    subgraphs = []
    for place in view.items(root[1]):
        luts = view.items(view.table(place, _SUBGRAPH)[0])
        view.spend(len(luts))
        subgraphs.append(tuple(view.lut_tensor(lut) for lut in luts))
    return Compression(version, tuple(subgraphs))


def encode_compression(compression: Compression) -> bytes:
    """The flatbuffer of the metadata."""
    builder = flatbuffers.Builder(64)
    subgraphs = []
    for luts in compression.subgraphs:
        offsets = [_put_lut_tensor(builder, lut) for lut in luts]
        vector = _put_list(builder, offsets)
        builder.StartObject(len(_SUBGRAPH))
        builder.PrependUOffsetTRelativeSlot(0, vector, 0)
        subgraphs.append(builder.EndObject())
    vector = _put_list(builder, subgraphs)
    builder.StartObject(len(_METADATA))
    builder.PrependUint32Slot(0, compression.schema_version, SCHEMA_VERSION)
    builder.PrependUOffsetTRelativeSlot(1, vector, 0)
    builder.Finish(builder.EndObject())
    return bytes(builder.Output())


def _put_lut_tensor(builder: flatbuffers.Builder, lut: LutTensor) -> int:
    builder.StartObject(len(_LUT_TENSOR))
    builder.PrependInt32Slot(0, lut.tensor, 0)
    builder.PrependUint32Slot(1, lut.value_buffer, 0)
    builder.PrependUint8Slot(2, lut.index_bitwidth, 0)
    return int(builder.EndObject())


def _put_list(builder: flatbuffers.Builder, offsets: list[int]) -> int:
    builder.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        builder.PrependUOffsetTRelative(offset)
    return int(builder.EndVector())


class _View:
    """Reads with every offset checked."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.spent = 0

    def unpack(self, form: str, at: int) -> int:
        if not 0 <= at <= len(self.data) - struct.calcsize(form):
            raise ReadError(f"byte {at} is outside its {len(self.data)} bytes")
        return int(struct.unpack_from(form, self.data, at)[0])

    def jump(self, at: int) -> int:
        return at + self.unpack("<I", at)

    def table(self, at: int, sizes: tuple[int, ...]) -> list[int]:
        """Where the fields of a table are; 0 for those that are absent."""
        vtable = at - self.unpack("<i", at)
        length, table_size = self.unpack("<H", vtable), self.unpack("<H", vtable + 2)
        if length < 4 or length % 2 or at + table_size > len(self.data):
            raise ReadError(f"the table at byte {at} is damaged")
        slots = [self.unpack("<H", vtable + k) for k in range(4, length, 2)]
        if any(slots[len(sizes) :]):
            raise ReadError(f"the table at byte {at} has fields of a newer schema")
        slots += [0] * (len(sizes) - len(slots))
        for slot, size in zip(slots, sizes, strict=False):
            if slot and not 4 <= slot <= table_size - size:
                raise ReadError(f"a field of the table at byte {at} is outside of it")
        return [slot and at + slot for slot in slots[: len(sizes)]]

    def items(self, field: int) -> list[int]:
        """Where the tables of a list are; none if the field is absent."""
        if not field:
            return []
        at = self.jump(field)
        count = self.unpack("<I", at)
        if count > (len(self.data) - at - 4) // 4:
            raise ReadError(f"there is no room for {count} items at byte {at}")
        return [self.jump(at + 4 + 4 * k) for k in range(count)]

    def spend(self, count: int) -> None:
        """Refuses lists that are named so often that few bytes would take much memory."""
        self.spent += count
        if self.spent * LUT_TENSOR_BYTES > len(self.data):
            raise ReadError("several subgraphs share their lists")

    def lut_tensor(self, at: int) -> LutTensor:
        fields = self.table(at, _LUT_TENSOR)
        forms = ("<i", "<I", "<B")
        return LutTensor(
            *(
                self.unpack(form, field) if field else 0
                for form, field in zip(forms, fields, strict=True)
            )
        )
