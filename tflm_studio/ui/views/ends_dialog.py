# SPDX-License-Identifier: Apache-2.0
"""A dialog for the inputs and outputs of a subgraph: which tensors, in which order."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.editing import graph_ends
from tflm_studio.editing.located import subgraph_at
from tflm_studio.editing.proposal import Proposal, in_sequence
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.graph import short_shape_text
from tflm_studio.model.operators import find_tensor
from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import Model, SubGraph
from tflm_studio.model.tensor_types import element_type
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.views.proposal_dialog import ProposalDialog
from tflm_studio.ui.views.tensor_choice import TensorChoice

TITLES = ("Tensor", "Name", "Shape", "Type")
ROW_PADDING = 8
LIST_WIDTH, LIST_HEIGHT = 400, 190


class EndList(QGroupBox):
    """Tensors in an order that can be changed; one is added by naming it."""

    changed = Signal()
    refused = Signal(str)

    def __init__(self, title: str, name: str, subgraph: SubGraph, ends: list[int]) -> None:
        super().__init__(title)
        self._subgraph = subgraph
        self.ends = list(ends)
        self.table = QTableWidget(0, len(TITLES))
        self.table.setObjectName(name)
        self.table.setHorizontalHeaderLabels(TITLES)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setShowGrid(False)
        self.table.setWordWrap(False)
        self.table.setMinimumSize(LIST_WIDTH, LIST_HEIGHT)
        height = self.fontMetrics().height() + ROW_PADDING
        self.table.verticalHeader().setDefaultSectionSize(height)
        header = self.table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.choice = TensorChoice(subgraph)
        self.choice.setObjectName(f"{name}_choice")
        self.choice.setAccessibleName(f"A tensor to add to the {name}")
        column = QVBoxLayout(self)
        column.addWidget(self.table, 1)
        column.addLayout(self._make_buttons(name))
        self._fill(0)

    def _make_buttons(self, name: str) -> QGridLayout:
        grid, moves = QGridLayout(), QHBoxLayout()
        add = self._button("Add", f"{name}_add", self._add)
        self.choice.returnPressed.connect(self._add)
        grid.addWidget(self.choice, 0, 0)
        grid.addWidget(add, 0, 1)
        self._buttons = {
            "up": self._button("Move up", f"{name}_up", lambda: self._move(-1)),
            "down": self._button("Move down", f"{name}_down", lambda: self._move(1)),
            "remove": self._button("Remove", f"{name}_remove", self._remove),
        }
        for button in self._buttons.values():
            moves.addWidget(button)
        moves.addStretch(1)
        grid.addLayout(moves, 1, 0, 1, 2)
        self.table.currentCellChanged.connect(lambda *_: self._enable())
        return grid

    def _button(self, text: str, name: str, do: Callable[[], None]) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.setAutoDefault(False)
        button.clicked.connect(do)
        return button

    def _fill(self, current: int) -> None:
        self.table.setRowCount(len(self.ends))
        for row, index in enumerate(self.ends):
            for column, text in enumerate(self._cells(index)):
                item = QTableWidgetItem(text)
                item.setToolTip(tool_tip(text))
                self.table.setItem(row, column, item)
        labels = [str(row) for row in range(len(self.ends))]
        self.table.setVerticalHeaderLabels(labels)
        if self.ends:
            self.table.setCurrentCell(min(max(current, 0), len(self.ends) - 1), 0)
        self._enable()

    def _cells(self, index: int) -> tuple[str, str, str, str]:
        tensor = find_tensor(self._subgraph, index)
        if tensor is None:
            return str(index), "no such tensor", "", ""
        name = excerpt(tensor.name or "unnamed", SHOWN_NAME_CHARACTERS)
        kind = element_type(tensor.type).name
        return str(index), name, short_shape_text(tensor.shape), kind

    def _enable(self) -> None:
        row, count = self.table.currentRow(), len(self.ends)
        is_row = 0 <= row < count
        self._buttons["up"].setEnabled(is_row and row > 0)
        self._buttons["down"].setEnabled(is_row and row < count - 1)
        self._buttons["remove"].setEnabled(is_row)

    def _add(self) -> None:
        try:
            index = self.choice.index()
        except EditError as error:
            self.refused.emit(str(error))
            return
        self.ends.append(index)
        self.choice.clear()
        self._fill(len(self.ends) - 1)
        self.changed.emit()

    def _move(self, by: int) -> None:
        row = self.table.currentRow()
        self.ends.insert(row + by, self.ends.pop(row))
        self._fill(row + by)
        self.changed.emit()

    def _remove(self) -> None:
        row = self.table.currentRow()
        del self.ends[row]
        self._fill(row)
        self.changed.emit()


class EndsDialog(ProposalDialog):
    """Two lists; the note tells what changes for signatures, callers and operators."""

    def __init__(
        self, model: Model, subgraph_index: int, parent: QWidget | None = None
    ) -> None:
        title = f"Inputs and outputs of subgraph {subgraph_index}"
        super().__init__(title, "ends_dialog", parent)
        self._model, self._subgraph_index = model, subgraph_index
        subgraph = subgraph_at(model, subgraph_index)
        self.inputs = EndList("Inputs", "inputs", subgraph, subgraph.inputs or [])
        self.outputs = EndList("Outputs", "outputs", subgraph, subgraph.outputs or [])
        lists = QHBoxLayout()
        for part in (self.inputs, self.outputs):
            lists.addWidget(part, 1)
            part.changed.connect(self.entered)
            part.refused.connect(self.say)
        self.column.addLayout(lists, 1)
        self.finish()

    def propose(self) -> Proposal:
        index = self._subgraph_index
        inputs, outputs = list(self.inputs.ends), list(self.outputs.ends)
        return in_sequence(
            self._model,
            lambda model: graph_ends.set_inputs(model, index, inputs),
            lambda model: graph_ends.set_outputs(model, index, outputs),
            label=f"Set the inputs and outputs of subgraph {index}",
        )

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        # Enter in the line of a list adds the tensor, and only that.
        if not (is_enter and isinstance(self.focusWidget(), TensorChoice)):
            super().keyPressEvent(event)

    def hint(self) -> str:
        subgraph = subgraph_at(self._model, self._subgraph_index)
        if self.proposal.edits:
            return "Signatures follow."
        inputs = plural(len(subgraph.inputs or []), "input")
        outputs = plural(len(subgraph.outputs or []), "output")
        return f"{inputs} and {outputs}. Nothing is changed yet."
