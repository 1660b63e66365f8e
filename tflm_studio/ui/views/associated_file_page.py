# SPDX-License-Identifier: Apache-2.0
"""The inspector's page for an associated file: its name, its size, and what it says."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QPlainTextEdit

from tflm_studio.editing.associated_files import rename_file
from tflm_studio.editing.edits import Edit
from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import AssociatedFile, Field
from tflm_studio.ui.models.metadata_tables import file_bytes
from tflm_studio.ui.views.field_form import FieldForm
from tflm_studio.ui.views.inspector_page import FactList, InspectorPage

SHOWN_BYTES = 16 * 1024
BYTES_PER_LINE = 8
SHOWN_LINES = 14
_LAYOUT_CHARACTERS = frozenset("\t\n\r\f")


class AssociatedFilePage(InspectorPage):
    """Name, size and the beginning of a file in the archive behind the model."""

    def build(self) -> None:
        form = FieldForm(
            self.session, self.address, self.thing, ("name",), edits_for=self._rename
        )
        self.column.addWidget(form)
        self.facts = FactList(self.session)
        self.column.addWidget(self.facts)
        self.text = QPlainTextEdit()
        self.text.setObjectName("file_text")
        self.text.setAccessibleName("Content of the file")
        self.text.setReadOnly(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setFixedHeight((SHOWN_LINES + 1) * self.text.fontMetrics().lineSpacing())
        self.add_section("content", self.text)
        self._shown: object = None

    def _rename(self, row: Field, value: Any) -> list[Edit]:
        return rename_file(self.session.document.model, int(self.address[-1]), value or "")

    def refresh(self) -> None:
        file = self.thing
        assert isinstance(file, AssociatedFile)
        data = file_bytes(file)
        self.set_heading(file.name or "unnamed", f"associated file {self.address[-1]}")
        text = as_text(data)
        lines = "" if text is None else f", {plural(len(text.splitlines()), 'line')} of text"
        is_part = len(data) > SHOWN_BYTES
        part = f"; the first {SHOWN_BYTES:,} bytes are shown" if is_part else ""
        self.facts.set_fact("size", f"{len(data):,} bytes{'' if is_part else lines}{part}")
        shown = hexadecimal(data) if text is None else text
        if shown != self._shown:
            self._shown = shown
            self.text.setPlainText(shown)


def as_text(data: memoryview) -> str | None:
    """The beginning of a file as text, None if it is none."""
    head = bytes(data[:SHOWN_BYTES])
    is_part = len(data) > SHOWN_BYTES
    try:
        # Cut anywhere, the last character may be incomplete.
        text = head.decode("utf-8", "ignore" if is_part else "strict")
    except UnicodeDecodeError:
        return None
    if is_part and len(text.encode()) < len(head) - 3:
        return None
    return text if all(c.isprintable() or c in _LAYOUT_CHARACTERS for c in text) else None


def hexadecimal(data: memoryview) -> str:
    """The beginning of a file as lines of offsets and bytes."""
    head = data[:SHOWN_BYTES]
    return "\n".join(
        f"{at:06x}  {head[at : at + BYTES_PER_LINE].hex(' ')}"
        for at in range(0, len(head), BYTES_PER_LINE)
    )
