# SPDX-License-Identifier: Apache-2.0
"""Inputs to try a model with: the same on every machine, in Python and in C++.

The random ones come from a hash of the position, so that a test on a microcontroller can make
large inputs itself instead of keeping them in flash.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.operators import find_tensor
from tflm_studio.model.tensor_types import Array, ElementType, element_type
from tflm_studio.schema.tables import Model, Tensor

MOST_ELEMENTS = 2**24  # of an input or output that can be tried
NAME_CHARACTERS = 48
TRIED = ("integer", "float", "bool")


@dataclass(frozen=True, slots=True)
class End:
    """An input or output of the main subgraph.

    Attributes:
        index: Its position among the inputs, or outputs.
        tensor_index: The tensor.
        name: The tensor's name, possibly empty.
        kind: What its elements are.
        shape: As stored in the model; all sizes are known.
        scale: Of the whole tensor; 0 if it is not quantised, or per channel.
        zero_point: The stored value that means 0.
    """

    index: int
    tensor_index: int
    name: str
    kind: ElementType
    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def count(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.kind.nbytes(self.count)


def main_ends(model: Model) -> tuple[tuple[End, ...], tuple[End, ...]]:
    """Inputs and outputs of the main subgraph.

    Raises:
        EditError: There is no subgraph, an index leads nowhere, or a size or type is not known
            before the model runs; names the place.
    """
    if not model.subgraphs:
        raise EditError("The model has no subgraph; a firmware cannot run it.")
    main = model.subgraphs[0]
    found = []
    for what, indices in (("input", main.inputs), ("output", main.outputs)):
        ends = []
        for position, tensor_index in enumerate(indices or []):
            tensor = find_tensor(main, int(tensor_index))
            if tensor is None:
                raise EditError(
                    f"{what} {position} of subgraph 0: there is no tensor {tensor_index}; "
                    "choose another."
                )
            ends.append(_end(tensor, what, position, int(tensor_index)))
        found.append(tuple(ends))
    return found[0], found[1]


def _end(tensor: Tensor, what: str, position: int, index: int) -> End:
    name = str(tensor.name or "")
    place = f"{what} {position} ({excerpt(name, NAME_CHARACTERS) or f'tensor {index}'})"
    kind = element_type(tensor.type)
    if kind.kind not in TRIED:
        raise EditError(
            f"{place}: a firmware cannot fill or read {kind.name} elements; end the subgraph "
            "at another tensor."
        )
    shape = tuple(int(size) for size in (tensor.shape if tensor.shape is not None else ()))
    shown = excerpt(str(list(shape)), NAME_CHARACTERS)
    if any(size < 0 for size in shape):
        raise EditError(
            f"{place}: the shape {shown} has sizes that are not known; set the input "
            "shapes of the model first."
        )
    if math.prod(shape) > MOST_ELEMENTS:
        raise EditError(f"{place}: the shape {shown} has too many elements to try.")
    scale, zero_point = _quantization(tensor)
    return End(position, index, name, kind, shape, scale, zero_point)


def _quantization(tensor: Tensor) -> tuple[float, int]:
    """Scale and zero point of a tensor that has one of each, else (0, 0)."""
    known = tensor.quantization
    if known is None or known.scale is None or len(known.scale) != 1:
        return 0.0, 0
    scale = float(known.scale[0])
    zeros = known.zero_point if known.zero_point is not None else ()
    zero = int(zeros[0]) if len(zeros) == 1 else 0
    if not math.isfinite(scale) or scale <= 0:
        return 0.0, 0
    return scale, zero


def zero_inputs(ends: Sequence[End]) -> tuple[Array, ...]:
    """Stored values that mean 0, in the shapes of the inputs."""
    return tuple(
        np.full(each.shape, _clamped(each.zero_point, each.kind), dtype_of(each.kind))
        for each in ends
    )


def seeded_inputs(ends: Sequence[End], seed: int) -> tuple[Array, ...]:
    """Values of the inputs' ranges that follow from a seed.

    Integers of at most 16 bits take their whole range, floats -1 to 1; wider integers are 0
    or 1, because they may be indices.
    """
    return tuple(
        _values(hashes(input_seed(seed, each.index), each.count), each.kind).reshape(
            each.shape
        )
        for each in ends
    )


def input_seed(seed: int, index: int) -> int:
    """The seed of one input: so that two of the same shape differ."""
    return (seed * 0x9E3779B1 + index * 0x85EBCA77) & 0xFFFFFFFF


def hashes(seed: int, count: int) -> NDArray[np.uint32]:
    """A 32-bit number for each position: the finaliser of MurmurHash3 over seed + position."""
    x = np.arange(count, dtype=np.uint32) + np.uint32(seed)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    x *= np.uint32(0xC2B2AE35)
    x ^= x >> np.uint32(16)
    return x


def _values(numbers: NDArray[np.uint32], kind: ElementType) -> Array:
    dtype = dtype_of(kind)
    if kind.kind == "float":
        reals = (numbers >> np.uint32(8)).astype(np.float64) / 2**23 - 1
        return reals.astype(dtype)
    if kind.kind == "bool" or kind.bits > 16:
        return (numbers & np.uint32(1)).astype(dtype)
    wide = (numbers >> np.uint32(32 - kind.bits)).astype(np.int64) + kind.low
    return wide.astype(dtype)


def dtype_of(kind: ElementType) -> np.dtype[np.generic]:
    """The numpy type in which an interpreter takes such values."""
    if kind.kind == "bool":
        return np.dtype(np.bool_)
    if kind.is_packed:
        return np.dtype(np.int8 if kind.low < 0 else np.uint8)
    return kind.storage


def _clamped(value: int, kind: ElementType) -> int:
    return min(max(value, kind.low), kind.high) if kind.kind == "integer" else 0
