# SPDX-License-Identifier: Apache-2.0
"""What all panels of one window share: the document, the selection, and the news of both."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal

from tflm_studio.editing.document import Change, Document
from tflm_studio.editing.edits import Edit
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.ui.models.selection import Selection


class Session(QObject):
    """A document as the panels of a window see it.

    Attributes:
        document: What is edited.
        selection: The selected place.
        subgraph_index: The subgraph that tables show.
    """

    changed = Signal(object)  # Change
    subgraph_changed = Signal(int)
    refused = Signal(str)
    message = Signal(str)

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.selection = Selection(self)
        self.subgraph_index = 0
        self._unsubscribe = document.subscribe(self._pass_on)
        self.selection.changed.connect(self._follow)

    def close(self) -> None:
        """Ends the news; the document may live on without a window."""
        self._unsubscribe()

    def do(
        self, edits: Edit | Iterable[Edit], label: str | None = None, *, merge: bool = False
    ) -> bool:
        """Applies edits; a refusal is announced, and nothing has changed.

        Returns:
            False if the edits were refused.
        """
        try:
            self.document.do(edits, label, merge=merge)
        except EditError as error:
            self.refused.emit(str(error))
            return False
        return True

    def show_subgraph(self, subgraph_index: int) -> None:
        """Makes the tables show another subgraph."""
        if subgraph_index != self.subgraph_index:
            self.subgraph_index = subgraph_index
            self.subgraph_changed.emit(subgraph_index)

    def _pass_on(self, change: Change) -> None:
        self.changed.emit(change)

    def _follow(self, address: Address) -> None:
        if address[:1] == ("subgraphs",) and len(address) > 1:
            self.show_subgraph(int(address[1]))
