# SPDX-License-Identifier: Apache-2.0
"""What the values of any array are like, as plain data for JSON."""

from __future__ import annotations

from typing import Any

import numpy as np

from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import Array

MOST_BINS = 64
LARGEST, SMALLEST = 1e150, 1e-150
EXACT_SPAN = 2**52  # wider whole numbers leave float64 no halves
CHUNK = 2**20  # elements: what is widened to float64 at a time


def summarize_array(values: Array) -> dict[str, Any]:
    """Statistics of the values of an array. O(n log n) for wide types, else O(n).

    Args:
        values: Numbers or truths, of any shape.

    Returns:
        `dtype`, `shape`, `count`, `min`, `max`, `mean`, `std` (of the population), `zeros`,
        `unique`, `nan`, `infinite`, and `histogram` with `edges` and `counts`. All but the
        counts are of the finite values alone, and None if there are none.

    Raises:
        EditError: The array holds texts or complex numbers.
    """
    if values.dtype.kind not in "biuf":
        raise EditError(f"{values.dtype} values have no statistics.")
    flat = values.reshape(-1)
    is_float = flat.dtype.kind == "f"
    nan = int(np.isnan(flat).sum()) if is_float else 0
    finite = flat[np.isfinite(flat)] if is_float else flat
    found: dict[str, Any] = {
        "dtype": str(values.dtype),
        "shape": list(values.shape),
        "count": flat.size,
        "min": None,
        "max": None,
        "mean": None,
        "std": None,
        "zeros": flat.size - int(np.count_nonzero(flat)),
        "unique": _distinct(flat),
        "nan": nan,
        "infinite": flat.size - finite.size - nan,
        "histogram": {"edges": [], "counts": []},
    }
    if finite.size:
        mean, std = _moments(finite)
        found |= {
            "min": finite.min().item(),
            "max": finite.max().item(),
            "mean": mean,
            "std": std,
            "histogram": _histogram(finite),
        }
    return found


def _moments(finite: Array) -> tuple[float, float]:
    """Mean and standard deviation, in double precision without a wide copy of it all."""
    pieces = [finite[at : at + CHUNK] for at in range(0, finite.size, CHUNK)]
    largest = max(abs(float(finite.min())), abs(float(finite.max())))
    # Sums of the largest do not fit float64, nor do squares of the smallest.
    by = 1.0 if not largest or SMALLEST < largest < LARGEST else largest
    mean = sum(float(_part(piece, by).sum()) for piece in pieces) / finite.size
    squares = (float(np.square(_part(piece, by) - mean).sum()) for piece in pieces)
    return mean * by, float(np.sqrt(sum(squares) / finite.size)) * by


def _part(piece: Array, by: float) -> Array:
    wide: Array = piece.astype(np.float64)
    return wide if by == 1.0 else wide / by


def _distinct(flat: Array) -> int:
    if flat.dtype.kind in "biu" and flat.dtype.itemsize <= 2:
        seen = np.zeros(1 << 8 * flat.dtype.itemsize, bool)
        seen[flat.view(f"u{flat.dtype.itemsize}")] = True
        return int(seen.sum())
    return int(np.unique(flat).size)


def _histogram(finite: Array) -> dict[str, list[Any]]:
    """Counts in bins of one width; those of whole numbers start half below the least."""
    low, high = finite.min().item(), finite.max().item()
    if finite.dtype.kind in "biu":
        width = max(1, -(-(int(high) - int(low) + 1) // MOST_BINS))
        bins = -(-(int(high) - int(low) + 1) // width)
        if int(high) - int(low) < EXACT_SPAN:
            edges = int(low) - 0.5 + width * np.arange(bins + 1)
        else:
            edges = np.array([float(int(low) + width * k) for k in range(bins + 1)])
    else:
        room = 0.0 if low < high else 0.5
        # The range of float64 does not fit float64, nor half of its smallest number.
        by = 2 if max(high, -low) > LARGEST else 1
        ends = low / by - room / by, high / by + room / by
        edges = by * np.linspace(*ends, MOST_BINS + 1)
    counts = np.zeros(len(edges) - 1, np.int64)
    for at in range(0, finite.size, CHUNK):
        counts += np.histogram(finite[at : at + CHUNK].astype(np.float64), edges)[0]
    return {"edges": edges.tolist(), "counts": counts.tolist()}
