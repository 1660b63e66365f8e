# SPDX-License-Identifier: Apache-2.0
"""Shapes of what a window slides over: convolutions and pools; and of resized images."""

from __future__ import annotations

from tflm_studio.model.shape_rules.operands import (
    ImpossibleShapeError,
    Operands,
    Shape,
    UnknownShapeError,
)
from tflm_studio.schema.enums import Padding

_SPATIAL = ("d", "h", "w")


def conv_2d(op: Operands) -> list[Shape]:
    """[N, H, W, C] with a filter [out, h, w, in]; groups if `in` is a part of C."""
    image, kernel = op.shape(0, 4), op.shape(1, 4)
    if kernel[3] <= 0 or image[3] % kernel[3]:
        raise ImpossibleShapeError(
            f"the filter takes {kernel[3]} channels, the input has {image[3]}"
        )
    groups = image[3] // kernel[3]
    if groups and kernel[0] % groups:
        raise ImpossibleShapeError(
            f"the filter takes {kernel[3]} channels, the input has {image[3]}, and "
            f"{kernel[0]} outputs do not divide into {groups} groups"
        )
    return [[image[0], *_slid(op, image[1:3], kernel[1:3]), kernel[0]]]


def depthwise_conv_2d(op: Operands) -> list[Shape]:
    """[N, H, W, C] with a filter [1, h, w, out]; `out` is a multiple of C."""
    image, kernel = op.shape(0, 4), op.shape(1, 4)
    if image[3] <= 0 or kernel[3] % image[3]:
        raise ImpossibleShapeError(
            f"the filter makes {kernel[3]} channels, no multiple of the input's {image[3]}"
        )
    return [[image[0], *_slid(op, image[1:3], kernel[1:3]), kernel[3]]]


def conv_3d(op: Operands) -> list[Shape]:
    """[N, D, H, W, C] with a filter [d, h, w, in, out]."""
    image, kernel = op.shape(0, 5), op.shape(1, 5)
    if kernel[3] <= 0 or image[4] % kernel[3]:
        raise ImpossibleShapeError(
            f"the filter takes {kernel[3]} channels, the input has {image[4]}"
        )
    return [[image[0], *_slid(op, image[1:4], kernel[:3]), kernel[4]]]


def pool(op: Operands) -> list[Shape]:
    """[N, H, W, C] with a window of the options."""
    image = op.shape(0, 4)
    window = [op.option("filter_height"), op.option("filter_width")]
    return [[image[0], *_slid(op, image[1:3], window), image[3]]]


def transpose_conv(op: Operands) -> list[Shape]:
    """What the constant output_shape says; filter [out, h, w, in]."""
    image, kernel, made = op.shape(2, 4), op.shape(1, 4), op.constant(0)
    if kernel[3] != image[3]:
        raise ImpossibleShapeError(
            f"the filter takes {kernel[3]} channels, the input has {image[3]}"
        )
    if len(made) != 4 or made[0] != image[0]:
        raise ImpossibleShapeError("output_shape does not fit the input")
    return [[*made[:3], kernel[0]]]


def resize(op: Operands) -> list[Shape]:
    """[N, H, W, C] of the constant size."""
    image, size = op.shape(0, 4), op.constant(1)
    if len(size) != 2:
        raise ImpossibleShapeError("size is not a height and a width")
    return [[image[0], *size, image[3]]]


def window_steps(op: Operands, axes: int = 2) -> list[int]:
    """Strides of the last `axes` spatial axes.

    Raises:
        UnknownShapeError: The options do not give them.
    """
    strides: list[int] = [op.option(f"stride_{axis}") for axis in _SPATIAL[-axes:]]
    if min(strides) <= 0:
        raise UnknownShapeError("the options have no strides")
    return strides


def _slid(op: Operands, sizes: Shape, window: Shape) -> Shape:
    """Output sizes (padding.h): SAME ceil(i / s), VALID ceil((i - e + 1) / s)."""
    names = _SPATIAL[-len(sizes) :]
    dilations = [op.option(f"dilation_{axis}_factor", 1) for axis in names]
    is_same = op.option("padding", Padding.SAME) == Padding.SAME
    if min(window) <= 0:
        raise UnknownShapeError("the window has no size")
    made = []
    for size, step, width, dilation in zip(
        sizes, window_steps(op, len(sizes)), window, dilations, strict=True
    ):
        spread = (width - 1) * dilation + 1
        count = -(-size // step) if is_same else (size + step - spread) // step
        if count <= 0:
            raise ImpossibleShapeError(f"the window of {spread} does not fit into {size}")
        made.append(count)
    return made
