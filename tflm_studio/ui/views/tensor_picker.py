# SPDX-License-Identifier: Apache-2.0
"""A searchable list of the tensors of a subgraph, to choose one by what it is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.model.graph import tensor_text
from tflm_studio.ui.models.tensor_choices import NAME, TensorChoices, TensorChoiceTable
from tflm_studio.ui.views.choice_view import choice_view
from tflm_studio.ui.views.list_keys import moves_in_list
from tflm_studio.ui.views.wrapped_label import WrappedLabel

WIDTH, HEIGHT = 760, 400
COLUMN_PIXELS = (56, 200, 120, 80)


class TensorPicker(QDialog):
    """Offers tensors; those that would break the order of the operators are dimmed.

    Attributes:
        chosen: Index of the tensor, once the dialog is accepted.
    """

    def __init__(
        self, choices: TensorChoices, current: int | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("tensor_picker")
        self.setWindowTitle("Pick a tensor")
        self.chosen: int | None = None
        self._current = current
        self.table = TensorChoiceTable(choices, self)
        self.field = QLineEdit()
        self.field.setObjectName("tensor_search")
        self.field.setPlaceholderText("Find by index, name, shape or type")
        self.field.setClearButtonEnabled(True)
        self.field.installEventFilter(self)
        self.view = choice_view("tensor_choices", self.table, COLUMN_PIXELS)
        self.view.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.view.doubleClicked.connect(self.accept)
        self.note = WrappedLabel()
        self.note.setObjectName("tensor_note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        for widget in (self.field, self.view, self.note, self.buttons):
            column.addWidget(widget)
        column.setStretchFactor(self.view, 1)
        self.field.textChanged.connect(self._search)
        self.view.selectionModel().currentChanged.connect(self._tell)
        self.resize(WIDTH, HEIGHT)
        self._show_current()

    def _search(self, text: str) -> None:
        self.table.search(text)
        self._show_current()

    def _show_current(self) -> None:
        """Makes the tensor of now current, or else the first that is shown."""
        row = self.table.row_of(self._current) if self._current is not None else -1
        index = self.table.index(max(row, 0), NAME)
        self.view.setCurrentIndex(index)
        self.view.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)
        self._tell(index)

    def _tell(self, index: QModelIndex) -> None:
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(index.isValid())
        if not index.isValid():
            self.note.setText("No tensor contains these words.")
            return
        tensor_index = self.table.shown[index.row()]
        problem = self.table.choices.problem(tensor_index)
        named = tensor_text(self.table.choices.subgraph, tensor_index)
        self.note.setText(f"⚠ Tensor {tensor_index} is {problem}." if problem else named)

    def accept(self) -> None:
        index = self.view.currentIndex()
        if index.isValid():
            self.chosen = self.table.shown[index.row()]
            super().accept()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and moves_in_list(self.view, event):
            return True
        return super().eventFilter(watched, event)

    def place_below(self, widget: QWidget) -> None:
        """Puts the dialog below a widget, or where the screen has room for it."""
        room = widget.screen().availableGeometry()
        place = widget.mapToGlobal(QPoint(0, widget.height()))
        x = max(room.left(), min(place.x(), room.right() - self.width()))
        y = max(room.top(), min(place.y(), room.bottom() - self.height()))
        self.move(x, y)


def pick_tensor(choices: TensorChoices, current: int | None, below: QWidget) -> int | None:
    """Asks for a tensor; None if the person does not want one.

    Args:
        choices: What can be named.
        current: What is named now, None for nothing.
        below: The widget that the tensor is for.
    """
    dialog = TensorPicker(choices, current, below)
    dialog.place_below(below)
    try:
        return dialog.chosen if dialog.exec() == QDialog.DialogCode.Accepted else None
    finally:
        dialog.deleteLater()
