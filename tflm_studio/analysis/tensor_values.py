# SPDX-License-Identifier: Apache-2.0
"""The values of tensors and buffers as numpy arrays, whatever form they are in."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tflm_studio.analysis.block_scales import block_reals
from tflm_studio.analysis.compressed_values import decompressed
from tflm_studio.analysis.sparse_values import densified
from tflm_studio.analysis.string_values import read_strings
from tflm_studio.model.address import Address, format_address, parse_address, resolve
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.place_names import count_text
from tflm_studio.model.quantization import find_quantization
from tflm_studio.model.tensor_types import (
    ELEMENT_TYPES,
    Array,
    ElementType,
    decode,
    element_type,
)
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import Model, Tensor

_BY_NAME = {kind.name: kind for kind in ELEMENT_TYPES.values()}


def values(
    model: Model, address: Address | str, *, real: bool = False, dtype: object = None
) -> Array:
    """The values that a tensor or a buffer holds.

    Sparse tensors are made dense, compressed ones are decompressed.

    Args:
        model: The model.
        address: A tensor such as `subgraphs[0].tensors[3]`, or a buffer such as `buffers[7]`.
        real: Whether quantised values are turned into the reals they stand for.
        dtype: What the elements of a buffer are: a numpy dtype, or the name of an element type
            such as "int4"; bytes if not given. For a tensor, its own type counts.

    Returns:
        An array of the tensor's shape, or a flat one for a buffer: integers in the narrowest
        numpy type (int8 for int4 and int2), float32 for bfloat16 and the float8 types, bool,
        or objects of type bytes for strings; float64 if `real`. It may be a read-only view of
        the file.

    Raises:
        EditError: There is nothing there, nothing is stored, or it does not fit the shape.
    """
    place = parse_address(address) if isinstance(address, str) else address
    match place:
        case ("subgraphs", int(), "tensors", int()):
            if dtype is not None:
                raise EditError(f"{format_address(place)}: a tensor has a type of its own.")
            return _tensor_values(model, place, real=real)
        case ("buffers", int()):
            found = decode(_bytes(resolve(model, place), place), kind_named(dtype))
            return found.astype(np.float64) if real else found
    raise EditError(
        f"'{format_address(place)}' is neither a tensor nor a buffer; name one such as "
        "subgraphs[0].tensors[3] or buffers[7]."
    )


def kind_named(dtype: object) -> ElementType:
    """The element type of a numpy dtype or a name such as "int4"; uint8 for None.

    Raises:
        EditError: There is none.
    """
    if dtype is None:
        return ELEMENT_TYPES[TensorType.UINT8]
    known = _BY_NAME.get(str(dtype))
    if known is None:
        try:
            known = _BY_NAME.get(np.dtype(dtype).name)  # type: ignore[call-overload]
        except TypeError:
            known = None
    if known is None or not known.bits:
        names = ", ".join(kind.name for kind in _BY_NAME.values() if kind.bits)
        raise EditError(f"There is no element type {dtype!r}; there are {names}.")
    return known


def _bytes(holder: Any, place: Address) -> memoryview:
    if holder is None or not data_bytes(holder.data):
        raise EditError(f"{format_address(place)}: nothing is stored there.")
    return memoryview(holder.data).cast("B")


def _tensor_values(model: Model, place: Address, *, real: bool) -> Array:
    tensor = resolve(model, place)
    assert isinstance(tensor, Tensor)
    stored = _stored_values(model, place, tensor)
    if not real:
        return stored
    if stored.dtype == object:
        raise EditError(f"{format_address(place)}: texts stand for no reals.")
    details = tensor.quantization.details if tensor.quantization is not None else None
    if details is not None:
        return block_reals(model, place, stored, details, values)
    quantization = find_quantization(tensor)
    flat = stored.reshape(-1)
    if stored.dtype.kind == "c":
        raise EditError(f"{format_address(place)}: complex numbers stand for no reals.")
    if quantization is None or element_type(tensor.type).kind != "integer":
        with np.errstate(invalid="ignore"):  # a NaN may be one that signals
            return stored.astype(np.float64)
    return quantization.to_real(flat).reshape(stored.shape)


def _stored_values(model: Model, place: Address, tensor: Tensor) -> Array:
    shape, kind = tuple(tensor.shape or ()), element_type(tensor.type)
    if min(shape, default=0) < 0:
        raise EditError(f"{format_address(place)}: its shape has a negative dimension.")
    expanded = decompressed(model, place, tensor, kind)
    if expanded is not None:
        return _fitted(expanded, shape, kind, place)
    buffers = model.buffers or []
    buffer = buffers[tensor.buffer] if tensor.buffer < len(buffers) else None
    if math.prod(shape) == 0 and (buffer is None or not data_bytes(buffer.data)):
        return decode(b"", kind).reshape(shape)
    data = _bytes(buffer, place)
    if kind.name == "string":
        return _fitted(read_strings(data, format_address(place)), shape, kind, place)
    if not kind.bits:
        raise EditError(f"{format_address(place)}: {kind.name} has no values to show.")
    if tensor.sparsity is not None:
        return densified(decode(data, kind), shape, tensor.sparsity, format_address(place))
    needed = kind.nbytes(math.prod(shape))
    if needed != len(data):
        raise EditError(
            f"{format_address(place)}: its shape takes {count_text(needed)} bytes as "
            f"{kind.name}, its buffer {tensor.buffer} has {len(data):,}."
        )
    return decode(data, kind, 0, math.prod(shape)).reshape(shape)


def _fitted(found: Array, shape: tuple[int, ...], kind: ElementType, place: Address) -> Array:
    if found.size != math.prod(shape):
        raise EditError(
            f"{format_address(place)}: its shape takes {count_text(math.prod(shape))} values "
            f"of {kind.name}, {found.size:,} are stored."
        )
    return found.reshape(shape)
