# SPDX-License-Identifier: Apache-2.0
"""A table of operators, tensors or buffers that filters, sorts and follows the selection."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    Qt,
)
from PySide6.QtGui import (
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
)
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QFrame,
    QHeaderView,
    QTableView,
    QWidget,
)

from tflm_studio.analysis.row_query import RowQuery
from tflm_studio.editing.document import Change
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.related import NOTHING, Related, related_to
from tflm_studio.ui.models.record_table import (
    ADDRESS_ROLE,
    RecordTable,
    runs,
)
from tflm_studio.ui.models.search_proxy import SearchProxy
from tflm_studio.ui.models.session import relinks
from tflm_studio.ui.views.cell_steps import editable_from, next_editable
from tflm_studio.ui.views.empty_note import EmptyNote
from tflm_studio.ui.views.record_cells import CellDelegate, ColumnFit, RecordHeader
from tflm_studio.ui.views.row_clipboard import cells_to_paste, rows_as_text

ROW_PIXELS = 24
MOST_MARKED = 500
OPENING_KEYS = (Qt.Key.Key_F2, Qt.Key.Key_Return, Qt.Key.Key_Enter)
SILENT_KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Delete, Qt.Key.Key_Backspace)
HELD_KEYS = (
    Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.ShiftModifier
)
STEPS = {
    QAbstractItemDelegate.EndEditHint.EditNextItem: 1,
    QAbstractItemDelegate.EndEditHint.EditPreviousItem: -1,
}

_SELECT = QItemSelectionModel.SelectionFlag


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
        self._only_marked = False
        self.setObjectName(name)
        # Heard before the proxy tells it on: Qt then makes another row current.
        table.rowsAboutToBeRemoved.connect(self._rows_go)
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
        self._fit = ColumnFit(self, table)
        table.refreshed.connect(self.viewport().update)
        table.rowsRemoved.connect(self._rows_gone)
        table.modelReset.connect(lambda: self.follow(self.session.selection.address))
        self.empty_note = EmptyNote(self)
        for signal in (self.proxy.modelReset, self.proxy.layoutChanged):
            signal.connect(self._show_if_empty)
        self.proxy.rowsInserted.connect(self._show_if_empty)
        self.proxy.rowsRemoved.connect(self._show_if_empty)
        self.fit_columns()

    def _show_if_empty(self) -> None:
        self.empty_note.show_if(self.is_filtered_away)

    @property
    def is_filtered_away(self) -> bool:
        """Whether there are rows, none of which the filter shows."""
        return self.table.rowCount() > 0 and self.proxy.rowCount() == 0

    def _build_look(self) -> None:
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setWordWrap(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(
            triggers.DoubleClicked | triggers.EditKeyPressed | triggers.AnyKeyPressed
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
        self._fit.fit()

    def filter(self, text: str) -> RowQuery:
        """Shows only the rows that fit a text; returns what it was taken for."""
        self.proxy.search(text)
        self._show_if_empty()
        return self.proxy.query

    def enter(self) -> None:
        """Takes the focus; a row that is shown is current then."""
        self.setFocus()
        if not self.currentIndex().isValid() and self.proxy.rowCount():
            self._choose(self.proxy.index(0, 0))

    def count_text(self) -> str:
        """How many rows there are, and how many of them the filter shows."""
        count, shown = self.table.rowCount(), self.proxy.rowCount()
        return f"{count:,}" if shown == count else f"{shown:,} of {count:,}"

    def shows(self, address: Address) -> bool:
        """Whether a thing of the table has a row that the filter shows."""
        own = self.table.list_address()
        if address[: len(own)] != own or len(address) <= len(own):
            return False
        return self.proxy.mapFromSource(self.table.index(int(address[len(own)]), 0)).isValid()

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
        column = max(self.currentIndex().column(), 0)
        index = self.proxy.mapFromSource(self.table.index(row, column))
        # Rows marked because something else was selected are none that a person chose.
        was_marked, self._only_marked = self._only_marked, False
        if index.isValid() and self.currentIndex().row() != index.row():
            self._choose(index)
        elif self._pressing:
            pass  # the press itself selects, and may be one of several with Ctrl
        elif index.isValid() and (was_marked or not self.selectionModel().isSelected(index)):
            # Of several selected rows, the current one is among them.
            flags = _SELECT.ClearAndSelect | _SELECT.Rows
            self.selectionModel().select(index, flags)
        self.scrollTo(index)

    def _choose(self, index: QModelIndex) -> None:
        """Makes a row the current and only one, whatever keys are held: Ctrl, as for undo."""
        self.selectionModel().setCurrentIndex(index, _SELECT.ClearAndSelect | _SELECT.Rows)

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
        self._only_marked = True
        if places:
            self.scrollTo(self.proxy.index(places[0], 0))

    def _shows(self, subgraph_index: int) -> bool:
        own = self.table.list_address()
        return len(own) < 2 or own[1] == subgraph_index

    def _rows_go(self) -> None:
        self._following = True

    def _rows_gone(self) -> None:
        self._following = False

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

    # ------------------------------------------------------------------ keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.state() is QAbstractItemView.State.EditingState:
            # Editors hand on what they do not use, such as the Enter that ends them.
            event.ignore()
            return
        opens = event.key() in OPENING_KEYS and not event.modifiers() & HELD_KEYS
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_rows()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif opens and editable_from(self, self.currentIndex()).isValid():
            self._open_editor(editable_from(self, self.currentIndex()))
        elif event.key() == Qt.Key.Key_F2 and self.currentIndex().isValid():
            self._refuse_editing(self.currentIndex())
        elif event.key() in SILENT_KEYS:
            event.ignore()  # typing opens an editor, but these are no text
        else:
            super().keyPressEvent(event)

    def _refuse_editing(self, index: QModelIndex) -> None:
        title = self.model().headerData(index.column(), Qt.Orientation.Horizontal)
        self.session.refused.emit(
            f"'{title}' cannot be edited in the table; the inspector has the fields that can."
        )

    def _open_editor(self, index: QModelIndex) -> None:
        self._choose(index)
        self.scrollTo(index)
        self.edit(index)

    def closeEditor(self, editor: QWidget, hint: QAbstractItemDelegate.EndEditHint) -> None:
        step = STEPS.get(hint, 0)
        if not step:
            super().closeEditor(editor, hint)
            return
        super().closeEditor(editor, QAbstractItemDelegate.EndEditHint.NoHint)
        # What was typed may have moved the row elsewhere, or out of what the filter shows.
        target = next_editable(self, self.currentIndex(), step)
        if target.isValid():
            self._open_editor(target)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        current = self.currentIndex()
        if not self.hasFocus() or not current.isValid():
            return
        # Rows are selected, but keys edit a cell.
        painter = QPainter(self.viewport())
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), 2))
        painter.drawRect(self.visualRect(current).adjusted(1, 1, -1, -1))

    # ------------------------------------------------------------------ rows as text

    def copy_rows(self, form: str = "tabs") -> None:
        """Copies the selected rows; see `rows_as_text`."""
        QGuiApplication.clipboard().setText(rows_as_text(self, form))

    def paste(self) -> None:
        """Writes what was copied into cells, from the current one on, as one step."""
        text = QGuiApplication.clipboard().text()
        if not text:
            return
        try:
            cells = cells_to_paste(self, text)
        except EditError as error:
            self.session.refused.emit(str(error))
            return
        self.table.put(cells)

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
        self._only_marked = False

    def selected_text(self) -> str:
        """The selected rows, cells parted by tabs, as spreadsheets take them."""
        return rows_as_text(self)
