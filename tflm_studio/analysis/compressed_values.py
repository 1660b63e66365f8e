# SPDX-License-Identifier: Apache-2.0
"""Tensors whose buffer holds indices into a table of values.

TFLM has two ways: COMPRESSION_METADATA names the tensors, their tables and the bits per index
(tflite-micro, micro/compression/metadata.fbs); the newer one puts a custom operator
TFLM_DECODE before the user of the tensor, whose second input describes the first (16 bytes,
then the table). Indices are packed with the highest bit first.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.compressed_tensors import find_compression
from tflm_studio.model.address import Address, format_address, resolve
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.operators import operator_code
from tflm_studio.model.tensor_types import Array, ElementType, decode
from tflm_studio.schema.tables import Model, SubGraph, Tensor

DECODE = "TFLM_DECODE"
HEADER_BYTES = 16
LOOKUP_TABLE, HEADER_VERSION = 0, 1
MOST_BITS = 7
PIECE = 1 << 16  # values that are looked up at once


def decompressed(
    model: Model, place: Address, tensor: Tensor, kind: ElementType
) -> Array | None:
    """The values of a tensor that is compressed, flat; None if it is not.

    Raises:
        EditError: It is, in a way that cannot be read.
    """
    subgraph_index, tensor_index = int(place[1]), int(place[3])
    compression = find_compression(model)
    parts = compression.subgraphs if compression is not None else ()
    for lut in parts[subgraph_index] if subgraph_index < len(parts) else ():
        if lut.tensor == tensor_index:
            table = decode(_buffer(model, lut.value_buffer, place), kind)
            indices = _buffer(model, tensor.buffer, place)
            channels = _channels(tensor)
            stride = len(table) // channels
            return _looked_up(indices, lut.index_bitwidth, table, stride, tensor, place)
    return _decoded(model, place, tensor, kind)


def _decoded(model: Model, place: Address, tensor: Tensor, kind: ElementType) -> Array | None:
    """The output of a TFLM_DECODE operator with constant inputs."""
    buffers = model.buffers or []
    if tensor.buffer < len(buffers) and data_bytes(buffers[tensor.buffer].data):
        return None
    subgraph = resolve(model, place[:2])
    assert isinstance(subgraph, SubGraph)
    found = decoder_of(model, subgraph, int(place[3]))
    if found is None:
        return None
    encoded, ancillary = (
        _buffer(model, (subgraph.tensors or [])[index].buffer, place) for index in found
    )
    head = bytes(ancillary[:HEADER_BYTES])
    if len(head) < HEADER_BYTES or head[1] != HEADER_VERSION:
        raise EditError(f"{format_address(place)}: the header of its compression is unknown.")
    if head[0] != LOOKUP_TABLE or head[4] != 1:
        raise EditError(
            f"{format_address(place)}: it is compressed in way {head[0]}, which cannot be "
            "read here; tables can."
        )
    table = decode(ancillary[HEADER_BYTES:], kind)
    return _looked_up(encoded, head[5] & MOST_BITS, table, head[6], tensor, place)


def decoder_of(model: Model, subgraph: SubGraph, tensor_index: int) -> tuple[int, int] | None:
    """The encoded tensor and its description, of the operator that makes a tensor."""
    for operator in subgraph.operators or []:
        outputs = operator.outputs or []
        if tensor_index not in outputs:
            continue
        code = operator_code(model, operator)
        inputs = operator.inputs or []
        position = 2 * outputs.index(tensor_index)
        pair = inputs[position : position + 2]
        count = len(subgraph.tensors or [])
        if code is not None and code.custom_code == DECODE and len(pair) == 2:
            return (pair[0], pair[1]) if all(0 <= i < count for i in pair) else None
    return None


def _buffer(model: Model, index: int, place: Address) -> memoryview:
    buffers = model.buffers or []
    data = buffers[index].data if 0 <= index < len(buffers) else None
    if data is None or not data_bytes(data):
        raise EditError(
            f"{format_address(place)}: buffer {index} of its compression is empty."
        )
    return memoryview(data).cast("B")


def _channels(tensor: Tensor) -> int:
    scales = tensor.quantization.scale if tensor.quantization is not None else None
    return max(1, len(scales or ()))


def _looked_up(
    packed: memoryview, bits: int, table: Array, stride: int, tensor: Tensor, place: Address
) -> Array:
    shape, name = tuple(tensor.shape or ()), format_address(place)
    count = math.prod(shape)
    if not 1 <= bits <= MOST_BITS or stride < 1 or -(-count * bits // 8) > len(packed):
        raise EditError(f"{name}: the indices of its compression do not fit its shape.")
    channels, axis, inner = _channels(tensor), 0, 1
    if channels > 1:
        axis = tensor.quantization.quantized_dimension if tensor.quantization else 0
        if not 0 <= axis < len(shape) or shape[axis] != channels:
            raise EditError(f"{name}: its channels do not fit its shape.")
        inner = math.prod(shape[axis + 1 :])
    found: Array = np.empty(count, table.dtype)
    for start in range(0, count, PIECE):
        stop = min(start + PIECE, count)
        indices = _unpacked(packed, bits, start, stop - start)
        if channels > 1:
            indices = indices + np.arange(start, stop) // inner % channels * stride
        if int(indices.max()) >= len(table):
            raise EditError(f"{name}: an index of its compression is beyond the table.")
        found[start:stop] = table[indices]
    return found


def _unpacked(packed: memoryview, bits: int, start: int, count: int) -> NDArray[np.int64]:
    """Numbers of so many bits each, the highest bit first; `start` is a multiple of 8."""
    needed = -(-count * bits // 8)
    raw = np.frombuffer(packed, np.uint8, needed, start * bits // 8)
    each = np.unpackbits(raw)[: count * bits]
    weights = 1 << np.arange(bits - 1, -1, -1)
    numbers: NDArray[np.int64] = each.reshape(count, bits) @ weights
    return numbers
