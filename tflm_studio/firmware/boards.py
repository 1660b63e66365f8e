# SPDX-License-Identifier: Apache-2.0
"""Boards and their memory: those we know, and those in a file of one's own."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tflm_studio.model.errors import ReadError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.resource_files import resource_path

MOST_FILE_BYTES = 2**20
MOST_MEMORY = 2**40
_TEXTS = ("name", "title", "chip", "note", "source")
_NUMBERS = ("flash_bytes", "ram_bytes", "block_bytes")
_NEEDED = ("name", "flash_bytes", "ram_bytes")


@dataclass(frozen=True, slots=True)
class Board:
    """A board, or a chip.

    Attributes:
        name: What the command line calls it.
        flash_bytes: Memory for the program and the model.
        ram_bytes: Memory for data.
        block_bytes: The largest piece of RAM that an array may take; the arena is one.
        title: For people.
        chip: Its microcontroller.
        note: What else takes memory there.
        source: Where the figures are from.
    """

    name: str
    flash_bytes: int
    ram_bytes: int
    block_bytes: int
    title: str = ""
    chip: str = ""
    note: str = ""
    source: str = ""


@lru_cache(maxsize=1)
def known_boards() -> tuple[Board, ...]:
    """The boards of `resources/boards.json`, in its order."""
    return load_boards(resource_path("boards.json"))


def load_boards(path: Path) -> tuple[Board, ...]:
    """The boards of a JSON file: a list of objects as in `resources/boards.json`.

    Raises:
        ReadError: The file cannot be read, or an entry lacks something; names the entry.
    """
    try:
        if path.stat().st_size > MOST_FILE_BYTES:
            raise ReadError(
                f"{path}: has more than {MOST_FILE_BYTES:,} bytes; no table of boards."
            )
        rows = json.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: is no JSON: {error}.") from error
    except (ValueError, RecursionError) as error:  # of thousands of digits or brackets
        raise ReadError(f"{path}: is no JSON that can be read; no table of boards.") from error
    if not isinstance(rows, list) or not rows:
        raise ReadError(f'{path}: write a list of boards, such as [{{"name": ...}}].')
    boards = [_board(row, f"{path}: board {position}") for position, row in enumerate(rows)]
    names = [each.name.casefold() for each in boards]
    for position, name in enumerate(names):
        if name in names[:position]:
            raise ReadError(
                f"{path}: board {position}: '{boards[position].name}' is there twice; "
                "rename one."
            )
    return tuple(boards)


def find_board(name: str, boards: tuple[Board, ...]) -> Board:
    """A board by its name, whatever its case.

    Raises:
        ReadError: There is none so called; names those there are.
    """
    for each in boards:
        if each.name.casefold() == name.casefold():
            return each
    known = ", ".join(each.name for each in boards)
    raise ReadError(f"board '{excerpt(name, 64)}': there is none; choose one of {known}.")


def _board(row: Any, place: str) -> Board:
    if not isinstance(row, dict):
        raise ReadError(f"{place}: write an object with {', '.join(_NEEDED)}.")
    for key in _NEEDED:
        if key not in row:
            raise ReadError(f"{place}: lacks {key}; add it.")
    for key, value in row.items():
        if key in _TEXTS and not isinstance(value, str):
            raise ReadError(f"{place}: {key} must be a text.")
        if key in _NUMBERS and not _is_size(value):
            raise ReadError(f"{place}: {key} must be a whole number of bytes above 0.")
        if key not in _TEXTS and key not in _NUMBERS:
            known = ", ".join((*_TEXTS, *_NUMBERS))
            raise ReadError(f"{place}: '{excerpt(str(key), 64)}' means nothing; use {known}.")
    _check_name(row["name"], place)
    block: int = row["block_bytes"] if "block_bytes" in row else row["ram_bytes"]
    if block > row["ram_bytes"]:
        raise ReadError(f"{place}: block_bytes is a part of ram_bytes; it cannot be larger.")
    texts = {key: row[key] for key in _TEXTS if key in row}
    texts.setdefault("title", row["name"])
    return Board(
        flash_bytes=row["flash_bytes"], ram_bytes=row["ram_bytes"], block_bytes=block, **texts
    )


def _check_name(name: str, place: str) -> None:
    if not name.strip():
        raise ReadError(f"{place}: name is empty; give it one.")
    if not name.isprintable():
        raise ReadError(f"{place}: name has control characters; leave them out.")


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= MOST_MEMORY
