# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for what a firmware needs besides the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from tflm_studio.ui.app.buffer_commands import save_bytes

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

MESSAGE_MS = 6000


class FirmwareCommands(QObject):
    """Carries out what the menu and the resolver panel ask for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        window.resolver_panel.save_requested.connect(self._save)

    def show_resolver(self) -> None:
        """Shows the panel and gives it the focus."""
        self._window.show_dock(self._window.resolver_panel)

    def copy_resolver(self) -> None:
        """Copies the resolver as the panel has it."""
        panel = self._window.resolver_panel
        panel.refresh()
        panel.copy()
        self._window.statusBar().showMessage("Copied the operator resolver", MESSAGE_MS)

    def save_resolver(self) -> None:
        """Asks for a file and writes the resolver into it."""
        panel = self._window.resolver_panel
        panel.refresh()
        self._save(panel.source.toPlainText())

    def _save(self, source: str) -> None:
        save_bytes(self._window, source.encode(), "model_ops.h", "operator resolver", "Save")
