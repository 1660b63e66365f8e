# SPDX-License-Identifier: Apache-2.0
"""What stands in the middle of a table that a filter has left without rows."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QLabel, QPushButton, QVBoxLayout, QWidget


class EmptyNote(QWidget):
    """Says that no row fits, and takes the filter away when asked.

    Args:
        view: The table that it stands in.
    """

    clear_wanted = Signal()

    def __init__(self, view: QAbstractItemView) -> None:
        super().__init__(view.viewport())
        self._room = view.viewport()
        self.setObjectName("no_row_fits")
        label = QLabel("No row fits the filter")
        label.setEnabled(False)
        label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        button = QPushButton("Clear the filter")
        button.setObjectName("clear_filter")
        button.clicked.connect(self.clear_wanted)
        column = QVBoxLayout(self)
        column.addWidget(label)
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignCenter)
        self._room.installEventFilter(self)
        self.hide()

    def show_if(self, empty: bool) -> None:
        """Shows or hides the note."""
        self.setVisible(empty)
        self._center()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._room and event.type() is QEvent.Type.Resize:
            self._center()
        return super().eventFilter(watched, event)

    def _center(self) -> None:
        self.adjustSize()
        spare = self._room.size() - self.size()
        self.move(max(spare.width() // 2, 0), max(spare.height() // 2, 0))
