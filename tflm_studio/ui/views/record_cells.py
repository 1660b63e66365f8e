# SPDX-License-Identifier: Apache-2.0
"""How header and cells of a table of records are drawn, and how wide its columns are."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, QTimer
from PySide6.QtWidgets import (
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionHeader,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from tflm_studio.model.excerpts import excerpt
from tflm_studio.ui.models.record_table import GROUP_COLUMN, RecordTable
from tflm_studio.ui.views.colours import CHIP_PIXELS

WIDEST_PIXELS = 340
MOST_MEASURED_ROWS = 8
GAP = "\N{EN SPACE}"
SAMPLE_ROWS = 200
LONGEST_TEXT = 2**31 - 1  # Qt cuts at 32,767 unless told otherwise
PADDING_PIXELS = 20


class RecordHeader(QHeaderView):
    """A header whose numbers keep a distance from the next column, as the cells do."""

    def initStyleOptionForIndex(self, option: QStyleOptionHeader, logical_index: int) -> None:
        super().initStyleOptionForIndex(option, logical_index)
        if option.textAlignment & Qt.AlignmentFlag.AlignRight:
            option.text += GAP


class CellDelegate(QStyledItemDelegate):
    """Draws cells; numbers, which stand on the right, keep a distance from the next column."""

    def createEditor(
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> QWidget:
        editor = super().createEditor(parent, option, index)
        if isinstance(editor, QLineEdit):
            editor.setMaxLength(LONGEST_TEXT)
        return editor

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        if option.displayAlignment & Qt.AlignmentFlag.AlignRight:
            option.text += GAP


class ColumnFit:
    """Makes the columns of a view as wide as what they hold, and wider when that grows.

    Args:
        view: The view.
        table: What it shows, perhaps through a filter.
    """

    def __init__(self, view: QTableView, table: RecordTable) -> None:
        self._view = view
        self._table = table
        self._grown: set[int] = set()
        table.dataChanged.connect(self._note_rows)

    def fit(self) -> None:
        """Makes columns as wide as what the first rows hold."""
        rows = range(min(self._table.rowCount(), SAMPLE_ROWS))
        for number in range(self._table.columnCount()):
            self._view.setColumnWidth(number, self._width_for(number, rows))

    def _width_for(self, number: int, rows: Sequence[int]) -> int:
        # Qt's own way asks the delegate for every cell, which takes 30 times as long.
        column, metrics = self._table.columns[number], self._view.fontMetrics()
        texts = (excerpt(column.text(row)) for row in rows)
        shown = max(map(metrics.horizontalAdvance, texts), default=0)
        if rows and number == GROUP_COLUMN and self._table.group(rows[0]):
            shown += CHIP_PIXELS + 8
        width = max(shown, metrics.horizontalAdvance(column.title) + 8) + PADDING_PIXELS
        return min(width, WIDEST_PIXELS)

    def _note_rows(self, first: QModelIndex, last: QModelIndex) -> None:
        """Has columns grown for rows once all edits of a moment are done."""
        if last.row() - first.row() >= MOST_MEASURED_ROWS:
            return
        if not self._grown:
            QTimer.singleShot(0, self._view, self._grow)
        self._grown.update(range(first.row(), last.row() + 1))

    def _grow(self) -> None:
        count = self._table.rowCount()
        rows = [row for row in sorted(self._grown)[:MOST_MEASURED_ROWS] if row < count]
        self._grown.clear()
        for number in range(self._table.columnCount()):
            wanted = self._width_for(number, rows)
            if wanted > self._view.columnWidth(number):
                self._view.setColumnWidth(number, wanted)
