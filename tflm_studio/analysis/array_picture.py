# SPDX-License-Identifier: Apache-2.0
"""An array as a picture: blue below zero, white at it, red above."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import Array

BELOW, ZERO, ABOVE, NO_NUMBER = (
    np.array(colour, np.float64)
    for colour in ((33, 102, 172), (255, 255, 255), (178, 24, 43), (128, 128, 128))
)
LEAST_PIXELS = 256  # of the longer side: small arrays get large cells
MOST_PIXELS = 8192


def array_picture(values: Array) -> NDArray[np.uint8]:
    """A picture with one cell for each value, rows over all dimensions but the last.

    Args:
        values: Numbers or truths, of any shape. Of a side with more than 8,192 values, every
            so many are drawn.

    Returns:
        Shape (height, width, 3).

    Raises:
        EditError: The array holds texts or complex numbers.
    """
    if values.dtype.kind not in "biuf":
        raise EditError(f"{values.dtype} values cannot be drawn.")
    width = values.shape[-1] if values.ndim else 1
    cells = values.reshape(-1, width) if width else np.zeros((0, 0))
    down, across = (max(1, -(-size // MOST_PIXELS)) for size in cells.shape)
    cells = cells[::down, ::across].astype(np.float64)
    finite = np.isfinite(cells)
    reach = float(np.abs(cells[finite]).max(initial=0.0)) or 1.0
    share = np.where(finite, cells / reach, 0.0)[..., None]
    colours = np.where(
        share < 0, ZERO + (BELOW - ZERO) * -share, ZERO + (ABOVE - ZERO) * share
    )
    colours[~finite] = NO_NUMBER
    picture = np.rint(colours).astype(np.uint8)
    scale = max(1, math.ceil(LEAST_PIXELS / max(1, *picture.shape[:2])))
    return picture.repeat(scale, 0).repeat(scale, 1)
