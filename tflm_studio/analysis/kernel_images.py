# SPDX-License-Identifier: Apache-2.0
"""The filters of a convolution as small images, and how strong each of them is."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.statistics import MeasuringCancelledError
from tflm_studio.analysis.value_blocks import value_block
from tflm_studio.model.quantization import Reals

READ_AT_ONCE = 1 << 20  # elements
MOST_PIXELS = 1 << 20  # of all images together

_KERNELS = ("out", "channel")


@dataclass(frozen=True, slots=True)
class KernelAxes:
    """What the axes of filters mean.

    Attributes:
        kernel: The axis with an image for each index.
        height: The axis of the rows of an image.
        width: The axis of the columns of an image.
        inner: Axes with more than one index that an image has besides, such as input channels.
    """

    kernel: int
    height: int
    width: int
    inner: tuple[int, ...]


def kernel_axes(contents: BufferContents) -> KernelAxes | None:
    """The axes of a filter with at least two rows and columns, None for anything else."""
    names, shape = contents.axis_names, contents.shape
    kernels = [axis for axis, name in enumerate(names) if name in _KERNELS]
    if len(names) != len(shape) or not kernels or not {"height", "width"} <= set(names):
        return None
    height, width, kernel = names.index("height"), names.index("width"), kernels[-1]
    if min(shape[height], shape[width]) < 2 or contents.count == 0:
        return None
    used = (kernel, height, width)
    rest = (axis for axis in range(len(shape)) if axis not in used and shape[axis] > 1)
    return KernelAxes(kernel, height, width, tuple(rest))


@dataclass(frozen=True, slots=True, eq=False)  # arrays do not compare to a truth value
class KernelImages:
    """Filters as images.

    Attributes:
        images: float64 (kernels, images of each, height, width).
        norms: The square root of the sum of squares of each kernel, all its values counted.
    """

    images: Reals
    norms: Reals


def kernel_images(
    contents: BufferContents,
    axes: KernelAxes,
    inner: int | str,
    *,
    real: bool = False,
    center: float = 0.0,
    cancelled: Callable[[], bool] = lambda: False,
) -> KernelImages:
    """Reads filters, as many as `MOST_PIXELS` allow. O(elements that are read).

    Args:
        contents: The filters.
        axes: Their axes.
        inner: The index to show of what an image has besides rows and columns (counted
            through all such axes), "mean" for the mean over all, "each" for an image of each.
        real: Read the reals that quantised values stand for, not what is stored.
        center: What counts as zero for the norms.
        cancelled: Asked now and then.

    Raises:
        MeasuringCancelledError: `cancelled` said so.
    """
    shape = contents.shape
    pixels = shape[axes.height] * shape[axes.width]
    insides = math.prod(shape[axis] for axis in axes.inner)
    each = insides if inner == "each" else 1
    kernels = min(shape[axes.kernel], max(1, MOST_PIXELS // (pixels * each)))
    step = max(1, READ_AT_ONCE // (pixels * insides))
    images, norms = [], []
    for first in range(0, kernels, step):
        if cancelled():
            raise MeasuringCancelledError
        block = _blocks(contents, axes, slice(first, min(first + step, kernels)), real)
        with np.errstate(all="ignore"):  # not finite, or the largest floats
            apart = block - center
            norms.append(np.sqrt(np.square(apart).sum(axis=(1, 2, 3))))
            images.append(_chosen(block, inner))
    return KernelImages(np.concatenate(images), np.concatenate(norms))


def _blocks(contents: BufferContents, axes: KernelAxes, part: slice, real: bool) -> Reals:
    """Some kernels as (kernels, insides, height, width)."""
    shape = contents.shape
    wanted = (axes.kernel, *axes.inner, axes.height, axes.width)
    key = tuple(
        part if axis == axes.kernel else slice(None) if axis in wanted else 0
        for axis in range(len(shape))
    )
    left = [axis for axis in range(len(shape)) if axis in wanted]
    block = value_block(contents, key, real=real).transpose([left.index(a) for a in wanted])
    with np.errstate(invalid="ignore"):  # signalling NaN
        wide: Reals = block.astype(np.float64)
    return wide.reshape(len(wide), -1, shape[axes.height], shape[axes.width])


def _chosen(block: Reals, inner: int | str) -> Reals:
    if inner == "each":
        return block
    if inner == "mean":
        mean: Reals = block.mean(axis=1, keepdims=True)
        return mean
    index = min(int(inner), block.shape[1] - 1)
    return block[:, index : index + 1]
