# SPDX-License-Identifier: Apache-2.0
"""Lines in a plot, one for each channel or one for all values.

What they are given is few points: pyqtgraph's own peak downsampling raises when it is switched
on before data is there.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor, QPalette

from tflm_studio.analysis.envelopes import Envelope
from tflm_studio.ui.views.colours import channel_colour, is_dark
from tflm_studio.ui.views.plot import Plot, drawable

DOTTED_POINTS = 200
SMOOTH_POINTS = 1000  # of more, a line takes long to draw smoothly


class LineCurves:
    """The lines of a plot, and the one at zero that they are compared with.

    Args:
        plot: Where they are drawn.

    Attributes:
        curves: The items of the plot, one for each line.
    """

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        self.curves: list[Any] = []
        self._zero = pg.InfiniteLine(0, angle=0)
        plot.addItem(self._zero, ignoreBounds=True)

    def paint(self, channels: Sequence[int | None], chosen: int | None) -> None:
        """Has a curve for each channel, in its colour; the chosen one stands out.

        Args:
            channels: Whose lines they are, None for that of all values.
            chosen: The channel that is pointed out, None for none.
        """
        self._zero.setPen(pg.mkPen(self._plot.colour(QPalette.ColorRole.PlaceholderText, 0.6)))
        self._count(len(channels))
        are_several, dark = len(channels) > 1, is_dark(self._plot.palette())
        for number, (curve, channel) in enumerate(zip(self.curves, channels, strict=True)):
            color = self._plot.colour(QPalette.ColorRole.Accent)
            if are_several:
                color = channel_colour(number, len(channels), dark)
            is_chosen = channel is not None and channel == chosen
            is_faint = are_several and chosen is not None and not is_chosen
            color = _faded(color, 0.45 if is_faint else 1.0)
            curve.setPen(pg.mkPen(color, width=2 if is_chosen and are_several else 1))
            curve.setSymbolBrush(color)
            curve.setZValue(1 if is_chosen else 0)

    def _count(self, wanted: int) -> None:
        while len(self.curves) > wanted:
            self._plot.removeItem(self.curves.pop())
        while len(self.curves) < wanted:
            curve = pg.PlotDataItem(connect="finite", symbolSize=5, symbolPen=None)
            self.curves.append(curve)
            self._plot.addItem(curve)

    def show(self, lines: Sequence[Envelope]) -> None:
        """Draws the points of as many lines as were painted."""
        for curve, line in zip(self.curves, lines, strict=True):
            heights = drawable(line.y)
            # pyqtgraph looks for the ends of what is drawn, and there have to be some.
            is_empty = np.isnan(heights).all()
            curve.setData([] if is_empty else line.x, [] if is_empty else heights)
            curve.opts["antialias"] = len(line.x) <= SMOOTH_POINTS
            is_sparse = len(line.x) * len(lines) <= DOTTED_POINTS
            curve.setSymbol("o" if is_sparse else None)


def _faded(color: QColor, alpha: float) -> QColor:
    faded = QColor(color)
    faded.setAlphaF(alpha)
    return faded
