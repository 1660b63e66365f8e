# SPDX-License-Identifier: Apache-2.0
"""The values of a buffer as an image, in colours that diverge about zero.

Only what is in view is read, and of that no more rows and columns than there are pixels: an
image of all values would cost time and memory for each of them.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QTimer

from tflm_studio.analysis.planes import Plane, plane
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.document import Document
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.colour_bar import ColourBar
from tflm_studio.ui.views.diverging_colours import (
    NOTHING,
    ColourRange,
    center_of,
    colour_numbers,
    colour_range,
    diverging_colours,
    range_of_values,
)
from tflm_studio.ui.views.plot import Plot
from tflm_studio.ui.views.plot_controls import Choice
from tflm_studio.ui.views.plot_export import Drawn
from tflm_studio.ui.views.plot_page import PlotPage

LEAST_PIXELS, MOST_PIXELS = 64, 1536  # along a side; more are told apart by no screen
SMALL = 1 << 18  # cells: images of no more are read whole
MARGIN = 0.25  # of what is in view, read besides so that there is something to drag in
REDRAW_DELAY_MS = 30
SQUARE_SHARE = 0.3  # of the plot that square cells have to fill
MOST_EXPORTED = 1 << 22  # cells

RANGE = Choice(
    "heat_map.range",
    "Range of the colours",
    (("symmetric", "symmetric"), ("full", "full range"), ("most", "99 % of values")),
)
CELLS = Choice(
    "heat_map.cells",
    "Shape of the cells",
    (("auto", "cells as fit"), ("square", "square cells"), ("stretched", "stretched cells")),
)


class HeatMapPage(PlotPage):
    """One coloured cell for each value of a slice."""

    uses_axes = True

    def __init__(self, document: Document) -> None:
        plot = Plot(whole=("bottom", "left"), zooms=(True, True))
        self._bar = ColourBar()
        super().__init__(plot, (RANGE, CELLS), self._bar)
        plot.invertY(True)
        self._image = pg.ImageItem(axisOrder="row-major")
        plot.addItem(self._image)
        self._statistics: Statistics | None = None
        self._plane: Plane | None = None
        self._colours = ColourRange(0.0, 1.0, 1.0)
        self._read: tuple[range, range] | None = None
        self._redraw = QTimer(self, singleShot=True, interval=REDRAW_DELAY_MS)
        self._redraw.setObjectName("redraw")
        self._redraw.timeout.connect(self._draw_view)
        plot.getViewBox().sigRangeChanged.connect(self._redraw.start)
        plot.restyled.connect(self._restyle)
        self._restyle()

    # ------------------------------------------------------------------ contents

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows the values of a grid."""
        self.grid, self._statistics = grid, statistics
        self._show_plane()

    def show_statistics(self, statistics: Statistics | None) -> None:
        """Takes the range of the colours from all values."""
        self._statistics = statistics
        self._read = None
        self._draw_view()

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Shows the same grid after some bytes have changed."""
        self.show_contents(grid, None)

    def show_choice(self, key: str) -> None:
        """Shows the same values in other colours or cells of another shape."""
        self._read = None
        if key == CELLS.key:
            self.show_whole()
        self._draw_view()

    def _show_plane(self) -> None:
        grid, before = self.grid, self._plane
        if grid is None:
            return
        found = self._plane = plane(grid.contents, grid.down, grid.column_axis, grid.fixed)
        self._read = None
        self._name_axes(grid, found)
        self._say(grid, found)
        if before is None or (before.rows, before.columns) != (found.rows, found.columns):
            self.show_whole()
        self._draw_view()

    def _name_axes(self, grid: ValueGrid, found: Plane) -> None:
        names = grid.contents.axis_names
        if found.column_axis is None:
            self.plot.show_titles("element", "row")
        else:
            rows = " · ".join(names[axis] for axis in found.row_axes) or "row"
            self.plot.show_titles(names[found.column_axis], rows)

    def _say(self, grid: ValueGrid, found: Plane, steps: tuple[int, int] = (1, 1)) -> None:
        text = f"{found.rows:,} × {found.columns:,}"
        if found.column_axis is not None:
            used, shape = (*found.row_axes, found.column_axis), grid.contents.shape
            kept = [
                f"{name} {index}"
                for axis, (name, index) in enumerate(
                    zip(grid.contents.axis_names, found.fixed, strict=True)
                )
                if axis not in used and shape[axis] > 1
            ]
            text += f" at {', '.join(kept)}" if kept else ""
        told = [
            f"one {name} of {step:,}"
            for name, step in zip(("row", "column"), steps, strict=True)
            if step > 1
        ]
        self.set_caption(f"{text}; drawn: {', '.join(told)}" if told else text)

    # ------------------------------------------------------------------ drawing

    def reset_view(self) -> None:
        """Shows all rows and columns."""
        found = self._plane
        if found is None:
            return
        reach = 12 * max(found.columns, found.rows) + 24
        box = self.plot.getViewBox()
        box.setLimits(maxXRange=reach, maxYRange=reach)
        self.plot.setAspectLocked(self._is_square(found))
        self.plot.setRange(
            QRectF(-0.5, -0.5, found.columns, found.rows), padding=0.0, disableAutoRange=True
        )
        # Beside the axes, not in the middle of what square cells leave free.
        (left, _), (top, _) = box.viewRange()
        box.translateBy(x=-0.5 - left, y=-0.5 - top)

    def _is_square(self, found: Plane) -> bool:
        chosen = self.controls.value(CELLS.key)
        if chosen != "auto":
            return chosen == "square"
        size = self.plot.getViewBox().size()
        if min(size.width(), size.height()) < 1:
            return False
        shape, room = found.columns / found.rows, size.width() / size.height()
        return bool(min(shape / room, room / shape) >= SQUARE_SHARE)

    def _in_view(self, found: Plane) -> tuple[range, range]:
        """Rows and columns in view, every so many where there are more than pixels."""
        box = self.plot.getViewBox()
        (left, right), (top, bottom) = box.viewRange()
        if found.rows * found.columns <= SMALL:
            left, right, top, bottom = -1, found.columns, -1, found.rows
        pixels = self.plot.devicePixelRatioF()
        return (
            _part(top, bottom, found.rows, box.height() * pixels),
            _part(left, right, found.columns, box.width() * pixels),
        )

    def _draw_view(self) -> None:
        self._redraw.stop()
        grid, found = self.grid, self._plane
        if grid is None or found is None:
            return
        shown = self._in_view(found)
        if self._read is not None and all(map(_covers, self._read, shown)):
            return
        rows = _widened(shown[0], found.rows)
        columns = _widened(shown[1], found.columns)
        self._read = rows, columns
        values = found.values(rows, columns, real=grid.is_real)
        kind, center = self.controls.value(RANGE.key), center_of(grid)
        if self._statistics is not None:
            self._colours = colour_range(self._statistics, center, kind)
        else:
            self._colours = range_of_values(values, center, kind)
        numbers = colour_numbers(values, self._colours)
        if found.column_axis is None and rows.stop == found.rows:
            last = found.flat_index(rows[-1], np.array(columns))
            numbers[-1, last >= grid.contents.count] = NOTHING
        self._image.setImage(numbers, levels=(0, 255), autoLevels=False)
        self._image.setRect(_rect(rows, columns))
        self._bar.show_range(self._colours)
        self._say(grid, found, (rows.step, columns.step))

    def _restyle(self) -> None:
        self._image.setLookupTable(diverging_colours(self.palette()))

    # ------------------------------------------------------------------ readout

    def describe(self, place: QPointF) -> str:
        """The value at a place and its indices."""
        row, column = math.floor(place.y() + 0.5), math.floor(place.x() + 0.5)
        grid, found = self.grid, self._plane
        if grid is None or found is None:
            return ""
        if not (0 <= row < found.rows and 0 <= column < found.columns):
            return ""
        flat = int(found.flat_index(row, column))
        return grid.describe(flat) if flat < grid.contents.count else ""

    def drawn(self) -> Drawn:
        """A column for each column of the slice, or of every so many if there are many."""
        grid, found = self.grid, self._plane
        if grid is None or found is None:
            return Drawn((), ())
        step = 1
        while -(-found.rows // step) * -(-found.columns // step) > MOST_EXPORTED:
            step += 1
        columns = range(0, found.columns, step)
        return Drawn(("row", *map(str, columns)), _rows_of(grid, found, columns, step))


def _rows_of(
    grid: ValueGrid, found: Plane, columns: range, step: int
) -> Iterator[list[object]]:
    is_whole = grid.contents.kind.kind != "float" and not grid.is_real
    for row in range(0, found.rows, step):
        values = found.values(range(row, row + 1), columns, real=grid.is_real)[0].tolist()
        yield [row, *(int(v) if is_whole and math.isfinite(v) else v for v in values)]


def _part(low: float, high: float, count: int, pixels: float) -> range:
    start, stop = max(math.floor(low + 0.5), 0), min(math.ceil(high + 0.5), count)
    most = min(max(int(pixels), LEAST_PIXELS), MOST_PIXELS)
    step = max(1, -(-(stop - start) // most))
    # Always the same ones of every so many, or the image would flicker when it is dragged.
    start = min(start, count - 1) // step * step
    return range(start, max(stop, start + 1), step)


def _widened(part: range, count: int) -> range:
    room = int((part.stop - part.start) * MARGIN) // part.step * part.step
    return range(max(part.start - room, 0), min(part.stop + room, count), part.step)


def _covers(read: range, shown: range) -> bool:
    return read.step == shown.step and read.start <= shown.start and read.stop >= shown.stop


def _rect(rows: range, columns: range) -> QRectF:
    return QRectF(
        columns.start - 0.5,
        rows.start - 0.5,
        len(columns) * columns.step,
        len(rows) * rows.step,
    )
