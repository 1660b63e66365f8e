# SPDX-License-Identifier: Apache-2.0
"""Dialogs for inputs of another shape, with all tensors that follow shown before."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from tflm_studio.editing import input_shapes
from tflm_studio.editing.edits import Set
from tflm_studio.editing.located import subgraph_at
from tflm_studio.editing.operations import parse_shape
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.graph import shape_text, short_shape_text
from tflm_studio.model.operators import find_tensor
from tflm_studio.model.place_names import name_tensor, name_thing, plural
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.views.proposal_dialog import ProposalDialog

TITLES = ("Tensor", "Shape now", "New shape")
WIDTH, TABLE_HEIGHT, NOTES_HEIGHT = 560, 230, 70
MOST_ROWS = 2000
MOST_INPUTS = 6
LARGEST_BATCH = 2**20
ROW_PADDING = 8


class ShapePreview(QTableWidget):
    """The tensors whose shapes a proposal changes."""

    def __init__(self) -> None:
        super().__init__(0, len(TITLES))
        self.setObjectName("shape_preview")
        self.setHorizontalHeaderLabels(TITLES)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMinimumHeight(TABLE_HEIGHT)
        self.verticalHeader().hide()
        height = self.fontMetrics().height() + ROW_PADDING
        self.verticalHeader().setDefaultSectionSize(height)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)

    def show_proposal(self, model: Model, proposal: Proposal) -> int:
        """Lists what a proposal changes; returns how many tensors there are."""
        changes = shape_changes(model, proposal)
        self.setRowCount(min(len(changes), MOST_ROWS))
        for row, (name, old, new) in enumerate(changes[:MOST_ROWS]):
            for column, text in enumerate((name, old, new)):
                item = QTableWidgetItem(text)
                item.setToolTip(tool_tip(text))
                self.setItem(row, column, item)
        return len(changes)


def shape_changes(model: Model, proposal: Proposal) -> list[tuple[str, str, str]]:
    """Name, old shape and new shape of each tensor that a proposal gives another shape."""
    new: dict[Address, list[int]] = {}
    for edit in proposal.edits:
        is_tensor = edit.address[2:3] == ("tensors",)
        if isinstance(edit, Set) and is_tensor and edit.address[4:] == ("shape",):
            new[edit.address[:4]] = list(edit.value or [])
    changes = []
    for place, shape in new.items():
        tensor = find_address(model, place)
        old = getattr(tensor, "shape", None) or []
        if tensor is not None and old != shape:
            name = name_thing(model, place)
            changes.append((name, short_shape_text(old), short_shape_text(shape)))
    return changes


class _PreviewDialog(ProposalDialog):
    """What both dialogs have: the list of what changes, and of what is left."""

    DELAY_MS: ClassVar[int] = 200

    def __init__(self, title: str, name: str, model: Model, parent: QWidget | None) -> None:
        super().__init__(title, name, parent)
        self._model = model
        self.preview = ShapePreview()
        self.left = QPlainTextEdit()
        self.left.setObjectName("left")
        self.left.setAccessibleName("What is to be known")
        self.left.setReadOnly(True)
        self.left.setFixedHeight(NOTES_HEIGHT)
        self.left.setPlaceholderText("Nothing is left as it was that should follow.")

    def finish(self) -> None:
        self.column.addWidget(QLabel("What changes:"))
        self.column.addWidget(self.preview, 1)
        self.column.addWidget(QLabel("What is left, or done besides:"))
        self.column.addWidget(self.left)
        self.resize(WIDTH, self.sizeHint().height())
        super().finish()

    def check(self) -> None:
        super().check()
        count = self.preview.show_proposal(self._model, self.proposal)
        self.left.setPlainText("\n".join(self.proposal.notes))
        if self.ok.isEnabled():
            self.say(f"{plural(count, 'tensor')} will have another shape.")


class InputShapeDialog(_PreviewDialog):
    """Asks for an input and its new shape."""

    def __init__(
        self,
        model: Model,
        subgraph_index: int,
        tensor_index: int | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__("Set an input's shape", "input_shape_dialog", model, parent)
        self._subgraph_index = subgraph_index
        subgraph = subgraph_at(model, subgraph_index)
        inputs = [
            index
            for index in dict.fromkeys(subgraph.inputs or [])
            if find_tensor(subgraph, index) is not None
        ]
        self.input = QComboBox()
        self.input.setObjectName("input")
        for index in inputs:
            self.input.addItem(name_tensor(model, subgraph_index, index), index)
        self.input.setCurrentIndex(inputs.index(tensor_index) if tensor_index in inputs else 0)
        self.input.currentIndexChanged.connect(self._show_shape)
        self.now = QLabel()
        self.now.setObjectName("shape_now")
        self.form.addRow("&Input", self.input)
        self.form.addRow("Shape now", self.now)
        self.shape = self.add_line("&New shape", "new_shape")
        self.shape.setPlaceholderText("such as 1x96x96x1")
        self._show_shape()
        self.finish()

    def _show_shape(self) -> None:
        tensor = find_tensor(
            subgraph_at(self._model, self._subgraph_index), int(self.input.currentData())
        )
        shape = tensor.shape if tensor is not None else None
        self.now.setText(short_shape_text(shape))
        self.shape.setText(shape_text(shape))
        self.shape.setFocus()
        self.shape.selectAll()

    def propose(self) -> Proposal:
        return input_shapes.set_input_shape(
            self._model,
            self._subgraph_index,
            int(self.input.currentData()),
            parse_shape(self.shape.text()),
        )


class BatchDialog(_PreviewDialog):
    """Asks for the first dimension of the inputs."""

    def __init__(self, model: Model, parent: QWidget | None = None) -> None:
        super().__init__("Set the batch", "batch_dialog", model, parent)
        subgraph = subgraph_at(model, 0)
        shapes = []
        for index in dict.fromkeys(subgraph.inputs or []):
            tensor = find_tensor(subgraph, index)
            if tensor is not None:
                shapes.append((name_tensor(model, 0, index), tensor.shape or []))
        batches = [shape[0] for _, shape in shapes if len(shape) > 1]
        self.batch = QSpinBox()
        self.batch.setObjectName("batch")
        self.batch.setRange(1, LARGEST_BATCH)
        self.batch.setValue(batches[0] if batches else 1)
        self.batch.valueChanged.connect(self.entered)
        named = [f"{name}: {short_shape_text(shape)}" for name, shape in shapes[:MOST_INPUTS]]
        now = QLabel("\n".join(named) or "none")
        now.setTextFormat(Qt.TextFormat.PlainText)
        self.form.addRow("Inputs now", now)
        self.form.addRow("&Batch", self.batch)
        self.batch.setFocus()
        self.batch.selectAll()
        self.finish()

    def propose(self) -> Proposal:
        return input_shapes.set_batch(self._model, self.batch.value())
