# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from flatbuffers import flexbuffers
from flatbuffers.flexbuffers import Type
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import examples, readable_models
from tflm_studio.formats.flex_options import (
    FlexNode,
    number_type,
    read_flex,
    with_value,
    write_flex,
)
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.errors import EditError

KEYS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, width=32)
    | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
@settings(max_examples=examples(60))
def test_whatever_the_official_writer_writes_is_read_and_written_back(value: object) -> None:
    data = bytes(flexbuffers.Dumps(value))
    if len(data) < 3:
        return
    node = read_flex(data)
    assert with_value(data, node) == data
    assert flexbuffers.Loads(write_flex(node)) == flexbuffers.Loads(data)


def test_values_change_and_keys_come_and_go() -> None:
    data = bytes(flexbuffers.Dumps({"T": 7, "fft_length": 512}))
    node = read_flex(data)
    assert [item.key for item in node.items] == ["T", "fft_length"]
    node.items[1].value = 1024
    node.items.append(FlexNode(Type.STRING, "ümlaut", key="aa"))
    changed = with_value(data, node)
    # Maps are sorted by key, whatever the order was in which keys were added.
    assert list(flexbuffers.Loads(changed).items()) == [
        ("T", 7),
        ("aa", "ümlaut"),
        ("fft_length", 1024),
    ]
    node.items[0].key = "aa"
    with pytest.raises(EditError, match="'aa' is there twice"):
        write_flex(node)
    node.items[0] = FlexNode(Type.FLOAT, 1e300, key="b")
    assert flexbuffers.Loads(write_flex(node))["b"] == 1e300
    node.items[0] = FlexNode(Type.INT, 2**64, key="b")
    with pytest.raises(EditError, match="cannot be written"):
        write_flex(node)
    node.items[0] = FlexNode(Type.INT, 1, key="ü")
    with pytest.raises(EditError, match="cannot be written"):
        write_flex(node)


def test_typed_vectors_keep_their_type() -> None:
    builder = flexbuffers.Builder()
    with builder.Map():
        builder.TypedVectorFromElements("numbers", [1, 2, 300])
        builder.FixedTypedVectorFromElements("pair", [0.5, 0.25])
        builder.UInt("wide", 2**64 - 1)
        builder.IndirectInt("far", -5)
    data = bytes(builder.Finish())
    node = read_flex(data)
    kinds = {item.key: item.type for item in node.items}
    assert kinds == {
        "numbers": Type.VECTOR_INT,
        "pair": Type.VECTOR_FLOAT2,
        "wide": Type.UINT,
        "far": Type.INDIRECT_INT,
    }
    assert number_type(Type.VECTOR_FLOAT2) is Type.FLOAT
    assert number_type(Type.INDIRECT_INT) is Type.INT
    assert number_type(Type.STRING) is None
    node.items[1].value = [1, 2, -3, 4]
    again = read_flex(write_flex(node))
    assert [item.type for item in again.items] == [item.type for item in node.items]
    assert again.items[1].value == [1, 2, -3, 4]


@pytest.mark.parametrize(
    "data", [b"", b"ab", b"\x00" * 2_000_000, b"\x01\x28\x01", b"\xff" * 9]
)
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(EditError, match="no flexbuffer"):
        read_flex(data)


def test_damaged_bytes_are_read_or_refused(models_folder: Path) -> None:
    random, found = Random(3), []
    for path in readable_models(models_folder):
        model = load_model_from_file(path)
        for subgraph in model.subgraphs or []:
            for operator in subgraph.operators or []:
                data = operator.custom_options
                if data is not None and 3 <= len(data) < 4000:
                    found.append(bytes(data))
    sound = 0
    for data in found:
        try:
            assert with_value(data, read_flex(data)) == data
            sound += 1
        except EditError:
            pass
    assert sound > len(found) // 2
    for _ in range(1500):
        damaged = bytearray(random.choice(found))
        for _ in range(random.randrange(1, 4)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        try:
            read_flex(bytes(damaged))
        except EditError:
            continue
