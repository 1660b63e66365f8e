# SPDX-License-Identifier: Apache-2.0
"""The table of operators, whose rows can be dragged to another place."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QMimeData, QPoint, Qt, Signal
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QPixmap,
)
from PySide6.QtWidgets import QAbstractItemView, QWidget

from tflm_studio.model.place_names import plural
from tflm_studio.ui.models.operator_table import OperatorTable
from tflm_studio.ui.views.record_view import RecordView

NUMBER_COLUMN = 0
LINE_PIXELS = 2
MIME_TYPE = "application/x-tflm-studio-operators"


class OperatorView(RecordView):
    """Shows an `OperatorTable`.

    Selected rows, and any row by its number, are dragged to where `drop_wanted` says: before
    a row, or behind the last. That is possible while the rows stand in execution order and
    none is hidden.
    """

    drop_wanted = Signal(int)

    def __init__(self, table: OperatorTable, name: str, parent: QWidget | None = None) -> None:
        super().__init__(table, name, parent=parent)
        self._drop_row: int | None = None
        self.setDropIndicatorShown(False)  # Qt's own is as narrow as a cell
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)

    def shows_execution_order(self) -> bool:
        """Whether every row is shown, in the order of the operators."""
        column, order = self.proxy.sortColumn(), self.proxy.sortOrder()
        by_number = column == NUMBER_COLUMN and order is Qt.SortOrder.AscendingOrder
        is_whole = self.proxy.rowCount() == self.table.rowCount()
        return is_whole and (column < 0 or by_number)

    def shows_all(self, rows: Sequence[int]) -> bool:
        """Whether none of some operators is hidden by a search."""
        return all(
            self.proxy.mapFromSource(self.table.index(row, 0)).isValid() for row in rows
        )

    def bring_into_view(self, rows: Sequence[int]) -> None:
        """Scrolls to the first and to the last of some operators."""
        for row in (rows[0], rows[-1]):
            index = self.proxy.mapFromSource(self.table.index(row, 0))
            if index.isValid():
                across = self.horizontalScrollBar().value()
                self.scrollTo(index)
                self.horizontalScrollBar().setValue(across)

    # ------------------------------------------------------------------ dragging

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.indexAt(event.position().toPoint())
        is_handle = index.column() == NUMBER_COLUMN or self.selectionModel().isSelected(index)
        # Elsewhere, moving the pressed mouse goes on selecting rows.
        self.setDragEnabled(is_handle and self.shows_execution_order())
        super().mousePressEvent(event)

    def startDrag(self, supported_actions: Qt.DropAction) -> None:
        rows = self.selected_rows()
        if rows:
            drag = self.make_drag(rows)
            drag.exec(Qt.DropAction.MoveAction)
            self._show_drop(None)

    def make_drag(self, rows: Sequence[int]) -> QDrag:
        """What is under the pointer while rows are dragged."""
        drag = QDrag(self)
        content = QMimeData()
        content.setData(MIME_TYPE, b"")
        drag.setMimeData(content)
        drag.setPixmap(self._label(plural(len(rows), "operator")))
        drag.setHotSpot(QPoint(-12, 0))
        return drag

    def _label(self, text: str) -> QPixmap:
        size = self.fontMetrics().size(Qt.TextFlag.TextSingleLine, text)
        size.setWidth(size.width() + 16)
        size.setHeight(size.height() + 8)
        scale = self.devicePixelRatioF()
        picture = QPixmap(size * scale)
        picture.setDevicePixelRatio(scale)
        palette = self.palette()
        picture.fill(palette.color(QPalette.ColorRole.Highlight))
        painter = QPainter(picture)
        painter.setFont(self.font())
        painter.setPen(palette.color(QPalette.ColorRole.HighlightedText))
        painter.drawText(QPoint(8, 4 + self.fontMetrics().ascent()), text)
        painter.end()
        return picture

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        # Files that are dropped are for the window.
        if self._is_own(event):
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)  # scrolls near the edges
        if self._is_own(event):
            self._show_drop(self.drop_row_at(event.position().toPoint()))
            event.acceptProposedAction()
        else:
            event.ignore()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        super().dragLeaveEvent(event)
        self._show_drop(None)

    def dropEvent(self, event: QDropEvent) -> None:
        if not self._is_own(event):
            event.ignore()
            return
        row = self.drop_row_at(event.position().toPoint())
        self._show_drop(None)
        self.setState(QAbstractItemView.State.NoState)
        self.stopAutoScroll()
        event.acceptProposedAction()
        self.drop_wanted.emit(row)

    def _is_own(self, event: QDropEvent) -> bool:
        return event.source() is self and event.mimeData().hasFormat(MIME_TYPE)

    def drop_row_at(self, place: QPoint) -> int:
        """The row before which something dropped at a place of the viewport goes."""
        row = self.rowAt(place.y())
        if row < 0:
            return self.proxy.rowCount()
        middle = self.rowViewportPosition(row) + self.rowHeight(row) // 2
        return row + (place.y() >= middle)

    def _show_drop(self, row: int | None) -> None:
        if row != self._drop_row:
            self._drop_row = row
            self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._drop_row is None:
            return
        count = self.proxy.rowCount()
        last = min(self._drop_row, count - 1)
        y = self.rowViewportPosition(last) + self.rowHeight(last) * (self._drop_row == count)
        y = max(LINE_PIXELS // 2, min(y, self.viewport().height() - LINE_PIXELS // 2))
        painter = QPainter(self.viewport())
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Accent), LINE_PIXELS))
        painter.drawLine(0, y, self.viewport().width(), y)
