# SPDX-License-Identifier: Apache-2.0
"""The selected thing as a form, whatever it is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from tflm_studio.editing.document import Change
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.place_names import thing_at
from tflm_studio.model.schema import (
    AssociatedFile,
    Buffer,
    Metadata,
    Operator,
    OperatorCode,
    SignatureDef,
    SubGraph,
    Table,
    Tensor,
)
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.associated_file_page import AssociatedFilePage
from tflm_studio.ui.views.inspector_page import InspectorPage
from tflm_studio.ui.views.model_pages import (
    BufferPage,
    MetadataPage,
    ModelPage,
    OperatorCodePage,
    SignaturePage,
    SubGraphPage,
    TablePage,
)
from tflm_studio.ui.views.operator_page import OperatorPage
from tflm_studio.ui.views.tensor_page import TensorPage

MINIMUM_PIXELS = 250

PAGES: dict[type, type[InspectorPage]] = {
    Operator: OperatorPage,
    Tensor: TensorPage,
    Buffer: BufferPage,
    Metadata: MetadataPage,
    SubGraph: SubGraphPage,
    AssociatedFile: AssociatedFilePage,
    OperatorCode: OperatorCodePage,
    SignatureDef: SignaturePage,
}


class Inspector(QScrollArea):
    """Shows the page for whatever is selected; edits go through the session."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("inspector")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # F6 leads to a field
        self.setMinimumWidth(MINIMUM_PIXELS)
        self._session = session
        self._shown: Address | None = None
        self.page: InspectorPage | None = None
        session.selection.changed.connect(self.show_place)
        session.changed.connect(self._on_document_changed)
        self.show_place(session.selection.address)

    def show_place(self, address: Address) -> None:
        """Shows the thing that a place belongs to."""
        model = self._session.document.model
        thing = thing_at(address)
        value = find_address(model, thing)
        page_class = page_for(value) if thing else ModelPage
        if page_class is ModelPage:
            thing = ()
        if thing == self._shown and type(self.page) is page_class:
            return
        self._replace(page_class, thing)

    def _replace(self, page_class: type[InspectorPage], thing: Address) -> None:
        self._shown = thing
        self.page = page_class(self._session, thing)
        holder = QWidget()
        layout = QVBoxLayout(holder)
        layout.setContentsMargins(12, 8, 12, 12)
        layout.addWidget(self.page)
        layout.addStretch(1)
        # Replacing deletes the old page, whose editor may just be reporting: later, not now.
        old = self.takeWidget()
        self.setWidget(holder)
        if old is not None:
            old.hide()
            old.deleteLater()

    def _on_document_changed(self, change: Change) -> None:
        thing = thing_at(self._session.selection.address)
        value = find_address(self._session.document.model, thing)
        page = self.page
        if thing and not isinstance(value, Table):
            # The thing is gone, as after undoing its insertion.
            self._session.selection.select(())
        elif page is None or thing != self._shown:
            self.show_place(thing)
        elif page.must_rebuild(change):
            self._replace(type(page), thing)
        else:
            page.refresh()


def page_for(value: object) -> type[InspectorPage]:
    """The page for a thing; the model's where there is none."""
    if not isinstance(value, Table):
        return ModelPage
    return PAGES.get(type(value), TablePage)
