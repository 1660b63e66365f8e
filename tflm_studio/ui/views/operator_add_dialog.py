# SPDX-License-Identifier: Apache-2.0
"""Which operator is added at a place, and what it reads and makes."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.editing.edits import Insert
from tflm_studio.editing.operator_codes import LARGEST
from tflm_studio.editing.operator_slots import missing_inputs
from tflm_studio.editing.operators import add
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError
from tflm_studio.model.operator_kinds import OperatorKind
from tflm_studio.model.operators import builtin_code, find_tensor, operator_name
from tflm_studio.model.schema import Model, Operator, OperatorCode, Tensor
from tflm_studio.ui.models.operator_kind_table import describe_kind
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.operator_dialog import OperatorDialog
from tflm_studio.ui.views.operator_kind_list import OperatorKindList
from tflm_studio.ui.views.operator_slot_fields import OperatorSlotFields

SIZE = (1060, 560)


class AddOperatorDialog(OperatorDialog):
    """Kinds on the left, the tensors of the chosen one on the right.

    Args:
        session: The document; the operator is added to the subgraph that is shown.
        index: It goes before the operator that has this index now.
        parent: The window.
    """

    def __init__(self, session: Session, index: int, parent: QWidget | None = None) -> None:
        super().__init__(session, "operator_add_dialog", "Add an operator", parent)
        self.index = index
        self._shown: OperatorKind | None = None
        self.kinds = OperatorKindList(session.document.model)
        self.heading, self.about = QLabel(), QLabel()
        font = self.heading.font()
        font.setBold(True)
        self.heading.setFont(font)
        for label in (self.heading, self.about):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.about.setForegroundRole(self.about.palette().ColorRole.PlaceholderText)
        self.slots = OperatorSlotFields(session, self.subgraph_index, index)
        self.version = QSpinBox()
        self.version.setObjectName("new.version")
        self.version.setRange(1, LARGEST)
        self.between = QCheckBox("What &read the input reads the output")
        self.between.setObjectName("new.between")
        self.between.setToolTip("Puts the operator between the input's maker and its readers")
        self._build()
        self.kinds.changed.connect(self._show_kind)
        self.kinds.chosen.connect(self.accept)
        self.slots.changed.connect(self.check_soon)
        self.version.valueChanged.connect(lambda _: self.check_soon())
        self.between.toggled.connect(lambda _: self.check_soon())
        self.resize(*SIZE)
        self.kinds.setFocus()
        self._show_kind()
        self.check()

    def _build(self) -> None:
        content, right = QWidget(), QWidget()
        row, column, form = QHBoxLayout(content), QVBoxLayout(right), QFormLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        column.setContentsMargins(0, 0, 0, 0)
        form.addRow("&Version", self.version)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        column.addWidget(self.heading)
        column.addWidget(self.about)
        column.addWidget(self.slots, 1)
        column.addWidget(self.between)
        column.addLayout(form)
        row.addWidget(self.kinds, 3)
        row.addWidget(right, 2)
        self.finish_layout(content)

    def _show_kind(self) -> None:
        kind = self.kinds.shown_kind()
        if kind != self._shown:
            first = self.slots.inputs[0].text() if self.slots.inputs else self._proposed()
            self._shown = kind
            self.heading.setText(kind.name)
            self.about.setText(describe_kind(kind))
            self.slots.show_kind(kind, first)
            self._order_tabs()
            self.between.setChecked(_passes_through(kind))
            self.version.setValue(_version_of(self.session.document.model, kind))
        self.check_soon()

    def _order_tabs(self) -> None:
        """Tab goes from the kinds through the tensors to the version."""
        buttons = self.buttons.findChildren(QPushButton)
        stops: list[QWidget] = [self.kinds.custom, *self.slots.inputs, *self.slots.outputs]
        for earlier, later in pairwise([*stops, self.between, self.version, *buttons]):
            QWidget.setTabOrder(earlier, later)

    def _proposed(self) -> str:
        """What the operator before makes, or the input of the subgraph."""
        subgraph = self.session.subgraph
        operators = subgraph.operators or []
        before = operators[self.index - 1].outputs if self.index > 0 else subgraph.inputs
        there = [k for k in before or [] if find_tensor(subgraph, k) is not None]
        return str(there[0]) if there else ""

    def make(self) -> Proposal:
        kind, inputs = self.kinds.kind(), self.slots.input_indices()
        outputs = self.slots.output_indices()
        # Who names an output has a use for it, and what is open has no readers to take over.
        self.between.setEnabled(bool(inputs) and not outputs)
        try:
            return add(
                self.session.document.model,
                self.subgraph_index,
                self.index,
                kind,
                inputs=inputs,
                outputs=outputs,
                version=self.version.value(),
                is_between=self.between.isEnabled() and self.between.isChecked(),
            )
        except EditError as error:
            if inputs is not None and missing_inputs(kind, inputs):
                raise EditError(f"{error} Or clear all inputs, to wire them later.") from None
            raise

    def describe(self, proposal: Proposal) -> str:
        model = self.session.document.model
        added = [edit.item for edit in proposal.edits if isinstance(edit, Insert)]
        tensors = [str(item.name) for item in added if isinstance(item, Tensor)]
        codes = [item for item in added if isinstance(item, OperatorCode)]
        operator = next((item for item in added if isinstance(item, Operator)), Operator())
        which = "new operator code" if codes else "operator code"
        parts = [f"{which} {operator.opcode_index} (version {self.version.value()})"]
        if tensors:
            parts.append(f"new tensor{'s' * (len(tensors) > 1)} {', '.join(tensors)}")
        return f"{self.kinds.kind().name} {self._where(model)}, {', '.join(parts)}."

    def _where(self, model: Model) -> str:
        operators = self.session.subgraph.operators or []
        if self.index < len(operators):
            name = operator_name(model, operators[self.index])
            return f"before operator {self.index} ({name})"
        return f"behind the last operator, as operator {self.index}"


def _passes_through(kind: OperatorKind) -> bool:
    """Whether one tensor goes in and one comes out, as with activations."""
    return len(kind.inputs) == 1 == len(kind.outputs) and not (
        kind.inputs[0].is_variadic or kind.outputs[0].is_variadic
    )


def _version_of(model: Model, kind: OperatorKind) -> int:
    """The first version that the model has of a kind, or else 1."""
    for code in model.operator_codes or []:
        if builtin_code(code) == kind.code and (code.custom_code or None) == kind.custom_code:
            return min(max(code.version, 1), LARGEST)
    return 1
