# SPDX-License-Identifier: Apache-2.0
"""A dialog for a new signature: its key, and the subgraph it runs."""

from __future__ import annotations

from PySide6.QtWidgets import QSpinBox, QWidget

from tflm_studio.editing import signatures
from tflm_studio.editing.fresh_names import fresh_name
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import Model
from tflm_studio.ui.views.proposal_dialog import ProposalDialog

USUAL_KEY = "serving_default"


class SignatureDialog(ProposalDialog):
    """The names of inputs and outputs are those of the tensors."""

    def __init__(
        self, model: Model, subgraph_index: int, parent: QWidget | None = None
    ) -> None:
        super().__init__("Add a signature", "signature_dialog", parent)
        self._model = model
        taken = {entry.signature_key for entry in model.signature_defs or []}
        self.key = self.add_line("&Key", "key", fresh_name(USUAL_KEY, taken))
        self.subgraph = QSpinBox()
        self.subgraph.setObjectName("subgraph")
        self.subgraph.setRange(0, max(0, len(model.subgraphs or []) - 1))
        self.subgraph.setValue(subgraph_index)
        self.subgraph.valueChanged.connect(self.entered)
        self.form.addRow("&Subgraph", self.subgraph)
        self.key.selectAll()
        self.finish()

    def propose(self) -> Proposal:
        return signatures.add(self._model, self.subgraph.value(), self.key.text())

    def hint(self) -> str:
        subgraph = (self._model.subgraphs or [])[self.subgraph.value()]
        name = excerpt(subgraph.name or "unnamed", SHOWN_NAME_CHARACTERS)
        ends = plural(len(subgraph.inputs or []), "input"), len(subgraph.outputs or [])
        return f"Subgraph {name}: {ends[0]} and {plural(ends[1], 'output')}."
