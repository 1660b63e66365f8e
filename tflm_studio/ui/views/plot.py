# SPDX-License-Identifier: Apache-2.0
"""A plot in the colours of the palette.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QContextMenuEvent, QKeyEvent, QMouseEvent, QPalette
from PySide6.QtWidgets import QApplication

from tflm_studio.model.quantization import Reals

Paint = QPalette.ColorRole

# Where pyqtgraph's own arithmetic ends: it multiplies and divides ranges of both axes.
FARTHEST = 1e150
NARROWEST = 1e-150

_ARROWS = {
    int(Qt.Key.Key_Left): (-1, 0),
    int(Qt.Key.Key_Right): (1, 0),
    int(Qt.Key.Key_Up): (0, -1),
    int(Qt.Key.Key_Down): (0, 1),
}


def drawable(values: Reals) -> Reals:
    """Values as a plot can draw them: NaN for what is not finite, none too far away."""
    return np.clip(np.where(np.isfinite(values), values, np.nan), -FARTHEST, FARTHEST)


def drawable_range(low: float, high: float) -> tuple[float, float]:
    """The ends of an axis as a plot can draw them."""
    start, stop = (min(max(end, -FARTHEST), FARTHEST) for end in (low, high))
    return start, max(stop, start + NARROWEST)


class IndexAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph is not typed
    """An axis of whole numbers: no ticks between them."""

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        spacings = super().tickSpacing(low, high, size)
        return [(step, shift) for step, shift in spacings if step >= 1] or [(1.0, 0.0)]

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        return [f"{round(value):,}" for value in values]


class Plot(pg.PlotWidget):  # type: ignore[misc]  # pyqtgraph is not typed
    """A plot that follows the palette and tells what is under the cursor.

    Attributes:
        hovered: Emitted with the place under the cursor in data coordinates, None outside.
        clicked: Emitted with the place of a click that was no drag.
        arrow_pressed: Emitted with the step to the right and the step down of an arrow key.
        reset_asked: Emitted after a double click or the Home key.
        menu_asked: Emitted with the place on the screen.
        restyled: Emitted when the palette has changed.
    """

    hovered = Signal(object)  # QPointF | None
    clicked = Signal(QPointF)
    arrow_pressed = Signal(int, int)
    reset_asked = Signal()
    menu_asked = Signal(QPoint)
    restyled = Signal()

    def __init__(
        self,
        *,
        whole: tuple[str, ...] = (),
        zooms: tuple[bool, bool] = (True, False),
        axes: Mapping[str, pg.AxisItem] | None = None,
    ) -> None:
        self._is_built = False
        axes = {name: IndexAxis(orientation=name) for name in whole} | dict(axes or {})
        super().__init__(axisItems=axes)
        self._is_built = True
        self._pressed: QPoint | None = None
        self.titles = {"bottom": "", "left": ""}
        self.plotItem.setContentsMargins(0, 6, 8, 0)
        self.hideButtons()
        self.setMenuEnabled(False)
        self.setMouseEnabled(x=zooms[0], y=zooms[1])
        self.setFrameShape(self.Shape.NoFrame)
        self.setMinimumSize(120, 80)
        self.viewport().setMouseTracking(True)
        self.restyle()

    def show_titles(self, bottom: str, left: str) -> None:
        """Names the axes."""
        self.titles = {"bottom": bottom, "left": left}
        self.restyle()

    def colour(self, role: QPalette.ColorRole, alpha: float = 1.0) -> QColor:
        """A colour of the palette."""
        color = QColor(self.palette().color(QPalette.ColorGroup.Active, role))
        color.setAlphaF(color.alphaF() * alpha)
        return color

    def restyle(self) -> None:
        """Takes colours and fonts over from the palette and the widget."""
        self.setBackground(self.colour(Paint.Base))
        quiet, points = self.colour(Paint.PlaceholderText), self.font().pointSizeF()
        for name in ("bottom", "left", "right"):
            axis = self.getAxis(name)
            axis.enableAutoSIPrefix(False)
            axis.setPen(self.colour(Paint.PlaceholderText, 0.6))
            axis.setTextPen(quiet)
            axis.setStyle(tickFont=self.font(), tickLength=-4, tickTextOffset=6)
            if title := self.titles.get(name):
                css = {
                    "color": quiet.name(QColor.NameFormat.HexArgb),
                    "font-size": f"{points}pt",
                }
                axis.setLabel(title, **css)
        # Plots side by side need axes of one height, whether or not they have numbers.
        self.getAxis("bottom").setHeight(2 * self.fontMetrics().height() + 8)
        self.restyled.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.FontChange)
        if self._is_built and event.type() in kinds:
            self.restyle()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        is_left = event.button() == Qt.MouseButton.LeftButton
        self._pressed = event.position().toPoint() if is_left else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        place, pressed = event.position().toPoint(), self._pressed
        self._pressed = None
        if pressed is None:
            return
        is_near = (place - pressed).manhattanLength() < QApplication.startDragDistance()
        scene, box = self.mapToScene(place), self.getViewBox()
        if is_near and box.sceneBoundingRect().contains(scene):
            self.clicked.emit(box.mapSceneToView(scene))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.reset_asked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Home:
            self.reset_asked.emit()
        elif event.key() in _ARROWS:
            self.arrow_pressed.emit(*_ARROWS[event.key()])
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        self.menu_asked.emit(event.globalPos())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        scene = self.mapToScene(event.position().toPoint())
        box = self.getViewBox()
        inside = box.sceneBoundingRect().contains(scene)
        self.hovered.emit(box.mapSceneToView(scene) if inside else None)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit(None)
