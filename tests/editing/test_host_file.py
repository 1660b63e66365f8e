# SPDX-License-Identifier: Apache-2.0
"""Documents that are a part of a file: the rest of it stays, whoever changes it."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import IS_THOROUGH, SAMPLES, every
from tflm_studio.editing.edits import Set
from tflm_studio.formats.c_source_reader import choose_model_array
from tflm_studio.formats.c_source_splice import CSource
from tflm_studio.formats.model_file import encode

SINE, FLOAT = ((SAMPLES / f"sine_{kind}.tflite").read_bytes() for kind in ("int8", "float"))
LONGER = Set("description", "longer than it was before " * 9)


def array(name: str, data: bytes) -> str:
    return f"alignas(16) const unsigned char {name}[] = {{{', '.join(map(str, data))}}};\n"


@pytest.fixture
def two(tmp_path: Path) -> Path:
    path = tmp_path / "two.cc"
    lengths = f"const int g_m_len = {len(SINE)};\nconst int g_m2_len = {len(SINE)};\n"
    path.write_text(array("g_m", SINE) + "// between\n" + array("g_m2", SINE) + lengths)
    return path


def test_saving_one_model_of_a_file_keeps_the_other(two: Path) -> None:
    text = two.read_bytes()
    first, second = (ts.Document.open(two, name) for name in ("g_m", "g_m2"))
    first.do(LONGER)
    second.do(Set("description", "short"))
    first.save()
    assert not second.changed_on_disk()
    second.save()
    first.do(Set("version", 7))
    first.save()
    again = [ts.Document.open(two, name) for name in ("g_m", "g_m2")]
    assert [each.model.description for each in again] == [LONGER.value, "short"]
    assert [each.model.version for each in again] == [7, 3]
    lengths = [len(encode(each.model).tobytes()) for each in again]
    assert two.read_text().endswith(
        f"const int g_m_len = {lengths[0]};\nconst int g_m2_len = {lengths[1]};\n"
    )
    assert b"// between\n" in two.read_bytes()
    for each in (second, first):
        while each.history.can_undo:
            each.undo()
        each.save()
    assert two.read_bytes() == text


def test_a_model_that_another_program_changed_is_not_lost(two: Path) -> None:
    here, other = ts.Document.open(two, "g_m"), ts.Document.open(two, "g_m")
    other.do(LONGER)
    other.save()
    here.do(Set("version", 7))
    assert here.changed_on_disk()
    with pytest.raises(ts.FileChangedError, match="another program"):
        here.save()
    assert ts.Document.open(two, "g_m").model.description == LONGER.value


def test_code_around_a_model_that_an_editor_changed_is_kept(two: Path) -> None:
    document = ts.Document.open(two, "g_m")
    document.do(LONGER)
    two.write_text("// a line more\n" + two.read_text().replace("alignas(16)", "alignas(32)"))
    document.save()
    text = two.read_text()
    assert text.startswith("// a line more\n")
    assert text.count("alignas(32)") == 2
    assert ts.Document.open(two, "g_m").model.description == LONGER.value
    two.write_text("int nothing;\n")
    assert document.changed_on_disk()


@pytest.mark.parametrize("name", ["m.h", "other.h"])
def test_the_length_in_a_header_beside_the_source_follows(tmp_path: Path, name: str) -> None:
    path, header = tmp_path / "m.cc", tmp_path / name
    path.write_text(f'#include "sub/{name}"\n' + array("g_model", FLOAT))
    text = (
        f"#define OTHER {len(FLOAT)}\nextern const unsigned char g_model[{len(FLOAT)}];\n"
        f"#define G_MODEL_SIZE {len(FLOAT):#x}\n"
    )
    header.write_text(text)
    (tmp_path / "unrelated.h").write_text(text)
    source = path.read_bytes()
    document = ts.Document.open(path)
    document.save()
    assert (path.read_bytes(), header.read_text()) == (source, text)
    for _ in range(2):
        document.do(Set("description", (document.model.description or "") + "longer " * 50))
        document.save()
        size = len(encode(document.model).tobytes())
        assert header.read_text() == (
            f"#define OTHER {len(FLOAT)}\nextern const unsigned char g_model[{size}];\n"
            f"#define G_MODEL_SIZE {size:#x}\n"
        )
    assert (tmp_path / "unrelated.h").read_text() == text
    document.go_to(0)
    document.save()
    assert (path.read_bytes(), header.read_text()) == (source, text)


def test_real_sources_change_only_in_the_array_and_its_length(
    models_folder: Path, tmp_path: Path
) -> None:
    with (models_folder / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "c-array"]
    holding = [row["path"] for row in rows if row["subgraphs"]]
    assert len(holding) > 20
    holding.sort(key=lambda name: (models_folder / name).stat().st_size)
    for name in every(4, holding[:-6]) if not IS_THOROUGH else holding:
        path = tmp_path / Path(name).name
        before = (models_folder / name).read_bytes()
        path.write_bytes(before)
        document = ts.Document.open(path)
        document.save()
        assert path.read_bytes() == before, name
        document.do(LONGER)
        document.save()
        after = path.read_bytes()
        old, new = (choose_model_array(text, name) for text in (before, after))
        assert len(new.data) != len(old.data)
        around = (
            re.split(rb"(\d+)", text[: array.start] + text[array.end :])
            for text, array in ((before, old), (after, new))
        )
        sizes = tuple(b"%d" % len(array.data) for array in (old, new))
        pairs = set(zip(*around, strict=True))
        assert {pair for pair in pairs if pair[0] != pair[1]} <= {sizes}, name
        lines = [
            text[a.start : a.end].split(b"\n") for text, a in ((before, old), (after, new))
        ]
        widths = [[line.count(b",") for line in each[1:3]] for each in lines]
        assert widths[0] == widths[1], name
        document.undo()
        document.save()
        assert path.read_bytes() == before, name


def test_a_saved_source_is_not_read_again_by_the_window(
    two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = ts.Document.open(two, "g_m")
    document.do(LONGER)
    document.write(two)  # what a thread does

    def refuse(*_: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(CSource, "data_in", refuse)
        document.note_saved(two)
    assert not document.changed_on_disk()
    two.write_text(two.read_text() + "// more\n")
    assert not document.changed_on_disk()
    ts.Document.open(two, "g_m").save()
    two.write_bytes(two.read_bytes().replace(b"{28,", b"{29,", 1))
    assert document.changed_on_disk()
