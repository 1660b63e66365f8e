# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from tflm_studio.analysis import channel_statistics
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.channel_statistics import default_axis, measure_channels
from tflm_studio.analysis.statistics import MeasuringCancelledError
from tflm_studio.model.errors import EditError
from tflm_studio.model.quantization import AffineQuantization
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.schema.enums import TensorType


def holding(
    array: np.ndarray, code: int, quantization: AffineQuantization | None = None
) -> BufferContents:
    names = tuple(f"axis {axis}" for axis in range(array.ndim))
    data, kind = memoryview(array.tobytes()), ELEMENT_TYPES[code]
    return BufferContents(
        1, data, kind, array.shape, quantization, "w", "buffer 1", axis_names=names
    )


@pytest.mark.parametrize("piece", [1, 7, 24, 1000])
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("real", [False, True])
def test_figures_are_those_of_numpy(
    monkeypatch: pytest.MonkeyPatch, piece: int, axis: int, real: bool
) -> None:
    monkeypatch.setattr(channel_statistics, "PIECE", piece)
    array = np.random.default_rng(3).integers(-128, 128, (4, 3, 5)).astype(np.int8)
    array[0], array[1, 1] = -127, 0
    scale = np.array([0.5, 2.0, 1.0])
    q = AffineQuantization(scale, np.array([0, 0, 0]), 5)  # along axis 1
    found = measure_channels(holding(array, TensorType.INT8, q), axis, real=real)
    meant = array * scale[:, None] if real else array.astype(np.float64)
    others = tuple(a for a in range(3) if a != axis)
    for name, wanted in (
        ("low", meant.min(others)),
        ("high", meant.max(others)),
        ("mean", meant.mean(others)),
        ("std", meant.std(others)),
        ("zeros", (meant == 0).sum(others)),
        ("saturated", ((array <= -127) | (array == 127)).sum(others)),
    ):
        np.testing.assert_allclose(getattr(found, name), wanted, atol=1e-9, err_msg=name)
    span = array.max(others).astype(float) - array.min(others)
    np.testing.assert_allclose(found.used, np.clip(span / 254, 0, 1))
    assert (found.scale is not None) == (axis == 1)


def test_what_is_not_finite_is_left_out() -> None:
    array = np.float32([[1, np.nan, 3], [np.inf, np.nan, -np.inf]])
    found = measure_channels(holding(array, TensorType.FLOAT32), 0)
    assert found.mean[0] == 2
    assert found.std[0] == 1
    assert np.isnan([found.low[1], found.high[1], found.mean[1], found.std[1]]).all()
    assert found.not_finite.tolist() == [1, 3]
    assert found.used is None


def test_the_axis_and_its_refusals() -> None:
    contents = holding(np.zeros((2, 3), np.int8), TensorType.INT8)
    assert default_axis(contents) == 0
    with pytest.raises(EditError, match="no axis 2"):
        measure_channels(contents, 2)
    with pytest.raises(MeasuringCancelledError):
        measure_channels(contents, 0, cancelled=lambda: True)
