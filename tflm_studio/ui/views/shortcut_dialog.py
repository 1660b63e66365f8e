# SPDX-License-Identifier: Apache-2.0
"""A list of the keyboard shortcuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

SIZE = (560, 620)
Lines = Sequence[tuple[str, str]]


class ShortcutDialog(QDialog):
    """Shows what keys do, in groups; Escape and Enter close it.

    Args:
        groups: Lines of a name and its keys, by the title of their group.
        parent: Above which it opens.
    """

    def __init__(self, groups: Mapping[str, Lines], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("shortcut_dialog")
        self.setWindowTitle("Keyboard shortcuts")
        self.tree = QTreeWidget()
        self.tree.setObjectName("shortcut_list")
        self.tree.setAccessibleName("Keyboard shortcuts")
        self.tree.setHeaderLabels(["Command", "Keys"])
        self.tree.setRootIsDecorated(False)
        self.tree.setUniformRowHeights(True)
        self.tree.header().setStretchLastSection(False)
        self.tree.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.tree.header().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        for title, lines in groups.items():
            self._add(title, lines)
        self.tree.expandAll()
        self.tree.setCurrentIndex(self.tree.model().index(0, 0))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        buttons.button(QDialogButtonBox.StandardButton.Close).setDefault(True)
        column = QVBoxLayout(self)
        column.addWidget(self.tree, 1)
        column.addWidget(buttons)
        self.resize(*SIZE)

    def _add(self, title: str, lines: Lines) -> None:
        group = QTreeWidgetItem([title])
        font = self.tree.font()
        font.setBold(True)
        group.setFont(0, font)
        for line in lines:
            group.addChild(QTreeWidgetItem(list(line)))
        self.tree.addTopLevelItem(group)
