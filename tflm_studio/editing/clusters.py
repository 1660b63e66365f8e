# SPDX-License-Identifier: Apache-2.0
"""The few numbers that stand best for many: k-means in one dimension, without chance."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Counts = NDArray[np.int64] | NDArray[np.int32]
Places = NDArray[np.int64]
MOST_EXACT = 512  # distinct values: the exact search takes their square, for each cluster
MOST_STEPS = 100
MOST_NARROW = 2**31 - 1
CHUNK = 1 << 18  # values that are looked at at once
STRIDE = 64  # values between two running sums that are kept
ROWS = 1 << 12  # running sums that are worked out at once


def centres_of(numbers: Reals, k: int) -> Reals:
    """At most `k` centres, ascending, with the least sum of squared distances to all numbers.

    It is the least of all for up to 512 distinct numbers; for more a local one.

    Args:
        numbers: Flat; those that are not finite do not count.
        k: How many centres, 1 or more.
    """
    return centres_among(numbers[np.isfinite(numbers)], k)


def centres_among(numbers: Reals, k: int) -> Reals:
    """As `centres_of`, for finite numbers whose place may be taken: 20 bytes for each, not 68.

    Args:
        numbers: Flat and finite; what they hold afterwards is of no use.
        k: How many centres, 1 or more.
    """
    numbers.sort()
    values, counts = _distinct(numbers)
    if len(values) <= k:
        return values.copy()
    if len(values) <= MOST_EXACT:
        few = _Sums(values, counts.astype(np.float64))
        return few.means(_exact(few, k))
    many = _SparseSums(values, counts)
    return many.means(_lloyd(many, k))


def _distinct(numbers: Reals) -> tuple[Reals, Counts]:
    """The distinct ones of ascending numbers, in their place, and how often each occurs."""
    begins = _begins(numbers)
    count = int(np.count_nonzero(begins))
    counts: Any = np.empty(count, np.int64 if len(numbers) > MOST_NARROW else np.int32)
    at = 0
    before = 0  # where the number began that is not counted yet
    for start in range(0, len(numbers), CHUNK):
        places = np.flatnonzero(begins[start : start + CHUNK]) + start
        if not len(places):
            continue
        numbers[at : at + len(places)] = numbers[places]
        if at:
            counts[at - 1] = places[0] - before
        counts[at : at + len(places) - 1] = np.diff(places)
        at, before = at + len(places), int(places[-1])
    if count:
        counts[-1] = len(numbers) - before
    return numbers[:count], counts


def _begins(numbers: Reals) -> NDArray[np.bool_]:
    """Where ascending numbers differ from the one before."""
    begins = np.ones(len(numbers), bool)
    np.not_equal(numbers[1:], numbers[:-1], out=begins[1:])
    return begins


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


class _SparseSums:
    """As `_Sums`, of which only every 64th is kept; the others are worked out when asked for.

    They are added up in the same order, so that they are the same to the last bit.
    """

    def __init__(self, values: Reals, counts: Counts) -> None:
        self.values, self.counts = values, counts
        total = np.multiply(values, counts, dtype=np.float64).sum()
        self.middle = float(total / counts.sum(dtype=np.int64))
        kept: list[tuple[Reals, Reals]] = []
        count = first = 0.0
        for start in range(0, len(values), CHUNK):
            stop = min(start + CHUNK, len(values))
            some, terms = self._terms(np.arange(start, stop))
            counted = np.cumsum(np.concatenate(([count], some)))
            summed = np.cumsum(np.concatenate(([first], terms)))
            kept.append((counted[:-1:STRIDE].copy(), summed[:-1:STRIDE].copy()))
            count, first = float(counted[-1]), float(summed[-1])
        self.total = count
        self._kept = tuple(np.concatenate(parts) for parts in zip(*kept, strict=True))

    def _terms(self, places: Places) -> tuple[Reals, Reals]:
        counts = self.counts[places].astype(np.float64)
        return counts, counts * (self.values[places] - self.middle)

    def _before(self, places: Places) -> tuple[Reals, Reals]:
        """How many numbers stand before some values, and their sum about the middle."""
        parts = [self._few_before(places[k : k + ROWS]) for k in range(0, len(places), ROWS)]
        counts, firsts = (np.concatenate(each) for each in zip(*parts, strict=True))
        return counts, firsts

    def _few_before(self, places: Places) -> tuple[Reals, Reals]:
        row = np.minimum(places // STRIDE, len(self._kept[0]) - 1)
        within = row[:, None] * STRIDE + np.arange(STRIDE)
        terms = self._terms(np.minimum(within, len(self.values) - 1))
        chosen = np.arange(len(places)), places - row * STRIDE
        counts, firsts = (
            np.cumsum(np.column_stack((kept[row], part)), axis=1)[chosen]
            for kept, part in zip(self._kept, terms, strict=True)
        )
        return counts, firsts

    def shares(self, k: int) -> Places:
        """Borders of so many groups with about as many numbers each."""
        wanted = np.linspace(0, self.total, k + 1)
        row = np.maximum(np.searchsorted(self._kept[0], wanted) - 1, 0)
        found = np.empty(k + 1, np.int64)
        for at in range(0, k + 1, ROWS):
            rows = row[at : at + ROWS]
            within = rows[:, None] * STRIDE + np.arange(STRIDE)
            counts = self.counts[np.minimum(within, len(self.values) - 1)]
            running = np.cumsum(
                np.column_stack((self._kept[0][rows], counts.astype(np.float64))), axis=1
            )
            below = (running < wanted[at : at + ROWS, None]).sum(axis=1)
            found[at : at + ROWS] = rows * STRIDE + below
        return found

    def means(self, borders: Places) -> Reals:
        """The mean of each group, where those begin and end; empty ones are left out."""
        counts, firsts = self._before(borders)
        count = np.diff(counts)
        kept = count > 0
        means: Reals = np.diff(firsts)[kept] / count[kept] + self.middle
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


def _lloyd(sums: _SparseSums, k: int) -> Places:
    """Borders that are halfway between the means of the groups they make."""
    borders = sums.shares(k)
    borders[0], borders[-1] = 0, len(sums.values)
    for _ in range(MOST_STEPS):
        means = sums.means(borders)
        inner = np.searchsorted(sums.values, (means[1:] + means[:-1]) / 2, side="right")
        moved = np.concatenate([[0], inner, [len(sums.values)]])
        if np.array_equal(moved, borders):
            break
        borders = moved
    return borders
