# SPDX-License-Identifier: Apache-2.0
"""The tensors that an operator can name at its place, and what speaks against some."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtGui import QPalette

from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.graph import short_shape_text
from tflm_studio.model.operators import NO_TENSOR, find_tensor, has_data, operator_name
from tflm_studio.model.schema import SubGraph
from tflm_studio.model.tensor_types import element_type
from tflm_studio.ui.models.choice_table import ChoiceTable, Index, Role
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tool_tips import tool_tip

LEFT_OUT = "leave out"
NUMBER, NAME = 0, 1


class TensorChoices:
    """What can be named at one place.

    Args:
        session: The document.
        subgraph_index: Whose tensors.
        operator_index: Where the operator stands; a new one before the one that has it now.
        is_new: Whether the operator is not there yet.
        as_output: Whether it makes the tensor.
        optional: Whether -1 may stand for an input that is left out.
    """

    def __init__(
        self,
        session: Session,
        subgraph_index: int,
        operator_index: int,
        *,
        is_new: bool = False,
        as_output: bool = False,
        optional: bool = False,
    ) -> None:
        self.session, self.subgraph_index = session, subgraph_index
        self.operator_index, self.is_new = operator_index, is_new
        self.as_output, self.optional = as_output, optional

    @property
    def subgraph(self) -> SubGraph:
        """Whose tensors can be named."""
        subgraphs = self.session.document.model.subgraphs or []
        known = self.subgraph_index < len(subgraphs)
        return subgraphs[self.subgraph_index] if known else SubGraph()

    def problem(self, tensor_index: int) -> str:
        """Why naming a tensor would break the order of the operators; "" if it would not."""
        order, place = self.session.order(self.subgraph_index), self.operator_index
        if self.as_output:
            # What stands at the place of a new operator comes behind it.
            if order.breaks_as_output(place - self.is_new, tensor_index):
                reader = int(order.read_at[tensor_index])
                return f"read by {self._who(reader, 'earlier')}"
        elif order.breaks_order(place, tensor_index):
            maker = int(order.made_at[tensor_index])
            return f"made by {self._who(maker, 'later')}"
        return ""

    def origin(self, tensor_index: int) -> str:
        """Where a tensor has its value from."""
        model, tensor = self.session.document.model, find_tensor(self.subgraph, tensor_index)
        wiring = self.session.wiring(self.subgraph_index)
        if tensor is None:
            return ""
        if tensor_index in wiring.inputs:
            return "input of the subgraph"
        if has_data(model, tensor):
            return f"buffer {tensor.buffer}"
        makers = wiring.makers.of(tensor_index)
        if makers:
            return self._operator(makers[0])
        return "variable" if tensor.is_variable else "nobody"

    def _who(self, index: int, when: str) -> str:
        is_itself = index == self.operator_index and not self.is_new
        return "this operator" if is_itself else f"{self._operator(index)}, {when}"

    def _operator(self, index: int) -> str:
        operators = self.subgraph.operators or []
        return f"{operator_name(self.session.document.model, operators[index])} {index}"


class TensorChoiceTable(ChoiceTable[int]):
    """The choices as rows, those that contain some words."""

    TITLES = ("#", "Name", "Shape", "Type", "Value from")

    def __init__(self, choices: TensorChoices, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.choices = choices
        count = len(choices.subgraph.tensors or [])
        self._all = [*([NO_TENSOR] if choices.optional else []), *range(count)]
        self._texts: list[str] = []
        self.shown = self._all

    def search(self, text: str) -> None:
        """Shows only tensors that contain all words of a text."""
        words = text.casefold().replace("x", "×").split()
        if words and not self._texts:
            self._texts = [self._text_of(k).casefold().replace("x", "×") for k in self._all]
        found = [
            k
            for k, has in zip(self._all, self._texts, strict=False)
            if all(word in has for word in words)
        ]
        self.show(found if words else self._all)

    def _text_of(self, tensor_index: int) -> str:
        return " ".join(self._cell(tensor_index, column) for column in range(NUMBER, 4))

    def row_of(self, tensor_index: int) -> int:
        """The row of a tensor, -1 if it is not shown."""
        return self.shown.index(tensor_index) if tensor_index in self.shown else -1

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if not index.isValid():
            return None
        tensor_index = self.shown[index.row()]
        if role == Role.DisplayRole:
            if index.column() < len(self.TITLES) - 1:
                return self._cell(tensor_index, index.column())
            problem = self.choices.problem(tensor_index)
            return f"⚠ {problem}" if problem else self.choices.origin(tensor_index)
        if role == Role.ForegroundRole and self.choices.problem(tensor_index):
            return QPalette().brush(QPalette.ColorRole.PlaceholderText)
        if role == Role.ToolTipRole:
            tensor = find_tensor(self.choices.subgraph, tensor_index)
            return tool_tip(tensor.name or "") if tensor is not None else None
        return None

    def _cell(self, tensor_index: int, column: int) -> str:
        tensor = find_tensor(self.choices.subgraph, tensor_index)
        if column == NUMBER:
            return str(tensor_index)
        if tensor is None:
            return LEFT_OUT if column == NAME else ""
        if column == NAME:
            return excerpt(tensor.name or "unnamed", SHOWN_NAME_CHARACTERS)
        if column == NAME + 1:
            return short_shape_text(tensor.shape)
        return element_type(tensor.type).name
