# SPDX-License-Identifier: Apache-2.0
"""What a buffer holds: its bytes with the type, shape and quantisation to read them by."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.axis_names import rank_names
from tflm_studio.analysis.fitted_shapes import check_room, fitted_shape
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.quantization import AffineQuantization, BlockQuantization, Reals
from tflm_studio.model.tensor_types import Array, ElementType, decode


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
            shape, note = fitted_shape(declared, kind, len(data) - first_byte)
        else:
            note = check_room(shape, kind, len(data) - first_byte)
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
            axis_names=names or rank_names(len(shape)),
        )


_MAY_DIFFER = ("data", "file_offset", "quantization", "stored", "texts", "decoding")


def _quantization_key(q: AffineQuantization | None) -> object:
    return q and (type(q), q.scale.tobytes(), q.zero_point.tobytes(), q.inner)
