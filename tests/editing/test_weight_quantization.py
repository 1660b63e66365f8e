# SPDX-License-Identifier: Apache-2.0

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import every, examples, readable_models
from tests.editing.small_models import do
from tests.editing.tensor_models import refused
from tests.editing.weight_models import RANDOM, W, holding
from tflm_studio.editing import weights
from tflm_studio.editing.weight_readers import filter_readers
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    Buffer,
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    Tensor,
)

X = RANDOM.normal(0, 0.3, (3, 2, 2, 5)).astype("f4")
DEPTHWISE, CONV, DENSE = (
    BuiltinOperator.DEPTHWISE_CONV_2D,
    BuiltinOperator.CONV_2D,
    BuiltinOperator.FULLY_CONNECTED,
)


def read_by(model: Model, code: BuiltinOperator, input_type: TensorType) -> Model:
    """The same, with a layer whose filter tensor 0 is, and a bias of as many numbers as 3."""
    subgraph = model.subgraphs[0]  # type: ignore[index]
    tensor = Tensor([1, 4, 4, 5], input_type, 0, "values")
    tensor.quantization = QuantizationParameters(scale=[0.5], zero_point=[4])
    bias = Tensor([3], TensorType.INT32, 2, "bias")
    bias.quantization = QuantizationParameters(scale=[0.01], zero_point=[0])
    model.buffers.append(Buffer(data=np.array([100, -200, 300], "<i4").tobytes()))  # type: ignore[union-attr]
    subgraph.tensors += [tensor, bias, Tensor([1], input_type, 0, "out")]  # type: ignore[operator]
    subgraph.operators = [Operator(0, [1, 0, 2], [3])]
    model.operator_codes = [OperatorCode(int(code), builtin_code=code)]
    return model


def converted(x: np.ndarray, axis: int | None) -> tuple[np.ndarray, np.ndarray]:
    """What LiteRT's `SymmetricPerChannelQuantization` makes, loop by loop in float32."""
    scales, stored = [], np.zeros(x.shape, np.int8)
    for channel in range(1 if axis is None else x.shape[axis]):
        part = (slice(None),) * (axis or 0) + (channel,) if axis is not None else ()
        half_range = np.float32(max(abs(x[part].min()), abs(x[part].max())))
        scales.append(half_range / np.float32(127))
        inverse = np.float32(127) / half_range if half_range else np.float32(0)
        product = (x[part] * inverse).astype("f4")
        rounded = np.sign(product) * np.floor(np.abs(product.astype("f8")) + 0.5)
        stored[part] = np.clip(rounded, -127, 127)
    return np.array(scales, "f4"), stored


def quantization(model: Model, tensor: int = 0) -> QuantizationParameters:
    found = model.subgraphs[0].tensors[tensor].quantization  # type: ignore[index]
    assert found is not None
    return found


@pytest.mark.parametrize(("code", "axis"), [(CONV, 0), (DEPTHWISE, 3), (None, None)])
def test_floats_become_int8_as_the_converter_makes_them(
    code: BuiltinOperator | None, axis: int | None
) -> None:
    model = holding(X)
    if code is not None:
        read_by(model, code, TensorType.INT8)
    proposal = weights.quantise(model, W)
    do(model, proposal)
    scales, stored = converted(X, axis)
    made = quantization(model)
    assert np.array_equal(np.array(made.scale, "f4"), scales)
    assert (made.quantized_dimension, made.zero_point) == (axis or 0, [0] * len(scales))
    assert np.array_equal(ts.values(model, W), stored)
    worst = abs(ts.values(model, W, real=True) - X).max()
    assert worst <= scales.max() / 2 + 1e-7
    assert proposal.effect.largest == pytest.approx(worst)


def test_a_channel_of_zeros_gets_a_scale_that_can_be_divided_by() -> None:
    model = holding(np.array([[0.0, 0.0], [1.0, -2.0]], "f4"))
    do(model, weights.quantise(model, W, axis=0))
    assert quantization(model).scale == [np.float32(1e-6), np.float32(np.float32(2) / 127)]
    assert ts.values(model, W).tolist() == [[0, 0], [64, -127]]
    tiny = holding(np.array([1e-40, 0, -1e-44], "f4"))
    do(tiny, weights.quantise(tiny, W))
    assert ts.values(tiny, W).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("dtype", "low", "high"), [("int4", -7, 7), ("int16", -32767, 32767), ("int2", -1, 1)]
)
def test_other_types_use_their_own_range(dtype: str, low: int, high: int) -> None:
    model = holding(X)
    do(model, weights.quantise(model, W, dtype))
    stored = ts.values(model, W)
    assert max(-stored.min(), stored.max()) == high
    assert stored.min() >= low


@pytest.mark.parametrize("dtype", ["int8", "uint8"])
def test_an_asymmetric_range_holds_zero_exactly(dtype: str) -> None:
    x = np.linspace(0.5, 3, 50, dtype="f4")
    model = holding(x)
    do(model, weights.quantise(model, W, dtype, symmetric=False))
    made, stored = quantization(model), ts.values(model, W)
    low = {"int8": -128, "uint8": 0}[dtype]
    assert made.zero_point == [low]
    assert stored.max() == low + 255
    assert abs(ts.values(model, W, real=True) - x).max() <= made.scale[0] / 2 + 1e-6  # type: ignore[index]
    with refused(holding(x), "cannot be symmetric"):
        weights.quantise(holding(x), W, "uint8")


def test_floats_come_back_and_forth() -> None:
    stored = RANDOM.integers(-128, 128, (3, 4))
    model = holding(stored, "int8", [0.1, 0.2, 0.3], [1, 2, 3])
    reals = ts.values(model, W, real=True)
    do(model, weights.dequantise(model, W))
    assert ts.values(model, W).dtype == np.float32
    assert np.array_equal(ts.values(model, W), reals.astype("f4"))
    assert model.subgraphs[0].tensors[0].quantization is None  # type: ignore[index]
    do(model, weights.to_float16(model, W))
    assert np.array_equal(ts.values(model, W), reals.astype("f4").astype("f2"))
    do(model, weights.to_float32(model, W))
    assert np.array_equal(ts.values(model, W), reals.astype("f4").astype("f2"))
    for make, reason in (
        (weights.to_float32, "float32 already"),
        (weights.dequantise, "not quantised"),
    ):
        with refused(model, reason):
            make(model, W)
    large = holding(np.array([1e6, -np.inf, 1], "f4"))
    do(large, weights.to_float16(large, W))
    assert ts.values(large, W).tolist() == [65504, -np.inf, 1]


@settings(max_examples=examples(40))
@given(
    st.sampled_from(["int8", "int16", "int4", "uint8", "int32"]),
    st.sampled_from(["int8", "int16", "int4", "uint8", "int32", None]),
    st.floats(1e-3, 10),
    st.integers(-8, 7),
)
def test_reals_are_kept_as_near_as_can_be(
    old: str, new: str | None, scale: float, zero: int
) -> None:
    model = holding(np.arange(8).reshape(2, 4) % 7, old, [0.5, 0.125], [2, 1])
    zero = max(zero, 0) if (new or old)[0] == "u" else zero
    reals = ts.values(model, W, real=True)
    do(model, weights.requantise(model, W, scale, zero, dtype=new))
    made = quantization(model)
    assert (made.scale, made.zero_point) == ([float(np.float32(scale))], [zero])
    step, after = made.scale[0], ts.values(model, W, real=True)  # type: ignore[index]
    kind = {"int8": 127, "int16": 32767, "int4": 7, "uint8": 255, "int32": 2**31}[new or old]
    low = 0 if (new or old)[0] == "u" else -kind - 1
    inside = np.clip(reals, (low - zero) * step, (kind - zero) * step)
    assert abs(after - inside).max() <= step / 2 + 1e-9


def test_a_shared_buffer_is_left_to_the_others() -> None:
    model = holding(X)
    model.subgraphs[0].tensors.append(Tensor(list(X.shape), 0, 1, "tied"))  # type: ignore[index,union-attr]
    proposal = weights.quantise(model, W)
    assert any(
        "a buffer of its own; others go on to use buffer 1" in n for n in proposal.notes
    )
    do(model, proposal)
    assert ts.values(model, W).dtype == np.int8
    assert np.array_equal(ts.values(model, "subgraphs[0].tensors[1]"), X)


def test_the_layer_tells_what_it_thinks_of_it() -> None:
    model = read_by(holding(X), CONV, TensorType.FLOAT32)
    told = " ".join(weights.quantise(model, W).notes)
    assert "Conv2D 0: TFLM does not run it with float32 values and a filter of int8" in told
    assert "its bias tensor 2 bias is not touched" in told
    depthwise = read_by(holding(X), CONV, TensorType.INT8)
    do(depthwise, weights.quantise(depthwise, W, bias=True))
    assert quantization(depthwise, 2).scale == pytest.approx(
        [0.5 * s for s in quantization(depthwise).scale or []]
    )
    assert ts.values(depthwise, "subgraphs[0].tensors[2]", real=True) == pytest.approx(
        [1, -2, 3], abs=max(quantization(depthwise, 2).scale or []) / 2
    )
    narrow = read_by(holding(X[:, :1]), DENSE, TensorType.INT8)
    with refused(narrow, "3 values, the filter of Conv2D|the filter"):
        weights.requantise(narrow, W, [0.1] * 5, axis=3, bias=True)


def test_a_bias_without_scales_that_fit_is_left_alone() -> None:
    model = read_by(holding(np.ones((3, 1, 1, 5)), "int8", [0.02]), CONV, TensorType.INT8)
    bias = model.subgraphs[0].tensors[2]  # type: ignore[index]
    bias.quantization = QuantizationParameters(scale=[0.01, 0.02], zero_point=[0, 0])
    before = bytes(model.buffers[2].data)  # type: ignore[index, arg-type]
    proposal = weights.requantise(model, W, 0.05, 0, bias=True)
    do(model, proposal)
    assert bytes(model.buffers[2].data) == before  # type: ignore[index, arg-type]
    assert "no scales that fit" in " ".join(proposal.notes)


def test_numbers_that_do_not_go_together_are_refused() -> None:
    model, plain = holding([[1, 2], [3, 4]], "int8", [0.5]), holding([1, 2], "int8")
    cases = [
        ("above 0", lambda: weights.requantise(model, W, 0.0)),
        ("above 0", lambda: weights.requantise(model, W, [])),
        ("above 0", lambda: weights.requantise(model, W, float("nan"))),
        ("cannot hold the zero point 200", lambda: weights.requantise(model, W, 1, 200)),
        ("3 scales need", lambda: weights.requantise(model, W, [1, 2, 3], axis=1)),
        ("name the axis", lambda: weights.requantise(model, W, [1, 2])),
        ("no axis 2", lambda: weights.requantise(model, W, [1, 2], axis=2)),
        ("2 scales and 3", lambda: weights.requantise(model, W, [1, 2], [0, 0, 0], axis=0)),
        ("cannot become 'text'", lambda: weights.requantise(model, W, 1, dtype="text")),
        ("no scale", lambda: weights.requantise(plain, W, 1)),
        ("not floats|no floats|holds int8", lambda: weights.quantise(model, W)),
        ("that of no tensor", lambda: weights.quantise(_bare(), "buffers[1]")),
        ("which no whole number", lambda: weights.quantise(holding([np.nan]), W)),
        ("too large for", lambda: weights.quantise(holding([1e300], "float64"), W)),
    ]
    for reason, make in cases:
        with refused(model, reason):
            make()


def _bare() -> Model:
    model = holding([1.0])
    model.subgraphs[0].tensors[0].buffer = 0  # type: ignore[index]
    return model


def test_weights_of_converted_models_come_out_as_the_converter_made_them(
    models_folder: Path,
) -> None:
    """int8 -> float32 -> int8 gives the scales and numbers that are in the files."""
    compared = 0
    for path in every(16, readable_models(models_folder)):
        model = ts.Document.open(str(path)).model if path.stat().st_size < 400_000 else Model()
        for s, subgraph in enumerate(model.subgraphs or []):
            for t, tensor in enumerate(subgraph.tensors or []):
                known = tensor.quantization
                is_filter = tensor.type == TensorType.INT8 and filter_readers(model, s, t)
                if not is_filter or known is None or len(known.scale or ()) < 2:
                    continue
                address = f"subgraphs[{s}].tensors[{t}]"
                stored, axis = ts.values(model, address), known.quantized_dimension
                scales = np.array(known.scale, "f4")
                rest = tuple(k for k in range(stored.ndim) if k != axis)
                full = abs(stored.astype(int)).max(axis=rest) == 127  # others were pruned
                document = ts.Document(model)
                document.do(weights.dequantise(model, address))
                document.do(weights.quantise(model, address))
                made = tensor.quantization
                assert made is not None
                assert made.quantized_dimension == axis
                assert np.array_equal(np.array(made.scale, "f4")[full], scales[full])
                now = ts.values(model, address)
                assert np.array_equal(now.compress(full, axis), stored.compress(full, axis))
                compared += 1
    assert compared


@pytest.mark.parametrize("zero_point", [2**70, -(2**70), 1.5, [0.5]])
def test_zero_points_that_no_type_holds_are_refused(zero_point: Any) -> None:
    model = holding(np.float32([1, 2]))
    with pytest.raises(ts.EditError, match="cannot hold the zero point"):
        weights.requantise(model, W, 0.5, zero_point)
    with pytest.raises(ts.EditError, match="a scale has to be a number above 0"):
        weights.requantise(model, W, 1e300)
