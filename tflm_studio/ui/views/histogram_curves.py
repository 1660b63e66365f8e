# SPDX-License-Identifier: Apache-2.0
"""Counts drawn as bars, as ridges one behind another, or as lines over each other.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor, QPalette

from tflm_studio.analysis.channel_histograms import ChannelCounts
from tflm_studio.analysis.histograms import Counts, Histogram
from tflm_studio.model.quantization import Reals
from tflm_studio.ui.views.colours import channel_colour, is_dark
from tflm_studio.ui.views.plot import IndexAxis, Plot, drawable

RIDGE_HEIGHT = 2.4  # of the distance of two ridges
HALF = math.log10(0.5)  # where bars of a logarithmic scale stand; a count of 1 is at 0


class CountAxis(IndexAxis):
    """Counts, on a linear or a logarithmic scale, or names of ridges."""

    is_log = False

    def tickSpacing(self, low: float, high: float, size: float) -> list[tuple[float, float]]:
        if self.is_log:
            return [(float(max(1, round((high - low) * 24 / max(size, 24)))), 0.0)]
        return super().tickSpacing(low, high, size)

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        shown = (10.0**value if self.is_log else value for value in values)
        return [f"{round(value):,}" if value >= 1 else "" for value in shown]

    def tickValues(self, low: float, high: float, size: float) -> Any:
        found = super().tickValues(low, high, size)
        least = 0.0 if self.is_log else -math.inf
        return [(step, [v for v in values if v >= least]) for step, values in found]


def floor_of(is_log: bool) -> float:
    """Where the count of nothing stands."""
    return HALF if is_log else 0.0


def count_heights(counts: Counts, is_log: bool) -> Reals:
    """How high counts stand."""
    if is_log:
        heights: Reals = np.log10(np.maximum(counts, 0.5))
        return heights
    return counts.astype(np.float64)


def heights_range(counts: Counts, is_log: bool) -> tuple[float, float]:
    """From the floor to the highest count."""
    floor = floor_of(is_log)
    return floor, max(float(count_heights(counts, is_log).max()), floor + 1.0)


def ridges_range(count: int) -> tuple[float, float]:
    """From below the last ridge to the top of the first."""
    return -0.05 * count, count - 1 + min(RIDGE_HEIGHT, count)


def ridge_at(height: float, count: int) -> int:
    """Number of the ridge that starts at a height or next below it."""
    return min(max(count - 1 - math.floor(height), 0), count - 1)


class HistogramCurves:
    """What is drawn of counts.

    Args:
        plot: Where it is drawn.
        axis: The axis of the counts.

    Attributes:
        curves: The items of the plot.
        axis: The axis of the counts.
    """

    def __init__(self, plot: Plot, axis: CountAxis) -> None:
        self._plot = plot
        self.axis = axis
        self.curves: list[Any] = []

    def clear(self, *, counts_log: bool) -> None:
        """Takes all away; the axis counts on a linear or a logarithmic scale from now on."""
        for curve in self.curves:
            self._plot.removeItem(curve)
        self.curves.clear()
        self.axis.is_log = counts_log
        self.axis.setTicks(None)

    def draw_bars(self, histogram: Histogram, is_log: bool) -> None:
        """A bar for each bin."""
        self._add_curve(
            x=drawable(histogram.edges),
            y=count_heights(histogram.counts, is_log),
            stepMode="center",
            fillLevel=floor_of(is_log),
            brush=self._plot.colour(QPalette.ColorRole.Accent),
            pen=None,
        )

    def draw_ridges(self, channels: ChannelCounts, chosen: int | None, is_log: bool) -> None:
        """A ridge for each channel, each to its own height, the first at the top."""
        last = len(channels.indices) - 1
        accent = self._plot.colour(QPalette.ColorRole.Accent)
        base = self._plot.colour(QPalette.ColorRole.Base)
        for number, (index, counts) in enumerate(
            zip(channels.indices, channels.counts, strict=True)
        ):
            offset = float(last - number)
            heights = count_heights(counts, is_log) - floor_of(is_log)
            top = float(heights.max()) or 1.0
            share = 0.85 if index == chosen else 0.28
            self._add_line(
                channels.bins,
                heights / top * min(RIDGE_HEIGHT, last + 1) + offset,
                offset,
                _mixed(accent, base, share),
                pg.mkPen(accent, width=2 if index == chosen else 1),
            )
        self._name_ridges(channels.indices)

    def _name_ridges(self, indices: list[int]) -> None:
        last = len(indices) - 1
        every = max(1, -(-(last + 1) * 16 // max(self._plot.height() - 60, 16)))
        names = [
            (float(last - number), f"{index}")
            for number, index in enumerate(indices)
            if number % every == 0
        ]
        self.axis.setTicks([names])

    def draw_overlay(self, channels: ChannelCounts, chosen: int | None, is_log: bool) -> None:
        """A line for each channel, over each other, the chosen one before all."""
        count, dark = len(channels.indices), is_dark(self._plot.palette())
        for number in sorted(range(count), key=lambda n: channels.indices[n] == chosen):
            is_chosen = channels.indices[number] == chosen
            color = channel_colour(number, count, dark)
            fill = QColor(color)
            fill.setAlphaF(0.25)
            self._add_line(
                channels.bins,
                count_heights(channels.counts[number], is_log),
                floor_of(is_log),
                fill if is_chosen else None,
                pg.mkPen(color, width=2 if is_chosen else 1),
            )

    def _add_line(
        self, bins: Histogram, heights: Reals, floor: float, brush: Any, pen: Any
    ) -> None:
        """A line through the middles of the bins, from the floor and back to it."""
        edges = drawable(bins.edges)
        middles = edges[:-1] / 2 + edges[1:] / 2
        self._add_curve(
            x=np.concatenate([edges[:1], middles, edges[-1:]]),
            y=np.concatenate([[floor], heights, [floor]]),
            fillLevel=floor if brush is not None else None,
            brush=brush,
            pen=pen,
            antialias=True,
        )

    def _add_curve(self, **options: Any) -> None:
        curve = pg.PlotCurveItem(**options)
        self.curves.append(curve)
        self._plot.addItem(curve)


def _mixed(one: QColor, other: QColor, share: float) -> QColor:
    pairs = ((one.redF(), other.redF()), (one.greenF(), other.greenF()))
    red, green = (a * share + b * (1 - share) for a, b in pairs)
    return QColor.fromRgbF(red, green, one.blueF() * share + other.blueF() * (1 - share))
