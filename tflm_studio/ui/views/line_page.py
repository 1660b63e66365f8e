# SPDX-License-Identifier: Apache-2.0
"""The values of a buffer, or of its channels, as lines: in order, sorted or summed up.

Drawing every point of a large buffer takes seconds, so a line is the lowest and the highest
value of each pixel column: exact extremes, no more points than pixels. pyqtgraph's own peak
downsampling raises when it is switched on before data is there.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QTimer
from PySide6.QtGui import QColor, QPalette

from tflm_studio.analysis.envelopes import (
    MOST_POINTS,
    Envelope,
    Overview,
    Reader,
    envelope,
    overview,
    wide,
)
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.analysis.value_blocks import channel_axis, channel_reader, spread
from tflm_studio.analysis.value_curves import Curve, energy_curve, sorted_curve, sum_curve
from tflm_studio.editing.document import Document
from tflm_studio.model.place_names import plural
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.colours import channel_colour, is_dark
from tflm_studio.ui.views.diverging_colours import center_of
from tflm_studio.ui.views.plot import Plot, drawable, drawable_range
from tflm_studio.ui.views.plot_controls import Choice, IndexBox
from tflm_studio.ui.views.plot_export import Drawn
from tflm_studio.ui.views.plot_page import PlotPage

READ_EACH_TIME = 1 << 18  # elements; more are read once, in a thread
DOTTED_POINTS = 200
LEAST_SHOWN = 4  # elements; nobody zooms in on fewer
LEAST_POINTS = 512
SMOOTH_POINTS = 1000  # of more, a line takes long to draw smoothly
MOST_OVERLAID = 12
REDRAW_DELAY_MS = 30

ORDER = Choice(
    "line.order",
    "What the line shows",
    (
        ("stored", "in order"),
        ("sorted", "sorted"),
        ("sum", "cumulative sum"),
        ("energy", "cumulative energy"),
    ),
)
PARTS = Choice(
    "line.parts",
    "Which values have a line",
    (("all", "all values"), ("one", "one channel"), ("overlay", "channels overlaid")),
)
_TITLES = {
    "stored": ("element", "value"),
    "sorted": ("rank", "value"),
    "sum": ("element", "sum so far"),
    "energy": ("strongest values", "% of energy"),
}


class Trace(NamedTuple):
    """A line to draw.

    Attributes:
        channel: Whose values, None for all.
        length: How many positions it has.
        read: Its values, if every position has one.
        curve: Its points, if they are fewer.
        overview: The extremes of its values, if they are many.
    """

    channel: int | None
    length: int
    read: Reader | None
    curve: Curve | None
    overview: Overview | None

    def seen(self, low: float, high: float, most: int) -> Envelope:
        """What there is to see from one position to another, in so many points."""
        if self.curve is not None:
            return _seen(self.curve, low, high, most)
        assert self.read is not None
        start = min(max(math.floor(low), 0), self.length)
        stop = max(min(math.ceil(high) + 1, self.length), start)
        if self.overview is not None and stop - start > READ_EACH_TIME:
            return self.overview.envelope(start, stop, most)
        return envelope(self.read, start, stop, most=most)


class LinePage(PlotPage):
    """Lines through values; the wheel zooms in, dragging moves along."""

    def __init__(self, document: Document) -> None:
        super().__init__(Plot(whole=("bottom",)), (PARTS, ORDER))
        self._zero = pg.InfiniteLine(0, angle=0)
        self.plot.addItem(self._zero, ignoreBounds=True)
        self._curves: list[Any] = []
        self._traces: list[Trace] = []
        self._lines: list[Envelope] = []
        self._wanted: object = None  # what the lines are or will be of
        self._statistics: Statistics | None = None
        self._index = IndexBox()
        self._index.setObjectName("line.channel")
        self._index.valueChanged.connect(self._on_index_changed)
        self.controls.add(self._index, ORDER.key)
        self._preparing = LatestTask(self)
        self._preparing.finished.connect(self._on_prepared)
        self._redraw = QTimer(self, singleShot=True, interval=REDRAW_DELAY_MS)
        self._redraw.setObjectName("redraw")
        self._redraw.timeout.connect(self._draw)
        self.plot.getViewBox().sigXRangeChanged.connect(self._redraw.start)
        self.plot.restyled.connect(self._restyle)
        self._restyle()

    # ------------------------------------------------------------------ contents

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows the values behind a grid."""
        self.grid, self._statistics = grid, statistics
        self._prepare(is_new=True)

    def show_statistics(self, statistics: Statistics | None) -> None:
        """Fits the height to the lowest and the highest value."""
        self._statistics = statistics
        if statistics is not None and not self._is_moved:
            self._fit_height()

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Shows the same values after some bytes have changed."""
        self.grid = grid
        self._prepare(is_new=False)

    def show_channel(self, channel: int | None) -> None:
        """Shows or points out a channel that was picked elsewhere."""
        is_other = channel != self.channel
        super().show_channel(channel)
        if is_other and self.grid is not None and self._parts != "all":
            self._prepare(is_new=False)

    def show_choice(self, key: str) -> None:
        """Shows the same values in another way."""
        self._prepare(is_new=True)

    @property
    def is_reading(self) -> bool:
        """Whether values are still being read in a thread."""
        return self._preparing.is_running

    @property
    def _parts(self) -> str:
        has_channels = self.grid is not None and channel_axis(self.grid.contents) is not None
        return self.controls.value(PARTS.key) if has_channels else "all"

    @property
    def _order(self) -> str:
        return self.controls.value(ORDER.key)

    def _on_index_changed(self, channel: int) -> None:
        self.show_channel(channel)
        self.channel_chosen.emit(channel)

    def _prepare(self, *, is_new: bool) -> None:
        """Finds the lines, in a thread if that takes reading many values."""
        grid = self.grid
        if grid is None:
            return
        channels = self._show_controls(grid)
        wanted = (grid.contents, grid.is_real, tuple(channels), self._order)
        if wanted == self._wanted:
            return
        self._wanted = wanted
        if is_new:
            self._is_moved = False
        work = partial(_traces, grid, channels, self._order)
        if grid.contents.count > READ_EACH_TIME:
            self.set_caption("reading…")
            self._preparing.start(lambda cancelled: work(cancelled))
        else:
            self._preparing.cancel()
            self._on_prepared(work(lambda: False))

    def _show_controls(self, grid: ValueGrid) -> Sequence[int | None]:
        """Shows the choices that make sense; returns the channels to draw."""
        axis, parts = channel_axis(grid.contents), self._parts
        self.controls.show_only({ORDER.key} if axis is None else {ORDER.key, PARTS.key})
        self._index.setVisible(axis is not None and parts == "one")
        if axis is None or parts == "all":
            return [None]
        size, name = grid.contents.shape[axis], grid.contents.axis_names[axis]
        channel = min(self.channel or 0, size - 1)
        self._index.show_axis(name, size, channel)
        return [channel] if parts == "one" else spread(size, MOST_OVERLAID, self.channel)

    def _on_prepared(self, traces: list[Trace]) -> None:
        self._traces = traces
        self._say()
        if not self._is_moved:
            self.reset_view()
        self._draw()

    def _say(self) -> None:
        grid = self.grid
        assert grid is not None
        bottom, left = _TITLES[self._order]
        self.plot.show_titles(
            bottom, "real value" if grid.is_real and left == "value" else left
        )
        text = plural(self._traces[0].length, "value")
        axis = channel_axis(grid.contents)
        if axis is not None and self._parts != "all":
            name, size = grid.contents.axis_names[axis], grid.contents.shape[axis]
            shown = len(self._traces)
            of_all = f"{shown} of {size:,}" if shown < size else f"{size:,}"
            which = (
                f"{name} {self._traces[0].channel}" if shown == 1 else f"{of_all} by {name}"
            )
            text = f"{which}, {text}{' each' if shown > 1 else ''}"
        curve = self._traces[0].curve
        if curve is not None and curve.step > 1:
            text += f", one of {curve.step:,} looked at"
        self.set_caption(text)

    # ------------------------------------------------------------------ view

    def reset_view(self) -> None:
        """Shows all positions, and all values."""
        count = max((trace.length for trace in self._traces), default=0)
        if not count:
            return
        room = count * 0.02
        self.plot.setLimits(
            xMin=-0.5 - room, xMax=count + room - 0.5, minXRange=min(count, LEAST_SHOWN)
        )
        self.plot.setXRange(-0.5, count - 0.5, padding=0.01)
        self._fit_height()

    def _fit_height(self) -> None:
        ends = self._heights()
        if ends is None:
            return
        half = 0.5 if ends[1] <= ends[0] else 0.0  # a level line runs through the middle
        low, high = drawable_range(ends[0] - half, ends[1] + half)
        room = (high - low) * 0.05
        self.plot.setYRange(low - room, high + room, padding=0)

    def _heights(self) -> tuple[float, float] | None:
        """The lowest and the highest value that lines of this kind have."""
        if self._order == "energy":
            return 0.0, 100.0
        found = self._statistics
        if self._order != "sum" and self._parts != "one" and found is not None:
            if found.low is not None and found.high is not None:
                return float(found.low), float(found.high)
            return None
        values = [trace.curve.y for trace in self._traces if trace.curve is not None]
        values += [line.y for line in self._lines] if not values else []
        shown = [each[np.isfinite(each)] for each in values]
        ends = [(float(each.min()), float(each.max())) for each in shown if each.size]
        if not ends:
            return None
        return min(low for low, _ in ends), max(high for _, high in ends)

    # ------------------------------------------------------------------ drawing

    def _draw(self) -> None:
        self._redraw.stop()
        if not self._traces:
            return
        low, high = self.plot.getViewBox().viewRange()[0]
        pixels = int(self.plot.width() * self.plot.devicePixelRatioF())
        most = min(max(2 * pixels, LEAST_POINTS), MOST_POINTS)
        self._show_lines([trace.seen(low, high, most) for trace in self._traces])

    def _show_lines(self, lines: list[Envelope]) -> None:
        is_first = not self._lines
        self._lines = lines
        while len(self._curves) > len(lines):
            self.plot.removeItem(self._curves.pop())
        while len(self._curves) < len(lines):
            curve = pg.PlotDataItem(connect="finite", symbolSize=5, symbolPen=None)
            self._curves.append(curve)
            self.plot.addItem(curve)
        self._paint_curves()
        for curve, line in zip(self._curves, lines, strict=True):
            heights = drawable(line.y)
            # pyqtgraph looks for the ends of what is drawn, and there have to be some.
            is_empty = np.isnan(heights).all()
            curve.setData([] if is_empty else line.x, [] if is_empty else heights)
            curve.opts["antialias"] = len(line.x) <= SMOOTH_POINTS
            is_sparse = len(line.x) * len(lines) <= DOTTED_POINTS
            curve.setSymbol("o" if is_sparse else None)
        if not self._is_moved and (is_first or self._parts == "one"):
            self._fit_height()

    def _paint_curves(self) -> None:
        dark = is_dark(self.plot.palette())
        for number, (curve, trace) in enumerate(zip(self._curves, self._traces, strict=False)):
            color = self.plot.colour(QPalette.ColorRole.Accent)
            if len(self._traces) > 1:
                color = channel_colour(number, len(self._traces), dark)
            is_chosen = trace.channel is not None and trace.channel == self.channel
            is_faint = len(self._traces) > 1 and self.channel is not None and not is_chosen
            color = _faded(color, 0.45 if is_faint else 1.0)
            curve.setPen(
                pg.mkPen(color, width=2 if is_chosen and len(self._traces) > 1 else 1)
            )
            curve.setSymbolBrush(color)
            curve.setZValue(1 if is_chosen else 0)

    def _restyle(self) -> None:
        self._paint_curves()
        self._zero.setPen(pg.mkPen(self.plot.colour(QPalette.ColorRole.PlaceholderText, 0.6)))

    # ------------------------------------------------------------------ readout

    def describe(self, place: QPointF) -> str:
        """The element nearest to a place."""
        grid = self.grid
        if grid is None or not self._traces:
            return ""
        at = round(place.x())
        near = min(
            range(len(self._traces)),
            key=lambda number: self._distance(number, at, place.y()),
        )
        trace = self._traces[near]
        if not 0 <= at < trace.length:
            return ""
        if self._order == "stored" and trace.channel is None:
            return f"element {at:,}  {grid.describe(at)}"
        height = self._height_at(near, at)
        if height is None:
            return ""
        name = ""
        if trace.channel is not None:
            axis = channel_axis(grid.contents)
            name = f"{grid.contents.axis_names[axis or 0]} {trace.channel}, "
        percent = " %" if self._order == "energy" else ""
        return f"{name}{_TITLES[self._order][0]} {at:,}: {height:.5g}{percent}"

    def _height_at(self, number: int, at: int) -> float | None:
        trace = self._traces[number]
        if trace.curve is not None:
            if not len(trace.curve.x):
                return None
            return float(np.interp(at, trace.curve.x, trace.curve.y))
        if trace.read is None or not 0 <= at < trace.length:
            return None
        return float(wide(trace.read(at, 1))[0])

    def _distance(self, number: int, at: int, height: float) -> float:
        found = self._height_at(number, at) if len(self._traces) > 1 else None
        return math.inf if found is None or math.isnan(found) else abs(found - height)

    def drawn(self) -> Drawn:
        """The points of the lines, those of one line below those of another."""
        names = [trace.channel for trace in self._traces]
        headings: tuple[str, ...] = _TITLES[self._order]
        if names and names[0] is not None:
            headings = ("channel", *headings)
        return Drawn(headings, _rows_of(names, list(self._lines)))


def _rows_of(channels: list[int | None], lines: list[Envelope]) -> Iterator[list[object]]:
    for channel, line in zip(channels, lines, strict=False):
        first = [] if channel is None else [channel]
        for x, y in zip(line.x.tolist(), line.y.tolist(), strict=True):
            yield [*first, x, y]


def _traces(
    grid: ValueGrid,
    channels: Sequence[int | None],
    order: str,
    cancelled: Callable[[], bool],
) -> list[Trace]:
    """The lines of some channels; all values are read but for a line through all of them."""
    found = []
    for channel in channels:
        read, count = _reader(grid, channel)
        curve = None
        if order == "sorted":
            curve = sorted_curve(read, count, cancelled)
        elif order == "sum":
            curve = sum_curve(read, count, cancelled)
        elif order == "energy":
            curve = energy_curve(read, count, center_of(grid), cancelled)
        is_long = curve is None and count > READ_EACH_TIME
        extremes = overview(read, count, cancelled) if is_long else None
        found.append(Trace(channel, count, read if curve is None else None, curve, extremes))
    return found


def _reader(grid: ValueGrid, channel: int | None) -> tuple[Reader, int]:
    contents = grid.contents
    if channel is None:
        return (contents.reals if grid.is_real else contents.values), contents.count
    axis = channel_axis(contents)
    assert axis is not None
    return channel_reader(contents, axis, channel, real=grid.is_real)


def _seen(curve: Curve, low: float, high: float, most: int) -> Envelope:
    """The points of a curve in view, and one more on each side."""
    first = max(int(np.searchsorted(curve.x, low)) - 1, 0)
    last = min(int(np.searchsorted(curve.x, high)) + 1, len(curve.x))
    x, y = curve.x[first:last], curve.y[first:last]
    line = envelope(lambda start, count: y[start : start + count], 0, len(y), most=most)
    if len(line.x) == len(x):
        return Envelope(x, y)
    return Envelope(np.interp(line.x, np.arange(len(x)), x), line.y)


def _faded(color: QColor, alpha: float) -> QColor:
    faded = QColor(color)
    faded.setAlphaF(alpha)
    return faded
