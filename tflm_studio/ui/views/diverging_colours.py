# SPDX-License-Identifier: Apache-2.0
"""Colours that diverge about zero, and which numbers of them values have."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPalette

from tflm_studio.analysis.statistics import Statistics
from tflm_studio.ui.models.value_table import ValueGrid

ZERO, HIGHEST = 126, 252  # numbers of colours; the lowest value has 0
NOT_FINITE, NOTHING = 254, 255  # NaN and infinities, and where there is no value at all
NARROWEST, FARTHEST = 1e-150, 1e150  # of what is drawn, see `plot`
MOST_VALUES = 0.99

Colours = NDArray[np.uint8]

# Red, green, blue of the lowest, a low, a high and the highest value; zero is the background.
_LIGHT = ((16, 70, 170), (126, 163, 224), (229, 137, 110), (166, 26, 32))
_DARK = ((126, 184, 255), (46, 96, 168), (168, 70, 52), (255, 152, 128))
_NOT_FINITE = (128, 128, 128)


class ColourRange(NamedTuple):
    """Which values have the strongest colours.

    Attributes:
        center: What is shown as zero.
        below: Distance of the strongest colour below it; 0 if nothing is below.
        above: Distance of the strongest colour above it; 0 if nothing is above.
    """

    center: float
    below: float
    above: float


def diverging_colours(palette: QPalette) -> Colours:
    """Colours from the lowest value (0) over `ZERO` to the highest (`HIGHEST`), RGBA.

    Returns:
        uint8 (256, 4); grey for what is not finite, transparent for nothing.
    """
    base = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Base)
    low, dim_low, dim_high, high = _DARK if base.lightness() < 128 else _LIGHT
    stops = np.array([low, dim_low, (base.red(), base.green(), base.blue()), dim_high, high])
    places = np.linspace(0.0, HIGHEST, len(stops))
    colours = np.zeros((256, 4), np.uint8)
    for channel in range(3):
        colours[:NOTHING, channel] = np.interp(np.arange(NOTHING), places, stops[:, channel])
    colours[NOT_FINITE, :3] = _NOT_FINITE
    colours[:NOTHING, 3] = 255
    return colours


def center_of(grid: ValueGrid) -> float:
    """What the values of a grid are compared with: 0, or the zero point of stored values."""
    q = grid.contents.quantization
    if grid.is_real or q is None or (q.zero_point != q.zero_point[0]).any():
        return 0.0
    return float(q.zero_point[0])


def range_of_values(values: NDArray[np.float64], center: float, kind: str) -> ColourRange:
    """The range of values that are at hand; see `colour_range`."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return ColourRange(center, 1.0, 1.0)
    if kind == "most":
        apart = np.abs(np.clip(finite, -FARTHEST, FARTHEST) - center)
        return _symmetric(center, float(np.quantile(apart, MOST_VALUES)) or float(apart.max()))
    return _range(float(finite.min()), float(finite.max()), center, kind)


def colour_range(statistics: Statistics, center: float, kind: str) -> ColourRange:
    """The range for all values of a buffer.

    Args:
        statistics: What the values are like.
        center: What is shown as zero.
        kind: "symmetric" for equal distances on both sides, "full" for the least and the
            greatest value, "most" for equal distances that 99 % of the values keep to.
    """
    histogram = statistics.histogram
    if statistics.low is None or statistics.high is None or histogram is None:
        return ColourRange(center, 1.0, 1.0)
    low, high = float(statistics.low), float(statistics.high)
    if kind != "most":
        return _range(low, high, center, kind)
    edges = np.clip(histogram.edges, max(low, -FARTHEST), min(high, FARTHEST))
    apart = np.maximum(np.abs(edges[:-1] - center), np.abs(edges[1:] - center))
    order = np.argsort(apart)
    kept = np.cumsum(histogram.counts[order]) >= MOST_VALUES * histogram.counts.sum()
    return _symmetric(center, float(apart[order][kept.argmax()]))


def _range(low: float, high: float, center: float, kind: str) -> ColourRange:
    below, above = (min(end, FARTHEST) for end in (center - low, high - center))
    if kind != "full":
        return _symmetric(center, max(below, above))
    if below <= 0 and above <= 0:
        return ColourRange(center, 1.0, 1.0)
    return ColourRange(center, _sound(below), _sound(above))


def _symmetric(center: float, reach: float) -> ColourRange:
    sound = _sound(reach) or 1.0
    return ColourRange(center, sound, sound)


def _sound(reach: float) -> float:
    return max(reach, NARROWEST) if reach > 0 and math.isfinite(reach) else 0.0


def colour_numbers(values: NDArray[np.float64], colours: ColourRange) -> NDArray[np.uint8]:
    """Numbers of colours for values: 0 to `HIGHEST`, or `NOT_FINITE`."""
    center, below, above = colours.center, colours.below or math.inf, colours.above or math.inf
    with np.errstate(all="ignore"):  # not finite, or the largest floats
        apart = values - center
        apart *= (
            ZERO / below if below == above else np.where(apart < 0, ZERO / below, ZERO / above)
        )
        np.clip(apart, -ZERO, ZERO, out=apart)
        apart += ZERO + 0.5
        numbers: NDArray[np.uint8] = apart.astype(np.uint8)
    finite = np.isfinite(values)
    if not finite.all():
        numbers[~finite] = NOT_FINITE
    return numbers
