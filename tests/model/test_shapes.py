# SPDX-License-Identifier: Apache-2.0
"""Shapes of outputs, against examples by hand and against what real models store."""

from __future__ import annotations

import logging
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflm_studio as ts
from tests.conftest import every, readable_models
from tflm_studio.model.operators import find_tensor
from tflm_studio.model.shapes import InferredShapes, find_shape_rule, infer_output_shapes
from tflm_studio.schema import tables
from tflm_studio.schema.enums import BuiltinOperator, Padding, TensorType
from tflm_studio.schema.tables import Buffer, Model, Operator, OperatorCode, SubGraph, Tensor

log = logging.getLogger(__name__)
SHAPE = tuple[int, ...]

# Files whose stored shapes mean nothing: their outputs have none (LiteRT sets them when it
# runs), or stand for sizes that only a run knows, or are made up for a test of the reader.
SENSELESS = {
    "custom_lstm.bin",
    "dilated_conv.tflite",
    "dynamic_shapes.bin",
    "lstm.bin",
    "lstm_calibrated.bin",
    "lstm_calibrated2.bin",
    "lstm_quantized.bin",
    "lstm_quantized2.bin",
    "mixed.bin",
    "simple_squeeze.tflite",
    "svdf_calibrated.bin",
    "svdf_quantized.bin",
    "test_model.bin",
    "test_model_versioned_ops.bin",
    "unidirectional_sequence_lstm.bin",
    "unidirectional_sequence_lstm_calibrated.bin",
    "unidirectional_sequence_lstm_quantized.bin",
    "whitespace_tokenizer_flex_delegate.tflite",
}


def one(
    name: str, *inputs: SHAPE | list[int], outputs: int = 1, options: Any = None
) -> InferredShapes:
    """The shapes of one operator: tuples are inputs of a shape, lists constant numbers."""
    model = Model(buffers=[Buffer()])
    code = BuiltinOperator[name]
    model.operator_codes = [OperatorCode(min(code, 127), builtin_code=code)]
    tensors = []
    for given in inputs:
        if isinstance(given, tuple):
            tensors.append(Tensor(shape=list(given)))
            continue
        data = np.array(given, "<i4").tobytes()
        model.buffers.append(Buffer(data=data))
        index = len(model.buffers) - 1
        tensors.append(Tensor(shape=[len(given)], type=TensorType.INT32, buffer=index))
    operator = Operator(
        inputs=list(range(len(inputs))), outputs=[-5] * outputs, builtin_options=options
    )
    return infer_output_shapes(
        model, SubGraph(tensors=tensors, operators=[operator]), operator
    )


CONV = tables.Conv2DOptions(Padding.SAME, 2, 1)
DILATED = tables.Conv2DOptions(Padding.VALID, 1, 1, dilation_h_factor=2, dilation_w_factor=3)
MASKED = tables.StridedSliceOptions(begin_mask=1, end_mask=2, shrink_axis_mask=4)
ELLIPSIS = tables.StridedSliceOptions(ellipsis_mask=1, new_axis_mask=2)

EXAMPLES: list[tuple[InferredShapes, list[list[int]]]] = [
    (one("CONV_2D", (2, 5, 7, 4), (8, 3, 3, 4), options=CONV), [[2, 5, 4, 8]]),
    (one("CONV_2D", (1, 9, 9, 4), (8, 3, 3, 2), options=DILATED), [[1, 5, 3, 8]]),
    (
        one(
            "DEPTHWISE_CONV_2D",
            (1, 9, 9, 4),
            (1, 3, 3, 8),
            options=tables.DepthwiseConv2DOptions(Padding.VALID, 2, 2),
        ),
        [[1, 4, 4, 8]],
    ),
    (
        one(
            "MAX_POOL_2D",
            (1, 5, 5, 3),
            options=tables.Pool2DOptions(Padding.VALID, 2, 2, 3, 2),
        ),
        [[1, 2, 2, 3]],
    ),
    (
        one(
            "CONV_3D",
            (1, 4, 5, 6, 2),
            (3, 3, 3, 2, 7),
            options=tables.Conv3DOptions(Padding.VALID, 1, 1, 1),
        ),
        [[1, 2, 3, 4, 7]],
    ),
    (one("TRANSPOSE_CONV", [1, 6, 6, 9], (5, 3, 3, 2), (1, 3, 3, 2)), [[1, 6, 6, 5]]),
    (one("FULLY_CONNECTED", (2, 3, 4), (7, 6)), [[4, 7]]),
    (
        one(
            "FULLY_CONNECTED",
            (2, 3, 4),
            (7, 4),
            options=tables.FullyConnectedOptions(keep_num_dims=True),
        ),
        [[2, 3, 7]],
    ),
    (one("BATCH_MATMUL", (5, 1, 2, 3), (6, 3, 4)), [[5, 6, 2, 4]]),
    (
        one("BATCH_MATMUL", (3, 2), (4, 3), options=tables.BatchMatMulOptions(True, True)),
        [[2, 4]],
    ),
    (one("ADD", (2, 1, 4), (3, 1)), [[2, 3, 4]]),
    (one("SELECT_V2", (1,), (2, 1), (1, 3)), [[2, 3]]),
    (one("RELU", (2, 0)), [[2, 0]]),
    (
        one("CONCATENATION", (2, 3), (2, 4), options=tables.ConcatenationOptions(axis=-1)),
        [[2, 7]],
    ),
    (one("RESHAPE", (2, 6), [-1, 4]), [[3, 4]]),
    (one("RESHAPE", (2, 6), options=tables.ReshapeOptions([12])), [[12]]),
    (one("RESHAPE", (1,), options=tables.ReshapeOptions([0])), [[]]),
    (one("MEAN", (2, 3, 4), [-1, 0]), [[3]]),
    (one("SUM", (2, 3), [1], options=tables.ReducerOptions(keep_dims=True)), [[2, 1]]),
    (one("PAD", (2, 3), [0, 1, 2, 3]), [[3, 8]]),
    (one("MIRROR_PAD", (3,), [1, 1]), [[5]]),
    (one("TRANSPOSE", (2, 3, 4), [2, 0, 1]), [[4, 2, 3]]),
    (one("SPLIT", [1], (2, 6), outputs=3, options=tables.SplitOptions(3)), [[2, 2]] * 3),
    (one("SPLIT_V", (2, 6), [1, -1], [1], outputs=2), [[2, 1], [2, 5]]),
    (one("PACK", (2, 3), (2, 3), options=tables.PackOptions(2, 1)), [[2, 2, 3]]),
    (one("UNPACK", (2, 3), outputs=2, options=tables.UnpackOptions(2, 0)), [[3]] * 2),
    (one("SLICE", (4, 5), [1, 2], [-1, 2]), [[3, 2]]),
    (
        one("STRIDED_SLICE", (6, 7, 8), [3, 1, 0], [5, 2, 1], [2, 2, 1], options=MASKED),
        [[3, 3]],
    ),
    (one("STRIDED_SLICE", (6, 7), [5], [-7], [-2]), [[3, 7]]),
    (
        one("STRIDED_SLICE", (6, 7), [0, 0, 2], [0, 0, 4], [1, 1, 1], options=ELLIPSIS),
        [[6, 1, 2]],
    ),
    (one("GATHER", (2, 5, 3), (4, 6), options=tables.GatherOptions(axis=1)), [[2, 4, 6, 3]]),
    (
        one("GATHER", (2, 5, 3), (2, 6), options=tables.GatherOptions(1, batch_dims=1)),
        [[2, 6, 3]],
    ),
    (one("GATHER_ND", (2, 5, 3), (4, 2)), [[4, 3]]),
    (one("EXPAND_DIMS", (2, 3), [-1]), [[2, 3, 1]]),
    (one("SQUEEZE", (1, 2, 1)), [[2]]),
    (one("SQUEEZE", (1, 2, 1), options=tables.SqueezeOptions([-1])), [[1, 2]]),
    (one("ARG_MAX", (2, 3, 4), [1]), [[2, 4]]),
    (one("CUMSUM", (2, 3), [0]), [[2, 3]]),
    (one("BROADCAST_TO", (3, 1), [2, 3, 4]), [[2, 3, 4]]),
    (one("BROADCAST_ARGS", (2,), (3,)), [[3]]),
    (one("FILL", [2, 3], ()), [[2, 3]]),
    (one("SHAPE", (2, 3, 4)), [[3]]),
    (one("RANK", (2, 3, 4)), [[]]),
    (one("RESIZE_BILINEAR", (1, 2, 3, 4), [5, 6]), [[1, 5, 6, 4]]),
    (one("SPACE_TO_BATCH_ND", (1, 3, 4, 2), [2, 2], [0, 1, 0, 0]), [[4, 2, 2, 2]]),
    (one("BATCH_TO_SPACE_ND", (4, 2, 2, 2), [2, 2], [0, 1, 0, 0]), [[1, 3, 4, 2]]),
    (
        one("DEPTH_TO_SPACE", (1, 2, 3, 8), options=tables.DepthToSpaceOptions(2)),
        [[1, 4, 6, 2]],
    ),
    (
        one("SPACE_TO_DEPTH", (1, 4, 6, 2), options=tables.SpaceToDepthOptions(2)),
        [[1, 2, 3, 8]],
    ),
    (one("SVDF", (2, 4), (6, 4), (6, 7), options=tables.SVDFOptions(rank=2)), [[2, 3]]),
    (
        one("UNIDIRECTIONAL_SEQUENCE_LSTM", (2, 9, 4), *[(5, 4)] * 4, *[(5, 3)] * 4),
        [[2, 9, 3]],
    ),
    (one("TILE", (2, 3), [2, 1]), [[4, 3]]),
    (one("ONE_HOT", (2, 3), [4]), [[2, 3, 4]]),
    (one("TOPK_V2", (2, 5), [3], outputs=2), [[2, 3]] * 2),
    (one("EMBEDDING_LOOKUP", (4,), (10, 3)), [[4, 3]]),
    (one("SCATTER_ND", (2, 1), (2,), [8]), [[8]]),
    (one("PRELU", (1, 2, 3), (3,)), [[1, 2, 3]]),
    (one("SELECT", (2,), (2, 3), (2, 3)), [[2, 3]]),
    (one("ADD_N", (2, 3), (2, 3)), [[2, 3]]),
    (one("RNN", (2, 4), (5, 4), (5, 5)), [[2, 5]]),
    (one("ASSIGN_VARIABLE", (1,), (2,), outputs=0), []),
]


@pytest.mark.parametrize(("found", "wanted"), EXAMPLES)
def test_by_hand(found: InferredShapes, wanted: list[list[int]]) -> None:
    assert found.shapes == wanted, found.reason


IMPOSSIBLE = [
    (one("CONV_2D", (1, 5, 5, 3), (8, 3, 3, 4), options=CONV), "takes 4 channels"),
    (one("CONV_2D", (1, 5, 5, 3), (8, 3, 3, 1), options=CONV), "divide into 3 groups"),
    (one("CONV_2D", (1, 2, 2, 4), (8, 3, 3, 4), options=DILATED), "does not fit into 2"),
    (one("CONV_2D", (5, 5, 3), (8, 3, 3, 4), options=CONV), "3 dimensions"),
    (one("DEPTHWISE_CONV_2D", (1, 5, 5, 3), (1, 3, 3, 4)), "no multiple of the input's 3"),
    (one("FULLY_CONNECTED", (2, 5), (3, 4)), "takes 4 values, the input has 10"),
    (one("BATCH_MATMUL", (2, 3), (4, 5)), "meet columns"),
    (one("ADD", (2, 3), (4,)), "do not go together"),
    (one("CONCATENATION", (2, 3), (3, 2)), "cannot be joined"),
    (one("RESHAPE", (2, 3), [4]), "do not fit 4"),
    (one("RESHAPE", (2, 3), [-1, 4]), "6 cannot be divided by 4"),
    (one("RESHAPE", (2, 3), [-1, -1]), "no shape"),
    (one("TRANSPOSE", (2, 3), [0, 0]), "no order"),
    (one("MEAN", (2, 3), [2]), "no axis 2"),
    (one("SPLIT", [0], (3,), outputs=2, options=tables.SplitOptions(2)), "cannot be divided"),
    (one("SPLIT_V", (3,), [1, 1], [0], outputs=2), "do not make 3"),
    (one("UNPACK", (3,), outputs=2), "for 2 outputs"),
    (one("SLICE", (4,), [2], [3]), "are not in 4"),
    (one("STRIDED_SLICE", (4,), [0], [3], [0]), "stride is 0"),
    (one("SQUEEZE", (1, 2), options=tables.SqueezeOptions([1])), "is not 1"),
    (one("PAD", (2,), [-2, -1]), "than there is"),
    (one("BROADCAST_TO", (3, 2), [2]), "stretch"),
    (one("SVDF", (2, 5), (6, 4), (6, 7), options=tables.SVDFOptions(rank=2)), "takes 4"),
    (one("TILE", (2**20, 2**20), [1, 2**20]), "32 bits"),
]


@pytest.mark.parametrize(("found", "reason"), IMPOSSIBLE)
def test_impossible(found: InferredShapes, reason: str) -> None:
    assert found.is_impossible
    assert found.shapes is None
    assert reason in found.reason


UNKNOWN = [
    (one("RESHAPE", (2, 3), (2,)), "shape is not constant"),
    (one("RESHAPE", (2, 3)), "neither"),
    (one("CONV_2D", (1, 5, 5, 4), (8, 3, 3, 4)), "no strides"),
    (one("RELU", (-1, 4)), "below 0"),
    (one("RELU"), "no input"),
    (one("ADD"), "no inputs"),
    (one("WHERE", (3,)), "depends on values"),
    (one("WHILE", (3,)), "no rule"),
    (one("RELU", (3,), outputs=2), "not 2"),
    (one("LSTM", (3,), (2,)), "short list"),
]


@pytest.mark.parametrize(("found", "reason"), UNKNOWN)
def test_unknown(found: InferredShapes, reason: str) -> None:
    assert (found.shapes, found.is_impossible) == (None, False)
    assert reason in found.reason


def test_real_models_store_what_follows(models_folder: Path) -> None:
    counts: Counter[str] = Counter()
    for path in every(5, readable_models(models_folder)):
        model = ts.load_model_from_file(path)
        for subgraph in model.subgraphs or []:
            for operator in subgraph.operators or []:
                if find_shape_rule(model, operator) is not None:
                    outcome = _compared(model, subgraph, operator)
                    counts[outcome] += 1
                    assert outcome != "wrong" or path.name in SENSELESS, path
    log.info("%s", counts)
    assert counts["right"] > 0.98 * counts.total() - counts["unknown"]


def _compared(model: Model, subgraph: SubGraph, operator: Operator) -> str:
    inferred = infer_output_shapes(model, subgraph, operator)
    if inferred.shapes is None:
        return "wrong" if inferred.is_impossible else "unknown"
    found = [find_tensor(subgraph, index) for index in operator.outputs or []]
    stored = [tensor and list(tensor.shape or []) for tensor in found]
    return "right" if stored == inferred.shapes else "wrong"
