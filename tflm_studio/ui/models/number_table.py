# SPDX-License-Identifier: Apache-2.0
"""Lists of numbers side by side as a table that can be typed and pasted into.

It works on copies: what becomes of them is up to who reads `values`.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from tflm_studio.editing.field_values import checked_item
from tflm_studio.model.errors import EditError
from tflm_studio.model.field_text import item_text, read_item
from tflm_studio.model.schema import Field

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
MOST_ROWS = 1_000_000
_NUMBER = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class NumberTable(QAbstractTableModel):
    """A column for each list, a row for each index; columns may end early.

    Args:
        rows: Schema rows of the fields, which say what an item may be.
        values: The list of each field; None if absent.
    """

    refused = Signal(str)

    def __init__(
        self,
        rows: list[Field],
        values: list[list[Any] | None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.rows = rows
        self._columns = [list(value or ()) for value in values]
        self._was_absent = [value is None for value in values]
        self._count = max(map(len, self._columns), default=0)

    def values(self) -> list[list[Any] | None]:
        """The lists as they are now; one that was absent and has got nothing stays absent."""
        return [
            None if absent and not column else list(column)
            for absent, column in zip(self._was_absent, self._columns, strict=True)
        ]

    def rowCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else self._count

    def columnCount(self, parent: Index | None = None) -> int:
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        if role != Role.DisplayRole:
            return None
        is_across = orientation == Qt.Orientation.Horizontal
        return self.rows[section].name if is_across else str(section)

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if role == Role.TextAlignmentRole:
            return _NUMBER
        if role not in (Role.DisplayRole, Role.EditRole):
            return None
        column = self._columns[index.column()]
        if index.row() >= len(column):
            return ""
        return item_text(self.rows[index.column()], column[index.row()])

    def setData(self, index: Index, value: Any, role: int = Role.EditRole) -> bool:
        return role == Role.EditRole and self.put(index.row(), index.column(), [[str(value)]])

    def put(self, top: int, left: int, texts: list[list[str]]) -> bool:
        """Writes a block of texts, all or none; rows are added where it reaches further down.

        Returns:
            Whether it was accepted; if not, `refused` has said why.
        """
        try:
            block = self._read(top, left, texts)
        except EditError as error:
            self.refused.emit(str(error))
            return False
        missing = top + len(texts) - self._count
        if missing > 0:
            self.insert_rows(self._count, missing)
        for row, column, value in block:
            items = self._columns[column]
            # A column that ends above gets what stands for nothing on the way.
            items.extend([_nothing(self.rows[column])] * (row + 1 - len(items)))
            items[row] = value
        if block:
            bottom = self.index(top + len(texts) - 1, self.columnCount() - 1)
            self.dataChanged.emit(self.index(top, left), bottom)
        return True

    def _read(self, top: int, left: int, texts: list[list[str]]) -> list[tuple[int, int, Any]]:
        if top + len(texts) > MOST_ROWS:
            raise EditError(f"A list takes {MOST_ROWS:,} numbers here at most.")
        block = []
        for row, line in enumerate(texts, start=top):
            for column, text in enumerate(line, start=left):
                if column >= len(self.rows):
                    raise EditError("There are more columns than the table has.")
                if not text.strip():
                    continue
                field = self.rows[column]
                try:
                    value = checked_item(field, read_item(field, text))
                except EditError as error:
                    raise EditError(f"{field.name}[{row}]: {error}") from None
                block.append((row, column, value))
        return block

    def insert_rows(self, at: int, count: int) -> None:
        """Puts rows in, as copies of the one above; lists that end above stay as they are."""
        self.beginInsertRows(QModelIndex(), at, at + count - 1)
        for field, items in zip(self.rows, self._columns, strict=True):
            if len(items) >= at:
                above = items[at - 1] if 0 < at <= len(items) else _nothing(field)
                if items or len(self.rows) == 1:
                    items[at:at] = [above] * count
        self._count += count
        self.endInsertRows()

    def remove_rows(self, numbers: list[int]) -> None:
        """Takes rows out."""
        gone = set(numbers)
        self.beginResetModel()
        self._columns = [
            [item for row, item in enumerate(items) if row not in gone]
            for items in self._columns
        ]
        self._count -= len([row for row in gone if 0 <= row < self._count])
        self.endResetModel()


def _nothing(field: Field) -> Any:
    return 0.0 if field.scalar in ("float", "double") else checked_item(field, 0)
