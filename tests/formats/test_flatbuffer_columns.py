# SPDX-License-Identifier: Apache-2.0
"""Whether two models write the same content."""

from pathlib import Path

import pytest

import tflm_studio as ts
from tflm_studio.formats.flatbuffer_columns import same_content
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
