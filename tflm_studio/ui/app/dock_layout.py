# SPDX-License-Identifier: Apache-2.0
"""Where the panels of a window stand around its tables."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from tflm_studio.ui.views.arena_panel import ArenaPanel
from tflm_studio.ui.views.resolver_panel import ResolverPanel

LEFT, RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea
AREAS = {"Outline": LEFT, "Inspector": RIGHT}  # the others stand at the bottom
STEP_PIXELS = 150  # of the history: less names a thing, but not what was done to it
BUFFER_PIXELS = 420  # for the tools above values
BUFFER = 2  # of the docks: behind it stand those seldom looked at


class DockLayout:
    """The docks of a window.

    Args:
        window: Which window.
        panels: Outline, inspector, buffer, history and more, by their titles.

    Attributes:
        docks: A dock for each panel.
    """

    def __init__(self, window: QMainWindow, panels: Mapping[str, QWidget]) -> None:
        self._window = window
        self.docks = [self._add(title, panel) for title, panel in panels.items()]
        for dock in self.docks:
            panel = dock.widget()
            if isinstance(panel, (ArenaPanel, ResolverPanel)):
                window.tabifyDockWidget(self.docks[BUFFER], dock)
                dock.visibilityChanged.connect(panel.set_shown)
        self.docks[BUFFER].raise_()
        window.setCorner(Qt.Corner.BottomLeftCorner, BOTTOM)
        window.setCorner(Qt.Corner.BottomRightCorner, RIGHT)

    def _add(self, title: str, panel: QWidget) -> QDockWidget:
        dock = QDockWidget(title)
        dock.setObjectName(f"dock.{title.lower()}")
        dock.setWidget(panel)
        self._window.addDockWidget(AREAS.get(title, BOTTOM), dock)
        return dock

    def keep(self) -> None:
        """Remembers where all stand now, as what `reset` puts back."""
        self._default_state = self._window.saveState()

    def show(self, panel: QWidget) -> None:
        """Shows a panel and gives it the focus."""
        dock = next(each for each in self.docks if each.widget() is panel)
        dock.show()
        dock.raise_()
        panel.setFocus()

    def reset(self) -> None:
        """Puts all panels back to where they were at first."""
        self._window.restoreState(self._default_state)
        for dock in self.docks:
            dock.show()
        self.docks[BUFFER].raise_()
        self.reset_sizes()

    def reset_sizes(self) -> None:
        """Gives the docks their share of the window."""
        outline, inspector, buffer, history, *_ = self.docks
        width, height = self._window.width(), self._window.height()
        resize = self._window.resizeDocks
        side, form = max(180, width // 7), max(280, width * 24 // 100)
        across, along = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        resize([outline, inspector], [side, form], across)
        resize([buffer], [height * 38 // 100], along)
        steps = max(width * 7 // 50, min(STEP_PIXELS, width - form - BUFFER_PIXELS))
        resize([buffer, history], [width - form - steps, steps], across)
