# SPDX-License-Identifier: Apache-2.0
"""Where a bundle for a firmware goes, and what its names are."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QWidget,
)

from tflm_studio.firmware.bundle import (
    MOST_SEED,
    BundleOptions,
    default_namespace,
    default_symbol,
)
from tflm_studio.firmware.bundle_folder import foreign_files
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import named_few
from tflm_studio.ui.views.wrapped_label import WrappedLabel


class BundleDialog(QDialog):
    """Asks for a folder and the names; Write is possible only with sound answers.

    Args:
        folder: What is proposed.
        title: Name of the model's file.
        parent: Owner of the dialog.
    """

    def __init__(self, folder: Path, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bundle_dialog")
        self.setWindowTitle("Write firmware bundle")
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self.folder = QLineEdit(str(folder))
        self.folder.setObjectName("bundle_folder")
        self.folder.setMinimumWidth(460)
        self.symbol = QLineEdit(default_symbol(title))
        self.symbol.setObjectName("bundle_symbol")
        self.namespace = QLineEdit(default_namespace(title))
        self.namespace.setObjectName("bundle_namespace")
        self.namespace.setPlaceholderText("none")
        self.seed = QLineEdit("0")
        self.seed.setObjectName("bundle_seed")
        self.seed.setToolTip("What the random inputs of the test follow from")
        for edit in (self.symbol, self.namespace, self.seed):
            edit.setFont(fixed)
        self.vectors = QCheckBox("&Run the model now for golden vectors")
        self.vectors.setObjectName("bundle_vectors")
        self.vectors.setToolTip("The test compares with what the reference interpreter makes")
        self.vectors.setChecked(True)
        self.overwrite = QCheckBox("Re&place files that are not as a bundle wrote them")
        self.overwrite.setObjectName("bundle_overwrite")
        self.note = WrappedLabel()
        self.note.setObjectName("bundle_note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Save | QDialogButtonBox.StandardButton.Cancel
        )
        self._build()
        for each in (self.folder, self.symbol, self.namespace, self.seed):
            each.textChanged.connect(self._check)
        self.vectors.toggled.connect(self._check)
        self.overwrite.toggled.connect(self._check)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._check()

    def _build(self) -> None:
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setText("&Write")
        browse = QPushButton("&Browse…")
        browse.setObjectName("bundle_browse")
        browse.clicked.connect(self._browse)
        row = QHBoxLayout()
        row.addWidget(self.folder, 1)
        row.addWidget(browse)
        form = QFormLayout(self)
        form.addRow("&Folder", row)
        form.addRow("&Array", self.symbol)
        form.addRow("&Namespace", self.namespace)
        form.addRow("&Seed", self.seed)
        form.addRow("", self.vectors)
        form.addRow("", self.overwrite)
        form.addRow("", self.note)
        form.addRow(self.buttons)
        label = form.labelForField(row)
        if label is not None:
            label.setBuddy(self.folder)  # type: ignore[attr-defined]

    @property
    def options(self) -> BundleOptions:
        """What was chosen.

        Raises:
            EditError: A name or the seed cannot be used.
        """
        text = self.seed.text().strip()
        if not text.isascii() or not text.isdigit() or len(text) > len(str(MOST_SEED)):
            raise EditError(f"The seed is a whole number from 0 to {MOST_SEED - 1}.")
        return BundleOptions(
            symbol=self.symbol.text().strip(),
            namespace=self.namespace.text().strip(),
            seed=int(text),
            with_vectors=self.vectors.isChecked(),
        )

    def _browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.windowTitle(), self.folder.text())
        if chosen:
            self.folder.setText(chosen)

    def _check(self) -> None:
        problem = self._problem()
        self.note.setText(problem or self._about())
        save = self.buttons.button(QDialogButtonBox.StandardButton.Save)
        save.setEnabled(not problem)

    def _about(self) -> str:
        vectors = "golden vectors" if self.vectors.isChecked() else "no golden vectors"
        return (
            "The model, its operators, arena size, shapes and types, a test with "
            f"{vectors}, CMake and a README."
        )

    def _problem(self) -> str:
        try:
            _ = self.options
        except EditError as error:
            return str(error)
        if not self.folder.text().strip():
            return "Choose a folder."
        folder = Path(self.folder.text())
        if folder.exists() and not folder.is_dir():
            return f"{folder} is a file; choose a folder."
        foreign = foreign_files(folder)
        if foreign and not self.overwrite.isChecked():
            return (
                f"In this folder {named_few(foreign)} {'is' if len(foreign) == 1 else 'are'} "
                "not as a bundle wrote it. Choose another, or allow that files are replaced."
            )
        return ""
