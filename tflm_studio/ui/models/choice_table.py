# SPDX-License-Identifier: Apache-2.0
"""A list to choose from, in columns; a search says which of it are shown."""

from __future__ import annotations

from typing import Any, ClassVar, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
Choice = TypeVar("Choice")


class ChoiceTable(QAbstractTableModel, Generic[Choice]):
    """Rows that are shown, and titles.

    Attributes:
        TITLES: Of the columns.
        shown: What the rows are.
    """

    TITLES: ClassVar[tuple[str, ...]] = ()
    shown: list[Choice]

    def show(self, found: list[Choice]) -> None:
        """Shows other rows."""
        self.beginResetModel()
        self.shown = found
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.TITLES)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Horizontal and role == Role.DisplayRole:
            return self.TITLES[section]
        if role == Role.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None
