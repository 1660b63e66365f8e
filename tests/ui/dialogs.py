"""Dialogs of the window, answered as a person does."""

from collections.abc import Callable
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from tflm_studio.ui.views.proposal_dialog import ProposalDialog

Act = Callable[[Any], object]
Answer = Callable[[Act], list[str]]


def answering(monkeypatch: pytest.MonkeyPatch) -> Answer:
    """What is done to the next dialogs once they are shown; names those that came."""

    def prepare(act: Act) -> list[str]:
        shown: list[str] = []

        def run(dialog: ProposalDialog) -> int:
            dialog.show()
            QApplication.processEvents()
            shown.append(dialog.objectName())
            act(dialog)
            return dialog.result()

        monkeypatch.setattr(ProposalDialog, "exec", run)
        return shown

    return prepare


def write(line: QLineEdit, text: str, qtbot: QtBot) -> None:
    """Types over what stands in a line."""
    line.setFocus()
    line.selectAll()
    if line.completer() is not None:
        line.setText(text)  # a list that drops down warns that there is no screen
    elif text:
        qtbot.keyClicks(line, text)
    else:
        qtbot.keyClick(line, Qt.Key.Key_Delete)


def click(parent: QWidget, name: str, qtbot: QtBot) -> None:
    """Presses a button by its object name."""
    button = parent.findChild(QPushButton, name)
    assert button is not None, name
    assert button.isEnabled(), name
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def accept(dialog: ProposalDialog, qtbot: QtBot) -> None:
    """Presses OK once it can be pressed."""
    qtbot.waitUntil(dialog.ok.isEnabled, timeout=3000)
    qtbot.mouseClick(dialog.ok, Qt.MouseButton.LeftButton)
    assert not dialog.isVisible()
