# SPDX-License-Identifier: Apache-2.0
"""Fields for the tensors that an operator to be added reads and makes, by role."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QWidget

from tflm_studio.editing.operations import parse_indices
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import tensor_text
from tflm_studio.model.operator_kinds import OperatorKind, Slot
from tflm_studio.model.operators import NO_TENSOR
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tensor_choices import TensorChoices
from tflm_studio.ui.views.elided_label import ElidedLabel
from tflm_studio.ui.views.inspector_page import section_label
from tflm_studio.ui.views.tensor_index_edit import TensorIndexEdit, pick_button

NEW_TENSOR = "new"
EDIT_TEXT = "0000000000"
WIDTH = 400


class OperatorSlotFields(QScrollArea):
    """A line for each input and output of a kind: role, index, what the tensor is."""

    changed = Signal()

    def __init__(
        self,
        session: Session,
        subgraph_index: int,
        operator_index: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session, self._place = session, (subgraph_index, operator_index)
        self.inputs: list[TensorIndexEdit] = []
        self.outputs: list[TensorIndexEdit] = []
        self._notes: dict[TensorIndexEdit, ElidedLabel] = {}
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, 200)

    def show_kind(self, kind: OperatorKind, first_input: str) -> None:
        """Makes the lines of a kind.

        Args:
            kind: Whose inputs and outputs.
            first_input: What the first input starts with.
        """
        self.inputs, self.outputs, self._notes = [], [], {}
        self._kind = kind
        content = QWidget()
        self._grid = QGridLayout(content)
        self._grid.setContentsMargins(0, 0, 8, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(3, 1)
        for field, slots in (("inputs", kind.inputs), ("outputs", kind.outputs)):
            self._grid.addWidget(section_label(field), self._grid.rowCount(), 0, 1, 4)
            for position, slot in enumerate(slots):
                self._add_line(field, position, slot)
        self._grid.setRowStretch(self._grid.rowCount(), 1)
        self.setWidget(content)
        if self.inputs and first_input:
            self.inputs[0].setText(first_input)

    def _add_line(self, field: str, position: int, slot: Slot) -> None:
        as_output = field == "outputs"
        choices = TensorChoices(
            self._session,
            *self._place,
            is_new=True,
            as_output=as_output,
            optional=slot.is_optional and not as_output,
        )
        edit = TensorIndexEdit(choices, is_single=not slot.is_variadic)
        edit.setObjectName(f"new.{field}.{position}")
        edit.setAccessibleName(f"{field} {position}, {slot.name}")
        width = edit.fontMetrics().horizontalAdvance(EDIT_TEXT)
        edit.setFixedWidth(width)
        if as_output:
            edit.setPlaceholderText("none" if slot.is_optional else NEW_TENSOR)
        else:
            edit.setPlaceholderText("none" if slot.is_optional else "needed")
        edit.textChanged.connect(lambda _, e=edit: self._on_text(e))
        note = ElidedLabel()
        row = self._grid.rowCount()
        label = QLabel(_label(slot))
        label.setBuddy(edit)
        for column, widget in enumerate((label, edit, pick_button(edit), note)):
            self._grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignVCenter)
        (self.outputs if as_output else self.inputs).append(edit)
        self._notes[edit] = note

    def _on_text(self, edit: TensorIndexEdit) -> None:
        self._notes[edit].say(_described(edit))
        self.changed.emit()

    def input_indices(self) -> list[int] | None:
        """What the inputs name; None if all are empty, to be wired later.

        Raises:
            EditError: A line holds something else than an index.
        """
        if not any(edit.text().strip() for edit in self.inputs):
            return None
        return self._indices(self.inputs, self._kind.inputs)

    def output_indices(self) -> list[int]:
        """What the outputs name; new tensors stand behind the last.

        Raises:
            EditError: A line holds something else than an index, or one before it is empty.
        """
        named = [edit for edit in self.outputs if edit.text().strip()]
        if named != self.outputs[: len(named)]:
            empty = next(
                slot
                for slot, e in zip(self._kind.outputs, self.outputs, strict=True)
                if not e.text().strip()
            )
            raise EditError(f"Name a tensor for {empty.name} too: new ones come last.")
        return self._indices(named, self._kind.outputs)

    def _indices(self, edits: Sequence[TensorIndexEdit], slots: Sequence[Slot]) -> list[int]:
        found: list[int] = []
        for edit, slot in zip(edits, slots, strict=False):
            named = parse_indices(edit.text())
            if not slot.is_variadic and len(named) > 1:
                raise EditError(f"{slot.name} takes one tensor index.")
            found += named or ([] if slot.is_variadic else [NO_TENSOR])
        return found


def _label(slot: Slot) -> str:
    if slot.is_variadic:
        return f"{slot.name} (any number)"
    return f"{slot.name} (optional)" if slot.is_optional else slot.name


def _described(edit: TensorIndexEdit) -> str:
    try:
        indices = parse_indices(edit.text())
    except EditError:
        return ""
    if not indices:
        return ""
    if len(indices) > 1:
        return f"{len(indices)} tensors"
    problem = edit.choices.problem(indices[0])
    return f"⚠ {problem}" if problem else tensor_text(edit.choices.subgraph, indices[0])
