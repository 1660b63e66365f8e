# SPDX-License-Identifier: Apache-2.0
"""What all panels of one window share: the document, the selection, and the news of both."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal

from tflm_studio.analysis.facts import ModelFacts
from tflm_studio.analysis.operator_order import OperatorOrder, order_of
from tflm_studio.editing.document import Change, ChangeKind, Document
from tflm_studio.editing.edits import Edit, Insert, Move, Remove, WriteBytes
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import Wiring, buffer_users, wiring_of
from tflm_studio.model.schema import SubGraph
from tflm_studio.ui.models.far_edits import find_far
from tflm_studio.ui.models.selection import Selection

OPEN_AT_FIRST = (
    "Operator.builtin_options",
    "Operator.builtin_options_2",
    "Tensor.quantization",
)


class Session(QObject):
    """A document as the panels of a window see it.

    Attributes:
        document: What is edited.
        selection: The selected place; it moves along when things before it come or go.
        subgraph_index: The subgraph that tables show.
        facts: Sums over the whole model.
        open_fields: Names of the parts of forms that stand open.
    """

    changed = Signal(object)  # Change
    subgraph_changed = Signal(int)
    refused = Signal(str)
    reached = Signal(object)  # FarEdit: an edit by hand that touches more than it seems to
    told = Signal(str)  # what a change did beyond what was asked for

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.document = document
        self.selection = Selection(self)
        self.subgraph_index = 0
        self.facts = ModelFacts(document.model)
        self.open_fields = set(OPEN_AT_FIRST)
        self._wirings: dict[int, Wiring] = {}
        self._orders: dict[int, OperatorOrder] = {}
        self._buffer_users: dict[int, list[Address]] | None = None
        self._then: Address | None = None
        self._unsubscribe = document.subscribe(self._on_document_changed)
        self.selection.changed.connect(self._follow)

    def close(self) -> None:
        """Ends the news; the document may live on without a window."""
        self._unsubscribe()

    @property
    def subgraph(self) -> SubGraph:
        """The subgraph that tables show; an empty one if the model has none."""
        subgraphs = self.document.model.subgraphs or []
        known = self.subgraph_index < len(subgraphs)
        return subgraphs[self.subgraph_index] if known else SubGraph()

    def wiring(self, subgraph_index: int) -> Wiring:
        """Who makes and uses the tensors of a subgraph; made once after each rewiring."""
        if subgraph_index not in self._wirings:
            subgraphs = self.document.model.subgraphs or []
            known = 0 <= subgraph_index < len(subgraphs)
            subgraph = subgraphs[subgraph_index] if known else SubGraph()
            self._wirings[subgraph_index] = wiring_of(subgraph)
        return self._wirings[subgraph_index]

    def order(self, subgraph_index: int) -> OperatorOrder:
        """When the tensors of a subgraph are made and read; made once after each change."""
        if subgraph_index not in self._orders:
            subgraphs = self.document.model.subgraphs or []
            known = 0 <= subgraph_index < len(subgraphs)
            subgraph = subgraphs[subgraph_index] if known else SubGraph()
            self._orders[subgraph_index] = order_of(self.document.model, subgraph)
        return self._orders[subgraph_index]

    def buffer_users(self, buffer_index: int) -> list[Address]:
        """Addresses of the tensors and metadata entries that use a buffer."""
        if self._buffer_users is None:
            self._buffer_users = buffer_users(self.document.model)
        return self._buffer_users.get(buffer_index, [])

    def tensors_with_buffer(self, subgraph_index: int, buffer_index: int) -> list[int]:
        """Indices of the tensors of a subgraph that use a buffer."""
        place = ("subgraphs", subgraph_index, "tensors")
        users = self.buffer_users(buffer_index)
        return [int(address[3]) for address in users if address[:3] == place]

    def do(
        self,
        edits: Proposal | Edit | Iterable[Edit],
        label: str | None = None,
        *,
        merge: bool = False,
        then: Address | None = None,
    ) -> bool:
        """Applies edits; a refusal is announced, and nothing has changed.

        Args:
            edits: What to do.
            label: What the history calls the step.
            merge: Whether it may join the step before.
            then: What is selected once it is done, if not the thing that is selected now.

        Returns:
            Whether the edits were accepted, also if they changed nothing.
        """
        self._then = then
        try:
            self.document.do(edits, label, merge=merge)
        except EditError as error:
            self.refused.emit(str(error))
            return False
        finally:
            self._then = None
        if isinstance(edits, Proposal) and edits.notes:
            self.told.emit(" ".join(edits.notes))
        return True

    def propose(self, make: Callable[[], Proposal], then: Address | None = None) -> bool:
        """Does what an operation proposes; a refusal is announced, and nothing has changed.

        Args:
            make: Makes the proposal.
            then: What is selected once it is done, if not the thing that is selected now.

        Returns:
            Whether it was accepted.
        """
        try:
            proposal = make()
        except EditError as error:
            self.refused.emit(str(error))
            return False
        return self.do(proposal, then=then)

    def show_subgraph(self, subgraph_index: int) -> None:
        """Makes the tables show another subgraph."""
        if subgraph_index != self.subgraph_index:
            self.subgraph_index = subgraph_index
            self.subgraph_changed.emit(subgraph_index)

    def _on_document_changed(self, change: Change) -> None:
        if any(rewires(edit) for edit in change.edits):
            self._wirings.clear()
        if any(rebuffers(edit) for edit in change.edits):
            self._buffer_users = None
        if not all(isinstance(edit, WriteBytes) for edit in change.edits):
            self._orders.clear()
        # A write into a buffer changes no size.
        self.facts.follow(e.address for e in change.edits if not isinstance(e, WriteBytes))
        before = self.selection.address
        # Panels must find the selected thing where it is now when they hear of the change.
        then = self._then
        self.selection.address = shifted(before, change.edits) if then is None else then
        count = len(self.document.model.subgraphs or [])
        self.show_subgraph(min(self.subgraph_index, max(count - 1, 0)))
        self.changed.emit(change)
        if self.selection.address != before or then is not None:
            self.selection.changed.emit(self.selection.address)
        if change.kind is ChangeKind.DONE:
            far = find_far(self.document.model, change.edits, self.wiring, self.buffer_users)
            if far is not None:
                self.reached.emit(far)

    def _follow(self, address: Address) -> None:
        match address:
            case ("subgraphs", int(index), *_) if index < len(
                self.document.model.subgraphs or []
            ):
                self.show_subgraph(index)


def rewires(edit: Edit) -> bool:
    """Whether an edit may change who makes and uses which tensors."""
    match edit.address:
        case ("subgraphs", int(), "operators", int(), step, *_):
            return step in ("inputs", "outputs")
        case ("subgraphs", int(), step, *_):
            return step in ("operators", "inputs", "outputs")
        case ("subgraphs", *_):
            return True
    return False


def rebuffers(edit: Edit) -> bool:
    """Whether an edit may change who uses which buffer."""
    match edit.address:
        case ("subgraphs", int(), "tensors", int(), step, *_) | ("metadata", int(), step, *_):
            return step == "buffer"
        case ("subgraphs", int(), "operators", *_):
            return False
        case (step, *_):
            return step in ("subgraphs", "metadata")
    return True


def relinks(edit: Edit) -> bool:
    """Whether an edit may change which things belong to each other."""
    match edit.address:
        case ("subgraphs", int(), "tensors", int(), step, *_):
            return step == "buffer"
        case ("subgraphs", int(), "tensors", *_) | ("buffers",) | ("metadata", *_):
            return True
    return rewires(edit)


def shifted(address: Address, edits: Iterable[Edit]) -> Address:
    """Where a thing stands after edits to the lists it is in; the model if it is gone."""
    for edit in edits:
        size = len(edit.address)
        if address[:size] != edit.address or len(address) == size:
            continue
        index = address[size]
        if not isinstance(index, int):
            continue
        if isinstance(edit, Remove) and edit.index == index:
            return ()
        address = (*address[:size], index + _step(edit, index), *address[size + 1 :])
    return address


def _step(edit: Edit, index: int) -> int:
    if isinstance(edit, Insert):
        return 1 if edit.index <= index else 0
    if isinstance(edit, Remove):
        return -1 if edit.index < index else 0
    if isinstance(edit, Move):
        if edit.index == index:
            return edit.target - index
        return (edit.target <= index) - (edit.index < index)
    return 0
