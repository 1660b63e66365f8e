# SPDX-License-Identifier: Apache-2.0
"""How often each value occurs in a buffer.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPalette

from tflm_studio.analysis.statistics import Histogram, Statistics
from tflm_studio.editing.document import Document
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.plot import Plot, PlotPage, drawable, drawable_range

Paint = QPalette.ColorRole


class HistogramPage(PlotPage):
    """Bars of counts, with marks at the ends, at the mean and at zero."""

    def __init__(self, document: Document) -> None:
        super().__init__(Plot())
        self._histogram: Histogram | None = None
        self._statistics: Statistics | None = None
        self._bars = pg.PlotCurveItem([0, 1], [0], stepMode="center", fillLevel=0)
        self.plot.addItem(self._bars)
        self._marks: list[Any] = []
        self.plot.show_titles("value", "count")
        self.plot.restyled.connect(self._restyle)

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows the histogram of all values behind a grid."""
        self.grid = grid
        self.plot.show_titles("real value" if grid.is_real else "value", "count")
        self.show_statistics(statistics)

    def show_statistics(self, statistics: Statistics | None) -> None:
        """Shows a histogram, or that it is still being made."""
        histogram = statistics.histogram if statistics is not None else None
        self._statistics, self._histogram = statistics, histogram
        if histogram is None or statistics is None:
            self._bars.setData(np.zeros(2), np.zeros(1))
            nothing = "counting…" if statistics is None else "there is no finite value"
            self.set_caption(nothing)
        else:
            edges, top = drawable(histogram.edges), float(histogram.counts.max())
            self._bars.setData(edges, histogram.counts)
            self.plot.setXRange(*drawable_range(edges[0], edges[-1]), padding=0.03)
            self.plot.setYRange(0, top * 1.28, padding=0)
            count = statistics.count - statistics.nan - statistics.infinite
            self.set_caption(f"{count:,} counted, each bin {histogram.width:.4g} wide")
        self._restyle()

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Waits for the statistics of the new bytes."""
        self.grid = grid

    def describe(self, place: QPointF) -> str:
        """The bin at a place and its count."""
        histogram = self._histogram
        if histogram is None:
            return ""
        position = (place.x() - histogram.start) / histogram.width
        if not 0 <= position < len(histogram.counts):
            return ""
        number = int(position)
        left = histogram.start + number * histogram.width
        is_whole = histogram.width == 1 and self.grid is not None and not self.grid.is_real
        value = (
            f"{left + 0.5:g}" if is_whole else f"{left:.4g} to {left + histogram.width:.4g}"
        )
        return f"{value}: {histogram.counts[number]:,}"

    def _restyle(self) -> None:
        self._bars.setBrush(self.plot.colour(Paint.Accent))
        self._bars.setPen(None)
        for mark in self._marks:
            self.plot.removeItem(mark)
        self._marks.clear()
        found = self._statistics
        if found is None or found.low is None or found.high is None:
            return
        if found.low < 0 < found.high:
            # On the side where the mark of the mean is not.
            self._mark(0.0, "0", Qt.PenStyle.SolidLine, 0.80, side=int(found.mean > 0))
        self._mark(found.mean, f"mean {found.mean:.4g}", Qt.PenStyle.DashLine, 0.88, side=0)
        if found.high > found.low:
            self._mark(found.low, f"min {found.low:.6g}", Qt.PenStyle.DotLine, 0.96, side=0)
            self._mark(found.high, f"max {found.high:.6g}", Qt.PenStyle.DotLine, 0.96, side=1)

    def _mark(
        self, value: float, text: str, style: Qt.PenStyle, height: float, side: int
    ) -> None:
        if not math.isfinite(value):
            return  # the mean of the largest floats
        pen = pg.mkPen(self.plot.colour(Paint.Text, 0.7), width=1, style=style)
        anchor = (side, 0.5)
        options = {
            "position": height,
            "color": self.plot.colour(Paint.Text),
            "fill": self.plot.colour(Paint.Base, 0.8),
            "anchors": [anchor, anchor],
        }
        place = drawable_range(value, value)[0]
        mark = pg.InfiniteLine(place, angle=90, pen=pen, label=text, labelOpts=options)
        mark.label.setFont(self.font())
        mark.setZValue(-1)
        self.plot.addItem(mark, ignoreBounds=True)
        self._marks.append(mark)
