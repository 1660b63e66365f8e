# SPDX-License-Identifier: Apache-2.0
"""Where the C source goes and what its array is called."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QWidget,
)

from tflm_studio.formats.c_source_splice import C_SUFFIXES
from tflm_studio.formats.c_source_writer import check_symbol, symbol_for
from tflm_studio.model.errors import EditError

FILTER = "C and C++ sources (*.cc *.c *.cpp *.h);;All files (*)"


class ExportDialog(QDialog):
    """Asks for the file and the symbol; OK is possible only with sound answers."""

    def __init__(self, proposed: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self.setWindowTitle("Export as C array")
        self.path = QLineEdit(str(proposed))
        self.path.setObjectName("export_path")
        self.path.setMinimumWidth(460)
        self.symbol = QLineEdit(symbol_for(proposed.name))
        self.symbol.setObjectName("export_symbol")
        self.symbol.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self._build()
        self.path.textChanged.connect(self._on_path_changed)
        self.symbol.textChanged.connect(self._check)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._check()

    def _build(self) -> None:
        form = QFormLayout(self)
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.path, 1)
        row.addWidget(browse)
        form.addRow("Source", row)
        form.addRow("Array", self.symbol)
        form.addRow("", self.note)
        form.addRow(self.buttons)

    def _browse(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.windowTitle(), self.path.text(), FILTER
        )
        if chosen:
            self.path.setText(chosen)

    def _on_path_changed(self, text: str) -> None:
        self.symbol.setText(symbol_for(Path(text).name))
        self._check()

    def _check(self) -> None:
        problem = self._problem()
        source = Path(self.path.text())
        header = source.with_suffix(".h").name if source.name else ""
        self.note.setText(
            problem or f"alignas(16) const unsigned char {self.symbol.text()}[], with {header}"
        )
        save = self.buttons.button(QDialogButtonBox.StandardButton.Save)
        save.setEnabled(not problem)

    def _problem(self) -> str:
        suffix = Path(self.path.text()).suffix.lower()
        if suffix not in C_SUFFIXES:
            return f"Name a C source: {' '.join(sorted(C_SUFFIXES))}."
        try:
            check_symbol(self.symbol.text())
        except EditError as error:
            return str(error)
        return ""
