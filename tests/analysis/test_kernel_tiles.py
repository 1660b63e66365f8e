# SPDX-License-Identifier: Apache-2.0
"""Images stand where their cells say, and are found there again."""

from __future__ import annotations

import numpy as np
import pytest

from tflm_studio.analysis.kernel_tiles import arranged, mosaic

NOTHING = 255


@pytest.mark.parametrize(("count", "each"), [(1, 1), (5, 1), (7, 3), (2, 9)])
@pytest.mark.parametrize("room", [0.2, 1.0, 6.0])
def test_every_cell_of_the_picture_is_found_in_its_image(
    count: int, each: int, room: float
) -> None:
    numbers = np.arange(count * each * 12, dtype=np.uint8).reshape(count, each, 3, 4)
    tiles = arranged(np.arange(count)[::-1], each, (3, 4), room)
    picture = mosaic(numbers, tiles, NOTHING)
    assert picture.shape == tiles.size
    seen = 0
    for (down, across), colour in np.ndenumerate(picture):
        hit = tiles.image_at(down, across)
        if hit is None:
            assert colour == NOTHING
            continue
        number, row, column = hit
        seen += 1
        assert colour == numbers.reshape(-1, 3, 4)[number, row, column]
    assert seen == numbers.size


def test_outside_of_all_images_there_is_none() -> None:
    tiles = arranged(np.arange(3), 1, (3, 3), 1.0)
    assert [tiles.image_at(*cell) for cell in ((-1, 0), (0, -1), (0, 99), (99, 0))] == [
        None
    ] * 4


def test_a_wide_room_has_more_columns() -> None:
    columns = [arranged(np.arange(12), 1, (3, 3), room).columns for room in (0.1, 1.0, 20.0)]
    assert columns == [1, 3, 12]


def test_all_images_of_a_kernel_are_framed() -> None:
    tiles = arranged(np.array([1, 0]), 2, (3, 3), 10.0)
    frames = [tiles.around(kernel, 2) for kernel in (1, 0)]
    assert frames[0] is not None
    assert frames[1] is not None
    left, top, width, height = frames[0]
    assert (left, top) == (-tiles.gap / 2, -tiles.gap / 2)
    assert width * height == 2 * tiles.width * tiles.height
    assert frames[1][:2] != frames[0][:2]
    assert tiles.around(9, 2) is None
