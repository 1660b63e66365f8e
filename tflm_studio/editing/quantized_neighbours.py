# SPDX-License-Identifier: Apache-2.0
"""Tensors whose quantisation has to go together with that of another (the kernels say so)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tflm_studio.editing.located import subgraph_at
from tflm_studio.model.operators import builtin_code, find_tensor, operator_code
from tflm_studio.model.place_names import name_operator, name_tensor
from tflm_studio.model.quantization import find_quantization
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model, Operator, SubGraph

# Values pass through these as they are stored; here the inputs that do.
_ALL = (0, None)
_FIRST = (0, 1)
_PASSING: dict[int, tuple[int, int | None]] = {
    **dict.fromkeys(
        (BuiltinOperator.CONCATENATION, BuiltinOperator.PACK, BuiltinOperator.MAXIMUM), _ALL
    ),
    BuiltinOperator.MINIMUM: _ALL,
    BuiltinOperator.SPLIT: (1, 2),
    **dict.fromkeys(
        (
            BuiltinOperator.AVERAGE_POOL_2D,
            BuiltinOperator.BATCH_TO_SPACE_ND,
            BuiltinOperator.BROADCAST_TO,
            BuiltinOperator.DEPTH_TO_SPACE,
            BuiltinOperator.EXPAND_DIMS,
            BuiltinOperator.GATHER,
            BuiltinOperator.GATHER_ND,
            BuiltinOperator.MAX_POOL_2D,
            BuiltinOperator.MIRROR_PAD,
            BuiltinOperator.PAD,
            BuiltinOperator.REDUCE_MAX,
            BuiltinOperator.REDUCE_MIN,
            BuiltinOperator.RESHAPE,
            BuiltinOperator.RESIZE_BILINEAR,
            BuiltinOperator.RESIZE_NEAREST_NEIGHBOR,
            BuiltinOperator.REVERSE_V2,
            BuiltinOperator.SLICE,
            BuiltinOperator.SPACE_TO_BATCH_ND,
            BuiltinOperator.SPACE_TO_DEPTH,
            BuiltinOperator.SPLIT_V,
            BuiltinOperator.SQUEEZE,
            BuiltinOperator.STRIDED_SLICE,
            BuiltinOperator.TILE,
            BuiltinOperator.TRANSPOSE,
            BuiltinOperator.UNPACK,
        ),
        _FIRST,
    ),
    BuiltinOperator.PADV2: (0, None),
}
_WITH_BIAS = (
    BuiltinOperator.CONV_2D,
    BuiltinOperator.DEPTHWISE_CONV_2D,
    BuiltinOperator.FULLY_CONNECTED,
)


def neighbour_notes(model: Model, subgraph_index: int, tensor_index: int) -> list[str]:
    """A sentence for each neighbour whose quantisation does not go together with a tensor's.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        tensor_index: The tensor that got another quantisation.
    """
    subgraph = subgraph_at(model, subgraph_index)
    notes = []
    for position, operator in enumerate(subgraph.operators or []):
        name = name_operator(model, subgraph_index, position)
        notes += [
            f"{name} passes values on as they are: "
            f"{name_tensor(model, subgraph_index, other)} needs the same scale and zero point."
            for other in _bound(model, operator, tensor_index)
            if not _same(subgraph, tensor_index, other)
        ]
        bias = _bias_of(model, operator, tensor_index)
        if bias is not None and not _fits_bias(subgraph, operator, bias):
            notes.append(
                f"{name}: the scale of its bias {name_tensor(model, subgraph_index, bias)} "
                "should be that of the input times that of the filter."
            )
    return list(dict.fromkeys(notes))


def _bound(model: Model, operator: Operator, tensor_index: int) -> Iterator[int]:
    code = operator_code(model, operator)
    passing = _PASSING.get(builtin_code(code)) if code is not None else None
    if passing is None:
        return
    together = [*(operator.inputs or [])[slice(*passing)], *(operator.outputs or [])]
    if tensor_index in together:
        yield from (index for index in dict.fromkeys(together) if index != tensor_index)


def _same(subgraph: SubGraph, a: int, b: int) -> bool:
    """Whether two tensors have the same quantisation, as far as both exist."""
    first, second = find_tensor(subgraph, a), find_tensor(subgraph, b)
    if first is None or second is None:
        return True
    x, y = find_quantization(first), find_quantization(second)
    if x is None or y is None:
        return x is y
    return np.array_equal(x.scale, y.scale) and np.array_equal(x.zero_point, y.zero_point)


def _bias_of(model: Model, operator: Operator, tensor_index: int) -> int | None:
    code, inputs = operator_code(model, operator), operator.inputs or []
    if code is None or builtin_code(code) not in _WITH_BIAS or len(inputs) != 3:
        return None
    return inputs[2] if tensor_index in inputs else None


def _fits_bias(subgraph: SubGraph, operator: Operator, bias: int) -> bool:
    tensors = [find_tensor(subgraph, index) for index in operator.inputs or []]
    found = [tensor and find_quantization(tensor) for tensor in tensors]
    if any(quantization is None for quantization in found):
        return find_tensor(subgraph, bias) is None or found[2] is None
    values, weights, made = (quantization.scale for quantization in found if quantization)
    product = values[:1] * weights
    if len(made) not in (1, len(product)) and len(product) != 1:
        return False
    return bool(np.allclose(made, product, rtol=1e-3, atol=0))
