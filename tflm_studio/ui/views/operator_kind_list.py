# SPDX-License-Identifier: Apache-2.0
"""A searchable list of the kinds of operators, and a name for custom ones."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.model.operator_kinds import OperatorKind, custom_kind
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.operator_kind_table import NAME, OperatorKindTable, is_any_custom
from tflm_studio.ui.views.choice_view import choice_view
from tflm_studio.ui.views.delegates import ChipDelegate
from tflm_studio.ui.views.list_keys import moves_in_list

COLUMN_PIXELS = (190, 190, 50, 90)
WIDTH = 560


class OperatorKindList(QWidget):
    """Finds a kind by name, name in the schema, or family."""

    changed = Signal()
    chosen = Signal()  # by a double click

    def __init__(self, model: Model, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = OperatorKindTable(model, self)
        self.field = QLineEdit()
        self.field.setObjectName("kind_search")
        self.field.setPlaceholderText("Find by name, name in the schema, or family")
        self.field.setClearButtonEnabled(True)
        self.field.installEventFilter(self)
        self.view = choice_view("kinds", self.table, COLUMN_PIXELS)
        self.view.setItemDelegateForColumn(NAME, ChipDelegate(self.view))
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.custom = QLineEdit()
        self.custom.setObjectName("kind_custom_code")
        self.custom.setPlaceholderText("Custom code: the name that it is registered by")
        self.custom_label = QLabel("Custom &code")
        self.custom_label.setBuddy(self.custom)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        for widget in (self.field, self.view, self.custom_label, self.custom):
            column.addWidget(widget)
        column.setStretchFactor(self.view, 1)
        self.setMinimumWidth(WIDTH)
        self.field.textChanged.connect(self._search)
        self.view.selectionModel().currentChanged.connect(self._on_current_changed)
        self.view.doubleClicked.connect(lambda _: self.chosen.emit())
        self.custom.textChanged.connect(lambda _: self.changed.emit())
        self.view.setCurrentIndex(self.table.index(0, NAME))
        self.setFocusProxy(self.field)

    def kind(self) -> OperatorKind:
        """The kind that is chosen.

        Raises:
            EditError: The name of a custom operator is missing.
        """
        kind = self.shown_kind()
        return custom_kind(self.custom.text().strip()) if is_any_custom(kind) else kind

    def shown_kind(self) -> OperatorKind:
        """The kind of the current row, which may be any custom one."""
        return self.table.shown[max(0, self.view.currentIndex().row())]

    def _search(self, text: str) -> None:
        self.table.search(text)
        is_unknown = is_any_custom(self.table.shown[0])
        if is_unknown:
            # Whoever looks for what nobody knows means a custom operator of this name.
            self.custom.setText(text.strip())
        self.view.setCurrentIndex(self.table.index(0, NAME))
        self.view.scrollToTop()

    def _on_current_changed(self, index: QModelIndex) -> None:
        if index.isValid():
            is_custom = is_any_custom(self.table.shown[index.row()])
            self.custom.setVisible(is_custom)
            self.custom_label.setVisible(is_custom)
            self.changed.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and moves_in_list(self.view, event):
            return True
        return super().eventFilter(watched, event)
