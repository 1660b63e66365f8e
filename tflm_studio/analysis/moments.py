# SPDX-License-Identifier: Apache-2.0
"""Ends, mean and deviation of values that come in chunks."""

from __future__ import annotations

import math

import numpy as np

from tflm_studio.model.tensor_types import Array


class Moments:
    """Moments of chunks, merged pairwise (Chan, Golub and LeVeque 1983).

    Args:
        most: How many values come in a chunk.

    Attributes:
        count: Finite values.
        zeros: Values that are exactly zero.
        nan: Values that are not a number.
        infinite: Values that are infinite.
        low: The smallest finite value.
        high: The largest.
        mean: The mean of the finite values.
        squares: The sum of their squared distances from it.
    """

    def __init__(self, most: int) -> None:
        self.count = self.zeros = self.nan = self.infinite = 0
        self.low: float = math.inf
        self.high: float = -math.inf
        self.mean = self.squares = 0.0
        self._apart = np.empty(most, np.float32)

    def add(self, chunk: Array) -> None:
        """Takes in a chunk, which is not empty."""
        low, high = chunk.min(), chunk.max()
        if chunk.dtype.kind == "f" and not (math.isfinite(low) and math.isfinite(high)):
            chunk = self._finite(chunk)
            if not len(chunk):
                return
            low, high = chunk.min(), chunk.max()
        self.low = min(self.low, low.item())
        self.high = max(self.high, high.item())
        self.zeros += int(np.count_nonzero(chunk == 0))
        mean, squares = self._chunk_moments(chunk)
        before, self.count = self.count, self.count + len(chunk)
        delta = mean - self.mean
        self.mean += delta * (len(chunk) / self.count)
        self.squares += squares + delta * (before * (len(chunk) / self.count)) * delta

    def _finite(self, chunk: Array) -> Array:
        finite = np.isfinite(chunk)
        nan = int(np.count_nonzero(np.isnan(chunk)))
        self.nan += nan
        self.infinite += len(chunk) - nan - int(np.count_nonzero(finite))
        return chunk[finite]

    def _chunk_moments(self, chunk: Array) -> tuple[float, float]:
        """Mean and sum of squared distances from it, in float32 unless that is too narrow."""
        if chunk.dtype == np.float32:
            apart = self._apart[: len(chunk)]
            with np.errstate(over="ignore", invalid="ignore"):
                total = chunk.sum()
                np.subtract(chunk, total / np.float32(len(chunk)), out=apart)
                squares = float(np.dot(apart, apart))
            if 1e-30 < squares < math.inf:
                return float(total) / len(chunk), squares
        wide = chunk.astype(np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            mean = wide.mean()
            wide -= mean
            return float(mean), float(np.dot(wide, wide))
