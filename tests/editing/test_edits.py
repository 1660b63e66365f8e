# SPDX-License-Identifier: Apache-2.0

import math
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import SAMPLES, examples
from tests.editing.random_edits import random_edit
from tflm_studio.editing.edits import Edit, Insert, Move, Remove, Set, WriteBytes
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.model.address import resolve
from tflm_studio.model.errors import EditError
from tflm_studio.schema.enums import Padding
from tflm_studio.schema.tables import (
    AddOptions,
    Buffer,
    Conv2DOptions,
    Model,
    QuantizationParameters,
    Tensor,
)


@pytest.fixture
def model() -> Model:
    return ts.load_model_from_file(SAMPLES / "shapes_int8.tflite")


def place_of(model: Model, text: str) -> Any:
    return resolve(model, Set(text, None).address)


def test_set_gives_a_value_and_the_inverse_takes_it_back(model: Model) -> None:
    place = "subgraphs[0].operators[0].builtin_options.padding"
    before = place_of(model, place)
    inverse = Set(place, "VALID").apply(model)
    assert place_of(model, place) is Padding.VALID
    inverse.apply(model)
    assert place_of(model, place) is before


def test_set_takes_numbers_names_and_unknown_numbers_for_enums(model: Model) -> None:
    place = "subgraphs[0].tensors[0].type"
    for value, kept in (("INT16", 7), (7, 7), (np.int8(9), 9), (100, 100)):
        Set(place, value).apply(model)
        assert place_of(model, place) == kept


def test_floats_are_kept_as_the_file_holds_them(model: Model) -> None:
    place = "subgraphs[0].tensors[0].quantization.scale[0]"
    Set(place, 0.1).apply(model)
    assert place_of(model, place) == float(np.float32(0.1))
    Set(place, math.inf).apply(model)
    assert place_of(model, place) == math.inf


def test_the_caller_keeps_no_handle_on_what_was_set(model: Model) -> None:
    shape, options, raw = [1, 2], Conv2DOptions(stride_w=7), bytearray(b"1234")
    Set("subgraphs[0].tensors[0].shape", shape).apply(model)
    Set("subgraphs[0].operators[0].builtin_options", options).apply(model)
    Set("buffers[1].data", raw).apply(model)
    Set("buffers[2].data", memoryview(raw).toreadonly()).apply(model)
    shape.append(3)
    options.stride_w = 9
    raw[0] = 0
    assert bytes(place_of(model, "buffers[2].data")) == b"1234"
    assert place_of(model, "subgraphs[0].tensors[0].shape") == [1, 2]
    assert place_of(model, "subgraphs[0].operators[0].builtin_options").stride_w == 7
    assert bytes(place_of(model, "buffers[1].data")) == b"1234"


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (Set("version", -1), "0 to 4294967295"),
        (Set("version", 1.5), "whole number"),
        (Set("version", True), "whole number"),
        (Set("version", None), "whole number"),
        (Set("nothing", 1), "no field 'nothing'"),
        (Set("", 1), "does not name a field"),
        (Set("description", b"x"), "takes text"),
        (Set("description", "\ud800"), "character 1"),
        (Set("buffers", [Tensor()]), "takes a Buffer"),
        (Set("buffers", 3), "list of tables"),
        (Set("subgraphs[0].tensors[0].shape", "1"), "list of numbers"),
        (Set("subgraphs[0].tensors[0].shape", [2**31]), "does not fit"),
        (Set("subgraphs[0].tensors[0].type", "INT9"), "not one of"),
        (Set("subgraphs[0].tensors[0].is_variable", 2), "true or false"),
        (Set("subgraphs[0].tensors[0].quantization.scale", [1e39]), "too large"),
        (Set("subgraphs[0].tensors[0].quantization", Buffer()), "takes a Quantization"),
        (Set("subgraphs[0].operators[0].builtin_options", Tensor()), "takes a"),
        (Set("subgraphs[0].inputs[5]", 0), "out of range"),
        (Set("subgraphs[7].name", "x"), "has 1 items"),
        (Set("metadata_buffer[0]", 1), "absent"),
        (Insert("buffers", 99, Buffer()), "out of range"),
        (Insert("buffers", 0, Tensor()), "takes a Buffer"),
        (Insert("metadata_buffer", 0, 1), "absent"),
        (Insert("description", 0, "x"), "not a list"),
        (Remove("buffers", -1), "out of range"),
        (Remove("buffers", 10**9), "out of range"),
        (Move("buffers", 0, 10**9), "out of range"),
        (WriteBytes("buffers[0].data", 0, b"x"), "no bytes|past the end"),
        (WriteBytes("buffers[1].data", 10**9, b"x"), "past the end"),
        (WriteBytes("buffers[1].data", -1, b"x"), "past the end"),
        (WriteBytes("description", 0, b"x"), "no bytes"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    model: Model, edit: Edit, reason: str
) -> None:
    untouched = ts.load_model_from_file(SAMPLES / "shapes_int8.tflite")
    for attempt in (edit.check, edit.apply):
        with pytest.raises(EditError, match=reason):
            attempt(model)
    assert same_content(model, untouched)


def test_a_table_with_an_unsound_field_is_refused_whole(model: Model) -> None:
    wrong = QuantizationParameters(scale=["x"])  # type: ignore[list-item]
    with pytest.raises(EditError, match="number"):
        Set("subgraphs[0].tensors[0].quantization", wrong).apply(model)


@settings(max_examples=examples(60), deadline=None)
@given(st.randoms(use_true_random=False))
def test_any_edits_are_taken_back_in_reverse(random: Random) -> None:
    model = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    untouched = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    inverses = []
    for _ in range(12):
        edit = random_edit(model, random)
        assert edit.describe(model)
        assert edit.cost_bytes > 0
        inverses.append(edit.apply(model))
    for inverse in reversed(inverses):
        inverse.apply(model)
    assert same_content(model, untouched)


@settings(max_examples=examples(40), deadline=None)
@given(st.randoms(use_true_random=False))
def test_an_inverse_of_an_inverse_does_it_again(random: Random) -> None:
    first = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    second = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    edit = random_edit(first, random)
    edit.apply(first).apply(first).apply(first)
    edit.apply(second)
    assert same_content(first, second)


def test_labels_say_what_happens_in_words(model: Model) -> None:
    name = place_of(model, "subgraphs[0].tensors[0].name")
    labels = {
        "Conv2D 0: padding SAME → VALID": Set(
            "subgraphs[0].operators[0].builtin_options.padding", "VALID"
        ),
        f"tensor 0 {name}: scale[0] 0.003921569 → 0.1": Set(
            "subgraphs[0].tensors[0].quantization.scale[0]", 0.1
        ),
        "buffer 1: byte 0 0x{:02x} → 0xff".format(place_of(model, "buffers[1].data")[0]): (
            WriteBytes("buffers[1].data", 0, b"\xff")
        ),
        "buffers: remove item 1": Remove("buffers", 1),
        "Conv2D 0: builtin_options Conv2DOptions → AddOptions": Set(
            "subgraphs[0].operators[0].builtin_options", AddOptions()
        ),
    }
    for label, edit in labels.items():
        assert edit.describe(model) == label
