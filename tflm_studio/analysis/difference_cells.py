# SPDX-License-Identifier: Apache-2.0
"""The largest difference in each cell of a table that is too large to be drawn whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_CELLS = 1 << 18  # so few are drawn whole, so that none is left out


@dataclass(frozen=True, slots=True, eq=False)
class DifferenceCells:
    """Magnitudes of differences, so many rows and columns together.

    Attributes:
        largest: float32, the largest of each cell; infinite where one is no number.
        height: Rows of a cell; those of the last may be fewer.
        width: Columns of a cell.
        columns: Columns of the table.
    """

    largest: NDArray[np.float32]
    height: int
    width: int
    columns: int

    @classmethod
    def for_table(cls, count: int, columns: int = 0) -> DifferenceCells:
        """Cells without a difference.

        Args:
            count: Values of the table, 1 or more.
            columns: Its columns; 0 for a list, which is drawn in lines.
        """
        columns = columns or 1 << round(math.log2(max(math.sqrt(2 * count), 1)))
        rows = -(-count // columns)
        height = width = 1
        while -(-rows // height) * -(-columns // width) > MOST_CELLS:
            if rows * width >= columns * height:
                height += 1
            else:
                width += 1
        shape = (-(-rows // height), -(-columns // width))
        return cls(np.zeros(shape, np.float32), height, width, columns)

    def add(self, start: int, sizes: NDArray[np.float64]) -> None:
        """Takes in the magnitudes of consecutive differences. O(sizes).

        Args:
            start: Flat index of the first.
            sizes: None is NaN.
        """
        stop = start + len(sizes)
        row, last = start // self.columns, (stop - 1) // self.columns
        # Where a row or a cell of a row begins: no run of values leads over one of these.
        lines = np.arange(row, last + 1)[:, None] * self.columns
        begins = (lines + np.arange(0, self.columns, self.width)).reshape(-1)
        begins = begins[(begins > start) & (begins < stop)]
        begins = np.concatenate(([start], begins))
        with np.errstate(over="ignore"):
            found = np.maximum.reduceat(sizes, begins - start).astype(np.float32)
        across = self.largest.shape[1]
        cells = begins // self.columns // self.height * across
        cells += begins % self.columns // self.width
        np.maximum.at(self.largest.reshape(-1), cells, found)
