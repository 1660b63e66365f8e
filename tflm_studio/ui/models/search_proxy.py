# SPDX-License-Identifier: Apache-2.0
"""Rows of a table that contain a text, in any order."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QSortFilterProxyModel

from tflm_studio.ui.models.record_table import SORT_ROLE, RecordTable


class SearchProxy(QSortFilterProxyModel):
    """Filters by what all cells of a row say; the words of a row are put together once.

    Qt's own filter asks for every cell at every key, which takes seconds for 20,000 rows.
    """

    def __init__(self, table: RecordTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._table = table
        self._needle = ""
        self._words: dict[int, str] = {}
        table.dataChanged.connect(self._forget)
        table.refreshed.connect(self._forget_all)
        for signal in (table.modelReset, table.rowsInserted, table.rowsRemoved):
            signal.connect(self._words.clear)
        table.rowsMoved.connect(self._words.clear)
        self.setSourceModel(table)
        self.setSortRole(SORT_ROLE)

    def search(self, text: str) -> None:
        """Shows only rows that contain the text anywhere."""
        needle = text.strip().casefold()
        if needle != self._needle:
            self._needle = needle
            self.invalidate()

    def filterAcceptsRow(
        self, source_row: int, source_parent: QModelIndex | QPersistentModelIndex
    ) -> bool:
        if not self._needle:
            return True
        if source_row not in self._words:
            cells = (column.text(source_row) for column in self._table.columns)
            self._words[source_row] = "\n".join(cells).casefold()
        return self._needle in self._words[source_row]

    def _forget_all(self) -> None:
        self._words.clear()
        if self._needle or self.sortColumn() >= 0:
            self.invalidate()

    def _forget(self, first: QModelIndex, last: QModelIndex) -> None:
        for row in range(first.row(), last.row() + 1):
            self._words.pop(row, None)
