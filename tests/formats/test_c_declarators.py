# SPDX-License-Identifier: Apache-2.0
"""Declarations of arrays are told from everything else that stands before a brace."""

from __future__ import annotations

import pytest

from tflm_studio.formats.c_declarators import Declarator, read_declarator


def read(head: bytes) -> Declarator | None:
    return read_declarator(head, 100, frozenset())


@pytest.mark.parametrize(
    ("head", "symbol", "size", "is_byte_type"),
    [
        (b"const unsigned char g_model[] = ", "g_model", None, True),
        (b"alignas(16) const uint8_t m[0x10] PROGMEM = ", "m", 16, True),
        (b"[[maybe_unused]] static byte m[N] = ", "m", None, True),
        (b"std::array<uint8_t, 8> m = ", "m", 8, True),
        (b"Name things[] = ", "things", None, False),
    ],
)
def test_an_array_is_read(
    head: bytes, symbol: str, size: int | None, is_byte_type: bool
) -> None:
    found = read(head)
    assert found is not None
    assert (found.symbol, found.size, found.is_byte_type) == (symbol, size, is_byte_type)
    assert head[found.at - 100 :].startswith(symbol.encode())


@pytest.mark.parametrize(
    "head",
    [
        b"int main(int argc, char* argv[]) ",
        b"const int wide[] = ",
        b"const char* names[] = ",
        b"return table[3] ",
        b"struct Model ",
        b"m[2] = ",
    ],
)
def test_what_is_no_array_of_bytes_is_passed_over(head: bytes) -> None:
    assert read(head) is None


def test_a_comma_goes_on_with_the_words_before_it() -> None:
    found = read_declarator(b", second[] = ", 0, frozenset({b"uint8_t"}))
    assert found is not None
    assert found.is_byte_type
