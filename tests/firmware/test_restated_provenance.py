# SPDX-License-Identifier: Apache-2.0
"""What our exports say of a model stays true when the source is edited and saved."""

from __future__ import annotations

import re
import time
from hashlib import sha256
from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.editing.edits import Set
from tflm_studio.firmware.source_export import export_model
from tflm_studio.firmware.source_options import Provenance, SourceOptions
from tflm_studio.firmware.source_styles import STYLES, SourceStyle
from tflm_studio.formats.c_source_reader import choose_model_array
from tflm_studio.formats.c_source_splice import C_SUFFIXES
from tflm_studio.formats.provenance_comment import restated

SAMPLE = SAMPLES / "sine_int8.tflite"
LONGER = Set("description", "longer than it was before " * 9)
SAME_SIZE = Set("version", 7)
HOLDING = [
    style for style in STYLES if "form" in style.uses and C_SUFFIXES & set(style.suffixes)
]
BLOCK = """/*
 * Model: net.tflite, {} bytes
 * SHA-256: {}
 * Made by TFLM Studio.
 */
"""


def _told(data: bytes) -> str:
    return BLOCK.format(len(data), sha256(data).hexdigest())


def _array(name: str, data: bytes) -> str:
    return f"const unsigned char {name}[] = {{{', '.join(map(str, data))}}};\n"


def _around(text: bytes) -> bytes:
    """A source without the values of its array."""
    array = choose_model_array(text, "source")
    return text[: array.start] + text[array.end :]


@pytest.mark.parametrize("style", HOLDING, ids=lambda style: style.name)
@pytest.mark.parametrize("change", [LONGER, SAME_SIZE], ids=["longer", "same size"])
def test_the_comment_of_every_style_follows(
    style: SourceStyle, change: Set, tmp_path: Path
) -> None:
    model, data = ts.load_model_from_file(SAMPLE), SAMPLE.read_bytes()
    options = SourceOptions(provenance=Provenance("net.tflite", date="2026-01-02"))
    paths = export_model(model, tmp_path / f"net{style.suffixes[0]}", style.name, options)
    before = [path.read_bytes() for path in paths]
    holding = next(k for k, text in enumerate(before) if b"0x1c" in text)
    document = ts.Document.open(paths[holding])
    document.do(change)
    document.save()
    after = [path.read_bytes() for path in paths]
    new = choose_model_array(after[holding], "after").data
    assert new != data
    old_digest, digest = (sha256(each).hexdigest().encode() for each in (data, new))
    for k, (was, text) in enumerate(zip(before, after, strict=True)):
        plain = (_around(was), _around(text)) if k == holding else (was, text)
        size = re.compile(rb"\b%d\b" % len(data))
        wanted = plain[0].replace(old_digest, digest)
        assert plain[1] == size.sub(b"%d" % len(new), wanted)
        assert digest in plain[1]
    document.undo()
    document.save()
    assert [path.read_bytes() for path in paths] == before


def test_the_line_of_a_converted_model_follows(tmp_path: Path) -> None:
    path = tmp_path / "net.cc"
    ts.save_model_to_file(ts.load_model_from_file(SAMPLE), path)
    assert path.read_text().startswith(
        f"/* A TensorFlow Lite model of {SAMPLE.stat().st_size}"
    )
    document = ts.Document.open(path)
    document.do(LONGER)
    document.save()
    size = len(choose_model_array(path.read_bytes(), "net.cc").data)
    for each in (path, path.with_suffix(".h")):
        first = f"/* A TensorFlow Lite model of {size} bytes. Made by TFLM Studio. */\n"
        assert each.read_text().startswith(first)


def test_other_comments_stay(tmp_path: Path) -> None:
    data, path = SAMPLE.read_bytes(), tmp_path / "net.cc"
    true = _told(data)
    others = (
        true.replace("Made by TFLM Studio", "Made by someone")
        + true.replace("SHA-256: ", "SHA-256: f" if true[60] != "f" else "SHA-256: 0")
        + BLOCK.format(len(data), "0" * 64)  # of what was another model already
        + true.replace(f"{len(data)} bytes", f"{len(data) + 1} bytes")
        + true.replace(" * Model", " * My model")
        + f"// SHA-256: {sha256(data).hexdigest()} Made by TFLM Studio.\n"
        + 'const char *by = "Made by TFLM Studio.";\n'
    )
    path.write_text(others + true + _array("g_net", data))
    document = ts.Document.open(path)
    document.do(SAME_SIZE)
    document.save()
    new = choose_model_array(path.read_bytes(), "net.cc").data
    assert path.read_text() == others + _told(new) + _array("g_net", new)


def test_each_comment_tells_of_the_array_behind_it(tmp_path: Path) -> None:
    data, path = SAMPLE.read_bytes(), tmp_path / "two.cc"
    told = _told(data)
    path.write_text(told + _array("a", data) + told + _array("b", data), newline="\r\n")
    document = ts.Document.open(path, "b")
    document.do(SAME_SIZE)
    document.save()
    text = path.read_bytes().decode()
    new = choose_model_array(text.encode(), "two.cc", "b").data
    lines = told + _array("a", data) + _told(new) + _array("b", new)
    assert text == lines.replace("\n", "\r\n")


def test_a_mark_between_the_values_is_left_alone(tmp_path: Path) -> None:
    data, path = SAMPLE.read_bytes(), tmp_path / "net.cc"
    inside = _array("g_net", data).replace("{", "{" + _told(data))
    path.write_text(inside)
    document = ts.Document.open(path)
    document.do(SAME_SIZE)
    document.save()
    assert _told(data) in path.read_text()


@pytest.mark.parametrize("around", ["// {}", 'const char *told = "{}";', "int x; {}"])
def test_only_a_comment_at_the_beginning_of_a_line_is_ours(
    around: str, tmp_path: Path
) -> None:
    data, source = SAMPLE.read_bytes(), tmp_path / "net.c"
    said = f"/* A TensorFlow Lite model of {len(data)} bytes. Made by TFLM Studio. */"
    source.write_text(f"{around.format(said)}\n{_array('net', data)}")
    document = ts.Document.open(source)
    document.do(LONGER)
    document.save()
    assert said in source.read_text()


def test_a_mark_of_the_byte_order_may_stand_before_it(tmp_path: Path) -> None:
    data, source = SAMPLE.read_bytes(), tmp_path / "net.c"
    source.write_text(f"\ufeff{_told(data)}{_array('net', data)}", "utf-8")
    document = ts.Document.open(source)
    document.do(LONGER)
    document.save()
    new = choose_model_array(source.read_bytes(), "after").data
    assert _told(new) in source.read_text("utf-8")


def test_many_marks_and_arrays_take_no_quadratic_time() -> None:
    line = b"/* A TensorFlow Lite model of 4 bytes. Made by TFLM Studio. */\n"
    text = line * 10_000
    arrays = [(len(text) + k, len(text) + k + 1, k == 0) for k in range(10_000)]
    start = time.perf_counter()
    assert len(restated(text, bytes(4), bytes(5), arrays)) == 10_000
    assert time.perf_counter() - start < 2
