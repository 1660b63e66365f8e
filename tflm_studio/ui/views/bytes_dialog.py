# SPDX-License-Identifier: Apache-2.0
"""A window that edits some bytes in hexadecimal."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QTextOption
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import plural

BYTES_PER_LINE = 16
MOST_TYPED_BYTES = 2**18  # a text of more takes seconds to lay out
MOST_BYTES = 2**31 - 1
CHARACTERS = BYTES_PER_LINE * 3
MARGIN_PIXELS = 40


def hex_text(data: bytes) -> str:
    """Bytes as lines of two digits each."""
    return "\n".join(
        data[at : at + BYTES_PER_LINE].hex(" ") for at in range(0, len(data), BYTES_PER_LINE)
    )


def read_hex(text: str) -> bytes:
    """The bytes that digits stand for; spaces, commas, line ends and 0x do not count.

    Raises:
        EditError: Something else is in the text, or a byte has one digit only.
    """
    bare = re.sub(r"0[xX](?=[0-9a-fA-F])|[\s,;]+", " ", text)
    for number, word in enumerate(bare.split(), start=1):
        if not re.fullmatch(r"[0-9a-fA-F]+", word):
            raise EditError(f"'{word[:20]}' (word {number}) is not hexadecimal.")
        if len(word) % 2 and len(word) > 1:
            raise EditError(f"'{word[:20]}' (word {number}) has an odd number of digits.")
    return b"".join(bytes.fromhex(word.zfill(2)) for word in bare.split())


class BytesDialog(QDialog):
    """Hexadecimal to type into, the same as characters beside it, and files both ways."""

    def __init__(self, data: bytes, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bytes_dialog")
        self.setWindowTitle(title)
        self.data = data
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        self.hex, self.characters = QPlainTextEdit(), QPlainTextEdit()
        for edit, name, width in (
            (self.hex, "Bytes", CHARACTERS),
            (self.characters, "Characters", BYTES_PER_LINE),
        ):
            edit.setFont(fixed)
            edit.setAccessibleName(name)
            edit.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
            edit.setWordWrapMode(QTextOption.WrapMode.NoWrap)
            pixels = edit.fontMetrics().horizontalAdvance("0") * width
            edit.setMinimumWidth(pixels + MARGIN_PIXELS)
        self.hex.setObjectName("hex")
        self.characters.setReadOnly(True)
        self.note = QLabel()
        self.note.setObjectName("bytes_note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._build()
        self._show(data)
        self.hex.textChanged.connect(self._read)

    def _build(self) -> None:
        texts, files = QHBoxLayout(), QHBoxLayout()
        texts.addWidget(self.hex, 3)
        texts.addWidget(self.characters, 1)
        for text, do in (("From a file…", self._load), ("To a file…", self._store)):
            button = QPushButton(text)
            button.setAutoDefault(False)
            button.clicked.connect(do)
            files.addWidget(button)
        files.addWidget(self.note, 1)
        column = QVBoxLayout(self)
        column.addLayout(texts, 1)
        column.addLayout(files)
        column.addWidget(self.buttons)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _show(self, data: bytes) -> None:
        self.data = data
        is_long = len(data) > MOST_TYPED_BYTES
        self.hex.setReadOnly(is_long)
        self.hex.blockSignals(True)
        self.hex.setPlainText("too many to be typed; use files" if is_long else hex_text(data))
        self.hex.blockSignals(False)
        self._tell()

    def _read(self) -> None:
        try:
            self.data = read_hex(self.hex.toPlainText())
        except EditError as error:
            self.note.setText(str(error))
            self._ok.setEnabled(False)
        else:
            self._tell()

    @property
    def _ok(self) -> QPushButton:
        return self.buttons.button(QDialogButtonBox.StandardButton.Ok)

    def _tell(self) -> None:
        self._ok.setEnabled(True)
        self.note.setText(plural(len(self.data), "byte"))
        if len(self.data) <= MOST_TYPED_BYTES:
            shown = self.data.decode("latin-1")
            text = "".join(c if " " <= c <= "~" else "." for c in shown)
            lines = range(0, len(text), BYTES_PER_LINE)
            self.characters.setPlainText(
                "\n".join(text[at : at + BYTES_PER_LINE] for at in lines)
            )

    def _load(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Bytes from a file")
        if not chosen:
            return
        path = Path(chosen)
        try:
            if path.stat().st_size > MOST_BYTES:
                raise EditError("has more than 2 GB, which no field can hold.")
            self._show(path.read_bytes())
        except (OSError, EditError) as error:
            self.note.setText(f"{path.name}: {error}")

    def _store(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, "Bytes to a file")
        if chosen:
            try:
                Path(chosen).write_bytes(self.data)
            except OSError as error:
                self.note.setText(f"{Path(chosen).name}: {error}")


def edit_bytes(data: bytes, title: str, parent: QWidget) -> bytes | None:
    """Asks for other bytes; None if the person does not want a change."""
    dialog = BytesDialog(data, title, parent)
    try:
        return dialog.data if dialog.exec() else None
    finally:
        dialog.deleteLater()
