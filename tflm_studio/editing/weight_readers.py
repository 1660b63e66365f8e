# SPDX-License-Identifier: Apache-2.0
"""The operators that read a constant, and what they want of its type and scales."""

from __future__ import annotations

from typing import NamedTuple

from tflm_studio.editing.located import subgraph_at, tensor_at
from tflm_studio.model.operators import (
    builtin_code,
    find_tensor,
    operator_code,
)
from tflm_studio.model.place_names import name_operator
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import Model, Operator

_T = TensorType
_PAIRS = frozenset(
    (
        (_T.FLOAT32, _T.FLOAT32),
        (_T.INT8, _T.INT8),
        (_T.INT8, _T.INT4),
        (_T.INT16, _T.INT8),
    )
)


class Layer(NamedTuple):
    """Where an operator with weights has what belongs to them.

    Attributes:
        channel_axis: The axis of the filter along which its output channels lie.
        input_axis: The axis of the filter along which its input channels lie.
        values: Which input is multiplied.
        bias: Which input is the bias.
        pairs: Types of values and filter that TFLM runs.
    """

    channel_axis: int
    input_axis: int
    values: int = 0
    bias: int = 2
    pairs: frozenset[tuple[int, int]] = _PAIRS


LAYERS: dict[int, Layer] = {
    BuiltinOperator.CONV_2D: Layer(0, 3),
    BuiltinOperator.DEPTHWISE_CONV_2D: Layer(3, 3),
    BuiltinOperator.FULLY_CONNECTED: Layer(0, 1),
    BuiltinOperator.TRANSPOSE_CONV: Layer(
        0, 3, 2, 3, frozenset(_PAIRS - {(_T.INT8, _T.INT4)})
    ),
}
FILTER = 1


class Reader(NamedTuple):
    """An operator that reads a constant as its filter.

    Attributes:
        number: Which operator of the subgraph.
        operator: The operator.
        layer: Where it has what.
    """

    number: int
    operator: Operator
    layer: Layer

    def input(self, position: int) -> int:
        """A tensor index; -1 if the input is left out."""
        inputs = self.operator.inputs or []
        return inputs[position] if position < len(inputs) else -1


def code_number(model: Model, operator: Operator) -> int:
    """The builtin operator that an operator is; -1 if its code does not exist."""
    code = operator_code(model, operator)
    return builtin_code(code) if code is not None else -1


def filter_readers(model: Model, subgraph_index: int, tensor_index: int) -> list[Reader]:
    """The layers whose filter a tensor is. O(operators)."""
    found = []
    for index, operator in enumerate(subgraph_at(model, subgraph_index).operators or []):
        layer = LAYERS.get(code_number(model, operator))
        inputs = operator.inputs or []
        if layer is not None and len(inputs) > FILTER and inputs[FILTER] == tensor_index:
            found.append(Reader(index, operator, layer))
    return found


def wanted_axis(model: Model, subgraph_index: int, tensor_index: int) -> int | None:
    """The axis along which the readers of a filter expect scales; None for one scale."""
    rank = len(tensor_at(model, subgraph_index, tensor_index).shape or [])
    axes = {
        reader.layer.channel_axis
        for reader in filter_readers(model, subgraph_index, tensor_index)
    }
    return axes.pop() if len(axes) == 1 and max(axes) < rank else None


def type_notes(model: Model, subgraph_index: int, tensor_index: int, type: int) -> list[str]:
    """A sentence for each layer that TFLM would not run with a filter of another type."""
    subgraph, notes = subgraph_at(model, subgraph_index), []
    for reader in filter_readers(model, subgraph_index, tensor_index):
        values = find_tensor(subgraph, reader.input(reader.layer.values))
        if values is not None and (values.type, type) not in reader.layer.pairs:
            name = name_operator(model, subgraph_index, reader.number)
            notes.append(
                f"{name}: TFLM does not run it with {element_type(values.type).name} values "
                f"and a filter of {element_type(type).name}."
            )
    return notes
