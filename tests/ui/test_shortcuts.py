# SPDX-License-Identifier: Apache-2.0
"""Keys: menus show them, and a list in the help menu has them all."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from tflm_studio.ui.app.actions import ACTIONS
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.shortcuts import shortcut_groups
from tflm_studio.ui.views.shortcut_dialog import ShortcutDialog


def test_copy_and_paste_show_their_keys_and_leave_them_to_the_focus(
    unchanged: MainWindow, qtbot: QtBot
) -> None:
    for name, keys in (("edit.copy", "Ctrl+C"), ("edit.paste", "Ctrl+V")):
        assert unchanged.commands.actions[name].shortcut().toString() == keys
    unchanged.find_field.setFocus()
    unchanged.find_field.setText("conv")
    unchanged.find_field.selectAll()
    qtbot.keyClick(unchanged.find_field, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.clipboard().text() == "conv"
    unchanged.find_field.clear()
    unchanged.operator_view.setFocus()
    unchanged.operator_view.selectRow(0)
    qtbot.keyClick(unchanged.operator_view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert "Conv2D" in QApplication.clipboard().text()


def test_every_command_with_keys_is_listed() -> None:
    listed = {line for lines in shortcut_groups().values() for line in lines}
    for row in ACTIONS:
        if row.keys:
            assert any(name == row.text.replace("&", "") for name, _ in listed), row.id
    assert ("Move up", "Alt+Up") in listed


def test_the_help_menu_shows_the_list(
    unchanged: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[ShortcutDialog] = []
    monkeypatch.setattr(QDialog, "exec", lambda dialog: shown.append(dialog))
    action = unchanged.commands.actions["help.keys"]
    assert action.shortcut() == QKeySequence("Ctrl+?")
    action.trigger()
    (dialog,) = shown
    titles = [dialog.tree.topLevelItem(k).text(0) for k in range(2)]  # type: ignore[union-attr]
    assert titles[:2] == ["File", "Edit"]
