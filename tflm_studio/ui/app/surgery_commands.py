# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for changes to the whole graph."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow


class SurgeryCommands(QObject):
    """Carries out what the menu and the tables ask for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        return {}
