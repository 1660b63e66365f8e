# SPDX-License-Identifier: Apache-2.0
"""Keys that move in a list while the cursor stays in the field that searches it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView

_KEYS = frozenset((Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown))


def moves_in_list(view: QAbstractItemView, event: QEvent) -> bool:
    """Hands a key on to a list if it moves there; says whether it did."""
    if not isinstance(event, QKeyEvent) or event.key() not in _KEYS:
        return False
    if event.type() is not QEvent.Type.KeyPress:
        return False
    QCoreApplication.sendEvent(view, event)
    return True
