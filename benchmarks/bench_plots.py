# SPDX-License-Identifier: Apache-2.0
"""First paints and frames of the plots, each beside pyqtgraph given all values as they are.

A first paint ends with a picture of the widget, a frame with nothing left to paint.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.interleaved import Comparison, Limit, Task
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.editing.document import Document
from tflm_studio.schema import tables as t
from tflm_studio.schema.enums import TensorType

CELLS = 4096  # along a side
POINTS = 10_000_000
SIZE = (1100, 700)
FIRST, FRAME = Limit(seconds=0.1), Limit(seconds=0.016)


def plots() -> Iterator[Comparison]:
    """Heat maps and lines. Plots are only loaded if they are measured."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    application = QApplication.instance() or QApplication([])
    rng = np.random.default_rng(1)
    yield from _heat_maps(rng.integers(-128, 128, CELLS * CELLS, np.int8), "int8")
    yield from _heat_maps(rng.standard_normal(CELLS * CELLS, np.float32), "float32")
    yield from _lines(rng.standard_normal(POINTS, np.float32))
    application.processEvents()


def _contents(values: Any, shape: tuple[int, ...]) -> tuple[Document, BufferContents]:
    kind = TensorType.INT8 if values.dtype == np.int8 else TensorType.FLOAT32
    tensor = t.Tensor(name="w", type=kind, shape=list(shape), buffer=1)
    buffers = [t.Buffer(), t.Buffer(data=values.tobytes())]
    document = Document(
        t.Model(version=3, subgraphs=[t.SubGraph(tensors=[tensor])], buffers=buffers)
    )
    contents = contents_at(document.model, ("subgraphs", 0, "tensors", 0))
    assert contents is not None
    return document, contents


def _heat_maps(values: Any, name: str) -> Iterator[Comparison]:
    import pyqtgraph as pg

    from tflm_studio.ui.models.value_table import ValueGrid
    from tflm_studio.ui.views.heat_map_page import HeatMapPage

    document, contents = _contents(values, (CELLS, CELLS))
    page, plain = HeatMapPage(document), pg.PlotWidget()
    image = pg.ImageItem(axisOrder="row-major")
    plain.addItem(image)
    matrix = values.reshape(CELLS, CELLS).astype(np.float32)
    _show(page, plain)

    def ours() -> None:
        page.show_contents(ValueGrid(replace(contents)), None)
        page.grab()

    def theirs() -> None:
        image.setImage(matrix)
        plain.grab()

    yield Comparison(
        f"heat map 4096², {name}, first paint", ours, "ImageItem of f32", theirs, FIRST
    )
    yield Comparison(
        f"heat map 4096², {name}, a frame",
        _zooming(page.plot),
        "ImageItem of f32",
        _zooming(plain),
        FRAME,
    )


def _lines(values: Any) -> Iterator[Comparison]:
    import pyqtgraph as pg
    from PySide6.QtCore import QThreadPool

    from tflm_studio.ui.models.value_table import ValueGrid
    from tflm_studio.ui.views.line_page import LinePage

    document, contents = _contents(values, (POINTS,))
    page, plain = LinePage(document), pg.PlotWidget()
    curve = plain.plot([0.0])
    _show(page, plain)

    def ours() -> None:
        page.show_contents(ValueGrid(replace(contents)), None)
        while page.is_reading:
            # As a window does: asking all the time would take the interpreter from the thread.
            QThreadPool.globalInstance().waitForDone(1)
            _process_events()
        page.grab()

    def theirs() -> None:
        curve.setData(values)
        plain.grab()

    yield Comparison(
        "line of 10 M float32, first paint", ours, "PlotDataItem of all", theirs, FIRST
    )
    yield Comparison(
        "line of 10 M float32, a frame",
        _zooming(page.plot),
        "PlotDataItem of all",
        _zooming(plain),
        FRAME,
    )


def _zooming(plot: Any) -> Task:
    """A step of the wheel in or out, painted on the screen there would be."""
    factors = [0.9, 1 / 0.9]

    def zoom() -> None:
        factors.reverse()
        plot.getViewBox().scaleBy(x=factors[0], y=factors[0])
        _process_events()

    return zoom


def _show(*widgets: Any) -> None:
    for widget in widgets:
        widget.resize(*SIZE)
        widget.show()
        widget.grab()
    _process_events()


def _process_events() -> None:
    from PySide6.QtCore import QCoreApplication

    QCoreApplication.processEvents()
