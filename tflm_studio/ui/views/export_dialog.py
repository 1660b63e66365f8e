# SPDX-License-Identifier: Apache-2.0
"""In which form a model goes into a firmware, with a look at what would be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPlainTextEdit,
    QPushButton,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.firmware.source_export import (
    Export,
    digest_of,
    planned_export,
    preview,
)
from tflm_studio.firmware.source_styles import STYLES, SourceStyle
from tflm_studio.formats.layout import Layout
from tflm_studio.model.errors import StudioError
from tflm_studio.ui.views.export_form import ExportForm
from tflm_studio.ui.views.wrapped_label import WrappedLabel

SIZE_PIXELS = (1180, 640)


class ExportDialog(QDialog):
    """Asks for a style, its options and a file; Save is possible only with sound answers.

    Args:
        layout: The bytes of the model.
        model_path: The model's file, or what it would be called.
        choices: What was chosen last time.

    Attributes:
        export: What Save writes; None while something is wrong.
    """

    def __init__(
        self,
        layout: Layout,
        model_path: Path,
        choices: dict[str, Any] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self.setWindowTitle("Export for a firmware")
        self.export: Export | None = None
        self._layout, self._model_path = layout, model_path
        self._digest = digest_of(layout.segments)
        self._is_symbol_own = False
        choices = choices or {}
        self.styles = QListWidget()
        self.styles.addItems([style.title for style in STYLES])
        self.about, self.note = WrappedLabel(), WrappedLabel()
        self.path = QLineEdit()
        self.form = ExportForm(choices)
        self.symbol = self.form.symbol
        self.tabs, self.preview = QTabBar(), QPlainTextEdit()
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self._name_widgets()
        self._build()
        self._connect()
        names = [style.name for style in STYLES]
        name = choices.get("style")
        self.styles.setCurrentRow(names.index(name) if name in names else 0)

    @property
    def style_row(self) -> SourceStyle:
        """The style that is chosen."""
        return STYLES[max(self.styles.currentRow(), 0)]

    @property
    def choices(self) -> dict[str, Any]:
        """What is worth remembering, as plain values."""
        return {"style": self.style_row.name, **self.form.choices}

    def _name_widgets(self) -> None:
        self.styles.setObjectName("export_styles")
        self.path.setObjectName("export_path")
        self.note.setObjectName("export_note")
        self.preview.setObjectName("export_preview")
        self.styles.setAccessibleName("Form")
        self.preview.setAccessibleName("Preview")

    def _build(self) -> None:
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self.preview.setReadOnly(True)
        self.preview.setFont(fixed)
        self.preview.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.preview.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        width = max(self.styles.sizeHintForColumn(0) + 24, 180)
        self.styles.setFixedWidth(width)
        self.styles.setSpacing(2)
        browse = QPushButton("Bro&wse…")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        file_row = QHBoxLayout()
        label = QLabel("&File")
        label.setBuddy(self.path)
        for widget in (label, self.path, browse):
            file_row.addWidget(widget)
        look = QVBoxLayout()
        look.setSpacing(0)
        look.addWidget(self.tabs)
        look.addWidget(self.preview, 1)
        options = QVBoxLayout()
        options.addWidget(self.about)
        options.addSpacing(6)
        options.addWidget(self.form)
        options.addStretch(1)
        grid = QGridLayout(self)
        grid.addWidget(self.styles, 0, 0)
        grid.addLayout(options, 0, 1)
        grid.addLayout(look, 0, 2)
        grid.addLayout(file_row, 1, 0, 1, 3)
        grid.addWidget(self.note, 2, 0, 1, 3)
        grid.addWidget(self.buttons, 3, 0, 1, 3)
        grid.setColumnMinimumWidth(1, 300)
        grid.setColumnStretch(2, 1)
        grid.setRowStretch(0, 1)
        self.resize(*SIZE_PIXELS)

    def _connect(self) -> None:
        self.styles.currentRowChanged.connect(self._on_style)
        self.symbol.textEdited.connect(self._on_symbol_typed)
        self.form.changed.connect(self._check)
        self.path.textChanged.connect(self._check)
        self.tabs.currentChanged.connect(self._show_preview)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _browse(self) -> None:
        suffixes = " ".join(f"*{suffix}" for suffix in self.style_row.suffixes)
        chosen, _ = QFileDialog.getSaveFileName(
            self,
            self.windowTitle(),
            self.path.text(),
            f"{self.style_row.title} ({suffixes});;All files (*)",
        )
        if chosen:
            self.path.setText(chosen)

    def _on_symbol_typed(self, text: str) -> None:
        self._is_symbol_own = bool(text)

    def _on_style(self) -> None:
        style = self.style_row
        self.about.setText(style.about)
        self.form.show_for(style)
        if not self._is_symbol_own:
            self.symbol.setText(style.symbol(self._model_path.name))
        self.path.setText(str(self._proposed(style)))
        self._check()

    def _proposed(self, style: SourceStyle) -> Path:
        """A file for a style beside the model, or where one was named already."""
        typed = Path(self.path.text())
        start = typed if typed.name else self._model_path
        path = start.with_suffix(style.suffixes[0])
        if path == self._model_path or (path.exists() and not typed.name):
            path = path.with_name(f"{path.stem}_export{path.suffix}")
        return path

    def _check(self) -> None:
        problem = ""
        try:
            self.export = self._planned()
        except StudioError as error:
            self.export, problem = None, str(error)
        notes = self.export.notes if self.export is not None else ()
        self.note.setText(problem or " ".join(notes))
        self.note.setVisible(bool(self.note.text()))
        save = self.buttons.button(QDialogButtonBox.StandardButton.Save)
        save.setEnabled(self.export is not None)
        self._show_tabs()

    def _planned(self) -> Export:
        style, name = self.style_row, self._model_path.name
        options = self.form.options_for(style, name, self._digest)
        return planned_export(self._layout, style, Path(self.path.text()), options, name)

    def _show_tabs(self) -> None:
        if self.export is None:
            return  # what was sound last stays in sight
        names = [path.name for path in self.export.paths]
        if names != [self.tabs.tabText(k) for k in range(self.tabs.count())]:
            self.tabs.blockSignals(True)
            while self.tabs.count():
                self.tabs.removeTab(0)
            for name in names:
                self.tabs.addTab(name)
            self.tabs.blockSignals(False)
        self._show_preview()

    def _show_preview(self) -> None:
        if self.export is not None:
            texts = preview(self.export)
            text = texts[min(max(self.tabs.currentIndex(), 0), len(texts) - 1)][1]
            if text != self.preview.toPlainText():
                self.preview.setPlainText(text)
