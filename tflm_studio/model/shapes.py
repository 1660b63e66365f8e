# SPDX-License-Identifier: Apache-2.0
"""Which shapes the outputs of an operator have to have.

TFLM takes the stored shapes as they are, and LiteRT starts from them: who changes an attribute
or an input has to change what stands behind it as well.
"""

from __future__ import annotations

from typing import NamedTuple

from tflm_studio.model.operators import CUSTOM, builtin_code, operator_code, operator_name
from tflm_studio.model.shape_rules import (
    arrangement,
    elementwise,
    matrices,
    selection,
    windows,
)
from tflm_studio.model.shape_rules.operands import (
    LARGEST_DIMENSION,
    ImpossibleShapeError,
    Operands,
    Rule,
    Shape,
    UnknownShapeError,
)
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model, Operator, SubGraph


class InferredShapes(NamedTuple):
    """What is known of the output shapes of an operator.

    Attributes:
        shapes: One for each output; None if they cannot be told.
        reason: Why not, as the end of a sentence; empty if they are known.
        is_impossible: Whether the operator cannot work on its inputs at all.
    """

    shapes: list[Shape] | None
    reason: str = ""
    is_impossible: bool = False


def infer_output_shapes(
    model: Model, subgraph: SubGraph, operator: Operator
) -> InferredShapes:
    """The shapes of the outputs as they follow from inputs, constants and options.

    Args:
        model: The model; only looked at.
        subgraph: The subgraph of the operator.
        operator: The operator; it may be senseless.
    """
    rule = find_shape_rule(model, operator)
    if rule is None:
        name = operator_name(model, operator)
        return InferredShapes(None, f"there is no rule for the shapes of {name}")
    try:
        shapes = rule(Operands(model, subgraph, operator))
    except UnknownShapeError as error:
        return InferredShapes(None, str(error))
    except ImpossibleShapeError as error:
        return InferredShapes(None, str(error), is_impossible=True)
    if len(shapes) != len(operator.outputs or []):
        count = len(operator.outputs or [])
        return InferredShapes(None, f"it makes {len(shapes)} outputs, not {count}")
    if any(not 0 <= size <= LARGEST_DIMENSION for shape in shapes for size in shape):
        return InferredShapes(None, "a dimension does not fit 32 bits", is_impossible=True)
    return InferredShapes([list(shape) for shape in shapes])


def find_shape_rule(model: Model, operator: Operator) -> Rule | None:
    """The rule for an operator, None if there is none."""
    code = operator_code(model, operator)
    if code is None or builtin_code(code) == CUSTOM:
        return None
    return _RULES.get(builtin_code(code))


def _rules(rule: Rule, names: str) -> dict[int, Rule]:
    return {int(BuiltinOperator[name]): rule for name in names.split()}


_RULES: dict[int, Rule] = {
    **_rules(
        elementwise.as_input,
        "ABS CAST CEIL COS CUMSUM DEQUANTIZE DYNAMIC_UPDATE_SLICE ELU EXP FAKE_QUANT FLOOR "
        "GELU HARD_SWISH L2_NORMALIZATION LEAKY_RELU LOCAL_RESPONSE_NORMALIZATION LOG "
        "LOGICAL_NOT LOGISTIC LOG_SOFTMAX MATRIX_SET_DIAG NEG QUANTIZE RELU RELU6 RELU_0_TO_1 "
        "RELU_N1_TO_1 REVERSE_SEQUENCE REVERSE_V2 ROUND RSQRT SIGN SIN SOFTMAX SQRT SQUARE "
        "TANH ZEROS_LIKE",
    ),
    **_rules(
        elementwise.stretched,
        "ADD ATAN2 BITWISE_XOR DIV EQUAL FLOOR_DIV FLOOR_MOD GREATER GREATER_EQUAL LESS "
        "LESS_EQUAL LOGICAL_AND LOGICAL_OR MAXIMUM MINIMUM MUL NOT_EQUAL POW RIGHT_SHIFT "
        "SELECT_V2 SQUARED_DIFFERENCE SUB",
    ),
    **_rules(
        elementwise.reduced,
        "MEAN REDUCE_ALL REDUCE_ANY REDUCE_MAX REDUCE_MIN REDUCE_PROD SUM",
    ),
    **_rules(elementwise.arg_extreme, "ARG_MAX ARG_MIN"),
    **_rules(elementwise.as_second_input, "SELECT"),
    **_rules(elementwise.alike, "ADD_N"),
    **_rules(elementwise.nothing, "ASSIGN_VARIABLE CALL_ONCE"),
    **_rules(elementwise.of_values, "READ_VARIABLE RANGE UNIQUE WHERE"),
    **_rules(elementwise.prelu, "PRELU"),
    **_rules(elementwise.top_k, "TOPK_V2"),
    **_rules(windows.conv_2d, "CONV_2D"),
    **_rules(windows.conv_3d, "CONV_3D"),
    **_rules(windows.depthwise_conv_2d, "DEPTHWISE_CONV_2D"),
    **_rules(windows.pool, "AVERAGE_POOL_2D L2_POOL_2D MAX_POOL_2D"),
    **_rules(windows.resize, "RESIZE_BILINEAR RESIZE_NEAREST_NEIGHBOR"),
    **_rules(windows.transpose_conv, "TRANSPOSE_CONV"),
    **_rules(matrices.batch_matmul, "BATCH_MATMUL"),
    **_rules(matrices.embedding_lookup, "EMBEDDING_LOOKUP"),
    **_rules(matrices.fully_connected, "FULLY_CONNECTED"),
    **_rules(matrices.lstm, "LSTM UNIDIRECTIONAL_SEQUENCE_LSTM"),
    **_rules(matrices.rnn, "RNN UNIDIRECTIONAL_SEQUENCE_RNN"),
    **_rules(matrices.svdf, "SVDF"),
    **_rules(arrangement.batch_to_space, "BATCH_TO_SPACE_ND"),
    **_rules(arrangement.broadcast_args, "BROADCAST_ARGS"),
    **_rules(arrangement.broadcast_to, "BROADCAST_TO"),
    **_rules(arrangement.concatenation, "CONCATENATION"),
    **_rules(arrangement.depth_to_space, "DEPTH_TO_SPACE"),
    **_rules(arrangement.expand_dims, "EXPAND_DIMS"),
    **_rules(arrangement.fill, "FILL"),
    **_rules(arrangement.pack, "PACK"),
    **_rules(arrangement.pad, "MIRROR_PAD PAD PADV2"),
    **_rules(arrangement.reshape, "RESHAPE"),
    **_rules(arrangement.scalar, "RANK"),
    **_rules(arrangement.shape_of, "SHAPE"),
    **_rules(arrangement.space_to_batch, "SPACE_TO_BATCH_ND"),
    **_rules(arrangement.space_to_depth, "SPACE_TO_DEPTH"),
    **_rules(arrangement.squeeze, "SQUEEZE"),
    **_rules(arrangement.tile, "TILE"),
    **_rules(arrangement.transpose, "TRANSPOSE"),
    **_rules(selection.gather, "GATHER"),
    **_rules(selection.gather_nd, "GATHER_ND"),
    **_rules(selection.one_hot, "ONE_HOT"),
    **_rules(selection.scatter_nd, "SCATTER_ND"),
    **_rules(selection.slice_of, "SLICE"),
    **_rules(selection.split, "SPLIT"),
    **_rules(selection.split_v, "SPLIT_V"),
    **_rules(selection.strided_slice, "STRIDED_SLICE"),
    **_rules(selection.unpack, "UNPACK"),
}
