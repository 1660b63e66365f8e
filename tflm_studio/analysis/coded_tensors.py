# SPDX-License-Identifier: Apache-2.0
"""Tensors whose bytes are not their values one after another: sparse, compressed, texts."""

from __future__ import annotations

from typing import NamedTuple

from tflm_studio.analysis.compressed_tensors import find_compression
from tflm_studio.analysis.compressed_values import decoder_of
from tflm_studio.model.address import Address
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.tables import Model, SubGraph, Tensor


class CodedForm(NamedTuple):
    """How a tensor is stored.

    Attributes:
        buffer_index: The buffer with its bytes, which need not be its own.
        note: What people are told of it; empty for texts.
        reason: Why single values cannot be written.
    """

    buffer_index: int
    note: str = ""
    reason: str = ""


def coded_form(model: Model, place: Address, tensor: Tensor) -> CodedForm | None:
    """How a tensor is coded, None if its bytes are its values. O(operators) at most.

    Args:
        model: A model, however senseless.
        place: The address of the tensor.
        tensor: The tensor.
    """
    buffers = model.buffers or []
    has_data = tensor.buffer < len(buffers) and data_bytes(buffers[tensor.buffer].data) > 0
    if has_data and tensor.sparsity is not None:
        return CodedForm(
            tensor.buffer,
            "Stored sparse, shown dense.",
            "its zeros have no place in the buffer; Hex shows what is stored.",
        )
    if has_data and element_type(tensor.type).name == "string":
        return CodedForm(tensor.buffer)
    if has_data and _has_table(model, int(place[1]), int(place[3])):
        return CodedForm(
            tensor.buffer,
            "Stored as indices into a table (COMPRESSION_METADATA), shown decoded.",
            "one table gives many of them; Hex shows the indices.",
        )
    if has_data:
        return None
    subgraph = (model.subgraphs or [])[int(place[1])]
    encoded = _encoded_buffer(model, subgraph, int(place[3]))
    if encoded is None:
        return None
    return CodedForm(
        encoded,
        f"Made by TFLM_DECODE from buffer {encoded}, shown decoded.",
        "they have no bytes of their own; Hex shows what they are made from.",
    )


def _has_table(model: Model, subgraph_index: int, tensor_index: int) -> bool:
    compression = find_compression(model)
    parts = compression.subgraphs if compression is not None else ()
    known = subgraph_index < len(parts)
    return known and any(lut.tensor == tensor_index for lut in parts[subgraph_index])


def _encoded_buffer(model: Model, subgraph: SubGraph, tensor_index: int) -> int | None:
    found = decoder_of(model, subgraph, tensor_index)
    if found is None:
        return None
    tensor = (subgraph.tensors or [])[found[0]]
    buffers = model.buffers or []
    has_data = tensor.buffer < len(buffers) and data_bytes(buffers[tensor.buffer].data)
    return tensor.buffer if has_data else None
