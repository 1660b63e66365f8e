# SPDX-License-Identifier: Apache-2.0
"""Boards and whether a model fits them, a row each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from tflm_studio.firmware.board_fit import Fit, Verdict

Role = Qt.ItemDataRole
Index = QModelIndex | QPersistentModelIndex
SHARE_ROLE = Role.UserRole + 1  # part of a memory, for a bar
VERDICT_ROLE = Role.UserRole + 2
SORT_ROLE = Role.UserRole + 3
FEW_BYTES = 10 * 1024
_ORDER = {Verdict.FITS: 0, Verdict.TIGHT: 1, Verdict.NO: 2}


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    text: Callable[[Fit], str]
    key: Callable[[Fit], Any]
    share: Callable[[Fit], float] | None = None
    is_number: bool = False


COLUMNS = (
    _Column("Board", lambda fit: fit.board.title, lambda fit: fit.board.title.casefold()),
    _Column("Chip", lambda fit: fit.board.chip, lambda fit: fit.board.chip.casefold()),
    _Column(
        "Flash",
        lambda fit: f"{fit.flash_share:.1%}",
        lambda fit: fit.flash_share,
        lambda fit: fit.flash_share,
        True,
    ),
    _Column(
        "Flash free",
        lambda fit: _bytes(fit.flash_margin),
        lambda fit: fit.flash_margin,
        None,
        True,
    ),
    _Column(
        "RAM",
        lambda fit: f"{fit.ram_share:.1%}",
        lambda fit: fit.ram_share,
        lambda fit: fit.ram_share,
        True,
    ),
    _Column(
        "RAM free", lambda fit: _bytes(fit.ram_margin), lambda fit: fit.ram_margin, None, True
    ),
    _Column("Verdict", lambda fit: str(fit.verdict), lambda fit: _ORDER[fit.verdict]),
)
VERDICT_COLUMN = len(COLUMNS) - 1


def _bytes(count: int) -> str:
    """A number of bytes, in KiB if there are many."""
    minus, size = "−" * (count < 0), abs(count)
    return f"{minus}{size / 1024:,.0f} KiB" if size >= FEW_BYTES else f"{minus}{size:,} bytes"


class BoardTable(QAbstractTableModel):
    """The verdicts as a table; sort by `SORT_ROLE`."""

    def __init__(self, fits: Sequence[Fit] = ()) -> None:
        super().__init__()
        self._fits = list(fits)

    def show(self, fits: Sequence[Fit]) -> None:
        """Shows other verdicts."""
        self.beginResetModel()
        self._fits = list(fits)
        self.endResetModel()

    def fit(self, row: int) -> Fit:
        """The verdict of a row."""
        return self._fits[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._fits)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(COLUMNS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Role.DisplayRole:
            return COLUMNS[section].title
        return None

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        fit, column = self._fits[index.row()], COLUMNS[index.column()]
        if role == Role.DisplayRole:
            return column.text(fit)
        if role == SORT_ROLE:
            return column.key(fit)
        if role == SHARE_ROLE:
            return column.share(fit) if column.share is not None else None
        if role == VERDICT_ROLE:
            return fit.verdict
        if role == Role.ToolTipRole:
            return tool_tip(fit)
        if role == Role.TextAlignmentRole and column.is_number:
            return int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        if role == Role.TextAlignmentRole and index.column() == VERDICT_COLUMN:
            return int(Qt.AlignmentFlag.AlignCenter)
        return None


def tool_tip(fit: Fit) -> str:
    """What is behind a verdict, in lines."""
    board = fit.board
    lines = [
        *fit.reasons,
        f"Flash: {fit.need.flash_bytes:,} of {board.flash_bytes:,} bytes",
        f"RAM: {fit.need.arena_bytes:,} of {board.ram_bytes:,} bytes",
        *filter(None, [board.note, board.source]),
    ]
    return "\n".join(lines)
