# SPDX-License-Identifier: Apache-2.0
"""What is stored at a place of a model, as the contents of a buffer."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from tflm_studio.analysis.axis_names import axis_names, rank_names
from tflm_studio.analysis.block_scales import block_quantization
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.coded_tensors import CodedForm, coded_form
from tflm_studio.analysis.fitted_shapes import fitted_shape, times_text
from tflm_studio.analysis.string_values import read_strings
from tflm_studio.analysis.tensor_values import values
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.model.address import Address, format_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import data_bytes, data_view
from tflm_studio.model.operators import weight_inputs
from tflm_studio.model.place_names import count_text
from tflm_studio.model.quantization import find_quantization
from tflm_studio.model.tensor_types import RAW_BYTES, element_type, encode
from tflm_studio.schema.tables import Buffer, Model, Operator, SubGraph, Tensor

MOST_DECODED = 1 << 26  # values that are kept decoded beside the stored bytes


def contents_at(model: Model, address: Address) -> BufferContents | None:
    """What is stored at a tensor, a buffer, a metadata entry or an operator's weights.

    Args:
        model: A model, however senseless.
        address: The place itself or one below it.

    Returns:
        The contents, with `data` None for a tensor without any; None if the address leads to
        nothing that can have bytes. O(tensors) for a buffer, else O(operators).
    """
    match address:
        case ("subgraphs", int(s), "tensors", int(t), *_):
            return _tensor_contents(model, s, t)
        case ("subgraphs", int(s), "operators", int(o), *_):
            weights = _first_weights(model, s, o)
            return None if weights is None else _tensor_contents(model, s, weights)
        case ("buffers", int(b), *_):
            return _buffer_contents(model, b)
        case ("metadata", int(m), *_):
            entry = _item(model.metadata, m)
            if entry is None:
                return None
            name = entry.name or f"metadata {m}"
            return _raw_contents(model, entry.buffer, name, f"metadata {m}, ")
    return None


def _item(items: list[Any] | None, index: int) -> Any:
    return items[index] if items is not None and 0 <= index < len(items) else None


def _subgraph(model: Model, index: int) -> SubGraph | None:
    found = _item(model.subgraphs, index)
    return found if isinstance(found, SubGraph) else None


def _first_weights(model: Model, s: int, o: int) -> int | None:
    subgraph = _subgraph(model, s)
    operator = _item(subgraph.operators, o) if subgraph is not None else None
    if subgraph is None or not isinstance(operator, Operator):
        return None
    return next(iter(weight_inputs(model, subgraph, operator)), None)


def _tensor_contents(model: Model, s: int, t: int) -> BufferContents | None:
    subgraph = _subgraph(model, s)
    tensor = _item(subgraph.tensors, t) if subgraph is not None else None
    if subgraph is None or not isinstance(tensor, Tensor):
        return None
    kind = element_type(tensor.type)
    stored = _Stored(model, tensor.buffer)
    declared = tuple(tensor.shape or ())
    shape, note = fitted_shape(declared, kind, len(stored.data or b""))
    where = f"subgraph {s}, tensor {t}" if s else f"tensor {t}"
    place: Address = ("subgraphs", s, "tensors", t)
    found = BufferContents(
        buffer_index=tensor.buffer,
        data=stored.data,
        kind=kind,
        shape=shape,
        quantization=find_quantization(tensor) if kind.kind == "integer" else None,
        name=tensor.name or "unnamed",
        place=f"{where}, buffer {tensor.buffer}",
        tensor_address=place,
        file_offset=stored.file_offset,
        axis_names=axis_names(model, subgraph, t, len(shape)),
        declared_shape=declared,
        note=note if stored.data is not None else "",
    )
    return _understood(model, place, tensor, found)


def _understood(
    model: Model, place: Address, tensor: Tensor, found: BufferContents
) -> BufferContents:
    """Contents with what it takes to read blocks, texts, sparse and compressed values."""
    form = coded_form(model, place, tensor)
    if form is not None:
        stored = _Stored(model, form.buffer_index)
        return replace(
            found,
            buffer_index=form.buffer_index,
            data=stored.data,
            file_offset=stored.file_offset,
            decoding=lambda: _decoded(model, place, tensor, found, form),
            note=(form.note or found.note) if stored.data is not None else "",
        )
    details = tensor.quantization.details if tensor.quantization is not None else None
    if details is None or found.data is None or found.kind.kind != "integer":
        return found
    try:
        blocks = block_quantization(model, place, found.shape, details, values)
    except EditError as error:
        return replace(found, note=found.note or str(error))
    return replace(found, quantization=blocks)


def _decoded(
    model: Model, place: Address, tensor: Tensor, found: BufferContents, form: CodedForm
) -> BufferContents:
    """Contents of a tensor whose bytes are not its values, O(elements)."""
    shape, stored = tuple(tensor.shape or ()), _Stored(model, form.buffer_index)
    if math.prod(shape) > MOST_DECODED:
        raise EditError(
            f"{form.note} It has {count_text(math.prod(shape))} values; no more than "
            f"{MOST_DECODED:,} are decoded here."
        )
    if found.kind.name == "string" and stored.data is not None:
        texts = read_strings(stored.data, format_address(place))
        fits = math.prod(shape) == len(texts) and min(shape, default=0) >= 0
        note = f"The shape {times_text(shape)} does not fit {len(texts):,} texts."
        shown = shape if fits else (len(texts),)
        made = replace(found, texts=texts, shape=shown, note="" if fits else note)
    else:
        data = memoryview(encode(values(model, place).reshape(-1), found.kind))
        reason = f"{form.note} Values are read-only: {form.reason}"
        made = replace(found, data=data, shape=shape, note=reason, read_only=reason)
    names = found.axis_names if len(found.axis_names) == len(made.shape) else ()
    subgraph = (model.subgraphs or [])[int(place[1])]
    return replace(
        made,
        buffer_index=form.buffer_index,
        file_offset=stored.file_offset,
        stored=stored.data,
        axis_names=names or axis_names(model, subgraph, int(place[3]), len(made.shape)),
    )


def _buffer_contents(model: Model, b: int) -> BufferContents | None:
    if _item(model.buffers, b) is None:
        return None
    for s, subgraph in enumerate(model.subgraphs or []):
        for t, tensor in enumerate(subgraph.tensors or []):
            if tensor.buffer == b:
                return _tensor_contents(model, s, t)
    for m, entry in enumerate(model.metadata or []):
        if entry.buffer == b:
            return contents_at(model, ("metadata", m))
    return _raw_contents(model, b, f"buffer {b}", "not used, ")


def _raw_contents(model: Model, b: int, name: str, place: str) -> BufferContents:
    stored = _Stored(model, b)
    return BufferContents(
        buffer_index=b,
        data=stored.data,
        kind=RAW_BYTES,
        shape=(len(stored.data or b""),),
        quantization=None,
        name=name,
        place=f"{place}buffer {b}",
        file_offset=stored.file_offset,
        axis_names=rank_names(1),
    )


class _Stored:
    """The bytes of a buffer, wherever the file keeps them.

    Attributes:
        data: A view of them, None if there are none.
        file_offset: Where they start in the file, None if they are not part of it.
    """

    def __init__(self, model: Model, buffer_index: int) -> None:
        self.data: memoryview | None = None
        self.file_offset: int | None = None
        origin = model.extra
        buffer = _item(model.buffers, buffer_index)
        if isinstance(buffer, Buffer) and data_bytes(buffer.data):
            self.data = data_view(buffer.data)
        if self.data is not None and isinstance(origin, Origin):
            start = _memory_address(self.data) - _memory_address(origin.data)
            self.file_offset = start if 0 <= start < len(origin.data) else None


def _memory_address(data: memoryview) -> int:
    return int(np.frombuffer(data, np.uint8).ctypes.data)
