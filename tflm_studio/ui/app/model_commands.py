# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for the model as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from tflm_studio.ui.app.chosen_rows import ask_in
from tflm_studio.ui.app.metadata_commands import MetadataCommands
from tflm_studio.ui.app.signature_commands import SignatureCommands
from tflm_studio.ui.app.subgraph_commands import SubgraphCommands
from tflm_studio.ui.views.ends_dialog import EndsDialog
from tflm_studio.ui.views.shape_dialogs import BatchDialog, InputShapeDialog

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow


class ModelCommands(QObject):
    """Carries out what the menu asks for.

    Attributes:
        signatures: The commands for signatures.
        metadata: The commands for metadata entries.
        subgraphs: The commands for subgraphs.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.signatures = SignatureCommands(window)
        self.metadata = MetadataCommands(window)
        self.subgraphs = SubgraphCommands(window)

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        subgraphs = self._window.document.model.subgraphs or []
        shown = self._window.session.subgraph
        known = range(len(shown.tensors or []))
        return {
            "has_inputs": any(index in known for index in shown.inputs or []),
            "has_main_inputs": bool(subgraphs and subgraphs[0].inputs),
            **self.signatures.facts(),
            **self.metadata.facts(),
            **self.subgraphs.facts(),
        }

    def ends(self) -> None:
        """Asks for the inputs and outputs of the subgraph that is shown."""
        window = self._window
        index = window.session.subgraph_index
        ask_in(window, lambda: EndsDialog(window.document.model, index, window))

    def input_shape(self) -> None:
        """Asks for an input and its shape; the selected one is proposed."""
        window = self._window
        index, selected = window.session.subgraph_index, None
        match window.session.selection.address:
            case ("subgraphs", int(), "tensors", int(tensor), *_):
                selected = tensor
        ask_in(
            window, lambda: InputShapeDialog(window.document.model, index, selected, window)
        )

    def batch(self) -> None:
        """Asks for the first dimension of the inputs."""
        window = self._window
        ask_in(window, lambda: BatchDialog(window.document.model, window))
