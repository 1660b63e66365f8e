# SPDX-License-Identifier: Apache-2.0
"""A window that edits custom options that are a flexbuffer, as a tree."""

from __future__ import annotations

from copy import deepcopy

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.editing.flex_tree import tree_bytes
from tflm_studio.formats.flex_options import FlexNode
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import plural
from tflm_studio.ui.views.flex_view import FlexView
from tflm_studio.ui.views.wrapped_label import WrappedLabel

BY_POSITION = (
    "TFLM's signal operators read this map by the sorted position of its keys: adding, "
    "removing or renaming a key changes what they read."
)
WIDTH_PIXELS, HEIGHT_PIXELS = 560, 420


class FlexDialog(QDialog):
    """The tree, with buttons for entries; nothing happens before OK.

    Args:
        data: The bytes as they are.
        root: Their tree.
        title: Of the window.
        by_position: Whether the kernel knows entries by their position among the keys.

    Attributes:
        data: The bytes of the tree as it is now; the very same ones if nothing changed.
    """

    def __init__(
        self,
        data: bytes,
        root: FlexNode,
        title: str,
        *,
        by_position: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("flex_dialog")
        self.setWindowTitle(title)
        self.data = self._before = data
        self.view = FlexView(deepcopy(root))
        self.warning = WrappedLabel(f"⚠ {BY_POSITION}")
        self.warning.setObjectName("flex_warning")
        self.warning.setForegroundRole(QPalette.ColorRole.BrightText)
        self.warning.setVisible(by_position)
        self.note = QLabel()
        self.note.setObjectName("flex_note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._entry_buttons: dict[str, QPushButton] = {}
        self._build()
        self.view.refused.connect(self.note.setText)
        self.view.changed.connect(self._tell)
        self.view.currentItemChanged.connect(self._enable)
        self._tell()
        self.resize(WIDTH_PIXELS, HEIGHT_PIXELS)
        self.view.setFocus()

    def _build(self) -> None:
        line = QHBoxLayout()
        for name, text, tip, do in (
            (
                "add",
                "&Add an entry",
                "Put an entry into the map or vector (Ins)",
                self.view.add,
            ),
            ("duplicate", "&Duplicate", "Put a copy beside it (Ctrl+D)", self.view.duplicate),
            ("remove", "&Remove", "Take the entry out (Del)", self.view.remove),
        ):
            button = QPushButton(text)
            button.setObjectName(f"flex_{name}")
            button.setToolTip(tip)
            button.setAutoDefault(False)
            button.clicked.connect(do)
            line.addWidget(button)
            self._entry_buttons[name] = button
        line.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(self.warning)
        column.addWidget(self.view, 1)
        column.addLayout(line)
        column.addWidget(self.note)
        column.addWidget(self.buttons)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _tell(self) -> None:
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        try:
            self.data = tree_bytes(self._before, self.view.root)
        except EditError as error:
            self.note.setText(str(error))
            ok.setEnabled(False)
            return
        same = self.data == self._before
        self.note.setText("Not changed." if same else plural(len(self.data), "byte"))
        ok.setEnabled(True)
        self._enable()

    def _enable(self) -> None:
        for name, possible in self.view.possible().items():
            self._entry_buttons[name].setEnabled(possible)


def edit_flex(
    data: bytes, root: FlexNode, title: str, parent: QWidget, *, by_position: bool
) -> bytes | None:
    """Asks for other options; None if the person does not want a change."""
    dialog = FlexDialog(data, root, title, by_position=by_position, parent=parent)
    try:
        return dialog.data if dialog.exec() else None
    finally:
        dialog.deleteLater()
