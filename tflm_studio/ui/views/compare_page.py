# SPDX-License-Identifier: Apache-2.0
"""How far the values of a buffer are from others: figures, a map and the largest ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.array_comparison import Comparison, compare
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.difference_cells import DifferenceCells
from tflm_studio.analysis.reference_values import (
    check_same_shape,
    comparable_tensors,
    file_contents,
    original_model,
    read_contents,
    same_contents,
)
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.document import Document
from tflm_studio.model.cancellation import CancelledError
from tflm_studio.model.errors import EditError, ReadError
from tflm_studio.model.schema import Model
from tflm_studio.model.tensor_types import ELEMENT_TYPES, ElementType
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.compare_figures import CompareFigures
from tflm_studio.ui.views.compare_tools import AS_OPENED, FILE, TENSOR, CompareTools
from tflm_studio.ui.views.difference_list import DifferenceList

MIN_WIDTH_WITH_FIGURES = 520
FILES = "Arrays and models (*.npy *.npz *.csv *.txt *.bin *.tflite *.cc *.json);;All files (*)"


class Compared(NamedTuple):
    """A comparison and what it is of.

    Attributes:
        comparison: The figures.
        theirs: What the values are compared with.
        is_real: Whether reals were compared.
    """

    comparison: Comparison
    theirs: BufferContents
    is_real: bool


class ComparePage(QWidget):
    """Compares with the file as it was opened, another tensor, another model, or an array.

    Attributes:
        refused: Emitted with the reason when there is nothing to compare with.
        slice_wanted: Emitted with the grid that shows a difference.
        uses_axes: Whether it shows a slice along chosen axes.
        fills_width: It has a column of its own instead of the statistics.
        tools: The choice of what to compare with.
    """

    refused = Signal(str)
    slice_wanted = Signal(object)  # ValueGrid
    uses_axes = True
    fills_width = True

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._grid: ValueGrid | None = None
        self._found: Compared | None = None
        self._original: tuple[object, Model] | None = None
        self._map: Any = None
        self._source: Callable[[BufferContents], BufferContents] = self._from_original
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_compared)
        self._task.failed.connect(self._on_failed)
        self.tools = CompareTools()
        self.tools.source_wanted.connect(self._choose)
        self.tools.view_wanted.connect(self._show_found)
        self.figures = CompareFigures()
        self.list = DifferenceList()
        self.list.element_wanted.connect(self._go_to)
        self.note = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.note.setObjectName("compare_note")
        self.note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.stack = QStackedWidget()
        self.stack.addWidget(self.note)
        self.stack.addWidget(self.list)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        middle = QVBoxLayout()
        middle.addWidget(self.stack, 1)
        row.addLayout(middle, 1)
        row.addWidget(self.figures)

    # ------------------------------------------------------------------ the page

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Compares other values, or shows another slice of those compared."""
        old, self._grid = self._grid, grid
        if old is None or (old.contents, old.is_real) != (grid.contents, grid.is_real):
            if old is not None and old.contents.place != grid.contents.place:
                self._forget_tensor()
            self._compare()
        else:
            self._show_found()

    def show_statistics(self, statistics: Statistics | None) -> None:
        """Differences have figures of their own."""

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Compares anew after some bytes have changed."""
        self._grid = grid
        self._compare()

    def _forget_tensor(self) -> None:
        """Another tensor is not compared with what was chosen for the one before."""
        if self.tools.source == TENSOR:
            self.tools.show_source(AS_OPENED, "")
            self._source = self._from_original

    def _compare(self) -> None:
        grid, source = self._grid, self._source
        if grid is None:
            return
        self._found = None
        self._say("Comparing…")
        contents, is_real = grid.contents, grid.is_real

        def work(cancelled: Callable[[], bool]) -> Compared:
            theirs = source(contents)
            check_same_shape(contents, theirs)
            reads_real = is_real and theirs.quantization is not None
            found = compare(
                contents.reals if is_real else contents.values,
                theirs.reals if reads_real else theirs.values,
                contents.count,
                cancelled=cancelled,
                columns=_table_columns(contents),
            )
            return Compared(found, theirs, is_real)

        self._task.start(work)

    def _on_compared(self, found: Compared) -> None:
        self._found = found
        self._show_found()

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, CancelledError):
            return
        if not isinstance(error, (EditError, ReadError)):
            raise error
        self._say(str(error))

    def _say(self, text: str) -> None:
        self.note.setText(text)
        self.stack.setCurrentWidget(self.note)
        self.figures.clear()

    def _show_found(self) -> None:
        found, grid = self._found, self._grid
        if found is None or grid is None:
            return
        self.figures.show_comparison(found.comparison, grid, found.theirs)
        if not found.comparison.changed:
            self.note.setText("All values are equal.")
            self.stack.setCurrentWidget(self.note)
        elif self.tools.wants_map:
            self._show_map(grid, found.comparison)
        else:
            self.list.show_comparison(found.comparison, grid, found.theirs)
            self.stack.setCurrentWidget(self.list)

    def _show_map(self, grid: ValueGrid, found: Comparison) -> None:
        if self._map is None:
            # It loads pyqtgraph.
            module = import_module("tflm_studio.ui.views.heat_map_page")
            self._map = module.HeatMapPage(self._document)
            self.stack.addWidget(self._map)
        if found.cells is not None:
            shown = ValueGrid(_cell_contents(grid.contents, found.cells))
        else:
            contents = _difference_contents(grid.contents, found)
            shown = replace(grid, contents=contents, is_real=False)
        self._map.show_contents(shown, None)
        self.stack.setCurrentWidget(self._map)

    def _go_to(self, flat: int) -> None:
        if self._grid is not None:
            self.slice_wanted.emit(self._grid.showing(flat))

    # ------------------------------------------------------------------ what to compare with

    def _choose(self, source: str) -> None:
        if source == FILE:
            self._choose_file()
        elif source == TENSOR:
            self._choose_tensor()
        else:
            self._take(AS_OPENED, "", self._from_original)

    def _take(
        self, source: str, name: str, read: Callable[[BufferContents], BufferContents]
    ) -> None:
        self.tools.show_source(source, name)
        self._source = read
        self._compare()

    def _choose_file(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Compare with a file", "", FILES)
        if chosen:
            path = Path(chosen)
            self._take(FILE, path.name, lambda contents: file_contents(path, contents))
        else:
            self.tools.show_source()

    def _choose_tensor(self) -> None:
        grid, model = self._grid, self._document.model
        found = comparable_tensors(model, grid.contents) if grid is not None else {}
        self.tools.show_source()
        if not found:
            self.refused.emit("No other tensor of this model has as many stored values.")
            return
        question = "Tensors with as many values"
        name, is_wanted = QInputDialog.getItem(
            self, "Compare with a tensor", question, list(found), 0, False
        )
        if is_wanted and name in found:
            place = found[name]
            self._take(TENSOR, name, lambda contents: read_contents(model, place))

    def _from_original(self, contents: BufferContents) -> BufferContents:
        model = self._document.model
        if self._original is None or self._original[0] is not model.extra:
            self._original = (model.extra, original_model(model))
        return same_contents(self._original[1], contents)

    # ------------------------------------------------------------------ Qt events

    def minimumSizeHint(self) -> QSize:
        return self.list.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.figures.setVisible(event.size().width() >= MIN_WIDTH_WITH_FIGURES)


def _float32() -> ElementType:
    return next(kind for kind in ELEMENT_TYPES.values() if kind.name == "float32")


def _table_columns(contents: BufferContents) -> int:
    """Columns of the values as a table; 0 if they are a list."""
    long = [size for size in contents.shape if size > 1]
    return long[-1] if len(long) > 1 else 0


def _difference_contents(contents: BufferContents, found: Comparison) -> BufferContents:
    assert found.differences is not None
    return _floats(contents, found.differences)


def _cell_contents(contents: BufferContents, cells: DifferenceCells) -> BufferContents:
    """The largest difference of each cell, with as much of the shape as is left."""
    names = tuple(
        f"block of {size:,} {name}s" if size > 1 else name
        for name, size in (("row", cells.height), ("column", cells.width))
    )
    made = _floats(contents, cells.largest)
    shape = cells.largest.shape
    return replace(made, shape=shape, axis_names=names, declared_shape=shape)


def _floats(contents: BufferContents, values: NDArray[np.float32]) -> BufferContents:
    return replace(
        contents,
        data=memoryview(values.tobytes()),
        kind=_float32(),
        quantization=None,
        stored=None,
        first_byte=0,
        read_only="These are differences.",
        note="",
    )
