# SPDX-License-Identifier: Apache-2.0
"""The history as a list: the opened file first, then every step done or taken back."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from tflm_studio.editing.document import Change, ChangeKind
from tflm_studio.model.place_names import plural
from tflm_studio.ui.models.session import Session

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole

IS_AHEAD_ROLE = Role.UserRole + 1


class HistoryList(QAbstractListModel):
    """Row 0 is the state that was opened, row n the state after n steps."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        # What the document is called later is not what was opened.
        self._opened = f"Opened {session.document.name}"
        self._labels = self._current_labels()
        self._forgotten = session.document.history.forgotten
        session.changed.connect(self._on_document_changed)

    @property
    def current_row(self) -> int:
        """The row of the present state."""
        return self._session.document.history.position

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._labels)

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._labels):
            return None
        row, history = index.row(), self._session.document.history
        if role == Role.DisplayRole:
            saved = "  (in the file)" if row == history.clean_position and row else ""
            return self._labels[row] + saved
        if role == Role.ToolTipRole:
            return self._labels[row]
        return row > history.position if role == IS_AHEAD_ROLE else None

    def _labels_after(self, change: Change) -> list[str]:
        """The labels now; after a step only its own, for there may be thousands of others."""
        history = self._session.document.history
        position = history.position
        if change.kind is not ChangeKind.DONE:
            return self._labels
        if history.forgotten != self._forgotten or not 0 < position <= len(self._labels):
            self._forgotten = history.forgotten
            return self._current_labels()
        return [*self._labels[:position], history.steps[position - 1].label]

    def _current_labels(self) -> list[str]:
        document = self._session.document
        gone = document.history.forgotten
        first = f"{plural(gone, 'earlier step')} forgotten" if gone else self._opened
        return [first, *(step.label for step in document.history.steps)]

    def _on_document_changed(self, change: Change) -> None:
        labels, shown = self._labels_after(change), len(self._labels)
        if len(labels) > shown:
            self.beginInsertRows(QModelIndex(), shown, len(labels) - 1)
            self._labels = [*self._labels, *labels[shown:]]
            self.endInsertRows()
        elif len(labels) < shown:
            self.beginRemoveRows(QModelIndex(), len(labels), shown - 1)
            self._labels = self._labels[: len(labels)]
            self.endRemoveRows()
        self._labels = labels
        self.dataChanged.emit(self.index(0), self.index(len(labels) - 1))
