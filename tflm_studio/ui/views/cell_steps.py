# SPDX-License-Identifier: Apache-2.0
"""From one cell that can be edited to the next, as the keys of spreadsheets do."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QTableView

EDITABLE = Qt.ItemFlag.ItemIsEditable


def is_editable(index: QModelIndex) -> bool:
    """Whether a cell can be edited."""
    return index.isValid() and bool(index.flags() & EDITABLE)


def editable_from(view: QTableView, index: QModelIndex) -> QModelIndex:
    """A cell, or for the first of a row the next that can be edited; else an invalid index.

    The first cell stands for its row. Whoever is in any other means that one alone.
    """
    across = _columns(view)
    if not index.isValid() or index.column() not in across:
        return QModelIndex()
    if index.column() != across[0]:
        return index if is_editable(index) else QModelIndex()
    cells = (index.siblingAtColumn(column) for column in across)
    return next(filter(is_editable, cells), QModelIndex())


def next_editable(view: QTableView, index: QModelIndex, step: int) -> QModelIndex:
    """The editable cell behind (step 1) or before (step -1) a cell; rows follow each other.

    Which columns can be edited is the same in all rows. An invalid index if there is none.
    """
    across = [c for c in _columns(view) if is_editable(index.siblingAtColumn(c))]
    if not across:
        return QModelIndex()
    header = view.horizontalHeader()
    here = header.visualIndex(index.column())
    places = [header.visualIndex(column) for column in across]
    beyond = [p for p in places if (p > here if step > 0 else p < here)]
    row = index.row()
    if beyond:
        place = min(beyond) if step > 0 else max(beyond)
    else:
        row += step
        place = min(places) if step > 0 else max(places)
    return index.sibling(row, header.logicalIndex(place))


def _columns(view: QTableView) -> list[int]:
    header = view.horizontalHeader()
    logical = map(header.logicalIndex, range(header.count()))
    return [column for column in logical if not header.isSectionHidden(column)]
