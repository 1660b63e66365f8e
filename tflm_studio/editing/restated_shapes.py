# SPDX-License-Identifier: Apache-2.0
"""What operators state of shapes in constants, when an input gets another shape.

A RESHAPE to 1x256 with a batch of 1 has to become one to 2x256 with a batch of 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tflm_studio.model.operators import builtin_code, operator_code
from tflm_studio.model.shape_rules.arrangement import stated_shape
from tflm_studio.model.shape_rules.operands import Operands, Shape, UnknownShapeError
from tflm_studio.schema.enums import BuiltinOperator


class Before(NamedTuple):
    """The shapes of an operator before a change.

    Attributes:
        inputs: By position; None for an input that is left out.
        output: Of the first output.
    """

    inputs: list[Shape | None]
    output: Shape


class Restated(NamedTuple):
    """What an operator has to state now.

    Attributes:
        position: Of the constant input; -1 for the option new_shape.
        values: Its numbers of before.
        new: Its numbers of afterwards.
    """

    position: int
    values: list[int]
    new: list[int]


def restated(op: Operands, before: Before) -> list[Restated]:
    """The constants that state what has changed; nothing if they cannot be told.

    Args:
        op: The operator, with the shapes of afterwards.
        before: Its shapes of before.
    """
    code = operator_code(op.model, op.operator)
    rule = _RULES.get(builtin_code(code)) if code is not None else None
    if rule is None:
        return []
    try:
        made = rule(op, before)
    except UnknownShapeError:
        return []
    return [each for each in made if each.new != each.values]


def carried_output(op: Operands, before: Before) -> Shape | None:
    """The output of an operator that is told its shape at run time.

    It is as before, but for axes that come from the input; None if that cannot be told.

    Args:
        op: The operator, with the shapes of afterwards.
        before: Its shapes of before.
    """
    code = operator_code(op.model, op.operator)
    number = builtin_code(code) if code is not None else None
    try:
        if number == BuiltinOperator.RESHAPE and before.inputs[0] is not None:
            return carried_shape(before.inputs[0], op.shape(0), before.output)
        if number == BuiltinOperator.TRANSPOSE_CONV:
            return _upsampled(op, before, before.output)
    except UnknownShapeError:
        pass
    return None


def carried_shape(old: Shape, new: Shape, output: Shape) -> Shape | None:
    """The shape to reshape to, so that each axis that changed changes where it went.

    An axis goes into the axis of the output that covers its elements: the batch of 1x10x8
    into the first of 10x8.

    Args:
        old: The input of before.
        new: The input of afterwards.
        output: The output of before, of as many elements as `old`.
    """
    if len(old) != len(new) or 0 in old or math.prod(old) != math.prod(output):
        return None
    made = list(output)
    for axis, (size, now) in enumerate(zip(old, new, strict=True)):
        if size == now:
            continue
        target = _axis_covering(old, axis, output)
        if target is None or made[target] * now % size:
            return None
        made[target] = made[target] * now // size
    return made


def _axis_covering(shape: Shape, axis: int, output: Shape) -> int | None:
    """The axis of the output that covers an axis of the input; one as long if there is one."""
    step = math.prod(shape[axis + 1 :])
    found = []
    for target, size in enumerate(output):
        other = math.prod(output[target + 1 :])
        if step % other == 0 and step * shape[axis] <= other * size:
            is_same = other == step and size == shape[axis]
            found.append((not is_same, abs(target - axis), target))
    return min(found)[2] if found else None


def _reshape(op: Operands, before: Before) -> list[Restated]:
    old = before.inputs[0]
    wanted = carried_shape(old, op.shape(0), before.output) if old is not None else None
    stated = stated_shape(op)
    if wanted is None or len(stated) != len(wanted):
        return []
    # A -1 stays if it still comes out right.
    new = [-1 if size == -1 else now for size, now in zip(stated, wanted, strict=True)]
    made = [Restated(1, stated, new)] if op.has(1) else []
    option = op.option("new_shape", None)
    if option and len(option) == len(new):
        made.append(Restated(-1, list(option), new))
    return made


def _transpose_conv(op: Operands, before: Before) -> list[Restated]:
    stated = op.constant(0)
    return [Restated(0, stated, _upsampled(op, before, stated))]


def _upsampled(op: Operands, before: Before, stated: Shape) -> Shape:
    """An output of TRANSPOSE_CONV: each row more of the input gives a stride more."""
    old, new = before.inputs[2], op.shape(2)
    if old is None or len(old) != 4 or len(new) != 4 or len(stated) != 4:
        raise UnknownShapeError("it is no picture")
    height, width = op.option("stride_h"), op.option("stride_w")
    return [
        new[0],
        stated[1] + (new[1] - old[1]) * height,
        stated[2] + (new[2] - old[2]) * width,
        stated[3],
    ]


def _slice(op: Operands, before: Before) -> list[Restated]:
    old, new, begins, sizes = before.inputs[0], op.shape(0), op.constant(1), op.constant(2)
    if old is None or not len(old) == len(new) == len(begins) == len(sizes):
        return []
    made = [
        new[k] - begins[k] if size == old[k] - begins[k] else size
        for k, size in enumerate(sizes)
    ]
    return [Restated(2, sizes, made)]


def _strided_slice(op: Operands, before: Before) -> list[Restated]:
    old, new, ends = before.inputs[0], op.shape(0), op.constant(2)
    if old is None or len(old) != len(new) or len(ends) > len(new):
        return []
    masks = ("ellipsis_mask", "new_axis_mask", "shrink_axis_mask", "offset")
    if any(op.option(mask) for mask in masks):
        return []
    return [Restated(2, ends, _followed(ends, old, new))]


def _broadcast_to(op: Operands, before: Before) -> list[Restated]:
    old, new, wanted = before.inputs[0], op.shape(0), op.constant(1)
    if old is None or len(old) != len(new) or len(old) > len(wanted):
        return []
    front = len(wanted) - len(old)
    return [Restated(1, wanted, wanted[:front] + _followed(wanted[front:], old, new))]


def _followed(stated: Sequence[int], old: Shape, new: Shape) -> list[int]:
    """Numbers that were the size of an axis become its new size."""
    return [new[k] if size == old[k] else size for k, size in enumerate(stated)]


_RULES: dict[int, Callable[[Operands, Before], list[Restated]]] = {
    BuiltinOperator.RESHAPE: _reshape,
    BuiltinOperator.TRANSPOSE_CONV: _transpose_conv,
    BuiltinOperator.SLICE: _slice,
    BuiltinOperator.STRIDED_SLICE: _strided_slice,
    BuiltinOperator.BROADCAST_TO: _broadcast_to,
}
