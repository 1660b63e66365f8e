# SPDX-License-Identifier: Apache-2.0

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.model.address import format_address, parse_address, resolve
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import name_place, thing_at

STEPS = st.one_of(
    st.from_regex(r"[a-z_][a-z0-9_]{0,9}", fullmatch=True), st.integers(0, 10**6)
)


@given(st.lists(STEPS, max_size=8))
def test_addresses_read_back(steps: list[str | int]) -> None:
    address = ("model_field", *steps)
    assert parse_address(format_address(address)) == address


@pytest.mark.parametrize("text", [".a", "a..b", "a[", "a[x]", "a b", "a[-1]", "a.", "a]"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(EditError, match="not an address"):
        parse_address(text)


def test_nothing_there_says_how_far_it_leads() -> None:
    model = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    with pytest.raises(EditError, match="has 3 items"):
        resolve(model, parse_address("subgraphs[0].operators[9].inputs"))
    with pytest.raises(EditError, match="no field 'colour'"):
        resolve(model, parse_address("subgraphs[0].colour"))
    with pytest.raises(EditError, match="is absent"):
        resolve(model, parse_address("metadata_buffer[0]"))


@pytest.mark.parametrize(
    "text",
    [
        "subgraphs[0].operators.append",
        "subgraphs[0].__class__",
        "FIELDS[0]",
        "description[0]",
        "extra",
        "buffers[0].data[0]",
    ],
)
def test_only_fields_of_the_schema_are_places(text: str) -> None:
    model = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    with pytest.raises(EditError):
        resolve(model, parse_address(text))
    with pytest.raises(EditError):
        resolve(model, ("buffers", -1))


def test_places_have_names() -> None:
    model = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    names = {
        "subgraphs[0].operators[1].builtin_options.keep_num_dims": (
            "FullyConnected 1: keep_num_dims"
        ),
        "subgraphs[0].tensors[0].quantization.scale[0]": "tensor 0 x: scale[0]",
        "buffers[2].data": "buffer 2",
        "description": "description",
        "metadata[0].name": "metadata 'min_runtime_version': name",
        "subgraphs[0].inputs[0]": "subgraph 0: inputs[0]",
    }
    for text, name in names.items():
        assert name_place(model, parse_address(text)) == name


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("", ""),
        ("description", ""),
        ("subgraphs", ""),
        ("subgraphs[0]", "subgraphs[0]"),
        ("subgraphs[0].operators", "subgraphs[0]"),
        ("subgraphs[0].inputs[3]", "subgraphs[0]"),
        ("subgraphs[0].tensors[3].quantization.scale[0]", "subgraphs[0].tensors[3]"),
        ("buffers[3].data", "buffers[3]"),
    ],
)
def test_a_place_belongs_to_a_thing(text: str, thing: str) -> None:
    assert thing_at(parse_address(text)) == parse_address(thing)
