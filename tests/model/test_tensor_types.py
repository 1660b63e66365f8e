# SPDX-License-Identifier: Apache-2.0

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import (
    ELEMENT_TYPES,
    checked_value,
    decode,
    element_patch,
    element_type,
    encode,
    format_value,
    parse_value,
)
from tflm_studio.schema.enums import TensorType

INTEGERS = [kind for kind in ELEMENT_TYPES.values() if kind.kind == "integer"]
FLOATS = [kind for kind in ELEMENT_TYPES.values() if kind.kind == "float"]


def test_every_type_of_the_schema_is_known() -> None:
    assert {int(kind) for kind in TensorType} == set(map(int, ELEMENT_TYPES))
    assert element_type(99).name == "type 99"
    assert element_type(99).kind == "opaque"


def test_packed_types_put_the_first_element_in_the_lowest_bits() -> None:
    int4, int2 = element_type(TensorType.INT4), element_type(TensorType.INT2)
    assert decode(b"\x21\x8f", int4).tolist() == [1, 2, -1, -8]
    assert decode(b"\xe4", int2).tolist() == [0, 1, -2, -1]
    assert decode(b"\x21", element_type(TensorType.UINT4)).tolist() == [1, 2]
    assert decode(b"\x21\x8f", int4, 1, 2).tolist() == [2, -1]
    assert (int4.nbytes(3), int4.nbytes(4), int2.nbytes(5)) == (2, 2, 2)


@given(st.data())
def test_integers_come_back(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(INTEGERS))
    values = data.draw(st.lists(st.integers(kind.low, kind.high), min_size=1, max_size=40))
    array = np.array(values, object if kind.bits == 64 else np.int64)
    raw = encode(array, kind)
    assert len(raw) == kind.nbytes(len(values))
    assert decode(raw, kind, 0, len(values)).tolist() == values


@given(st.data())
def test_one_element_changes_alone(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(INTEGERS))
    buffer = bytearray(data.draw(st.binary(min_size=8, max_size=24)))
    before = decode(bytes(buffer), kind).tolist()
    index = data.draw(st.integers(0, kind.count(len(buffer)) - 1))
    value = data.draw(st.integers(kind.low, kind.high))
    offset, raw = element_patch(bytes(buffer), kind, index, value)
    buffer[offset : offset + len(raw)] = raw
    before[index] = value
    assert decode(bytes(buffer), kind).tolist() == before


@pytest.mark.parametrize("kind", FLOATS, ids=lambda kind: kind.name)
def test_every_small_float_comes_back(kind) -> None:  # type: ignore[no-untyped-def]
    count = min(1 << kind.bits, 1 << 16)
    raw = np.arange(count, dtype=f"<u{kind.bits // 8}").tobytes()
    values = decode(raw, kind)
    again = np.frombuffer(encode(values, kind), f"<u{kind.bits // 8}")
    assert ((again == np.arange(count)) | np.isnan(values)).all()


def test_bfloat16_is_the_upper_half_of_a_float32() -> None:
    kind = element_type(TensorType.BFLOAT16)
    upper = struct.pack("<f", 1.5)[2:]
    assert decode(upper, kind).tolist() == [1.5]
    assert encode([1.5], kind) == upper


def test_strings_and_resources_are_not_edited_one_by_one() -> None:
    for name in (TensorType.STRING, TensorType.VARIANT, TensorType.RESOURCE):
        with pytest.raises(EditError, match="one by one"):
            element_patch(bytes(16), element_type(name), 0, 1)


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (TensorType.INT8, "-128", -128),
        (TensorType.INT8, "0x7f", 127),
        (TensorType.INT8, "\N{MINUS SIGN}3", -3),
        (TensorType.INT8, "2.0", 2),
        (TensorType.INT8, "007", 7),
        (TensorType.UINT64, str(2**64 - 1), 2**64 - 1),
        (TensorType.INT64, str(2**63 - 1), 2**63 - 1),
        (TensorType.BOOL, "true", True),
        (TensorType.FLOAT32, "0.1", float(np.float32(0.1))),
        (TensorType.FLOAT32, "-inf", -math.inf),
        (TensorType.COMPLEX64, "1+2j", 1 + 2j),
    ],
)
def test_typed_text_is_read(kind: TensorType, text: str, value: object) -> None:
    assert parse_value(text, element_type(kind)) == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (TensorType.INT8, "128", "-128 to 127"),
        (TensorType.INT8, "1.5", "whole number"),
        (TensorType.INT8, "", "whole number"),
        (TensorType.INT8, "inf", "whole number"),
        (TensorType.INT2, "2", "-2 to 1"),
        (TensorType.FLOAT16, "1e9", "does not fit float16"),
        (TensorType.FLOAT8_E4M3FN, "1000", "does not fit"),
        (TensorType.FLOAT32, "x", "not a number"),
        (TensorType.BOOL, "2", "true or false"),
    ],
)
def test_what_does_not_fit_is_refused(kind: TensorType, text: str, reason: str) -> None:
    with pytest.raises(EditError, match=reason):
        parse_value(text, element_type(kind))


@given(st.floats(width=32))
def test_float32_is_written_in_the_shortest_form_that_reads_back(value: float) -> None:
    kind = element_type(TensorType.FLOAT32)
    text = format_value(np.float32(value), kind)
    assert np.float32(float(text)).tobytes() == np.float32(value).tobytes() or math.isnan(
        value
    )
    assert len(text) <= len(repr(value))


def test_a_bool_is_no_integer() -> None:
    with pytest.raises(EditError):
        checked_value(True, element_type(TensorType.INT8))
