# SPDX-License-Identifier: Apache-2.0
"""A dialog for a metadata entry: its name, and its content as text or in hexadecimal."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)

from tflm_studio.editing import metadata_entries
from tflm_studio.editing.proposal import Proposal, in_sequence
from tflm_studio.formats.loose_files import read_loose_file
from tflm_studio.formats.offline_plan import OFFLINE_PLAN
from tflm_studio.model.errors import EditError, ReadError
from tflm_studio.model.metadata_content import find_metadata
from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.bytes_dialog import MOST_TYPED_BYTES, hex_text, read_hex
from tflm_studio.ui.views.offline_plan_dialog import OfflinePlanDialog
from tflm_studio.ui.views.proposal_dialog import ProposalDialog, ask

TEXT, HEX = "text", "hexadecimal"
NOT_TEXT = "These bytes are not text; show them in hexadecimal."
WIDTH, LINES = 560, 12


class MetadataDialog(ProposalDialog):
    """Adds an entry, or gives one another name and content.

    Args:
        model: The model.
        index: The entry; None to add one.
        parent: The window.
    """

    def __init__(
        self, model: Model, index: int | None = None, parent: QWidget | None = None
    ) -> None:
        title = "Add a metadata entry" if index is None else "Edit a metadata entry"
        super().__init__(title, "metadata_dialog", parent)
        self._model, self._index = model, index
        entry = None if index is None else (model.metadata or [])[index]
        self._old = b"" if index is None else metadata_entries.extract(model, index)
        self._data: bytes | None = None  # from a file that is too long to be typed
        self.name = self.add_line("&Name", "name", (entry.name or "") if entry else "")
        self.mode = QComboBox()
        self.mode.setObjectName("mode")
        self.mode.addItems((TEXT, HEX))
        label = QLabel("Content &as")
        label.setBuddy(self.mode)
        self.form.addRow(label, self._make_top())
        self.content = QPlainTextEdit()
        self.content.setObjectName("content")
        self.content.setAccessibleName("Content")
        self.content.setTabChangesFocus(True)
        self.content.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.content.setMinimumHeight(LINES * self.content.fontMetrics().lineSpacing())
        self.column.addWidget(self.content, 1)
        self.resize(WIDTH, self.sizeHint().height())
        self._is_text = True
        self._show(self._old)
        self.mode.currentTextChanged.connect(self._on_mode)
        self.content.textChanged.connect(self.entered)
        if index is not None:
            self.content.setFocus()
        self.finish()

    def _make_top(self) -> QHBoxLayout:
        line = QHBoxLayout()
        load = QPushButton("From a &file…")
        load.setObjectName("load")
        load.setAutoDefault(False)
        load.clicked.connect(self._load)
        self.count = QLabel()
        self.count.setObjectName("size")
        line.addWidget(self.mode)
        line.addWidget(load)
        line.addWidget(self.count, 1)
        return line

    # ------------------------------------------------------------------ content

    def _show(self, data: bytes) -> None:
        """Shows bytes: as text if they are that and text is wanted or nothing is yet."""
        text = as_text(data)
        is_long = len(data) > MOST_TYPED_BYTES
        self._data = data if is_long else None
        self._is_text = text is not None and not is_long
        self.mode.blockSignals(True)
        self.mode.setCurrentText(TEXT if self._is_text else HEX)
        self.mode.setEnabled(not is_long)
        self.mode.blockSignals(False)
        self.content.setReadOnly(is_long)
        shown = "too many bytes to be typed; use files" if is_long else hex_text(data)
        self.content.setPlainText(text if self._is_text and text is not None else shown)

    def _on_mode(self, mode: str) -> None:
        try:
            data = self.data()
        except EditError as error:
            self._back_to(str(error))
            return
        text = as_text(data)
        if mode == TEXT and text is None:
            self._back_to(NOT_TEXT)
            return
        self._is_text = mode == TEXT
        self.content.setPlainText(text or "" if self._is_text else hex_text(data))

    def _back_to(self, reason: str) -> None:
        self.mode.blockSignals(True)
        self.mode.setCurrentText(TEXT if self._is_text else HEX)
        self.mode.blockSignals(False)
        self.say(reason)

    def data(self) -> bytes:
        """The bytes that are entered.

        Raises:
            EditError: They cannot be read or stored.
        """
        if self._data is not None:
            return self._data
        if not self._is_text:
            return read_hex(self.content.toPlainText())
        text = self.content.toPlainText()
        if text == as_text(self._old):
            return self._old  # with the zeros that text does not show
        return metadata_entries.encoded(self.name.text(), text)

    def _load(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self, "Content from a file")
        if not chosen:
            return
        try:
            self._show(read_loose_file(Path(chosen)))
        except ReadError as error:
            self.say(str(error))

    # ------------------------------------------------------------------ what it does

    def propose(self) -> Proposal:
        data, name, index = self.data(), self.name.text(), self._index
        self.count.setText(plural(len(data), "byte"))
        if index is None:
            return metadata_entries.add(self._model, name, data)
        parts = [lambda model: metadata_entries.rename(model, index, name)]
        if data != self._old:
            parts.append(lambda model: metadata_entries.replace(model, index, data))
        return in_sequence(self._model, *parts, label=f"Edit metadata '{name}'")


def as_text(data: bytes) -> str | None:
    """Bytes as the text a person can edit, without zeros behind it; None if they are none."""
    try:
        text = data.rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError:
        return None
    # An editor would make other line ends of them.
    is_kept = "\r" not in text and "\u2028" not in text and "\u2029" not in text
    return text if is_kept and all(c.isprintable() or c in "\t\n" for c in text) else None


def ask_metadata(session: Session, index: int, parent: QWidget) -> None:
    """Lets a person edit an entry, as what it is if that is known."""
    try:
        dialog = _dialog_for(session.document.model, index, parent)
    except EditError as error:  # its buffer does not exist
        session.refused.emit(str(error))
        return
    proposal = ask(dialog)
    if proposal is not None:
        session.do(proposal)


def _dialog_for(model: Model, index: int, parent: QWidget) -> ProposalDialog:
    if find_metadata(model, OFFLINE_PLAN) == index:
        # What cannot be read as a plan can be mended as bytes.
        with suppress(EditError):
            return OfflinePlanDialog(model, parent)
    return MetadataDialog(model, index, parent)
