# SPDX-License-Identifier: Apache-2.0
"""Counts of values in bins of one width."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_studio.model.quantization import Reals

MAX_BINS = 256  # a bin's number is a byte
LEAST_CHANNEL_BINS, MOST_CHANNEL_BINS = 24, 128

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of values in bins of one width.

    Attributes:
        start: Left edge of the first bin; half a step below the smallest of whole numbers.
        width: Width of a bin.
        counts: int64, one per bin.
    """

    start: float
    width: float
    counts: Counts

    @property
    def edges(self) -> Reals:
        """Edges of the bins, one more than there are bins."""
        # Halves: the range of float64 does not fit float64.
        halves = np.arange(len(self.counts) + 1) * (self.width / 2) + self.start / 2
        most = np.finfo(np.float64).max / 2
        edges: Reals = np.clip(halves, -most, most) * 2
        return edges

    def bin_at(self, value: float) -> int | None:
        """The bin that a value falls into, None beyond them."""
        position = (value - self.start) / self.width
        return int(position) if 0 <= position < len(self.counts) else None

    def coarser(self, count: int) -> Histogram:
        """Wider bins for the fewer values of a channel; their counts are to be found."""
        most = min(MOST_CHANNEL_BINS, max(LEAST_CHANNEL_BINS, int(3 * math.sqrt(count))))
        times = -(-len(self.counts) // most)
        bins = -(-len(self.counts) // times)
        return Histogram(self.start, self.width * times, np.zeros(bins, np.int64))


def bin_count(count: int) -> int:
    """How many bins show so many values well."""
    return min(MAX_BINS, max(16, int(2 * math.sqrt(count))))


def bin_scale(low: float, high: float, bins: int) -> float:
    """What makes half the distance from `low` the number of a bin; 0 if one bin holds all."""
    # Halves: the range of float64 does not fit float64. Less than the bins: what rounds up to
    # their number would wrap around.
    scale = bins * (1 - 1e-6) / ((high / 2 - low / 2) or math.inf)
    return scale if math.isfinite(scale) else 0.0


def float_histogram(low: float, high: float, counts: Counts) -> Histogram:
    """Bins from the lowest to the highest float; one is as wide as 1 around them."""
    if len(counts) == 1:
        return Histogram(low - 0.5, 1.0, counts)
    return Histogram(low, (high / 2 - low / 2) * (2 / len(counts)), counts)


def whole_histogram(values: Counts, counts: Counts) -> Histogram:
    """Bins for whole numbers, each as wide as some of them.

    Args:
        values: The numbers that occur, ascending.
        counts: How often each does.
    """
    low, span = int(values[0]), int(values[-1] - values[0])
    step = span // MAX_BINS + 1
    bins = np.bincount((values - low) // step, counts, span // step + 1)
    return Histogram(low - 0.5, float(step), bins.astype(np.int64))
