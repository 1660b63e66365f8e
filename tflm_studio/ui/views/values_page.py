# SPDX-License-Identifier: Apache-2.0
"""The values of a buffer: a table to look at them, to edit, fill, paste and copy them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence
from PySide6.QtWidgets import (
    QInputDialog,
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
    ValueGrid,
    ValueLook,
    ValueTable,
)
from tflm_studio.ui.models.view_choices import ViewChoices
from tflm_studio.ui.views.value_colours import colour_scale
from tflm_studio.ui.views.value_delegate import ValueDelegate
from tflm_studio.ui.views.value_tools import ValueTools
from tflm_studio.ui.views.value_view import ValueView

MAX_COPIED_CELLS = 1 << 20

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
        self.view = ValueView(self.table)
        self.view.setItemDelegate(self.delegate)
        self.view.refused.connect(self.refused)
        self._add_actions()
        self.tools = ValueTools()
        self.tools.refused.connect(self.refused)
        self.tools.place_wanted.connect(self.go_to)
        self.tools.look_changed.connect(self._restyle)
        self.tools.look_changed.connect(self._remember)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self.setFocusProxy(self.view)

    def _add_actions(self) -> None:
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
            self._add_action(text, keys, act)

    def _add_action(
        self, text: str, keys: Keys | None, act: Callable[[], None] | None
    ) -> None:
        action = QAction(text, self.view)
        if act is None:
            action.setSeparator(True)
        else:
            action.triggered.connect(act)
        if keys is not None:
            action.setShortcut(keys)
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self.view.addAction(action)
        self._actions.append(action)

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
        self.view.fit_sections(self._statistics)

    def _colour(self) -> None:
        grid, look = self.table.grid, self.tools.look
        is_coloured = look.has_colours and grid is not None and grid.contents.texts is None
        self.delegate.scale = None
        if is_coloured and grid is not None:
            self.delegate.scale = colour_scale(grid, self._statistics)
        self.view.viewport().update()

    # ------------------------------------------------------------------ selection

    def chosen(self) -> NDArray[np.int64]:
        """Flat indices of the selected values, each once, ascending.

        Raises:
            EditError: There are too many.
        """
        return self.view.chosen()

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
            self.view.show_cell(*place)

    # ------------------------------------------------------------------ copying

    def copy_selection(self) -> None:
        """Puts the selected values on the clipboard, tabs between columns."""
        grid = self.table.grid
        lines = []
        for block in self.view.selected_blocks(MAX_COPIED_CELLS):
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
        grid, blocks = self.table.grid, self.view.selected_blocks(MAX_COPIED_CELLS)
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
        count = len(self.view.selected_indices())
        if count:
            what = f"Value for {count:,} selected cells"
            text, is_wanted = QInputDialog.getText(self, "Fill", what)
            if is_wanted:
                self.fill_selection(text)

    def fill_selection(self, text: str) -> None:
        """Gives all selected cells one value."""
        self.table.fill(self.view.selected_indices(), text)

    def clear_selection(self) -> None:
        """Gives all selected cells the value that stands for zero."""
        self.table.clear_values(self.view.selected_indices())

    def paste(self) -> None:
        """Writes a block from a spreadsheet into the cells from the current one on."""
        try:
            grid, text = self.table.grid, QGuiApplication.clipboard().text()
            is_prose = grid is not None and grid.contents.texts is not None
            block = parse_block(text, is_prose=is_prose)
            if len(block) == len(block[0]) == 1 and len(self.view.selected_indices()) > 1:
                self.fill_selection(block[0][0])
                return
            indices = self.view.pasted_places(len(block), len(block[0]))
        except EditError as error:
            self.refused.emit(str(error))
            return
        self.table.set_texts(indices, [cell for row in block for cell in row])
