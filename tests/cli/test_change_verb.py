# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tflm_studio as ts
from tests.conftest import SAMPLES
from tests.editing.weight_models import W, holding
from tflm_studio.__main__ import main
from tflm_studio.cli.change_verb import OPERATIONS
from tflm_studio.editing import weights
from tflm_studio.formats.model_file import save_model_to_file

SAMPLE = SAMPLES / "shapes_int8.tflite"
FILTER = "subgraphs[0].tensors[1]"
NUMBERS = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)

# Arguments for each operation on the command line, and the same in Python.
CALLS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "add-noise": (
        ["7", "0.01", "--distribution", "uniform"],
        {"seed": 7, "std": 0.01, "distribution": "uniform"},
    ),
    "clip": (["-5e-1", ".25"], {"low": -0.5, "high": 0.25}),
    "cluster": (["3"], {"k": 3}),
    "delete-channels": (["0, 2-3"], {"channels": [0, 2, 3]}),
    "dequantise": ([], {}),
    "fill": (["-inf", "--where", "1-2,5"], {"value": -np.inf, "where": [1, 2, 5]}),
    "formula": (["where(abs(x) < 0.3, 0, x)"], {"text": "where(abs(x) < 0.3, 0, x)"}),
    "offset": (["-1e-3", "--no-real"], {"amount": -0.001, "real": False}),
    "permute-channels": (["7-0"], {"order": list(range(7, -1, -1))}),
    "prune-below": (["0.3"], {"threshold": 0.3}),
    "prune-percent": (["50"], {"percent": 50.0}),
    "quantise": (
        ["--dtype", "int16", "--axis", "-1", "--bias"],
        {"dtype": "int16", "axis": -1, "bias": True},
    ),
    "randomise": (["0x10", "--mean", "-1"], {"seed": 16, "mean": -1.0}),
    "replace-values": (["{folder}/new.npy"], {"array": NUMBERS * 2}),
    "requantise": (
        ["0.01", "--zero-point", "-3", "--dtype", "int16", "--axis", "none"],
        {"scale": [0.01], "zero_point": [-3], "dtype": "int16", "axis": None},
    ),
    "round-to-step": (["0.02", "--where", "{folder}/mask.npy"], {"step": 0.02, "where": None}),
    "scale": (["2"], {"factor": 2.0}),
    "set-channels-to-zero": (["-1", "0,2"], {"axis": -1, "channels": [0, 2]}),
    "to-float16": ([], {}),
    "to-float32": ([], {}),
}
OF_A_LAYER = ("delete-channels", "permute-channels", "dequantise")


def _source(name: str, folder: Path) -> tuple[Path, str]:
    """A model that an operation can work on, and an address in it."""
    if name in OF_A_LAYER:
        return SAMPLE, FILTER
    path = folder / "in.tflite"
    held = NUMBERS.astype(np.float16) if name == "to-float32" else NUMBERS
    save_model_to_file(holding(held, str(held.dtype)), path)
    return path, W


def test_all_operations_are_there() -> None:
    functions = {
        name for name in weights.__all__ if inspect.isfunction(getattr(weights, name))
    }
    assert {name.replace("-", "_") for name in OPERATIONS} == functions
    assert set(CALLS) == set(OPERATIONS)


@pytest.mark.parametrize("name", CALLS)
def test_each_does_what_the_function_does(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, arguments = CALLS[name]
    arguments = dict(arguments)
    if "where" in arguments and arguments["where"] is None:
        arguments["where"] = NUMBERS > 0
    np.save(tmp_path / "new.npy", NUMBERS * 2)
    np.save(tmp_path / "mask.npy", NUMBERS > 0)
    path, address = _source(name, tmp_path)
    words = [word.format(folder=tmp_path) for word in given]
    out = tmp_path / "out.tflite"
    assert main(["change", str(path), address, name, *words, "-o", str(out)]) == 0
    document = ts.Document.open(path)
    proposal = OPERATIONS[name](document.model, address, **arguments)
    document.do(proposal)
    document.save_as(tmp_path / "wanted.tflite")
    assert out.read_bytes() == (tmp_path / "wanted.tflite").read_bytes()
    assert out.read_bytes() != path.read_bytes()
    assert proposal.label in capsys.readouterr().out
    with pytest.raises(SystemExit) as left:
        main(["change", "-", "-", name, "--help"])
    assert left.value.code == 0


def test_a_dry_run_tells_the_effect_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, _ = _source("scale", tmp_path)
    before = path.read_bytes()
    step = ["change", str(path), W, "round-to-step", "0.3", "--dry-run"]
    assert main(step) == 0
    text = capsys.readouterr().out
    assert main([*step, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before
    old = NUMBERS.astype(np.float64)
    new = (np.round(old / 0.3) * 0.3).astype(np.float32).astype(np.float64)
    effect, apart = facts["effect"], np.abs(new - old)
    assert effect["count"] == old.size
    assert effect["changed"] == np.count_nonzero(apart)
    assert effect["max_error"] == pytest.approx(apart.max())
    assert effect["mean_error"] == pytest.approx(apart.mean())
    assert effect["rms_error"] == pytest.approx(np.sqrt(np.mean(apart**2)))
    sqnr = 10 * np.log10((old**2).sum() / (apart**2).sum())
    assert effect["sqnr_db"] == pytest.approx(sqnr)
    assert f"{sqnr:.2f} dB" in text
    assert f"changed     {effect['changed']} of {old.size}" in text
    assert facts["label"] in text


def test_a_change_of_nothing_is_written_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.tflite"
    assert main(["change", str(SAMPLE), FILTER, "scale", "1", "-o", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["effect"]["changed"], facts["effect"]["sqnr_db"]) == (0, None)
    assert facts["output"] == str(out)
    assert out.read_bytes() == SAMPLE.read_bytes()
    wanted = ["change", str(SAMPLE), FILTER, "permute-channels", "7-0", "--dry-run", "--json"]
    assert main(wanted) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["effect"] is None
    assert facts["notes"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([FILTER, "scale", "2"], "-o OUT"),
        ([FILTER, "scale", "2", "--dry-run", "-o", "out.tflite"], "-o OUT"),
        ([FILTER, "scale", "two", "--dry-run"], "argument FACTOR: 'two' is not a number"),
        ([FILTER, "scale", "inf", "--dry-run"], "finite"),
        ([FILTER, "scale", "--dry-run"], "required: FACTOR"),
        ([FILTER, "sclae", "2", "--dry-run"], "invalid choice: 'sclae'"),
        ([FILTER, "cluster", "2.5", "--dry-run"], "whole number"),
        ([FILTER, "scale", "2", "--where", "3-x", "--dry-run"], "'3-x' is no element"),
        ([FILTER, "scale", "2", "--where", "9999", "--dry-run"], "no element 9,999"),
        ([FILTER, "scale", "2", "--where", "no.npy", "--dry-run"], "no.npy"),
        ([FILTER, "add-noise", "1", "1", "--distribution", "pink", "--dry-run"], "none of"),
        ([FILTER, "replace-values", "x.jpg", "--dry-run"], "suffix"),
        ([FILTER, "requantise", ",", "--dry-run"], "a number is needed"),
        ([FILTER, "formula", "x +", "--dry-run"], "cannot be read"),
        ([FILTER, "quantise", "--dry-run"], "use requantise"),
        (["subgraphs[0].tensors[0]", "scale", "2", "--dry-run"], "stores no values"),
        (["subgraphs[0].tensors[99]", "scale", "2", "--dry-run"], "out of range"),
        (["rubbish[", "scale", "2", "--dry-run"], "not an address"),
        ([FILTER, "scale", "2", "-o", "nowhere/out.tflite"], "folder does not exist"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_refusals_are_one_line(
    arguments: list[str],
    reason: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["change", str(SAMPLE), *arguments])
    except SystemExit as left:
        code = int(left.code or 0)
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    assert reason in captured.err
    assert not list(tmp_path.iterdir())
