# SPDX-License-Identifier: Apache-2.0
"""Affine quantisation: real = scale * (stored - zero_point), per tensor or per channel."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import ElementType
from tflm_studio.schema.tables import QuantizationParameters, Tensor

Reals = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)  # arrays do not compare to a truth value
class AffineQuantization:
    """How stored integers of one tensor stand for reals.

    Attributes:
        scale: Shape (1,) per tensor or (channels,) per channel, float64.
        zero_point: Same shape, int64.
        inner: Elements between two neighbours along the channel dimension; 0 per tensor.
    """

    scale: Reals
    zero_point: NDArray[np.int64]
    inner: int = 0

    def channel(self, index: Any) -> Any:
        """Channel of flat element indices (a number or an array)."""
        return index * 0 if not self.inner else index // self.inner % len(self.scale)

    def to_real(self, stored: NDArray[Any], start: int = 0) -> Reals:
        """Reals of consecutive stored values; `start` is the flat index of the first."""
        channel = self.channel(np.arange(start, start + len(stored))) if self.inner else 0
        wide = stored.astype(np.float64)
        with np.errstate(all="ignore"):  # a scale may be infinite, or no number
            reals: Reals = (wide - self.zero_point[channel]) * self.scale[channel]
        return reals

    def to_stored(self, real: float, index: int, kind: ElementType) -> int:
        """The nearest stored value for a real at a flat index, as the kernels round.

        Raises:
            EditError: The type cannot hold the real at this scale; says the range.
        """
        channel = int(self.channel(index))
        scale, zero = float(self.scale[channel]), int(self.zero_point[channel])
        if not math.isfinite(real) or scale == 0 or not math.isfinite(scale):
            raise EditError(f"{real!r} cannot be quantised with scale {scale!r}.")
        exact = real / scale
        stored = zero + int(math.copysign(math.floor(abs(exact) + 0.5), exact))
        if not kind.low <= stored <= kind.high:
            ends = sorted(((kind.low - zero) * scale, (kind.high - zero) * scale))
            raise EditError(
                f"{real!r} is outside what {kind.name} can hold here: {ends[0]:g} to "
                f"{ends[1]:g} (scale {scale:g}, zero point {zero})."
            )
        return stored


@dataclass(frozen=True, slots=True, eq=False)
class BlockQuantization(AffineQuantization):
    """Integers with a scale and a zero point for each block of neighbours.

    Attributes:
        shape: Dimensions of the tensor.
        blocks: Elements of a block along each of them; the last blocks may be cut.
    """

    shape: tuple[int, ...] = ()
    blocks: tuple[int, ...] = ()

    def channel(self, index: Any) -> Any:
        """Block of flat element indices (a number or an array)."""
        block, step, rest = index * 0, 1, index
        for size, length in zip(reversed(self.shape), reversed(self.blocks), strict=True):
            rest, along = rest // size, rest % size
            block = block + along // length * step
            step *= -(-size // length)
        return block


def find_quantization(tensor: Tensor) -> AffineQuantization | None:
    """The affine quantisation of a tensor, or None if it has none that makes sense.

    TFLM takes a tensor as quantised only if scale and zero_point are both there
    (micro_allocator.cc). Zero points fewer than scales: the first counts for all.
    """
    q = tensor.quantization
    if q is None or not q.scale or not q.zero_point or q.details is not None:
        return None
    zeros = q.zero_point if len(q.zero_point) == len(q.scale) else q.zero_point[:1]
    scale = np.array(q.scale, np.float64)
    zero_point = np.broadcast_to(np.array(zeros, np.int64), scale.shape)
    if len(scale) == 1:
        return AffineQuantization(scale, zero_point)
    inner = _inner_size(tensor, q)
    return AffineQuantization(scale, zero_point, inner) if inner else None


def _inner_size(tensor: Tensor, q: QuantizationParameters) -> int:
    shape, axis = tensor.shape or [], q.quantized_dimension
    if len(shape) == 1:
        axis = 0  # old converters gave biases the dimension of their filter
    if not 0 <= axis < len(shape) or shape[axis] != len(q.scale or ()):
        return 0
    # A shape is not always that of any bytes; numpy counts to 2**63.
    return min(max(0, math.prod(shape[axis + 1 :])), 2**62)


def value_range(tensor: Tensor, kind: ElementType) -> tuple[float, float] | None:
    """Smallest and largest real that a per-tensor quantised tensor can hold."""
    q = find_quantization(tensor)
    if q is None or q.inner or kind.kind != "integer":
        return None
    ends = q.to_real(np.array([kind.low, kind.high]))
    return float(ends.min()), float(ends.max())
