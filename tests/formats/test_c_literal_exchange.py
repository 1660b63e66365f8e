# SPDX-License-Identifier: Apache-2.0

from time import perf_counter

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import examples
from tflm_studio.formats.c_literal_exchange import exchanged

SPELLINGS = ("0x%02x", "0x%02X", "0X%02X", "0x%x", "%d")
GAPS = (",", ", ", ",\n  ", " , ", ",\r\n\t")


@settings(max_examples=examples(60))
@given(st.data())
def test_numbers_alone_are_exchanged_as_among_comments(data: st.DataObject) -> None:
    old = data.draw(st.binary(min_size=1, max_size=30))
    new = data.draw(st.binary(min_size=len(old), max_size=len(old)))
    spelled = data.draw(
        st.lists(st.sampled_from(SPELLINGS), min_size=len(old), max_size=len(old))
    )
    gaps = data.draw(st.lists(st.sampled_from(GAPS), min_size=len(old), max_size=len(old)))
    text = "\n".join(
        ["", "".join(s % v + g for s, v, g in zip(spelled, old, gaps, strict=True))]
    )
    if data.draw(st.booleans()):
        text = text.rstrip(", \r\n\t") + "\n"
    note = "/* a note */"
    plain = exchanged(text.encode(), old, new)
    among = exchanged((note + text).encode(), old, new)  # reads every word
    assert plain is not None
    assert among == note.encode() + plain
    values = [int(v, 0) for v in plain.decode().replace(",", " ").split()]
    assert bytes(values) == new


def test_numbers_that_are_not_plain_are_left_to_others() -> None:
    for text in (b"1, 010, 3", b"-1, 2, 3", b"1, 2", b"1 + 1, 2, 3", b"'a', 2, 3"):
        assert exchanged(text, bytes([1, 8, 3]), bytes([1, 9, 3])) is None
    assert exchanged(b"1u, 8, 0x3", bytes([1, 8, 3]), bytes([2, 8, 15])) == b"2u, 8, 0xf"
    assert exchanged(b"", b"", b"") == b""


def test_many_bytes_are_exchanged_at_once() -> None:
    old = bytes(range(256)) * 128
    text = "".join(
        f"0x{value:02x},{'//' * (k % 9 == 0)}\n" for k, value in enumerate(old)
    ).encode()
    new = old[1:] + old[:1]
    taken = []
    for given_text in (text, text.replace(b"0x00", b"0x00u", 1)):
        start = perf_counter()
        found = exchanged(given_text, old, new)
        taken.append(perf_counter() - start)
        assert found is not None
        assert bytes(int(line[2:4], 16) for line in found.split()) == new
        assert len(found) == len(given_text)
    assert taken[0] < taken[1] / 2
