# SPDX-License-Identifier: Apache-2.0
"""Which boards a model fits: a table to sort, with what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSortFilterProxyModel, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHeaderView,
    QLabel,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.firmware.board_fit import ESTIMATED, NOT_COUNTED, Need, Verdict, fits_of
from tflm_studio.firmware.boards import Board, known_boards, load_boards
from tflm_studio.model.errors import ReadError
from tflm_studio.model.place_names import named_few, plural
from tflm_studio.ui.models.board_table import COLUMNS, SORT_ROLE, VERDICT_COLUMN, BoardTable
from tflm_studio.ui.views.board_cells import BoardCells
from tflm_studio.ui.views.wrapped_label import WrappedLabel

FILTER = "Tables of boards (*.json);;All files (*)"
BAR_PIXELS = 90
SIZE = 920, 620


class BoardDialog(QDialog):
    """Shows the verdict for each board.

    Args:
        need: What the model takes.
        title: Name of the model's file.
        parent: Owner of the dialog.
        boards: Those to show.
    """

    def __init__(
        self,
        need: Need,
        title: str,
        parent: QWidget | None = None,
        boards: Callable[[], tuple[Board, ...]] = known_boards,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("board_dialog")
        self.setWindowTitle(f"Boards for {title}")
        self._need = need
        self.summary = QLabel()
        self.summary.setObjectName("board_summary")
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.table = BoardTable()
        self.view = QTableView()
        self.view.setObjectName("board_table")
        self.view.setAccessibleName("Boards")
        self.note = WrappedLabel()
        self.note.setObjectName("board_note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self._build()
        self._show(boards())

    def _build(self) -> None:
        proxy = QSortFilterProxyModel(self)
        proxy.setSourceModel(self.table)
        proxy.setSortRole(SORT_ROLE)
        self.view.setModel(proxy)
        self.view.setItemDelegate(BoardCells(self.view))
        self.view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.view.setSortingEnabled(True)
        self.view.sortByColumn(VERDICT_COLUMN, Qt.SortOrder.AscendingOrder)
        self.view.setAlternatingRowColors(True)
        self.view.setShowGrid(False)
        self.view.setWordWrap(False)
        self.view.setTabKeyNavigation(False)
        self.view.verticalHeader().hide()
        self.view.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)
        self.view.horizontalHeader().setHighlightSections(False)
        load = self.buttons.addButton("&Other boards…", QDialogButtonBox.ButtonRole.ActionRole)
        load.setObjectName("other_boards")
        load.setToolTip("Read a table of your own, in the form of resources/boards.json")
        load.clicked.connect(self._load)
        copy = self.buttons.addButton("&Copy as text", QDialogButtonBox.ButtonRole.ActionRole)
        copy.setObjectName("copy_boards")
        copy.clicked.connect(self.copy)
        self.buttons.button(QDialogButtonBox.StandardButton.Close).setDefault(True)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.addWidget(self.summary)
        column.addWidget(self.view, 1)
        column.addWidget(self.note)
        column.addWidget(self.buttons)
        self.resize(*SIZE)

    def _show(self, boards: tuple[Board, ...]) -> None:
        fits = fits_of(self._need, boards)
        self.table.show(fits)
        fitting = sum(each.verdict is not Verdict.NO for each in fits)
        need = self._need
        self.summary.setText(
            f"Fits {fitting} of {plural(len(fits), 'board')}: {need.model_bytes:,} bytes of "
            f"model and about {need.code_bytes:,} of code in flash, an arena of "
            f"{need.arena_bytes:,} bytes in RAM."
        )
        lines = [ESTIMATED, NOT_COUNTED]
        if need.unknown:
            lines.append(f"Nothing is known of the code of {named_few(need.unknown)}.")
        self.note.setText(" ".join(lines))
        self._set_widths()

    def _set_widths(self) -> None:
        header = self.view.horizontalHeader()
        self.view.resizeColumnsToContents()
        for section, column in enumerate(COLUMNS):
            if column.share is not None:
                header.resizeSection(section, BAR_PIXELS)
            elif section:
                header.resizeSection(section, header.sectionSize(section) + 12)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def _load(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Other boards", "", FILTER)
        if not chosen:
            return
        try:
            self._show(load_boards(Path(chosen)))
        except ReadError as error:
            self.note.setText(str(error))

    def copy(self) -> None:
        """Puts the table on the clipboard, in its order, with tabs between the columns."""
        model = self.view.model()
        lines = ["\t".join(column.title for column in COLUMNS)]
        lines += [
            "\t".join(str(model.index(row, k).data()) for k in range(len(COLUMNS)))
            for row in range(model.rowCount())
        ]
        QGuiApplication.clipboard().setText("\n".join([*lines, "", ESTIMATED, NOT_COUNTED]))
