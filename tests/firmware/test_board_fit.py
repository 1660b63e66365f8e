# SPDX-License-Identifier: Apache-2.0
"""Verdicts, and tables of boards of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import SAMPLES
from tflm_studio.__main__ import main
from tflm_studio.firmware.board_fit import Need, Verdict, check_fit, fit_of, model_need
from tflm_studio.firmware.boards import Board, find_board, known_boards, load_boards
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.errors import ReadError

SAMPLE = SAMPLES / "shapes_int8.tflite"
NEED = Need(600, 400, 500, ())


@pytest.mark.parametrize(
    ("flash", "ram", "block", "verdict", "said"),
    [
        (2000, 2000, 2000, Verdict.FITS, ()),
        (1000, 2000, 2000, Verdict.TIGHT, ("0 of 1,000 bytes of flash",)),
        (999, 2000, 2000, Verdict.NO, ("1,000 bytes of flash, there are 999",)),
        (2000, 550, 550, Verdict.TIGHT, ("50 of 550 bytes of RAM",)),
        (2000, 499, 499, Verdict.NO, ("500 bytes of RAM",)),
        (2000, 2000, 499, Verdict.NO, ("largest piece of RAM",)),
        (2000, 2000, 510, Verdict.TIGHT, ("10 of 510 bytes of the largest piece",)),
        (900, 400, 400, Verdict.NO, ("of flash", "of RAM")),
        (1111, 2000, 2000, Verdict.TIGHT, ("of flash",)),
        (1112, 556, 556, Verdict.FITS, ()),
    ],
)
def test_a_verdict_has_its_reasons(
    flash: int, ram: int, block: int, verdict: Verdict, said: tuple[str, ...]
) -> None:
    found = fit_of(NEED, Board("b", flash, ram, block))
    assert found.verdict is verdict
    assert len(found.reasons) == len(said)
    assert all(part in reason for part, reason in zip(said, found.reasons, strict=True))
    assert found.flash_margin == flash - 1000
    assert found.ram_margin == ram - 500


def test_the_boards_we_know_are_whole() -> None:
    boards = known_boards()
    assert len(boards) > 15
    for board in boards:
        assert board.title, board.name
        assert board.chip, board.name
        assert board.source.startswith("https://"), board.name
        assert 2**17 < board.flash_bytes < 2**24, board.name
        assert 2**15 < board.block_bytes <= board.ram_bytes < 2**22, board.name
        assert board.flash_bytes % 1024 == board.ram_bytes % 1024 == 0, board.name
    assert find_board("RPI-pico", boards).ram_bytes == 264 * 1024


def test_code_counts_each_kind_of_operator_once() -> None:
    model = load_model_from_file(SAMPLE)
    need = model_need(model)
    assert need.model_bytes == SAMPLE.stat().st_size
    assert 24 * 1024 < need.code_bytes < 64 * 1024
    assert model.subgraphs is not None
    operators = model.subgraphs[0].operators or []
    operators.append(operators[0])
    assert model_need(model).code_bytes == need.code_bytes
    operators[-1] = type(operators[0])(opcode_index=77)
    assert model_need(model).unknown == ("no operator code",)
    assert check_fit(load_model_from_file(SAMPLE), known_boards()[0]).verdict is Verdict.FITS


GOOD = {"name": "mine", "flash_bytes": 65536, "ram_bytes": 2048}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "is no JSON"),
        ("{}", "write a list"),
        ("[]", "write a list"),
        ("[1]", "board 0: write an object"),
        ('[{"name": "a"}]', "board 0: lacks flash_bytes"),
        (json.dumps([{**GOOD, "ram_bytes": "2k"}]), "ram_bytes must be a whole number"),
        (json.dumps([{**GOOD, "ram_bytes": True}]), "ram_bytes must be a whole number"),
        (json.dumps([{**GOOD, "flash": 3}]), "'flash' means nothing"),
        (json.dumps([{**GOOD, "name": 3}]), "name must be a text"),
        (json.dumps([{**GOOD, "name": " "}]), "name is empty"),
        (json.dumps([GOOD, {**GOOD, "name": "Mine"}]), "board 1: 'Mine' is there twice"),
        (json.dumps([{**GOOD, "name": "a\x1b[31m"}]), "board 0: name has control"),
        (json.dumps([GOOD]).replace("2048", "9" * 5000), "is no JSON that can be read"),
        (json.dumps([{**GOOD, "block_bytes": 4096}]), "cannot be larger"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_a_table_that_is_wrong_says_where(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "boards.json"
    path.write_text(text)
    with pytest.raises(ReadError, match=said):
        load_boards(path)


def test_a_table_from_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "boards.json"
    path.write_text(json.dumps([GOOD]), "utf-8-sig")
    assert [each.name for each in load_boards(path)] == ["mine"]


def test_the_exit_code_is_the_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "boards.json"
    own.write_text(json.dumps([GOOD]))
    model = str(SAMPLE)
    assert main(["fit", model, "--board", "rpi-pico"]) == 0
    assert "are estimates" in capsys.readouterr().out
    assert main(["fit", model, "--all", "--boards", str(own), "--json"]) == 1
    facts = json.loads(capsys.readouterr().out)
    assert facts["boards"][0]["verdict"] == "does not fit"
    assert facts["boards"][0]["ram_margin"] < 0
    assert main(["fit", model, "--board", "nothing"]) == 2
    assert main(["fit", model]) == 2
    assert main(["fit", "--board", "rpi-pico"]) == 2
    assert main(["fit", model, "--boards", str(tmp_path / "none"), "--all"]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["fit", "--list-boards"]) == 0
    assert "teensy-4.1" in capsys.readouterr().out
