# SPDX-License-Identifier: Apache-2.0
"""A dialog for a QUANTIZE or DEQUANTIZE behind a tensor: to what, and for whom."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from tflm_studio.editing import tensors
from tflm_studio.editing.located import subgraph_at
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError
from tflm_studio.model.field_text import parse_whole_number, read_float
from tflm_studio.model.graph import readers_of
from tflm_studio.model.place_names import name_operator, name_tensor
from tflm_studio.model.quantization import find_quantization
from tflm_studio.model.schema import Model, TensorType
from tflm_studio.model.tensor_types import format_float
from tflm_studio.ui.views.add_tensor_dialog import chosen_type, type_box
from tflm_studio.ui.views.proposal_dialog import ProposalDialog

TYPES: list[int] = [TensorType.INT8, TensorType.UINT8, TensorType.INT16, TensorType.INT32]
SHOWN_USERS = 8
OUTPUT = -1
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class QuantizeDialog(ProposalDialog):
    """Asks which users shall read what the new operator makes.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        tensor_index: The tensor behind which the operator goes.
        back: Whether it is a DEQUANTIZE, which needs no numbers.
        parent: The window.
    """

    def __init__(
        self,
        model: Model,
        subgraph_index: int,
        tensor_index: int,
        *,
        back: bool,
        parent: QWidget | None = None,
    ) -> None:
        kind = "Dequantize" if back else "Quantize"
        named = name_tensor(model, subgraph_index, tensor_index)
        super().__init__(f"Insert {kind} behind {named}", "quantize_dialog", parent)
        self._model, self._place = model, (subgraph_index, tensor_index)
        self._is_back = back
        if not back:
            self._build_numbers()
        self._build_users()
        self.finish()

    def _build_numbers(self) -> None:
        subgraph = subgraph_at(self._model, self._place[0])
        known = find_quantization((subgraph.tensors or [])[self._place[1]])
        scale = format_float(known.scale[0]) if known is not None else ""
        zero = str(int(known.zero_point[0])) if known is not None else "0"
        self.type = type_box(TYPES)
        self.type.currentIndexChanged.connect(self.entered)
        self.form.addRow("&Type", self.type)
        self.scale = self.add_line("&Scale", "scale", scale)
        self.scale.setPlaceholderText("such as 0.0078125")
        self.zero_point = self.add_line("&Zero point", "zero_point", zero)

    def _build_users(self) -> None:
        subgraph_index, tensor_index = self._place
        subgraph = subgraph_at(self._model, subgraph_index)
        self.users = QListWidget()
        self.users.setObjectName("users")
        self._readers = readers_of(subgraph, tensor_index)
        for reader in self._readers:
            self._add_user(name_operator(self._model, subgraph_index, reader), reader)
        if tensor_index in (subgraph.outputs or ()):
            state = _UNCHECKED if self._readers else _CHECKED
            self._add_user("the output of the subgraph", OUTPUT, state)
        line = self.fontMetrics().lineSpacing() + 6
        self.users.setFixedHeight(line * min(max(self.users.count(), 2), SHOWN_USERS) + 8)
        self.users.itemChanged.connect(self.entered)
        self.form.addRow("&For", self.users)

    def _add_user(self, text: str, user: int, state: Qt.CheckState = _CHECKED) -> None:
        item = QListWidgetItem(text, self.users)
        item.setData(Qt.ItemDataRole.UserRole, user)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(state)

    def chosen_users(self) -> list[int]:
        """The operators that are to read the new tensor; none for the output.

        Raises:
            EditError: None is chosen.
        """
        items = [self.users.item(row) for row in range(self.users.count())]
        chosen = [
            int(item.data(Qt.ItemDataRole.UserRole))
            for item in items
            if item.checkState() == _CHECKED
        ]
        if items and not chosen:
            raise EditError("Choose who is to read the new tensor.")
        if OUTPUT in chosen and len(chosen) > 1:
            raise EditError("Choose operators or the output; the other one in a second step.")
        return [user for user in chosen if user != OUTPUT]

    def propose(self) -> Proposal:
        users = self.chosen_users()
        if self._is_back:
            return tensors.insert_dequantize(self._model, *self._place, users=users)
        return tensors.insert_quantize(
            self._model,
            *self._place,
            type=chosen_type(self.type),
            scale=read_float(self.scale.text()),
            zero_point=parse_whole_number(self.zero_point.text()),
            users=users,
        )
