# SPDX-License-Identifier: Apache-2.0
"""The offsets of an offline memory plan as a table that can be typed into."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from tflm_studio.editing.offline_offsets import PlannedTensor
from tflm_studio.model.errors import EditError
from tflm_studio.model.field_text import parse_whole_number
from tflm_studio.model.graph import describe_tensor
from tflm_studio.model.operators import find_tensor
from tflm_studio.model.schema import Model

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
TITLES = ("Subgraph", "Tensor", "Name, shape and type", "Offset")
OFFSET = 3
_NUMBER = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_TEXT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class PlanTable(QAbstractTableModel):
    """One row per tensor of the model; only offsets can be changed."""

    changed = Signal()
    refused = Signal(str)

    def __init__(self, model: Model, planned: list[PlannedTensor]) -> None:
        super().__init__()
        self._model = model
        self._planned = planned
        self.offsets = [each.offset for each in planned]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._planned)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(TITLES)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        is_title = orientation is Qt.Orientation.Horizontal and role == Role.DisplayRole
        return TITLES[section] if is_title and 0 <= section < len(TITLES) else None

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role in (Role.DisplayRole, Role.EditRole):
            return self._text(index.row(), index.column())
        if role == Role.TextAlignmentRole:
            return _NUMBER if index.column() == OFFSET else _TEXT
        return None

    def _text(self, row: int, column: int) -> str:
        each = self._planned[row]
        if column == OFFSET:
            return str(self.offsets[row])
        if column < OFFSET - 1:
            return str(each[column])
        subgraphs = self._model.subgraphs or []
        tensor = find_tensor(subgraphs[each.subgraph], each.tensor)
        return describe_tensor(tensor) if tensor is not None else ""

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == OFFSET else flags

    def setData(self, index: Index, value: Any, role: int = Role.EditRole) -> bool:
        if index.column() != OFFSET or role != Role.EditRole:
            return False
        try:
            self.offsets[index.row()] = parse_whole_number(str(value))
        except EditError as error:
            self.refused.emit(str(error))
            return False
        self.dataChanged.emit(index, index)
        self.changed.emit()
        return True
