# SPDX-License-Identifier: Apache-2.0
"""The bytes at the cursor as numbers of every kind, to read and to type over."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QCheckBox, QFormLayout, QFrame, QLineEdit, QScrollArea, QWidget

from tflm_studio.analysis.byte_values import READINGS, Reading, number_bytes, read_number
from tflm_studio.model.errors import EditError
from tflm_studio.ui.views.figure_column import muted_label

WIDTH = 258


class ByteInspector(QScrollArea):
    """A field for each kind of number.

    Attributes:
        written: Emitted with the bytes of a number that was typed.
        refused: Emitted with the reason when what was typed is no such number.
    """

    written = Signal(bytes)
    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("byte_inspector")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFixedWidth(WIDTH)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._data, self._offset = memoryview(b""), 0
        body = QWidget()
        form = QFormLayout(body)
        form.setContentsMargins(12, 4, 8, 6)
        form.setVerticalSpacing(1)
        form.setHorizontalSpacing(12)
        self.place = muted_label("")
        self.place.setObjectName("byte_place")
        self.place.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        form.addRow(self.place)
        self.fields = {reading.name: self._make_field(reading) for reading in READINGS}
        for name, field in self.fields.items():
            form.addRow(muted_label(name), field)
        self.big = QCheckBox("Big endian")
        self.big.setObjectName("big_endian")
        self.big.setToolTip("Reads numbers with the highest byte first; TFLite stores it last")
        self.big.toggled.connect(self._refresh)
        form.addRow(self.big)
        self.setWidget(body)

    def _make_field(self, reading: Reading) -> QLineEdit:
        field = QLineEdit()
        field.setObjectName(f"as_{reading.name}")
        field.setAccessibleName(f"Bytes as {reading.name}")
        field.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        field.setFrame(False)
        field.returnPressed.connect(lambda: self._take(reading, field))
        field.editingFinished.connect(self._refresh)
        return field

    def show_bytes(self, data: memoryview, offset: int, place: str) -> None:
        """Shows the bytes from an offset on."""
        self._data, self._offset = data, offset
        self.place.setText(place)
        self._refresh()

    def _refresh(self) -> None:
        for reading in READINGS:
            field, is_big = self.fields[reading.name], self.big.isChecked()
            text = read_number(self._data, self._offset, reading, is_big_endian=is_big)
            field.setText(text)
            field.setEnabled(bool(text))
            field.setCursorPosition(0)
            field.setModified(False)

    def _take(self, reading: Reading, field: QLineEdit) -> None:
        text, is_big = field.text(), self.big.isChecked()
        if not field.isModified():
            return
        try:
            new = number_bytes(text, reading, is_big_endian=is_big)
        except EditError as error:
            self.refused.emit(str(error))
            return
        self.written.emit(new)
