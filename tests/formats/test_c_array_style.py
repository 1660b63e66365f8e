# SPDX-License-Identifier: Apache-2.0
"""An array that gets another length is written in its own style."""

from __future__ import annotations

import pytest

from tests.formats.test_c_source import MODEL, STYLES
from tflm_studio.formats.c_array_style import SAMPLE_BYTES, array_style
from tflm_studio.formats.c_source_reader import choose_model_array
from tflm_studio.formats.c_source_splice import CSource, spliced
from tflm_studio.formats.c_source_writer import CSourceStyle, c_source_chunks


@pytest.mark.parametrize("style", STYLES)
def test_an_array_of_any_style_grows(style: str, tmp_path: object) -> None:
    text = STYLES[style].encode()
    array = choose_model_array(text, "m.cc")
    longer = MODEL + b"\x01\x02\xc8"
    grown = spliced(CSource("m.cc", text, "m", array.data), longer)  # type: ignore[arg-type]
    again = choose_model_array(grown, "m.cc")
    assert again.data == longer
    ends = len(text) - array.end, len(grown) - again.end
    assert text[: array.start].startswith(grown[: again.start - 10])
    assert ends[0] <= ends[1] <= ends[0] + 1  # the length may have got a digit more


BODIES = {
    "hex": b"\n  0x1c, 0x00,\n  0x0a, 0xff\n",
    "tabs and commas behind": b"\r\n\t0X1C,0X00,\r\n\t0X0A,0XFF,\r\n",
    "short and on one line": b"0x1c,0x0,0xa,0xff,",
    "decimal with suffixes": b" 28u, 0u,\n 10u, 255u ",
    "signed": b"28, 0, 10, - 1",
    "comma first": b"\n  28\n, 0\n, 10\n, 255\n",
}


@pytest.mark.parametrize("name", BODIES)
def test_the_same_bytes_give_the_same_text(name: str) -> None:
    body = BODIES[name]
    written = array_style(body).body(bytes([28, 0, 10, 255]))
    assert written == body.replace(b"- 1", b"-1")


@pytest.mark.parametrize("name", BODIES)
def test_many_lines_are_as_few_would_be(name: str) -> None:
    style = array_style(BODIES[name])
    data = bytes(range(256)) * 3 + b"\x07"
    values = [style.spellings[byte] for byte in data]
    step = style.per_line or len(data)
    lines = [style.separator.join(values[k : k + step]) for k in range(0, len(data), step)]
    assert style.body(data) == style.lead + style.line_break.join(lines) + style.tail
    assert style.body(b"\x00") == style.lead + values[0] + style.tail


@pytest.mark.parametrize("gap", [0, 1, 2, 3, 4, 5])
def test_a_number_at_the_end_of_the_sample_is_not_cut(gap: int) -> None:
    body = b" " * gap + b", ".join([b"0x0a"] * (SAMPLE_BYTES // 5))
    assert array_style(body).body(b"\x0a\x00") == b" " * gap + b"0x0a, 0x00"


def test_a_comment_in_the_array_does_not_become_its_style() -> None:
    body = (
        b"// begin\n 0x1c, 0x00, // 0x99,\n 0x0a, 0xff, /* 1, 2 */\n"
        b" 0x01, 0x02,\n 0x03, 0x04\n"
    )
    written = array_style(body).body(bytes(6))
    assert written == b"// begin\n 0x00, 0x00,\n 0x00, 0x00,\n 0x00, 0x00\n"


def test_what_we_write_is_written_fast_again() -> None:
    style = CSourceStyle("g_m", bytes_per_line=9)
    model = MODEL * 40
    text = b"".join(c_source_chunks([model], len(model), style))
    longer = model + b"end"
    grown = spliced(CSource("m.cc", text, "g_m", model), longer)  # type: ignore[arg-type]
    expected = b"".join(c_source_chunks([longer], len(longer), style))
    assert grown == expected
