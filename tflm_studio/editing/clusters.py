# SPDX-License-Identifier: Apache-2.0
"""The few numbers that stand best for many: k-means in one dimension, without chance."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
MOST_EXACT = 512  # distinct values: the exact search takes their square, for each cluster
MOST_STEPS = 100


def centres_of(numbers: Reals, k: int) -> Reals:
    """At most `k` centres, ascending, with the least sum of squared distances to all numbers.

    It is the least of all for up to 512 distinct numbers; for more a local one.

    Args:
        numbers: Flat; those that are not finite do not count.
        k: How many centres, 1 or more.
    """
    values, counts = np.unique(numbers[np.isfinite(numbers)], return_counts=True)
    if len(values) <= k:
        return values
    sums = _Sums(values, counts.astype(np.float64))
    borders = _exact(sums, k) if len(values) <= MOST_EXACT else _lloyd(sums, k)
    return sums.means(borders)


class _Sums:
    """Sums over consecutive distinct values, each told by differences of running sums."""

    def __init__(self, values: Reals, counts: Reals) -> None:
        self.values = values
        # About the mean, where the squares are smallest.
        self.middle = float(np.average(values, weights=counts))
        centred = values - self.middle
        self.count = np.concatenate([[0.0], np.cumsum(counts)])
        self.first = np.concatenate([[0.0], np.cumsum(counts * centred)])
        self.second = np.concatenate([[0.0], np.cumsum(counts * centred * centred)])

    def cost(self, start: NDArray[np.int64], stop: NDArray[np.int64]) -> Reals:
        """Squared distances of values to their mean."""
        first = self.first[stop] - self.first[start]
        count = np.maximum(self.count[stop] - self.count[start], 1)
        cost: Reals = self.second[stop] - self.second[start] - first * first / count
        return np.maximum(cost, 0)

    def means(self, borders: NDArray[np.int64]) -> Reals:
        """The mean of each group, where those begin and end; empty ones are left out."""
        count = np.diff(self.count[borders])
        kept = count > 0
        means: Reals = np.diff(self.first[borders])[kept] / count[kept] + self.middle
        return means


def _exact(sums: _Sums, k: int) -> NDArray[np.int64]:
    """Borders of the best groups: the best of fewer groups of fewer values, and one more."""
    size = len(sums.values)
    starts, stops = np.meshgrid(np.arange(size + 1), np.arange(size + 1))
    cost = np.where(starts < stops, sums.cost(starts, np.maximum(starts, stops)), np.inf)
    best = np.concatenate([[0.0], np.full(size, np.inf)])
    chosen = []
    for _ in range(k):
        total = cost + best[None, :]
        picked = total.argmin(axis=1)
        best = total[np.arange(size + 1), picked]
        chosen.append(picked)
    borders = [size]
    for picked in reversed(chosen):
        borders.append(int(picked[borders[-1]]))
    return np.array(borders[::-1])


def _lloyd(sums: _Sums, k: int) -> NDArray[np.int64]:
    """Borders that are halfway between the means of the groups they make."""
    shares = np.linspace(0, sums.count[-1], k + 1)
    borders = np.searchsorted(sums.count, shares)
    borders[0], borders[-1] = 0, len(sums.values)
    for _ in range(MOST_STEPS):
        means = sums.means(borders)
        inner = np.searchsorted(sums.values, (means[1:] + means[:-1]) / 2, side="right")
        moved = np.concatenate([[0], inner, [len(sums.values)]])
        if np.array_equal(moved, borders):
            break
        borders = moved
    return borders
