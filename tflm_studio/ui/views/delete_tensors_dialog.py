# SPDX-License-Identifier: Apache-2.0
"""A dialog for tensors that are to go although something uses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QLabel, QListWidget, QRadioButton, QWidget

from tflm_studio.editing import tensors
from tflm_studio.editing.index_users import users_of
from tflm_studio.editing.located import subgraph_at
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.address import Address
from tflm_studio.model.place_names import at_start, name_place, name_tensors, plural
from tflm_studio.model.schema import Model
from tflm_studio.ui.views.proposal_dialog import ProposalDialog
from tflm_studio.ui.views.tensor_choice import TensorChoice

MOST_USERS = 500
SHOWN_USERS = 6


class DeleteTensorsDialog(ProposalDialog):
    """Names the users, and asks what they shall do without the tensors."""

    def __init__(
        self,
        model: Model,
        subgraph_index: int,
        indices: Sequence[int],
        parent: QWidget | None = None,
    ) -> None:
        named = name_tensors(model, subgraph_index, indices)
        super().__init__(f"Delete {named}", "delete_tensors_dialog", parent)
        self._model, self._subgraph_index = model, subgraph_index
        self._indices = list(indices)
        place: Address = ("subgraphs", subgraph_index, "tensors")
        users = users_of(model, place, self._indices)
        is_one = len(self._indices) == 1
        heading = QLabel(f"{at_start(named)} {'is' if is_one else 'are'} used by:")
        heading.setTextFormat(Qt.TextFormat.PlainText)
        self.column.insertWidget(0, heading)
        self.users = QListWidget()
        self.users.setObjectName("users")
        self.users.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.users.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.users.addItems([name_place(model, user) for user in users[:MOST_USERS]])
        if len(users) > MOST_USERS:
            self.users.addItem(f"… and {plural(len(users) - MOST_USERS, 'place')} more")
        line = self.fontMetrics().lineSpacing() + 4
        self.users.setFixedHeight(line * min(max(self.users.count(), 2), SHOWN_USERS) + 8)
        self.column.insertWidget(1, self.users)
        self._build_choices()
        self.finish()

    def _build_choices(self) -> None:
        self.leave_out = QRadioButton("&Leave it out where it is optional")
        self.leave_out.setObjectName("leave_out")
        self.replace = QRadioButton("Let users &read another tensor:")
        self.replace.setObjectName("replace")
        self.other = TensorChoice(subgraph_at(self._model, self._subgraph_index))
        self.other.setObjectName("replacement")
        self.other.setAccessibleName("The other tensor")
        self.buffers = QCheckBox("&Remove buffers that nothing uses afterwards")
        self.buffers.setChecked(True)
        self.leave_out.setChecked(True)
        self.form.addRow(self.leave_out)
        self.form.addRow(self.replace)
        self.form.addRow(self.other)
        self.form.addRow(self.buffers)
        self.replace.toggled.connect(self.entered)
        self.buffers.toggled.connect(self.entered)
        self.other.textChanged.connect(self._on_other)

    def _on_other(self, text: str) -> None:
        if text:
            self.replace.setChecked(True)
        self.entered()

    def propose(self) -> Proposal:
        users: Literal["leave_out"] | int = "leave_out"
        if self.replace.isChecked():
            users = self.other.index()
        return tensors.delete(
            self._model,
            self._subgraph_index,
            self._indices,
            users=users,
            remove_buffers=self.buffers.isChecked(),
        )
