# SPDX-License-Identifier: Apache-2.0
"""What the window says of a file when it is opened, and what it offers to do about it."""

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QInputDialog, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.editing import placement
from tflm_studio.editing.edits import Set
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.windows import Windows


def test_a_plain_file_is_opened_without_a_word(window: MainWindow) -> None:
    assert not window.notice.isVisible()
    assert not window.commands.actions["edit.put_inside"].isEnabled()


def test_weights_behind_the_flatbuffer_are_brought_inside(
    windows: Windows, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "outside.tflite"
    document = ts.Document.open(SAMPLES / "sine_int8.tflite")
    document.do(placement.put_outside(document.model, [("buffers", 1), ("buffers", 3)]))
    document.save(path)
    before = path.read_bytes()
    window = windows.open_path(path)
    assert window is not None
    qtbot.waitExposed(window)
    assert "2 buffers stand behind the flatbuffer" in window.notice.label.text()
    action = window.commands.actions["edit.put_inside"]
    assert action.isEnabled()
    (button,) = window.notice.findChildren(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not window.notice.isVisible()
    assert not action.isEnabled()
    assert window.document.modified
    assert window.commands.files.save()
    assert ts.load_model_from_file(path).buffers[3].offset == 0
    window.commands.actions["edit.undo"].trigger()
    assert action.isEnabled()
    # What is behind again is told again.
    assert "2 buffers stand behind" in window.notice.label.text()
    assert window.notice.isVisible()
    window.commands.actions["edit.redo"].trigger()
    assert not window.notice.isVisible()
    window.commands.actions["edit.undo"].trigger()
    assert window.commands.files.save()
    assert path.read_bytes() == before


def test_a_source_whose_array_got_another_name_is_reloaded(
    windows: Windows, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "model.cc"
    sine, shapes = (SAMPLES / name for name in ("sine_int8.tflite", "shapes_int8.tflite"))
    ts.save_model_to_file(ts.load_model_from_file(sine), path, "g_first")
    window = windows.open_path(path)
    assert window is not None
    qtbot.waitExposed(window)
    ts.save_model_to_file(ts.load_model_from_file(shapes), path, "g_second")
    fresh = windows.reload(window)
    assert fresh is not None
    assert len(fresh.document.model.subgraphs[0].operators) == 7
    fresh.document.save()
    assert b"g_second" in path.read_bytes()


def test_a_model_of_an_image_is_opened_and_put_back(
    windows: Windows, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [
        (SAMPLES / f"{name}.tflite").read_bytes() for name in ("sine_int8", "shapes_int8")
    ]
    blob = b"\xff" * 512 + b"".join(model + bytes(-len(model) % 16) for model in models)
    path = tmp_path / "flash.bin"
    path.write_bytes(blob)
    offered: list[str] = []

    def get_item(*arguments: Any) -> tuple[str, bool]:
        offered.extend(arguments[3])
        return arguments[3][1], True

    monkeypatch.setattr(QInputDialog, "getItem", get_item)
    window = windows.open_path(path)
    assert window is not None
    assert "byte 0x200: 2,208 bytes, 3 operators, sin(x)" in offered[0]
    assert (
        "saving puts the model back there, in up to 4,176 bytes" in window.notice.label.text()
    )
    window.document.do(Set("version", 2))
    assert window.commands.files.save()
    at = blob.index(models[1])
    changed = [k for k, byte in enumerate(path.read_bytes()) if byte != blob[k]]
    assert changed
    assert at <= min(changed) <= max(changed) < at + len(models[1])

    def press(box: QMessageBox) -> int:
        assert "too large for its place" in box.text()
        box.buttons()[0].click()
        return 0

    chosen = tmp_path / "alone.tflite"
    window.document.do(Set("description", "long " * 200))
    monkeypatch.setattr(QMessageBox, "exec", press)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *a: (str(chosen), ""))
    assert window.commands.files.save()
    assert ts.load_model_from_file(chosen).description == "long " * 200
    assert window.document.path == chosen


def test_a_file_that_is_gone_is_told_of(window: MainWindow) -> None:
    path = window.document.path
    assert path is not None
    path.unlink()
    window.say_if_file_changed()
    assert "was removed by another program" in window.notice.label.text()
    assert not window.notice.findChildren(QPushButton)
