# SPDX-License-Identifier: Apache-2.0
"""The values of a buffer: a table to look at them, to edit, fill, paste and copy them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QFontDatabase, QGuiApplication, QKeySequence, QPainter
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QInputDialog,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.cell_values import parse_block
from tflm_studio.editing.document import Document
from tflm_studio.formats.array_text import c_text, numpy_text
from tflm_studio.formats.c_source_writer import symbol_for
from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import Array
from tflm_studio.ui.models.value_table import (
    MAX_CHANGED_CELLS,
    ValueGrid,
    ValueLook,
    ValueTable,
)
from tflm_studio.ui.models.view_choices import ViewChoices
from tflm_studio.ui.views.value_colours import colour_scale
from tflm_studio.ui.views.value_delegate import PADDING, IndexHeader, ValueDelegate
from tflm_studio.ui.views.value_tools import ValueTools

MAX_COPIED_CELLS = 1 << 20
SAMPLED_CELLS = 512  # whose widths stand for all
MOST_CHARACTERS = 40  # of a cell as wide as it gets
TITLE_CHARACTERS = 26  # of the axis names in the corner

Keys = QKeySequence.StandardKey


class ValuesPage(QWidget):
    """A table of values; editing a cell is one step of the document.

    Attributes:
        refused: Emitted with the reason when a value cannot be stored.
        slice_wanted: Emitted with the grid that shows what was asked for.
        uses_axes: Whether it shows a slice along chosen axes.
        tools: Fields that stand beside those of the axes.
    """

    refused = Signal(str)
    slice_wanted = Signal(object)  # ValueGrid
    uses_axes = True

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = ValueTable(document, self)
        self.table.refused.connect(self.refused)
        self._statistics: Statistics | None = None
        self._choices: ViewChoices | None = None
        self.delegate = ValueDelegate(self)
        self.delegate.fill_wanted.connect(self.fill_selection)
        self.view = self._build_view()
        self.tools = ValueTools()
        self.tools.refused.connect(self.refused)
        self.tools.place_wanted.connect(self.go_to)
        self.tools.look_changed.connect(self._restyle)
        self.tools.look_changed.connect(self._remember)
        self._corner = self.view.findChild(QAbstractButton)
        assert self._corner is not None
        self._corner.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self.setFocusProxy(self.view)

    def _build_view(self) -> QTableView:
        view = QTableView()
        view.setObjectName("values")
        view.setAccessibleName("Values")
        view.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setWordWrap(False)
        view.setShowGrid(False)
        view.setAlternatingRowColors(True)
        view.setItemDelegate(self.delegate)
        view.setModel(self.table)
        view.setHorizontalHeader(IndexHeader(Qt.Orientation.Horizontal, view))
        view.setVerticalHeader(IndexHeader(Qt.Orientation.Vertical, view))
        view.verticalHeader().setDefaultSectionSize(view.fontMetrics().height() + 5)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        self._actions: list[QAction] = []
        for text, keys, act in (
            ("Copy values", Keys.Copy, self.copy_selection),
            ("Copy as numpy", None, self.copy_numpy),
            ("Copy as C", None, self.copy_c),
            ("", None, None),
            ("Paste values", Keys.Paste, self.paste),
            ("Fill…", None, self.ask_fill),
            ("Set to zero", Keys.Delete, self.clear_selection),
        ):
            self._add_action(view, text, keys, act)
        return view

    def _add_action(
        self, view: QTableView, text: str, keys: Keys | None, act: Callable[[], None] | None
    ) -> None:
        action = QAction(text, view)
        if act is None:
            action.setSeparator(True)
        else:
            action.triggered.connect(act)
        if keys is not None:
            action.setShortcut(keys)
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        view.addAction(action)
        self._actions.append(action)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._corner and event.type() == QEvent.Type.Paint:
            # The style draws a raised button, beside headers that are flat.
            self._paint_corner(self._corner)
            return True
        return super().eventFilter(watched, event)

    def _paint_corner(self, corner: QWidget) -> None:
        painter = QPainter(corner)
        painter.setFont(self.view.font())
        painter.setPen(self.palette().placeholderText().color())
        metrics = painter.fontMetrics()
        room = corner.rect().adjusted(PADDING // 2, 0, -PADDING // 2, 0)
        text = metrics.elidedText(
            _title(self.table), Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, int(Qt.AlignmentFlag.AlignRight), text)

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows the values of a grid."""
        self._statistics = statistics
        self.table.show_grid(grid)
        self.tools.show_grid(grid)
        self._restyle()
        for action in self._actions[4:]:
            action.setEnabled(grid.contents.is_editable)

    def show_statistics(self, statistics: Statistics | None) -> None:
        """Colours reach as far as the values do."""
        self._statistics = statistics
        self._colour()

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Shows the same grid after some bytes have changed."""
        self.table.update_bytes(grid, first, last)

    def follow_choices(self, choices: ViewChoices) -> None:
        """Takes over how values were written last, and remembers how they are."""
        self._choices = choices
        decimals = choices.get("values.decimals", "")
        self.tools.set_look(
            ValueLook(
                int(decimals) if decimals in ("3", "6") else None,
                choices.get("values.both", "") == "yes",
                choices.get("values.colours", "") == "yes",
            )
        )

    def _remember(self) -> None:
        look, choices = self.tools.look, self._choices
        if choices is not None:
            choices.choose(
                "values.decimals", "" if look.decimals is None else str(look.decimals)
            )
            choices.choose("values.both", "yes" if look.has_both else "")
            choices.choose("values.colours", "yes" if look.has_colours else "")

    def _restyle(self) -> None:
        self.table.look = self.tools.look
        self._colour()
        if self.table.grid is not None:
            self._fit_sections(self.table.grid, self._statistics)

    def _colour(self) -> None:
        grid, look = self.table.grid, self.tools.look
        is_coloured = look.has_colours and grid is not None and grid.contents.texts is None
        self.delegate.scale = None
        if is_coloured and grid is not None:
            self.delegate.scale = colour_scale(grid, self._statistics)
        self.view.viewport().update()

    def _fit_sections(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        metrics, contents = self.view.fontMetrics(), grid.contents
        step = max(1, contents.count // SAMPLED_CELLS)
        texts = [grid.shown_text(f, self.table.look) for f in range(0, contents.count, step)]
        texts.append(f"+{grid.columns}")
        if statistics is not None and isinstance(statistics.low, int):
            texts += [str(statistics.low), str(statistics.high)]
        widest = min(max(map(len, texts), default=1), MOST_CHARACTERS)
        width = metrics.horizontalAdvance("0" * max(widest, 3)) + PADDING
        if contents.texts is not None:
            width = max(width, metrics.horizontalAdvance("0" * MOST_CHARACTERS * 2))
        self.view.horizontalHeader().setDefaultSectionSize(width)
        label = max(grid.row_label(0), grid.row_label(grid.rows - 1), key=len)
        title = _title(self.table)[:TITLE_CHARACTERS]
        wide = max(metrics.horizontalAdvance(label), metrics.horizontalAdvance(title))
        self.view.verticalHeader().setFixedWidth(wide + PADDING + 4)
        assert self._corner is not None
        self._corner.setToolTip(f"rows: {grid.row_title}\ncolumns: {grid.column_title or '…'}")

    # ------------------------------------------------------------------ selection

    def selected_indices(self) -> NDArray[np.int64]:
        """Flat indices of the selected values, row by row; of none if too many are."""
        blocks = self._selected_blocks(MAX_CHANGED_CELLS)
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
        ranges = self.view.selectionModel().selection().toList()
        cells = sum(item.width() * item.height() for item in ranges)
        if cells > MAX_CHANGED_CELLS:
            raise EditError(
                f"{cells:,} values are selected; choose up to {MAX_CHANGED_CELLS:,}, or just "
                "one to change them all."
            )
        return np.unique(self.selected_indices())

    def _selected_blocks(self, most: int) -> list[NDArray[np.int64]]:
        ranges, grid = self.view.selectionModel().selection().toList(), self.table.grid
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

    def go_to(self, flat: int) -> None:
        """Selects an element; the slice moves if it does not show it."""
        grid = self.table.grid
        if grid is None:
            return
        if grid.position(flat) is None:
            self.slice_wanted.emit(grid.showing(flat))
            grid = self.table.grid
        place = grid.position(flat) if grid is not None else None
        if place is not None:
            cell = self.table.index(*place)
            self.view.setCurrentIndex(cell)
            self.view.scrollTo(cell)
            self.view.setFocus()

    # ------------------------------------------------------------------ copying

    def copy_selection(self) -> None:
        """Puts the selected values on the clipboard, tabs between columns."""
        grid = self.table.grid
        lines = []
        for block in self._selected_blocks(MAX_COPIED_CELLS):
            for row in block.tolist():
                assert grid is not None
                inside = (grid.text(f) if f < grid.contents.count else "" for f in row)
                lines.append("\t".join(inside))
        if lines:
            QGuiApplication.clipboard().setText("\n".join(lines))

    def copy_numpy(self) -> None:
        """Puts the selected values on the clipboard as a numpy array."""
        self._copy_array(numpy_text)

    def copy_c(self) -> None:
        """Puts the selected values on the clipboard as a C array."""
        grid = self.table.grid
        name = symbol_for(grid.contents.name if grid is not None else "", "g_")
        self._copy_array(lambda values: c_text(values, name))

    def _copy_array(self, write: Callable[[Array], str]) -> None:
        grid, blocks = self.table.grid, self._selected_blocks(MAX_COPIED_CELLS)
        if grid is None or not blocks:
            return
        flat = (
            blocks[0] if len(blocks) == 1 else np.concatenate([b.reshape(-1) for b in blocks])
        )
        if flat.max() >= grid.contents.count:
            flat = flat[flat < grid.contents.count]
        flat = flat[0] if flat.ndim == 2 and len(flat) == 1 else flat
        take = grid.contents.reals_at if grid.is_real else grid.contents.values_at
        try:
            QGuiApplication.clipboard().setText(write(take(flat)))
        except EditError as error:
            self.refused.emit(str(error))

    # ------------------------------------------------------------------ changing

    def ask_fill(self) -> None:
        """Asks for a value and gives it to all selected cells."""
        count = len(self.selected_indices())
        if count:
            what = f"Value for {count:,} selected cells"
            text, is_wanted = QInputDialog.getText(self, "Fill", what)
            if is_wanted:
                self.fill_selection(text)

    def fill_selection(self, text: str) -> None:
        """Gives all selected cells one value."""
        self.table.fill(self.selected_indices(), text)

    def clear_selection(self) -> None:
        """Gives all selected cells the value that stands for zero."""
        self.table.clear_values(self.selected_indices())

    def paste(self) -> None:
        """Writes a block from a spreadsheet into the cells from the current one on."""
        try:
            grid, text = self.table.grid, QGuiApplication.clipboard().text()
            is_prose = grid is not None and grid.contents.texts is not None
            block = parse_block(text, is_prose=is_prose)
            if len(block) == len(block[0]) == 1 and len(self.selected_indices()) > 1:
                self.fill_selection(block[0][0])
                return
            indices = self._pasted_places(len(block), len(block[0]))
        except EditError as error:
            self.refused.emit(str(error))
            return
        self.table.set_texts(indices, [cell for row in block for cell in row])

    def _pasted_places(self, rows: int, columns: int) -> NDArray[np.int64]:
        grid, ranges = self.table.grid, self.view.selectionModel().selection().toList()
        current = self.view.currentIndex()
        if grid is None or not current.isValid():
            raise EditError("Select the cell that the first pasted value is for.")
        row = min((item.top() for item in ranges), default=current.row())
        column = min((item.left() for item in ranges), default=current.column())
        if grid.column_axis is None and 1 in (rows, columns):
            # A list goes on in the next line.
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


def _title(table: ValueTable) -> str:
    """The axes of rows and columns, for the corner between the headers."""
    grid = table.grid
    if grid is None or grid.column_axis is None:
        return ""
    return f"{grid.row_title} \\ {grid.column_title}"
