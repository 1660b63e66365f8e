# SPDX-License-Identifier: Apache-2.0
"""The resolver panel: the C++ that registers the operators of the model, as it is now."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.firmware.resolver import Registration, registrations, resolver_source
from tflm_studio.model.place_names import named_few, plural
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.elided_label import ElidedLabel

SETTLING_MS = 150  # edits come in quick succession

Models = Callable[[], list[tuple[str, Model]]]


class ResolverPanel(QWidget):
    """Shows the resolver of this model, or of all open ones; it follows every edit.

    Args:
        session: The window's.
        models: All open models with their names, that of this window first.
        parent: Owner of the widget.

    Attributes:
        save_requested: Emitted with the source when a person wants it in a file.
    """

    save_requested = Signal(str)

    def __init__(
        self, session: Session, models: Models, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("resolver_panel")
        self._session = session
        self._models = models
        self._is_stale = True
        self._is_shown = False
        self.summary = ElidedLabel()
        self.summary.setObjectName("resolver_summary")
        self.all_models = QCheckBox("All open models")
        self.all_models.setObjectName("all_models")
        self.all_models.setToolTip("One resolver for the models of all windows")
        self.all_models.toggled.connect(self.refresh)
        self.source = QPlainTextEdit()
        self.source.setObjectName("resolver_source")
        self.source.setAccessibleName("Source of the operator resolver")
        self.source.setReadOnly(True)
        self.source.setFrameShape(QFrame.Shape.NoFrame)
        self.source.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.source.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.source.setTabChangesFocus(True)
        copy = QPushButton("Copy")
        copy.setObjectName("copy_resolver")
        copy.setToolTip("Copy the source")
        copy.clicked.connect(self.copy)
        save = QPushButton("Save…")
        save.setObjectName("save_resolver")
        save.setToolTip("Write the source to a header of the firmware")
        save.clicked.connect(lambda: self.save_requested.emit(self.source.toPlainText()))
        row = QHBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(8)
        row.addWidget(self.summary, 1)
        for widget in (self.all_models, copy, save):
            row.addWidget(widget)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.source, 1)
        self.setFocusProxy(self.source)
        self._timer = QTimer(self, singleShot=True, interval=SETTLING_MS)
        self._timer.timeout.connect(self.refresh)
        session.changed.connect(self._on_document_changed)

    def _on_document_changed(self) -> None:
        self._is_stale = True
        if self._is_shown:
            self._timer.start()

    def set_shown(self, is_shown: bool) -> None:
        """Tells whether people see it: a panel behind another counts as visible for Qt."""
        self._is_shown = is_shown
        if is_shown and (self._is_stale or self.all_models.isChecked()):
            self.refresh()

    def refresh(self) -> None:
        """Writes the source anew; what is selected in an unchanged one stays selected."""
        self._is_stale = False
        found = self._models()
        self.all_models.setVisible(len(found) > 1)
        if not self.all_models.isChecked():
            found = found[:1]
        models = [model for _, model in found]
        needed = registrations(models)
        source = resolver_source(models, named_few([name for name, _ in found]))
        if source != self.source.toPlainText():
            self.source.setPlainText(source)
        self._say(needed)

    def _say(self, needed: list[Registration]) -> None:
        missing = [each.name for each in needed if each.is_missing]
        own = [each.name for each in needed if each.is_own]
        parts = [plural(len(needed) - len(missing), "operator")]
        if missing:
            parts.append(f"TFLM lacks {named_few(missing)}")
        if own:
            parts.append(f"yours to write: {named_few(own)}")
        role = QPalette.ColorRole.Text if missing else QPalette.ColorRole.PlaceholderText
        self.summary.setForegroundRole(role)
        self.summary.say("; ".join(parts))

    def copy(self) -> None:
        """Puts the source on the clipboard."""
        QGuiApplication.clipboard().setText(self.source.toPlainText())
