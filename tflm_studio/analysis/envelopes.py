# SPDX-License-Identifier: Apache-2.0
"""A line through many values in few points, with no extreme left out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tflm_studio.model.quantization import Reals
from tflm_studio.model.tensor_types import Array

MOST_POINTS = 4096
READ_AT_ONCE = 1 << 20  # elements

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
