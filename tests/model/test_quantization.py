# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflm_studio.model.errors import EditError
from tflm_studio.model.quantization import AffineQuantization, find_quantization, value_range
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import QuantizationParameters, Tensor

INT8 = element_type(TensorType.INT8)


def tensor(scale: list[float], zero: list[int], shape: list[int], axis: int = 0) -> Tensor:
    quantization = QuantizationParameters(
        scale=scale, zero_point=zero, quantized_dimension=axis
    )
    return Tensor(shape=shape, type=TensorType.INT8, quantization=quantization)


def test_a_list_has_one_axis_whatever_the_dimension_says() -> None:
    found = find_quantization(tensor([1.0, 10.0], [0, 0], [2], axis=3))  # as TOCO wrote biases
    assert found is not None
    assert found.to_real(np.array([3, 3])).tolist() == [3.0, 30.0]


def test_per_tensor() -> None:
    found = find_quantization(tensor([0.5], [-3], [4]))
    assert found is not None
    assert found.to_real(np.array([-3, 1], np.int8)).tolist() == [0.0, 2.0]
    assert value_range(tensor([0.5], [-3], [4]), INT8) == (-62.5, 65.0)


def test_per_channel_follows_the_dimension() -> None:
    found = find_quantization(tensor([1.0, 10.0], [0, 1], [3, 2, 2], axis=1))
    assert found is not None
    stored = np.ones(12, np.int8)
    assert found.to_real(stored).tolist() == [1, 1, 0, 0] * 3
    assert found.to_real(stored[2:5], start=2).tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    "broken",
    [
        tensor([1.0, 2.0], [0, 0], [3], 0),
        tensor([1.0, 2.0], [0, 0], [2, 2], 5),
        tensor([1.0, 2.0], [0, 0], [2, -1], 0),
        tensor([], [0], [2]),
        tensor([1.0], [], [2]),
        Tensor(),
    ],
)
def test_what_makes_no_sense_counts_as_not_quantised(broken: Tensor) -> None:
    assert find_quantization(broken) is None


@given(st.integers(-128, 127), st.floats(1e-6, 1e3), st.integers(-128, 127))
def test_reals_go_back_to_the_stored_value(stored: int, scale: float, zero: int) -> None:
    found = find_quantization(tensor([scale], [zero], [1]))
    assert found is not None
    real = float(found.to_real(np.array([stored]))[0])
    assert found.to_stored(real, 0, INT8) == stored


def test_halves_round_away_from_zero() -> None:
    found = find_quantization(tensor([1.0], [0], [1]))
    assert found is not None
    assert [found.to_stored(real, 0, INT8) for real in (0.5, 1.5, -0.5, -2.5)] == [
        1,
        2,
        -1,
        -3,
    ]


@pytest.mark.parametrize("real", [200.0, -200.0, float("nan"), float("inf")])
def test_reals_out_of_range_are_refused_with_the_range(real: float) -> None:
    found = find_quantization(tensor([1.0], [0], [1]))
    assert found is not None
    with pytest.raises(EditError, match=r"-128 to 127|cannot be quantised"):
        found.to_stored(real, 0, INT8)


def test_scales_that_are_no_numbers_give_reals_that_are_none() -> None:
    found = AffineQuantization(np.array([np.inf]), np.array([-(2**63)]))
    assert np.isinf(found.to_real(np.array([1, 2], np.int8))).all()
    nothing = AffineQuantization(np.array([np.inf]), np.array([1]))
    assert np.isnan(nothing.to_real(np.array([1], np.int8))).all()


def test_channels_of_more_elements_than_can_be_counted() -> None:
    quantization = QuantizationParameters(scale=[1.0, 2.0], zero_point=[0])
    tensor = Tensor([2, *[2**31 - 1] * 5], quantization=quantization)
    found = find_quantization(tensor)
    assert found is not None
    assert found.to_real(np.array([3, 3], np.int8), 5).tolist() == [3.0, 3.0]
