# SPDX-License-Identifier: Apache-2.0
"""What a buffer holds: its bytes with the type, shape and quantisation to read them by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.block_scales import block_quantization
from tflm_studio.analysis.coded_tensors import CodedForm, coded_form
from tflm_studio.analysis.string_values import read_strings
from tflm_studio.analysis.tensor_values import values
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.model.address import Address, format_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.graph import data_bytes, data_view
from tflm_studio.model.operators import builtin_code, operator_code, weight_inputs
from tflm_studio.model.place_names import count_text
from tflm_studio.model.quantization import (
    AffineQuantization,
    BlockQuantization,
    Reals,
    find_quantization,
)
from tflm_studio.model.tensor_types import (
    RAW_BYTES,
    Array,
    ElementType,
    decode,
    element_type,
    encode,
)
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Buffer, Model, Operator, SubGraph, Tensor

_FILTER = ("out", "height", "width", "in")

# What the axes of a constant mean, by the operator that reads it and the input it is.
_AXES_OF_INPUT: dict[tuple[int, int], tuple[str, ...]] = {
    (BuiltinOperator.CONV_2D, 1): _FILTER,
    (BuiltinOperator.TRANSPOSE_CONV, 1): _FILTER,
    (BuiltinOperator.DEPTHWISE_CONV_2D, 1): ("one", "height", "width", "channel"),
    (BuiltinOperator.CONV_3D, 1): ("depth", "height", "width", "in", "out"),
    (BuiltinOperator.FULLY_CONNECTED, 1): ("out", "in"),
    (BuiltinOperator.SVDF, 1): ("filter", "in"),
    (BuiltinOperator.SVDF, 2): ("filter", "time"),
    (BuiltinOperator.CONV_2D, 2): ("out",),
    (BuiltinOperator.DEPTHWISE_CONV_2D, 2): ("channel",),
    (BuiltinOperator.FULLY_CONNECTED, 2): ("out",),
}
MOST_DIMENSIONS = 32  # what costs time for each of them does so for every element
MOST_DECODED = 1 << 26  # values that are kept decoded beside the stored bytes
_AXES_OF_RANK = {1: ("index",), 4: ("batch", "height", "width", "channel")}


@dataclass(frozen=True, slots=True, eq=False)
class BufferContents:
    """The bytes of one buffer and how to read them.

    Two are equal only if they are the same object: comparing bytes costs time.

    Attributes:
        buffer_index: Index into `Model.buffers`.
        data: The bytes, a view that is never copied; None if nothing is stored.
        kind: What one element is.
        shape: Dimensions; their product is the number of elements.
        quantization: How stored integers stand for reals, None if they do not.
        name: What people call it, such as the name of the tensor.
        place: Where it is, such as "tensor 12, buffer 61".
        tensor_address: The tensor that gives type and shape, None if no tensor does.
        file_offset: Where the bytes start in the file they were read from, if they do.
        axis_names: One for each dimension of `shape`.
        declared_shape: The shape that the tensor states, whether or not the bytes fit it.
        note: What does not fit together, for people; empty if all does.
        first_byte: Where `data` begins in the buffer.
        stored: All bytes of the buffer, if `data` is not the same.
        texts: The texts of a string tensor, one-dimensional; then `kind` is opaque.
        read_only: Why single values cannot be changed, empty if they can.
        decoding: Gives the contents with decoded values, which may take time; None if `data`
            holds what the tensor means. Raises EditError if they cannot be decoded.
    """

    buffer_index: int
    data: memoryview | None
    kind: ElementType
    shape: tuple[int, ...]
    quantization: AffineQuantization | None
    name: str
    place: str
    tensor_address: Address | None = None
    file_offset: int | None = None
    axis_names: tuple[str, ...] = ()
    declared_shape: tuple[int, ...] | None = None
    note: str = ""
    first_byte: int = 0
    stored: memoryview | None = None
    texts: Array | None = None
    read_only: str = ""
    decoding: Callable[[], BufferContents] | None = None

    @property
    def title(self) -> str:
        """Name and place in a line."""
        return f"{self.name}  {self.place}"

    @property
    def nbytes(self) -> int:
        """Bytes in the buffer."""
        return 0 if self.data is None else len(self.data)

    @property
    def all_bytes(self) -> memoryview:
        """The bytes of the buffer as they are stored, whatever they mean."""
        whole = self.data if self.stored is None else self.stored
        return memoryview(b"") if whole is None else whole

    @property
    def count(self) -> int:
        """Elements in the buffer."""
        return math.prod(self.shape) if self.nbytes else 0

    @property
    def is_editable(self) -> bool:
        """Whether single values can be changed."""
        is_known = self.kind.kind != "opaque" or self.texts is not None
        return is_known and not self.read_only

    @property
    def channel_axis(self) -> int | None:
        """The dimension that per-channel scales run along, None if there is one scale."""
        q = self.quantization
        if q is None or not q.inner or isinstance(q, BlockQuantization):
            return None
        for axis, size in enumerate(self.shape):
            if size == len(q.scale) and math.prod(self.shape[axis + 1 :]) == q.inner:
                return axis
        return None

    def values(self, start: int = 0, count: int | None = None) -> Array:
        """Stored values of consecutive elements; a view where the type allows it."""
        stop = self.count if count is None else min(start + count, self.count)
        if self.texts is not None:
            return self.texts[start:stop]
        return decode(self.data or b"", self.kind, start, max(0, stop - start))

    def reals(self, start: int = 0, count: int | None = None) -> Reals:
        """The reals that consecutive elements stand for, float64. O(count)."""
        stored = self.values(start, count)
        if self.quantization is None:
            return stored.astype(np.float64)
        return self.quantization.to_real(stored, start)

    def values_at(self, indices: NDArray[np.int64]) -> Array:
        """Stored values at flat indices, in the shape of `indices`. O(indices)."""
        if self.texts is not None:
            return self.texts[indices]
        data = self.data or b""
        if self.kind.is_packed:
            per_byte = 8 // self.kind.bits
            raw = np.frombuffer(data, np.uint8)[indices // per_byte]
            unpacked = decode(raw.tobytes(), self.kind).reshape(*indices.shape, per_byte)
            return np.take_along_axis(unpacked, indices[..., None] % per_byte, -1)[..., 0]
        raw = np.frombuffer(data, self.kind.storage, self.count)[indices]
        return decode(raw.tobytes(), self.kind).reshape(indices.shape)

    def reals_at(self, indices: NDArray[np.int64]) -> Reals:
        """The reals at flat indices, float64, in the shape of `indices`. O(indices)."""
        reals, q = self.values_at(indices).astype(np.float64), self.quantization
        if q is not None:
            channel = q.channel(indices)
            with np.errstate(all="ignore"):  # as in `to_real`
                reals = (reals - q.zero_point[channel]) * q.scale[channel]
        return reals

    def reads_like(self, other: BufferContents) -> bool:
        """Whether two contents differ in nothing but their bytes."""
        names = [row.name for row in fields(self) if row.name not in _MAY_DIFFER]
        if any(getattr(self, name) != getattr(other, name) for name in names):
            return False
        return _quantization_key(self.quantization) == _quantization_key(other.quantization)

    def read_as(
        self, kind: ElementType, first_byte: int = 0, shape: tuple[int, ...] | None = None
    ) -> BufferContents:
        """The same bytes as elements of another type, without quantisation.

        Args:
            kind: What an element is.
            first_byte: Where the first one begins.
            shape: Dimensions; those of the tensor if the bytes fit them, else a list.

        Raises:
            EditError: The buffer has fewer bytes than that.
        """
        if kind == self.kind and not first_byte and shape is None:
            return self
        data = self.all_bytes
        if not 0 <= first_byte < max(len(data), 1):
            raise EditError(f"Byte {first_byte:,} is behind the {len(data):,} of the buffer.")
        if shape is None:
            declared = self.declared_shape if not first_byte else None
            shape, note = _fitted(declared, kind, len(data) - first_byte)
        else:
            note = _check_room(shape, kind, len(data) - first_byte)
            data = data[: first_byte + kind.nbytes(math.prod(shape))]
        names = self.axis_names if len(shape) == len(self.axis_names) else ()
        whole = self.all_bytes
        return replace(
            self,
            data=data[first_byte:],
            stored=whole,
            first_byte=first_byte,
            texts=None,
            read_only="",
            decoding=None,
            kind=kind,
            shape=shape,
            quantization=None,
            note=note,
            axis_names=names or _rank_names(len(shape)),
        )


_MAY_DIFFER = ("data", "file_offset", "quantization", "stored", "texts", "decoding")


def _check_room(shape: tuple[int, ...], kind: ElementType, room: int) -> str:
    if not kind.bits:
        raise EditError(f"Elements of type {kind.name} have no fixed size and take no shape.")
    if len(shape) > MOST_DIMENSIONS or min(shape, default=1) < 1:
        raise EditError(f"The shape {_times(shape)} is no size.")
    needed = kind.nbytes(math.prod(shape))
    if needed > room:
        raise EditError(
            f"The shape {_times(shape)} takes {count_text(needed)} bytes as {kind.name}; from "
            f"there on the buffer has {room:,}."
        )
    return "" if needed == room else f"Of {room:,} bytes {needed:,} are shown."


def _quantization_key(q: AffineQuantization | None) -> object:
    return q and (type(q), q.scale.tobytes(), q.zero_point.tobytes(), q.inner)


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
    shape, note = _fitted(declared, kind, len(stored.data or b""))
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
        axis_names=_axis_names(model, subgraph, t, len(shape)),
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
        note = f"The shape {_times(shape)} does not fit {len(texts):,} texts."
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
        axis_names=names or _axis_names(model, subgraph, int(place[3]), len(made.shape)),
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
        axis_names=_rank_names(1),
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


def _fitted(
    declared: tuple[int, ...] | None, kind: ElementType, nbytes: int
) -> tuple[tuple[int, ...], str]:
    count = kind.count(nbytes) if kind.bits else nbytes
    if declared is None:
        return (count,), ""
    if not kind.bits:
        return (count,), f"Elements of type {kind.name} have no fixed size: shown as bytes."
    if len(declared) > MOST_DIMENSIONS:
        return (count,), f"A shape of {len(declared):,} dimensions: shown without the shape."
    needed = math.prod(declared)
    if min(declared, default=0) >= 0 and kind.nbytes(needed) == nbytes:
        return declared, ""
    if min(declared, default=0) < 0:
        return (count,), f"The shape {_times(declared)} is no size: shown without the shape."
    return (count,), (
        f"The shape {_times(declared)} takes {count_text(kind.nbytes(needed))} bytes as "
        f"{kind.name}, the buffer has {nbytes:,}: shown without the shape."
    )


def _times(shape: tuple[int, ...]) -> str:
    return excerpt("×".join(map(str, shape)), SHOWN_NAME_CHARACTERS) or "scalar"


def _rank_names(rank: int) -> tuple[str, ...]:
    return _AXES_OF_RANK.get(rank) or tuple(f"axis {axis}" for axis in range(rank))


def _axis_names(
    model: Model, subgraph: SubGraph, tensor_index: int, rank: int
) -> tuple[str, ...]:
    for operator, position in _readers(subgraph, tensor_index):
        code = operator_code(model, operator)
        if code is not None:
            names = _AXES_OF_INPUT.get((builtin_code(code), position), ())
            if len(names) == rank:
                return names
    return _rank_names(rank)


def _readers(subgraph: SubGraph, tensor_index: int) -> Iterator[tuple[Operator, int]]:
    for operator in subgraph.operators or []:
        inputs = operator.inputs or []
        if tensor_index in inputs:
            yield operator, inputs.index(tensor_index)
