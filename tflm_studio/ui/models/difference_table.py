# SPDX-License-Identifier: Apache-2.0
"""The differences between the open model and another one as a table to filter and sort."""

from __future__ import annotations

from typing import Any, NamedTuple

from PySide6.QtCore import (
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QSortFilterProxyModel,
    Qt,
)

from tflm_studio.analysis.model_difference import Difference, DifferenceKind, differences
from tflm_studio.analysis.row_query import folded
from tflm_studio.model.address import Address
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.place_names import at_start, name_place
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.choice_table import ChoiceTable
from tflm_studio.ui.models.tool_tips import tool_tip

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole
MOST_SHOWN = 10_000
TITLES = ("Where", "Change", "Open here", "{}", "Address")
ON_DISK = "the file on disk"
LONGEST_TITLE = 28
_CHANGES = {DifferenceKind.REMOVED: "only here", DifferenceKind.INSERTED: "missing here"}


class DifferenceRow(NamedTuple):
    """A difference as a row.

    Attributes:
        kind: What it is, in a word or two.
        cells: What it shows, by column.
        near: Where in the open model it leads.
        searched: What a filter looks into.
    """

    kind: str
    cells: tuple[str, ...]
    near: Address
    searched: str


def difference_rows(here: Model, there: Model) -> list[DifferenceRow]:
    """The differences between two models as rows, up to one more than are shown."""
    return [_row(each, here, there) for each in differences(here, there, MOST_SHOWN + 1)]


def _row(found: Difference, here: Model, there: Model) -> DifferenceRow:
    is_new = found.first is None
    where = name_place(
        there if is_new else here, (found.second if is_new else found.first) or ()
    )
    kind = _CHANGES.get(found.kind, found.kind.value)
    cells = (at_start(where), found.note or kind, found.old, found.new, found.address)
    return DifferenceRow(kind, cells, found.near, folded("\n".join(cells)))


class DifferenceTable(ChoiceTable[DifferenceRow]):
    """A row for each difference, in the order of the model.

    Args:
        there: What the other model is called.

    Attributes:
        titles: Of the columns.
    """

    TITLES = TITLES

    def __init__(self, there: str) -> None:
        super().__init__()
        self.shown: list[DifferenceRow] = []
        self._in_order: list[DifferenceRow] = []
        # A file keeps its name as it is; words begin a title with a capital.
        name = at_start(there) if there == ON_DISK else excerpt(there, LONGEST_TITLE)
        self.titles = tuple(title.format(name) for title in TITLES)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Vertical:
            return None
        if role == Role.DisplayRole:
            return self.titles[section]
        return super().headerData(section, orientation, role)

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        text = self.shown[index.row()].cells[index.column()]
        if role == Role.DisplayRole:
            return " ".join(text.split()) if "\n" in text else text
        if role == Role.ToolTipRole:
            return tool_tip(text)
        return None

    def show(self, found: list[DifferenceRow]) -> None:
        """Shows other rows, in this order."""
        self._in_order = found
        super().show(found)

    def order_by(self, column: int, *, descending: bool) -> None:
        """Puts the rows in the order of a column; of the model, for none and the first."""
        rows = list(self._in_order)
        if column > 0:
            rows.sort(key=lambda row: folded(row.cells[column]))
        super().show(rows[::-1] if descending and column >= 0 else rows)


class DifferenceFilter(QSortFilterProxyModel):
    """Those rows of a table that hold all words of a text."""

    def __init__(self, table: DifferenceTable, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.table = table
        self._words: list[str] = []
        self.setSourceModel(table)

    def search(self, text: str) -> None:
        """Shows the rows that hold all these words."""
        self._words = folded(text).split()
        self.invalidate()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sorts the table itself: Qt would ask for two texts at every comparison."""
        is_descending = order is Qt.SortOrder.DescendingOrder
        self.table.order_by(column, descending=is_descending)

    def row_at(self, index: Index) -> DifferenceRow | None:
        """The difference that a row of the view shows."""
        source = self.mapToSource(index)
        return self.table.shown[source.row()] if source.isValid() else None

    def filterAcceptsRow(self, source_row: int, source_parent: Index) -> bool:
        searched = self.table.shown[source_row].searched
        return all(word in searched for word in self._words)
