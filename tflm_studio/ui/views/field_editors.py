# SPDX-License-Identifier: Apache-2.0
"""One editor for each kind of field, made from the field's schema row."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from tflm_studio.editing.field_values import scalar_range
from tflm_studio.editing.operations import parse_shape
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.field_text import (
    FLOATS,
    item_text,
    list_text,
    parse_whole_number,
    read_float,
    read_list,
)
from tflm_studio.model.graph import data_bytes, shape_text
from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import VALUE_DOCS, Field, Kind
from tflm_studio.ui.views.quiet_combo_box import QuietComboBox

MOST_ITEMS = 4096
LONGEST_TEXT = 2**31 - 1  # Qt cuts at 32,767 unless told otherwise
LONGEST_EDITED_TEXT = 100_000  # a line of more makes every key press slow
SHAPE_FIELDS = frozenset(("shape", "shape_signature"))


class FieldEditor(QWidget):
    """An editor of one value; announces what a person entered, and is told what to show."""

    entered = Signal(object, bool)  # the new value; whether it is one of a run of steps
    refused = Signal(str)

    def __init__(self, row: Field, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.row = row
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)

    def show_value(self, value: Any) -> None:
        """Shows a value without announcing it."""
        raise NotImplementedError

    def _adopt(self, widget: QWidget) -> None:
        self._layout.addWidget(widget)
        self.setFocusProxy(widget)
        widget.setAccessibleName(self.row.name)
        widget.setObjectName(f"field.{self.row.name}")


class BoolEditor(FieldEditor):
    """A check box."""

    def __init__(self, row: Field, parent: QWidget | None = None) -> None:
        super().__init__(row, parent)
        self.box = QCheckBox()
        self._adopt(self.box)
        self.box.clicked.connect(lambda checked: self.entered.emit(checked, False))

    def show_value(self, value: Any) -> None:
        self.box.setChecked(bool(value))
        self.box.setText("true" if value else "false")


class EnumEditor(FieldEditor):
    """A list of the names; a value the schema does not know is added as its number."""

    def __init__(self, row: Field, parent: QWidget | None = None) -> None:
        super().__init__(row, parent)
        assert row.enum is not None
        self.box = QuietComboBox()
        docs = VALUE_DOCS.get(row.enum, {})
        for member in row.enum:
            self.box.addItem(member.name, int(member))
            tip = f"{int(member)}  {docs.get(int(member), '')}".strip()
            self.box.setItemData(self.box.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self._adopt(self.box)
        self.box.activated.connect(lambda: self.entered.emit(self.box.currentData(), False))

    def show_value(self, value: Any) -> None:
        index = self.box.findData(int(value))
        if index < 0:
            self.box.addItem(f"unknown ({int(value)})", int(value))
            index = self.box.count() - 1
        self.box.setCurrentIndex(index)


class IntegerBox(QAbstractSpinBox):
    """A spin box for whole numbers of any width; Qt's own stops at 32 bits."""

    stepped = Signal(object)  # an int of any size; Signal(int) stops at 32 bits

    def __init__(self, low: int, high: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.low, self.high = low, high
        self.lineEdit().setAlignment(Qt.AlignmentFlag.AlignRight)

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:
        bare = text.strip()
        sound = bare.lstrip("+-").isdigit() or bare in ("", "-", "+") or "x" in bare.lower()
        state = QValidator.State.Acceptable if sound else QValidator.State.Invalid
        return state, text, position

    def stepBy(self, steps: int) -> None:
        try:
            value = parse_whole_number(self.text())
        except EditError:
            return
        stepped = min(max(value + steps, self.low), self.high)
        self.lineEdit().setText(str(stepped))
        self.stepped.emit(stepped)

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        flags = QAbstractSpinBox.StepEnabledFlag
        return flags.StepUpEnabled | flags.StepDownEnabled

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class IntegerEditor(FieldEditor):
    """A spin box with the true range of the field."""

    def __init__(self, row: Field, parent: QWidget | None = None) -> None:
        super().__init__(row, parent)
        low, high = scalar_range(row) or (0, 0)
        self.box = IntegerBox(low, high)
        self._adopt(self.box)
        self.box.stepped.connect(lambda value: self.entered.emit(value, True))
        self.box.editingFinished.connect(self._on_finished)
        self._shown = ""

    def show_value(self, value: Any) -> None:
        self._shown = str(int(value))
        self.box.lineEdit().setText(self._shown)

    def _on_finished(self) -> None:
        text = self.box.text().strip()
        if text == self._shown:
            return
        try:
            value = parse_whole_number(text)
        except EditError as error:
            self.refused.emit(f"{self.row.name}: {error}")
            self.show_value(self._shown)
            return
        self.entered.emit(value, False)


class TextEditor(FieldEditor):
    """A line of text, read and written by two functions."""

    def __init__(
        self,
        row: Field,
        show: Callable[[Any], str],
        read: Callable[[str], Any],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(row, parent)
        self._show, self._read = show, read
        self._shown = ""
        self.line = QLineEdit()
        self.line.setMaxLength(LONGEST_TEXT)
        self._adopt(self.line)
        self.line.editingFinished.connect(self._on_finished)

    def show_value(self, value: Any) -> None:
        text = "" if value is None else self._show(value)
        is_long = len(text) > LONGEST_EDITED_TEXT
        self.line.setReadOnly(is_long)
        self.line.setToolTip("Too long to be edited here" if is_long else "")
        self._shown = excerpt(text) if is_long else text
        self.line.setPlaceholderText("absent" if value is None else "empty")
        if self.line.text() != self._shown:
            self.line.setText(self._shown)
            self.line.setCursorPosition(0)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.line.setText(self._shown)
        super().keyPressEvent(event)

    def _on_finished(self) -> None:
        text = self.line.text()
        if text == self._shown:
            return
        try:
            value = self._read(text)
        except (EditError, ValueError) as error:
            self.refused.emit(f"{self.row.name}: {error}")
            self.line.setText(self._shown)
            return
        self.entered.emit(value, False)


class NoteEditor(FieldEditor):
    """Says what a field holds that takes more room to edit; a button opens that."""

    wanted = Signal()

    def __init__(self, row: Field, parent: QWidget | None = None) -> None:
        super().__init__(row, parent)
        self.button = QPushButton()
        self.button.setToolTip(f"Edit {row.name} in a window of its own")
        self.button.clicked.connect(self.wanted)
        self._adopt(self.button)

    def show_value(self, value: Any) -> None:
        if value is None:
            text = "absent"
        elif self.row.kind is Kind.BYTES:
            text = plural(data_bytes(value), "byte")
        else:
            text = plural(len(value), "number")
        self.button.setText(f"{text}…")


def make_editor(row: Field, value: Any = None) -> FieldEditor:
    """The editor for a field without tables, chosen by its row and the size of its value."""
    if row.kind is Kind.SCALAR:
        return _scalar_editor(row)
    if row.kind is Kind.STRING:
        return TextEditor(row, str, str)
    if row.kind is Kind.SCALARS and len(value or ()) <= MOST_ITEMS:
        if row.name in SHAPE_FIELDS:
            return TextEditor(row, shape_text, parse_shape)
        return TextEditor(row, partial(list_text, row), partial(read_list, row))
    return NoteEditor(row)


def _scalar_editor(row: Field) -> FieldEditor:
    if row.scalar == "bool":
        return BoolEditor(row)
    if row.enum is not None:
        return EnumEditor(row)
    if row.scalar in FLOATS:
        return TextEditor(row, partial(item_text, row), read_float)
    return IntegerEditor(row)
