# SPDX-License-Identifier: Apache-2.0
"""Lines for the inputs or the outputs of an operator, to be rewired."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from tflm_studio.editing.edits import Set
from tflm_studio.editing.operations import check_tensor_indices, parse_indices
from tflm_studio.editing.rewiring import rewired
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import Wiring, short_shape_text
from tflm_studio.model.operators import NO_TENSOR, find_tensor, has_data, knowledge_of
from tflm_studio.model.schema import Operator, SubGraph
from tflm_studio.model.tensor_types import element_type
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tensor_choices import TensorChoices
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.views.links import LinkLabel, link
from tflm_studio.ui.views.tensor_index_edit import TensorIndexEdit, pick_button

WIDEST_USUAL_ROLE = "output_shape"
MOST_LINES = 64  # of inputs or of outputs: a thousand editors take a second to make


class OperatorTensors(QWidget):
    """The inputs or the outputs of an operator: role, index to edit, what the tensor is."""

    def __init__(
        self, session: Session, address: Address, field: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._session, self._address, self._field = session, address, field
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(3, 1)
        # Inputs and outputs stand one below the other: their edits should line up.
        widest = self.fontMetrics().horizontalAdvance(WIDEST_USUAL_ROLE)
        self._grid.setColumnMinimumWidth(0, widest)
        self.edits: list[TensorIndexEdit] = []
        self._notes: list[LinkLabel] = []
        count = len(self._indices())
        for position in range(min(self._slots(), MOST_LINES)):
            self._add_line(position)
        if count > MOST_LINES:
            more = f"and {count - MOST_LINES:,} more: the table of operators has them all"
            self._grid.addWidget(QLabel(more), MOST_LINES, 0, 1, 4)

    def _slots(self) -> int:
        """How many places there are: named ones also if nothing stands there yet."""
        known = knowledge_of(self._session.document.model, self._operator())
        names = known.inputs if self._field == "inputs" else known.outputs
        count = len(self._indices())
        is_open = any(name.endswith("*") for name in names)
        return count + 1 if is_open else max(count, len(names))

    def _add_line(self, position: int) -> None:
        known = knowledge_of(self._session.document.model, self._operator())
        is_input = self._field == "inputs"
        name = known.input_name(position) if is_input else known.output_name(position)
        label = QLabel(name)
        label.setToolTip(known.input_role(position) if is_input else "made by this operator")
        choices = TensorChoices(
            self._session,
            int(self._address[1]),
            int(self._address[3]),
            as_output=not is_input,
            optional=is_input and known.is_optional(position),
        )
        edit = TensorIndexEdit(choices, is_single=True)
        edit.setFixedWidth(edit.fontMetrics().horizontalAdvance("0000000"))
        edit.setAccessibleName(f"{self._field} {position}")
        edit.setObjectName(f"{self._field}.{position}")
        edit.editingFinished.connect(lambda: self._enter(position))
        edit.picked.connect(lambda: self._enter(position))
        note = LinkLabel(self._session)
        middle = Qt.AlignmentFlag.AlignVCenter
        for column, widget in enumerate((label, edit, pick_button(edit), note)):
            self._grid.addWidget(widget, position, column, middle)
        self.edits.append(edit)
        self._notes.append(note)

    def _operator(self) -> Operator:
        operator = find_address(self._session.document.model, self._address)
        return operator if isinstance(operator, Operator) else Operator()

    def _subgraph(self) -> SubGraph:
        subgraphs = self._session.document.model.subgraphs or []
        return subgraphs[int(self._address[1])]

    def _indices(self) -> list[int]:
        return getattr(self._operator(), self._field) or []

    def _enter(self, position: int) -> None:
        edit, indices = self.edits[position], self._indices()
        before = str(indices[position]) if position < len(indices) else ""
        if edit.text().strip() == before:
            return
        try:
            entered = self._entered(position, parse_indices(edit.text()))
            self._session.do(rewired(self._session.document.model, [entered]))
        except EditError as error:
            self._session.refused.emit(str(error))
        self.refresh()

    def _entered(self, position: int, typed: list[int]) -> Set:
        """What an index does that was typed, or its removal."""
        indices = list(self._indices())
        if len(typed) > 1:
            raise EditError(f"{self._field} {position} takes one tensor index.")
        check_tensor_indices(self._subgraph(), typed, optional=self._field == "inputs")
        if typed and position < len(indices):
            return Set((*self._address, self._field, position), typed[0])
        if typed:
            indices += [NO_TENSOR] * (position - len(indices)) + typed
        elif position == len(indices) - 1 or self._takes_any_number():
            del indices[position]
        elif self._field == "inputs":
            indices[position] = NO_TENSOR
        else:
            raise EditError(f"outputs {position} is followed by others; name a tensor for it.")
        return Set((*self._address, self._field), indices)

    def _takes_any_number(self) -> bool:
        known = knowledge_of(self._session.document.model, self._operator())
        return self._field == "inputs" and known.takes_any_number

    def refresh(self) -> None:
        """Shows what the tensors are now."""
        subgraph = self._subgraph()
        wiring = self._session.wiring(int(self._address[1]))
        indices = self._indices()
        for position, edit in enumerate(self.edits):
            if position >= len(indices):
                edit.setText("")
                self._notes[position].setText("none")
                continue
            tensor_index = indices[position]
            edit.setText(str(tensor_index))
            tensor = find_tensor(subgraph, tensor_index)
            if tensor is None:
                missing = "left out" if tensor_index == NO_TENSOR else "no such tensor"
                self._notes[position].setText(missing)
                continue
            place = ("subgraphs", self._address[1], "tensors", tensor_index)
            shape = f"{short_shape_text(tensor.shape)} {element_type(tensor.type).name}"
            self._notes[position].setText(
                f"{link(place, shape)} {self._relation(wiring, place)}"
            )
            self._notes[position].setToolTip(tool_tip(tensor.name or ""))

    def _relation(self, wiring: Wiring, place: tuple[str | int, ...]) -> str:
        links = wiring.users if self._field == "outputs" else wiring.makers
        tensor_index, subgraph_index = int(place[3]), place[1]
        tensor = find_tensor(self._subgraph(), tensor_index)
        if (
            self._field == "inputs"
            and tensor
            and has_data(self._session.document.model, tensor)
        ):
            return "in " + link(("buffers", tensor.buffer), f"buffer {tensor.buffer}")
        found = links.of(tensor_index)
        word = "used by" if self._field == "outputs" else "made by"
        places = [
            link(("subgraphs", subgraph_index, "operators", k), str(k)) for k in found[:6]
        ]
        return f"{word} {', '.join(places)}" if places else ""
