# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import math

import pytest
from flatbuffers import flexbuffers
from flatbuffers.flexbuffers import Type
from hypothesis import given, settings
from hypothesis import strategies as st

from tflm_studio.editing.flex_tree import (
    TYPES,
    add_entry,
    duplicate_entry,
    find_tree,
    reads_by_position,
    remove_entry,
    rename,
    retype,
    tree_bytes,
    tree_lines,
)
from tflm_studio.editing.flex_values import (
    is_editable,
    read_value,
    type_name,
    value_text,
)
from tflm_studio.formats.flex_options import FlexNode, read_flex, write_flex
from tflm_studio.model.errors import EditError

# The official writer, which makes the samples here, fails at what only a double can hold.
SCALARS = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, width=32)
    | st.text(max_size=9)
    | st.binary(max_size=9)
)


def nodes(node: FlexNode) -> list[FlexNode]:
    return [node, *(each for item in node.items for each in nodes(item))]


@given(SCALARS)
@settings(max_examples=80)
def test_a_value_is_read_back_from_its_text(value: object) -> None:
    node = read_flex(bytes(flexbuffers.Dumps([value])))
    item = node.items[0] if node.items else FlexNode(node.type, node.value)
    assert repr(read_value(item.type, value_text(item))) == repr(item.value)


@given(st.floats(allow_subnormal=False))
@settings(max_examples=60)
def test_any_double_is_read_back_from_its_text(value: float) -> None:
    text = value_text(FlexNode(Type.FLOAT, value))
    again = read_value(Type.FLOAT, text)
    assert math.isclose(again, value, rel_tol=1e-7) or math.isnan(value)


@given(
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4), max_leaves=6), st.data()
)
@settings(max_examples=80)
def test_whatever_gets_another_type_can_be_written(value: object, data: st.DataObject) -> None:
    node = read_flex(bytes(flexbuffers.Dumps({"a": value, "b": 1})))
    for _ in range(4):
        retype(data.draw(st.sampled_from(nodes(node))), data.draw(st.sampled_from(TYPES)))
    again = read_flex(write_flex(node))
    assert [n.type for n in nodes(again)] == [n.type for n in nodes(node)]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Type.INT, "0x10", 16),
        (Type.UINT, str(2**64 - 1), 2**64 - 1),
        (Type.BOOL, "True", True),
        (Type.STRING, "a\\nb\\\\", "a\nb\\"),
        (Type.VECTOR_INT, "1, 2 -3", [1, 2, -3]),
        (Type.VECTOR_FLOAT2, "1 2.5", [1.0, 2.5]),
        (Type.VECTOR_BOOL, "true false", [True, False]),
        (Type.BLOB, "00 ff", b"\x00\xff"),
    ],
)
def test_values_are_typed(kind: Type, text: str, value: object) -> None:
    assert read_value(kind, text) == value


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        (Type.INT, str(2**63), "out of range: -9223372036854775808 to 9223372036854775807"),
        (Type.UINT, "-1", "out of range: 0 to 18446744073709551615"),
        (Type.INT, "1.5", "not a whole number"),
        (Type.FLOAT, "x", "not a number"),
        (Type.BOOL, "2", "neither true nor false"),
        (Type.BLOB, "0", "not hexadecimal"),
        (Type.KEY, "ü", "printable ASCII"),
        (Type.STRING, "a\\", "means nothing"),
        (Type.VECTOR_INT3, "1 2", "3 ints are wanted, not 2"),
        (Type.VECTOR_UINT, "1 -1", "out of range"),
    ],
)
def test_what_a_type_cannot_hold_is_refused(kind: Type, text: str, why: str) -> None:
    with pytest.raises(EditError, match=why):
        read_value(kind, text)


def test_entries_come_and_go_and_stay_sorted() -> None:
    data = bytes(flexbuffers.Dumps({"b": 2, "d": [1.5, 2]}))
    root = read_flex(data)
    assert tree_bytes(data, root) == data
    made = add_entry(root)
    rename(root, made, "a")
    copy = duplicate_entry(root, root.items[1])
    assert [item.key for item in root.items] == ["a", "b", "b_1", "d"]
    with pytest.raises(EditError, match="another entry with the key 'b'"):
        rename(root, copy, "b")
    with pytest.raises(EditError, match="at least one"):
        rename(root, copy, "")
    rename(root, copy, "z")
    remove_entry(root, root.items[1])
    add_entry(root.items[1])
    assert flexbuffers.Loads(tree_bytes(data, root)) == {"a": 0, "d": [1.5, 2, 2], "z": 2}


def test_bytes_that_are_no_flexbuffer_have_no_tree() -> None:
    assert find_tree(b"") is None
    assert find_tree(bytes(40)) is None  # would be the number nothing
    assert find_tree(bytes(flexbuffers.Dumps(5))) is not None
    root = FlexNode(Type.MAP)
    rename(root, add_entry(root), "shift")
    assert flexbuffers.Loads(tree_bytes(b"", root)) == {"shift": 0}


def test_a_tree_is_told_in_lines() -> None:
    root = read_flex(bytes(flexbuffers.Dumps({"T": 7, "v": [{"x": 0.1}, "s"]})))
    assert tree_lines(root, 9) == [
        "T: 7",
        "v: vector",
        "   0: map",
        "      x: 0.1",
        "   1: s",
    ]
    assert tree_lines(root, 2) == ["T: 7", "v: vector", "…"]


def test_types_have_names() -> None:
    assert type_name(Type.VECTOR_INT) == "vector of int"
    assert type_name(Type.VECTOR_FLOAT3) == "3 floats"
    assert type_name(Type.INDIRECT_UINT) == "indirect uint"
    assert not is_editable(FlexNode(Type.VECTOR_KEY, ["a"]))


def test_kernels_that_read_by_position_are_known() -> None:
    assert reads_by_position("SignalRfft")
    assert reads_by_position("CIRCULAR_BUFFER")
    assert not reads_by_position("TFLite_Detection_PostProcess")
    assert not reads_by_position(None)
