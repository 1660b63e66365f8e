# SPDX-License-Identifier: Apache-2.0
"""Where small images stand side by side, and the picture that they make together."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Tiles(NamedTuple):
    """Where the images stand: a cell is a pixel of an image, a gap is at least one cell.

    Attributes:
        kernels: Numbers of the kernels as they follow one another.
        order: Numbers of the images as they stand, row after row.
        columns: Images in a row.
        height: Cells from one image to the one below.
        width: Cells from one image to the one beside.
        gap: Cells between two images.
    """

    kernels: NDArray[np.intp]
    order: NDArray[np.intp]
    columns: int
    height: int
    width: int
    gap: int

    @property
    def rows(self) -> int:
        """Rows of images."""
        return -(-len(self.order) // self.columns)

    @property
    def size(self) -> tuple[int, int]:
        """Cells down and across, without a gap around them."""
        return self.rows * self.height - self.gap, self.columns * self.width - self.gap

    def corner(self, place: int) -> tuple[int, int]:
        """Row and column of the first cell of the image at a place."""
        row, column = divmod(place, self.columns)
        return row * self.height, column * self.width

    def image_at(self, down: int, across: int) -> tuple[int, int, int] | None:
        """Number of the image that a cell belongs to, and the row and column in it."""
        (tile_row, row), (tile, column) = divmod(down, self.height), divmod(across, self.width)
        place = tile_row * self.columns + tile
        is_inside = 0 <= tile < self.columns and tile_row >= 0 and place < len(self.order)
        in_gap = row >= self.height - self.gap or column >= self.width - self.gap
        return None if in_gap or not is_inside else (int(self.order[place]), row, column)

    def around(self, kernel: int, each: int) -> tuple[float, float, float, float] | None:
        """Left, top, width and height of the cells of a kernel and half the gap around them.

        Args:
            kernel: Which kernel.
            each: How many images each has.
        """
        places = np.flatnonzero(self.order // each == kernel)
        if not len(places):
            return None
        top, left = self.corner(int(places[0]))
        bottom, right = self.corner(int(places[-1]))
        edge = self.gap / 2
        return left - edge, top - edge, right - left + self.width, bottom - top + self.height


def arranged(
    kernels: NDArray[np.intp], each: int, size: tuple[int, int], room: float
) -> Tiles:
    """Images in as many columns as make them largest.

    Args:
        kernels: Numbers of the kernels as they shall follow one another.
        each: Images of a kernel; several of one stand in a row or in a column.
        size: Rows and columns of an image.
        room: How many times as wide as high the place for all of them is.
    """
    count, gap = len(kernels), max(1, round(max(size) / 6))
    height, width = size[0] + gap, size[1] + gap
    if each == 1:
        columns = _best_columns(count, height, width, room)
        return Tiles(kernels, kernels, columns, height, width, gap)
    images = kernels[:, None] * each + np.arange(each)
    across = _scale(each, count, height, width, room)
    if across < _scale(count, each, height, width, room):
        images = images.T
    return Tiles(kernels, images.reshape(-1), images.shape[1], height, width, gap)


def mosaic(numbers: NDArray[np.uint8], tiles: Tiles, nothing: int) -> NDArray[np.uint8]:
    """All images as one picture.

    Args:
        numbers: Numbers of colours, (kernels, images of each, rows, columns).
        tiles: Where the images stand.
        nothing: What stands between them.
    """
    height, width = numbers.shape[2:]
    flat = numbers.reshape(-1, height, width)
    places = np.full(
        (tiles.rows * tiles.columns, tiles.height, tiles.width), nothing, np.uint8
    )
    places[: len(tiles.order), :height, :width] = flat[tiles.order]
    grid = places.reshape(tiles.rows, tiles.columns, tiles.height, tiles.width)
    whole = grid.transpose(0, 2, 1, 3).reshape(tiles.rows * tiles.height, -1)
    rows, columns = tiles.size
    return np.ascontiguousarray(whole[:rows, :columns])


def _scale(columns: Any, rows: Any, height: int, width: int, room: float) -> Any:
    """How large images can be in a room of this shape."""
    return np.minimum(room / (columns * width), 1 / (rows * height))


def _best_columns(count: int, height: int, width: int, room: float) -> int:
    """How many images in a row make all of them largest."""
    columns = np.arange(1, count + 1)
    return int(columns[_scale(columns, -(-count // columns), height, width, room).argmax()])
