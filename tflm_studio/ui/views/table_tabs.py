# SPDX-License-Identifier: Apache-2.0
"""The tables of a model in tabs, and the choice of the subgraph that they show."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QTabWidget

from tflm_studio.editing.associated_files import PLACE as FILES
from tflm_studio.model.address import Address
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.operators import weight_inputs
from tflm_studio.ui.models.buffer_table import BufferTable
from tflm_studio.ui.models.operator_table import INDEX_COLUMNS, OperatorTable
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tensor_table import TYPE_COLUMN, TensorTable
from tflm_studio.ui.views.delegates import (
    ChipDelegate,
    ElementTypeDelegate,
    TensorIndexDelegate,
)
from tflm_studio.ui.views.metadata_panel import MetadataPanel
from tflm_studio.ui.views.operator_view import OperatorView
from tflm_studio.ui.views.record_view import RecordView

TABS = ("operators", "tensors", "buffers", "metadata")
SEARCHED_OPERATORS = 200


class TableTabs(QTabWidget):
    """Operators, tensors, buffers and metadata, a tab for each.

    Args:
        session: The document, and the subgraph that is shown.

    Attributes:
        operator_view: The table of operators.
        tensor_view: The table of tensors.
        buffer_table_view: The table of buffers.
        metadata_panel: The tables of metadata, signatures and associated files.
        subgraph_choice: Which subgraph the tables show.
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.setObjectName("tabs")
        self.setDocumentMode(True)
        self._session = session
        self._operators = OperatorTable(session, self)
        self.operator_view = OperatorView(self._operators, "operator_table")
        # Names of tensors differ at their ends.
        left = Qt.TextElideMode.ElideLeft
        self.tensor_view = RecordView(TensorTable(session, self), "tensor_table", left)
        self.buffer_table_view = RecordView(BufferTable(session, self), "buffer_table")
        self.metadata_panel = MetadataPanel(session)
        self._set_delegates()
        for name, page in zip(TABS, (*self.record_views, self.metadata_panel), strict=True):
            self.addTab(page, name.capitalize())
        self.subgraph_choice = QComboBox()
        self.subgraph_choice.setObjectName("subgraph_choice")
        self.subgraph_choice.setToolTip("The subgraph that the tables show")
        self.subgraph_choice.activated.connect(session.show_subgraph)
        session.subgraph_changed.connect(self.subgraph_choice.setCurrentIndex)
        session.subgraph_changed.connect(self.show_counts)
        self.setCornerWidget(self.subgraph_choice)

    def _set_delegates(self) -> None:
        self.operator_view.setItemDelegateForColumn(1, ChipDelegate(self.operator_view))
        for column in INDEX_COLUMNS:
            delegate = TensorIndexDelegate(self._operators, self.operator_view)
            self.operator_view.setItemDelegateForColumn(column, delegate)
        types = ElementTypeDelegate(self.tensor_view)
        self.tensor_view.setItemDelegateForColumn(TYPE_COLUMN, types)

    @property
    def record_views(self) -> tuple[RecordView, ...]:
        """The tables of operators, tensors and buffers."""
        return self.operator_view, self.tensor_view, self.buffer_table_view

    def show_counts(self) -> None:
        """Says how many rows the tables show, and names the subgraphs."""
        subgraphs = self._session.document.model.subgraphs or []
        for tab, view in enumerate(self.record_views):
            self.setTabText(tab, f"{TABS[tab].capitalize()}  {view.count_text()}")
        named = (excerpt(s.name or "", SHOWN_NAME_CHARACTERS) for s in subgraphs)
        names = [f"Subgraph {k}  {name}".strip() for k, name in enumerate(named)]
        shown = [self.subgraph_choice.itemText(k) for k in range(self.subgraph_choice.count())]
        if names != shown:
            self.subgraph_choice.clear()
            self.subgraph_choice.addItems(names)
            self.subgraph_choice.setCurrentIndex(self._session.subgraph_index)
        self.subgraph_choice.setVisible(len(names) > 1)

    def follow(self, address: Address) -> None:
        """Shows the tab of what was selected elsewhere; a click in a table keeps its tab."""
        focus = self.window().focusWidget()
        if focus is None or not self.isAncestorOf(focus):
            self.show_tab_of(address)

    def show_tab_of(self, address: Address) -> None:
        """Shows the tab that a place stands in, if one does."""
        kind = _tab_of(address)
        if kind:
            self.setCurrentIndex(TABS.index(kind))

    def select_first(self) -> None:
        """Selects the first operator with weights, so that there is something to look at."""
        model, subgraph = self._session.document.model, self._session.subgraph
        operators = self._operators.records()[:SEARCHED_OPERATORS]
        with_weights = (
            row for row, o in enumerate(operators) if weight_inputs(model, subgraph, o)
        )
        if operators:
            row = next(with_weights, 0)
            self._session.selection.start((*self._operators.list_address(), row))


def _tab_of(address: Address) -> str:
    """The tab that shows a place; "" if none does."""
    if address[:1] == FILES:
        return "metadata"
    return next((str(step) for step in reversed(address) if step in TABS), "")
