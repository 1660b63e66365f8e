# SPDX-License-Identifier: Apache-2.0
"""The largest differences of a comparison, the largest first."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QFontDatabase, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from tflm_studio.analysis.array_comparison import Comparison
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.compare_figures import reference_text

TITLES = ("index", "here", "there", "difference")
PADDING = 16
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class DifferenceList(QTableWidget):
    """A row for each of the largest differences.

    Attributes:
        element_wanted: Emitted with the flat index of the element in a row that is activated.
    """

    element_wanted = Signal("qint64")  # type: ignore[arg-type]

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(TITLES), parent)
        self._listed: list[int] = []
        self.setObjectName("differences")
        self.setAccessibleName("Largest differences")
        self.setHorizontalHeaderLabels(TITLES)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 5)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setDefaultAlignment(RIGHT)
        copy = QAction("Copy rows", self)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        copy.triggered.connect(self.copy_rows)
        self.addAction(copy)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self.activated.connect(
            lambda index: self.element_wanted.emit(self._listed[index.row()])
        )

    def show_comparison(
        self, found: Comparison, grid: ValueGrid, theirs: BufferContents
    ) -> None:
        """Shows the largest differences of a comparison."""
        self._listed = [int(flat) for flat in found.listed]
        self.setRowCount(len(self._listed))
        for row, flat in enumerate(self._listed):
            here, there = grid.text(flat), reference_text(theirs, flat, is_real=grid.is_real)
            where = ", ".join(map(str, grid.indices(flat))) or "0"
            for column, text in enumerate((where, here, there, _difference(here, there))):
                item = QTableWidgetItem(text)
                item.setTextAlignment(RIGHT)
                self.setItem(row, column, item)
        self.resizeColumnsToContents()
        for column in range(len(TITLES)):
            self.setColumnWidth(column, self.columnWidth(column) + PADDING)

    def copy_rows(self) -> None:
        """Puts the selected rows, or all, on the clipboard, with titles and tabs."""
        chosen = sorted({index.row() for index in self.selectedIndexes()})
        rows = chosen or range(self.rowCount())
        lines = [[self._text(row, column) for column in range(len(TITLES))] for row in rows]
        text = "\n".join("\t".join(line) for line in (TITLES, *lines))
        QGuiApplication.clipboard().setText(text)

    def _text(self, row: int, column: int) -> str:
        item = self.item(row, column)
        return item.text() if item is not None else ""


def _difference(here: str, there: str) -> str:
    try:
        return f"{int(here) - int(there):+d}"
    except ValueError:
        pass
    try:
        return f"{float(here) - float(there):+.6g}"
    except ValueError:  # true and false
        return "changed"
