# SPDX-License-Identifier: Apache-2.0
"""Rows of a table to the clipboard, and cells from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tflm_studio.analysis.table_text import (
    as_aligned_text,
    as_markdown,
    as_tab_separated,
    parse_tab_separated,
)
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import plural
from tflm_studio.ui.models.record_table import Column

if TYPE_CHECKING:
    from tflm_studio.ui.views.record_view import RecordView

Cell = tuple[int, int, str]  # row, column, text


def shown_columns(view: RecordView) -> list[int]:
    """The columns that are shown, from left to right."""
    header = view.horizontalHeader()
    places = map(header.logicalIndex, range(header.count()))
    return [column for column in places if not header.isSectionHidden(column)]


def rows_as_text(view: RecordView, form: str = "tabs") -> str:
    """The selected rows, or all that are shown if none is.

    Args:
        view: The table; cells are those of its shown columns, whole where they are cut.
        form: "tabs", or with a header row "markdown" or "text".
    """
    columns: list[Column] = [view.table.columns[number] for number in shown_columns(view)]
    rows = [[column.text(row) for column in columns] for row in _wanted_rows(view)]
    titles = [column.title for column in columns]
    numbers = {place for place, column in enumerate(columns) if column.is_number}
    if form == "markdown":
        return as_markdown(titles, rows, numbers)
    if form == "text":
        return as_aligned_text(titles, rows, numbers)
    return as_tab_separated(rows)


def _wanted_rows(view: RecordView) -> list[int]:
    selected = view.selected_rows()
    return selected or [
        view.proxy.mapToSource(view.proxy.index(place, 0)).row()
        for place in range(view.proxy.rowCount())
    ]


def cells_to_paste(view: RecordView, text: str) -> list[Cell]:
    """What goes where if a text is pasted: from the current cell on, to the right and down.

    A single cell goes into the current column of all selected rows.

    Raises:
        EditError: There is no current cell, or not enough room from it on.
    """
    block, current = parse_tab_separated(text), view.currentIndex()
    if not current.isValid():
        raise EditError("Select the cell to paste into first.")
    columns = shown_columns(view)
    left = columns.index(current.column()) if current.column() in columns else 0
    selected = view.selected_rows()
    if len(block) == 1 and len(block[0]) == 1:
        here = view.proxy.mapToSource(current).row()
        rows = selected if here in selected else [here]
        return [(row, current.column(), block[0][0]) for row in rows]
    width = max(map(len, block), default=0)
    spare_rows = view.proxy.rowCount() - current.row()
    if len(block) > spare_rows or width > len(columns) - left:
        raise EditError(
            f"The clipboard has {plural(len(block), 'row')} of {plural(width, 'cell')}; from "
            f"here on there are {plural(spare_rows, 'row')} of "
            f"{plural(len(columns) - left, 'cell')}. Nothing was pasted."
        )
    return [
        (view.proxy.mapToSource(view.proxy.index(current.row() + down, 0)).row(), column, cell)
        for down, line in enumerate(block)
        for column, cell in zip(columns[left:], line, strict=False)
    ]
