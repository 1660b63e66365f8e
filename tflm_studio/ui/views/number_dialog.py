# SPDX-License-Identifier: Apache-2.0
"""A window that edits lists of numbers as a table, with spreadsheets in mind."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import Field
from tflm_studio.ui.models.number_table import NumberTable

COLUMN_PIXELS = 130
HEIGHT_PIXELS = 420


class NumberView(QTableView):
    """The table; copies, pastes and clears as a spreadsheet does."""

    def __init__(self, table: NumberTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = table
        self.setModel(table)
        self.setAlternatingRowColors(True)
        self.horizontalHeader().setDefaultSectionSize(COLUMN_PIXELS)
        self.horizontalHeader().setStretchLastSection(True)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 8)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        else:
            super().keyPressEvent(event)

    def copy(self) -> None:
        """Copies the block of selected cells, parted by tabs."""
        chosen = self.selectionModel().selectedIndexes()
        if not chosen:
            return
        rows = sorted({index.row() for index in chosen})
        columns = sorted({index.column() for index in chosen})
        text = "\n".join(
            "\t".join(str(self.table.index(row, column).data()) for column in columns)
            for row in rows
        )
        QGuiApplication.clipboard().setText(text)

    def paste(self) -> None:
        """Writes what was copied from the current cell on; one value fills all selected."""
        text = QGuiApplication.clipboard().text().rstrip("\r\n")
        block = [line.split("\t") for line in text.splitlines()]
        chosen = self.selectionModel().selectedIndexes()
        if len(block) == 1 and len(block[0]) == 1 and len(chosen) > 1:
            self.fill(block[0][0])
            return
        top = min((index.row() for index in chosen), default=0)
        left = min((index.column() for index in chosen), default=0)
        self.table.put(top, left, block)

    def fill(self, text: str) -> None:
        """Gives all selected cells one value."""
        chosen = self.selectionModel().selectedIndexes()
        for column in sorted({index.column() for index in chosen}):
            rows = sorted(index.row() for index in chosen if index.column() == column)
            start = previous = rows[0]
            for row in [*rows[1:], -1]:
                if row != previous + 1:
                    block = [[text]] * (previous - start + 1)
                    if not self.table.put(start, column, block):
                        return
                    start = row
                previous = row


class NumberDialog(QDialog):
    """Lists side by side, with buttons for rows; nothing happens before OK."""

    def __init__(
        self,
        rows: list[Field],
        values: list[list[Any] | None],
        title: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("number_dialog")
        self.setWindowTitle(title)
        self.table = NumberTable(rows, values, self)
        self.view = NumberView(self.table)
        self.note = QLabel()
        self.note.setObjectName("number_note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.addWidget(self.view, 1)
        column.addLayout(self._make_buttons())
        column.addWidget(self.note)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column.addWidget(buttons)
        self.table.refused.connect(self.note.setText)
        for signal in (self.table.dataChanged, self.table.rowsInserted, self.table.modelReset):
            signal.connect(self._say_count)
        self._say_count()
        self.resize(90 + max(2, len(rows)) * COLUMN_PIXELS, HEIGHT_PIXELS)

    def _make_buttons(self) -> QHBoxLayout:
        line = QHBoxLayout()
        for text, tip, do in (
            ("&Insert rows", "Put as many rows as are selected above them", self._insert),
            ("&Append a row", "Put a row behind the last", self._append),
            ("&Remove rows", "Take the selected rows out", self._remove),
        ):
            button = QPushButton(text)
            button.setToolTip(tip)
            button.setAutoDefault(False)
            button.clicked.connect(do)
            line.addWidget(button)
        line.addStretch(1)
        return line

    def _say_count(self, *_: object) -> None:
        count = plural(self.table.rowCount(), "row")
        self.note.setText(f"{count}. Paste takes cells of a spreadsheet.")

    def _selected(self) -> list[int]:
        return sorted({index.row() for index in self.view.selectionModel().selectedIndexes()})

    def _insert(self) -> None:
        rows = self._selected()
        self.table.insert_rows(rows[0] if rows else 0, max(1, len(rows)))

    def _append(self) -> None:
        count = self.table.rowCount()
        self.table.insert_rows(count, 1)
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self.view.selectionModel().setCurrentIndex(self.table.index(count, 0), flags)
        self.view.setFocus()

    def _remove(self) -> None:
        self.table.remove_rows(self._selected())


def edit_numbers(
    rows: list[Field], values: list[list[Any] | None], title: str, parent: QWidget
) -> list[list[Any] | None] | None:
    """Asks for lists of numbers; None if the person does not want a change."""
    dialog = NumberDialog(rows, values, title, parent)
    try:
        return dialog.table.values() if dialog.exec() else None
    finally:
        dialog.deleteLater()
