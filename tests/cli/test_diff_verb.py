# SPDX-License-Identifier: Apache-2.0
"""`diff` answers with its exit code, as diff(1) does."""

import json
from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.__main__ import main

SAMPLE = SAMPLES / "sine_int8.tflite"


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    document = ts.Document.open(SAMPLE)
    document.do(ts.operators.delete(document.model, 0, [1]))
    document.do(ts.edits.Set("description", "other"))
    document.save_as(tmp_path / "other.tflite")
    return tmp_path / "other.tflite"


def test_equal_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "sine.cc"
    assert main(["convert", str(SAMPLE), str(source)]) == 0
    assert main(["diff", str(SAMPLE), str(source)]) == 0
    assert capsys.readouterr().out == ""


def test_differences_in_lines(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(SAMPLE), str(changed)]) == 1
    first, second = capsys.readouterr().out.splitlines()
    assert first == "subgraphs[0].operators[1]: removed: FullyConnected → hidden_2"
    assert second.startswith("description: 'sin(x)")
    assert main(["diff", str(SAMPLE), str(changed), "--limit", "1"]) == 1
    assert capsys.readouterr().out.splitlines()[1].startswith("... and more")
    assert main(["diff", "-q", str(SAMPLE), str(changed)]) == 1
    assert capsys.readouterr().out == ""


def test_differences_as_json(changed: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(SAMPLE), str(changed), "--json", "--limit", "1"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert (facts["equal"], facts["complete"]) == (False, False)
    assert facts["differences"] == [
        {
            "kind": "removed",
            "first": "subgraphs[0].operators[1]",
            "second": None,
            "old": "FullyConnected → hidden_2",
            "new": "",
            "note": "",
        }
    ]


def test_a_file_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(SAMPLE), "missing.tflite"]) == 2
    assert "missing.tflite: there is no such file." in capsys.readouterr().err
