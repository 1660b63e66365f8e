# SPDX-License-Identifier: Apache-2.0
"""How often the values of each channel fall into the bins of one histogram.

One pass over consecutive elements, a chunk at a time, unless only few channels are wanted: a
channel that is the last axis has its values far apart, and reading all channels one after the
other would read all bytes each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.histograms import Counts, Histogram
from tflm_studio.analysis.statistics import MeasuringCancelledError
from tflm_studio.analysis.value_blocks import Reader, channel_reader
from tflm_studio.model.tensor_types import Array

CHUNK = 1 << 19  # elements
FEW = 8  # times as many channels are not wanted: each wanted one is read on its own

Numbers = Callable[[Array], NDArray[np.intp]]


class ChannelCounts(NamedTuple):
    """Histograms of some channels in the same bins.

    Attributes:
        indices: Which channels.
        bins: Whose bins.
        counts: int64 (channels, bins).
    """

    indices: list[int]
    bins: Histogram
    counts: Counts


def count_channels(
    contents: BufferContents,
    axis: int,
    channels: list[int],
    bins: Histogram,
    *,
    real: bool,
    cancelled: Callable[[], bool],
) -> ChannelCounts:
    """The histograms of some channels, together with what they are of."""
    counts = channel_histograms(contents, axis, channels, bins, real=real, cancelled=cancelled)
    return ChannelCounts(channels, bins, counts)


def channel_histograms(
    contents: BufferContents,
    axis: int,
    channels: Sequence[int],
    bins: Histogram,
    *,
    real: bool = False,
    cancelled: Callable[[], bool] = lambda: False,
) -> Counts:
    """Counts of the finite values of some channels. O(elements of the buffer).

    Args:
        contents: The buffer.
        axis: Which axis tells the channels apart.
        channels: Which of them.
        bins: Whose bins; values beyond them count in the first or the last.
        real: Count the reals that quantised values stand for, not what is stored.
        cancelled: Asked before each chunk.

    Returns:
        int64 (channels, bins).

    Raises:
        MeasuringCancelledError: `cancelled` said so.
    """
    numbers = _bin_numbers(contents, bins, real)
    if len(channels) * FEW <= contents.shape[axis]:
        readers = [channel_reader(contents, axis, channel, real=real) for channel in channels]
        rows = [_counts(read, total, numbers, bins, cancelled) for read, total in readers]
        return np.array(rows, np.int64).reshape(len(channels), len(bins.counts))
    count, slots = len(bins.counts), _Slots(contents, axis, channels)
    found = np.zeros((len(channels) + 1) * count, np.int64)
    read = contents.reals if real else contents.values
    for start in range(0, contents.count, slots.chunk):
        _check(cancelled)
        values = read(start, slots.chunk)
        codes = slots.at(start, len(values)) * count + numbers(values)
        found += np.bincount(_of_finite(codes, values), minlength=len(found))
    return found.reshape(-1, count)[:-1]


def _counts(
    read: Reader, total: int, numbers: Numbers, bins: Histogram, cancelled: Callable[[], bool]
) -> Counts:
    found = np.zeros(len(bins.counts), np.int64)
    for start in range(0, total, CHUNK):
        _check(cancelled)
        values = read(start, CHUNK)
        found += np.bincount(_of_finite(numbers(values), values), minlength=len(found))
    return found


def _check(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise MeasuringCancelledError


def _of_finite(codes: NDArray[np.intp], values: Array) -> NDArray[np.intp]:
    if values.dtype.kind == "f" and not (finite := np.isfinite(values)).all():
        return codes[finite]
    return codes


class _Slots:
    """Which of the wanted channels each element belongs to; their number for none of them."""

    def __init__(self, contents: BufferContents, axis: int, channels: Sequence[int]) -> None:
        self._inner = math.prod(contents.shape[axis + 1 :])
        self._channels = contents.shape[axis]
        self._slots = np.full(self._channels, len(channels), np.intp)
        self._slots[list(channels)] = np.arange(len(channels))
        period = self._inner * self._channels
        # Whole periods at a time have the same slots each time.
        self.chunk = CHUNK // period * period or CHUNK
        self._repeated = self._find(0, self.chunk) if period <= CHUNK else None

    def at(self, start: int, count: int) -> NDArray[np.intp]:
        """Those of consecutive elements; not to be changed."""
        if self._repeated is not None:
            return self._repeated[:count]
        return self._find(start, count)

    def _find(self, start: int, count: int) -> NDArray[np.intp]:
        flat = np.arange(start, start + count)
        found: NDArray[np.intp] = self._slots[flat // self._inner % self._channels]
        return found


def _bin_numbers(contents: BufferContents, bins: Histogram, real: bool) -> Numbers:
    """What finds the bins of values: a look into a table where there are few distinct ones."""
    kind = contents.kind
    if real or kind.kind != "integer" or kind.bits > 16:
        return partial(_computed_numbers, bins=bins)
    table = _computed_numbers(np.arange(kind.low, kind.high + 1), bins)
    # Negative indices count from the end, so stored values can be looked up as they are.
    table = np.roll(table, kind.low)
    return lambda values: table[values]


def _computed_numbers(values: Array, bins: Histogram) -> NDArray[np.intp]:
    last = len(bins.counts) - 1
    wide = values if values.dtype == np.float32 else values.astype(np.float64)
    with np.errstate(all="ignore"):  # what is not finite is left out by the caller
        if 1e-30 < bins.width < 1e30 and abs(bins.start) < 1e30:
            places = (wide - wide.dtype.type(bins.start)) * wide.dtype.type(1 / bins.width)
        else:  # Halves: the range of float64 does not fit float64.
            halves = wide.astype(np.float64) / 2 - bins.start / 2
            places = halves / (bins.width / 2)
        np.clip(places, 0, last, out=places)
        numbers: NDArray[np.intp] = places.astype(np.intp)
    return numbers
