# SPDX-License-Identifier: Apache-2.0
"""Names for the axes of a tensor, by the operator that reads it, else by their number."""

from __future__ import annotations

from collections.abc import Iterator

from tflm_studio.model.operators import builtin_code, operator_code
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model, Operator, SubGraph

_FILTER = ("out", "height", "width", "in")

# What the axes of a constant mean, by the operator that reads it and the input it is.
_AXES_OF_INPUT: dict[tuple[int, int], tuple[str, ...]] = {
    (BuiltinOperator.CONV_2D, 1): _FILTER,
    (BuiltinOperator.TRANSPOSE_CONV, 1): _FILTER,
    (BuiltinOperator.DEPTHWISE_CONV_2D, 1): ("one", "height", "width", "channel"),
    (BuiltinOperator.CONV_3D, 1): ("depth", "height", "width", "in", "out"),
    (BuiltinOperator.FULLY_CONNECTED, 1): ("out", "in"),
    (BuiltinOperator.SVDF, 1): ("filter", "in"),
    (BuiltinOperator.SVDF, 2): ("filter", "time"),
    (BuiltinOperator.CONV_2D, 2): ("out",),
    (BuiltinOperator.DEPTHWISE_CONV_2D, 2): ("channel",),
    (BuiltinOperator.FULLY_CONNECTED, 2): ("out",),
}
_AXES_OF_RANK = {1: ("index",), 4: ("batch", "height", "width", "channel")}


def rank_names(rank: int) -> tuple[str, ...]:
    """Names for axes of which nothing is known but their number."""
    return _AXES_OF_RANK.get(rank) or tuple(f"axis {axis}" for axis in range(rank))


def axis_names(
    model: Model, subgraph: SubGraph, tensor_index: int, rank: int
) -> tuple[str, ...]:
    """Names for the axes of a tensor; the first reader that knows its rank decides.

    Args:
        model: The model, however senseless.
        subgraph: Which holds the tensor.
        tensor_index: Which tensor.
        rank: How many axes there are.
    """
    for operator, position in _readers(subgraph, tensor_index):
        code = operator_code(model, operator)
        if code is not None:
            names = _AXES_OF_INPUT.get((builtin_code(code), position), ())
            if len(names) == rank:
                return names
    return rank_names(rank)


def _readers(subgraph: SubGraph, tensor_index: int) -> Iterator[tuple[Operator, int]]:
    for operator in subgraph.operators or []:
        inputs = operator.inputs or []
        if tensor_index in inputs:
            yield operator, inputs.index(tensor_index)
