# SPDX-License-Identifier: Apache-2.0
"""A dialog for the offline memory plan: where each tensor is in the arena."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from tflm_studio.editing.offline_offsets import find_plan, planned_tensors, set_offsets
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.offline_plan import PLANNED_ONLINE
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.plan_table import PlanTable
from tflm_studio.ui.views.proposal_dialog import ProposalDialog

WIDTH, HEIGHT = 600, 320
ROW_PADDING = 8


class OfflinePlanDialog(ProposalDialog):
    """A row per tensor with its offset; -1 leaves it to the interpreter.

    Raises:
        EditError: The plan of the model cannot be read.
    """

    def __init__(self, model: Model, parent: QWidget | None = None) -> None:
        super().__init__("Offline memory plan", "offline_plan_dialog", parent)
        self._model = model
        self._plan = find_plan(model)
        self.table = PlanTable(model, planned_tensors(model))
        self.table.changed.connect(self.entered)
        self.table.refused.connect(self.say)
        self.view = QTableView()
        self.view.setObjectName("plan_table")
        self.view.setModel(self.table)
        self.view.setAlternatingRowColors(True)
        self.view.setShowGrid(False)
        self.view.setWordWrap(False)
        self.view.setMinimumHeight(HEIGHT)
        self.view.verticalHeader().hide()
        height = self.fontMetrics().height() + ROW_PADDING
        self.view.verticalHeader().setDefaultSectionSize(height)
        header = self.view.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        self.column.addWidget(self.view, 1)
        self.resize(WIDTH, self.sizeHint().height())
        self.finish()

    def propose(self) -> Proposal:
        plan = self._plan
        if plan is None:
            return set_offsets(self._model, self.table.offsets)
        if list(plan.offsets) == self.table.offsets:
            return Proposal()
        return set_offsets(self._model, self.table.offsets, plan.version, plan.subgraph_count)

    def hint(self) -> str:
        online = sum(offset == PLANNED_ONLINE for offset in self.table.offsets)
        count = len(self.table.offsets) - online
        return (
            f"{count:,} of {len(self.table.offsets):,} tensors have a place; -1 leaves a "
            "tensor to the interpreter. Offsets are bytes, multiples of 16."
        )
