# SPDX-License-Identifier: Apache-2.0
"""A dialog for a new tensor: name, shape, type, buffer and quantisation."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QSpinBox, QWidget

from tflm_studio.editing import tensors
from tflm_studio.editing.fresh_names import fresh_name, tensor_names
from tflm_studio.editing.located import subgraph_at
from tflm_studio.editing.operations import parse_shape
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError
from tflm_studio.model.field_text import parse_whole_number, read_float
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.schema import Model, QuantizationParameters, TensorType
from tflm_studio.model.tensor_types import element_type
from tflm_studio.ui.views.proposal_dialog import ProposalDialog


class AddTensorDialog(ProposalDialog):
    """Asks what the new tensor is; the note tells what the buffer holds."""

    def __init__(
        self, model: Model, subgraph_index: int, parent: QWidget | None = None
    ) -> None:
        super().__init__("Add a tensor", "add_tensor_dialog", parent)
        self._model, self._subgraph_index = model, subgraph_index
        proposed = fresh_name("tensor", tensor_names(subgraph_at(model, subgraph_index)))
        self.name = self.add_line("&Name", "tensor_name", proposed)
        self.shape = self.add_line("&Shape", "tensor_shape", "1")
        self.shape.setPlaceholderText("1x96x96x1; empty for a scalar")
        self.type = type_box()
        self.type.currentIndexChanged.connect(self.entered)
        self.form.addRow("&Type", self.type)
        self.buffer = buffer_box(model)
        self.buffer.valueChanged.connect(self.entered)
        self.form.addRow("&Buffer", self.buffer)
        self.scale = self.add_line("S&cale", "tensor_scale")
        self.scale.setPlaceholderText("none: not quantised")
        self.zero_point = self.add_line("&Zero point", "tensor_zero_point", "0")
        self.name.selectAll()
        self.finish()

    def propose(self) -> Proposal:
        return tensors.add(
            self._model,
            self._subgraph_index,
            name=self.name.text(),
            shape=parse_shape(self.shape.text()),
            type=chosen_type(self.type),
            buffer=self.buffer.value(),
            quantization=self._quantization(),
        )

    def _quantization(self) -> QuantizationParameters | None:
        has_scale = bool(self.scale.text().strip())
        self.zero_point.setEnabled(has_scale)
        if not has_scale:
            return None
        scale = read_float(self.scale.text())
        if not 0 < scale < float("inf"):
            raise EditError("A scale has to be a number above 0.")
        zero_point = parse_whole_number(self.zero_point.text())
        kind = element_type(chosen_type(self.type))
        if kind.kind != "integer":
            raise EditError(f"{kind.name} has no scale; only whole numbers have one.")
        if not kind.low <= zero_point <= kind.high:
            raise EditError(f"{kind.name} cannot hold the zero point {zero_point}.")
        return QuantizationParameters(scale=[scale], zero_point=[zero_point])

    def hint(self) -> str:
        return describe_buffer(self._model, self.buffer.value())


def type_box(kinds: list[int] | None = None) -> QComboBox:
    """A choice among element types."""
    box = QComboBox()
    box.setObjectName("tensor_type")
    for kind in TensorType if kinds is None else kinds:
        box.addItem(element_type(kind).name, int(kind))
    return box


def chosen_type(box: QComboBox) -> int:
    """The value of TensorType that is chosen."""
    return int(box.currentData())


def buffer_box(model: Model, index: int = 0) -> QSpinBox:
    """A choice among the buffers of a model."""
    box = QSpinBox()
    box.setObjectName("tensor_buffer")
    count = max(1, len(model.buffers or []))
    box.setRange(0, count - 1)
    box.setValue(index if 0 <= index < count else 0)  # any number may stand in a file
    return box


def describe_buffer(model: Model, index: int) -> str:
    """What a buffer holds, in a sentence."""
    if index == 0:
        return "Buffer 0 stands for no data: the tensor gets its values at run time."
    buffers = model.buffers or []
    size = data_bytes(buffers[index].data) if index < len(buffers) else 0
    return f"Buffer {index} has {size:,} bytes." if size else f"Buffer {index} is empty."
