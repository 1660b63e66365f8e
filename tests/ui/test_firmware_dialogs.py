# SPDX-License-Identifier: Apache-2.0
"""Bundles are written from the window, and the boards can be looked through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QDialogButtonBox,
    QFileDialog,
    QMessageBox,
    QPushButton,
)
from pytestqt.qtbot import QtBot

from tflm_studio.firmware.board_fit import Need
from tflm_studio.firmware.boards import Board
from tflm_studio.firmware.bundle import FILES
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.models.board_table import COLUMNS, tool_tip
from tflm_studio.ui.views.board_dialog import BoardDialog
from tflm_studio.ui.views.bundle_dialog import BundleDialog

BOARDS = (
    Board("large", 10_000, 10_000, 10_000, "Large", "chip a", "a note", "https://a"),
    Board("small", 900, 10_000, 10_000, "Small", "chip b"),
    Board("narrow", 10_000, 505, 505, "Narrow", "chip c"),
)


def test_the_dialog_takes_only_sound_answers(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = BundleDialog(tmp_path / "out", "my-model.tflite")
    qtbot.addWidget(dialog)
    save = dialog.buttons.button(QDialogButtonBox.StandardButton.Save)
    assert save.isEnabled()
    assert dialog.options.symbol == "g_my_model_data"
    assert dialog.options.namespace == "my_model"
    for edit, wrong, said in (
        (dialog.symbol, "1x", "cannot be the name"),
        (dialog.namespace, "a::", "is no C++ name"),
        (dialog.seed, "-1", "whole number"),
        (dialog.seed, "4294967296", "choose 0 to"),
        (dialog.folder, " ", "Choose a folder"),
    ):
        right = edit.text()
        edit.setText(wrong)
        assert not save.isEnabled(), wrong
        assert said in dialog.note.text()
        edit.setText(right)
        assert save.isEnabled(), wrong
    dialog.namespace.clear()
    dialog.vectors.click()
    assert dialog.options.namespace == ""
    assert not dialog.options.with_vectors
    assert "no golden vectors" in dialog.note.text()
    (tmp_path / "README.md").write_text("mine")
    dialog.folder.setText(str(tmp_path))
    assert "README.md is not as a bundle wrote it" in dialog.note.text()
    dialog.overwrite.click()
    assert save.isEnabled()
    dialog.folder.setText(str(tmp_path / "README.md"))
    assert "is a file" in dialog.note.text()


def test_boards_are_sorted_copied_and_replaced(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = BoardDialog(Need(600, 400, 500, ("my op",)), "m", boards=lambda: BOARDS)
    qtbot.addWidget(dialog)
    dialog.show()
    model = dialog.view.model()

    def titles() -> list[str]:
        return [model.index(row, 0).data() for row in range(model.rowCount())]

    assert titles() == ["Large", "Narrow", "Small"]
    assert dialog.summary.text().startswith("Fits 2 of 3 boards: 600 bytes of model")
    assert "estimates" in dialog.note.text()
    assert "my op" in dialog.note.text()
    flash = [column.title for column in COLUMNS].index("Flash")
    dialog.view.sortByColumn(flash, Qt.SortOrder.DescendingOrder)
    assert titles()[0] == "Small"
    copy = dialog.findChild(QPushButton, "copy_boards")
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[1].split("\t") == [
        "Small", "chip b", "111.1%", "−100 bytes", "5.0%", "9,500 bytes", "does not fit",
    ]  # fmt: skip
    assert "10,000 bytes" in tool_tip(dialog.table.fit(0))
    assert "there are 900" in tool_tip(dialog.table.fit(1))
    own = tmp_path / "boards.json"
    own.write_text("[]")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(own), ""))
    other = dialog.findChild(QPushButton, "other_boards")
    qtbot.mouseClick(other, Qt.MouseButton.LeftButton)
    assert "write a list" in dialog.note.text()
    assert len(titles()) == 3
    own.write_text(json.dumps([{"name": "mine", "flash_bytes": 2000, "ram_bytes": 2000}]))
    qtbot.mouseClick(other, Qt.MouseButton.LeftButton)
    assert titles() == ["mine"]
    dialog.grab()


def test_a_bundle_is_written_from_the_menu(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(QMessageBox, "information", lambda *given: told.append(given[2]))
    monkeypatch.setattr(QMessageBox, "warning", lambda *given: told.append(given[2]))

    def accept(dialog: BundleDialog) -> int:
        dialog.vectors.setChecked(False)
        return int(BundleDialog.DialogCode.Accepted.value)

    monkeypatch.setattr(BundleDialog, "exec", accept)
    action = window.commands.actions["firmware.write_bundle"]
    action.trigger()
    folder = tmp_path / "shapes_int8_bundle"
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    assert told == []
    assert "Wrote 8 files" in window.statusBar().currentMessage()
    (folder / "README.md").write_text("mine")
    action.trigger()
    assert "is not as a bundle wrote it" in told[0]
    assert not window.document.modified

    shown: list[str] = []
    monkeypatch.setattr(BoardDialog, "exec", lambda each: shown.append(each.summary.text()))
    window.commands.actions["firmware.check_boards"].trigger()
    assert shown[0].startswith("Fits 21 of 21 boards")
