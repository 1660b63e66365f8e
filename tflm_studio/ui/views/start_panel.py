# SPDX-License-Identifier: Apache-2.0
"""The start panel: what can be done here, and the files opened lately."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.ui.views.inspector_page import section_label
from tflm_studio.ui.views.wrapped_label import WrappedLabel

WHAT_CAN_BE_DONE = (
    "Double-click a cell to wire it anew; change options in the inspector on the right.",
    "Select an operator or tensor to see its weights as numbers, pictures and bytes below.",
    "Undo and redo anything; the history goes back to the file as it was.",
    "Save as .tflite, or as a C array for the firmware.",
)
MOST_RECENT = 5


class StartPanel(QFrame):
    """A strip above the tables for those who came without a file."""

    open_wanted = Signal()
    file_wanted = Signal(str)

    def __init__(self, recent: Iterable[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("start_panel")
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.AlternateBase)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 6, 8, 12)
        row.setSpacing(32)
        row.addLayout(self._build_words(), 3)
        row.addLayout(self._build_recent(list(recent)[:MOST_RECENT]), 2)
        close = QToolButton()
        close.setText("×")
        close.setAutoRaise(True)
        close.setToolTip("Hide this panel")
        close.setAccessibleName("Hide the start panel")
        close.clicked.connect(self.hide)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)

    def _build_words(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(4)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(section_label("a sample model is open"))
        column.addWidget(_text("<br>".join(map(escape, WHAT_CAN_BE_DONE))))
        return column

    def _build_recent(self, recent: list[str]) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(4)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)
        column.addWidget(section_label("your models"))
        lines = ['<a href="open:">Open a model</a> (Ctrl+O), or drop a file on this window']
        for path in recent:
            name, folder = escape(Path(path).name), escape(str(Path(path).parent))
            lines.append(f'<a href="{escape(path)}" title="{folder}">{name}</a>')
        label = _text("<br>".join(lines))
        label.linkActivated.connect(self._on_link)
        column.addWidget(label)
        return column

    def _on_link(self, href: str) -> None:
        if href == "open:":
            self.open_wanted.emit()
        else:
            self.file_wanted.emit(href)


def _text(html: str) -> WrappedLabel:
    label = WrappedLabel(html)
    label.setTextFormat(Qt.TextFormat.RichText)
    return label
