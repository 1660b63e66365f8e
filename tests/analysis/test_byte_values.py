# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import struct

import numpy as np
import pytest

from tflm_studio.analysis import byte_values
from tflm_studio.analysis.byte_values import (
    READINGS,
    find_bytes,
    number_bytes,
    parse_hex,
    read_number,
    wanted_bytes,
)
from tflm_studio.model.errors import EditError

CODES = dict(
    zip("i8 u8 i16 u16 i32 u32 i64 u64 f16 f32 f64".split(), "bBhHiIqQefd", strict=True)
)


def test_numbers_of_every_kind_both_ways_round() -> None:
    data = bytes(np.random.default_rng(2).integers(0, 256, 20).astype(np.uint8))
    for reading in READINGS:
        for is_big in (False, True):
            text = read_number(memoryview(data), 3, reading, is_big_endian=is_big)
            size = reading.kind.bits // 8
            assert number_bytes(text, reading, is_big_endian=is_big) == data[3 : 3 + size]
            if code := CODES.get(reading.name):
                (wanted,) = struct.unpack_from((">" if is_big else "<") + code, data, 3)
                assert float(text) == pytest.approx(wanted, rel=1e-3)
        assert read_number(memoryview(data), 20, reading) == ""
    assert read_number(memoryview(b"\x80\x3f"), 0, READINGS[9]) == "1"  # bfloat16
    assert read_number(memoryview(b"\x05"), 0, READINGS[-1]) == "00000101"


def test_what_is_typed_is_checked() -> None:
    for text, number, reason in (
        ("300", 1, "0 to 255"),
        ("x", 10, "not a number"),
        ("2", -1, "binary"),
    ):
        with pytest.raises(EditError, match=reason):
            number_bytes(text, READINGS[number])


def test_hex_and_texts() -> None:
    for text in (
        "de ad be ef",
        "deadbeef",
        "0xde, 0xad, 0xBE,\n0xef",
        "{0xde,0xad,0xbe,0xef};",
    ):
        assert parse_hex(text) == b"\xde\xad\xbe\xef"
    for text in ("", "abc", "xy", "0x"):
        with pytest.raises(EditError):
            parse_hex(text)
    assert wanted_bytes("conv") == b"conv"
    assert wanted_bytes("'ad'") == b"ad"
    assert wanted_bytes("ad") == b"\xad"


def test_bytes_are_found_across_pieces_and_around_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(byte_values, "SEARCHED_PIECE", 4)
    data = memoryview(b"..abc...abcd..")
    assert find_bytes(data, b"abc", 0) == 2
    assert find_bytes(data, b"abc", 3) == 8
    assert find_bytes(data, b"abc", 9) == 2
    assert find_bytes(data, b"abcd", 0) == 8
    assert find_bytes(data, b"xyz", 0) is None
