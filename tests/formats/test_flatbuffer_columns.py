# SPDX-License-Identifier: Apache-2.0
"""Whether two models write the same content."""

from pathlib import Path

import numpy as np
import pytest

import tflm_studio as ts
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import WriteError
from tflm_studio.schema.tables import (
    Buffer,
    Model,
    Operator,
    QuantizationParameters,
    SoftmaxOptions,
    SubGraph,
    Tensor,
)


def scaled(*scales: list[float]) -> Model:
    quantization = [QuantizationParameters(scale=scale) for scale in scales]
    tensors = [Tensor(quantization=found) for found in quantization]
    return Model(subgraphs=[SubGraph(tensors=tensors)])


def softmax(beta: float) -> Model:
    operators = [Operator(builtin_options=SoftmaxOptions(beta=beta))]
    return Model(subgraphs=[SubGraph(operators=operators)])


def test_numbers_that_the_field_rounds_alike_are_the_same(tmp_path: Path) -> None:
    """0.05 is no 32-bit float: the file holds the nearest one."""
    model = scaled([0.05, 1e-46, float("nan")])
    ts.save_model_to_file(model, tmp_path / "out.tflite")
    assert same_content(ts.load_model_from_file(tmp_path / "out.tflite"), model)
    assert same_content(softmax(0.1), softmax(0.10000000149011612))


@pytest.mark.parametrize(
    "other",
    [
        scaled([0.05, 0.0], [1.0]),
        scaled([0.05000001, -0.0], [1.0]),
        scaled([0.05], [-0.0, 1.0]),
        scaled([0.05, -0.0, 1.0]),
        scaled([0.05, -0.0], []),
    ],
)
def test_every_bit_and_every_length_counts(other: Model) -> None:
    assert same_content(scaled([0.05, -0.0], [1.0]), scaled([0.05, -0.0], [1.0]))
    assert not same_content(scaled([0.05, -0.0], [1.0]), other)
    assert not same_content(softmax(0.0), softmax(-0.0))


def test_a_number_that_fits_no_field_is_refused_by_its_name() -> None:
    with pytest.raises(WriteError, match=r"QuantizationParameters\.scale"):
        same_content(scaled([1e39]), scaled([1e39]))


def test_weights_are_not_compared_at_once():
    class Weights(bytes):
        __hash__ = None

        def __eq__(self, other):
            raise AssertionError("this takes a second pass, and keeps mapped files in memory")

    first, second, third = (
        Model(3, buffers=[Buffer(), Buffer(Weights(b"12345" + end))])
        for end in (b"6", b"6", b"7")
    )
    assert same_content(first, second)
    assert not same_content(first, third)


def test_bytes_may_be_arrays() -> None:
    ones, twos = np.ones(9, np.float32), np.full(9, 2, np.float32)
    first, same, other = (Model(buffers=[Buffer(data=data)]) for data in (ones, +ones, twos))
    assert same_content(first, same)
    assert not same_content(first, other)


@pytest.mark.parametrize("zero", [0.0, -0.0, np.float32(0), "0", None])
@pytest.mark.parametrize("count", [1, 40])
def test_what_is_no_whole_number_is_no_zero_point(zero: object, count: int) -> None:
    points = QuantizationParameters(zero_point=[*[0] * (count - 1), zero])
    model = Model(subgraphs=[SubGraph(tensors=[Tensor(quantization=points)])])
    with pytest.raises(WriteError, match=r"QuantizationParameters\.zero_point"):
        lay_out(model)


def test_vectors_may_be_arrays(tmp_path: Path) -> None:
    shapes = np.array([7], np.int32), (1, 2), np.array([3, 4], np.int32)
    ts.save_model_to_file(
        Model(subgraphs=[SubGraph(tensors=[Tensor(shape=shape) for shape in shapes])]),
        tmp_path / "out.tflite",
    )
    model = ts.load_model_from_file(tmp_path / "out.tflite")
    assert [tensor.shape for tensor in model.subgraphs[0].tensors] == [[7], [1, 2], [3, 4]]
