# SPDX-License-Identifier: Apache-2.0
"""The values of a buffer, or of its channels, as lines: in order, sorted or summed up.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from PySide6.QtCore import QPointF, QTimer

from tflm_studio.analysis.envelopes import MOST_POINTS, Envelope
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.analysis.value_blocks import channel_axis, spread
from tflm_studio.analysis.value_traces import READ_EACH_TIME, Trace, value_traces
from tflm_studio.editing.document import Document
from tflm_studio.model.place_names import plural
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.diverging_colours import center_of
from tflm_studio.ui.views.line_curves import LineCurves
from tflm_studio.ui.views.plot import Plot, drawable_range
from tflm_studio.ui.views.plot_controls import Choice, IndexBox
from tflm_studio.ui.views.plot_export import Drawn
from tflm_studio.ui.views.plot_page import PlotPage

LEAST_SHOWN = 4  # elements; nobody zooms in on fewer
LEAST_POINTS = 512
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


class LinePage(PlotPage):
    """Lines through values; the wheel zooms in, dragging moves along."""

    def __init__(self, document: Document) -> None:
        super().__init__(Plot(whole=("bottom",)), (PARTS, ORDER))
        self._curves = LineCurves(self.plot)
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
        self.plot.restyled.connect(self._paint)
        self._paint()

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
            self._paint()  # another of the same channels may be chosen
            return
        self._wanted = wanted
        if is_new:
            self._is_moved = False
        work = partial(
            value_traces,
            grid.contents,
            channels,
            self._order,
            real=grid.is_real,
            center=center_of(grid),
        )
        if grid.contents.count > READ_EACH_TIME:
            self.set_caption("reading…")
            self._preparing.start(lambda cancelled: work(cancelled=cancelled))
        else:
            self._preparing.cancel()
            self._on_prepared(work(cancelled=lambda: False))

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
        self._paint()
        self._curves.show(lines)
        if not self._is_moved and (is_first or self._parts == "one"):
            self._fit_height()

    def _paint(self) -> None:
        self._curves.paint([trace.channel for trace in self._traces], self.channel)

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
        height = trace.height_at(at)
        if height is None:
            return ""
        name = ""
        if trace.channel is not None:
            axis = channel_axis(grid.contents)
            name = f"{grid.contents.axis_names[axis or 0]} {trace.channel}, "
        percent = " %" if self._order == "energy" else ""
        return f"{name}{_TITLES[self._order][0]} {at:,}: {height:.5g}{percent}"

    def _distance(self, number: int, at: int, height: float) -> float:
        found = self._traces[number].height_at(at) if len(self._traces) > 1 else None
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
