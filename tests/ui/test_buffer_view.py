# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QSpinBox,
    QTabBar,
    QTableView,
)

from tests.conftest import every
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Remove, Set
from tflm_studio.model.tensor_types import ELEMENT_TYPES, encode
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    Buffer,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    SubGraph,
    Tensor,
)
from tflm_studio.ui.models import measuring
from tflm_studio.ui.models.selection import Selection
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.value_table import ValueGrid, ValueTable
from tflm_studio.ui.views.buffer_pages import PAGES
from tflm_studio.ui.views.buffer_view import NO_DATA, BufferView
from tflm_studio.ui.views.hex_page import HexPage
from tflm_studio.ui.views.values_page import ValuesPage

if TYPE_CHECKING:
    from pytestqt.modeltest import ModelTester
    from pytestqt.qtbot import QtBot

# The offscreen platform says so for every window.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")

TITLES = [page.title for page in PAGES]
FILTER, BIAS, INPUT, PACKED, FLOATS, LABELS, BIG = range(7)


def tensor_model() -> Model:
    """A convolution with its filter and bias, and tensors of other kinds beside them."""

    def quantised(*scales: float, zero: int = 0) -> QuantizationParameters:
        return QuantizationParameters(scale=list(scales), zero_point=[zero] * len(scales))

    int4 = ELEMENT_TYPES[TensorType.INT4]
    rows = [
        (
            "conv/filter",
            TensorType.INT8,
            [2, 3, 3, 4],
            np.arange(72).astype(np.int8).tobytes(),
        ),
        ("conv/bias", TensorType.INT32, [2], np.array([-7, 9], np.int32).tobytes()),
        ("input", TensorType.INT8, [1, 3, 3, 4], None),
        ("packed", TensorType.INT4, [3, 3], encode(np.arange(-4, 5), int4)),
        ("floats", TensorType.FLOAT32, [5], np.float32([0.1, 2, np.nan, 3, -1]).tobytes()),
        ("labels", TensorType.STRING, [1], b"\1\0\0\0yes"),
        ("big", TensorType.UINT8, [100, 200], bytes(range(250)) * 80),
    ]
    tensors, buffers = [], [Buffer()]
    for name, kind, shape, data in rows:
        tensors.append(Tensor(name=name, type=kind, shape=shape, buffer=len(buffers)))
        buffers.append(Buffer(data=data))
    tensors[FILTER].quantization = quantised(0.5, 2.0)
    tensors[PACKED].quantization = quantised(0.1)
    operator = Operator(opcode_index=0, inputs=[INPUT, FILTER, BIAS], outputs=[INPUT])
    return Model(
        version=3,
        operator_codes=[OperatorCode(builtin_code=BuiltinOperator.CONV_2D)],
        subgraphs=[SubGraph(tensors=tensors, operators=[operator])],
        buffers=buffers,
        metadata=[Metadata(name="notes", buffer=LABELS + 1)],
    )


class Shown:
    """A view on a document, and how a person uses it."""

    def __init__(self, qtbot: QtBot, document: Document, tensor: int = FILTER) -> None:
        self.qtbot = qtbot
        self.document = document
        self.selection = Selection()
        self.view = BufferView(document, self.selection)
        self.refused: list[str] = []
        self.view.refused.connect(self.refused.append)
        qtbot.addWidget(self.view)
        self.view.resize(1100, 330)
        self.view.show()
        qtbot.waitExposed(self.view)
        self.select(tensor)

    def select(self, tensor: int) -> None:
        self.selection.select(("subgraphs", 0, "tensors", tensor))

    def find(self, kind, name):  # type: ignore[no-untyped-def]
        found = self.view.findChild(kind, name)
        assert found is not None, name
        return found

    def open_page(self, title: str):  # type: ignore[no-untyped-def]
        tabs = self.find(QTabBar, "pages")
        center = tabs.tabRect(TITLES.index(title)).center()
        self.qtbot.mouseClick(tabs, Qt.MouseButton.LeftButton, pos=center)
        return self.view.page(TITLES.index(title))

    @property
    def current_page(self) -> str:
        return TITLES[self.find(QTabBar, "pages").currentIndex()]

    @property
    def table(self) -> QTableView:
        view: QTableView = self.find(QTableView, "values")
        return view

    def type_value(self, row: int, column: int, text: str) -> None:
        table = self.table
        cell = table.model().index(row, column)
        table.scrollTo(cell)
        center = table.visualRect(cell).center()
        self.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=center)
        self.qtbot.mouseDClick(table.viewport(), Qt.MouseButton.LeftButton, pos=center)
        editor = QApplication.focusWidget()
        assert isinstance(editor, QLineEdit)
        self.qtbot.keyClick(editor, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self.qtbot.keyClick(editor, Qt.Key.Key_Delete)
        self.qtbot.keyClicks(editor, text)
        self.qtbot.keyClick(editor, Qt.Key.Key_Return)
        QApplication.processEvents()  # the delegate commits by a queued call

    def text(self, row: int, column: int) -> str:
        return str(self.table.model().index(row, column).data())

    def figure(self, name: str) -> str:
        return str(self.find(QLabel, name).text())

    def bytes_of(self, tensor: int) -> bytes:
        buffers = self.document.model.buffers
        assert buffers is not None
        return bytes(buffers[tensor + 1].data or b"")


@pytest.fixture
def shown(qtbot: QtBot) -> Shown:
    return Shown(qtbot, Document(tensor_model()))


def test_header_and_figures_of_a_filter(shown: Shown) -> None:
    assert shown.figure("name") == "conv/filter"
    assert shown.figure("place") == "tensor 0, buffer 1"
    assert shown.figure("shape") == "2×3×3×4"
    assert shown.figure("axes") == "out, height, width, in"
    assert shown.figure("type") == "int8, per channel (dim 0)"
    assert shown.figure("bytes") == "72"
    assert shown.figure("min / max") == "0 / 71"
    assert shown.figure("mean / std") == "35.5 / 20.78"
    assert shown.figure("zeros") == "1.4 %"
    assert shown.figure("scale") == "0.5 … 2"
    assert [shown.find(QSpinBox, f"axis_{a}").text() for a in range(3)] == [
        "out all",
        "height all",
        "width all",
    ]


def test_the_selection_is_followed(shown: Shown) -> None:
    shown.selection.select(("subgraphs", 0, "operators", 0))
    assert shown.figure("name") == "conv/filter"
    shown.select(INPUT)
    assert shown.find(QLabel, "empty").text() == NO_DATA
    assert shown.find(QLabel, "empty").isVisible()
    shown.selection.select(("buffers", BIAS + 1))
    assert shown.figure("name") == "conv/bias"
    shown.selection.select(())
    assert shown.find(QLabel, "empty").isVisible()
    shown.selection.select(("metadata", 0))
    assert shown.figure("name") == "notes"


def test_a_typed_value_is_stored_and_can_be_undone(shown: Shown) -> None:
    before = shown.bytes_of(FILTER)
    shown.type_value(4, 2, "-100")
    assert shown.bytes_of(FILTER)[18] == 156
    assert shown.text(4, 2) == "-100"
    assert shown.figure("min / max") == "-100 / 71"
    assert shown.document.history.steps[-1].label == "tensor 0 [0, 1, 1, 2] 18 → -100"
    shown.document.undo()
    assert shown.bytes_of(FILTER) == before
    assert shown.text(4, 2) == "18"
    assert shown.figure("min / max") == "0 / 71"


@pytest.mark.parametrize("text", ["200", "abc", "", "1.5"])
def test_a_refused_value_leaves_the_cell(shown: Shown, text: str) -> None:
    before = shown.bytes_of(FILTER)
    shown.type_value(1, 1, text)
    assert shown.text(1, 1) == "5"
    assert shown.bytes_of(FILTER) == before
    assert len(shown.refused) == 1
    assert shown.find(QLabel, "notice").text() == shown.refused[0]
    assert shown.find(QLabel, "notice").isVisible()
    shown.type_value(1, 1, "6")
    assert not shown.find(QLabel, "notice").isVisible()


def test_what_one_page_said_is_gone_on_another(shown: Shown) -> None:
    shown.view._on_page_refused("No other tensor of this model has as many stored values.")
    assert shown.find(QLabel, "notice").isVisible()
    shown.view.show_page("Histogram")
    assert not shown.find(QLabel, "notice").isVisible()


def test_a_real_is_stored_by_the_scale_of_its_channel(shown: Shown) -> None:
    real = shown.find(QCheckBox, "real")
    shown.qtbot.mouseClick(real, Qt.MouseButton.LeftButton, pos=QPoint(8, real.height() // 2))
    assert shown.text(0, 3) == "1.5"
    shown.type_value(0, 3, "-3.2")
    shown.type_value(17, 3, "-3.2")
    assert shown.text(0, 3) == "-3"
    assert shown.text(17, 3) == "-4"
    assert shown.bytes_of(FILTER)[3] == 250
    assert shown.bytes_of(FILTER)[71] == 254
    shown.type_value(0, 3, "1000")
    assert "outside what int8 can hold" in shown.refused[0]
    assert shown.text(0, 3) == "-3"


def test_an_int4_keeps_its_neighbours(shown: Shown) -> None:
    shown.select(PACKED)
    shown.type_value(1, 0, "7")
    assert [shown.text(row, column) for row in range(3) for column in range(3)] == [
        *"-4 -3 -2 7 0 1 2 3 4".split()
    ]
    shown.type_value(2, 2, "8")
    assert "-8 to 7" in shown.refused[0]


def test_slices_along_axes(shown: Shown) -> None:
    table = shown.table
    assert (table.model().rowCount(), table.model().columnCount()) == (18, 4)
    shown.find(QSpinBox, "axis_0").setValue(1)
    shown.find(QSpinBox, "axis_2").setValue(2)
    assert table.model().rowCount() == 3
    assert [shown.text(row, 0) for row in range(3)] == ["44", "56", "68"]
    labels = [table.model().headerData(row, Qt.Orientation.Vertical) for row in range(3)]
    assert labels == ["0", "1", "2"]
    shown.type_value(1, 3, "-1")
    assert shown.bytes_of(FILTER)[59] == 255
    shown.find(QSpinBox, "axis_0").setValue(-1)
    assert table.model().rowCount() == 6


def test_reading_as_another_type_changes_nothing_but_what_is_shown(shown: Shown) -> None:
    before = shown.bytes_of(BIAS)
    shown.select(BIAS)
    types = shown.find(QComboBox, "type")
    assert types.currentText() == "as stored: int32"
    types.setCurrentText("uint8")
    assert shown.figure("shape") == "8"
    assert "as uint8" in shown.find(QLabel, "notice").text()
    assert shown.text(0, 0) == "249"
    assert shown.bytes_of(BIAS) == before
    shown.type_value(0, 4, "0x10")
    assert shown.text(0, 4) == "16"
    assert types.currentText() == "uint8"
    shown.select(FILTER)
    assert types.currentText() == "as stored: int8"


def test_changed_cells_alone_are_told(shown: Shown) -> None:
    told: list[tuple[int, int]] = []
    shown.table.model().dataChanged.connect(
        lambda first, last: told.append((first.row(), last.row()))
    )
    shown.type_value(2, 1, "0")
    assert told == [(2, 2)]
    shown.document.do(Set(("buffers", FILTER + 1, "data"), bytes(72)))
    assert told[1:] == [(0, 17)]
    shown.document.do(Set(("buffers", BIAS + 1, "data"), bytes(8)))
    assert len(told) == 2


def test_edits_elsewhere_in_the_model_are_followed(shown: Shown) -> None:
    place = ("subgraphs", 0, "tensors", FILTER)
    shown.document.do(Set((*place, "name"), "renamed"))
    assert shown.figure("name") == "renamed"
    shown.document.do(Set((*place, "shape"), [72]))
    assert shown.figure("shape") == "72"
    shown.document.do(Set((*place, "buffer"), 0))
    assert shown.find(QLabel, "empty").isVisible()
    shown.document.undo()
    assert not shown.find(QLabel, "empty").isVisible()
    while shown.document.model.subgraphs[0].tensors:  # type: ignore[index]
        shown.document.do(Remove(("subgraphs", 0, "tensors"), 0))
    assert shown.find(QLabel, "empty").isVisible()


def test_copied_values(shown: Shown) -> None:
    table = shown.table
    table.setFocus()
    table.selectRow(1)
    shown.qtbot.keyClick(table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert QGuiApplication.clipboard().text() == "4\t5\t6\t7"


def test_hex_digits_overwrite_bytes(shown: Shown) -> None:
    assert isinstance(shown.open_page("Hex"), HexPage)
    page = shown.open_page("Hex").view
    pos = page.byte_rect(17).center()
    shown.qtbot.mouseClick(page.viewport(), Qt.MouseButton.LeftButton, pos=pos)
    assert page.cursor_byte == 17
    shown.qtbot.keyClicks(page, "fF0")
    assert shown.bytes_of(FILTER)[17:19] == bytes([255, 18])
    assert page.cursor_byte == 18
    shown.qtbot.keyClick(page, Qt.Key.Key_Escape)
    shown.qtbot.keyClicks(page, "a5")
    assert shown.bytes_of(FILTER)[18] == 0xA5
    assert shown.document.history.steps[-1].label == "buffer 1: byte 18 0x12 → 0xa5"
    assert shown.figure("min / max") == "-91 / 71"
    shown.document.undo()
    shown.document.undo()
    assert shown.bytes_of(FILTER) == bytes(range(72))
    shown.open_page("Values")
    assert shown.text(4, 1) == "17"


def test_hex_keys_move_and_select(shown: Shown) -> None:
    page = shown.open_page("Hex").view
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    for key, modifiers, place in [
        (Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier, 16),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, 31),
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 32),
        (Qt.Key.Key_Up, Qt.KeyboardModifier.NoModifier, 16),
        (Qt.Key.Key_End, control, 71),
        (Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier, 71),
        (Qt.Key.Key_Home, control, 0),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.NoModifier, 0),
        (Qt.Key.Key_Right, shift, 1),
        (Qt.Key.Key_Right, shift, 2),
    ]:
        shown.qtbot.keyClick(page, key, modifiers)
        assert page.cursor_byte == place
    shown.qtbot.keyClick(page, Qt.Key.Key_C, control)
    assert QGuiApplication.clipboard().text() == "00 01 02"
    shown.qtbot.keyClick(page, Qt.Key.Key_A, control)
    assert page.selected_bytes == range(72)
    for place in (0, 7, 8, 15, 16, 40):
        assert page.byte_at(page.byte_rect(place).center()) == place


def test_the_page_stays_as_long_as_it_fits(shown: Shown) -> None:
    shown.open_page("Line")
    shown.select(FLOATS)
    assert shown.current_page == "Line"
    shown.select(LABELS)
    assert shown.current_page == "Hex"
    enabled = [shown.find(QTabBar, "pages").isTabEnabled(n) for n in range(len(TITLES))]
    assert enabled == [title == "Hex" for title in TITLES]
    shown.select(FILTER)
    assert shown.current_page == "Line"


@pytest.mark.parametrize("title", TITLES)
@pytest.mark.parametrize("tensor", every(2, [FILTER, BIAS, PACKED, FLOATS, LABELS, BIG]))
def test_every_page_shows_every_kind(shown: Shown, title: str, tensor: int) -> None:
    shown.select(tensor)
    shown.open_page(title)
    shown.find(QCheckBox, "real").setChecked(True)
    dark = QPalette(QColor("#202020"), QColor("#202020"))
    shown.view.setPalette(dark)
    picture = shown.view.grab().toImage()
    assert len({picture.pixel(x, y) for x in range(0, 800, 7) for y in range(70, 300, 3)}) > 3
    shown.view.resize(600, 300)
    QApplication.processEvents()
    assert shown.view.width() == 600


def test_what_is_under_the_cursor_is_told(shown: Shown) -> None:
    for title, place, expected in [
        ("Heat map", QPointF(2.2, 3.9), "out 0, height 1, width 1, in 2: 18 = 9"),
        ("Line", QPointF(4.3, 0.0), "element 4  out 0, height 0, width 1, in 0: 4 = 2"),
        ("Histogram", QPointF(7.2, 0.5), "7: 1"),
    ]:
        page = shown.open_page(title)
        page.plot.hovered.emit(place)
        assert page.findChild(QLabel, "caption").text() == expected
        page.plot.hovered.emit(None)
        assert page.findChild(QLabel, "caption").text() == page.caption
        page.plot.hovered.emit(QPointF(-1e6, -1e6))
        assert page.findChild(QLabel, "caption").text() == page.caption


def test_plots_follow_the_palette(shown: Shown) -> None:
    page = shown.open_page("Heat map")
    dark = QPalette(QColor("#303030"), QColor("#101010"))
    shown.view.setPalette(dark)
    QApplication.sendEvent(page.plot, QEvent(QEvent.Type.PaletteChange))
    assert page.plot.backgroundBrush().color() == page.plot.palette().color(QPalette.Base)


def test_plots_follow_edits(shown: Shown) -> None:
    page = shown.open_page("Histogram")
    shown.document.do(Set(("buffers", FILTER + 1, "data"), bytes(72)))
    assert page.caption == "72 counted, each bin 1 wide"
    page = shown.open_page("Line")
    shown.document.do(Set(("buffers", FILTER + 1, "data"), bytes([3]) * 72))
    assert page._curves.curves[0].getData()[1].tolist() == [3.0] * 72
    page = shown.open_page("Heat map")
    shown.document.undo()
    assert set(page._image.image.reshape(-1).tolist()) == {126}


def test_large_buffers_are_measured_in_the_background(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "BACKGROUND_ELEMENTS", 1000)
    shown = Shown(qtbot, Document(tensor_model()), BIG)
    assert shown.figure("min / max") == "measuring…"
    page = shown.open_page("Histogram")
    assert page.caption == "counting…"
    qtbot.waitUntil(lambda: shown.figure("min / max") == "0 / 249")
    assert page.caption == "20,000 counted, each bin 1 wide"
    shown.document.do(Set(("buffers", BIG + 1, "data"), bytes(20_000)))
    shown.select(FILTER)
    assert shown.figure("min / max") == "0 / 71"
    qtbot.wait(50)
    assert shown.figure("min / max") == "0 / 71"


def test_the_view_leaves_its_document(qtbot: QtBot) -> None:
    document = Document(tensor_model())
    shown = Shown(qtbot, document)
    shown.view.deleteLater()
    qtbot.waitUntil(lambda: not document._observers)
    document.do(Set(("buffers", FILTER + 1, "data"), bytes(72)))


@pytest.mark.parametrize("tensor", [FILTER, BIAS, PACKED, FLOATS, BIG])
def test_the_value_table_is_a_sound_item_model(
    qtbot: QtBot, qtmodeltester: ModelTester, tensor: int
) -> None:
    document = Document(tensor_model())
    contents = contents_at(document.model, ("subgraphs", 0, "tensors", tensor))
    assert contents is not None
    table = ValueTable(document)
    qtmodeltester.check(table)
    table.show_grid(ValueGrid(contents))
    qtmodeltester.check(table)
    last = table.index(table.rowCount() - 1, table.columnCount() - 1)
    assert "byte" in (table.data(last, Qt.ItemDataRole.ToolTipRole) or "byte")


@pytest.mark.parametrize(
    "shape", [(), (1,), (40,), (3, 1), (2, 3, 4), (2, 1, 3, 1), (5, 2, 2)]
)
def test_cells_and_elements_are_one_to_one(shape: tuple[int, ...]) -> None:
    data = bytes(range(int(np.prod(shape))))
    model = tensor_model()
    tensor = Tensor(shape=list(shape), type=TensorType.UINT8, buffer=1)
    model.subgraphs[0].tensors[0] = tensor  # type: ignore[index]
    model.buffers[1].data = data  # type: ignore[index]
    contents = contents_at(model, ("subgraphs", 0, "tensors", 0))
    assert contents is not None
    for fixed in [
        (None,) * len(shape),
        *(((n,) + (None,) * len(shape[1:])) for n in shape[:1]),
    ]:
        grid = ValueGrid(contents, fixed=tuple(None if f is None else f - 1 for f in fixed))
        cells = {
            grid.flat_index(row, column): (row, column)
            for row in range(grid.rows)
            for column in range(grid.columns)
        }
        cells.pop(None, None)
        for flat, cell in cells.items():
            assert flat is not None
            assert grid.position(flat) == cell
        if not any(grid.fixed):
            assert len(cells) >= len(data) // max(shape[:1] or (1,))
        matrix, _, _ = grid.matrix(100)
        assert matrix.shape == (grid.rows, grid.columns)
        assert all(matrix[cell] == data[flat] for flat, cell in cells.items())


def test_a_huge_grid_keeps_below_the_limits_of_the_table() -> None:
    model = tensor_model()
    contents = contents_at(model, ("subgraphs", 0, "tensors", FLOATS))
    assert contents is not None
    for shape in [(100_000_000, 2), (3, 100_000_000), (3_000_000_000,), (5000, 5000, 5000)]:
        object.__setattr__(contents, "shape", shape)
        grid = ValueGrid(contents)
        assert grid.rows * 50 < 2**31
        assert grid.columns * 120 < 2**31


def test_only_the_newest_task_is_heard(qtbot: QtBot) -> None:
    task, heard, go = LatestTask(), [], threading.Event()
    task.finished.connect(heard.append)
    task.start(lambda cancelled: go.wait(5) and "old")
    task.start(lambda cancelled: "new")
    go.set()
    qtbot.waitUntil(lambda: bool(heard))
    qtbot.wait(20)
    assert heard == ["new"]
    assert not task.is_running


def test_a_task_that_fails_says_so_and_a_cancelled_one_does_not(qtbot: QtBot) -> None:
    task, failures = LatestTask(), []
    task.failed.connect(failures.append)

    def fail(cancelled: object) -> None:
        raise ValueError("no")

    with qtbot.waitSignal(task.failed):
        task.start(fail)
    assert [str(error) for error in failures] == ["no"]
    task.start(fail)
    task.cancel()
    qtbot.wait(20)
    assert len(failures) == 1


def test_a_task_outlives_its_owner(qtbot: QtBot) -> None:
    for _ in range(50):
        task, started = LatestTask(), threading.Event()
        told: list[bool] = []

        def work(cancelled, started=started, told=told):  # type: ignore[no-untyped-def]
            started.set()
            while not cancelled():
                pass
            told.append(True)

        task.start(work)
        assert started.wait(5)
        task.deleteLater()
        del task
        qtbot.waitUntil(lambda told=told: bool(told))  # type: ignore[misc]


def test_pyqtgraph_is_loaded_with_the_first_plot_and_not_before() -> None:
    script = (
        "import sys\n"
        "from PySide6.QtWidgets import QApplication, QTabBar\n"
        "from tests.ui.test_buffer_view import *\n"
        "application = QApplication([])\n"
        "selection = Selection()\n"
        "selection.select(('subgraphs', 0, 'tensors', 0))\n"
        "view = BufferView(Document(tensor_model()), selection)\n"
        "view.show()\n"
        "tabs = view.findChild(QTabBar, 'pages')\n"
        "for title in ('Values', 'Hex', 'Values'):\n"
        "    tabs.setCurrentIndex(TITLES.index(title))\n"
        "assert 'pyqtgraph' not in sys.modules\n"
        "tabs.setCurrentIndex(TITLES.index('Line'))\n"
        "assert 'pyqtgraph' in sys.modules\n"
    )
    root = Path(__file__).resolve().parents[2]
    subprocess.run([sys.executable, "-c", script], check=True, cwd=root, timeout=60)


def test_values_page_is_a_page(shown: Shown) -> None:
    assert isinstance(shown.view.page(0), ValuesPage)
