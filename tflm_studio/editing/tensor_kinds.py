# SPDX-License-Identifier: Apache-2.0
"""What a tensor is: a constant, a variable or an activation; its type and quantisation."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tflm_studio.editing.compressed_entries import forget_compression
from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.located import bytes_of, subgraph_at, tensor_at, tensor_place
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.quantized_neighbours import neighbour_notes
from tflm_studio.editing.renumbering import insert_items
from tflm_studio.editing.shared_buffers import is_shared
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import makers_of
from tflm_studio.model.operators import has_data
from tflm_studio.model.place_names import at_start, name_operator, name_tensor
from tflm_studio.model.quantization import find_quantization
from tflm_studio.model.tensor_shapes import element_count, needed_bytes
from tflm_studio.model.tensor_types import Array, element_type, encode
from tflm_studio.schema.tables import Buffer, Model, QuantizationParameters, Tensor

LARGEST_DATA = 2**31 - 1  # what fits into a flatbuffer


def make_constant(
    model: Model,
    subgraph_index: int,
    tensor_index: int,
    data: bytes | bytearray | memoryview | None = None,
) -> Proposal:
    """Gives a tensor data of its own.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        tensor_index: Which tensor.
        data: Its bytes; None for real zeros, which are zero points if it is quantised.

    Raises:
        EditError: An operator makes it, it is an input, or the bytes do not fit its shape.
    """
    name = _start(model, subgraph_index, tensor_index)
    _check_not_given(model, subgraph_index, tensor_index, "a constant")
    tensor = tensor_at(model, subgraph_index, tensor_index)
    needed = needed_bytes(tensor)
    if data is None:
        data = _zeros(tensor, name)
    elif needed is not None and memoryview(data).nbytes != needed:
        raise EditError(f"{name} needs {needed:,} bytes, not {memoryview(data).nbytes:,}.")
    if not memoryview(data).nbytes:
        raise EditError(f"{name} has no elements; a constant needs data.")
    place = tensor_place(subgraph_index, tensor_index)
    with Draft(model) as draft:
        index = _own_buffer(draft, subgraph_index, tensor_index)
        draft.do(Set(("buffers", index, "data"), data))
        forget_compression(draft, subgraph_index, {tensor_index})
        if tensor.is_variable:
            draft.do(Set((*place, "is_variable"), value=False))
    return draft.proposal(
        f"Make {name_tensor(model, subgraph_index, tensor_index)} a constant"
    )


def _zeros(tensor: Tensor, name: str) -> bytes:
    needed, kind = needed_bytes(tensor), element_type(tensor.type)
    if needed is None or kind.kind == "opaque":
        raise EditError(f"{name} has no fixed size; give its bytes.")
    if needed > LARGEST_DATA:
        raise EditError(f"{name} needs more than 2 GB.")
    count = element_count(tensor) or 0
    quantization = find_quantization(tensor) if kind.kind == "integer" else None
    if quantization is None or not quantization.zero_point.any():
        return bytes(needed)
    narrow = np.int8 if kind.is_packed else kind.storage
    points = np.clip(quantization.zero_point, kind.low, kind.high).astype(narrow)
    # The channels follow each other again and again: no index for each element is needed.
    values: Array = np.resize(np.repeat(points, max(1, quantization.inner)), count)
    return encode(values, kind)


def _own_buffer(draft: Draft, subgraph_index: int, tensor_index: int) -> int:
    """A buffer that nothing but the tensor uses: its own, or a new one without data."""
    model = draft.model
    index = tensor_at(model, subgraph_index, tensor_index).buffer
    if 0 < index < len(model.buffers or []) and not is_shared(model, index):
        return index
    if not model.buffers:
        draft.do(insert_items(model, "buffers", 0, [Buffer()]))
    place = len(model.buffers or [])
    draft.do(insert_items(model, "buffers", place, [Buffer()]))
    draft.do(Set((*tensor_place(subgraph_index, tensor_index), "buffer"), place))
    return place


def make_variable(model: Model, subgraph_index: int, tensor_index: int) -> Proposal:
    """Lets a tensor keep its values from one run to the next; its data is dropped.

    Raises:
        EditError: An operator makes it or it is an input, so that it gets values elsewhere.
    """
    _check_not_given(model, subgraph_index, tensor_index, "a variable")
    name = name_tensor(model, subgraph_index, tensor_index)
    place = tensor_place(subgraph_index, tensor_index)
    with Draft(model) as draft:
        _drop_data(draft, subgraph_index, tensor_index)
        draft.do(Set((*place, "is_variable"), value=True))
    return draft.proposal(f"Make {name} a variable")


def make_activation(model: Model, subgraph_index: int, tensor_index: int) -> Proposal:
    """Lets a tensor get its values in each run; its data is dropped.

    Raises:
        EditError: There is no such tensor.
    """
    subgraph = subgraph_at(model, subgraph_index)
    name = name_tensor(model, subgraph_index, tensor_index)
    tensor = tensor_at(model, subgraph_index, tensor_index)
    with Draft(model) as draft:
        _drop_data(draft, subgraph_index, tensor_index)
        if tensor.is_variable:
            place = (*tensor_place(subgraph_index, tensor_index), "is_variable")
            draft.do(Set(place, value=False))
        if tensor_index not in (subgraph.inputs or ()) and not makers_of(
            subgraph, tensor_index
        ):
            start = _start(model, subgraph_index, tensor_index)
            draft.note(f"{start} gets no values: no operator makes it and it is no input.")
    return draft.proposal(f"Make {name} an activation")


def _drop_data(draft: Draft, subgraph_index: int, tensor_index: int) -> None:
    model = draft.model
    tensor = tensor_at(model, subgraph_index, tensor_index)
    if not has_data(model, tensor):
        return
    forget_compression(draft, subgraph_index, {tensor_index})
    draft.note(f"{len(bytes_of(model, tensor.buffer)):,} bytes of data are dropped.")
    if is_shared(model, tensor.buffer):
        # Others go on to use the buffer. Buffer 0 has no data, unless the model is senseless.
        is_empty = not len(bytes_of(model, 0))
        index = 0 if is_empty else len(model.buffers or [])
        if not is_empty:
            draft.do(insert_items(model, "buffers", index, [Buffer()]))
        draft.do(Set((*tensor_place(subgraph_index, tensor_index), "buffer"), index))
        draft.note("The bytes stay in the buffer, because others use it.")
        return
    place = ("buffers", tensor.buffer)
    edits: list[Edit] = [Set((*place, "data"), None)]
    edits += [Set((*place, "offset"), 0), Set((*place, "size"), 0)]
    draft.do([edit for edit in edits if edit.changes(model)])


def _check_not_given(model: Model, subgraph_index: int, tensor_index: int, what: str) -> None:
    subgraph = subgraph_at(model, subgraph_index)
    name = _start(model, subgraph_index, tensor_index)
    makers = makers_of(subgraph, tensor_index)
    if makers:
        maker = name_operator(model, subgraph_index, makers[0])
        raise EditError(f"{name} cannot become {what}: {maker} makes it.")
    if tensor_index in (subgraph.inputs or ()):
        raise EditError(
            f"{name} cannot become {what}: it is an input; remove it from the inputs first."
        )


def _start(model: Model, subgraph_index: int, tensor_index: int) -> str:
    tensor_at(model, subgraph_index, tensor_index)
    name = name_tensor(model, subgraph_index, tensor_index)
    return at_start(name)


# ------------------------------------------------------------------ type and quantisation


def set_type(model: Model, subgraph_index: int, tensor_index: int, type: int) -> Proposal:
    """Gives a tensor another element type; its bytes stay as they are.

    Raises:
        EditError: There is no such tensor or type.
    """
    tensor = tensor_at(model, subgraph_index, tensor_index)
    edit = Set((*tensor_place(subgraph_index, tensor_index), "type"), type)
    edit.check(model)
    name, kind = _start(model, subgraph_index, tensor_index), element_type(edit.value)
    count, notes = element_count(tensor), []
    size = len(bytes_of(model, tensor.buffer))
    if size and count is not None and kind.bits and size != kind.nbytes(count):
        notes.append(
            f"{name} needs {kind.nbytes(count):,} bytes as {kind.name}; its buffer has "
            f"{size:,}."
        )
    quantization = find_quantization(tensor)
    if quantization is not None and kind.kind != "integer":
        notes.append(f"{name} keeps a scale, which means nothing for {kind.name}.")
    elif quantization is not None and not (
        kind.low <= quantization.zero_point.min() <= quantization.zero_point.max() <= kind.high
    ):
        notes.append(f"{name} has a zero point that {kind.name} cannot hold.")
    label = f"Set the type of tensor {tensor_index} to {kind.name}"
    return Proposal((edit,), tuple(notes), label)


def set_quantization(
    model: Model,
    subgraph_index: int,
    tensor_index: int,
    scale: Sequence[float],
    zero_point: Sequence[int] = (0,),
    quantized_dimension: int = 0,
) -> Proposal:
    """Gives a tensor another affine quantisation; its bytes stay as they are.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        tensor_index: Which tensor.
        scale: One for the tensor, one for each channel, or none to take it away.
        zero_point: One for all, or one for each scale.
        quantized_dimension: The dimension of the channels.

    Raises:
        EditError: The numbers do not go together or not with shape and type of the tensor.
    """
    tensor = tensor_at(model, subgraph_index, tensor_index)
    name = _start(model, subgraph_index, tensor_index)
    zeros = list(zero_point) * (len(scale) if len(zero_point) == 1 else 1)
    _check_quantization(tensor, name, scale, zeros, quantized_dimension)
    place = (*tensor_place(subgraph_index, tensor_index), "quantization")
    values: dict[str, object] = {
        "scale": list(scale) or None,
        "zero_point": zeros or None,
        "quantized_dimension": quantized_dimension if len(scale) > 1 else 0,
    }
    with Draft(model) as draft:
        if tensor.quantization is None:
            draft.do(Set(place, QuantizationParameters()))
        elif tensor.quantization.details is not None:
            draft.note(f"{name} has details of quantisation that count instead of a scale.")
        draft.do([Set((*place, field), value) for field, value in values.items()])
        draft.note(*neighbour_notes(model, subgraph_index, tensor_index))
    named = name_tensor(model, subgraph_index, tensor_index)
    return draft.proposal(f"Set the quantisation of {named}")


def _check_quantization(
    tensor: Tensor, name: str, scale: Sequence[float], zeros: Sequence[int], dimension: int
) -> None:
    shape, kind = tensor.shape or [], element_type(tensor.type)
    if scale and kind.kind != "integer":
        raise EditError(f"{name} is {kind.name}; only whole numbers have a scale.")
    if len(scale) != len(zeros):
        raise EditError(f"{name}: {len(scale)} scales and {len(zeros)} zero points differ.")
    if any(not math.isfinite(value) or value <= 0 for value in scale):
        raise EditError(f"{name}: a scale has to be a number above 0.")
    bad = [zero for zero in zeros if not kind.low <= zero <= kind.high]
    if bad:
        raise EditError(f"{name}: {kind.name} cannot hold the zero point {bad[0]}.")
    if len(scale) > 1 and not 0 <= dimension < len(shape):
        raise EditError(
            f"{name} has {len(shape)} dimensions; there is no dimension {dimension}."
        )
    if len(scale) > 1 and len(scale) != shape[dimension]:
        raise EditError(
            f"{name}: {len(scale)} scales do not fit the {shape[dimension]} channels of "
            f"dimension {dimension}."
        )
