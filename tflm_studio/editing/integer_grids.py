# SPDX-License-Identifier: Apache-2.0
"""Whole numbers with scales: made from the range of reals, and reals rounded to them.

Everything goes piece by piece, so that little more memory is taken than the result has.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.editing.value_effects import Effect, effect_of
from tflm_studio.editing.weight_target import Piece, Weights, half_away
from tflm_studio.model.errors import EditError
from tflm_studio.model.quantization import Reals
from tflm_studio.model.tensor_types import ElementType, encode

SCALE_OF_ZEROS = 1e-6  # of a channel of zeros: any does, but 0 cannot be divided by
SMALLEST_RANGE = 1e-36  # below, its inverse is too large for float32
Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The reals that a type can hold.

    Attributes:
        kind: The type.
        scales: One for all, or one for each channel.
        zeros: The zero point of each scale.
        axis: Of the channels; None for one scale.
        low: The lowest number that is used.
        inverses: What reals are multiplied with in float32, as the converter does; None to
            divide by the scales.
    """

    kind: ElementType
    scales: Reals
    zeros: Whole
    axis: int | None
    low: int
    inverses: NDArray[np.float32] | None = None

    def stored(self, reals: Reals, channel: Any) -> Reals:
        """The nearest numbers, also beyond the range of the type."""
        if self.inverses is not None:
            product = reals.astype(np.float32) * self.inverses[channel]
            return half_away(product.astype(np.float64))
        stored: Reals = half_away(reals / self.scales[channel]) + self.zeros[channel]
        return stored


def quantised(weights: Weights, grid: Grid) -> tuple[bytes, Effect]:
    """The bytes of weights as numbers of a grid, and how far their reals differ.

    Raises:
        EditError: A real is not finite.
    """
    effect, parts = Effect(), []
    for reals, channel in _pieces(weights, grid.axis):
        with np.errstate(over="ignore"):
            wanted = grid.stored(reals, channel)
        kept = np.clip(wanted, grid.low, grid.kind.high)
        made = (kept - grid.zeros[channel]) * grid.scales[channel]
        effect += effect_of(reals, made, kept != wanted)
        parts.append(encode(kept.astype(np.int64), grid.kind))
    return b"".join(parts), effect


def symmetric_grid(weights: Weights, kind: ElementType, axis: int | None) -> Grid:
    """The grid of the converter: zero point 0, the largest magnitude is the highest number.

    Raises:
        EditError: A real is not finite, or too large for a scale.
    """
    low, high = _ranges(weights, axis)
    with np.errstate(over="ignore"):
        largest = np.maximum(np.abs(low), np.abs(high)).astype(np.float32)
    _check_range(weights, largest)
    is_zero = largest < SMALLEST_RANGE
    most = np.float32(kind.high)
    scales = np.where(is_zero, np.float32(SCALE_OF_ZEROS), largest / most)
    inverses = np.where(is_zero, np.float32(0), most / np.where(is_zero, 1, largest))
    zeros = np.zeros(len(scales), np.int64)
    return Grid(
        kind,
        scales.astype(np.float64),
        zeros,
        axis,
        -kind.high,
        inverses.astype(np.float32),
    )


def asymmetric_grid(weights: Weights, kind: ElementType, axis: int | None) -> Grid:
    """A grid from the lowest to the highest real, with a number for 0.

    Raises:
        EditError: A real is not finite, or too large for a scale.
    """
    low, high = _ranges(weights, axis)
    with np.errstate(over="ignore"):
        scales = ((high - low) / (kind.high - kind.low)).astype(np.float32).astype(np.float64)
    _check_range(weights, scales)
    scales = np.where(scales < SMALLEST_RANGE, np.float64(np.float32(SCALE_OF_ZEROS)), scales)
    zeros = np.clip(half_away(kind.low - low / scales), kind.low, kind.high)
    return Grid(kind, scales, zeros.astype(np.int64), axis, kind.low)


def _check_range(weights: Weights, ranges: NDArray[Any]) -> None:
    if not np.isfinite(ranges).all():
        raise EditError(
            f"{weights.name} holds numbers too large for a scale; clip them first."
        )


def _ranges(weights: Weights, axis: int | None) -> tuple[Reals, Reals]:
    """The lowest and the highest real for each scale; 0 lies between them."""
    count = 1 if axis is None else weights.contents.shape[axis]
    low, high = np.zeros(count), np.zeros(count)
    for reals, channel in _pieces(weights, axis):
        if axis is None:
            low[0], high[0] = min(low[0], reals.min()), max(high[0], reals.max())
        else:
            np.minimum.at(low, channel, reals)
            np.maximum.at(high, channel, reals)
    return low, high


def _pieces(weights: Weights, axis: int | None) -> Iterator[tuple[Reals, Any]]:
    """Finite reals, some at once, and the channel of each."""
    channel_of = _channel_of(weights, axis)
    for piece in weights.pieces():
        reals = piece.numbers().astype(np.float64)
        bad = np.flatnonzero(~np.isfinite(reals))
        if bad.size:
            raise EditError(
                f"{weights.name}: element {int(piece.flat[bad[0]])} is {reals[bad[0]]}, which "
                "no whole number can stand for."
            )
        yield reals, channel_of(piece)


def _channel_of(weights: Weights, axis: int | None) -> Callable[[Piece], Any]:
    if axis is None:
        return lambda _: 0
    shape = weights.contents.shape
    inner, count = math.prod(shape[axis + 1 :]), shape[axis]
    return lambda piece: piece.flat // inner % count
