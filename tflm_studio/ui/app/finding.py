# SPDX-License-Identifier: Apache-2.0
"""How the find field of a window works on its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from tflm_studio.analysis.row_query import RowQuery
from tflm_studio.analysis.runtime_messages import NamedPlace
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.operators import knowledge_of, schema_name
from tflm_studio.model.schema import Operator
from tflm_studio.ui.views.find_field import FindBar
from tflm_studio.ui.views.metadata_panel import MetadataPanel
from tflm_studio.ui.views.record_view import RecordView

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

_ONE = {"operators": "operator", "tensors": "tensor", "buffers": "buffer"}


class Finding(QObject):
    """Filters what the current tab shows; the other tabs follow when they are shown.

    Args:
        window: Whose tables.
        bar: Its find field, with the note beside it.
    """

    def __init__(self, window: MainWindow, bar: FindBar) -> None:
        super().__init__(window)
        self._window = window
        self._bar = bar
        bar.field.textChanged.connect(self._on_text_changed)
        bar.field.entered.connect(self._prepare)
        bar.field.left.connect(self.go_to_rows)
        bar.field.ended.connect(self._end)
        for view in (*window.record_views, *window.metadata_panel.views):
            view.empty_note.clear_wanted.connect(self._end)

    def _on_text_changed(self) -> None:
        place = self.follow_tab().place
        kinds = list(_ONE)
        if place is not None and place.kind in kinds:
            # An error message leads to the table of what it names; other tabs stay reachable.
            self._window.tabs.setCurrentIndex(kinds.index(place.kind))

    @property
    def _tab(self) -> int:
        return self._window.tabs.currentIndex()

    def follow_tab(self) -> RowQuery:
        """Filters what is shown now by what was typed."""
        page, text = self._window.tabs.currentWidget(), self._bar.field.text()
        query = RowQuery()
        if isinstance(page, (RecordView, MetadataPanel)):
            query = page.filter(text)
        note = query.problem or (self._tell(query.place) if query.place else "")
        self._bar.say(note, wrong=bool(query.problem))
        self._window.tabs.show_counts()
        return query

    def _tell(self, place: NamedPlace) -> str:
        """What an error message names, and whether that is in the model."""
        if place.index is None:
            return f"Error message: operators {place.name}"
        model, name = self._window.document.model, f"{_ONE[place.kind]} {place.index}"
        address: Address = (place.kind, place.index)
        if place.kind != "buffers":
            address = ("subgraphs", self._window.session.subgraph_index, *address)
        thing = find_address(model, address)
        if thing is None and place.kind == "tensors":
            return f"There is no {name} here: try inputs:{place.index} on operators."
        if thing is None:
            return f"There is no {name} here."
        if isinstance(thing, Operator) and place.name:
            known = knowledge_of(model, thing)
            if place.name not in (known.name, schema_name(known)):
                return f"{name.capitalize()} is {schema_name(known)}, not {place.name}."
        return name.capitalize()

    def show(self, address: Address) -> None:
        """Selects a place, shows it in its table, filtered or not, and leads there."""
        self._window.show_place(address)
        page = self._window.tabs.currentWidget()
        if isinstance(page, RecordView) and not page.shows(address):
            self._bar.field.clear()
            page.follow(address)
        page.setFocus()

    def _prepare(self) -> None:
        page = self._window.tabs.currentWidget()
        if isinstance(page, RecordView):
            page.proxy.prepare()

    def go_to_rows(self) -> None:
        """Leads to the rows that were found."""
        page = self._window.tabs.currentWidget()
        if isinstance(page, RecordView):
            page.enter()
        else:
            page.setFocus()

    def _end(self) -> None:
        self._bar.field.clear()
        self._window.tabs.currentWidget().setFocus()
