# SPDX-License-Identifier: Apache-2.0
"""The panels of a window one behind the other, as F6 visits them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QWidget

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow


def panels(window: MainWindow) -> list[QWidget]:
    """Outline, tables, inspector, buffer, history, arena; without those that are closed."""
    outline, *others = window.docks
    return [
        panel
        for panel in (outline, window.tabs, *others)
        if not isinstance(panel, QDockWidget) or not panel.isHidden()
    ]


def go_to_next_panel(window: MainWindow, step: int) -> None:
    """Gives the next (step 1) or the previous (step -1) panel the focus."""
    every, focus = panels(window), window.focusWidget()
    here = next((k for k, p in enumerate(every) if focus and p.isAncestorOf(focus)), None)
    if here is None:
        here = -1 if step > 0 else 0
    for k in range(1, len(every) + 1):
        if _enter(every[(here + k * step) % len(every)], window):
            return


def _enter(panel: QWidget, window: MainWindow) -> bool:
    """Focuses what had the focus in a panel last, or the first part that takes keys."""
    if isinstance(panel, QDockWidget):
        panel.raise_()
        inside = panel.widget()
    else:
        inside = window.tabs.currentWidget()
    last = inside.focusWidget()
    children = inside.findChildren(QWidget)
    candidates = [last] if last is not None else []
    for widget in (*candidates, inside, *children):
        takes_keys = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if takes_keys and widget.isVisible() and widget.isEnabled():
            widget.setFocus(Qt.FocusReason.ShortcutFocusReason)
            return True
    return False
