# SPDX-License-Identifier: Apache-2.0
"""A line above the tables that says why something was refused."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QWidget,
)

from tflm_studio.model.excerpts import excerpt
from tflm_studio.ui.views.wrapped_label import WrappedLabel

BESIDE_PIXELS = 600  # so wide, there is room for buttons beside the text


class NoticeBar(QFrame):
    """Stays until it is closed or something succeeds; never takes the focus.

    Attributes:
        closed: Emitted when a person closes it.
    """

    closed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("notice_bar")
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.ToolTipBase)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 4, 4)
        self._sign = QLabel("⚠")
        self._sign.setForegroundRole(QPalette.ColorRole.BrightText)
        self.label = WrappedLabel()
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QToolButton()
        close.setText("×")
        close.setAutoRaise(True)
        close.setAccessibleName("Hide the notice")
        close.clicked.connect(self.hide)
        close.clicked.connect(self.closed)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        self._body = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._body.addWidget(self.label, 1)
        self._answers = QHBoxLayout()
        self._body.addLayout(self._answers)
        row.addLayout(self._body, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # Buttons beside the text would leave it a column of single words.
        is_wide = event.size().width() >= BESIDE_PIXELS
        directions = QBoxLayout.Direction
        self._body.setDirection(directions.LeftToRight if is_wide else directions.TopToBottom)

    def say(self, text: str) -> None:
        """Shows a notice in place of the last one."""
        self.ask(text, {})

    def ask(self, text: str, answers: dict[str, Callable[[], object]]) -> None:
        """Shows a notice with buttons; pressing one hides it and carries out the answer."""
        for old in self.findChildren(QPushButton):
            old.hide()
            old.deleteLater()
        for name, answer in answers.items():
            button = QPushButton(name)
            button.clicked.connect(self.hide)
            button.clicked.connect(lambda _checked=False, act=answer: act())
            self._answers.addWidget(button)
        self.label.setText(excerpt(text))
        self.show()
