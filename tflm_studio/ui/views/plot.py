# SPDX-License-Identifier: Apache-2.0
"""A plot in the colours of the palette, and a page with one.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPalette
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from tflm_studio.model.quantization import Reals
from tflm_studio.ui.models.value_table import ValueGrid

Paint = QPalette.ColorRole

# Where pyqtgraph's own arithmetic ends: it multiplies and divides ranges of both axes.
FARTHEST = 1e150
NARROWEST = 1e-150


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
        restyled: Emitted when the palette has changed.
    """

    hovered = Signal(object)  # QPointF | None
    restyled = Signal()

    def __init__(
        self, *, whole: tuple[str, ...] = (), zooms: tuple[bool, bool] = (True, False)
    ) -> None:
        self._is_built = False
        axes = {name: IndexAxis(orientation=name) for name in whole}
        super().__init__(axisItems=axes)
        self._is_built = True
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

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        scene = self.mapToScene(event.position().toPoint())
        box = self.getViewBox()
        inside = box.sceneBoundingRect().contains(scene)
        self.hovered.emit(box.mapSceneToView(scene) if inside else None)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit(None)


class PlotPage(QWidget):
    """A plot below a line that says what is shown, or what is under the cursor.

    Attributes:
        refused: Never emitted: plots edit nothing.
        uses_axes: Whether it shows a slice along chosen axes.
    """

    refused = Signal(str)
    uses_axes = False

    def __init__(self, plot: Plot, *beside: QWidget) -> None:
        super().__init__()
        self.plot = plot
        self.grid: ValueGrid | None = None
        self.caption = ""
        self._line = QLabel()
        self._line.setObjectName("caption")
        self._line.setForegroundRole(Paint.PlaceholderText)
        self._line.setContentsMargins(8, 2, 8, 0)
        self._line.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        self._line.setMinimumWidth(1)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(Paint.Base)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        self.body.addWidget(self._line)
        self.body.addWidget(plot, 1)
        plot.hovered.connect(self._on_plot_hovered)

    def describe(self, place: QPointF) -> str:
        """What is at a place of the plot; empty for nothing."""
        return ""

    def set_caption(self, text: str) -> None:
        """Says what is shown."""
        self.caption = text
        self._line.setText(text)

    def _on_plot_hovered(self, place: QPointF | None) -> None:
        found = self.describe(place) if place is not None and self.grid is not None else ""
        self._line.setText(found or self.caption)
