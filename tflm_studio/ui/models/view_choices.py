# SPDX-License-Identifier: Apache-2.0
"""How people like to look at things: named choices that outlive what they were made for."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal


class ViewChoices(QObject):
    """Choices by name, such as "histogram.counts": "log". Unknown names are kept.

    Attributes:
        changed: Emitted when one was made.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._made: dict[str, str] = {}

    def restore(self, made: Mapping[str, str]) -> None:
        """Takes over choices that were made before."""
        self._made = dict(made)

    @property
    def made(self) -> dict[str, str]:
        """All choices."""
        return dict(self._made)

    def get(self, name: str, otherwise: str) -> str:
        """What was chosen, or `otherwise` if nothing was."""
        return self._made.get(name, otherwise)

    def choose(self, name: str, value: str) -> None:
        """Makes a choice."""
        if self._made.get(name) != value:
            self._made[name] = value
            self.changed.emit()
