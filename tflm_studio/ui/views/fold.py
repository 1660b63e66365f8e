# SPDX-License-Identifier: Apache-2.0
"""A part of a form under a heading that opens and closes it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.ui.views.elided_label import ElidedLabel

INDENT_PIXELS = 14


class Fold(QWidget):
    """A heading with an arrow; what it opens is made when it is first open.

    Args:
        title: The heading.
        make_body: Makes what stands below.
        opened: Names of the parts that are open, shared by all forms of a window.
        name: Which of them this is.

    Attributes:
        is_open: Whether the body shows.
        body: What stands below, once it has been made.
    """

    def __init__(
        self,
        title: str,
        make_body: Callable[[], QWidget],
        opened: set[str],
        name: str,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._make_body, self._opened, self._name = make_body, opened, name
        self.body: QWidget | None = None
        self.setObjectName(f"fold.{name}")
        self.arrow = QToolButton()
        self.arrow.setAutoRaise(True)
        self.arrow.setText(title)
        self.arrow.setObjectName(f"open.{name}")
        self.arrow.setAccessibleName(f"Show {title}")
        self.arrow.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.summary = ElidedLabel()
        self.summary.setEnabled(False)
        self.head = QHBoxLayout()
        self.head.setSpacing(4)
        self.head.addWidget(self.arrow)
        self.head.addWidget(self.summary, 1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addLayout(self.head)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.is_open = False
        self.arrow.clicked.connect(lambda: self.set_open(not self.is_open))
        self.set_open(name in opened)

    def set_open(self, is_open: bool) -> None:
        """Opens or closes it."""
        self.is_open = is_open
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self.arrow.setArrowType(arrow)
        if is_open:
            self._opened.add(self._name)
            self._show_body()
        else:
            self._opened.discard(self._name)
            if self.body is not None:
                self.body.hide()

    def rebuild(self) -> None:
        """Makes the body anew, now or when it is opened next."""
        if self.body is not None:
            self._column.removeWidget(self.body)
            self.body.hide()
            self.body.deleteLater()  # later: an editor in it may just be reporting
            self.body = None
        if self.is_open:
            self._show_body()

    def _show_body(self) -> None:
        if self.body is None:
            self.body = self._make_body()
            self._column.addWidget(self.body)
            self.body.setContentsMargins(INDENT_PIXELS, 0, 0, 0)
        self.body.show()
