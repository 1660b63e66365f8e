# SPDX-License-Identifier: Apache-2.0
"""A dialog that changes the values of a tensor: operations, their numbers, a live preview."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.value_effects import ValueProposal
from tflm_studio.editing.weight_preview import (
    BeforeAfter,
    before_and_after,
    contents_after,
)
from tflm_studio.model.address import Address
from tflm_studio.model.cancellation import CancelledError, cancellable
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import name_thing, plural
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.views.operation_form import OperationForm
from tflm_studio.ui.views.proposal_dialog import ProposalDialog
from tflm_studio.ui.views.weight_operations import (
    ONLY_ALL,
    OPERATIONS,
    Operation,
    operation_named,
)

BACKGROUND_ELEMENTS = 1 << 18  # so many are looked at within 0.1 s
LOOKING = "Looking at what would happen…"
NOTHING = "This would change nothing."


class Seen(NamedTuple):
    """What an operation would do.

    Attributes:
        proposal: The edits.
        counts: Histograms before and after.
    """

    proposal: Proposal
    counts: BeforeAfter | None


def look(model: Model, contents: BufferContents, make: Callable[[], Proposal]) -> Seen:
    """Has an operation look at the model, and compares the values."""
    proposal = make()
    after = contents_after(model, contents, proposal)
    counts = before_and_after(contents, after) if after is not None else None
    return Seen(proposal, counts)


class WeightsDialog(ProposalDialog):
    """Asks what shall be done to the values of a tensor or buffer.

    Args:
        model: The model.
        address: A tensor, or a buffer that no tensor uses.
        operation: The id of the operation that is chosen at first.
        where: Flat indices of values that are selected; None for none.
        parent: The window.

    Raises:
        EditError: Nothing is stored there.
    """

    DELAY_MS: ClassVar[int] = 120

    def __init__(
        self,
        model: Model,
        address: Address,
        operation: str = "scale",
        *,
        where: NDArray[np.int64] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        contents = contents_at(model, address)
        name = name_thing(model, address)
        if contents is None or not contents.count:
            raise EditError(f"There are no values in {name}.")
        super().__init__(f"Change the values of {name}", "weights_dialog", parent)
        self._model, self._address, self._contents = model, address, contents
        self._where = where
        self._task = LatestTask(self)
        self._task.finished.connect(self._show)
        self._task.failed.connect(self._on_failed)
        self._build()
        chosen = operation_named(operation)
        with QSignalBlocker(self.list):
            self.list.setCurrentRow(OPERATIONS.index(chosen))
        self._ask_for(chosen)
        self.finish()
        if not self.parameters.focus_first():
            self.list.setFocus()

    def _build(self) -> None:
        from tflm_studio.ui.views.effect_view import EffectView  # loads pyqtgraph

        self.list = self._build_list()
        self.parameters = OperationForm()
        self.parameters.typed.connect(self.entered)
        self.parameters.chosen.connect(self.check)
        self.effect = EffectView()
        self.column.removeItem(self.form)
        middle = QVBoxLayout()
        middle.addWidget(self.parameters)
        middle.addSpacing(6)
        middle.addLayout(self._build_ticks())
        middle.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(14)
        row.addWidget(self.list)
        row.addLayout(middle)
        row.addWidget(self.effect, 1)
        self.column.addLayout(row, 1)

    def _build_list(self) -> QListWidget:
        made = QListWidget()
        made.setObjectName("operations")
        made.setAccessibleName("What to do")
        for operation in OPERATIONS:
            item = QListWidgetItem(operation.title, made)
            item.setToolTip(operation.sentence)
        made.setSpacing(1)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        made.setFixedWidth(made.sizeHintForColumn(0) + 2 * made.frameWidth() + 14)
        line = made.sizeHintForRow(0) + 2 * made.spacing()
        made.setMinimumHeight(line * len(OPERATIONS) + 2 * made.frameWidth() + 2)
        made.currentRowChanged.connect(self._on_operation_chosen)
        return made

    def _build_ticks(self) -> QVBoxLayout:
        ticks = QVBoxLayout()
        ticks.setSpacing(3)
        self.real = QCheckBox("Work on &real values")
        self.real.setObjectName("real")
        self.real.setToolTip("scale × (stored − zero point); on the stored numbers if not.")
        self.real.setChecked(True)
        self.selected = QCheckBox()
        self.selected.setObjectName("selected")
        if self._where is not None:
            self.selected.setText(f"&Only the {plural(len(self._where), 'selected value')}")
            self.selected.setChecked(True)
        for box in (self.real, self.selected):
            box.toggled.connect(self.check)
            ticks.addWidget(box)
        return ticks

    # ------------------------------------------------------------------ choosing

    def _on_operation_chosen(self, row: int) -> None:
        if row >= 0:
            self._ask_for(OPERATIONS[row])
            self.check()

    def _ask_for(self, operation: Operation) -> None:
        self.parameters.show_operation(operation, self._contents)
        is_quantised = self._contents.quantization is not None
        self.real.setVisible(operation.is_elementwise and is_quantised)
        takes_some = operation.is_elementwise and operation.id not in ONLY_ALL
        self.selected.setVisible(takes_some and self._where is not None)
        # Fields are made anew, and would come last.
        stops = [self.list, *self.parameters.stops(), self.real, self.selected]
        for before, after in pairwise(stops):
            self.setTabOrder(before, after)

    # ------------------------------------------------------------------ looking

    def propose(self) -> Proposal:
        return self._maker()()

    def _maker(self) -> Callable[[], Proposal]:
        """The operation with all that is entered; holds no widgets, so a thread may run it.

        Raises:
            EditError: Something entered cannot be read.
        """
        operation, arguments = self.parameters.operation, self.parameters.arguments()
        if operation.is_elementwise:
            arguments["real"] = self.real.isChecked()
            is_part = self.selected.isVisibleTo(self) and self.selected.isChecked()
            if operation.id not in ONLY_ALL:
                arguments["where"] = self._where if is_part else None
        return partial(operation.make, self._model, self._address, **arguments)

    def check(self) -> None:
        """Looks at what is entered; many values are looked at in a thread."""
        self._timer.stop()
        self._task.cancel()
        try:
            make = self._maker()
            if self._contents.count > BACKGROUND_ELEMENTS:
                self._look_later(make)
            else:
                self._show(look(self._model, self._contents, make))
        except EditError as error:
            self._on_failed(error)

    def _look_later(self, make: Callable[[], Proposal]) -> None:
        self.ok.setEnabled(False)
        self.say(LOOKING)
        self._task.start(partial(_in_thread, self._model, self._contents, make))

    def _show(self, seen: Seen) -> None:
        self.proposal = seen.proposal
        self.effect.plot.show_counts(seen.counts)
        effect = seen.proposal.effect if isinstance(seen.proposal, ValueProposal) else None
        self.effect.show_effect(effect)
        self.say(" ".join(seen.proposal.notes) or ("" if seen.proposal.edits else NOTHING))
        self.ok.setEnabled(bool(seen.proposal.edits))

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, CancelledError):
            return
        if not isinstance(error, (EditError, MemoryError)):
            raise error
        self.effect.show_effect(None)
        self._show_now()
        self.refuse(str(error) or "There is not enough memory for this.")

    def _show_now(self) -> None:
        """The values of now alone, unless it takes long to count them."""
        if self._contents.count <= BACKGROUND_ELEMENTS:
            found = before_and_after(self._contents, self._contents)
            self.effect.plot.show_counts(found, is_done=False)

    def accept(self) -> None:
        """Closes the dialog with what has been looked at."""
        if self._timer.isActive():
            self.check()
        if self.ok.isEnabled():
            QDialog.accept(self)

    def done(self, result: int) -> None:
        self._task.cancel()
        super().done(result)


def _in_thread(
    model: Model,
    contents: BufferContents,
    make: Callable[[], Proposal],
    is_unwanted: Callable[[], bool],
) -> Seen:
    with cancellable(is_unwanted):
        return look(model, contents, make)
