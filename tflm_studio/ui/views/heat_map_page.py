# SPDX-License-Identifier: Apache-2.0
"""The values of a buffer as an image, in colours that diverge about zero.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QHBoxLayout, QWidget

from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.document import Document
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.plot import NARROWEST, Plot, PlotPage, drawable

MOST_CELLS = 2048  # along a side; more are told apart by no screen
WRAPPED_COLUMNS = 64  # a list is shown in lines of at least so many
NO_VALUE = 255  # number of the colour of cells without a finite value
BAR_WIDTH = 84

Colours = NDArray[np.uint8]

# Red, green, blue of the lowest, a low, a high and the highest value; zero is the background.
_LIGHT = ((16, 70, 170), (126, 163, 224), (229, 137, 110), (166, 26, 32))
_DARK = ((126, 184, 255), (46, 96, 168), (168, 70, 52), (255, 152, 128))


def diverging_colours(palette: QPalette) -> Colours:
    """Colours from the lowest value (0) over zero (127) to the highest (254), RGBA.

    Returns:
        uint8 (256, 4); the last one, for cells without a value, is transparent.
    """
    base = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Base)
    low, dim_low, dim_high, high = _DARK if base.lightness() < 128 else _LIGHT
    stops = np.array([low, dim_low, (base.red(), base.green(), base.blue()), dim_high, high])
    places = np.linspace(0.0, 254.0, len(stops))
    colours = np.zeros((256, 4), np.uint8)
    for channel in range(3):
        colours[:255, channel] = np.interp(np.arange(255), places, stops[:, channel])
    colours[:255, 3] = 255
    return colours


def colour_numbers(
    values: NDArray[np.float64], center: float
) -> tuple[NDArray[np.uint8], float]:
    """Numbers of colours for values, and the distance from the centre of the strongest."""
    finite = np.isfinite(values)
    apart = drawable(values) - center
    reach = float(np.abs(apart[finite]).max()) if finite.any() else 0.0
    reach = max(reach, NARROWEST) if reach else 1.0
    numbers = np.full(values.shape, NO_VALUE, np.uint8)
    numbers[finite] = np.rint(127 + 127 * np.clip(apart[finite] / reach, -1, 1))
    return numbers, reach


class HeatMapPage(PlotPage):
    """One coloured cell for each value, rows and columns as in the table of values."""

    uses_axes = True

    def __init__(self, document: Document) -> None:
        plot = Plot(whole=("bottom", "left"), zooms=(True, True))
        super().__init__(plot)
        plot.invertY(True)
        self._image = pg.ImageItem(axisOrder="row-major")
        plot.addItem(self._image)
        self._bar = ColourBar()
        body = QWidget()
        row = QHBoxLayout(body)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(plot, 1)
        row.addWidget(self._bar)
        self.body.addWidget(body, 1)
        plot.restyled.connect(self._restyle)
        self._restyle()

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows the values of a grid."""
        shown = _widened(grid)
        before, self.grid = self.grid, shown
        values, row_step, column_step = shown.matrix(MOST_CELLS)
        center = _center(grid)
        numbers, reach = colour_numbers(values, center)
        self._image.setImage(numbers, levels=(0, 255), autoLevels=False)
        rows, columns = values.shape
        self._image.setRect(QRectF(-0.5, -0.5, columns * column_step, rows * row_step))
        self._bar.show_range(center, reach)
        self.plot.show_titles(shown.column_title or "element", shown.row_title)
        self._say(row_step, column_step, shown)
        if before is None or (before.rows, before.columns) != (shown.rows, shown.columns):
            self.plot.setRange(
                QRectF(-0.5, -0.5, shown.columns, shown.rows),
                padding=0.0,
                disableAutoRange=True,
            )

    def show_statistics(self, statistics: Statistics | None) -> None:
        """An image has no use for statistics."""

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Shows the same grid after some bytes have changed."""
        self.show_contents(grid, None)

    def describe(self, place: QPointF) -> str:
        """The value at a place and its indices."""
        row, column = math.floor(place.y() + 0.5), math.floor(place.x() + 0.5)
        grid = self.grid
        if grid is None or not (0 <= row < grid.rows and 0 <= column < grid.columns):
            return ""
        flat = grid.flat_index(row, column)
        return grid.describe(flat) if flat is not None else ""

    def _say(self, row_step: int, column_step: int, grid: ValueGrid) -> None:
        text = f"{grid.rows:,} × {grid.columns:,}"
        steps = (("row", row_step), ("column", column_step))
        told = [f"one {name} of {step:,}" for name, step in steps if step > 1]
        if told:
            text += f"; drawn: {', '.join(told)}"
        self.set_caption(text)

    def _restyle(self) -> None:
        self._image.setLookupTable(diverging_colours(self.palette()))


class ColourBar(Plot):
    """Which colour stands for which value."""

    def __init__(self) -> None:
        super().__init__(zooms=(False, False))
        self.setFixedWidth(BAR_WIDTH)
        self.showAxis("left", False)
        self.showAxis("right")
        self._image = pg.ImageItem(axisOrder="row-major")
        self._image.setImage(
            np.arange(255, dtype=np.uint8)[:, None], levels=(0, 255), autoLevels=False
        )
        self.addItem(self._image)
        bottom = self.getAxis("bottom")
        bottom.setStyle(showValues=False)
        bottom.setTicks([])
        self.show_titles(" ", "")
        self.restyled.connect(self._restyle)
        self._restyle()

    def show_range(self, center: float, reach: float) -> None:
        """Labels the bar with the values of its ends."""
        self._image.setRect(QRectF(0, center - reach, 1, 2 * reach))
        self.setRange(QRectF(0, center - reach, 1, 2 * reach), padding=0.0)

    def _restyle(self) -> None:
        self._image.setLookupTable(diverging_colours(self.palette()))


def _widened(grid: ValueGrid) -> ValueGrid:
    """A wrapped list in lines about twice as long as there are lines."""
    exact = math.sqrt(2 * grid.contents.count)
    return replace(grid, wrap=max(WRAPPED_COLUMNS, 1 << round(math.log2(max(exact, 1)))))


def _center(grid: ValueGrid) -> float:
    q = grid.contents.quantization
    if grid.is_real or q is None or (q.zero_point != q.zero_point[0]).any():
        return 0.0
    return float(q.zero_point[0])
