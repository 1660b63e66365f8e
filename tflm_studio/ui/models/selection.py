# SPDX-License-Identifier: Apache-2.0
"""What is selected: one address that every panel follows, and the way back."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from tflm_studio.model.address import Address

MOST_REMEMBERED = 100


class Selection(QObject):
    """The selected place of a document.

    Attributes:
        address: The place; the empty address is the model itself.
    """

    changed = Signal(object)  # Address

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.address: Address = ()
        self._behind: list[Address] = []
        self._ahead: list[Address] = []

    @property
    def can_go_back(self) -> bool:
        """Whether something was selected before."""
        return bool(self._behind)

    @property
    def can_go_forward(self) -> bool:
        """Whether `back` can be taken back."""
        return bool(self._ahead)

    @property
    def trail(self) -> list[Address]:
        """What is selected and what was before, the newest first."""
        return [self.address, *reversed(self._behind)]

    def select(self, address: Address) -> None:
        """Makes another place the selected one."""
        if address != self.address:
            self._behind = [*self._behind[1 - MOST_REMEMBERED :], self.address]
            self._ahead = []
            self._show(address)

    def start(self, address: Address) -> None:
        """Selects a place without a way back, as when a document opens."""
        self._behind, self._ahead = [], []
        if address != self.address:
            self._show(address)

    def back(self) -> None:
        """Selects what was selected before."""
        if self._behind:
            self._ahead.append(self.address)
            self._show(self._behind.pop())

    def forward(self) -> None:
        """Selects what `back` left."""
        if self._ahead:
            self._behind.append(self.address)
            self._show(self._ahead.pop())

    def _show(self, address: Address) -> None:
        self.address = address
        self.changed.emit(address)
