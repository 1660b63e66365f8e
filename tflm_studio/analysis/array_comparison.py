# SPDX-License-Identifier: Apache-2.0
"""How far values are from others of the same shape, measured piece by piece."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.difference_cells import DifferenceCells
from tflm_studio.model.cancellation import CancelledError
from tflm_studio.model.tensor_types import Array

PIECE = 1 << 18  # elements
MOST_LISTED = 200  # of the largest differences
MOST_MAPPED = 1 << 24  # differences that are kept one by one to be drawn

Reader = Callable[[int, int], Array]  # start, count


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Values less their references, in figures. Those of finite pairs, if not said otherwise.

    Attributes:
        count: Pairs.
        changed: Pairs that are not equal; two NaN are.
        special: Pairs of which just one is finite, or that are infinite on other sides.
        largest: Largest absolute difference.
        largest_at: Flat index of it, None if no pair differs.
        mean: Mean difference.
        mean_absolute: Mean absolute difference.
        rms: Root of the mean squared difference.
        sqnr: Signal to noise in decibels, the references being the signal; infinite without
            noise, NaN without signal.
        listed: Flat indices of the largest differences, the largest first.
        differences: float32, one for each pair; None if there are very many.
        cells: The largest differences of many together, if there are very many; else None.
    """

    count: int
    changed: int
    special: int
    largest: float
    largest_at: int | None
    mean: float
    mean_absolute: float
    rms: float
    sqnr: float
    listed: NDArray[np.int64]
    differences: NDArray[np.float32] | None
    cells: DifferenceCells | None = None


def compare(
    ours: Reader,
    theirs: Reader,
    count: int,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    columns: int = 0,
) -> Comparison:
    """Compares consecutive values with their references. O(count), a piece in memory.

    Args:
        ours: Gives consecutive values.
        theirs: Gives the values they are compared with.
        count: How many there are.
        cancelled: Asked before each piece.
        columns: Of the table that the values are; 0 for a list.

    Raises:
        CancelledError: `cancelled` said so.
    """
    sums = _Sums(count, columns)
    for start in range(0, count, PIECE):
        if cancelled():
            raise CancelledError("Cancelled; nothing has changed.")
        size = min(PIECE, count - start)
        sums.add(start, ours(start, size), theirs(start, size))
    return sums.comparison()


class _Sums:
    def __init__(self, count: int, columns: int) -> None:
        self.count = count
        self.changed = self.special = self.finite = 0
        self.total = self.absolute = self.squares = self.signal = 0.0
        self.listed: NDArray[np.int64] = np.array([], np.int64)
        self.sizes: NDArray[np.float64] = np.array([])
        is_many = count > MOST_MAPPED
        self.kept = None if is_many else np.zeros(count, np.float32)
        self.cells = DifferenceCells.for_table(count, columns) if is_many else None

    def add(self, start: int, ours: Array, theirs: Array) -> None:
        with np.errstate(invalid="ignore", over="ignore"):  # infinities and signalling NaN
            wide = theirs.astype(np.float64)
            differs = ours != theirs
            if not differs.any():
                self._add_signal(wide)
                self.finite += len(ours)
                return
            apart = ours.astype(np.float64) - wide
        if ours.dtype.kind == "f" or theirs.dtype.kind == "f":
            differs &= ~((ours != ours) & (theirs != theirs))
        apart[~differs] = 0.0  # infinities of one side among them
        self._add_signal(wide)
        self.changed += int(np.count_nonzero(differs))
        if self.kept is not None:
            with np.errstate(over="ignore"):
                self.kept[start : start + len(apart)] = apart
        finite = np.isfinite(apart)
        special = len(apart) - int(np.count_nonzero(finite))
        sizes = np.abs(apart)
        if special:
            # What is no number at all is the largest difference there is.
            self._list(start, np.where(finite, sizes, np.inf))
            apart, sizes = np.where(finite, apart, 0.0), np.where(finite, sizes, 0.0)
        else:
            self._list(start, sizes)
        self.special += special
        self.finite += len(apart) - special
        with np.errstate(over="ignore"):
            self.total += float(apart.sum())
            self.absolute += float(sizes.sum())
            self.squares += float(np.dot(sizes, sizes))

    def _add_signal(self, wide: NDArray[np.float64]) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            signal = float(np.dot(wide, wide))
            if not math.isfinite(signal):
                finite = wide[np.isfinite(wide)]
                signal = float(np.dot(finite, finite))
        self.signal += signal

    def _list(self, start: int, sizes: NDArray[np.float64]) -> None:
        if self.cells is not None:
            self.cells.add(start, sizes)
        least = float(self.sizes[-1]) if len(self.sizes) == MOST_LISTED else 0.0
        found = np.flatnonzero(sizes > least)
        if not len(found):
            return
        if len(found) > MOST_LISTED:
            found = found[np.argpartition(sizes[found], -MOST_LISTED)[-MOST_LISTED:]]
        listed = np.append(self.listed, found + start)
        all_sizes = np.append(self.sizes, sizes[found])
        order = np.lexsort((listed, -all_sizes))[:MOST_LISTED]
        self.listed, self.sizes = listed[order], all_sizes[order]

    def comparison(self) -> Comparison:
        pairs = max(self.finite, 1)
        finite = self.sizes[np.isfinite(self.sizes)]
        return Comparison(
            count=self.count,
            changed=self.changed,
            special=self.special,
            largest=float(finite[0]) if len(finite) else 0.0,
            largest_at=int(self.listed[0]) if len(self.listed) else None,
            mean=self.total / pairs,
            mean_absolute=self.absolute / pairs,
            rms=math.sqrt(self.squares / pairs),
            sqnr=decibels(self.signal, self.squares),
            listed=self.listed,
            differences=self.kept,
            cells=self.cells,
        )


def decibels(signal: float, noise: float) -> float:
    """Signal to noise; infinite without noise, NaN without signal.

    Args:
        signal: Sum of squares.
        noise: Sum of squares.
    """
    if not noise:
        return math.inf
    # Not of the quotient, which may be too small for a float64.
    return 10 * (math.log10(signal) - math.log10(noise)) if signal else math.nan
