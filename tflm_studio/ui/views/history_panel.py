# SPDX-License-Identifier: Apache-2.0
"""The history panel: every step, the present one marked; a click goes to any of them."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSize, Qt, QTimer
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QFrame,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from tflm_studio.ui.models.history_list import IS_AHEAD_ROLE, HistoryList
from tflm_studio.ui.models.session import Session

ROW_PIXELS = 22


class HistoryPanel(QListView):
    """The steps done, and greyed those that can be done again."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("history_panel")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._session = session
        self._list = HistoryList(session, self)
        self.setModel(self._list)
        self.setItemDelegate(_StepDelegate(self))
        self.setToolTip("Click a step to go back or forward to it")
        self.clicked.connect(self._on_clicked)
        # Once for all steps of a moment: finding a row takes longer than a step.
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._follow)
        session.changed.connect(lambda: self._timer.start(0))
        self._follow()

    def _on_clicked(self, index: QModelIndex) -> None:
        self._session.document.go_to(index.row())

    def _follow(self) -> None:
        current = self._list.index(self._list.current_row)
        self.setCurrentIndex(current)
        self.scrollTo(current)


class _StepDelegate(QStyledItemDelegate):
    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        if index.data(IS_AHEAD_ROLE):
            grey = option.palette.color(QPalette.ColorRole.PlaceholderText)
            option.palette.setColor(QPalette.ColorRole.Text, grey)

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(0, ROW_PIXELS)
