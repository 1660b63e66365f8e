# SPDX-License-Identifier: Apache-2.0
"""A field for a place of the model, with the places that may be meant below it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.place_search import MOST_FOUND, search_places
from tflm_studio.model.address import Address, find_address, format_address
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.graph import describe_tensor
from tflm_studio.model.place_names import name_thing
from tflm_studio.model.schema import Tensor
from tflm_studio.ui.models.session import Session

SIZE = QSize(560, 340)
HINT = "op 12, t5, buffer 7, a name, an address, an error message"
_KEYS_OF_LIST = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class GoToDialog(QDialog):
    """Names a place; nothing happens before OK, Enter or a double click.

    Args:
        session: Whose model.
        parent: Above which it opens.
    """

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("go_to_dialog")
        self.setWindowTitle("Go to")
        self._session = session
        self._found: list[Address] = []
        self.field = QLineEdit()
        self.field.setObjectName("go_to_field")
        self.field.setAccessibleName("Where to go")
        self.field.setPlaceholderText(HINT)
        self.field.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setObjectName("go_to_list")
        self.list.setAccessibleName("Places that may be meant")
        self.list.setUniformItemSizes(True)
        self.note = QLabel()
        self.note.setObjectName("go_to_note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setText("Go")
        column = QVBoxLayout(self)
        for part in (self.field, self.list, self.note, self.buttons):
            column.addWidget(part)
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.list.itemDoubleClicked.connect(self.accept)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.resize(SIZE)
        self._search("")

    @property
    def address(self) -> Address | None:
        """The chosen place, None if nothing was found."""
        row = self.list.currentRow()
        return self._found[row] if row >= 0 else None

    def _search(self, text: str) -> None:
        model = self._session.document.model
        self._found = found = search_places(model, text, self._session.subgraph_index)
        self.list.clear()
        for address in found:
            item = QListWidgetItem(self._describe(address))
            item.setToolTip(format_address(address))
            self.list.addItem(item)
        self.list.setCurrentRow(0 if found else -1)
        self.note.setText(self._note(text.strip(), len(found)))
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(bool(found))

    def _describe(self, address: Address) -> str:
        model = self._session.document.model
        thing = find_address(model, address)
        if isinstance(thing, Tensor):
            several = len(model.subgraphs or []) > 1
            where = f"subgraph {address[1]}, " if several else ""
            return f"{where}tensor {address[-1]}   {describe_tensor(thing)}"
        return excerpt(name_thing(model, address), SHOWN_NAME_CHARACTERS)

    def _note(self, text: str, count: int) -> str:
        if not text:
            return "Type what to look for."
        if not count:
            return f"There is nothing called '{excerpt(text, 60)}' in this model."
        if count >= MOST_FOUND:
            return f"The first {count} that fit."
        return "Enter leads there." if count == 1 else "Down chooses another."

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_key = watched is self.field and event.type() is QEvent.Type.KeyPress
        if is_key and isinstance(event, QKeyEvent) and event.key() in _KEYS_OF_LIST:
            QApplication.sendEvent(self.list, event)  # choosing without leaving the field
            return True
        return super().eventFilter(watched, event)


def ask_place(session: Session, parent: QWidget) -> Address | None:
    """Asks where to go; None to stay."""
    dialog = GoToDialog(session, parent)
    try:
        return dialog.address if dialog.exec() else None
    finally:
        dialog.deleteLater()
