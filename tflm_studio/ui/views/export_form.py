# SPDX-License-Identifier: Apache-2.0
"""The fields for how an exported source looks; those without a use are hidden."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QWidget,
)

from tflm_studio.firmware.source_options import (
    GUARDS,
    MAX_BYTES_PER_LINE,
    SIZE_TYPES,
    Provenance,
    SourceOptions,
)
from tflm_studio.firmware.source_styles import SourceStyle
from tflm_studio.formats.c_source_writer import NumberForm
from tflm_studio.model.errors import EditError

ALIGNMENTS = (4, 8, 16, 32, 64, 128)
LICENCE_LINES = 2


class ExportForm(QWidget):
    """What a person chooses, as `SourceOptions`.

    Signals:
        changed: Something else is chosen.
    """

    changed = Signal()

    def __init__(self, choices: dict[str, Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.symbol, self.namespace, self.section, self.address = (
            QLineEdit() for _ in range(4)
        )
        self.alignment = QComboBox()
        self.bytes_per_line = QSpinBox()
        self.form, self.size_type, self.guard = (QComboBox() for _ in range(3))
        self.licence = QPlainTextEdit()
        self.provenance, self.date = QCheckBox("&Model, size and SHA-256"), QCheckBox("&Date")
        self._layout = QFormLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._fill()
        self._lay_out()
        self._take(choices)
        self._connect()

    def _fill(self) -> None:
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        for line in (self.symbol, self.namespace, self.section, self.address):
            line.setFont(fixed)
        self.namespace.setPlaceholderText("none")
        self.section.setPlaceholderText("the compiler's choice")
        for alignment in ALIGNMENTS:
            self.alignment.addItem(f"{alignment} bytes", alignment)
        for form in NumberForm:
            self.form.addItem(form.value, form)
        self.size_type.addItems(list(SIZE_TYPES))
        for guard, text in zip(GUARDS, ("#ifndef", "#pragma once"), strict=True):
            self.guard.addItem(text, guard)
        self.bytes_per_line.setRange(1, MAX_BYTES_PER_LINE)
        self.licence.setTabChangesFocus(True)
        self.licence.setPlaceholderText("none")
        height = self.fontMetrics().lineSpacing() * LICENCE_LINES + 14
        self.licence.setFixedHeight(height)

    def _lay_out(self) -> None:
        rows = {
            "symbol": ("A&rray", self.symbol),
            "address": ("&Address", self.address),
            "alignment": ("A&ligned to", self.alignment),
            "bytes_per_line": ("&Bytes per line", self.bytes_per_line),
            "form": ("&Numbers as", self.form),
            "size_type": ("Si&ze type", self.size_type),
            "guard": ("Header &guard", self.guard),
            "namespace": ("Names&pace", self.namespace),
            "section": ("S&ection", self.section),
            "licence": ("Licen&ce", self.licence),
            "provenance": ("Say", self.provenance),
            "date": ("", self.date),
        }
        for name, (label, field) in rows.items():
            field.setObjectName(f"export_{name}")
            self._layout.addRow(label, field)
        self._rows: dict[str, QWidget] = {name: field for name, (_, field) in rows.items()}

    def _take(self, choices: dict[str, Any]) -> None:
        """Shows what was chosen last, as far as it can be chosen now."""
        plain = SourceOptions()
        self._choose(self.alignment, choices.get("alignment", plain.alignment))
        forms = {form.name: form for form in NumberForm}
        self._choose(self.form, forms.get(str(choices.get("form")), plain.form))
        self._choose(self.guard, choices.get("guard", plain.guard))
        texts = {name: text for name, text in choices.items() if isinstance(text, str)}
        self.size_type.setCurrentText(texts.get("size_type", plain.size_type))
        count = choices.get("bytes_per_line", plain.bytes_per_line)
        self.bytes_per_line.setValue(count if isinstance(count, int) else 12)
        self.namespace.setText(texts.get("namespace", ""))
        self.section.setText(texts.get("section", ""))
        self.licence.setPlainText(texts.get("licence", ""))
        self.provenance.setChecked(choices.get("provenance", True) is True)
        self.date.setChecked(choices.get("date", False) is True)
        self.address.setText("0x0")

    def _choose(self, box: QComboBox, value: object) -> None:
        index = next((k for k in range(box.count()) if box.itemData(k) == value), 0)
        box.setCurrentIndex(index)

    def _connect(self) -> None:
        for line in (self.symbol, self.namespace, self.section, self.address):
            line.textChanged.connect(self.changed)
        for box in (self.alignment, self.form, self.size_type, self.guard):
            box.currentIndexChanged.connect(self.changed)
        self.bytes_per_line.valueChanged.connect(self.changed)
        self.licence.textChanged.connect(self.changed)
        for check in (self.provenance, self.date):
            check.toggled.connect(self.changed)
        self.provenance.toggled.connect(self.date.setEnabled)
        self.date.setEnabled(self.provenance.isChecked())

    @property
    def choices(self) -> dict[str, Any]:
        """What is worth remembering, as plain values."""
        return {
            "alignment": self.alignment.currentData(),
            "form": self.form.currentData().name,
            "guard": self.guard.currentData(),
            "size_type": self.size_type.currentText(),
            "bytes_per_line": self.bytes_per_line.value(),
            "namespace": self.namespace.text(),
            "section": self.section.text(),
            "licence": self.licence.toPlainText(),
            "provenance": self.provenance.isChecked(),
            "date": self.date.isChecked(),
        }

    def show_for(self, style: SourceStyle) -> None:
        """Shows the fields that a style has a use for."""
        uses = set(style.uses) - ({"alignment"} if style.name == "hex" else set())
        uses |= {"date"} if "provenance" in uses else set()
        for name, field in self._rows.items():
            self._layout.setRowVisible(field, name in uses)

    def options_for(self, style: SourceStyle, source: str, sha256: str) -> SourceOptions:
        """What is chosen for a style.

        Args:
            style: The style; what it has no use for is left out.
            source: What the comment calls the model.
            sha256: Digest of its bytes.

        Raises:
            EditError: Something cannot be chosen; says what and why.
        """
        date = datetime.now(UTC).date().isoformat() if self.date.isChecked() else ""
        chosen = {
            "symbol": self.symbol.text(),
            "alignment": self.alignment.currentData(),
            "bytes_per_line": self.bytes_per_line.value(),
            "form": self.form.currentData(),
            "size_type": self.size_type.currentText(),
            "guard": self.guard.currentData(),
            "namespace": self.namespace.text().strip(),
            "section": self.section.text().strip(),
            "licence": self.licence.toPlainText(),
            "provenance": Provenance(source, sha256, date)
            if self.provenance.isChecked()
            else None,
        }
        if "symbol" in style.uses and not self.symbol.text():
            raise EditError("Give the array a name.")
        if "address" in style.uses:
            chosen["address"] = _address(self.address.text())
        return SourceOptions(**{name: chosen[name] for name in chosen if name in style.uses})


def _address(text: str) -> int:
    try:
        return int(text.strip(), 0)
    except ValueError:
        raise EditError(f"'{text}' is no address such as 0x08010000.") from None
