# SPDX-License-Identifier: Apache-2.0
"""Rows of a table that fit a query, in any order."""

from __future__ import annotations

import time

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    QTimer,
)

from tflm_studio.analysis.row_query import RowQuery, folded, parse_query
from tflm_studio.ui.models.record_table import SORT_ROLE, RecordTable

SLICE_SECONDS = 0.01


class FoundRows:
    """What queries ask of the rows of a table; each thing is put together once.

    Args:
        table: Whose rows.
    """

    def __init__(self, table: RecordTable) -> None:
        self._table = table
        self._found_as = [column.found_as or column.text for column in table.columns]
        self._cells: list[dict[int, str]] = [{} for _ in self._found_as]
        self._texts: dict[int, str] = {}
        self._sizes: dict[int, int] = {}
        self._types: dict[int, frozenset[str]] = {}
        self.index = table.index_of

    def text(self, row: int) -> str:
        """All cells of a row, one a line."""
        known = self._texts.get(row)
        if known is None:
            cells = (self.cell(row, column) for column in range(len(self._cells)))
            known = self._texts[row] = "\n".join(cells)
        return known

    def cell(self, row: int, column: int) -> str:
        """What a cell says."""
        cells = self._cells[column]
        if row not in cells:
            cells[row] = folded(self._found_as[column](row))
        return cells[row]

    def size(self, row: int) -> int:
        """Bytes of its data."""
        if row not in self._sizes:
            self._sizes[row] = self._table.size_of(row)
        return self._sizes[row]

    def types(self, row: int) -> frozenset[str]:
        """Names of its element types."""
        if row not in self._types:
            self._types[row] = self._table.types_of(row)
        return self._types[row]

    def forget(self, row: int) -> None:
        """Says that a row shows something else."""
        for known in (*self._cells, self._texts, self._sizes, self._types):
            known.pop(row, None)  # type: ignore[attr-defined]

    def forget_all(self) -> None:
        """Says that all rows may show something else."""
        for known in (*self._cells, self._texts, self._sizes, self._types):
            known.clear()  # type: ignore[attr-defined]


class SearchProxy(QSortFilterProxyModel):
    """Filters by what all cells of a row say.

    Qt's own filter asks for every cell at every key, which takes seconds for 20,000 rows.

    Attributes:
        query: What is shown; all rows if it has a `problem`.
    """

    def __init__(self, table: RecordTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.query = RowQuery()
        self._table = table
        self._text = ""
        self._rows = FoundRows(table)
        self._prepared = 0
        self._fitting: bytes | None = None  # for each row, as long as none has changed
        self._slices = QTimer(self)
        self._slices.timeout.connect(self._prepare_some)
        table.dataChanged.connect(self._forget)
        table.refreshed.connect(self._on_refreshed)
        for signal in (table.modelReset, table.rowsInserted, table.rowsRemoved):
            signal.connect(self._forget_all)
        table.rowsMoved.connect(self._forget_all)
        # Before Qt's own filter hears of rows that come.
        table.rowsAboutToBeInserted.connect(self._forget_all)
        self.setSourceModel(table)
        self.setSortRole(SORT_ROLE)

    def search(self, text: str) -> None:
        """Shows only the rows that fit a text, as `row_query` understands it."""
        if text.strip() == self._text:
            return
        self._text = text.strip()
        titles = [column.title for column in self._table.columns]
        also, kind = self._table.asked_also, self._table.kind
        before = self._fitting
        self.query = parse_query(text, titles, also, kind)
        rows, fits = range(self._table.rowCount()), self.query.fits
        self._fitting = bytes([fits(self._rows, row) for row in rows])
        if self._fitting != before:
            self.invalidate()

    def prepare(self) -> None:
        """Puts together what queries ask for, bit by bit, before one is typed."""
        self._prepared = 0
        self._slices.start()

    def _prepare_some(self) -> None:
        end = time.monotonic() + SLICE_SECONDS
        count = self._table.rowCount()
        while self._prepared < count and time.monotonic() < end:
            self._rows.text(self._prepared)
            self._prepared += 1
        if self._prepared >= count:
            self._slices.stop()

    def filterAcceptsRow(
        self, source_row: int, source_parent: QModelIndex | QPersistentModelIndex
    ) -> bool:
        if self._fitting is not None:
            return bool(self._fitting[source_row])
        return self.query.fits(self._rows, source_row)

    def _on_refreshed(self) -> None:
        self._forget_all()
        if self.query.tests or self.sortColumn() >= 0:
            self.invalidate()

    def _forget_all(self) -> None:
        self._fitting = None
        self._slices.stop()
        self._rows.forget_all()

    def _forget(self, first: QModelIndex, last: QModelIndex) -> None:
        self._fitting = None
        for row in range(first.row(), last.row() + 1):
            self._rows.forget(row)
