# SPDX-License-Identifier: Apache-2.0
"""Whether a model fits a board: flash for it and the operators' code, RAM for its arena."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from tflm_studio.analysis.arena_size import estimate_arena
from tflm_studio.firmware.boards import Board
from tflm_studio.firmware.resolver import Registration, registrations
from tflm_studio.formats.model_file import encode
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.operators import known_operators
from tflm_studio.model.resource_files import resource_path
from tflm_studio.schema.tables import Model

TIGHT_SHARE = 0.1  # less room than this share of a memory is tight
NOT_COUNTED = (
    "Not counted: the firmware besides the model and TFLM, its stack and heap, a boot loader, "
    "a radio's stack, and buffers for sensors."
)
ESTIMATED = (
    "The code of the operators and the tail of the arena are estimates; the linker's map and "
    "a run on the board tell exactly."
)


class Verdict(StrEnum):
    """What becomes of a model on a board."""

    FITS = "fits"
    TIGHT = "tight"
    NO = "does not fit"


@dataclass(frozen=True, slots=True)
class Need:
    """What a model takes, whatever the board.

    Attributes:
        model_bytes: Of the flatbuffer.
        code_bytes: Of interpreter and operators, an estimate.
        arena_bytes: Recommended size of the arena.
        unknown: Operators of whose code nothing is known: custom ones, and those TFLM lacks.
    """

    model_bytes: int
    code_bytes: int
    arena_bytes: int
    unknown: tuple[str, ...]

    @property
    def flash_bytes(self) -> int:
        """Flash that it takes in all."""
        return self.model_bytes + self.code_bytes


@dataclass(frozen=True, slots=True)
class Fit:
    """A model on a board.

    Attributes:
        board: The board.
        need: What the model takes.
        verdict: Whether it fits.
        reasons: What is tight or too small, in sentences.
    """

    board: Board
    need: Need
    verdict: Verdict
    reasons: tuple[str, ...]

    @property
    def flash_share(self) -> float:
        """Part of the flash that it takes; above 1 if it does not fit."""
        return self.need.flash_bytes / self.board.flash_bytes

    @property
    def ram_share(self) -> float:
        """Part of the RAM that it takes."""
        return self.need.arena_bytes / self.board.ram_bytes

    @property
    def flash_margin(self) -> int:
        """Bytes of flash that stay free; below 0 if it does not fit."""
        return self.board.flash_bytes - self.need.flash_bytes

    @property
    def ram_margin(self) -> int:
        """Bytes of RAM that stay free."""
        return self.board.ram_bytes - self.need.arena_bytes


def model_need(model: Model) -> Need:
    """What a model takes on any board. O(size of the model).

    Raises:
        PlanError: Nobody can tell how large its arena is.
    """
    found = registrations([model])
    sizes = _code_sizes()
    code = sizes["interpreter"] + sum(_code_of(each, sizes) for each in found)
    unknown = tuple(excerpt(each.name, 64) for each in found if each.method is None)
    return Need(encode(model).size, code, estimate_arena(model).recommended, unknown)


def check_fit(model: Model, board: Board) -> Fit:
    """Whether a model fits a board.

    Raises:
        PlanError: Nobody can tell how large its arena is.
    """
    return fit_of(model_need(model), board)


def fits_of(need: Need, boards: Sequence[Board]) -> list[Fit]:
    """The same on several boards."""
    return [fit_of(need, board) for board in boards]


def fit_of(need: Need, board: Board) -> Fit:
    """The verdict for what a model takes."""
    checks = [
        ("flash", need.flash_bytes, board.flash_bytes),
        ("RAM", need.arena_bytes, board.ram_bytes),
    ]
    too_small = [_lack(*each) for each in checks if each[1] > each[2]]
    if not too_small and need.arena_bytes > board.block_bytes:
        too_small.append(
            f"The arena takes {need.arena_bytes:,} bytes, the largest piece of RAM has "
            f"{board.block_bytes:,}."
        )
    if too_small:
        return Fit(board, need, Verdict.NO, tuple(too_small))
    if board.block_bytes < board.ram_bytes:
        checks[1] = ("the largest piece of RAM", need.arena_bytes, board.block_bytes)
    tight = [
        f"Only {there - needed:,} of {there:,} bytes of {what} stay free."
        for what, needed, there in checks
        if there - needed < TIGHT_SHARE * there
    ]
    return Fit(board, need, Verdict.TIGHT if tight else Verdict.FITS, tuple(tight))


def _lack(what: str, needed: int, there: int) -> str:
    return f"It takes {needed:,} bytes of {what}, there are {there:,}."


@lru_cache(maxsize=1)
def _code_sizes() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(resource_path("operator_code.json").read_text("utf-8"))
    codes = {each.schema_name: each.code for each in known_operators() if not each.custom_code}
    table["by_code"] = {codes[name]: size for name, size in table["operators"].items()}
    return table


def _code_of(each: Registration, sizes: dict[str, Any]) -> int:
    size: int = sizes["by_code"].get(each.code, sizes["default"])
    return size
