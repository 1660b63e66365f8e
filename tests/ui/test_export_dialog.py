# SPDX-License-Identifier: Apache-2.0
"""The export dialog shows what it writes, remembers, and refuses what cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialogButtonBox, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tests.conftest import SAMPLES
from tflm_studio.firmware.source_export import write_export
from tflm_studio.firmware.source_styles import STYLES
from tflm_studio.formats.layout import Layout
from tflm_studio.ui.app.settings import Settings
from tflm_studio.ui.views.export_dialog import ExportDialog

MODEL = (SAMPLES / "sine_int8.tflite").read_bytes()


def make(qtbot: QtBot, folder: Path, choices: dict[str, Any] | None = None) -> ExportDialog:
    dialog = ExportDialog(Layout(len(MODEL), [MODEL]), folder / "my-net.tflite", choices)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def save_button(dialog: ExportDialog) -> QPushButton:
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Save)


def choose(dialog: ExportDialog, name: str) -> None:
    dialog.styles.setCurrentRow([style.name for style in STYLES].index(name))


def test_every_style_is_shown_and_written(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = make(qtbot, tmp_path)
    for style in STYLES:
        choose(dialog, style.name)
        assert save_button(dialog).isEnabled(), style.name
        names = [dialog.tabs.tabText(k) for k in range(dialog.tabs.count())]
        assert [Path(name).suffix for name in names] == list(style.suffixes)
        assert dialog.form.symbol.isVisible() == ("symbol" in style.uses)
        assert dialog.form.address.isVisible() == ("address" in style.uses)
        assert dialog.export is not None
        for path in write_export(dialog.export):
            dialog.tabs.setCurrentIndex(names.index(path.name))
            shown = dialog.preview.toPlainText()
            assert len(shown) < 4000
            if path.suffix not in (".bin", ".tflite"):
                written = path.read_text()
                head, _, end = shown.partition("…")
                assert written.startswith(head.rstrip(" \n")), path
                assert written.endswith(end.rpartition("…\n")[2]), path


def test_the_preview_follows_what_is_typed(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = make(qtbot, tmp_path)
    assert dialog.symbol.text() == "g_my_net_model_data"
    dialog.symbol.selectAll()
    qtbot.keyClicks(dialog.symbol, "g_mine")
    choose(dialog, "c")
    assert dialog.symbol.text() == "g_mine"
    dialog.form.alignment.setCurrentText("4 bytes")
    assert "_Alignas(4) const unsigned char g_mine[]" in dialog.preview.toPlainText()
    assert "hard fault" in dialog.note.text()
    dialog.form.licence.setPlainText("All mine")
    assert dialog.preview.toPlainText().startswith("/*\n * All mine\n */\n")
    dialog.form.provenance.setChecked(False)
    assert "SHA-256" not in dialog.preview.toPlainText()
    assert not dialog.form.date.isEnabled()


@pytest.mark.parametrize(
    ("field", "text", "reason"),
    [
        ("export_symbol", "2fast", "cannot be the name"),
        ("export_symbol", "", "Give the array a name"),
        ("export_namespace", "a:b", "no C++ name"),
        ("export_section", "a b", "section"),
        ("export_path", "net.rs", "writes .cc or .h"),
    ],
)
def test_what_is_wrong_is_said(
    qtbot: QtBot, tmp_path: Path, field: str, text: str, reason: str
) -> None:
    dialog = make(qtbot, tmp_path)
    before = dialog.preview.toPlainText()
    line: Any = dialog.findChild(QWidget, field)
    line.setText(text)
    assert reason in dialog.note.text()
    assert not save_button(dialog).isEnabled()
    assert dialog.preview.toPlainText() == before
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not dialog.isVisible()


def test_choices_are_remembered(qtbot: QtBot, tmp_path: Path) -> None:
    first = make(qtbot, tmp_path)
    choose(first, "zephyr")
    first.form.alignment.setCurrentText("32 bytes")
    first.form.form.setCurrentText("15")
    first.form.guard.setCurrentText("#pragma once")
    first.form.date.setChecked(True)
    settings = Settings(tmp_path / "settings.ini")
    settings.export_choices = first.choices
    again = make(qtbot, tmp_path, Settings(tmp_path / "settings.ini").export_choices)
    assert again.choices == first.choices
    assert "__aligned(32)" in again.preview.toPlainText()
    # What an older or broken settings file says does no harm.
    odd = {"style": 3, "alignment": "x", "form": [], "bytes_per_line": "", "licence": None}
    assert save_button(make(qtbot, tmp_path, odd)).isEnabled()


def test_a_hex_file_has_an_address(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = make(qtbot, tmp_path)
    choose(dialog, "hex")
    dialog.form.address.setText("0x08010008")
    assert dialog.preview.toPlainText().startswith(":020000040801F1\n:10000800")
    assert "no multiple of 16" in dialog.note.text()
    dialog.form.address.setText("flash")
    assert "no address" in dialog.note.text()
