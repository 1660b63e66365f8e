# SPDX-License-Identifier: Apache-2.0
"""Two histograms over each other: values now and after a change.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QPalette

from tflm_studio.editing.weight_preview import BeforeAfter
from tflm_studio.ui.views.plot import Plot, drawable, drawable_range

Paint = QPalette.ColorRole
HEADROOM = 1.18


class BeforeAfterPlot(Plot):
    """Counts before as a quiet area, counts afterwards as a line in the accent colour."""

    def __init__(self) -> None:
        super().__init__(zooms=(True, False))
        self.setObjectName("before_after")
        nothing = ([0, 1], [0])
        self._before = pg.PlotCurveItem(*nothing, stepMode="center", fillLevel=0)
        self._after = pg.PlotCurveItem(*nothing, stepMode="center", fillLevel=0)
        self.addItem(self._before)
        self.addItem(self._after)
        self.show_titles("value", "count")
        self.restyled.connect(self._restyle)
        self._restyle()

    def show_counts(self, found: BeforeAfter | None, *, is_done: bool = True) -> None:
        """Shows histograms, or nothing.

        Args:
            found: The counts.
            is_done: Whether there is anything afterwards.
        """
        if found is None:
            for curve in (self._before, self._after):
                curve.setData(np.zeros(2), np.zeros(1))
            return
        edges = drawable(found.edges)
        self._before.setData(edges, found.before)
        self._after.setData(edges, found.after)
        self._after.setVisible(is_done)
        self.setXRange(*drawable_range(edges[0], edges[-1]), padding=0.03)
        top = float(max(found.before.max(), found.after.max(), 1))
        self.setYRange(0, top * HEADROOM, padding=0)

    def _restyle(self) -> None:
        self._before.setPen(pg.mkPen(self.colour(Paint.PlaceholderText, 0.7)))
        self._before.setBrush(self.colour(Paint.PlaceholderText, 0.35))
        self._after.setPen(pg.mkPen(self.colour(Paint.Accent), width=1.5))
        self._after.setBrush(self.colour(Paint.Accent, 0.25))
