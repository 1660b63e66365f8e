# SPDX-License-Identifier: Apache-2.0
"""Shapes of what takes a part: slices, splits, gathered rows."""

from __future__ import annotations

from tflm_studio.model.shape_rules.operands import (
    ImpossibleShapeError,
    Operands,
    Shape,
    UnknownShapeError,
    axis_of,
    divided,
)


def slice_of(op: Operands) -> list[Shape]:
    """`size` elements from `begin` on; -1 takes the rest."""
    shape, begins, sizes = op.shape(0), op.constant(1), op.constant(2)
    if not len(shape) == len(begins) == len(sizes):
        raise ImpossibleShapeError("begin and size need a number for each dimension")
    made = [
        whole - begin if size == -1 else size
        for whole, begin, size in zip(shape, begins, sizes, strict=True)
    ]
    for whole, begin, size in zip(shape, begins, made, strict=True):
        if begin < 0 or size < 0 or begin + size > whole:
            raise ImpossibleShapeError(f"{size} from {begin} on are not in {whole}")
    return [made]


def strided_slice(op: Operands) -> list[Shape]:
    """ceil((end - begin) / stride) per axis, as masks and the ellipsis say."""
    shape = op.shape(0)
    begins, ends, strides = op.constant(1), op.constant(2), op.constant(3)
    if not len(begins) == len(ends) == len(strides):
        raise ImpossibleShapeError("begin, end and strides are not equally long")
    made: Shape = []
    axis = 0
    for k, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        if _masked(op, "ellipsis_mask", k):
            later = range(k + 1, len(begins))
            left = sum(not _masked(op, "new_axis_mask", other) for other in later)
            stop = max(axis, len(shape) - left)
            made += shape[axis:stop]
            axis = stop
        elif _masked(op, "new_axis_mask", k):
            made.append(1)
        elif axis >= len(shape):
            raise ImpossibleShapeError("the slice has more axes than the input")
        else:
            if op.option("offset", False):
                end += begin
            if not _masked(op, "shrink_axis_mask", k):
                made.append(_count(op, k, shape[axis], begin, end, stride))
            elif not -shape[axis] <= begin < shape[axis]:
                raise ImpossibleShapeError(f"there is no item {begin} in {shape[axis]}")
            axis += 1
    return [made + shape[axis:]]


def _masked(op: Operands, mask: str, position: int) -> bool:
    return bool(op.option(mask) >> position & 1)


def _count(op: Operands, k: int, size: int, begin: int, end: int, stride: int) -> int:
    """Length of one sliced axis: Python's slices clamp as the kernels do."""
    if stride == 0:
        raise ImpossibleShapeError("a stride is 0")
    first = None if _masked(op, "begin_mask", k) else begin
    last = None if _masked(op, "end_mask", k) else end
    return len(range(size)[slice(first, last, stride)])


def split(op: Operands) -> list[Shape]:
    """Equal parts along an axis."""
    shape, count = op.shape(1), op.option("num_splits") or op.output_count
    axis = axis_of(op.single(0), len(shape))
    part = divided(shape[axis], count, f"axis {axis}")
    return [[*shape[:axis], part, *shape[axis + 1 :]]] * op.output_count


def split_v(op: Operands) -> list[Shape]:
    """Parts of the stated sizes along an axis; one -1 takes what is left."""
    shape, sizes = op.shape(0), op.constant(1)
    axis = axis_of(op.single(2), len(shape))
    left = shape[axis] - sum(size for size in sizes if size != -1)
    sizes = [left if size == -1 else size for size in sizes]
    if sum(sizes) != shape[axis] or any(size < 0 for size in sizes):
        raise ImpossibleShapeError(f"parts of {sizes} do not make {shape[axis]}")
    return [[*shape[:axis], size, *shape[axis + 1 :]] for size in sizes]


def unpack(op: Operands) -> list[Shape]:
    """The items along an axis, one output each."""
    shape = op.shape(0)
    axis = axis_of(op.option("axis"), len(shape))
    if shape[axis] != op.output_count:
        raise ImpossibleShapeError(
            f"{shape[axis]} items along axis {axis} for {op.output_count} outputs"
        )
    return [shape[:axis] + shape[axis + 1 :]] * op.output_count


def gather(op: Operands) -> list[Shape]:
    """Items along an axis, arranged as the indices are."""
    shape, indices = op.shape(0), op.shape(1)
    axis = axis_of(op.option("axis"), len(shape))
    batches = op.option("batch_dims")
    if batches:
        batches = axis_of(batches, len(indices))
    if shape[:batches] != indices[:batches]:
        raise ImpossibleShapeError("input and indices have other batches")
    return [shape[:axis] + indices[batches:] + shape[axis + 1 :]]


def gather_nd(op: Operands) -> list[Shape]:
    """Parts of the input, each named by a row of the indices."""
    shape, indices = op.shape(0), op.shape(1)
    if not indices or indices[-1] > len(shape):
        raise ImpossibleShapeError("the indices name more axes than the input has")
    return [indices[:-1] + shape[indices[-1] :]]


def scatter_nd(op: Operands) -> list[Shape]:
    """The constant shape."""
    return [op.constant(2)]


def one_hot(op: Operands) -> list[Shape]:
    """A new axis of the constant depth."""
    shape, axis = op.shape(0), op.option("axis", -1)
    axis = len(shape) if axis == -1 else axis_of(axis, len(shape) + 1)
    depth = op.single(1)
    if depth < 0:
        raise UnknownShapeError("the depth is below 0")
    return [[*shape[:axis], depth, *shape[axis:]]]
