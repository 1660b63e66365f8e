# SPDX-License-Identifier: Apache-2.0
"""Shapes of what works element by element, and of what folds some axes together."""

from __future__ import annotations

from itertools import zip_longest

from tflm_studio.model.graph import shape_text
from tflm_studio.model.shape_rules.operands import (
    ImpossibleShapeError,
    Operands,
    Shape,
    UnknownShapeError,
    axis_of,
)


def broadcast(*shapes: Shape) -> Shape:
    """The shape that several are stretched to, as numpy does.

    Raises:
        ImpossibleShapeError: They do not go together.
    """
    made = []
    for sizes in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        wide = {size for size in sizes if size != 1}
        if len(wide) > 1:
            named = " and ".join(map(shape_text, shapes))
            raise ImpossibleShapeError(f"{named} do not go together")
        made.append(wide.pop() if wide else 1)
    return made[::-1]


def as_input(op: Operands) -> list[Shape]:
    """The shape of the first input."""
    return [op.shape(0)]


def as_second_input(op: Operands) -> list[Shape]:
    """The shape of the second input, such as that of both values of SELECT."""
    return [op.shape(1)]


def stretched(op: Operands) -> list[Shape]:
    """All inputs broadcast."""
    return [broadcast(*op.shapes())]


def prelu(op: Operands) -> list[Shape]:
    """The input; alpha has to go together with it."""
    if broadcast(op.shape(0), op.shape(1)) != op.shape(0):
        raise ImpossibleShapeError("alpha is larger than the input")
    return [op.shape(0)]


def alike(op: Operands) -> list[Shape]:
    """The shape that all inputs have."""
    first, *others = op.shapes()
    for shape in others:
        if shape != first:
            raise ImpossibleShapeError(
                f"inputs of {shape_text(first)} and {shape_text(shape)} are not alike"
            )
    return [first]


def reduced(op: Operands) -> list[Shape]:
    """The input without the axes of the second input, or with 1 there."""
    shape = op.shape(0)
    if not shape:
        return [shape]
    axes = {axis_of(axis, len(shape)) for axis in op.constant(1)}
    if op.option("keep_dims", False):
        return [[1 if k in axes else size for k, size in enumerate(shape)]]
    return [[size for k, size in enumerate(shape) if k not in axes]]


def arg_extreme(op: Operands) -> list[Shape]:
    """The input without one axis."""
    shape = op.shape(0)
    axis = axis_of(op.single(1), len(shape))
    return [shape[:axis] + shape[axis + 1 :]]


def top_k(op: Operands) -> list[Shape]:
    """The k largest of the last axis, and where they are."""
    shape, k = op.shape(0), op.single(1)
    if not shape or k > shape[-1] or k < 0:
        raise ImpossibleShapeError(f"there are no {k} values to choose")
    return [[*shape[:-1], k]] * op.output_count


def of_values(op: Operands) -> list[Shape]:
    """No rule: the shape depends on values that only a run knows.

    Raises:
        UnknownShapeError: Always.
    """
    raise UnknownShapeError("its output depends on values, not on shapes")


def nothing(op: Operands) -> list[Shape]:
    """Operators without outputs."""
    return []
