# SPDX-License-Identifier: Apache-2.0
"""Memory that TFLM's reference kernels ask for while they run, in the order they ask.

Sizes follow the `Prepare` functions in micro/kernels of tflite-micro. Kernels for particular
processors (CMSIS-NN, Xtensa, Ethos-U...) ask for other sizes, which no model tells.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from tflm_studio.model.operators import CUSTOM, builtin_code, find_tensor
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import Operator, OperatorCode, SubGraph, Tensor

MOST_BYTES = 2**40
_QUANTIZED = (TensorType.INT8, TensorType.INT16)


class _Node:
    """An operator with its tensors; missing ones read as None."""

    def __init__(self, subgraph: SubGraph, operator: Operator) -> None:
        self._subgraph = subgraph
        self._operator = operator

    def input(self, position: int) -> Tensor | None:
        return self._tensor(self._operator.inputs, position)

    def output(self, position: int = 0) -> Tensor | None:
        return self._tensor(self._operator.outputs, position)

    def _tensor(self, indices: Sequence[int] | None, position: int) -> Tensor | None:
        if indices is None or position >= len(indices):
            return None
        return find_tensor(self._subgraph, indices[position])


def count_of(tensor: Tensor | None) -> int:
    """Elements of a tensor, 0 if there is none; a negative dimension counts as none."""
    return max(math.prod(tensor.shape or []), 0) if tensor is not None else 0


def _type(tensor: Tensor | None) -> int:
    return int(tensor.type) if tensor is not None else -1


def _rank(tensor: Tensor | None) -> int:
    return len(tensor.shape or []) if tensor is not None else 0


def _dimension(tensor: Tensor | None, position: int) -> int:
    shape = (tensor.shape or []) if tensor is not None else []
    return max(shape[position], 0) if position < len(shape) else 0


def _unpacked_filter(node: _Node) -> list[int]:
    """A filter of packed int4 is unpacked, a byte each."""
    weights = node.input(1)
    return [count_of(weights)] if _type(weights) == TensorType.INT4 else []


def _transposed_convolution(node: _Node) -> list[int]:
    """Sums of the output, and a bias of 16 bits made 64 bits wide."""
    kind = _type(node.input(2))
    if kind == TensorType.INT8:
        return [count_of(node.output()) * 4]
    if kind != TensorType.INT16:
        return []
    bias = node.input(3)
    converted = [count_of(bias) * 8] if _type(bias) == TensorType.INT16 else []
    return [count_of(node.output()) * 8, *converted]


def _reduction(node: _Node) -> list[int]:
    """An index into the input, and the resolved axes."""
    return [_rank(node.input(0)) * 4, count_of(node.input(1)) * 4]


def _mean_or_sum(node: _Node) -> list[int]:
    """Sums of the output as well, for quantised types."""
    is_summed = _type(node.input(0)) in _QUANTIZED
    return [*([count_of(node.output()) * 4] if is_summed else []), *_reduction(node)]


def _svdf(node: _Node) -> list[int]:
    """A number per filter, and for int8 one per unit."""
    batches, filters = _dimension(node.input(0), 0), _dimension(node.input(1), 0)
    scratch = [batches * filters * 4]
    if _type(node.input(0)) == TensorType.INT8:
        scratch.append(batches * _dimension(node.output(), 1) * 4)
    return scratch


def _lstm(node: _Node) -> list[int]:
    """Four gates, each as large as a step of the cell state."""
    state = node.input(19)
    width = element_type(_type(state)).bits // 8
    return [count_of(state) * width] * 4


def _mirror_pad(node: _Node) -> list[int]:
    """Strides of output and input."""
    return [_rank(node.input(0)) * 4] * 2


def no_scratch(node: _Node) -> list[int]:
    """Most kernels need none."""
    return []


Rule = Callable[[_Node], list[int]]
_B = BuiltinOperator
_RULES: dict[int, Rule] = {
    _B.CONV_2D: _unpacked_filter,
    _B.DEPTHWISE_CONV_2D: _unpacked_filter,
    _B.FULLY_CONNECTED: _unpacked_filter,
    _B.TRANSPOSE_CONV: _transposed_convolution,
    _B.MEAN: _mean_or_sum,
    _B.SUM: _mean_or_sum,
    _B.REDUCE_ALL: _reduction,
    _B.REDUCE_MAX: _reduction,
    _B.REDUCE_MIN: _reduction,
    _B.SVDF: _svdf,
    _B.UNIDIRECTIONAL_SEQUENCE_LSTM: _lstm,
    _B.MIRROR_PAD: _mirror_pad,
}


# Custom operators that TFLM has.
_CUSTOM_RULES: dict[str, Rule] = {}


def scratch_rule(code: OperatorCode) -> Rule | None:
    """What tells the scratch buffers of a kind of operator; None if nobody knows them."""
    number = builtin_code(code)
    if number == CUSTOM:
        return _CUSTOM_RULES.get(code.custom_code or "")
    return _RULES.get(number, no_scratch)


def scratch_requests(rule: Rule, subgraph: SubGraph, operator: Operator) -> list[int]:
    """Bytes of each scratch buffer of an operator."""
    return [min(size, MOST_BYTES) for size in rule(_Node(subgraph, operator))]
