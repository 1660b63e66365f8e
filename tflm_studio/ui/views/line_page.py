# SPDX-License-Identifier: Apache-2.0
"""The values of a buffer in their stored order as a line.

Drawing every point of a large buffer takes seconds, so the line is the lowest and the highest
value of each pixel column: exact extremes, no more points than pixels. pyqtgraph's own peak
downsampling raises when it is switched on before data is there.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QTimer
from PySide6.QtGui import QPalette

from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.document import Document
from tflm_studio.model.tensor_types import Array
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.plot import Plot, PlotPage, drawable, drawable_range

MOST_POINTS = 4096
READ_AT_ONCE = 1 << 20  # elements
BACKGROUND_ELEMENTS = 1 << 20  # more are read in a thread
DOTTED_POINTS = 200
REDRAW_DELAY_MS = 30

Reader = Callable[[int, int], Array]  # start, count


class Envelope(NamedTuple):
    """Points of a line: positions and values, both float64."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]


def envelope(
    read: Reader, start: int, stop: int, cancelled: Callable[[], bool] = lambda: False
) -> Envelope:
    """The lowest and the highest value of consecutive runs of elements.

    Args:
        read: Gives consecutive values.
        start: First element.
        stop: Behind the last element.
        cancelled: Asked now and then; what is there by then is returned.

    Returns:
        The elements themselves if there are few, else two points for each run. O(elements).
    """
    count = stop - start
    if count <= MOST_POINTS:
        return Envelope(_wide(np.arange(start, stop)), _wide(read(start, count)))
    run = -(-count * 2 // MOST_POINTS)
    at_once = max(READ_AT_ONCE // run, 1) * run
    pairs = []
    for first in range(start, stop, at_once):
        if cancelled():
            break
        values = read(first, min(at_once, stop - first))
        whole = len(values) // run * run
        pairs.append(_extremes(values[:whole].reshape(-1, run)))
        if whole < len(values):
            pairs.append(_extremes(values[whole:].reshape(1, -1)))
    y = np.concatenate(pairs).reshape(-1)
    return Envelope(_wide(np.arange(len(y)) * (run / 2) + start), y)


def _extremes(runs: Array) -> NDArray[np.float64]:
    low, high = runs.min(axis=1), runs.max(axis=1)
    if not np.isfinite(low).all():
        # min and max give NaN for a run with one; these skip it, but take longer.
        low, high = np.fmin.reduce(runs, axis=1), np.fmax.reduce(runs, axis=1)
    return np.stack([_wide(low), _wide(high)], axis=1)


def _wide(values: Array) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):  # signalling NaN
        wide: NDArray[np.float64] = values.astype(np.float64)
    return wide


class LinePage(PlotPage):
    """A line through all values; the wheel zooms in, dragging moves along."""

    def __init__(self, document: Document) -> None:
        super().__init__(Plot(whole=("bottom",)))
        self._curve = pg.PlotDataItem(connect="finite", symbolSize=5, symbolPen=None)
        self.plot.addItem(self._curve)
        self.plot.show_titles("element", "value")
        self._zero = pg.InfiniteLine(0, angle=0)
        self.plot.addItem(self._zero, ignoreBounds=True)
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_task_finished)
        self._redraw = QTimer(self, singleShot=True, interval=REDRAW_DELAY_MS)
        self._redraw.setObjectName("redraw")
        self._redraw.timeout.connect(self._draw)
        self.plot.getViewBox().sigXRangeChanged.connect(self._redraw.start)
        self.plot.restyled.connect(self._restyle)
        self._restyle()

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows all values behind a grid."""
        self.grid = grid
        count = grid.contents.count
        self.plot.show_titles("element", "real value" if grid.is_real else "value")
        self.set_caption("in stored order")
        self.plot.setLimits(xMin=-0.5 - count * 0.02, xMax=count * 1.02 - 0.5, minXRange=4)
        self.plot.setXRange(-0.5, count - 0.5, padding=0.01)
        self.show_statistics(statistics)
        self._draw()

    def show_statistics(self, statistics: Statistics | None) -> None:
        """Fits the height to the lowest and the highest value."""
        if statistics is not None and statistics.low is not None:
            low, high = float(statistics.low), float(statistics.high or 0)
            low, high = drawable_range(low, high if high > low else low + 1.0)
            room = (high - low) * 0.05
            self.plot.setYRange(low - room, high + room, padding=0)

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Shows the same values after some bytes have changed."""
        self.grid = grid
        self._draw()

    def describe(self, place: QPointF) -> str:
        """The element nearest to a place."""
        if self.grid is None or not -0.5 <= place.x() < self.grid.contents.count - 0.5:
            return ""
        flat = round(place.x())
        return f"element {flat:,}  {self.grid.describe(flat)}"

    def _draw(self) -> None:
        self._redraw.stop()
        grid = self.grid
        if grid is None:
            return
        low, high = self.plot.getViewBox().viewRange()[0]
        start = min(max(math.floor(low), 0), grid.contents.count)
        stop = max(min(math.ceil(high) + 1, grid.contents.count), start)
        read = grid.contents.reals if grid.is_real else grid.contents.values
        if stop - start > BACKGROUND_ELEMENTS:
            self._task.start(lambda cancelled: envelope(read, start, stop, cancelled))
        else:
            self._task.cancel()
            self._on_task_finished(envelope(read, start, stop))

    def _on_task_finished(self, line: Envelope) -> None:
        heights = drawable(line.y)
        # pyqtgraph looks for the ends of what is drawn, and there have to be some.
        is_empty = np.isnan(heights).all()
        self._curve.setData([] if is_empty else line.x, [] if is_empty else heights)
        is_sparse = len(line.x) <= DOTTED_POINTS
        self._curve.setSymbol("o" if is_sparse else None)

    def _restyle(self) -> None:
        accent = self.plot.colour(QPalette.ColorRole.Accent)
        self._curve.setPen(pg.mkPen(accent, width=1))
        self._curve.setSymbolBrush(accent)
        self._zero.setPen(pg.mkPen(self.plot.colour(QPalette.ColorRole.PlaceholderText, 0.6)))
