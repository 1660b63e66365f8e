# SPDX-License-Identifier: Apache-2.0
"""`fit`: whether a model fits a board. The exit code is the answer, for use in CI."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tflm_studio.cli.verbs import FILE_HELP, add_array_option, load_model
from tflm_studio.firmware.board_fit import (
    ESTIMATED,
    NOT_COUNTED,
    Fit,
    Need,
    Verdict,
    fits_of,
    model_need,
)
from tflm_studio.firmware.boards import Board, find_board, known_boards, load_boards
from tflm_studio.model.errors import ReadError
from tflm_studio.model.place_names import named_few

NO = 1


def add_fit_verb(verbs: Any) -> None:
    """Declares the verb; `run` returns 1 if the model does not fit a board.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    fit = verbs.add_parser(
        "fit",
        help="say whether a model fits a board",
        epilog="Exit code: 0 it fits all boards asked for, 1 it does not, 2 refused.",
    )
    fit.add_argument("file", metavar="FILE", nargs="?", help=FILE_HELP)
    fit.add_argument(
        "--board",
        metavar="NAME",
        action="append",
        default=[],
        help="may be given several times",
    )
    fit.add_argument("--all", action="store_true", help="check all boards")
    fit.add_argument("--boards", metavar="FILE", help="a table of your own instead, as JSON")
    fit.add_argument("--list-boards", action="store_true", help="say which boards are known")
    fit.add_argument("--json", action="store_true", help="as JSON")
    add_array_option(fit)
    fit.set_defaults(run=_fit)


def _fit(arguments: argparse.Namespace) -> int:
    boards = load_boards(Path(arguments.boards)) if arguments.boards else known_boards()
    if arguments.list_boards:
        rows = [_board_facts(each) for each in boards]
        print(json.dumps(rows, indent=2) if arguments.json else _board_lines(boards))
        return 0
    if arguments.file is None or not (arguments.board or arguments.all):
        raise ReadError("fit needs FILE and --board NAME or --all, or --list-boards.")
    if arguments.board and arguments.all:
        raise ReadError("--board NAME or --all: give one of them.")
    asked = [find_board(name, boards) for name in arguments.board] or list(boards)
    need = model_need(load_model(arguments.file, arguments.array))
    fits = fits_of(need, asked)
    if arguments.json:
        print(json.dumps(_facts(need, fits), indent=2))
    else:
        print("\n".join(fit_lines(need, fits, Path(arguments.file).name)))
    return NO if any(each.verdict is Verdict.NO for each in fits) else 0


def fit_lines(need: Need, fits: list[Fit], title: str) -> list[str]:
    """The verdicts as a table of text, with what they rest on."""
    lines = [
        f"{title}: {need.model_bytes:,} bytes of model and about {need.code_bytes:,} bytes of "
        f"code in flash, an arena of {need.arena_bytes:,} bytes in RAM.",
        "",
        f"{'board':<36}{'flash':>7}{'free':>14}{'RAM':>7}{'free':>14}  verdict",
    ]
    for each in fits:
        lines.append(
            f"{each.board.title[:35]:<36}{each.flash_share:>7.1%}{each.flash_margin:>14,}"
            f"{each.ram_share:>7.1%}{each.ram_margin:>14,}  {each.verdict}"
        )
        lines += [f"    {reason}" for reason in each.reasons]
        if len(fits) == 1 and each.board.note:
            lines.append(f"    {each.board.note}")
    lines += ["", ESTIMATED, NOT_COUNTED]
    if need.unknown:
        lines.append(f"Nothing is known of the code of {named_few(need.unknown)}.")
    return lines


def _facts(need: Need, fits: list[Fit]) -> dict[str, Any]:
    return {
        "model_bytes": need.model_bytes,
        "code_bytes": need.code_bytes,
        "code_is_estimate": True,
        "arena_bytes": need.arena_bytes,
        "unknown_operators": list(need.unknown),
        "boards": [
            {
                "name": each.board.name,
                "verdict": str(each.verdict),
                "fits": each.verdict is not Verdict.NO,
                "flash_bytes": each.board.flash_bytes,
                "flash_margin": each.flash_margin,
                "ram_bytes": each.board.ram_bytes,
                "ram_margin": each.ram_margin,
                "reasons": list(each.reasons),
            }
            for each in fits
        ],
    }


def _board_facts(board: Board) -> dict[str, Any]:
    return {name: getattr(board, name) for name in Board.__slots__}


def _board_lines(boards: tuple[Board, ...]) -> str:
    lines = [f"{'name':<27}{'flash KiB':>10}{'RAM KiB':>9}  board"]
    lines += [
        f"{each.name:<27}{each.flash_bytes // 1024:>10,}{each.ram_bytes // 1024:>9,}  "
        f"{each.title}{f', {each.chip}' if each.chip else ''}"
        for each in boards
    ]
    return "\n".join(lines)
