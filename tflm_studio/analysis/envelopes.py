# SPDX-License-Identifier: Apache-2.0
"""A line through many values in few points, with no extreme left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tflm_studio.analysis.statistics import MeasuringCancelledError
from tflm_studio.model.quantization import Reals
from tflm_studio.model.tensor_types import Array

MOST_POINTS = 4096
READ_AT_ONCE = 1 << 20  # elements, a multiple of a run
RUN = 256  # elements

Reader = Callable[[int, int], Array]  # start, count


class Envelope(NamedTuple):
    """Points of a line: positions and values."""

    x: Reals
    y: Reals


def envelope(
    read: Reader,
    start: int,
    stop: int,
    cancelled: Callable[[], bool] = lambda: False,
    most: int = MOST_POINTS,
) -> Envelope:
    """The lowest and the highest value of consecutive runs of elements.

    Args:
        read: Gives consecutive values.
        start: First element.
        stop: Behind the last element.
        cancelled: Asked now and then; what is there by then is returned.
        most: Points at most, but for a last pair.

    Returns:
        The elements themselves if there are few, else two points for each run. O(elements).
    """
    count = stop - start
    if count <= most:
        return Envelope(wide(np.arange(start, stop)), wide(read(start, count)))
    run = -(-count * 2 // most)
    at_once = max(READ_AT_ONCE // run, 1) * run
    pairs: list[Reals] = []
    for first in range(start, stop, at_once):
        if pairs and cancelled():
            break
        values = read(first, min(at_once, stop - first))
        whole = len(values) // run * run
        pairs.append(_extremes(values[:whole].reshape(-1, run)))
        if whole < len(values):
            pairs.append(_extremes(values[whole:].reshape(1, -1)))
    y = np.concatenate(pairs).reshape(-1)
    return Envelope(wide(np.arange(len(y)) * (run / 2) + start), y)


class Overview(NamedTuple):
    """The lowest and the highest value of each `RUN` elements; the last run may be short."""

    low: Reals
    high: Reals

    def envelope(self, start: int, stop: int, most: int) -> Envelope:
        """What `envelope` gives, from whole runs. O(runs)."""
        first, last = start // RUN, -(-stop // RUN)
        group = max(1, -(-(last - first) * 2 // most))
        starts = np.arange(first, last, group)
        if not len(starts):
            return Envelope(np.zeros(0), np.zeros(0))
        low = np.fmin.reduceat(self.low[:last], starts)
        high = np.fmax.reduceat(self.high[:last], starts)
        y = np.stack([low, high], axis=1).reshape(-1)
        return Envelope(wide(np.arange(len(y)) * (group * RUN / 2) + first * RUN), y)


def overview(
    read: Reader, count: int, cancelled: Callable[[], bool] = lambda: False
) -> Overview:
    """Reads all values once, to draw any part of them many times. O(count).

    Raises:
        MeasuringCancelledError: `cancelled` said so.
    """
    pairs: list[Reals] = []
    for first in range(0, count, READ_AT_ONCE):
        if cancelled():
            raise MeasuringCancelledError
        values = read(first, min(READ_AT_ONCE, count - first))
        whole = len(values) // RUN * RUN
        pairs.append(_extremes(values[:whole].reshape(-1, RUN)))
        if whole < len(values):
            pairs.append(_extremes(values[whole:].reshape(1, -1)))
    found = np.concatenate(pairs) if pairs else np.zeros((0, 2))
    return Overview(np.ascontiguousarray(found[:, 0]), np.ascontiguousarray(found[:, 1]))


def _extremes(runs: Array) -> Reals:
    low, high = runs.min(axis=1), runs.max(axis=1)
    if not np.isfinite(low).all():
        # min and max give NaN for a run with one; these skip it, but take longer.
        low, high = np.fmin.reduce(runs, axis=1), np.fmax.reduce(runs, axis=1)
    return np.stack([wide(low), wide(high)], axis=1)


def wide(values: Array) -> Reals:
    """Values as float64; signalling NaN as quiet ones."""
    with np.errstate(invalid="ignore"):
        found: Reals = values.astype(np.float64)
    return found
