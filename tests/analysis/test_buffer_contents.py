# SPDX-License-Identifier: Apache-2.0

import numpy as np
import pytest

from tests.analysis.test_stored_contents import INT8, found, model_of
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.model.tensor_types import ELEMENT_TYPES, encode
from tflm_studio.schema.enums import TensorType
from tflm_studio.schema.tables import QuantizationParameters, Tensor


@pytest.mark.parametrize("kind", ELEMENT_TYPES.values(), ids=lambda kind: kind.name)
def test_values_one_by_one_are_those_read_at_once(kind) -> None:  # type: ignore[no-untyped-def]
    data = bytes(np.random.default_rng(1).integers(0, 256, 48, np.uint8))
    contents = found(model_of((Tensor(shape=[48], type=TensorType.UINT8), data)), "buffers", 1)
    contents = contents.read_as(kind)
    at_once = contents.values()
    assert len(at_once) == contents.count
    indices = np.arange(contents.count).reshape(-1, 3)[:, ::-1]
    np.testing.assert_array_equal(contents.values_at(indices), at_once[indices])
    last = contents.count - 1
    np.testing.assert_array_equal(contents.values(last, 9), at_once[last:])
    assert contents.read_as(kind) is contents


def test_reals_per_channel() -> None:
    q = QuantizationParameters(scale=[0.5, 2.0], zero_point=[0, 1], quantized_dimension=0)
    tensor = Tensor(shape=[2, 3], type=TensorType.INT4, quantization=q)
    stored = np.array([1, 2, 3, 4, 5, -6])
    data = encode(stored, ELEMENT_TYPES[TensorType.INT4])
    contents = found(model_of((tensor, data)), "buffers", 1)
    assert contents.channel_axis == 0
    expected = [0.5, 1.0, 1.5, 6.0, 8.0, -14.0]
    assert contents.reals().tolist() == expected
    assert contents.reals(2, 2).tolist() == expected[2:4]
    assert contents.reals_at(np.array([[5, 0]])).tolist() == [[-14.0, 0.5]]
    assert contents.read_as(ELEMENT_TYPES[TensorType.UINT8]).quantization is None


def test_contents_that_differ_in_their_bytes_alone_read_alike() -> None:
    def fresh(name: str, first: int, scale: float) -> BufferContents:
        q = QuantizationParameters(scale=[scale], zero_point=[0])
        tensor = Tensor(shape=[2], type=INT8, name=name, quantization=q)
        return found(model_of((tensor, bytes([first, 0]))), "buffers", 1)

    assert fresh("a", 1, 0.5).reads_like(fresh("a", 2, 0.5))
    assert not fresh("a", 1, 0.5).reads_like(fresh("a", 1, 0.25))
    assert not fresh("a", 1, 0.5).reads_like(fresh("b", 1, 0.5))
