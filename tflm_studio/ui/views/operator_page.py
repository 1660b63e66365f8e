# SPDX-License-Identifier: Apache-2.0
"""The inspector's page for an operator: options, inputs by role, outputs."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from tflm_studio.editing.flex_tree import find_tree, tree_lines
from tflm_studio.editing.located import subgraph_at
from tflm_studio.editing.output_shapes import fit_outputs, shapes_to_fit
from tflm_studio.model.address import Address
from tflm_studio.model.calls import called_subgraphs
from tflm_studio.model.graph import data_bytes, short_shape_text
from tflm_studio.model.operators import CUSTOM, find_tensor, knowledge_of, operator_code
from tflm_studio.model.place_names import name_thing
from tflm_studio.model.schema import Operator
from tflm_studio.ui.views.fold import INDENT_PIXELS
from tflm_studio.ui.views.inspector_page import FactList, InspectorPage, section_label
from tflm_studio.ui.views.links import link, link_list
from tflm_studio.ui.views.operator_tensors import OperatorTensors
from tflm_studio.ui.views.wrapped_label import WrappedLabel

MOST_SHOWN_BYTES, MOST_LINES = 2**14, 40  # of custom options
OPTION_FIELDS = ("builtin_options", "builtin_options_2", "custom_options")


class OperatorPage(InspectorPage):
    """Options from the schema rows, and a line for each input and output."""

    # Lines of their own show the tensors; saving decides where bytes outside stand.
    HIDDEN = frozenset(
        ("inputs", "outputs", "large_custom_options_offset", "large_custom_options_size")
    )

    @property
    def operator(self) -> Operator:
        """The operator that is shown."""
        assert isinstance(self.thing, Operator)
        return self.thing

    def structure(self) -> object:
        known = knowledge_of(self.session.document.model, self.operator)
        return (
            *self.main_fields(),
            len(self.operator.inputs or ()),
            len(self.operator.outputs or ()),
            known,
        )

    def main_fields(self) -> list[str]:
        """The options the operator has, or may have."""
        operator = self.operator
        present = [name for name in OPTION_FIELDS if getattr(operator, name) is not None]
        return present or [self._usual_options()]

    def _usual_options(self) -> str:
        known = knowledge_of(self.session.document.model, self.operator)
        rows = {row.name: row for row in Operator.ROWS}
        if known.code == CUSTOM:
            return "custom_options"
        second = {member.__name__ for member in rows["builtin_options_2"].members}
        return "builtin_options_2" if known.options in second else "builtin_options"

    def build(self) -> None:
        self.facts = FactList(self.session)
        self.column.addWidget(self.facts)
        self.fit = QPushButton("Fit the shapes")
        self.fit.setObjectName("fit_shapes")
        self.fit.setToolTip("Gives the outputs and what is behind them the shape that follows")
        self.fit.clicked.connect(self._fit_shapes)
        self.column.addWidget(self.fit, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addWidget(section_label("options"))
        self.form = self.make_form(self.main_fields())
        self.column.addWidget(self.form)
        self.flex = WrappedLabel()
        self.flex.setObjectName("flex_lines")
        self.flex.setTextFormat(Qt.TextFormat.PlainText)
        self.flex.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.flex.setContentsMargins(INDENT_PIXELS, 0, 0, 0)
        self.column.addWidget(self.flex)
        self.tensors = [self._add_tensors("inputs"), self._add_tensors("outputs")]
        self.add_other_fields()

    def _add_tensors(self, field: str) -> OperatorTensors:
        lines = OperatorTensors(self.session, self.address, field)
        self.add_section(field, lines)
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
                place = ("operator_codes", operator.opcode_index)
                self.facts.set_fact("op version", link(place, str(code.version)))
            called = dict.fromkeys(called_subgraphs(operator))
            if called:
                places: list[Address] = [("subgraphs", k) for k in called]
                self.facts.set_fact(
                    "runs", link_list(places, lambda p: name_thing(model, p), "")
                )
            misfit = self._misfit()
            if misfit:
                self.facts.set_fact("shape", misfit)
        self.fit.setVisible(bool(misfit))
        self._show_flex(operator.custom_options)
        for lines in self.tensors:
            lines.refresh()

    def _misfit(self) -> str:
        """What is wrong with the shapes of the outputs, as options and inputs are now."""
        model, place = self.session.document.model, self.address[:3]
        subgraph = subgraph_at(model, int(self.address[1]))
        lines = []
        for index, shape in shapes_to_fit(model, subgraph, self.operator).items():
            tensor = find_tensor(subgraph, index)
            stored = short_shape_text(tensor.shape) if tensor is not None else ""
            named = link((*place[:2], "tensors", index), f"tensor {index}")
            lines.append(f"⚠ {short_shape_text(shape)} follows, {named} is {stored}")
        return "<br>".join(lines)

    def _fit_shapes(self) -> None:
        subgraph_index, index = int(self.address[1]), int(self.address[3])
        self.session.propose(
            lambda: fit_outputs(self.session.document.model, subgraph_index, index)
        )

    def _show_flex(self, data: bytes | bytearray | memoryview | None) -> None:
        """The entries of custom options that are a flexbuffer, if they are not many."""
        is_short = data is not None and 0 < data_bytes(data) <= MOST_SHOWN_BYTES
        root = find_tree(bytes(data)) if data is not None and is_short else None
        self.flex.setVisible(root is not None)
        if root is not None:
            self.flex.setText("\n".join(tree_lines(root, MOST_LINES)))
