# SPDX-License-Identifier: Apache-2.0
"""A form for what an operation on values asks for, made from its rows."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.ui.views.operation_parameters import Parameter, read_parameter
from tflm_studio.ui.views.weight_operations import OPERATIONS, Operation
from tflm_studio.ui.views.wrapped_label import WrappedLabel

FORM_PIXELS = 330
LABEL_MARGIN = 4
SHORT_TEXT = 40  # that is shown whole, and written over
LONGEST_TEXT = 1 << 20


class OperationForm(QWidget):
    """A sentence that says what an operation does, and a line for each of its parameters.

    What was entered for an operation is there again when it is shown the next time.

    Attributes:
        typed: Emitted when a text changes.
        chosen: Emitted when a choice or a tick changes.
        operation: What is shown.
        fields: Where its parameters are entered, by name.
    """

    typed = Signal()
    chosen = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.operation: Operation = OPERATIONS[0]
        self.fields: dict[str, QWidget] = {}
        self._texts: dict[tuple[str, str], str] = {}
        self.sentence = WrappedLabel()
        self.sentence.setObjectName("sentence")
        self.sentence.setMinimumWidth(FORM_PIXELS)
        self.sentence.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._form = QFormLayout()
        self._form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.sentence)
        column.addLayout(self._form)

    def show_operation(self, operation: Operation, contents: BufferContents) -> None:
        """Asks for the parameters of an operation.

        Args:
            operation: Which one.
            contents: What it would change; some defaults depend on it.
        """
        for name in self.fields:
            self._texts[self.operation.id, name] = self._text_of(name)
        self.operation = operation
        while self._form.rowCount():
            self._form.removeRow(0)
        self.fields.clear()
        self.sentence.setText(operation.sentence)
        made = operation.defaults(contents) if operation.defaults is not None else {}
        for parameter in operation.parameters:
            default = made.get(parameter.name, parameter.default)
            self._add(parameter, self._texts.get((operation.id, parameter.name), default))

    def arguments(self) -> dict[str, Any]:
        """What is entered, by the names of the parameters.

        Raises:
            EditError: Something cannot be read; says what.
        """
        return {
            parameter.name: read_parameter(parameter, self._text_of(parameter.name))
            for parameter in self.operation.parameters
        }

    def focus_first(self) -> bool:
        """Puts the cursor where the first parameter is entered, if there is one."""
        first = next(iter(self.fields.values()), None)
        if first is None:
            return False
        first.setFocus()
        if isinstance(first, QLineEdit) and len(first.text()) < SHORT_TEXT:
            first.selectAll()
        return True

    def stops(self) -> list[QWidget]:
        """Where the Tab key shall stop, in the order of the lines."""
        buttons = self.findChildren(QPushButton)
        return [*self.fields.values(), *(each for each in buttons if each.isVisibleTo(self))]

    # ------------------------------------------------------------------ fields

    def _add(self, parameter: Parameter, text: str) -> None:
        if parameter.kind == "tick":
            box = QCheckBox(parameter.title)
            box.setChecked(text == "1")
            box.toggled.connect(self.chosen)
            self._put(parameter, box, box)
        elif parameter.kind == "choice":
            choice = QComboBox()
            choice.addItems([*parameter.choices])
            choice.setCurrentText(text)
            choice.currentIndexChanged.connect(self.chosen)
            self._put(parameter, choice, choice)
        else:
            line = QLineEdit(text)
            line.setMaxLength(LONGEST_TEXT)
            line.setPlaceholderText(parameter.hint)
            line.textChanged.connect(self.typed)
            line.setCursorPosition(0)
            is_file = parameter.kind == "file"
            self._put(parameter, line, self._with_button(line) if is_file else line)

    def _put(self, parameter: Parameter, field: QWidget, shown: QWidget) -> None:
        field.setObjectName(parameter.name)
        self.fields[parameter.name] = field
        if parameter.kind == "tick":
            self._form.addRow(shown)
            return
        label = QLabel(parameter.title)
        label.setBuddy(field)
        # Letters beside a marked one take more room than the label asks for.
        label.setMinimumWidth(label.sizeHint().width() + LABEL_MARGIN)
        self._form.addRow(label, shown)

    def _with_button(self, line: QLineEdit) -> QWidget:
        both, button = QWidget(), QPushButton("&Browse…")
        button.setObjectName("browse")
        button.setAutoDefault(False)
        row = QHBoxLayout(both)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(line, 1)
        row.addWidget(button)
        button.clicked.connect(lambda: self._browse(line))
        return both

    def _browse(self, line: QLineEdit) -> None:
        kinds = "Numbers (*.npy *.npz *.csv *.txt);;All files (*)"
        chosen, _ = QFileDialog.getOpenFileName(self, "Numbers from a file", "", kinds)
        if chosen:
            line.setText(chosen)

    def _text_of(self, name: str) -> str:
        field = self.fields[name]
        if isinstance(field, QCheckBox):
            return str(int(field.isChecked()))
        if isinstance(field, QComboBox):
            return field.currentText()
        assert isinstance(field, QLineEdit)
        return field.text()
