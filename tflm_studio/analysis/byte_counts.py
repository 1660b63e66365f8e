# SPDX-License-Identifier: Apache-2.0
"""How often each byte, or each pair of bytes, occurs.

Counting pairs of bytes as 16-bit numbers halves the work of counting, which widens every
number to 64 bits.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.histograms import MAX_BINS, Counts
from tflm_studio.model.tensor_types import Array

COUNTED_CHUNK_BYTES = 1 << 17


def byte_counts(raw: NDArray[np.uint8], check: Callable[[], None]) -> Counts:
    """How often each byte occurs, (256,).

    Args:
        raw: The bytes.
        check: Asked before each chunk.
    """
    pairs = pair_counts(raw, check).reshape(256, 256)
    counts: Counts = pairs.sum(axis=0) + pairs.sum(axis=1)
    if len(raw) % 2:
        counts[raw[-1]] += 1
    return counts


def pair_counts(raw: NDArray[np.uint8], check: Callable[[], None]) -> Counts:
    """How often each little-endian 16-bit number occurs, (65536,); see `byte_counts`."""
    words = raw[: len(raw) // 2 * 2].view("<u2")
    counts = np.zeros(1 << 16, np.int64)
    step = COUNTED_CHUNK_BYTES // 2
    places = np.empty(min(step, len(words)), np.intp)
    for start in range(0, len(words), step):
        check()
        piece = words[start : start + step]
        chosen = places[: len(piece)]
        chosen[:] = piece
        # `np.bincount` looks for the ends first, and makes a table for each piece.
        np.add.at(counts, chosen, 1)
    return counts


class BinCounts:
    """Counts numbers of bins that come in pieces, many at a time: a pass costs a table.

    Args:
        check: Asked before each pass.
        most: How many come in a piece.
    """

    def __init__(self, check: Callable[[], None], most: int) -> None:
        self._check = check
        self._found = np.zeros(MAX_BINS, np.int64)
        self._places = np.empty(max(8 * COUNTED_CHUNK_BYTES, most), np.uint8)
        self._used = 0
        self._room = np.empty(most, np.float64)

    def room(self, values: Array) -> Array:
        """Scratch for as many floats of the type of some values."""
        return self._room.view(values.dtype)[: len(values)]

    def add(self, places: Array) -> None:
        """Counts a piece of them, which are cut down to whole numbers."""
        if self._used + len(places) > len(self._places):
            self._count()
        self._places[self._used : self._used + len(places)] = places
        self._used += len(places)

    def total(self) -> Counts:
        """How often each number came; int64 (MAX_BINS,)."""
        self._count()
        return self._found

    def _count(self) -> None:
        self._found += byte_counts(self._places[: self._used], self._check)
        self._used = 0
