# SPDX-License-Identifier: Apache-2.0
"""The resolver follows the model, and leaves the window by clipboard or file."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog, QPushButton
from pytestqt.qtbot import QtBot

from tests.ui.conftest import Opener
from tflm_studio.editing import operators
from tflm_studio.firmware.resolver import resolver_source
from tflm_studio.ui.app.main_window import MainWindow


@pytest.fixture
def window(open_sample: Opener, qtbot: QtBot) -> MainWindow:
    window = open_sample("shapes_int8.tflite")
    window.commands.actions["firmware.show_resolver"].trigger()
    qtbot.waitUntil(window.resolver_panel.source.isVisible)
    return window


def test_it_follows_edits_of_the_model(window: MainWindow, qtbot: QtBot) -> None:
    panel, model = window.resolver_panel, window.document.model
    assert panel.source.toPlainText() == resolver_source([model], window.document.name)
    assert "AddSoftmax" in panel.source.toPlainText()
    window.document.do(operators.delete(model, 0, [6]))
    qtbot.waitUntil(lambda: "AddSoftmax" not in panel.source.toPlainText())
    assert panel.summary.text() == "5 operators"
    window.document.do(operators.replace_by_custom(model, 0, [4], "my op"))
    qtbot.waitUntil(lambda: panel.summary.text().endswith("yours to write: my op"))


def test_it_leaves_by_clipboard_and_file(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = window.resolver_panel.source.toPlainText()
    copy = window.resolver_panel.findChild(QPushButton, "copy_resolver")
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert QApplication.clipboard().text() == source
    target = tmp_path / "model_ops.h"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window.commands.actions["firmware.save_resolver"].trigger()
    assert target.read_text() == source


def test_all_open_models_in_one(window: MainWindow, open_sample: Opener, qtbot: QtBot) -> None:
    panel = window.resolver_panel
    assert not panel.all_models.isVisible()
    open_sample("sine_float.tflite")
    window.commands.actions["firmware.show_resolver"].trigger()
    panel.refresh()
    qtbot.mouseClick(panel.all_models, Qt.MouseButton.LeftButton)
    first = panel.source.toPlainText().splitlines()[0]
    assert first == "// Operators of shapes_int8.tflite, sine_float.tflite."
