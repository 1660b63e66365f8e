# SPDX-License-Identifier: Apache-2.0
"""What people mean when they name a place of a model."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.analysis.place_search import search_places
from tflm_studio.model.address import Address, find_address, parse_address
from tflm_studio.schema.tables import Buffer, Metadata, Model, SubGraph, Tensor

MODEL = ts.load_model_from_file(SAMPLES / "shapes_int8.tflite")


def found(text: str, model: Model = MODEL, subgraph: int = 0) -> list[Address]:
    return search_places(model, text, subgraph)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("subgraphs[0].tensors[5]", "subgraphs[0].tensors[5]"),
        ("subgraphs[0].operators[3].inputs", "subgraphs[0].operators[3]"),
        ("t5", "subgraphs[0].tensors[5]"),
        ("T5", "subgraphs[0].tensors[5]"),
        ("tensor 5", "subgraphs[0].tensors[5]"),
        ("tensors[5]", "subgraphs[0].tensors[5]"),
        ("op 2", "subgraphs[0].operators[2]"),
        ("node 2", "subgraphs[0].operators[2]"),
        ("operator #2", "subgraphs[0].operators[2]"),
        ("Conv2D 2", "subgraphs[0].operators[2]"),
        ("subgraph 0, Conv2D 2", "subgraphs[0].operators[2]"),
        ("buffer 7", "buffers[7]"),
        ("buffers[7].data", "buffers[7]"),
        ("subgraph 0", "subgraphs[0]"),
        ("metadata 0", "metadata[0]"),
        ("min_runtime", "metadata[0]"),
        ("serving_default", "signature_defs[0]"),
        ("Node number 2 (CONV_2D) failed to prepare.", "subgraphs[0].operators[2]"),
        (
            "Node CONV_2D (number 2f) failed to prepare",
            "subgraphs[0].operators[2]",
        ),
        (
            "Didn't find op for builtin opcode 'SOFTMAX' version",
            "subgraphs[0].operators[6]",
        ),
        ("Input tensor 4 lacks data", "subgraphs[0].tensors[4]"),
        ("softmax", "subgraphs[0].operators[6]"),
        ("main", "subgraphs[0]"),
    ],
)
def test_the_first_place_is_the_one_that_is_meant(text: str, place: str) -> None:
    assert found(text)[:1] == [parse_address(place)]


def test_a_number_may_be_each_of_three_things() -> None:
    assert found("3")[:3] == [
        ("subgraphs", 0, "operators", 3),
        ("subgraphs", 0, "tensors", 3),
        ("buffers", 3),
    ]
    assert found("10")[:2] == [("subgraphs", 0, "tensors", 10), ("buffers", 10)]


@pytest.mark.parametrize(
    "text", ["", "  ", "t999", "op 99", "Softmax 2", "tensor 99999999999", "nothing like this"]
)
def test_what_is_not_there_is_not_found(text: str) -> None:
    assert found(text) == []


def test_names_are_found_by_their_words_and_exact_ones_first() -> None:
    tensors = [Tensor(name=name) for name in ("block/conv_1/out", "conv_1", None, "CONV_1/w")]
    model = Model(subgraphs=[SubGraph(tensors=tensors)], metadata=[Metadata("conv_1 info", 0)])
    indices = [place[-1] for place in found("conv_1", model)]
    assert indices == [1, 0, 3, 0]
    assert found("out block", model) == [("subgraphs", 0, "tensors", 0)]


def test_the_shown_subgraph_comes_first() -> None:
    graphs = [SubGraph(tensors=[Tensor(name="same")]) for _ in range(3)]
    model = Model(subgraphs=graphs, buffers=[Buffer()])
    assert [place[1] for place in found("same", model, 1)] == [1, 0, 2]
    assert found("t0", model, 2) == [("subgraphs", 2, "tensors", 0)]
    assert found("subgraph 0, t0", model, 2) == [("subgraphs", 0, "tensors", 0)]


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("tob 12#[].s(") | st.characters(), max_size=16))
def test_anything_can_be_typed(text: str) -> None:
    for model in (MODEL, Model()):
        assert all(find_address(model, place) is not None for place in found(text, model))
