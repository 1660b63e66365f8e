# SPDX-License-Identifier: Apache-2.0
"""The table of values on the screen: widths, headers, and which elements are selected."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QFontDatabase, QPainter
from PySide6.QtWidgets import QAbstractButton, QFrame, QTableView

from tflm_studio.analysis.statistics import Statistics
from tflm_studio.model.errors import EditError
from tflm_studio.ui.models.value_table import MAX_CHANGED_CELLS, ValueTable
from tflm_studio.ui.views.value_delegate import PADDING, IndexHeader

SAMPLED_CELLS = 512  # whose widths stand for all
MOST_CHARACTERS = 40  # of a cell as wide as it gets
TITLE_CHARACTERS = 26  # of the axis names in the corner


class AxesCorner(QObject):
    """The corner between the headers: it names the axes of rows and columns.

    Args:
        view: Whose corner; its style would draw a raised button beside flat headers.
    """

    def __init__(self, view: ValueView) -> None:
        super().__init__(view)
        self._view = view
        button = view.findChild(QAbstractButton)
        assert button is not None
        self._button = button
        button.installEventFilter(self)

    @property
    def text(self) -> str:
        """The axes of rows and columns; empty if columns have none."""
        grid = self._view.table.grid
        if grid is None or grid.column_axis is None:
            return ""
        return f"{grid.row_title} \\ {grid.column_title}"

    def say(self, tip: str) -> None:
        """Says more under the cursor."""
        self._button.setToolTip(tip)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._paint()
            return True
        return super().eventFilter(watched, event)

    def _paint(self) -> None:
        painter = QPainter(self._button)
        painter.setFont(self._view.font())
        painter.setPen(self._view.palette().placeholderText().color())
        room = self._button.rect().adjusted(PADDING // 2, 0, -PADDING // 2, 0)
        cut = Qt.TextElideMode.ElideRight
        text = painter.fontMetrics().elidedText(self.text, cut, room.width())
        painter.drawText(room, int(Qt.AlignmentFlag.AlignRight), text)


class ValueView(QTableView):
    """Shows a table of values.

    Args:
        table: The table.

    Attributes:
        refused: Emitted with the reason when too much is selected.
        table: The table.
    """

    refused = Signal(str)

    def __init__(self, table: ValueTable) -> None:
        super().__init__()
        self.table = table
        self.setObjectName("values")
        self.setAccessibleName("Values")
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setAlternatingRowColors(True)
        self.setModel(table)
        self.setHorizontalHeader(IndexHeader(Qt.Orientation.Horizontal, self))
        self.setVerticalHeader(IndexHeader(Qt.Orientation.Vertical, self))
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + 5)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._corner = AxesCorner(self)

    def fit_sections(self, statistics: Statistics | None) -> None:
        """Makes cells and headers as wide as what stands in them, as far as that is known."""
        grid, metrics = self.table.grid, self.fontMetrics()
        if grid is None:
            return
        contents = grid.contents
        step = max(1, contents.count // SAMPLED_CELLS)
        texts = [grid.shown_text(f, self.table.look) for f in range(0, contents.count, step)]
        texts.append(f"+{grid.columns}")
        if statistics is not None and isinstance(statistics.low, int):
            texts += [str(statistics.low), str(statistics.high)]
        widest = min(max(map(len, texts), default=1), MOST_CHARACTERS)
        width = metrics.horizontalAdvance("0" * max(widest, 3)) + PADDING
        if contents.texts is not None:
            width = max(width, metrics.horizontalAdvance("0" * MOST_CHARACTERS * 2))
        self.horizontalHeader().setDefaultSectionSize(width)
        label = max(grid.row_label(0), grid.row_label(grid.rows - 1), key=len)
        title = self._corner.text[:TITLE_CHARACTERS]
        wide = max(metrics.horizontalAdvance(label), metrics.horizontalAdvance(title))
        self.verticalHeader().setFixedWidth(wide + PADDING + 4)
        self._corner.say(f"rows: {grid.row_title}\ncolumns: {grid.column_title or '…'}")

    # ------------------------------------------------------------------ selection

    def selected_indices(self) -> NDArray[np.int64]:
        """Flat indices of the selected values, row by row; of none if too many are."""
        blocks = self.selected_blocks(MAX_CHANGED_CELLS)
        grid = self.table.grid
        if not blocks or grid is None:
            return np.array([], np.int64)
        flat = np.concatenate([block.reshape(-1) for block in blocks])
        return flat[flat < grid.contents.count]

    def chosen(self) -> NDArray[np.int64]:
        """Flat indices of the selected values, each once, ascending.

        Raises:
            EditError: There are too many.
        """
        ranges = self.selectionModel().selection().toList()
        cells = sum(item.width() * item.height() for item in ranges)
        if cells > MAX_CHANGED_CELLS:
            raise EditError(
                f"{cells:,} values are selected; choose up to {MAX_CHANGED_CELLS:,}, or just "
                "one to change them all."
            )
        return np.unique(self.selected_indices())

    def selected_blocks(self, most: int) -> list[NDArray[np.int64]]:
        """Flat indices of what is selected, a block for each range; none if they are too many.

        Args:
            most: How many may be.
        """
        ranges, grid = self.selectionModel().selection().toList(), self.table.grid
        cells = sum(item.width() * item.height() for item in ranges)
        if cells > most:
            self.refused.emit(f"{cells:,} values are selected; at most {most:,} are possible.")
        if grid is None or cells > most:
            return []
        ranges.sort(key=lambda item: (item.top(), item.left()))
        return [
            grid.flat_indices(
                range(item.top(), item.bottom() + 1), range(item.left(), item.right() + 1)
            )
            for item in ranges
        ]

    def show_cell(self, row: int, column: int) -> None:
        """Selects a cell and scrolls to it."""
        cell = self.table.index(row, column)
        self.setCurrentIndex(cell)
        self.scrollTo(cell)
        self.setFocus()

    def pasted_places(self, rows: int, columns: int) -> NDArray[np.int64]:
        """Flat indices of a block of cells from the first selected one on, row by row.

        Args:
            rows: Of the block.
            columns: Of the block; a list goes on in the next line.

        Raises:
            EditError: There is no room for it.
        """
        grid, ranges = self.table.grid, self.selectionModel().selection().toList()
        current = self.currentIndex()
        if grid is None or not current.isValid():
            raise EditError("Select the cell that the first pasted value is for.")
        row = min((item.top() for item in ranges), default=current.row())
        column = min((item.left() for item in ranges), default=current.column())
        if grid.column_axis is None and 1 in (rows, columns):
            start = row * grid.columns + column
            if start + rows * columns > grid.contents.count:
                room = grid.contents.count - start
                pasted = f"{rows * columns:,} values are pasted"
                raise EditError(f"{pasted}; from {start} on there are {room:,}.")
            return np.arange(start, start + rows * columns, dtype=np.int64)
        flat = grid.flat_indices(range(row, row + rows), range(column, column + columns))
        if (
            row + rows > grid.rows
            or column + columns > grid.columns
            or int(flat.max()) >= grid.contents.count
        ):
            raise EditError(
                f"A block of {rows:,} × {columns:,} values is pasted; from row {row}, column "
                f"{column} on there is room for {grid.rows - row:,} × "
                f"{grid.columns - column:,}."
            )
        return flat.reshape(-1)
