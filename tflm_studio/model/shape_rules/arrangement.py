# SPDX-License-Identifier: Apache-2.0
"""Shapes of what only puts elements elsewhere: reshape, join, pad, turn, repeat."""

from __future__ import annotations

import math

from tflm_studio.model.graph import shape_text
from tflm_studio.model.shape_rules.elementwise import alike, broadcast
from tflm_studio.model.shape_rules.operands import (
    ImpossibleShapeError,
    Operands,
    Shape,
    UnknownShapeError,
    axis_of,
    divided,
)


def reshape(op: Operands) -> list[Shape]:
    """The constant shape, else the option new_shape; one -1 takes what is left."""
    count, wanted = math.prod(op.shape(0)), stated_shape(op)
    if wanted.count(-1) > 1 or any(size < -1 for size in wanted):
        raise ImpossibleShapeError(f"{shape_text(wanted)} is no shape to reshape to")
    if -1 in wanted:
        rest = math.prod(size for size in wanted if size != -1)
        left = divided(count, rest, f"{count} elements do not fit {shape_text(wanted)}")
        wanted = [left if size == -1 else size for size in wanted]
    if math.prod(wanted) != count:
        raise ImpossibleShapeError(f"{count} elements do not fit {shape_text(wanted)}")
    return [wanted]


def stated_shape(op: Operands) -> Shape:
    """The shape that a RESHAPE is told to make.

    Raises:
        UnknownShapeError: Nothing tells it.
    """
    if op.has(1):
        return op.constant(1)
    stated = op.option("new_shape", None)
    if stated is None:
        raise UnknownShapeError("neither an input nor an option states the shape")
    # Old converters wrote [0] for a scalar.
    return [] if stated == [0] else list(stated)


def concatenation(op: Operands) -> list[Shape]:
    """Sizes added up along the axis; all others are alike."""
    shapes = op.shapes()
    first = shapes[0]
    axis = axis_of(op.option("axis"), len(first))
    for shape in shapes[1:]:
        if _without(shape, axis) != _without(first, axis) or len(shape) != len(first):
            raise ImpossibleShapeError(
                f"{shape_text(first)} and {shape_text(shape)} cannot be joined at axis {axis}"
            )
    return [[*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :]]]


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def pack(op: Operands) -> list[Shape]:
    """A new axis as long as there are inputs."""
    (shape,) = alike(op)
    axis = axis_of(op.option("axis"), len(shape) + 1)
    return [[*shape[:axis], len(op.inputs), *shape[axis:]]]


def expand_dims(op: Operands) -> list[Shape]:
    """A new axis of 1."""
    shape = op.shape(0)
    axis = axis_of(op.single(1), len(shape) + 1)
    return [[*shape[:axis], 1, *shape[axis:]]]


def squeeze(op: Operands) -> list[Shape]:
    """Without the stated axes of 1, without all of them if none is stated."""
    shape = op.shape(0)
    stated = op.option("squeeze_dims", None)
    axes = {axis_of(axis, len(shape)) for axis in stated or ()}
    axes = axes or {axis for axis, size in enumerate(shape) if size == 1}
    if any(shape[axis] != 1 for axis in axes):
        raise ImpossibleShapeError(f"an axis of {shape_text(shape)} to leave out is not 1")
    return [[size for axis, size in enumerate(shape) if axis not in axes]]


def transpose(op: Operands) -> list[Shape]:
    """Axes in the order of the constant perm."""
    shape, order = op.shape(0), op.constant(1)
    axes = [axis_of(axis, len(shape)) for axis in order]
    if sorted(axes) != list(range(len(shape))):
        raise ImpossibleShapeError(f"perm {order} is no order of {len(shape)} axes")
    return [[shape[axis] for axis in axes]]


def pad(op: Operands) -> list[Shape]:
    """Each size with what is put before and behind."""
    shape, pads = op.shape(0), op.constant(1)
    if len(pads) != 2 * len(shape):
        raise ImpossibleShapeError(f"{len(pads)} paddings for {len(shape)} dimensions")
    made = [size + sum(pads[2 * k : 2 * k + 2]) for k, size in enumerate(shape)]
    if any(size < 0 for size in made):
        raise ImpossibleShapeError("the paddings take more away than there is")
    return [made]


def tile(op: Operands) -> list[Shape]:
    """Each size as often as the constant multiples say."""
    shape, times = op.shape(0), op.constant(1)
    if len(times) != len(shape):
        raise ImpossibleShapeError(f"{len(times)} multiples for {len(shape)} dimensions")
    return [[size * count for size, count in zip(shape, times, strict=True)]]


def broadcast_to(op: Operands) -> list[Shape]:
    """The constant shape; the input has to stretch to it."""
    shape, wanted = op.shape(0), op.constant(1)
    if broadcast(shape, wanted) != wanted:
        raise ImpossibleShapeError(
            f"{shape_text(shape)} does not stretch to {shape_text(wanted)}"
        )
    return [wanted]


def broadcast_args(op: Operands) -> list[Shape]:
    """As long as the longer of two shapes."""
    return [[max(*op.shape(0, 1), *op.shape(1, 1))]]


def fill(op: Operands) -> list[Shape]:
    """The constant dims."""
    return [op.constant(0)]


def shape_of(op: Operands) -> list[Shape]:
    """A number for each dimension."""
    return [[len(op.shape(0))]]


def scalar(op: Operands) -> list[Shape]:
    """One number."""
    return [[]]


def depth_to_space(op: Operands) -> list[Shape]:
    """[N, H * b, W * b, C / b²]."""
    batch, height, width, depth = op.shape(0, 4)
    block = op.option("block_size")
    return [[batch, height * block, width * block, divided(depth, block**2, "channels")]]


def space_to_depth(op: Operands) -> list[Shape]:
    """[N, H / b, W / b, C * b²]."""
    batch, height, width, depth = op.shape(0, 4)
    block = op.option("block_size")
    sizes = [divided(height, block, "height"), divided(width, block, "width")]
    return [[batch, *sizes, depth * block**2]]


def space_to_batch(op: Operands) -> list[Shape]:
    """Padded, cut into blocks; each place of a block becomes a batch."""
    shape, blocks, pads = op.shape(0), *_blocks(op)
    spatial = shape[1 : 1 + len(blocks)]
    sizes = [
        divided(size + sum(pads[2 * k : 2 * k + 2]), blocks[k], f"padded axis {k + 1}")
        for k, size in enumerate(spatial)
    ]
    return [[shape[0] * math.prod(blocks), *sizes, *shape[1 + len(blocks) :]]]


def batch_to_space(op: Operands) -> list[Shape]:
    """The inverse: batches put beside each other, then cropped."""
    shape, blocks, crops = op.shape(0), *_blocks(op)
    spatial = shape[1 : 1 + len(blocks)]
    sizes = [
        size * blocks[k] - sum(crops[2 * k : 2 * k + 2]) for k, size in enumerate(spatial)
    ]
    if any(size < 0 for size in sizes):
        raise ImpossibleShapeError("the crops take more away than there is")
    batch = divided(shape[0], math.prod(blocks), "batches")
    return [[batch, *sizes, *shape[1 + len(blocks) :]]]


def _blocks(op: Operands) -> tuple[list[int], list[int]]:
    blocks, margins = op.constant(1), op.constant(2)
    if len(margins) != 2 * len(blocks) or len(op.shape(0)) <= len(blocks):
        raise ImpossibleShapeError("block_shape does not fit the other inputs")
    return blocks, margins
