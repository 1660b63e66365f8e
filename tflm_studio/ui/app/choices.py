# SPDX-License-Identifier: Apache-2.0
"""Questions with answers in words, as members of an enumeration."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from PySide6.QtWidgets import QMessageBox

Answer = TypeVar("Answer", bound=Enum)


def ask(box: QMessageBox, roles: dict[Answer, QMessageBox.ButtonRole]) -> Answer | None:
    """Shows a message box with one button per answer; None if it was closed without one."""
    buttons = {answer: box.addButton(answer.value, role) for answer, role in roles.items()}
    box.exec()
    clicked = box.clickedButton()
    return next((answer for answer, button in buttons.items() if button is clicked), None)
