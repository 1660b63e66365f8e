# SPDX-License-Identifier: Apache-2.0
"""Two-dimensional slices of a buffer of any rank."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.model.quantization import Reals

WRAPPED_COLUMNS = 64  # a list is shown in lines of at least so many


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """Which element stands in which row and column.

    Attributes:
        contents: The buffer.
        row_axes: Axes that rows run over, the last one fastest; empty if wrapped.
        column_axis: The axis of the columns; None if the values are a list in lines.
        fixed: The index along each of the other axes, 0 for the axes of the plane.
        rows: Number of rows.
        columns: Number of columns.
    """

    contents: BufferContents
    row_axes: tuple[int, ...]
    column_axis: int | None
    fixed: tuple[int, ...]
    rows: int
    columns: int

    def flat_index(self, row: Any, column: Any) -> Any:
        """Flat index of a cell (numbers or arrays of them); may be behind the last element."""
        if self.column_axis is None:
            return row * self.columns + column
        strides = _strides(self.contents.shape)
        start = sum(f * stride for f, stride in zip(self.fixed, strides, strict=True))
        flat = column * strides[self.column_axis] + start
        for axis in reversed(self.row_axes):
            row, index = divmod(row, self.contents.shape[axis])
            flat = flat + index * strides[axis]
        return flat

    def values(self, rows: range, columns: range, *, real: bool) -> Reals:
        """Values of some rows and columns, NaN behind the last element. O(their number)."""
        across = np.arange(columns.start, columns.stop, columns.step)
        down = np.arange(rows.start, rows.stop, rows.step)[:, None]
        flat = self.flat_index(down, across)
        inside = np.minimum(flat, self.contents.count - 1)
        take = self.contents.reals_at if real else self.contents.values_at
        with np.errstate(invalid="ignore"):  # signalling NaN
            values: Reals = take(inside).astype(np.float64)
        values[flat >= self.contents.count] = np.nan
        return values


def wrapped_plane(contents: BufferContents) -> Plane:
    """All values as a list, in lines about twice as long as there are lines."""
    count = contents.count
    exact = round(math.log2(max(math.sqrt(2 * count), 1)))
    columns = min(max(WRAPPED_COLUMNS, 1 << exact), max(count, 1))
    return Plane(contents, (), None, (), -(-count // columns), columns)


def plane(
    contents: BufferContents,
    rows: int | None,
    columns: int | None,
    fixed: tuple[int | None, ...],
) -> Plane:
    """A slice along two axes, or all rows of a table.

    Args:
        contents: The buffer.
        rows: The axis of the rows; None for all axes that are not fixed, one after the other.
        columns: The axis of the columns; None for the last with more than one index.
        fixed: For each axis the one index to show or None; 0 where one must be.
    """
    shape = contents.shape
    long = [axis for axis, size in enumerate(shape) if size > 1]
    if len(long) < 2:
        return wrapped_plane(contents)
    across = long[-1] if columns is None or columns >= len(shape) else columns
    wanted = fixed if len(fixed) == len(shape) else (None,) * len(shape)
    if rows is None or rows >= len(shape) or rows == across:
        down = tuple(a for a in long if a != across and wanted[a] is None)
    else:
        down = (rows,)
    used = (*down, across)
    kept = tuple(0 if a in used else min(f or 0, shape[a] - 1) for a, f in enumerate(wanted))
    return Plane(
        contents, down, across, kept, math.prod(shape[a] for a in down), shape[across]
    )


def _strides(shape: tuple[int, ...]) -> list[int]:
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
