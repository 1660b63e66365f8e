# SPDX-License-Identifier: Apache-2.0
"""How often the values of each channel fall into the bins of one histogram.

One pass over consecutive elements, a chunk at a time: a channel that is the last axis has its
values far apart, and reading them one channel after the other would read all bytes each time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.statistics import Histogram, MeasuringCancelledError

CHUNK = 1 << 19  # elements

Counts = NDArray[np.int64]


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
    count = len(bins.counts)
    slots = _Slots(contents, axis, channels)
    found = np.zeros((len(channels) + 1) * count, np.int64)
    read = contents.reals if real else contents.values
    for start in range(0, contents.count, slots.chunk):
        if cancelled():
            raise MeasuringCancelledError
        values = read(start, slots.chunk)
        codes = slots.at(start, len(values)) * count
        codes += _bin_numbers(values, bins)
        if values.dtype.kind == "f" and not (finite := np.isfinite(values)).all():
            codes = codes[finite]
        found += np.bincount(codes, minlength=len(found))
    return found.reshape(-1, count)[:-1]


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
        """Those of consecutive elements, an array of its own."""
        if self._repeated is not None:
            return self._repeated[:count].copy()
        return self._find(start, count)

    def _find(self, start: int, count: int) -> NDArray[np.intp]:
        flat = np.arange(start, start + count)
        found: NDArray[np.intp] = self._slots[flat // self._inner % self._channels]
        return found


def _bin_numbers(values: NDArray[np.generic], bins: Histogram) -> NDArray[np.intp]:
    with np.errstate(all="ignore"):  # NaN and infinities are left out by the caller
        # Halves: the range of float64 does not fit float64.
        places = (values.astype(np.float64) / 2 - bins.start / 2) / (bins.width / 2)
        places = np.nan_to_num(np.floor(places), nan=0.0)
        numbers: NDArray[np.intp] = np.clip(places, 0, len(bins.counts) - 1).astype(np.intp)
    return numbers
