# SPDX-License-Identifier: Apache-2.0
"""How often each value occurs in a buffer, in all of it or in each channel.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QPalette

from tflm_studio.analysis.channel_histograms import ChannelCounts, count_channels
from tflm_studio.analysis.histograms import Counts, Histogram
from tflm_studio.analysis.statistics import Statistics, saturation_ends
from tflm_studio.analysis.value_blocks import channel_axis, spread
from tflm_studio.editing.document import Document
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.histogram_curves import (
    CountAxis,
    HistogramCurves,
    count_heights,
    heights_range,
    ridge_at,
    ridges_range,
)
from tflm_studio.ui.views.plot import Plot, drawable, drawable_range
from tflm_studio.ui.views.plot_controls import Choice
from tflm_studio.ui.views.plot_export import Drawn
from tflm_studio.ui.views.plot_page import PlotPage
from tflm_studio.ui.views.value_marks import Line, Mark, ValueMarks

Paint = QPalette.ColorRole

BACKGROUND_ELEMENTS = 1 << 18  # more are counted in a thread
MOST_RIDGES, MOST_OVERLAID = 64, 12
RIDGE_PIXELS = 9  # from one to the next, at least

COUNTS = Choice(
    "histogram.counts", "Scale of the counts", (("linear", "linear"), ("log", "logarithmic"))
)
PARTS = Choice(
    "histogram.parts",
    "What is counted together",
    (("all", "all values"), ("ridges", "ridges by channel"), ("overlay", "channels overlaid")),
)


class HistogramPage(PlotPage):
    """Bars of counts, with marks at the ends, the mean, zero and where values saturate."""

    def __init__(self, document: Document) -> None:
        axis = CountAxis(orientation="left")
        super().__init__(Plot(axes={"left": axis}), (COUNTS, PARTS))
        self._curves = HistogramCurves(self.plot, axis)
        self._histogram: Histogram | None = None
        self._statistics: Statistics | None = None
        self._channels: ChannelCounts | None = None
        self._marks = ValueMarks(self.plot)
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_channels_counted)
        self.plot.restyled.connect(self._draw)
        self.plot.getViewBox().sigResized.connect(self._fit_height)

    # ------------------------------------------------------------------ contents

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows the histogram of all values behind a grid."""
        self.grid, self._is_moved = grid, False
        self.controls.show_only(self._sensible_choices(grid))
        self.show_statistics(statistics)

    def _sensible_choices(self, grid: ValueGrid) -> set[str]:
        has_channels = channel_axis(grid.contents) is not None
        return {COUNTS.key, PARTS.key} if has_channels else {COUNTS.key}

    def show_statistics(self, statistics: Statistics | None) -> None:
        """Shows a histogram, or that it is still being made."""
        self._task.cancel()
        if statistics is None or statistics is not self._statistics:
            self._channels = None
        self._statistics = statistics
        self._histogram = statistics.histogram if statistics is not None else None
        if self._parts != "all" and self._histogram is not None:
            self._count_channels(self._histogram)
        else:
            self._show()

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Waits for the statistics of the new bytes."""
        self.grid = grid

    def show_channel(self, channel: int | None) -> None:
        """Points a channel out."""
        is_other = channel != self.channel
        super().show_channel(channel)
        if is_other and self._parts != "all":
            self.show_statistics(self._statistics)

    def show_choice(self, key: str) -> None:
        """Shows the same counts in another way."""
        self._is_moved = False
        if key == PARTS.key:
            self._channels = None
        self.show_statistics(self._statistics)

    @property
    def _parts(self) -> str:
        has_channels = self.grid is not None and channel_axis(self.grid.contents) is not None
        return self.controls.value(PARTS.key) if has_channels else "all"

    @property
    def _is_log(self) -> bool:
        return self.controls.value(COUNTS.key) == "log"

    def _count_channels(self, whole: Histogram) -> None:
        grid = self.grid
        assert grid is not None
        axis = channel_axis(grid.contents)
        assert axis is not None
        count = grid.contents.shape[axis]
        ridges = min(max(self.plot.height() // RIDGE_PIXELS, 8), MOST_RIDGES)
        most = ridges if self._parts == "ridges" else MOST_OVERLAID
        wanted = spread(count, most, self.channel)
        known = self._channels
        if known is not None and known.indices == wanted:
            self._show()
            return
        work = partial(
            count_channels,
            grid.contents,
            axis,
            wanted,
            whole.coarser(grid.contents.count // count),
            real=grid.is_real,
        )
        if grid.contents.count > BACKGROUND_ELEMENTS:
            self._show()
            self._task.start(lambda cancelled: work(cancelled=cancelled))
        else:
            self._on_channels_counted(work(cancelled=lambda: False))

    def _on_channels_counted(self, channels: ChannelCounts) -> None:
        self._channels = channels
        self._show()

    def _show(self) -> None:
        self._say()
        self._draw()
        if not self._is_moved:
            self.reset_view()

    def _say(self) -> None:
        grid, found, histogram = self.grid, self._statistics, self._histogram
        if grid is None or found is None:
            self.set_caption("counting…")
        elif histogram is None:
            self.set_caption("there is no finite value")
        elif self._parts == "all":
            count = found.count - found.nan - found.infinite
            self.set_caption(f"{count:,} counted, each bin {histogram.width:.4g} wide")
        elif self._channels is None:
            self.set_caption("counting…")
        else:
            self.set_caption(self._channels_text(grid, self._channels))

    def _channels_text(self, grid: ValueGrid, channels: ChannelCounts) -> str:
        axis = channel_axis(grid.contents)
        assert axis is not None
        count, name = grid.contents.shape[axis], grid.contents.axis_names[axis]
        shown = len(channels.indices)
        which = f"{shown} of {count:,}" if shown < count else f"{count:,}"
        text = f"{which} by {name}, each bin {channels.bins.width:.4g} wide"
        return f"{text}, each to its own height" if self._parts == "ridges" else text

    # ------------------------------------------------------------------ drawing

    def _draw(self) -> None:
        channels, is_log = self._channels, self._is_log
        self._curves.clear(counts_log=is_log and self._parts != "ridges")
        if self._parts == "all":
            if self._histogram is not None:
                self._curves.draw_bars(self._histogram, is_log)
        elif channels is not None and self._parts == "ridges":
            self._curves.draw_ridges(channels, self.channel, is_log)
        elif channels is not None:
            self._curves.draw_overlay(channels, self.channel, is_log)
        self._marks.show_marks(self._found_marks())
        self._name_axes()

    def _name_axes(self) -> None:
        grid = self.grid
        bottom = "real value" if grid is not None and grid.is_real else "value"
        left = "count"
        if grid is not None and self._parts == "ridges":
            left = grid.contents.axis_names[channel_axis(grid.contents) or 0]
        if self.plot.titles != {"bottom": bottom, "left": left}:
            self.plot.show_titles(bottom, left)

    def _found_marks(self) -> Iterator[Mark]:
        grid, found = self.grid, self._statistics
        if grid is None or found is None or found.low is None or found.high is None:
            return
        low, high = float(found.low), float(found.high)
        marks = [
            Mark(low, f"min {_number(found.low)}", Line.DotLine),
            Mark(found.mean, f"mean {found.mean:.4g}", Line.DashLine),
        ]
        if high > low:
            marks.append(Mark(high, f"max {_number(found.high)}", Line.DotLine))
        marks += self._saturation_marks()
        marks += [Mark(0.0, "0")] * (low < 0 < high)
        for mark in marks:
            if math.isfinite(mark.value):  # the mean of the largest floats is not
                yield mark._replace(value=drawable_range(mark.value, mark.value)[0])

    def _saturation_marks(self) -> list[Mark]:
        """Where stored values saturate; reals do so elsewhere in each channel."""
        grid = self.grid
        if grid is None or grid.is_real or grid.contents.quantization is None:
            return []
        ends = saturation_ends(grid.contents.kind, grid.contents.quantization)
        return [Mark(float(end), "saturated", Line.DashDotLine) for end in ends or ()]

    # ------------------------------------------------------------------ view

    def reset_view(self) -> None:
        """Shows all bins, and where values saturate if that is near."""
        histogram = self._histogram
        if histogram is None:
            return
        bins = histogram if self._shown_channels is None else self._shown_channels.bins
        edges = drawable(bins.edges)
        low, high = float(edges[0]), float(edges[-1])
        near = [mark.value for mark in self._saturation_marks()]
        if near and max(near) - min(near) <= 3 * (high - low):
            low, high = min(low, *near), max(high, *near)
        self.plot.setXRange(*drawable_range(low, high), padding=0.02)
        self._fit_height()

    def _fit_height(self) -> None:
        """Leaves the top to the labels."""
        if self._histogram is None or (self._parts != "all" and self._channels is None):
            return
        floor, top = self._height_range()
        height = self.plot.getViewBox().rect().height()
        free = max(height - self._marks.height, height / 3, 1.0)
        self.plot.setYRange(floor, floor + (top - floor) * height / free, padding=0)

    @property
    def _shown_channels(self) -> ChannelCounts | None:
        return self._channels if self._parts != "all" else None

    def _height_range(self) -> tuple[float, float]:
        channels = self._shown_channels
        if self._parts == "ridges" and channels is not None:
            return ridges_range(len(channels.indices))
        counts = channels.counts if channels is not None else self._histogram_counts
        return heights_range(counts, self._is_log)

    @property
    def _histogram_counts(self) -> Counts:
        assert self._histogram is not None
        return self._histogram.counts

    # ------------------------------------------------------------------ readout

    def describe(self, place: QPointF) -> str:
        """The bin at a place and its count."""
        if self._parts == "all":
            histogram = self._histogram
            number = histogram.bin_at(place.x()) if histogram is not None else None
            if histogram is None or number is None:
                return ""
            return f"{self._bin_text(histogram, number)}: {histogram.counts[number]:,}"
        channels, grid = self._channels, self.grid
        if channels is None or grid is None:
            return ""
        number = channels.bins.bin_at(place.x())
        if number is None:
            return ""
        line = self._channel_at(channels, number, place.y())
        name = grid.contents.axis_names[channel_axis(grid.contents) or 0]
        count = int(channels.counts[line, number])
        text = self._bin_text(channels.bins, number)
        return f"{name} {channels.indices[line]}, {text}: {count:,}"

    def _channel_at(self, channels: ChannelCounts, number: int, height: float) -> int:
        if self._parts == "ridges":
            return ridge_at(height, len(channels.indices))
        apart = np.abs(count_heights(channels.counts[:, number], self._is_log) - height)
        return int(apart.argmin())

    def _bin_text(self, bins: Histogram, number: int) -> str:
        left = bins.start + number * bins.width
        is_stored = self.grid is not None and not self.grid.is_real
        if bins.width == 1 and is_stored and bins.start % 1 == 0.5:
            return f"{left + 0.5:g}"
        return f"{left:.4g} to {left + bins.width:.4g}"

    def drawn(self) -> Drawn:
        """The bins and their counts."""
        channels = self._shown_channels
        bins = channels.bins if channels is not None else self._histogram
        if bins is None:
            return Drawn(("from", "to", "count"), ())
        counts = channels.counts if channels is not None else bins.counts[None]
        names = (
            [f"channel {index}" for index in channels.indices]
            if channels is not None
            else ["count"]
        )
        edges = bins.edges.tolist()
        rows = zip(edges[:-1], edges[1:], *counts.tolist(), strict=True)
        return Drawn(("from", "to", *names), rows)


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"
