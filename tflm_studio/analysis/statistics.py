# SPDX-License-Identifier: Apache-2.0
"""Statistics and a histogram of a buffer's values, chunk by chunk, never a copy of it all.

Types of up to 16 bits have few distinct values, so one pass that counts each of them gives
everything else. Wider types take two passes, for moments and for the histogram. Asking numpy
for each figure in turn takes about ten times as long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.byte_counts import BinCounts, byte_counts, pair_counts
from tflm_studio.analysis.histograms import (
    Counts,
    Histogram,
    bin_count,
    bin_scale,
    float_histogram,
    whole_histogram,
)
from tflm_studio.analysis.moments import Moments
from tflm_studio.model.quantization import AffineQuantization, Reals
from tflm_studio.model.tensor_types import Array, ElementType, decode

MEASURED_CHUNK = 1 << 16  # elements: a chunk and its copy fit a second-level cache

Cancelled = Callable[[], bool]


class MeasuringCancelledError(Exception):
    """The caller no longer wants the statistics."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """What a buffer's values are like.

    Attributes:
        count: Elements, the not finite ones included.
        low: Smallest finite value, None if there is none; an int for stored integers.
        high: Largest finite value.
        mean: Mean of the finite values, NaN if there are none.
        std: Their standard deviation (of the population).
        zeros: Values that are exactly zero.
        saturated: Values at an end of the integer range; None for other types.
        nan: Values that are not a number.
        infinite: Values that are infinite.
        histogram: Of the finite values; None if there are none.
    """

    count: int
    low: float | None
    high: float | None
    mean: float
    std: float
    zeros: int
    saturated: int | None
    nan: int
    infinite: int
    histogram: Histogram | None


def measure(
    contents: BufferContents, *, real: bool = False, cancelled: Cancelled = lambda: False
) -> Statistics:
    """Measures all values of a buffer; complex ones by their magnitude. O(elements).

    Args:
        contents: The buffer.
        real: Measure the reals that quantised values stand for, not what is stored.
        cancelled: Asked before each chunk.

    Raises:
        MeasuringCancelledError: `cancelled` said so.
    """
    q = contents.quantization
    source = _Source(contents, q if real else None, cancelled)
    ends = saturation_ends(contents.kind, q)
    is_per_channel = real and q is not None and q.inner > 0
    if contents.kind.bits <= 16 and not is_per_channel:
        return _measure_counts(source, ends)
    return _measure_chunks(source, ends)


def saturation_ends(
    kind: ElementType, quantization: AffineQuantization | None
) -> tuple[int, int] | None:
    """Integers at and beyond which a value counts as saturated, None if the type has none.

    Symmetric quantisation does not use the lowest integer, so -127 is an end of int8 there.
    """
    if kind.kind != "integer":
        return None
    is_symmetric = quantization is not None and not quantization.zero_point.any()
    return kind.low + (is_symmetric and kind.low < 0), kind.high


@dataclass(frozen=True, slots=True)
class _Source:
    contents: BufferContents
    quantization: AffineQuantization | None  # None to measure what is stored
    cancelled: Cancelled

    def check(self) -> None:
        if self.cancelled():
            raise MeasuringCancelledError

    def chunks(self, most: int) -> Iterator[tuple[Array, Array]]:
        """Stored values and what to measure, the same array unless reals are wanted."""
        for start in range(0, self.contents.count, most):
            self.check()
            stored = self.contents.values(start, most)
            yield stored, self.meant(stored, start)

    def meant(self, stored: Array, start: int = 0) -> Array:
        if self.quantization is not None:
            return self.quantization.to_real(stored, start)
        return np.abs(stored) if self.contents.kind.kind == "complex" else stored


def _measure_counts(source: _Source, ends: tuple[int, int] | None) -> Statistics:
    stored, counts = _distinct(source)
    with np.errstate(invalid="ignore"):  # signalling NaN
        values = source.meant(stored).astype(np.float64)
    finite = np.isfinite(values)
    at_end = None if ends is None else (stored <= ends[0]) | (stored >= ends[1])
    mean, std = _weighted_moments(values[finite], counts[finite])
    number = float if source.quantization or source.contents.kind.kind == "float" else int
    return Statistics(
        count=source.contents.count,
        low=number(values[finite].min()) if finite.any() else None,
        high=number(values[finite].max()) if finite.any() else None,
        mean=mean,
        std=std,
        zeros=int(counts[values == 0].sum()),
        saturated=None if at_end is None else int(counts[at_end].sum()),
        nan=int(counts[np.isnan(values)].sum()),
        infinite=int(counts[np.isinf(values)].sum()),
        histogram=_counted_histogram(source, stored, values, counts),
    )


def _distinct(source: _Source) -> tuple[Array, Counts]:
    """The stored values that occur, in ascending order, and how often."""
    kind = source.contents.kind
    per_item = max(1, 8 // kind.bits) if kind.bits else 1
    whole = source.contents.count // per_item
    raw = np.frombuffer(source.contents.data or b"", np.uint8)
    raw = raw[: whole * max(kind.bits // 8, 1)]
    patterns = (pair_counts if kind.bits == 16 else byte_counts)(raw, source.check)
    present = np.flatnonzero(patterns)
    stored = decode(present.astype("<u2" if kind.bits == 16 else "u1").tobytes(), kind)
    counts = np.repeat(patterns[present], per_item)
    # A last byte that is not full holds padding besides elements.
    rest = source.contents.values(whole * per_item)
    values, where = np.unique(np.append(stored, rest), return_inverse=True)
    weights = np.append(counts, np.ones(len(rest), np.int64))
    return values, np.bincount(where, weights, len(values)).astype(np.int64)


def _weighted_moments(values: Reals, counts: Counts) -> tuple[float, float]:
    if not len(values):
        return math.nan, math.nan
    mean = float(np.average(values, weights=counts))
    return mean, math.sqrt(float(np.average((values - mean) ** 2, weights=counts)))


def _counted_histogram(
    source: _Source, stored: Array, values: Reals, counts: Counts
) -> Histogram | None:
    q, finite = source.quantization, np.isfinite(values)
    if not finite.any():
        return None
    if source.contents.kind.kind != "float":
        whole = whole_histogram(stored.astype(np.int64), counts)
        if q is None:
            return whole
        scale, zero = float(q.scale[0]), int(q.zero_point[0])
        if scale > 0:
            return Histogram((whole.start - zero) * scale, whole.width * scale, whole.counts)
    values, counts = values[finite], counts[finite]
    bins, low, high = bin_count(int(counts.sum())), float(values.min()), float(values.max())
    scale = bin_scale(low, high, bins)
    where = ((values / 2 - low / 2) * scale).astype(np.intp)
    found = np.bincount(where, counts, bins).astype(np.int64)
    return float_histogram(low, high, found[:bins] if scale else found[:1])


def _measure_chunks(source: _Source, ends: tuple[int, int] | None) -> Statistics:
    total, saturated = Moments(MEASURED_CHUNK), 0
    for stored, values in source.chunks(MEASURED_CHUNK):
        total.add(values)
        if ends is not None:
            saturated += int(np.count_nonzero((stored <= ends[0]) | (stored >= ends[1])))
    finite = source.contents.count - total.nan - total.infinite
    return Statistics(
        count=source.contents.count,
        low=total.low if finite else None,
        high=total.high if finite else None,
        mean=total.mean if finite else math.nan,
        std=math.sqrt(max(total.squares, 0.0) / finite) if finite else math.nan,
        zeros=total.zeros,
        saturated=saturated if ends is not None else None,
        nan=total.nan,
        infinite=total.infinite,
        histogram=_chunked_histogram(source, total) if finite else None,
    )


def _chunked_histogram(source: _Source, total: Moments) -> Histogram:
    if isinstance(total.low, int) and isinstance(total.high, int):
        return _integer_histogram(source, total.low, total.high)
    bins, low, high = bin_count(source.contents.count), float(total.low), float(total.high)
    scale = bin_scale(low, high, bins)
    if not scale:
        return float_histogram(low, high, np.array([total.count]))
    is_narrow = high / 2 - low / 2 < 1e37 and 1e-37 < scale < 1e37
    half, factor = (1.0, scale / 2) if is_narrow else (0.5, scale)
    counts = BinCounts(source.check, MEASURED_CHUNK)
    for _, values in source.chunks(MEASURED_CHUNK):
        chunk = values[np.isfinite(values)] if total.nan or total.infinite else values
        exact = chunk if is_narrow else chunk.astype(np.float64) * half
        number = exact.dtype.type
        apart = np.subtract(exact, number(low * half), out=counts.room(exact))
        counts.add(np.multiply(apart, number(factor), out=apart))
    return float_histogram(low, high, counts.total()[:bins])


def _integer_histogram(source: _Source, low: int, high: int) -> Histogram:
    step = (high - low) // bin_count(source.contents.count) + 1
    counts = BinCounts(source.check, MEASURED_CHUNK)
    for chunk, _ in source.chunks(MEASURED_CHUNK):
        unsigned = np.dtype(f"u{chunk.itemsize}")
        # Unsigned arithmetic wraps, so the distance is right however far the ends are apart.
        apart = chunk.astype(unsigned) - unsigned.type(low % (1 << 8 * chunk.itemsize))
        counts.add(apart // unsigned.type(step))
    return Histogram(low - 0.5, float(step), counts.total()[: (high - low) // step + 1])
