# SPDX-License-Identifier: Apache-2.0
"""The pages of the buffer view that draw, used as a person would."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QSpinBox
from pytestqt.qtbot import QtBot

from tests.ui.test_buffer_view import BIG, FILTER, FLOATS, Shown, tensor_model
from tflm_studio.analysis.histograms import Histogram
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Set
from tflm_studio.ui.app.settings import Settings
from tflm_studio.ui.views.diverging_colours import (
    HIGHEST,
    NOT_FINITE,
    NOTHING,
    ZERO,
    ColourRange,
    colour_numbers,
    colour_range,
)
from tflm_studio.ui.views.value_marks import Mark, merged, placed

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def shown(qtbot: QtBot) -> Shown:
    return Shown(qtbot, Document(tensor_model()))


def choose(page: Any, name: str, text: str) -> None:
    """Chooses from a list as a click on the line with the text does."""
    box = page.controls.findChild(QComboBox, name)
    assert box.isVisibleTo(page.controls), name
    number = box.findText(text)
    assert number >= 0, [box.itemText(k) for k in range(box.count())]
    box.setCurrentIndex(number)
    box.activated.emit(number)


def click(shown: Shown, page: Any, x: float, y: float) -> None:
    plot = page.plot
    scene = plot.getViewBox().mapViewToScene(QPointF(x, y))
    place = plot.mapFromScene(scene)
    shown.qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=place)


def hover(page: Any, x: float, y: float) -> str:
    page.plot.hovered.emit(QPointF(x, y))
    return str(page.findChild(QLabel, "caption").text())


def rows_of(page: Any) -> list[list[Any]]:
    return [list(row) for row in page.drawn().rows]


# ---------------------------------------------------------------------- kernels


def test_kernels_are_picked_by_click_and_by_arrows(shown: Shown) -> None:
    page = shown.open_page("Kernels")
    assert page.caption == "2 kernels of 3 × 3 by out"
    assert hover(page, 5.5, 1.5) == ("out 1 (norm 327), row 1, column 1: 53.5")
    click(shown, page, 5.5, 1.5)
    assert shown.find(QSpinBox, "axis_0").value() == 1
    assert page.channel == 1
    page.plot.setFocus()
    shown.qtbot.keyClick(page.plot, Qt.Key.Key_Left)
    assert shown.find(QSpinBox, "axis_0").value() == 0
    shown.qtbot.keyClick(page.plot, Qt.Key.Key_Left)
    assert page.channel == 0
    values = shown.open_page("Values")
    assert values.table.rowCount() == 9
    shown.find(QSpinBox, "axis_0").setValue(1)
    page = shown.open_page("Kernels")
    assert page.channel == 1
    assert page._outline.isVisible()


def test_kernels_in_other_orders_and_of_each_input(shown: Shown) -> None:
    page = shown.open_page("Kernels")
    choose(page, "kernels.order", "strongest first")
    assert [row[0] for row in rows_of(page)] == [1] * 3 + [0] * 3
    choose(page, "kernels.inner", "each in")
    assert page.caption == "2 kernels of 3 × 3 by out, 4 images each"
    assert len(rows_of(page)) == 24
    choose(page, "kernels.inner", "one in")
    page.controls.findChild(QSpinBox, "kernels.index").setValue(3)
    assert rows_of(page)[0][4:] == [39.0, 43.0, 47.0]
    choose(page, "kernels.scale", "own scales")
    assert sorted(set(page._image.image.reshape(-1).tolist()))[-2:] == [HIGHEST, NOTHING]
    shown.document.do(Set(("buffers", FILTER + 1, "data"), bytes(72)))
    assert rows_of(page)[0][4:] == [0.0, 0.0, 0.0]


# ---------------------------------------------------------------------- histogram


def test_histograms_of_channels(shown: Shown) -> None:
    page = shown.open_page("Histogram")
    choose(page, "histogram.parts", "ridges by channel")
    assert page.caption.startswith("2 by out, each bin")
    counts = np.array([row[2:] for row in rows_of(page)])
    assert counts.sum(axis=0).tolist() == [36, 36]
    assert hover(page, 1.0, 1.2).startswith("out 0, -0.5 to")
    assert hover(page, 1.0, 0.2).startswith("out 1, -0.5 to")
    choose(page, "histogram.parts", "channels overlaid")
    assert len(page._curves.curves) == 2
    choose(page, "histogram.counts", "logarithmic")
    assert page._curves.axis.tickStrings([0.0, 2.0], 1.0, 1.0) == ["1", "100"]
    shown.select(FLOATS)
    assert page.caption == "4 counted, each bin 0.25 wide"
    assert not page.controls.findChild(QComboBox, "histogram.parts").isVisibleTo(page.controls)


def test_labels_of_marks_keep_clear_of_each_other_and_of_the_edges() -> None:
    room = QRectF(0, 0, 300, 200)
    for places in ([0, 1, 2, 3, 4], [150, 151, 152], [0, 290, 299], [10, 100, 200]):
        labels = placed(places, ["text"] * len(places), [80] * len(places), room, 16)
        for number, label in enumerate(labels):
            assert room.contains(label.rect)
            others = labels[number + 1 :]
            assert not any(label.rect.intersects(other.rect) for other in others)
    marks = [Mark(2, "max"), Mark(-1, "min"), Mark(2, "saturated")]
    assert merged(marks) == [Mark(-1, "min"), Mark(2, "max · saturated")]


# ---------------------------------------------------------------------- heat map


def _choose_axis(shown: Shown, name: str, text: str) -> None:
    box = shown.find(QComboBox, name)
    box.setCurrentIndex(box.findText(text))
    box.activated.emit(box.currentIndex())


def test_a_heat_map_of_any_two_axes(shown: Shown) -> None:
    page = shown.open_page("Heat map")
    assert page.caption == "18 × 4"
    _choose_axis(shown, "rows", "rows: in")
    _choose_axis(shown, "columns", "columns: out")
    shown.find(QSpinBox, "axis_1").setValue(2)
    assert page.caption == "4 × 2 at height 2, width 0"
    assert hover(page, 1.0, 3.0) == "out 1, height 2, width 0, in 3: 63 = 126"
    assert rows_of(page)[3] == [3, 27, 63]
    _choose_axis(shown, "rows", "rows: height")
    shown.find(QSpinBox, "axis_3").setValue(1)
    assert page.caption == "3 × 2 at width 0, in 1"
    boxes = shown.view.findChildren(QComboBox)
    named = [box.toolTip() for box in boxes if box.isVisibleTo(shown.view)]
    assert sum("Which axis" in tip for tip in named) == 2  # chosen in one place only
    shown.select(BIG)
    assert page.caption == "100 × 200"


def test_a_zoomed_heat_map_shows_every_cell(shown: Shown, qtbot: QtBot) -> None:
    values = np.arange(2000 * 2000, dtype=np.uint32).astype(np.uint8)
    tensor = ("subgraphs", 0, "tensors", BIG)
    shown.document.do(Set(("buffers", BIG + 1, "data"), values.tobytes()))
    shown.document.do(Set((*tensor, "shape"), [2000, 2000]))
    shown.select(BIG)
    page = shown.open_page("Heat map")
    assert "drawn: one row of" in page.caption
    assert max(page._image.image.shape) < 2000
    page.plot.setRange(QRectF(500, 700, 20, 20), padding=0)
    page._draw_view()
    assert page.caption == "2,000 × 2,000"
    rows, columns = page._read
    expected = values.reshape(2000, 2000)[rows.start : rows.stop, columns.start : columns.stop]
    assert (page._image.image == colour_numbers(expected.astype(float), page._colours)).all()
    qtbot.mouseDClick(page.plot.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 90))
    page._draw_view()
    assert "drawn: one row of" in page.caption


def test_colours_diverge_about_the_center() -> None:
    values = np.array([-4.0, 1.0, 6.0, np.nan, np.inf])
    found = colour_numbers(values, ColourRange(1.0, 5.0, 5.0))
    assert found.tolist() == [0, ZERO, HIGHEST, NOT_FINITE, NOT_FINITE]
    counts = np.array([1, 0, 990, 0, 9])
    bins = Histogram(-10.0, 10.0, counts)
    statistics = Statistics(1000, -10.0, 40.0, 0, 0, 0, None, 0, 0, bins)
    assert colour_range(statistics, 0.0, "symmetric") == (0, 40, 40)
    assert colour_range(statistics, 0.0, "full") == (0, 10, 40)
    assert colour_range(statistics, 0.0, "most") == (0, 20, 20)


# ---------------------------------------------------------------------- line


def test_lines_of_channels_in_other_orders(shown: Shown, qtbot: QtBot) -> None:
    page = shown.open_page("Line")
    choose(page, "line.parts", "one channel")
    page.controls.findChild(QSpinBox, "line.channel").setValue(1)
    assert page.caption == "out 1, 36 values"
    assert rows_of(page)[0] == [1, 0.0, 36.0]
    assert shown.find(QSpinBox, "axis_0").value() == 1
    choose(page, "line.order", "cumulative sum")
    assert rows_of(page)[-1] == [1, 35.0, float(sum(range(36, 72)))]
    choose(page, "line.parts", "channels overlaid")
    assert len(page._curves.curves) == 2
    for channel in (1, 0):
        shown.view.choose_channel(channel)
        widths = [curve.opts["pen"].width() for curve in page._curves.curves]
        assert widths == [2 - channel, 1 + channel], "the chosen one stands out"
    choose(page, "line.parts", "all values")
    choose(page, "line.order", "sorted")
    shown.select(FLOATS)
    assert [row[1] for row in rows_of(page)] == pytest.approx([-1, 0.1, 2, 3])
    choose(page, "line.order", "cumulative energy")
    assert hover(page, 0.0, 50.0).startswith("strongest values 0: 64")
    page.plot.setXRange(1, 2)
    page.plot.setFocus()
    qtbot.keyClick(page.plot, Qt.Key.Key_Home)
    assert page.plot.getViewBox().viewRange()[0][1] > 4


# ---------------------------------------------------------------------- exports, choices


def test_a_plot_is_exported(
    shown: Shown, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = shown.open_page("Heat map")
    answers = [("plot.png", "PNG"), ("plot", "SVG graphics (*.svg)"), ("plot", "CSV")]

    def answer(*arguments: object) -> tuple[str, str]:
        name, kind = answers.pop(0)
        return str(tmp_path / name), kind

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    named = {action.text().replace("&", ""): action for action in page.menu().actions()}
    named["Export picture…"].trigger()
    image = QImage(str(tmp_path / "plot.png"))
    assert image.width() == 2 * page._canvas.width()
    assert len({image.pixel(x, 300) for x in range(0, image.width(), 9)}) > 5
    named["Export picture…"].trigger()
    assert QSvgRenderer(str(tmp_path / "plot.svg")).isValid()
    assert _images_within_what_clips_them((tmp_path / "plot.svg").read_text()) >= 2
    with qtbot.waitSignal(page.exporting.finished):
        named["Export values as CSV…"].trigger()
    lines = list(csv.reader((tmp_path / "plot.csv").read_text().splitlines()))
    assert lines[:2] == [["row", "0", "1", "2", "3"], ["0", "0", "1", "2", "3"]]
    assert len(lines) == 19
    named["Copy picture"].trigger()
    assert QGuiApplication.clipboard().image().width() == image.width()


def _images_within_what_clips_them(svg: str) -> int:
    """How many of the images have their corner inside their clip path, as browsers see it."""
    boxes = {
        name: [
            [float(n) for n in pair.split(",")] for pair in re.findall(r"[-\d.]+,[-\d.]+", d)
        ]
        for name, d in re.findall(r'<clipPath id="(\w+)">\s*<path [^>]*d="([^"]*)"', svg)
    }
    groups = re.findall(
        r'url\(#(\w+)\)"><g [^>]*matrix\(([^)]*)\)[^>]*>\s*<image [^>]*height="(\d+)"', svg
    )
    inside = 0
    for name, matrix, height in groups:
        scale, _, _, down, x, y = (float(n) for n in matrix.split(","))
        xs, ys = zip(*boxes[name], strict=True)
        middle = y + down * float(height) / 2
        inside += min(xs) <= x + scale / 2 <= max(xs) and min(ys) <= middle <= max(ys)
    assert inside == len(groups)
    return inside


def test_an_export_that_fails_says_so(shown: Shown, qtbot: QtBot, tmp_path: Path) -> None:
    page = shown.open_page("Line")
    page.export_picture(tmp_path / "no" / "plot.png")
    assert "folder does not exist" in shown.refused[0]
    with qtbot.waitSignal(page.exporting.failed):
        page.export_table(tmp_path / "no" / "plot.csv")
    assert shown.find(QLabel, "notice").text() == shown.refused[1]


def test_choices_are_remembered(shown: Shown, qtbot: QtBot, tmp_path: Path) -> None:
    page = shown.open_page("Histogram")
    choose(page, "histogram.counts", "logarithmic")
    settings = Settings(tmp_path / "settings.ini")
    settings.view_choices = shown.view.choices.made
    other = Shown(qtbot, Document(tensor_model()))
    other.view.restore_choices(Settings(tmp_path / "settings.ini").view_choices)
    page = other.open_page("Histogram")
    assert (
        page.controls.findChild(QComboBox, "histogram.counts").currentText() == "logarithmic"
    )
    assert page._curves.axis.is_log


def test_a_line_of_one_value_runs_through_the_middle(shown: Shown) -> None:
    shown.document.do(Set(("buffers", BIG + 1, "data"), b"\x07"))
    shown.document.do(Set(("subgraphs", 0, "tensors", BIG, "shape"), [1]))
    shown.select(BIG)
    page = shown.open_page("Line")
    assert page.caption == "1 value"
    (left, right), (bottom, top) = page.plot.getViewBox().viewRange()
    assert (left + right) / 2 == pytest.approx(0)
    assert bottom < 7 < top
    assert (bottom + top) / 2 == pytest.approx(page.grid.contents.values_at(np.array([0]))[0])
