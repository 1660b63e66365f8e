# SPDX-License-Identifier: Apache-2.0
"""What the values of each channel of a tensor are like, measured piece by piece."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.statistics import MeasuringCancelledError, saturation_ends
from tflm_studio.analysis.value_blocks import CHANNEL_NAMES
from tflm_studio.model.errors import EditError
from tflm_studio.model.quantization import Reals
from tflm_studio.model.tensor_types import Array

PIECE = 1 << 18  # elements that are looked at together
MOST_CHANNELS = 1 << 22

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ChannelStatistics:
    """Figures of all channels along an axis, an array of one number each.

    Attributes:
        axis: The axis that channels are counted along.
        size: Elements of a channel.
        low: Smallest finite value, NaN if there is none.
        high: Largest finite value.
        mean: Mean of the finite values.
        std: Their standard deviation (of the population).
        zeros: Values that are exactly zero.
        saturated: Values at an end of the integer range; None for other types.
        used: How much of the integer range the stored values span, 0 to 1; None for others.
        not_finite: Values that are no finite number.
        scale: Of the quantisation; None without one, or if it runs along another axis.
        zero_point: Of the quantisation.
    """

    axis: int
    size: int
    low: Reals
    high: Reals
    mean: Reals
    std: Reals
    zeros: Counts
    saturated: Counts | None
    used: Reals | None
    not_finite: Counts
    scale: Reals | None
    zero_point: Counts | None


def default_axis(contents: BufferContents) -> int:
    """The axis that channels most likely run along."""
    if contents.channel_axis is not None:
        return contents.channel_axis
    for name in CHANNEL_NAMES:
        if name in contents.axis_names:
            return contents.axis_names.index(name)
    return 0


def measure_channels(
    contents: BufferContents,
    axis: int,
    *,
    real: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> ChannelStatistics:
    """Measures each channel. O(elements), a piece of them in memory.

    Args:
        contents: Numbers with at least one dimension.
        axis: Along which channels are counted.
        real: Measure the reals that quantised values stand for, not what is stored.
        cancelled: Asked before each piece.

    Raises:
        EditError: There is no such axis, or the values are no real numbers.
        MeasuringCancelledError: `cancelled` said so.
    """
    shape, q = contents.shape, contents.quantization
    if not 0 <= axis < len(shape):
        raise EditError(f"There is no axis {axis}; there are {len(shape)}.")
    if contents.kind.kind not in ("integer", "float", "bool") or shape[axis] > MOST_CHANNELS:
        raise EditError(f"{shape[axis]:,} channels of {contents.kind.name} have no figures.")
    found = _Sums(shape[axis])
    ends = saturation_ends(contents.kind, q)
    for channels, start, piece in _pieces(contents, axis):
        if cancelled():
            raise MeasuringCancelledError
        stored = contents.values(start, math.prod(piece))
        meant = q.to_real(stored, start) if real and q is not None else stored
        found.add(channels, stored.reshape(piece), meant.reshape(piece), ends)
    return found.statistics(contents, axis, ends)


class _Piece(NamedTuple):
    channels: slice
    start: int
    shape: tuple[int, int, int]  # before the axis, along it, behind it


def _pieces(contents: BufferContents, axis: int) -> Iterator[_Piece]:
    """Consecutive elements, all of a few channels or some of one."""
    shape = contents.shape
    outer, channels, inner = (
        math.prod(shape[:axis]),
        shape[axis],
        math.prod(shape[axis + 1 :]),
    )
    row = channels * inner
    if not row:
        return
    if row <= PIECE:
        step = PIECE // row
        for first in range(0, outer, step):
            size = (min(step, outer - first), channels, inner)
            yield _Piece(slice(0, channels), first * row, size)
        return
    step = max(PIECE // inner, 1)
    for start in range(0, outer * row, row):
        for first in range(0, channels, step):
            count = min(step, channels - first)
            for at in range(0, inner, PIECE if count == 1 else inner):
                length = min(PIECE, inner - at) if count == 1 else inner
                place = start + first * inner + at
                yield _Piece(slice(first, first + count), place, (1, count, length))


class _Sums:
    """Figures of the pieces so far; moments merged pairwise (Chan, Golub and LeVeque 1983)."""

    def __init__(self, channels: int) -> None:
        self.low = np.full(channels, np.inf)
        self.high = np.full(channels, -np.inf)
        self.least = np.full(channels, np.inf)  # of what is stored
        self.most = np.full(channels, -np.inf)
        self.mean, self.squares = np.zeros(channels), np.zeros(channels)
        self.finite, self.not_finite, self.zeros, self.saturated = (
            np.zeros(channels, np.int64) for _ in range(4)
        )

    def add(
        self, where: slice, stored: Array, meant: Array, ends: tuple[int, int] | None
    ) -> None:
        with np.errstate(invalid="ignore"):  # a NaN may be one that signals
            values = meant.astype(np.float64)
        self.zeros[where] += np.count_nonzero(values == 0, axis=(0, 2))
        if ends is not None:
            at_end = (stored <= ends[0]) | (stored >= ends[1])
            self.saturated[where] += np.count_nonzero(at_end, axis=(0, 2))
            self.least[where] = np.minimum(self.least[where], stored.min(axis=(0, 2)))
            self.most[where] = np.maximum(self.most[where], stored.max(axis=(0, 2)))
        finite = np.isfinite(values)
        count = np.count_nonzero(finite, axis=(0, 2))
        self.not_finite[where] += values.shape[0] * values.shape[2] - count
        low, high = values, values
        if not finite.all():
            low, high = np.where(finite, values, np.inf), np.where(finite, values, -np.inf)
            values = np.where(finite, values, 0.0)
        self.low[where] = np.minimum(self.low[where], low.min(axis=(0, 2)))
        self.high[where] = np.maximum(self.high[where], high.max(axis=(0, 2)))
        self._add_moments(where, values, finite, count)

    def _add_moments(
        self, where: slice, values: Reals, finite: NDArray[np.bool_], count: Counts
    ) -> None:
        safe = np.maximum(count, 1)
        with np.errstate(over="ignore", invalid="ignore"):  # the largest floats
            mean = values.sum(axis=(0, 2)) / safe
            apart = (values - mean[None, :, None]) * finite
            squares = np.einsum("ijk,ijk->j", apart, apart)
            before = self.finite[where]
            total = np.maximum(before + count, 1)
            delta = (mean - self.mean[where]) * (count > 0)
            self.mean[where] += delta * (count / total)
            self.squares[where] += squares + delta * (before * (count / total)) * delta
        self.finite[where] = before + count

    def statistics(
        self, contents: BufferContents, axis: int, ends: tuple[int, int] | None
    ) -> ChannelStatistics:
        none, q = self.finite == 0, contents.quantization
        channels = len(self.low)
        scale = zero_point = used = None
        if q is not None and (not q.inner or contents.channel_axis == axis):
            scale = np.broadcast_to(q.scale, channels)
            zero_point = np.broadcast_to(q.zero_point, channels)
        if ends is not None:
            used = np.clip((self.most - self.least) / (ends[1] - ends[0]), 0.0, 1.0)
        with np.errstate(invalid="ignore"):
            std = np.sqrt(np.maximum(self.squares, 0.0) / np.maximum(self.finite, 1))
        return ChannelStatistics(
            axis=axis,
            size=contents.count // max(channels, 1),
            low=np.where(none, np.nan, self.low),
            high=np.where(none, np.nan, self.high),
            mean=np.where(none, np.nan, self.mean),
            std=np.where(none, np.nan, std),
            zeros=self.zeros,
            saturated=self.saturated if ends is not None else None,
            used=used,
            not_finite=self.not_finite,
            scale=scale,
            zero_point=zero_point,
        )
