# SPDX-License-Identifier: Apache-2.0
"""A label whose lines wrap and which is just as high as they are."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

NARROWEST_PIXELS = 80


class WrappedLabel(QLabel):
    """Takes the width it gets; Qt's own label guesses a width and is often too high."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setWordWrap(True)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)

    def sizeHint(self) -> QSize:
        width = max(self.width(), NARROWEST_PIXELS)
        return QSize(NARROWEST_PIXELS, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.updateGeometry()
