# SPDX-License-Identifier: Apache-2.0
"""The filters of a convolution as a grid of small images.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSignalBlocker
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGraphicsRectItem

from tflm_studio.analysis.kernel_images import (
    KernelAxes,
    KernelImages,
    kernel_axes,
    kernel_images,
)
from tflm_studio.analysis.kernel_tiles import Tiles, arranged, mosaic
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.document import Document
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.colour_bar import ColourBar
from tflm_studio.ui.views.diverging_colours import (
    NOTHING,
    ColourRange,
    center_of,
    colour_numbers,
    diverging_colours,
    range_of_values,
)
from tflm_studio.ui.views.plot import Plot
from tflm_studio.ui.views.plot_controls import Choice, IndexBox
from tflm_studio.ui.views.plot_export import Drawn
from tflm_studio.ui.views.plot_page import PlotPage

Paint = QPalette.ColorRole

BACKGROUND_ELEMENTS = 1 << 18  # more are read in a thread

INNER = Choice(
    "kernels.inner",
    "What an image shows of the other axes",
    (("mean", "mean"), ("each", "each"), ("one", "one")),
)
ORDER = Choice(
    "kernels.order",
    "Order of the kernels",
    (("index", "by index"), ("norm", "strongest first")),
)
SCALE = Choice(
    "kernels.scale",
    "Which values have the strongest colours",
    (("shared", "one scale"), ("own", "own scales")),
)


class KernelsPage(PlotPage):
    """An image for each filter; a click or the arrow keys pick its channel on all pages."""

    def __init__(self, document: Document) -> None:
        plot = Plot(zooms=(True, True))
        self._bar = ColourBar()
        super().__init__(plot, (INNER, ORDER, SCALE), self._bar)
        plot.invertY(True)
        plot.setAspectLocked(True)
        for name in ("left", "bottom"):
            plot.showAxis(name, False)
        self._image = pg.ImageItem(axisOrder="row-major")
        plot.addItem(self._image)
        self._outline = QGraphicsRectItem()
        plot.addItem(self._outline, ignoreBounds=True)
        self._index = IndexBox()
        self._index.setObjectName("kernels.index")
        self._index.valueChanged.connect(lambda: self._read())
        self.controls.add(self._index, ORDER.key)
        self._axes: KernelAxes | None = None
        self._found: KernelImages | None = None
        self._tiles: Tiles | None = None
        self._shape: object = None
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_read)
        plot.restyled.connect(self._restyle)
        plot.clicked.connect(self._on_plot_clicked)
        plot.arrow_pressed.connect(self._on_arrow_pressed)
        self._restyle()

    # ------------------------------------------------------------------ contents

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows the filters behind a grid, whichever slice of them it is of."""
        before, self.grid = self.grid, grid
        is_same = before is not None and (before.contents, before.is_real) == (
            grid.contents,
            grid.is_real,
        )
        if is_same and self._found is not None:
            self._outline_chosen()
            return
        self._axes = kernel_axes(grid.contents)
        if self._axes is None:
            self._clear()
            return
        if self._shape != grid.contents.shape:
            self._shape = grid.contents.shape
            self._index.setRange(0, 0)
        self._read()

    def _clear(self) -> None:
        self._task.cancel()
        self._found = self._tiles = None
        self._image.clear()
        self._outline_chosen()
        self.set_caption("There are no kernels of at least two rows and columns.")

    def show_statistics(self, statistics: Statistics | None) -> None:
        """The images have a range of their own."""

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Shows the same filters after some bytes have changed."""
        self.grid = grid
        self._read()

    def show_channel(self, channel: int | None) -> None:
        """Outlines the kernel of a channel."""
        super().show_channel(channel)
        self._outline_chosen()

    def show_choice(self, key: str) -> None:
        """Shows the same kernels in another way."""
        if key == INNER.key:
            self._read()
        else:
            self._draw()

    def _read(self) -> None:
        grid, axes = self.grid, self._axes
        if grid is None or axes is None:
            return
        insides = self._show_controls(grid, axes)
        inner: int | str = self.controls.value(INNER.key) if insides > 1 else "mean"
        work = partial(
            kernel_images,
            grid.contents,
            axes,
            self._index.value() if inner == "one" else inner,
            real=grid.is_real,
            center=center_of(grid),
        )
        if grid.contents.count > BACKGROUND_ELEMENTS:
            self.set_caption("reading…")
            self._task.start(lambda cancelled: work(cancelled=cancelled))
        else:
            self._task.cancel()
            self._on_read(work())

    def _show_controls(self, grid: ValueGrid, axes: KernelAxes) -> int:
        """Shows the choices that make sense; returns how many images a kernel could have."""
        names, shape = grid.contents.axis_names, grid.contents.shape
        insides = math.prod(shape[axis] for axis in axes.inner)
        name = " · ".join(names[axis] for axis in axes.inner)
        keys = {ORDER.key, SCALE.key} | ({INNER.key} if insides > 1 else set())
        self.controls.show_only(keys)
        self.controls.name_options(
            INNER.key, f"mean over {name}", f"each {name}", f"one {name}"
        )
        self._index.setVisible(insides > 1 and self.controls.value(INNER.key) == "one")
        with QSignalBlocker(self._index):
            self._index.show_axis(name, insides, min(self._index.value(), insides - 1))
        return insides

    def _on_read(self, found: KernelImages) -> None:
        before, self._found = self._found, found
        is_other = before is None or before.images.shape != found.images.shape
        self._draw()
        if is_other:
            self.show_whole()

    # ------------------------------------------------------------------ drawing

    def _draw(self) -> None:
        found = self._found
        if found is None or self.grid is None:
            return
        self._tiles = self._arranged(found)
        numbers, colours = self._numbers(found)
        picture = mosaic(numbers, self._tiles, NOTHING)
        self._image.setImage(picture, levels=(0, 255), autoLevels=False)
        self._image.setRect(QRectF(0, 0, picture.shape[1], picture.shape[0]))
        self._bar.show_range(colours)
        own = self.controls.value(SCALE.key) == "own"
        self._bar.show_titles("× own" if own else " ", "")
        self._say(found)
        self._outline_chosen()

    def _arranged(self, found: KernelImages) -> Tiles:
        order = np.arange(len(found.images))
        if self.controls.value(ORDER.key) == "norm":
            order = np.argsort(-np.nan_to_num(found.norms), kind="stable")
        size = self.plot.getViewBox().size()
        room = max(size.width(), 1.0) / max(size.height(), 1.0)
        each, height, width = found.images.shape[1:]
        return arranged(order, each, (height, width), room)

    def _numbers(self, found: KernelImages) -> tuple[NDArray[np.uint8], ColourRange]:
        assert self.grid is not None
        center, images = center_of(self.grid), found.images
        if self.controls.value(SCALE.key) != "own":
            colours = range_of_values(images, center, "symmetric")
            return colour_numbers(images, colours), colours
        apart = images - center
        with np.errstate(all="ignore"):
            finite = np.where(np.isfinite(apart), np.abs(apart), 0.0)
            reach = finite.max(axis=(2, 3), keepdims=True)
            shares = apart / np.where(reach > 0, reach, 1.0)
        return colour_numbers(shares, ColourRange(0.0, 1.0, 1.0)), ColourRange(0.0, 1.0, 1.0)

    def _say(self, found: KernelImages) -> None:
        grid, axes = self.grid, self._axes
        assert grid is not None
        assert axes is not None
        contents = grid.contents
        kernels, each, height, width = found.images.shape
        total, name = contents.shape[axes.kernel], contents.axis_names[axes.kernel]
        which = f"{kernels:,} of {total:,}" if kernels < total else f"{total:,}"
        text = f"{which} kernels of {height} × {width} by {name}"
        self.set_caption(f"{text}, {each:,} images each" if each > 1 else text)

    def reset_view(self) -> None:
        """Shows all kernels, in the columns that make them largest."""
        if self._found is None:
            return
        tiles = self._arranged(self._found)
        if self._tiles is None or tiles.columns != self._tiles.columns:
            self._draw()
        height, width = tiles.size
        edge, reach = max(tiles.gap, 1), 12 * max(height, width) + 24
        self.plot.getViewBox().setLimits(maxXRange=reach, maxYRange=reach)
        self.plot.setRange(
            QRectF(-edge, -edge, width + 2 * edge, height + 2 * edge),
            padding=0.0,
            disableAutoRange=True,
        )

    def _outline_chosen(self) -> None:
        tiles, found = self._tiles, self._found
        around = None
        if tiles is not None and found is not None and self.channel is not None:
            around = tiles.around(self.channel, found.images.shape[1])
        self._outline.setVisible(around is not None)
        if around is not None:
            self._outline.setRect(QRectF(*around))

    def _restyle(self) -> None:
        colours = diverging_colours(self.palette())
        gap = self.plot.colour(Paint.Window)
        colours[NOTHING] = gap.red(), gap.green(), gap.blue(), 255
        self._image.setLookupTable(colours)
        self._outline.setPen(pg.mkPen(self.plot.colour(Paint.Accent), width=2))

    # ------------------------------------------------------------------ picking

    def _hit(self, place: QPointF) -> tuple[int, int, int] | None:
        """Number of the image at a place, and the row and column in it."""
        if self._tiles is None:
            return None
        return self._tiles.image_at(math.floor(place.y()), math.floor(place.x()))

    def _on_plot_clicked(self, place: QPointF) -> None:
        hit = self._hit(place)
        if hit is not None and self._found is not None:
            self._choose(hit[0] // self._found.images.shape[1])

    def _on_arrow_pressed(self, across: int, down: int) -> None:
        tiles, found = self._tiles, self._found
        if tiles is None or found is None:
            return
        kernels = tiles.kernels
        is_single = found.images.shape[1] == 1
        at = np.flatnonzero(kernels == self.channel)
        step = across + down * (tiles.columns if is_single else 1)
        place = int(at[0]) + step if len(at) else 0
        if 0 <= place < len(kernels):
            self._choose(int(kernels[place]))

    def _choose(self, channel: int) -> None:
        self.show_channel(channel)
        self.channel_chosen.emit(channel)
        if self.grid is not None and self._found is not None and self._axes is not None:
            name = self.grid.contents.axis_names[self._axes.kernel]
            self._line.setText(f"{name} {channel}, norm {self._found.norms[channel]:.4g}")

    def describe(self, place: QPointF) -> str:
        """The kernel at a place, and the value there."""
        hit, grid, axes, found = self._hit(place), self.grid, self._axes, self._found
        if hit is None or grid is None or axes is None or found is None:
            return ""
        number, row, column = hit
        kernel, inside = divmod(number, found.images.shape[1])
        names = grid.contents.axis_names
        text = f"{names[axes.kernel]} {kernel}"
        if found.images.shape[1] > 1:
            text += f", {' · '.join(names[axis] for axis in axes.inner)} {inside}"
        value = found.images[kernel, inside, row, column]
        return (
            f"{text} (norm {found.norms[kernel]:.4g}), row {row}, column {column}: {value:.5g}"
        )

    def drawn(self) -> Drawn:
        """A row for each row of an image."""
        tiles, found = self._tiles, self._found
        if tiles is None or found is None:
            return Drawn((), ())
        columns = (f"column {number}" for number in range(found.images.shape[3]))
        return Drawn(("kernel", "image", "norm", "row", *columns), _rows_of(found, tiles))


def _rows_of(found: KernelImages, tiles: Tiles) -> Iterator[list[Any]]:
    each = found.images.shape[1]
    for number in tiles.order.tolist():
        kernel, inside = divmod(number, each)
        for row, values in enumerate(found.images[kernel, inside].tolist()):
            yield [kernel, inside, float(found.norms[kernel]), row, *values]
