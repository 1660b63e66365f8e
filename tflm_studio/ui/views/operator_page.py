# SPDX-License-Identifier: Apache-2.0
"""The inspector's page for an operator: options, inputs by role, outputs."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from tflm_studio.editing.edits import Set
from tflm_studio.editing.operations import check_tensor_indices, parse_indices
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import Wiring, data_bytes, short_shape_text
from tflm_studio.model.operators import (
    NO_TENSOR,
    find_tensor,
    has_data,
    knowledge_of,
    operator_code,
)
from tflm_studio.model.schema import Operator, SubGraph, Table
from tflm_studio.model.tensor_types import element_type
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.views.field_form import FieldForm
from tflm_studio.ui.views.inspector_page import FactList, InspectorPage
from tflm_studio.ui.views.links import LinkLabel, link
from tflm_studio.ui.views.tensor_index_edit import TensorIndexEdit

WIDEST_USUAL_ROLE = "output_shape"
MOST_LINES = 64  # of inputs or of outputs: a thousand editors take a second to make
OPTION_FIELDS = ("builtin_options", "builtin_options_2")


class OperatorPage(InspectorPage):
    """Options from the schema rows, and a line for each input and output."""

    @property
    def operator(self) -> Operator:
        """The operator that is shown."""
        assert isinstance(self.thing, Operator)
        return self.thing

    def structure(self) -> object:
        operator = self.operator
        options = tuple(type(getattr(operator, name)) for name in OPTION_FIELDS)
        code = operator_code(self.session.document.model, operator)
        return (
            *options,
            len(operator.inputs or ()),
            len(operator.outputs or ()),
            knowledge_of(self.session.document.model, operator).name,
            code is None,
        )

    def build(self) -> None:
        self.facts = FactList(self.session)
        self.column.addWidget(self.facts)
        for name in OPTION_FIELDS:
            options = getattr(self.operator, name)
            if isinstance(options, Table):
                self._add_options(name, options)
        self.tensors = [
            self._add_tensors("inputs", len(self.operator.inputs or ())),
            self._add_tensors("outputs", len(self.operator.outputs or ())),
        ]

    def _add_options(self, name: str, options: Table) -> None:
        form = FieldForm(self.session, (*self.address, name), options, can_reset=True)
        if form.is_empty:
            self.add_section("options", QLabel("This operator has none."))
        else:
            self.add_section("options", form)

    def _add_tensors(self, field: str, count: int) -> OperatorTensors:
        lines = OperatorTensors(self.session, self, field, count)
        self.add_section(field, lines if count else QLabel("none"))
        return lines

    def refresh(self) -> None:
        model, operator = self.session.document.model, self.operator
        known, code = knowledge_of(model, operator), operator_code(model, operator)
        self.set_heading(
            known.name, f"operator {self.address[-1]} of subgraph {self.address[1]}"
        )
        tflm = f"{known.resolver}()" if known.resolver else "not in its resolver"
        with self.facts.anew():
            self.facts.set_fact("TFLM", escape(tflm))
            if code is not None:
                self.facts.set_fact("op version", str(code.version))
            if operator.custom_options is not None:
                size = data_bytes(operator.custom_options)
                self.facts.set_fact("custom_options", f"{size:,} bytes")
        for lines in self.tensors:
            lines.refresh()


class OperatorTensors(QWidget):
    """The inputs or the outputs of an operator: role, index to edit, what the tensor is."""

    def __init__(self, session: Session, page: OperatorPage, field: str, count: int) -> None:
        super().__init__()
        self._session, self._page, self._field = session, page, field
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(2, 1)
        # Inputs and outputs stand one below the other: their edits should line up.
        grid.setColumnMinimumWidth(0, self.fontMetrics().horizontalAdvance(WIDEST_USUAL_ROLE))
        self.edits: list[TensorIndexEdit] = []
        self._notes: list[LinkLabel] = []
        for position in range(min(count, MOST_LINES)):
            self._add_line(grid, position)
        if count > MOST_LINES:
            more = f"and {count - MOST_LINES:,} more: the table of operators has them all"
            grid.addWidget(QLabel(more), MOST_LINES, 0, 1, 3)

    def _add_line(self, grid: QGridLayout, position: int) -> None:
        known = knowledge_of(self._session.document.model, self._page.operator)
        is_input = self._field == "inputs"
        name = known.input_name(position) if is_input else known.output_name(position)
        label = QLabel(name)
        label.setToolTip(known.input_role(position) if is_input else "made by this operator")
        edit = TensorIndexEdit(self._subgraph())
        edit.setFixedWidth(edit.fontMetrics().horizontalAdvance("0000000"))
        edit.setAccessibleName(f"{self._field} {position}")
        edit.editingFinished.connect(lambda: self._enter(position))
        note = LinkLabel(self._session)
        top = Qt.AlignmentFlag.AlignVCenter
        grid.addWidget(label, position, 0, top)
        grid.addWidget(edit, position, 1, top)
        grid.addWidget(note, position, 2, top)
        self.edits.append(edit)
        self._notes.append(note)

    def _subgraph(self) -> SubGraph:
        subgraphs = self._session.document.model.subgraphs or []
        return subgraphs[int(self._page.address[1])]

    def _indices(self) -> list[int]:
        return getattr(self._page.operator, self._field) or []

    def _enter(self, position: int) -> None:
        edit, indices = self.edits[position], self._indices()
        if position >= len(indices) or edit.text() == str(indices[position]):
            return
        try:
            typed = parse_indices(edit.text())
            if len(typed) != 1:
                raise EditError(f"{self._field} {position} takes one tensor index.")
            check_tensor_indices(self._subgraph(), typed, optional=self._field == "inputs")
        except EditError as error:
            self._session.refused.emit(str(error))
            edit.setText(str(indices[position]))
            return
        self._session.do(Set((*self._page.address, self._field, position), typed[0]))

    def refresh(self) -> None:
        """Shows what the tensors are now."""
        subgraph = self._subgraph()
        wiring = self._session.wiring(int(self._page.address[1]))
        for position, tensor_index in enumerate(self._indices()[: len(self.edits)]):
            self.edits[position].setText(str(tensor_index))
            tensor = find_tensor(subgraph, tensor_index)
            if tensor is None:
                missing = "left out" if tensor_index == NO_TENSOR else "no such tensor"
                self._notes[position].setText(missing)
                continue
            place = ("subgraphs", self._page.address[1], "tensors", tensor_index)
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
