# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.__main__ import main
from tflm_studio.analysis.arena_size import estimate_arena
from tflm_studio.cli import arena_verb
from tflm_studio.runtime.arena_measurement import MeasureError, Measurement, Section

SAMPLE = SAMPLES / "shapes_int8.tflite"


def test_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["arena", str(SAMPLE)]) == 0
    text = capsys.readouterr().out
    estimate = estimate_arena(ts.load_model_from_file(SAMPLE))
    assert f"kTensorArenaSize = {estimate.recommended};" in text
    assert "Peak: Conv2D 0" in text
    rows = text[text.index("offset") :].splitlines()[1:]
    assert len(rows) == len(estimate.plan.offset)
    assert "estimate" in text


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["arena", str(SAMPLE), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    estimate = estimate_arena(ts.load_model_from_file(SAMPLE))
    assert facts["head"] == estimate.head
    assert facts["total"] == facts["head"] + facts["tail"]
    assert facts["recommended"] == estimate.recommended
    assert facts["peak_operators"] == [{"subgraph": 0, "operator": 0}]
    assert {t["index"]: t["size"] for t in facts["tensors"]}[0] >= 16
    assert "measured" not in facts


def test_measured_figures_stand_beside(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = Measurement(3, 1, 2, (Section("part", 2, 1, 4),), 64, "Running it failed.")
    monkeypatch.setattr(arena_verb, "measure_arena", lambda *_: found)
    assert main(["arena", str(SAMPLE), "--measure"]) == 0
    text = capsys.readouterr().out
    assert "measured" in text
    assert "Running it failed." in text
    assert main(["arena", str(SAMPLE), "--measure", "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)["measured"]
    assert measured["total"] == 3
    assert measured["sections"] == {"part": {"used": 2, "requested": 1, "count": 4}}


def test_what_cannot_be_measured_is_told_after_the_estimate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> Measurement:
        raise MeasureError("TFLM's interpreter crashed (signal 11).")

    monkeypatch.setattr(arena_verb, "measure_arena", refuse)
    assert main(["arena", str(SAMPLE), "--measure", "--json"]) == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["measured"] is None
    assert captured.err.strip() == "tflm-studio: TFLM's interpreter crashed (signal 11)."


def test_no_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["arena", str(tmp_path / "none.tflite")]) == 2
    assert "none.tflite" in capsys.readouterr().err
