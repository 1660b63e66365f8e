# SPDX-License-Identifier: Apache-2.0
"""Colours of cells that diverge about zero, quiet enough to read digits on."""

from __future__ import annotations

import math
from typing import NamedTuple

from PySide6.QtGui import QColor, QPalette

from tflm_studio.analysis.statistics import Statistics
from tflm_studio.ui.models.value_grid import ValueGrid

STEPS = 63  # colours on each side
STRENGTH = 0.55  # of the strongest colour
LOW = ((59, 116, 214), (86, 144, 235))  # on light and on dark
HIGH = ((214, 84, 60), (235, 110, 84))


class ColourScale(NamedTuple):
    """Which values have the palest and the strongest colours.

    Attributes:
        center: What has no colour.
        reach: How far from it the strongest colour stands.
    """

    center: float
    reach: float

    def step(self, value: float) -> int:
        """The number of the colour of a value, -STEPS to STEPS; 0 for no number."""
        share = (value - self.center) / self.reach if self.reach else 0.0
        if math.isnan(share):
            return 0
        return round(min(max(share, -1.0), 1.0) * STEPS)


def colour_scale(grid: ValueGrid, statistics: Statistics | None) -> ColourScale | None:
    """The scale of the values of a grid, None if nothing is known of them."""
    if statistics is None or statistics.low is None or statistics.high is None:
        return None
    q, center = grid.contents.quantization, 0.0
    if q is not None and not grid.is_real and (q.zero_point == q.zero_point[0]).all():
        center = float(q.zero_point[0])
    ends = float(statistics.low) - center, float(statistics.high) - center
    return ColourScale(center, max(abs(ends[0]), abs(ends[1])))


def cell_colours(palette: QPalette) -> dict[int, QColor]:
    """A colour for each step but 0, mixed with the background."""
    base = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Base)
    is_dark = base.lightness() < 128
    return {
        step * sign: _mixed(base, (HIGH if sign > 0 else LOW)[is_dark], step / STEPS)
        for step in range(1, STEPS + 1)
        for sign in (-1, 1)
    }


def _mixed(base: QColor, full: tuple[int, int, int], share: float) -> QColor:
    weight = STRENGTH * share
    old = (base.red(), base.green(), base.blue())
    mixed = [round(a + (b - a) * weight) for a, b in zip(old, full, strict=True)]
    return QColor(*mixed)
