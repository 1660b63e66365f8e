# SPDX-License-Identifier: Apache-2.0
"""The values of a buffer in ascending order, and their running sums, as curves.

A curve has a limited number of points, however many values there are: quantiles are few among
many, and a sum is told at the ends of runs of values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from tflm_studio.analysis.statistics import MeasuringCancelledError
from tflm_studio.model.quantization import Reals
from tflm_studio.model.tensor_types import Array

MOST_POINTS = 1 << 18
MOST_SORTED = 1 << 23  # elements; of more, every so many are sorted
CHUNK = 1 << 20  # elements

Reader = Callable[[int, int], Array]  # start, count
Cancelled = Callable[[], bool]


class Curve(NamedTuple):
    """Points of a line.

    Attributes:
        x: Positions, the first element is at 0.
        y: Values.
        step: 1, or of how many values one was looked at.
    """

    x: Reals
    y: Reals
    step: int


def sorted_curve(read: Reader, count: int, cancelled: Cancelled = lambda: False) -> Curve:
    """The finite values from the lowest to the highest. O(n log n).

    Raises:
        MeasuringCancelledError: `cancelled` said so.
    """
    step = -(-count // MOST_SORTED) or 1
    parts = [
        values[::step] for values in _chunks(read, count, CHUNK // step * step, cancelled)
    ]
    values = np.concatenate(parts) if parts else np.zeros(0)
    if values.dtype.kind == "f":
        values = values[np.isfinite(values)]
    values.sort()
    places = np.unique(
        np.linspace(0, len(values) - 1, min(len(values), MOST_POINTS)).astype(int)
    )
    return Curve(places.astype(np.float64) * step, _wide(values[places]), step)


def sum_curve(read: Reader, count: int, cancelled: Cancelled = lambda: False) -> Curve:
    """The sum of all finite values up to each one. O(elements).

    Raises:
        MeasuringCancelledError: `cancelled` said so.
    """
    run = -(-count // MOST_POINTS) or 1
    sums = []
    for values in _chunks(read, count, max(CHUNK // run, 1) * run, cancelled):
        wide = np.nan_to_num(_wide(values), nan=0.0, posinf=0.0, neginf=0.0)
        with np.errstate(over="ignore"):
            sums.append(np.add.reduceat(wide, np.arange(0, len(wide), run)))
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.cumsum(np.concatenate(sums)) if sums else np.zeros(0)
    ends = np.minimum(np.arange(1, len(total) + 1) * run, count) - 1
    return Curve(ends.astype(np.float64), total, 1)


def energy_curve(
    read: Reader, count: int, center: float = 0.0, cancelled: Cancelled = lambda: False
) -> Curve:
    """What share of the sum of squares the strongest values hold, in percent. O(n log n).

    Args:
        read: Gives consecutive values.
        count: How many there are.
        center: What counts as zero.
        cancelled: Asked now and then.

    Raises:
        MeasuringCancelledError: `cancelled` said so.
    """

    def squares(start: int, size: int) -> Array:
        with np.errstate(over="ignore", invalid="ignore"):
            apart = read(start, size).astype(np.float64) - center
            found: Array = np.square(apart).astype(np.float32)
        return found

    step = -(-count // MOST_SORTED) or 1
    parts = [each[::step] for each in _chunks(squares, count, CHUNK // step * step, cancelled)]
    values = np.concatenate(parts) if parts else np.zeros(0, np.float32)
    values = values[np.isfinite(values)]
    values.sort()
    held = np.cumsum(values[::-1], dtype=np.float64)
    if not len(held) or not held[-1] > 0:
        return Curve(np.zeros(0), np.zeros(0), step)
    places = np.unique(np.linspace(0, len(held) - 1, min(len(held), MOST_POINTS)).astype(int))
    return Curve(places.astype(np.float64) * step, held[places] * (100 / held[-1]), step)


def _chunks(read: Reader, count: int, most: int, cancelled: Cancelled) -> Iterator[Array]:
    for start in range(0, count, most):
        if cancelled():
            raise MeasuringCancelledError
        yield read(start, min(most, count - start))


def _wide(values: Array) -> Reals:
    with np.errstate(invalid="ignore"):  # signalling NaN
        wide: Reals = values.astype(np.float64)
    return wide
