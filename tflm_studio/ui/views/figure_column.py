# SPDX-License-Identifier: Apache-2.0
"""Figures with their names in a column; those without a text take no room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QScrollArea, QWidget

WIDTH = 262


def muted_label(text: str) -> QLabel:
    """A label that stands back."""
    label = QLabel(text)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


class FigureColumn(QScrollArea):
    """A line for each figure.

    Args:
        name: Of the widget.
        names: Of the figures, from top to bottom.
        prefix: What the names of their labels begin with.
    """

    def __init__(self, name: str, names: Sequence[str], prefix: str = "") -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFixedWidth(WIDTH)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        self._form = QFormLayout(body)
        self._form.setContentsMargins(12, 6, 8, 6)
        self._form.setVerticalSpacing(3)
        self._form.setHorizontalSpacing(14)
        self._form.setFormAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.figures = {each: QLabel() for each in names}
        for each, figure in self.figures.items():
            figure.setObjectName(f"{prefix}{each}")
            figure.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._form.addRow(muted_label(each), figure)
        self.setWidget(body)

    def show_texts(self, texts: Mapping[str, str]) -> None:
        """Shows these figures and no others."""
        for name, figure in self.figures.items():
            figure.setText(texts.get(name, ""))
            self._form.setRowVisible(figure, bool(texts.get(name)))
