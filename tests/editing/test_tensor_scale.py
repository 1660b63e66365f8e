# SPDX-License-Identifier: Apache-2.0
"""One scale and zero point, as they are written in a cell."""

import pytest

from tflm_studio.editing.document import Document
from tflm_studio.editing.tensor_scale import set_scale
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import (
    CustomQuantization,
    Model,
    QuantizationParameters,
    SubGraph,
    Tensor,
)

PLACE: Address = ("subgraphs", 0, "tensors", 0)


def document_of(quantization: QuantizationParameters | None) -> Document:
    return Document(Model(subgraphs=[SubGraph(tensors=[Tensor(quantization=quantization)])]))


def tensor_of(document: Document) -> Tensor:
    return document.model.subgraphs[0].tensors[0]  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "scale", "zero"),
    [
        ("0.5 (-128)", 0.5, -128),
        ("0.5(-3)", 0.5, -3),
        ("0,5 7", 0.5, 7),
        (" 2.5e-1 ", 0.25, 9),
        ("0.125 (\N{MINUS SIGN}4)", 0.125, -4),
    ],
)
def test_what_is_written_is_stored(text: str, scale: float, zero: int) -> None:
    document = document_of(QuantizationParameters(scale=[0.75], zero_point=[9]))
    document.do(set_scale(PLACE, tensor_of(document), text), label="x")
    stored = tensor_of(document).quantization
    assert stored is not None
    assert (stored.scale, stored.zero_point) == ([scale], [zero])


def test_a_tensor_without_quantisation_gets_one() -> None:
    document = document_of(None)
    document.do(set_scale(PLACE, tensor_of(document), "0.5"), label="x")
    stored = tensor_of(document).quantization
    assert stored is not None
    assert (stored.scale, stored.zero_point) == ([0.5], [0])


def test_only_what_differs_is_set() -> None:
    tensor = Tensor(quantization=QuantizationParameters(scale=[0.5], zero_point=[3]))
    assert len(set_scale(PLACE, tensor, "0.5 (4)")) == 1
    assert set_scale(PLACE, tensor, "0.5 (3)") == []


@pytest.mark.parametrize(
    "text", ["", "x", "0", "-1", "nan", "inf", "0.5 x", "0.5 1 2", "1e-60"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(EditError):
        set_scale(PLACE, Tensor(), text)


@pytest.mark.parametrize(
    "stored",
    [
        QuantizationParameters(scale=[1.0, 2.0], zero_point=[0, 0]),
        QuantizationParameters(details=CustomQuantization()),
    ],
)
def test_what_is_no_single_scale_is_left_to_the_inspector(
    stored: QuantizationParameters,
) -> None:
    with pytest.raises(EditError, match=r"Tensor 0 .* inspector"):
        set_scale(PLACE, Tensor(quantization=stored), "0.5")
