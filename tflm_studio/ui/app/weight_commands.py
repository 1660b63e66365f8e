# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for the values of tensors and buffers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.model.address import Address
from tflm_studio.ui.app.chosen_rows import ask_in
from tflm_studio.ui.views.weights_dialog import WeightsDialog

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow


class WeightCommands(QObject):
    """Shows the dialog for what the buffer view shows: a tensor, a buffer, or a selection."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def install(self, actions: Mapping[str, QAction]) -> None:
        """Puts commands into the menu of the values."""
        for name in ("weights.change", "weights.formula"):
            self._window.buffer_view.offer(actions[name])

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        contents = self._window.buffer_view.contents
        kind = contents.kind.kind if contents is not None and contents.count else ""
        is_tensor = contents is not None and contents.tensor_address is not None
        is_quantised = contents is not None and contents.quantization is not None
        return {
            "has_numbers": kind in ("integer", "float", "bool"),
            "has_float_weights": kind == "float" and is_tensor,
            "has_quantised": kind == "integer" and is_quantised,
        }

    def change(self) -> None:
        """Asks what shall be done to the values."""
        self._ask("scale")

    def formula(self) -> None:
        """Asks for a formula."""
        self._ask("formula")

    def quantise(self) -> None:
        """Asks how floats become whole numbers."""
        self._ask("quantise")

    def requantise(self) -> None:
        """Asks for another scale."""
        self._ask("requantise")

    def dequantise(self) -> None:
        """Asks whether quantised values shall become floats."""
        self._ask("dequantise")

    def zero_channels(self) -> None:
        """Asks which channels become zero."""
        self._ask("set_channels_to_zero")

    def permute_channels(self) -> None:
        """Asks for the order of channels."""
        self._ask("permute_channels")

    def delete_channels(self) -> None:
        """Asks which channels go."""
        self._ask("delete_channels")

    def _ask(self, operation: str) -> None:
        window = self._window
        selected = window.session.selection.address
        contents = contents_at(window.document.model, selected)
        if contents is None:
            return
        place = _place_of(contents)
        ask_in(
            window,
            lambda: WeightsDialog(
                window.document.model,
                place,
                operation,
                where=window.buffer_view.chosen(),
                parent=window,
            ),
        )


def _place_of(contents: BufferContents) -> Address:
    if contents.tensor_address is not None:
        return contents.tensor_address
    return ("buffers", contents.buffer_index)
