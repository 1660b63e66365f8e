# SPDX-License-Identifier: Apache-2.0
"""Which colour stands for which value.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QRectF

from tflm_studio.ui.views.diverging_colours import ZERO, ColourRange, diverging_colours
from tflm_studio.ui.views.plot import Plot

WIDTH = 84


class ColourBar(Plot):
    """A narrow plot of all colours, with the values of its ends at the right."""

    def __init__(self) -> None:
        super().__init__(zooms=(False, False))
        self.setFixedWidth(WIDTH)
        self.showAxis("left", False)
        self.showAxis("right")
        # Colours below and above zero reach as far as they have to.
        self._halves = [pg.ImageItem(axisOrder="row-major") for _ in range(2)]
        sides = (np.arange(ZERO + 1), np.arange(ZERO, 2 * ZERO + 1))
        for half, side in zip(self._halves, sides, strict=True):
            half.setImage(side.astype(np.uint8)[:, None], levels=(0, 255), autoLevels=False)
            self.addItem(half)
        bottom = self.getAxis("bottom")
        bottom.setStyle(showValues=False)
        bottom.setTicks([])
        self.show_titles(" ", "")
        self.restyled.connect(self._restyle)
        self._restyle()

    def show_range(self, colours: ColourRange) -> None:
        """Labels the bar with the values of its ends."""
        center, below, above = colours
        self._halves[0].setRect(QRectF(0, center - below, 1, below))
        self._halves[1].setRect(QRectF(0, center, 1, above))
        self._halves[0].setVisible(below > 0)
        self._halves[1].setVisible(above > 0)
        self.setRange(QRectF(0, center - below, 1, below + above), padding=0.0)

    def _restyle(self) -> None:
        for half in self._halves:
            half.setLookupTable(diverging_colours(self.palette()))
