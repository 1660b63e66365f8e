# SPDX-License-Identifier: Apache-2.0
"""Names before and after a renaming, those that two tensors would have in red."""

from __future__ import annotations

from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QPalette

from tflm_studio.model.excerpts import excerpt

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
TITLES = ("Tensor", "Old name", "New name")


class NewName(NamedTuple):
    """A tensor's name before and after; whether another tensor would have it too."""

    tensor_index: int
    old: str
    new: str
    is_taken: bool


class RenameTable(QAbstractTableModel):
    """One row per tensor that gets another name."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[NewName] = []

    def show(self, rows: list[NewName]) -> None:
        """Shows other names."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(TITLES)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        is_title = orientation is Qt.Orientation.Horizontal and role == Role.DisplayRole
        return TITLES[section] if is_title and 0 <= section < len(TITLES) else None

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == Role.DisplayRole:
            return excerpt(str(row[index.column()]))
        if role == Role.ToolTipRole and row.is_taken:
            return "Another tensor has this name as well"
        if role == Role.ForegroundRole and row.is_taken and index.column() == 2:
            return QGuiApplication.palette().brush(QPalette.ColorRole.BrightText)
        return None
