# SPDX-License-Identifier: Apache-2.0
"""A row for each channel of a tensor, sorted by any figure."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from tflm_studio.analysis.channel_statistics import ChannelStatistics

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class ChannelColumn(NamedTuple):
    """A figure of all channels.

    Attributes:
        title: What the header calls it.
        numbers: One for each channel.
        digits: How a number is written.
        is_share: Whether it is a share of 1, shown in percent and as a bar.
        hint: What it is, for the tool tip of the header.
    """

    title: str
    numbers: NDArray[Any]
    digits: str = ".5g"
    is_share: bool = False
    hint: str = ""

    def text(self, channel: int) -> str:
        """The figure of a channel."""
        number = self.numbers[channel]
        if self.is_share:
            return f"{100 * number:.1f} %"
        return f"{number:{self.digits}}"


def columns_of(found: ChannelStatistics, name: str, *, is_whole: bool) -> list[ChannelColumn]:
    """The figures there are; those that say nothing are left out.

    Args:
        found: What was measured.
        name: Of the axis.
        is_whole: Whether the values are whole numbers.
    """
    size, ends = max(found.size, 1), ",.0f" if is_whole else ".5g"
    columns = [
        ChannelColumn(name, np.arange(len(found.low)), "d", hint="Index of the channel")
    ]
    if found.scale is not None and found.zero_point is not None:
        columns.append(ChannelColumn("scale", found.scale, hint="Of the quantisation"))
        columns.append(
            ChannelColumn("zero point", found.zero_point, "d", hint="Of the quantisation")
        )
    columns += [
        ChannelColumn("min", found.low, ends, hint="Smallest finite value"),
        ChannelColumn("max", found.high, ends, hint="Largest finite value"),
        ChannelColumn("mean", found.mean, ".4g", hint="Mean of the finite values"),
        ChannelColumn("std", found.std, ".4g", hint="Standard deviation"),
        ChannelColumn("zeros", found.zeros / size, "", True, "Values that are exactly zero"),
    ]
    if found.saturated is not None:
        hint = "Values at an end of the integer range"
        columns.append(ChannelColumn("saturated", found.saturated / size, "", True, hint))
    if found.used is not None:
        hint = "How much of the integer range lies between the smallest and the largest"
        columns.append(ChannelColumn("used range", found.used, "", True, hint))
    if found.not_finite.any():
        hint = "Values that are infinite or no number"
        columns.append(ChannelColumn("not finite", found.not_finite, "d", hint=hint))
    return columns


class ChannelTable(QAbstractTableModel):
    """The channels as rows."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.columns: list[ChannelColumn] = []
        self._order: NDArray[np.int64] = np.array([], np.int64)
        self._sorting = (-1, Qt.SortOrder.AscendingOrder)

    def show_columns(self, columns: list[ChannelColumn]) -> None:
        """Shows other figures, sorted as those before."""
        self.beginResetModel()
        self.columns = columns
        self._order = self._sorted()
        self.endResetModel()

    def channel(self, row: int) -> int:
        """The channel in a row."""
        return int(self._order[row])

    def row_of(self, channel: int) -> int:
        """The row of a channel."""
        return int(np.flatnonzero(self._order == channel)[0])

    def share(self, index: Index) -> float | None:
        """How long the bar in a cell is, 0 to 1; None for no bar."""
        column = self.columns[index.column()]
        return float(column.numbers[self.channel(index.row())]) if column.is_share else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._sorting = (column, order)
        self.layoutAboutToBeChanged.emit()
        before, self._order = self._order, self._sorted()
        moved = np.argsort(self._order)
        for index in self.persistentIndexList():
            row = int(moved[before[index.row()]])
            self.changePersistentIndex(index, self.index(row, index.column()))
        self.layoutChanged.emit()

    def _sorted(self) -> NDArray[np.int64]:
        count = len(self.columns[0].numbers) if self.columns else 0
        column, order = self._sorting
        if not 0 <= column < len(self.columns):
            return np.arange(count)
        numbers = self.columns[column].numbers
        # Not a number comes last both ways.
        is_down = order == Qt.SortOrder.DescendingOrder
        return np.argsort(-numbers.astype(np.float64) if is_down else numbers, kind="stable")

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else len(self._order)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == Role.DisplayRole:
            return self.columns[index.column()].text(self.channel(index.row()))
        return RIGHT if role == Role.TextAlignmentRole else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Vertical or section >= len(self.columns):
            return None
        if role == Role.DisplayRole:
            return self.columns[section].title
        if role == Role.ToolTipRole:
            return self.columns[section].hint
        return RIGHT if role == Role.TextAlignmentRole else None
