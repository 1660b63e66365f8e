# SPDX-License-Identifier: Apache-2.0
"""A list to choose from that lets the wheel scroll the form behind it."""

from __future__ import annotations

from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

SHORTEST = 5  # characters


class QuietComboBox(QComboBox):
    """Takes the width there is, and no wheel events."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumContentsLength(SHORTEST)
        self.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()
