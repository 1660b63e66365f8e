# SPDX-License-Identifier: Apache-2.0
"""The table of a searchable list, of which a person chooses one row."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractItemModel
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

ROW_PIXELS = 22


def choice_view(name: str, table: QAbstractItemModel, widths: Sequence[int]) -> QTableView:
    """Whole rows, one at a time, nothing to edit.

    Args:
        name: Of the widget.
        table: What is shown.
        widths: Of all columns but the last, which takes the rest; pixels.
    """
    view = QTableView()
    view.setObjectName(name)
    view.setModel(table)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setAlternatingRowColors(True)
    view.setTabKeyNavigation(False)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.verticalHeader().hide()
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    view.verticalHeader().setDefaultSectionSize(ROW_PIXELS)
    view.horizontalHeader().setHighlightSections(False)
    view.horizontalHeader().setStretchLastSection(True)
    for number, pixels in enumerate(widths):
        view.setColumnWidth(number, pixels)
    return view
