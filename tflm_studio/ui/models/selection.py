# SPDX-License-Identifier: Apache-2.0
"""What is selected: one address that every panel follows, and the way back."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from tflm_studio.model.address import Address


class Selection(QObject):
    """The selected place of a document.

    Attributes:
        address: The place; the empty address is the model itself.
    """

    changed = Signal(object)  # Address

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.address: Address = ()

    def select(self, address: Address) -> None:
        """Makes another place the selected one."""
        if address != self.address:
            self.address = address
            self.changed.emit(address)
