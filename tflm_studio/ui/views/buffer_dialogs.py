# SPDX-License-Identifier: Apache-2.0
"""Dialogs that say which buffer a tensor uses."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QWidget

from tflm_studio.editing import buffers, tensors
from tflm_studio.editing.located import subgraph_at, tensor_at
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import name_tensor, name_tensors
from tflm_studio.model.schema import Model
from tflm_studio.model.tensor_shapes import needed_bytes
from tflm_studio.ui.views.add_tensor_dialog import buffer_box, describe_buffer
from tflm_studio.ui.views.proposal_dialog import ProposalDialog
from tflm_studio.ui.views.tensor_choice import TensorChoice


class UseBufferDialog(ProposalDialog):
    """Asks for a buffer by its index, and tells what it holds."""

    def __init__(
        self,
        model: Model,
        subgraph_index: int,
        tensor_index: int,
        parent: QWidget | None = None,
    ) -> None:
        named = name_tensor(model, subgraph_index, tensor_index)
        super().__init__(f"Buffer of {named}", "use_buffer_dialog", parent)
        self._model, self._place = model, (subgraph_index, tensor_index)
        self._tensor = tensor_at(model, subgraph_index, tensor_index)
        self.buffer = buffer_box(model, self._tensor.buffer)
        self.buffer.valueChanged.connect(self.entered)
        self.form.addRow("&Buffer", self.buffer)
        self.buffer.selectAll()
        self.finish()

    def propose(self) -> Proposal:
        return tensors.use_buffer(self._model, *self._place, self.buffer.value())

    def hint(self) -> str:
        needed = needed_bytes(self._tensor)
        text = describe_buffer(self._model, self.buffer.value())
        if needed is None or not self.buffer.value():
            return text
        return f"{text} The tensor needs {needed:,} bytes."


class ShareBufferDialog(ProposalDialog):
    """Asks whose buffer some tensors shall use as well."""

    def __init__(
        self,
        model: Model,
        subgraph_index: int,
        indices: Sequence[int],
        parent: QWidget | None = None,
    ) -> None:
        """`indices`: those that are to get another buffer, save the one that is chosen."""
        named = name_tensors(model, subgraph_index, indices)
        super().__init__(f"Share a buffer: {named}", "share_buffer_dialog", parent)
        self._model, self._subgraph_index = model, subgraph_index
        self._indices = list(indices)
        self.source = TensorChoice(subgraph_at(model, subgraph_index))
        self.source.setObjectName("source")
        self.source.textChanged.connect(self.entered)
        self.force = QCheckBox("Even if its bytes are &others")
        self.force.setObjectName("force")
        self.force.toggled.connect(self.entered)
        self.form.addRow("Use the buffer &of", self.source)
        self.form.addRow("", self.force)
        if len(self._indices) > 1:
            self.source.choose(self._indices[0])
        self.finish()

    def propose(self) -> Proposal:
        source = self.source.index()
        others = [index for index in self._indices if index != source]
        if not others:
            raise EditError("Choose another tensor, whose buffer is to be shared.")
        places = [(self._subgraph_index, index) for index in (source, *others)]
        if tensor_at(self._model, *places[0]).buffer == 0:
            raise EditError(f"Tensor {source} has no data that could be shared.")
        made = buffers.share(self._model, places, force=self.force.isChecked())
        if not made.edits:
            raise EditError("They share a buffer already.")
        return made

    def hint(self) -> str:
        buffer = tensor_at(self._model, self._subgraph_index, self.source.index()).buffer
        return describe_buffer(self._model, buffer)
