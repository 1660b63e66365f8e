# SPDX-License-Identifier: Apache-2.0
"""Shapes of matrix products and of recurrent layers."""

from __future__ import annotations

import math

from tflm_studio.model.shape_rules.elementwise import broadcast
from tflm_studio.model.shape_rules.operands import (
    ImpossibleShapeError,
    Operands,
    Shape,
    UnknownShapeError,
    divided,
)


def fully_connected(op: Operands) -> list[Shape]:
    """A filter [out, in] on rows of `in` elements, however the input is cut."""
    values, weights = op.shape(0), op.shape(1, 2)
    units, depth = weights
    if op.option("keep_num_dims", False):
        _check_depth(values, depth)
        return [[*values[:-1], units]]
    if depth <= 0 or math.prod(values) % depth:
        raise ImpossibleShapeError(
            f"the filter takes {depth} values, the input has {math.prod(values)}"
        )
    return [[math.prod(values) // depth, units]]


def batch_matmul(op: Operands) -> list[Shape]:
    """[..., M, K] times [..., K, N], either transposed by an option."""
    left, right = op.shape(0), op.shape(1)
    if min(len(left), len(right)) < 2:
        raise ImpossibleShapeError("both need at least 2 dimensions")
    rows, depth = _matrix(left, transposed=op.option("adj_x", False))
    other_depth, columns = _matrix(right, transposed=op.option("adj_y", False))
    if depth != other_depth:
        raise ImpossibleShapeError(f"rows of {depth} meet columns of {other_depth}")
    return [[*broadcast(left[:-2], right[:-2]), rows, columns]]


def _matrix(shape: Shape, *, transposed: bool) -> Shape:
    return shape[:-3:-1] if transposed else shape[-2:]


def embedding_lookup(op: Operands) -> list[Shape]:
    """A row of the weights for each id."""
    return [[*op.shape(0, 1), *op.shape(1)[1:]]]


def svdf(op: Operands) -> list[Shape]:
    """[batch, units]; weights_feature is [units * rank, in]."""
    batch, depth = op.shape(0, 2)
    filters, taken = op.shape(1, 2)
    if depth != taken:
        raise ImpossibleShapeError(f"the filter takes {taken} values, the input has {depth}")
    return [[batch, divided(filters, op.option("rank"), "filters by rank")]]


def lstm(op: Operands) -> list[Shape]:
    """[..., output size]; the recurrent weights are [cells, output size]."""
    if len(op.inputs) <= 8:
        raise UnknownShapeError("it has the short list of inputs")
    values, weights, recurrent = op.shape(0), op.shape(2, 2), op.shape(8, 2)
    _check_depth(values, weights[1])
    return [[*values[:-1], recurrent[1]]]


def rnn(op: Operands) -> list[Shape]:
    """[..., units]; the weights are [units, in]."""
    values, weights = op.shape(0), op.shape(1, 2)
    _check_depth(values, weights[1])
    return [[*values[:-1], weights[0]]]


def _check_depth(values: Shape, depth: int) -> None:
    if values[-1:] != [depth]:
        has = values[-1] if values else "no dimension"
        raise ImpossibleShapeError(f"the weights take {depth} values, the input has {has}")
