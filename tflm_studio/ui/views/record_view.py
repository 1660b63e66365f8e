# SPDX-License-Identifier: Apache-2.0
"""A table of operators, tensors or buffers that filters, sorts and follows the selection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    QTimer,
)
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QMouseEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionHeader,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from tflm_studio.editing.document import Change
from tflm_studio.model.address import Address
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.related import NOTHING, Related, related_to
from tflm_studio.ui.models.record_table import (
    ADDRESS_ROLE,
    GROUP_COLUMN,
    RecordTable,
    runs,
)
from tflm_studio.ui.models.search_proxy import SearchProxy
from tflm_studio.ui.models.session import relinks
from tflm_studio.ui.views.colours import CHIP_PIXELS

ROW_PIXELS = 24
WIDEST_PIXELS = 340
MOST_MEASURED_ROWS = 8
MOST_MARKED = 500
GAP = "\N{EN SPACE}"
SAMPLE_ROWS = 200
LONGEST_TEXT = 2**31 - 1  # Qt cuts at 32,767 unless told otherwise
PADDING_PIXELS = 20

_SELECT = QItemSelectionModel.SelectionFlag


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


class RecordView(QTableView):
    """Shows a `RecordTable`.

    Its own rows follow the selection: the selected thing is current, and where something else
    is selected, the rows that belong to it are marked.
    """

    def __init__(
        self,
        table: RecordTable,
        name: str,
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideRight,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.table = table
        self.session = table.session
        self._following = False
        self._pressing = False
        self._grown: set[int] = set()
        self.setObjectName(name)
        self.proxy = SearchProxy(table, self)
        self.setModel(self.proxy)
        self.setHorizontalHeader(RecordHeader(Qt.Orientation.Horizontal, self))
        self.setItemDelegate(CellDelegate(self))
        self._build_look()
        self.setTextElideMode(elide)
        self.selectionModel().currentChanged.connect(self._on_current_changed)
        self.clicked.connect(self._select)
        self.session.selection.changed.connect(self.follow)
        self.session.changed.connect(self._on_document_changed)
        table.dataChanged.connect(self._note_rows)
        table.refreshed.connect(self.viewport().update)
        table.modelReset.connect(lambda: self.follow(self.session.selection.address))
        self.fit_columns()

    def _build_look(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(ROW_PIXELS)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(True)
        header.setSectionsMovable(True)
        header.setStretchLastSection(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        self.setSortingEnabled(True)

    def fit_columns(self) -> None:
        """Makes columns as wide as what the first rows hold."""
        rows = range(min(self.table.rowCount(), SAMPLE_ROWS))
        for number in range(self.table.columnCount()):
            self.setColumnWidth(number, self._width_for(number, rows))

    def _width_for(self, number: int, rows: Sequence[int]) -> int:
        # Qt's own way asks the delegate for every cell, which takes 30 times as long.
        column, metrics = self.table.columns[number], self.fontMetrics()
        texts = (excerpt(column.text(row)) for row in rows)
        shown = max(map(metrics.horizontalAdvance, texts), default=0)
        if rows and number == GROUP_COLUMN and self.table.group(rows[0]):
            shown += CHIP_PIXELS + 8
        width = max(shown, metrics.horizontalAdvance(column.title) + 8) + PADDING_PIXELS
        return min(width, WIDEST_PIXELS)

    def _note_rows(self, first: QModelIndex, last: QModelIndex) -> None:
        """Has columns grown for rows once all edits of a moment are done."""
        if last.row() - first.row() >= MOST_MEASURED_ROWS:
            return
        if not self._grown:
            QTimer.singleShot(0, self, self._grow_columns)
        self._grown.update(range(first.row(), last.row() + 1))

    def _grow_columns(self) -> None:
        count = self.table.rowCount()
        rows = [row for row in sorted(self._grown)[:MOST_MEASURED_ROWS] if row < count]
        self._grown.clear()
        for number in range(self.table.columnCount()):
            wanted = self._width_for(number, rows)
            if wanted > self.columnWidth(number):
                self.setColumnWidth(number, wanted)

    def filter(self, text: str) -> None:
        """Shows only rows that contain the text anywhere."""
        self.proxy.search(text)

    def count_text(self) -> str:
        """How many rows there are, and how many of them the filter shows."""
        count, shown = self.table.rowCount(), self.proxy.rowCount()
        return f"{count:,}" if shown == count else f"{shown:,} of {count:,}"

    def follow(self, address: Address) -> None:
        """Marks what belongs to the selected place."""
        own, across = self.table.list_address(), self.horizontalScrollBar()
        # Whoever clicks a cell on the right wants to see it, not the start of its row.
        place = across.value()
        self._following = True
        try:
            if address[: len(own)] == own and len(address) > len(own):
                self._make_current(int(address[len(own)]))
            else:
                self._mark(address)
        finally:
            self._following = False
            across.setValue(place)

    def _on_document_changed(self, change: Change) -> None:
        """Marks anew what belongs to the selected thing, which may be wired otherwise now."""
        if not any(map(relinks, change.edits)):
            return
        up = self.verticalScrollBar().value()
        self.follow(self.session.selection.address)
        self.verticalScrollBar().setValue(up)

    def _make_current(self, row: int) -> None:
        if row >= self.table.rowCount():
            # A link may name what is not there, by a number that Qt cannot even hold.
            self.selectionModel().clearSelection()
            return
        index = self.proxy.mapFromSource(self.table.index(row, 0))
        if index.isValid() and self.currentIndex().row() != index.row():
            self.setCurrentIndex(index)
        elif self._pressing:
            pass  # the press itself selects, and may be one of several with Ctrl
        elif index.isValid() and not self.selectionModel().isSelected(index):
            # Of several selected rows, the current one is among them.
            flags = _SELECT.ClearAndSelect | _SELECT.Rows
            self.selectionModel().select(index, flags)
        self.scrollTo(index)

    def _mark(self, address: Address) -> None:
        kind, session = str(self.table.list_address()[-1]), self.session
        related = related_to(
            session.document.model, address, session.subgraph_index, session.wiring
        )
        shown = kind in Related._fields and self._shows(related.subgraph_index)
        rows: frozenset[int] = getattr(related, kind) if shown else NOTHING
        known = sorted(row for row in rows if 0 <= row < self.table.rowCount())
        # Selections of many parts are slow; who marks thousands of rows sees none of them.
        sources = (self.table.index(row, 0) for row in known[:MOST_MARKED])
        places = sorted(i.row() for i in map(self.proxy.mapFromSource, sources) if i.isValid())
        marked = QItemSelection()
        for first, last in runs(places):
            top, bottom = self.proxy.index(first, 0), self.proxy.index(last, 0)
            marked.append(QItemSelectionRange(top, bottom))
        self.selectionModel().select(marked, _SELECT.ClearAndSelect | _SELECT.Rows)
        if places:
            self.scrollTo(self.proxy.index(places[0], 0))

    def _shows(self, subgraph_index: int) -> bool:
        own = self.table.list_address()
        return len(own) < 2 or own[1] == subgraph_index

    def _on_current_changed(self, current: QModelIndex) -> None:
        # Qt also moves the current row when rows go away; only a person's move selects.
        if not self._following and current.isValid() and self.hasFocus():
            self._select(current)

    def _select(self, index: QModelIndex) -> None:
        self.session.selection.select(index.data(ADDRESS_ROLE))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressing = True
        super().mousePressEvent(event)
        self._pressing = False
        index = self.indexAt(event.position().toPoint())
        if event.button() == Qt.MouseButton.RightButton and index.isValid():
            # The commands of the menu are for the row it was opened on.
            self._select(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            QGuiApplication.clipboard().setText(self.selected_text())
        else:
            super().keyPressEvent(event)

    def selected_rows(self) -> list[int]:
        """Indices of the selected things, in the order in which they are shown."""
        # Qt's `selectedRows` asks for the flags of every cell, which takes 20 times as long.
        chosen: set[int] = set()
        parts = self.selectionModel().selection()
        for part in map(parts.at, range(parts.size())):
            chosen.update(range(part.top(), part.bottom() + 1))
        return [
            self.proxy.mapToSource(self.proxy.index(row, 0)).row() for row in sorted(chosen)
        ]

    def select_rows(self, rows: Iterable[int]) -> None:
        """Selects several things; the last of them becomes the current one."""
        places = [self.proxy.mapFromSource(self.table.index(row, 0)) for row in rows]
        shown = [place for place in places if place.isValid()]
        if not shown:
            return
        chosen = QItemSelection()
        for place in shown:
            chosen.select(place, place)
        self.session.selection.select(shown[-1].data(ADDRESS_ROLE))
        model = self.selectionModel()
        model.setCurrentIndex(shown[-1], _SELECT.NoUpdate)
        model.select(chosen, _SELECT.ClearAndSelect | _SELECT.Rows)

    def selected_text(self) -> str:
        """The selected rows, cells parted by tabs, as spreadsheets take them."""
        rows = self.selected_rows()
        # Not what the cells show, which may be no more than the ends of a long text.
        return "\n".join("\t".join(c.text(row) for c in self.table.columns) for row in rows)
