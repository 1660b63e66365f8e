# SPDX-License-Identifier: Apache-2.0
"""The bytes of a buffer beside what they are as numbers, with fields to go and to find."""

from __future__ import annotations

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from tflm_studio.analysis.byte_values import find_bytes, wanted_bytes
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.document import Document
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.byte_inspector import WIDTH, ByteInspector
from tflm_studio.ui.views.hex_view import HexView
from tflm_studio.ui.views.read_as_button import parse_offset

MIN_WIDTH_WITH_INSPECTOR = 380 + WIDTH
LONGEST_QUOTE = 40


class HexPage(QWidget):
    """The stored bytes, whatever they mean.

    Attributes:
        refused: Emitted with the reason when bytes cannot be written or found.
        uses_axes: Whether it shows a slice along chosen axes.
        fills_width: It has a column of its own instead of the statistics.
        tools: Fields that stand above the page.
    """

    refused = Signal(str)
    uses_axes = False
    fills_width = True

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = HexView(document)
        self.inspector = ByteInspector()
        self.view.refused.connect(self.refused)
        self.view.moved.connect(self._on_view_moved)
        self.inspector.refused.connect(self.refused)
        self.inspector.written.connect(
            lambda new: self.view.write(self.view.cursor_byte, bytes(new))
        )
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.view, 1)
        row.addWidget(self.inspector)
        self.tools = self._build_tools()
        self.setFocusProxy(self.view)

    def _build_tools(self) -> QWidget:
        tools = QWidget()
        row = QHBoxLayout(tools)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self.offset, self.found = QLineEdit(), QLineEdit()
        self.origin = QComboBox()
        self.origin.setObjectName("offset_origin")
        self.origin.setAccessibleName("Offset counts from")
        self.origin.addItems(["in buffer", "in file"])
        for name, field, text, act in (
            ("go_to_offset", self.offset, "Go to 0x40", self._go),
            ("find_bytes", self.found, "Find de ad, or text", self._find),
        ):
            field.setObjectName(name)
            field.setAccessibleName(text)
            field.setPlaceholderText(text)
            wide = field.fontMetrics().horizontalAdvance(text + "00")
            field.setFixedWidth(wide + 20)
            field.returnPressed.connect(act)
        self.offset.setToolTip("An offset, decimal or as 0x…; Enter goes there")
        self.found.setToolTip(
            "Bytes in hex, or a text; Enter finds the next, quotes mean text"
        )
        for widget in (self.offset, self.origin, self.found):
            row.addWidget(widget)
        return tools

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows the bytes behind a grid; the cursor stays in a buffer shown before."""
        self.view.show_contents(grid.contents)
        self.origin.setVisible(grid.contents.file_offset is not None)
        if grid.contents.file_offset is None:
            self.origin.setCurrentIndex(0)

    def show_statistics(self, statistics: Statistics | None) -> None:
        """Bytes have no use for statistics."""

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Shows the same bytes after some have changed."""
        self.view.take(grid.contents)

    def _on_view_moved(self) -> None:
        place, start = self.view.cursor_byte, self.view.file_offset
        text = f"byte {place:,} = {place:#x}"
        if start is not None:
            text += f", {start + place:#x} in file"
        self.inspector.show_bytes(self.view.data, place, text)

    def _go(self) -> None:
        try:
            place = parse_offset(self.offset.text())
            start = self.view.file_offset or 0
            first = start if self.origin.currentIndex() else 0
            if not first <= place < first + len(self.view.data):
                last = first + len(self.view.data) - 1
                raise EditError(
                    f"Offset {place:#x} is not here; these bytes are {first:#x} to {last:#x}."
                )
        except EditError as error:
            self.refused.emit(str(error))
            return
        self._show(place - first, 1)

    def _find(self) -> None:
        text = self.found.text()
        if not text.strip():
            return
        wanted = wanted_bytes(text)
        place = find_bytes(self.view.data, wanted, self.view.selected_bytes.start + 1)
        if place is None:
            self.refused.emit(f"'{excerpt(text, LONGEST_QUOTE)}' is nowhere in these bytes.")
        else:
            self._show(place, len(wanted))

    def _show(self, place: int, size: int) -> None:
        self.refused.emit("")
        self.view.select(place, size)

    def minimumSizeHint(self) -> QSize:
        # The inspector gives way where there is no room for it.
        return self.view.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.inspector.setVisible(event.size().width() >= MIN_WIDTH_WITH_INSPECTOR)
