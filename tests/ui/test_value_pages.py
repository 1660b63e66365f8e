# SPDX-License-Identifier: Apache-2.0
"""The table pages of the buffer view: Values, Hex, Channels, Compare."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QItemSelection, QItemSelectionModel, QPointF, Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QInputDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QTabBar,
)

from tests.analysis.coded_models import (
    BLOCKS,
    DECODED,
    DECODED_VALUES,
    FILTER,
    LABELS,
    LUT,
    SCALAR,
    SIX,
    SPARSE,
    SPECIAL,
    TABLE,
    coded_model,
)
from tflm_studio.analysis import array_comparison, difference_cells
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Set, WriteBytes
from tflm_studio.formats.array_files import write_npy
from tflm_studio.model.errors import EditError
from tflm_studio.ui.models import contents_decoder
from tflm_studio.ui.models.selection import Selection
from tflm_studio.ui.models.value_grid import ValueGrid, ValueLook
from tflm_studio.ui.views.buffer_pages import PAGES
from tflm_studio.ui.views.buffer_view import BufferView
from tflm_studio.ui.views.compare_tools import FILE, MAP, TENSOR
from tflm_studio.ui.views.read_as_button import ReadAsButton
from tflm_studio.ui.views.value_tools import flat_index

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

TITLES = [page.title for page in PAGES]
NONE = Qt.KeyboardModifier.NoModifier
CONTROL = Qt.KeyboardModifier.ControlModifier


class Shown:
    """A view on a document, and how a person uses it."""

    def __init__(self, qtbot: QtBot, document: Document) -> None:
        self.qtbot, self.document, self.selection = qtbot, document, Selection()
        self.view = BufferView(document, self.selection)
        self.refused: list[str] = []
        self.view.refused.connect(self.refused.append)
        qtbot.addWidget(self.view)
        self.view.resize(1000, 400)
        self.view.show()

    def select(self, tensor: int, title: str = "Values"):  # type: ignore[no-untyped-def]
        self.selection.select(("subgraphs", 0, "tensors", tensor))
        self.view.show_page(title)
        return self.view.page(TITLES.index(title))

    def find(self, kind, name):  # type: ignore[no-untyped-def]
        found = [each for each in self.view.findChildren(kind, name) if not each.isHidden()]
        assert found, name
        return found[0]

    @property
    def note(self) -> str:
        return str(self.find(QLabel, "notice").text())

    @property
    def texts(self) -> list[list[str]]:
        table = self.view.page(0).table  # type: ignore[attr-defined]
        rows, columns = range(table.rowCount()), range(table.columnCount())
        return [[table.text(row, column) for column in columns] for row in rows]

    def mark(self, top: int, left: int, bottom: int, right: int) -> None:
        """Selects a block of cells."""
        page = self.view.page(0)
        table, view = page.table, page.view  # type: ignore[attr-defined]
        block = QItemSelection(table.index(top, left), table.index(bottom, right))
        view.setCurrentIndex(table.index(top, left))
        view.selectionModel().select(block, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        view.setFocus()

    def key(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        self.qtbot.keyClick(self.view.page(0).view, key, modifiers)  # type: ignore[attr-defined]

    def enter(self, name: str, text: str) -> None:
        field = self.find(QLineEdit, name)
        field.setFocus()
        field.selectAll()
        self.qtbot.keyClicks(field, text)
        self.qtbot.keyClick(field, Qt.Key.Key_Return)

    def values(self, tensor: int) -> np.ndarray:
        found = contents_at(self.document.model, ("subgraphs", 0, "tensors", tensor))
        assert found is not None
        found = found if found.decoding is None else found.decoding()
        return found.values().reshape(found.shape)


@pytest.fixture
def shown(qtbot: QtBot) -> Shown:
    return Shown(qtbot, Document(coded_model()))


# -------------------------------------------------------------------- every type


def test_decoded_tensors_are_shown_and_say_why_they_are_read_only(shown: Shown) -> None:
    shown.select(SPARSE)
    assert shown.texts == [["1", "0", "0", "2"], ["0", "0", "3", "0"], ["0", "0", "0", "4"]]
    assert shown.note.startswith("Stored sparse, shown dense. Values are read-only")
    page = shown.select(DECODED)
    assert shown.texts[0] == [str(value) for value in DECODED_VALUES]
    assert not page.table.flags(page.table.index(0, 0)) & Qt.ItemFlag.ItemIsEditable
    shown.mark(0, 0, 0, 1)
    shown.key(Qt.Key.Key_Delete)
    assert not shown.document.history.steps
    assert shown.select(LUT, "Hex").view.data == bytes([0b00011011, 0b11100100])


def test_decoded_values_follow_what_they_are_made_from(shown: Shown) -> None:
    shown.select(LUT)
    assert shown.texts[0] == ["-5", "-1", "2", "7"]
    buffer = shown.document.model.subgraphs[0].tensors[TABLE].buffer  # type: ignore[index]
    shown.document.do(WriteBytes(("buffers", buffer, "data"), 0, b"\x64"))
    assert shown.texts[0] == ["100", "-1", "2", "7"]
    shown.document.undo()
    assert shown.texts[0] == ["-5", "-1", "2", "7"]
    shape = ("subgraphs", 0, "tensors", SPARSE, "shape")
    shown.select(SPARSE)
    shown.document.do(Set(shape, [3, 3]))
    assert "sparsity makes no sense" in shown.note
    assert shown.texts == [["1", "2", "3", "4"]]


def test_large_tensors_are_decoded_in_the_background(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents_decoder, "DECODED_AT_ONCE", 1)
    shown.select(LUT)
    assert shown.note.startswith("Decoding…")
    shown.qtbot.waitUntil(lambda: shown.texts[0] == ["-5", "-1", "2", "7"])
    assert "Decoding" not in shown.note
    shown.document.model.subgraphs[0].tensors[SPARSE].shape = [3, 3]  # type: ignore[index]
    shown.select(SPARSE)
    shown.qtbot.waitUntil(lambda: "sparsity makes no sense" in shown.note)


def test_texts_are_rows_and_can_be_typed(shown: Shown) -> None:
    page = shown.select(LABELS)
    assert [row[0] for row in shown.texts] == ["yes", "no", "zwölf", "", "\\xff"]
    assert page.table.setData(page.table.index(3, 0), "new, text")
    assert shown.values(LABELS)[3] == b"new, text"
    assert shown.texts[3] == ["new, text"]
    shown.document.undo()
    assert shown.texts[3] == [""]


def test_blocks_have_reals(shown: Shown) -> None:
    page = shown.select(BLOCKS)
    shown.find(QCheckBox, "real").setChecked(True)
    assert shown.texts[0][3:5] == ["-2.5", "-4"]
    assert page.table.setData(page.table.index(1, 0), "-6")
    assert shown.values(BLOCKS)[1, 0] == -3


def test_bytes_are_read_from_an_offset_in_a_shape(shown: Shown) -> None:
    shown.selection.select(("buffers", len(shown.document.model.buffers or []) - 1))
    shown.view.show_page("Values")
    shown.find(QComboBox, "type").setCurrentText("uint16")
    button = shown.find(ReadAsButton, "read_as")
    button.offset_field.setText("0x4")
    button.shape_field.setText("2x3")
    shown.qtbot.mouseClick(
        button.findChild(QPushButton, "read_take"), Qt.MouseButton.LeftButton
    )
    assert button.text() == "at 0x4, 2×3"
    wanted = np.frombuffer(bytes(range(4, 16)), "<u2").reshape(2, 3)
    assert shown.texts == [[str(value) for value in row] for row in wanted]
    table = shown.view.page(0).table  # type: ignore[attr-defined]
    assert table.setData(table.index(1, 2), "0")
    buffer = shown.document.model.buffers[-1]  # type: ignore[index]
    assert bytes(buffer.data or b"")[13:17] == bytes([13, 0, 0, 16])
    assert shown.texts[1][2] == "0"
    button.offset_field.setText("here")
    button._take()
    assert "is no offset" in button.problem.text()
    shown.qtbot.mouseClick(
        button.findChild(QPushButton, "read_reset"), Qt.MouseButton.LeftButton
    )
    assert len(shown.texts) == 2
    assert len(shown.texts[0]) == 16


def test_pages_show_every_form(shown: Shown) -> None:
    shown.view.resize(480, 400)
    for title in TITLES:
        shown.select(SPARSE, title)
        assert not shown.view.grab().isNull()
    for tensor in (LABELS, BLOCKS, SCALAR, SPECIAL, SIX):
        for title in ("Values", "Channels", "Compare", "Hex"):
            shown.select(tensor, title)
            assert not shown.view.grab().isNull()
    assert shown.view.width() == 480
    assert not shown.refused


# -------------------------------------------------------------------- the slicer


def test_axes_run_where_they_are_wanted(shown: Shown) -> None:
    shown.select(FILTER)
    array = shown.values(FILTER)
    columns = shown.find(QComboBox, "columns")
    columns.setCurrentIndex(columns.findText("columns: out"))
    columns.activated.emit(columns.currentIndex())
    wanted = array.transpose(1, 2, 3, 0).reshape(-1, 2)
    assert shown.texts == wanted.astype(str).tolist()
    rows = shown.find(QComboBox, "rows")
    rows.setCurrentIndex(rows.findText("rows: in"))
    rows.activated.emit(rows.currentIndex())
    shown.find(QSpinBox, "axis_2").setValue(2)
    assert shown.texts == array[:, 0, 2, :].T.astype(str).tolist()
    page = shown.view.page(0)
    assert page.table.setData(page.table.index(3, 1), "-1")  # type: ignore[attr-defined]
    assert shown.values(FILTER)[1, 0, 2, 3] == -1
    rows = shown.find(QComboBox, "rows")
    rows.setCurrentIndex(rows.findText("rows: out"))  # that columns run along now
    rows.activated.emit(rows.currentIndex())
    assert shown.texts == shown.values(FILTER)[:, 0, 0, :].astype(str).tolist()


@pytest.mark.parametrize("down", [None, 0, 1, 3])
@pytest.mark.parametrize("across", [None, 0, 2, 5])
def test_cells_of_any_slice_are_the_elements_they_say(
    down: int | None, across: int | None
) -> None:
    contents = contents_at(coded_model(), ("subgraphs", 0, "tensors", SIX))
    assert contents is not None
    grid = ValueGrid(contents, fixed=(None, 2, None, 1, 3, None), down=down, across=across)
    assert grid.column_axis == (5 if across is None else across)
    seen = set()
    for row in range(0, grid.rows, 3):
        for column in range(grid.columns):
            flat = grid.flat_index(row, column)
            assert flat is not None
            assert grid.position(flat) == (row, column)
            indices = grid.indices(flat)
            assert all(f in (None, i) for f, i in zip(grid.fixed, indices, strict=True))
            assert grid.row_label(row) == ", ".join(str(indices[a]) for a in grid.row_axes)
            seen.add(flat)
    block = grid.flat_indices(range(0, grid.rows, 1), range(grid.columns))
    assert seen <= set(block.reshape(-1).tolist())
    assert grid.showing(719).position(719) is not None


def test_going_to_an_element_moves_the_slice(shown: Shown) -> None:
    page = shown.select(FILTER)
    shown.find(QSpinBox, "axis_0").setValue(0)
    shown.enter("go_to_element", "1,2,0,3")
    assert shown.find(QSpinBox, "axis_0").value() == 1
    current = page.view.currentIndex()
    assert page.table.text(current.row(), current.column()) == "63"
    shown.enter("go_to_element", "9,0,0,0")
    assert shown.refused == ["Index 9 of axis 0 is beyond the last, 1."]
    assert shown.note == shown.refused[0]
    for text, shape, wanted in (("5", (2, 3), 5), ("[1, 2]", (2, 3), 5), ("0", (), 0)):
        assert flat_index(text, shape) == wanted
    for text in ("", "x", "1,2,3", "6", "9" * 30):
        with pytest.raises(EditError):
            flat_index(text, (2, 3))


# -------------------------------------------------------------------- looks and edits


def test_looks_change_what_is_shown_and_nothing_else(shown: Shown) -> None:
    page = shown.select(FILTER)
    page.tools.set_look(ValueLook(decimals=3, has_both=True, has_colours=True))
    assert shown.texts[9][1] == "37  (74.000)"
    assert page.table.index(9, 1).data(Qt.ItemDataRole.EditRole) == "37"
    assert page.delegate.scale == (0.0, 71.0)
    colours = shown.view.grab().toImage()
    page.tools.set_look(ValueLook())
    assert shown.view.grab().toImage() != colours
    shown.mark(9, 1, 9, 1)
    page.copy_selection()
    assert QGuiApplication.clipboard().text() == "37"
    shown.select(SPECIAL)
    page.tools.set_look(ValueLook(decimals=3))
    assert shown.texts == [["0.100", "nan", "inf"], ["-inf", "-0.000", "3.000e+38"]]


def test_looks_are_remembered(shown: Shown) -> None:
    page = shown.select(FILTER)
    page.tools.colours.trigger()
    page.tools._decimals[6].trigger()
    made = shown.view.choices.made
    assert made == {"values.decimals": "6", "values.both": "", "values.colours": "yes"}
    other = Shown(shown.qtbot, Document(coded_model()))
    other.view.restore_choices(made)
    assert other.select(FILTER).table.look == ValueLook(6, False, True)


def test_a_selection_is_filled_cleared_and_pasted_over_in_one_step(shown: Shown) -> None:
    page, before = shown.select(FILTER), shown.values(FILTER).copy()
    shown.mark(1, 1, 3, 2)
    shown.key(Qt.Key.Key_7)
    editor = QApplication.focusWidget()
    assert isinstance(editor, QLineEdit)
    shown.qtbot.keyClick(editor, Qt.Key.Key_Return, CONTROL)
    flat = before.reshape(18, 4).copy()
    flat[1:4, 1:3] = 7
    assert (shown.values(FILTER).reshape(18, 4) == flat).all()
    assert shown.document.history.steps[-1].label == "tensor 0 fill 6 values with 7".replace(
        "0", str(FILTER)
    )
    shown.mark(2, 0, 2, 3)
    shown.key(Qt.Key.Key_Delete)
    flat[2] = 0
    assert (shown.values(FILTER).reshape(18, 4) == flat).all()
    QGuiApplication.clipboard().setText("1\t2\n-3\t4\n")
    shown.mark(0, 2, 0, 2)
    shown.key(Qt.Key.Key_V, CONTROL)
    flat[0:2, 2:4] = [[1, 2], [-3, 4]]
    assert (shown.values(FILTER).reshape(18, 4) == flat).all()
    assert len(shown.document.history.steps) == 3
    shown.mark(16, 2, 17, 3)
    page.copy_selection()
    assert QGuiApplication.clipboard().text() == "66\t67\n70\t71"
    while shown.document.history.can_undo:
        shown.document.undo()
    assert (shown.values(FILTER) == before).all()


def test_what_cannot_be_pasted_names_the_cell_and_changes_nothing(shown: Shown) -> None:
    shown.select(FILTER)
    for text, reason in (
        ("1\t2\n3\t300", "[1, 2, 2, 3]: 300 does not fit int8"),
        ("1\t2\t3", "there is room for 2 × 2"),
        ("1\n2\n3", "there is room for 2 × 2"),
        ("1\t2\n3", "Line 2 of what is pasted has 1 value"),
    ):
        QGuiApplication.clipboard().setText(text)
        shown.mark(16, 2, 16, 2)
        shown.key(Qt.Key.Key_V, CONTROL)
        assert reason in shown.refused[-1]
    assert not shown.document.history.steps


def test_a_list_goes_on_in_the_next_line_when_it_is_pasted(shown: Shown) -> None:
    shown.selection.select(("buffers", len(shown.document.model.buffers or []) - 1))
    shown.view.show_page("Values")
    QGuiApplication.clipboard().setText("9\n8\n7\n6")
    shown.mark(0, 14, 0, 14)
    shown.key(Qt.Key.Key_V, CONTROL)
    assert shown.texts[0][14:] == ["9", "8"]
    assert shown.texts[1][:2] == ["7", "6"]
    shown.mark(2, 6, 2, 6)
    shown.key(Qt.Key.Key_V, CONTROL)
    assert shown.refused == ["4 values are pasted; from 38 on there are 2."]


def test_reals_are_filled_by_the_scale_of_each_channel(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = shown.select(FILTER)
    shown.find(QCheckBox, "real").setChecked(True)
    page.view.selectAll()
    monkeypatch.setattr(QInputDialog, "getText", lambda *_: ("4", True))
    page.ask_fill()
    found = shown.values(FILTER).reshape(2, -1)
    assert (found == [[8], [2]]).all()


def test_copies_for_numpy_and_c(shown: Shown) -> None:
    page = shown.select(FILTER)
    shown.mark(0, 0, 1, 1)
    page.copy_numpy()
    assert QGuiApplication.clipboard().text() == "np.array([[0, 1],\n [4, 5]], dtype=np.int8)"
    page.copy_c()
    assert "const int8_t g_filter[2][2]" in QGuiApplication.clipboard().text()


# -------------------------------------------------------------------- hex


def test_the_inspector_reads_and_writes_at_the_cursor(shown: Shown) -> None:
    page = shown.select(FILTER, "Hex")
    page.view.move_cursor(8)
    assert page.inspector.fields["i16"].text() == "2312"
    page.inspector.big.setChecked(True)
    assert page.inspector.fields["i16"].text() == "2057"
    page.inspector.big.setChecked(False)
    shown.enter("as_f32", "1.5")
    assert bytes(page.view.data[8:12]) == np.float32(1.5).tobytes()
    assert len(shown.document.history.steps) == 1
    assert page.inspector.fields["binary"].text() == "00000000"
    shown.enter("as_i8", "300")
    assert "does not fit int8" in shown.refused[-1]
    assert len(shown.document.history.steps) == 1
    page.view.move_cursor(71)
    assert not page.inspector.fields["i16"].isEnabled()


def test_offsets_and_bytes_are_gone_to(shown: Shown) -> None:
    page = shown.select(FILTER, "Hex")
    shown.enter("go_to_offset", "0x10")
    assert page.view.cursor_byte == 16
    shown.enter("go_to_offset", "72")
    assert "0x48 is not here; these bytes are 0x0 to 0x47" in shown.refused[-1]
    shown.enter("find_bytes", "20 21")
    assert page.view.selected_bytes == range(32, 34)
    assert shown.view.findChild(QLabel, "notice").isHidden()
    shown.enter("find_bytes", "'AB'")
    assert page.view.selected_bytes == range(65, 67)
    shown.enter("find_bytes", "ff ff")
    assert "is nowhere" in shown.refused[-1]


def test_hex_is_pasted_over_bytes_as_one_step(shown: Shown) -> None:
    page = shown.select(FILTER, "Hex")
    page.view.move_cursor(70)
    QGuiApplication.clipboard().setText("0xaa, 0xbb")
    shown.qtbot.keyClick(page.view, Qt.Key.Key_V, CONTROL)
    assert bytes(page.view.data[70:]) == b"\xaa\xbb"
    assert len(shown.document.history.steps) == 1
    QGuiApplication.clipboard().setText("00 11 22")
    shown.qtbot.keyClick(page.view, Qt.Key.Key_V, CONTROL)
    assert "run past the end" in shown.refused[-1]


# -------------------------------------------------------------------- channels


def test_channels_are_sorted_and_choose_a_slice(shown: Shown) -> None:
    page = shown.select(FILTER, "Channels")
    titles = [column.title for column in page.table.columns]
    assert titles == [
        *"out scale".split(),
        "zero point",
        *"min max mean std zeros saturated".split(),
        "used range",
    ]
    view = page.view
    view.sortByColumn(titles.index("mean"), Qt.SortOrder.DescendingOrder)
    assert [page.table.channel(row) for row in range(2)] == [1, 0]
    assert page.table.index(0, titles.index("max")).data() == "71"
    view.clicked.emit(page.table.index(0, 0))
    assert shown.view.grid is not None
    assert shown.view.grid.fixed[0] == 1
    shown.view.choose_channel(0)  # as a click among the kernels does
    marked = [index.row() for index in view.selectionModel().selectedRows()]
    assert [page.table.channel(row) for row in marked] == [0]
    view.clicked.emit(page.table.index(0, 0))
    page.copy_rows()
    lines = QGuiApplication.clipboard().text().split("\n")
    assert lines[0] == "\t".join(titles)
    assert lines[1].startswith("1\t2\t0\t36\t71")
    shown.find(QComboBox, "channel_axis").setCurrentIndex(3)
    assert page.table.rowCount() == 4
    assert "scale" not in [column.title for column in page.table.columns]
    view.clicked.emit(page.table.index(2, 0))
    assert shown.view.grid.fixed[3] == page.table.channel(2)
    assert shown.view.grid.column_axis == 2
    shown.document.do(
        Set(("buffers", shown.view.grid.contents.buffer_index, "data"), bytes(72))
    )
    assert page.table.index(0, 1).data() == "0"


def test_channels_are_measured_in_the_background(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tflm_studio.ui.views.channels_page.BACKGROUND_ELEMENTS", 10)
    page = shown.select(FILTER, "Channels")
    assert page.caption.text() == "measuring…"
    shown.qtbot.waitUntil(lambda: page.table.rowCount() == 2)


# -------------------------------------------------------------------- compare


def test_compared_with_the_file_as_opened(qtbot: QtBot, tmp_path: Path) -> None:
    source = Document(coded_model())
    source.save_as(tmp_path / "m.tflite")
    shown = Shown(qtbot, Document.open(tmp_path / "m.tflite"))
    page = shown.select(FILTER, "Compare")
    qtbot.waitUntil(lambda: page.note.text() == "All values are equal.")
    table = shown.select(FILTER).table
    assert table.setData(table.index(4, 1), "-17")
    shown.select(FILTER, "Compare")
    qtbot.waitUntil(lambda: page.list.rowCount() == 1)
    assert [page.list.item(0, k).text() for k in range(4)] == [
        "0, 1, 1, 1",
        "-17",
        "17",
        "-34",
    ]
    assert page.figures.figures["changed"].text() == "1 of 72 (1.39 %)"
    shown.find(QComboBox, "compare_view").setCurrentText(MAP)
    assert page._map.describe is not None
    assert page.stack.currentWidget() is page._map
    shown.document.undo()
    qtbot.waitUntil(lambda: page.note.text() == "All values are equal.")


def test_very_many_differences_are_drawn_in_cells(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(array_comparison, "MOST_MAPPED", 10)
    monkeypatch.setattr(difference_cells, "MOST_CELLS", 12)
    Document(coded_model()).save_as(tmp_path / "m.tflite")
    shown = Shown(qtbot, Document.open(tmp_path / "m.tflite"))
    table = shown.select(FILTER).table
    assert table.setData(table.index(4, 1), "-17")
    page = shown.select(FILTER, "Compare")
    shown.find(QComboBox, "compare_view").setCurrentText(MAP)
    qtbot.waitUntil(lambda: page.stack.currentWidget() is page._map)
    cells = page._found.comparison.cells
    drawn = page._map.grid.contents
    assert drawn.shape == cells.largest.shape
    assert drawn.count <= 12
    assert sorted(drawn.values().tolist())[-2:] == [0, 34]
    told = page._map.describe(QPointF(0, 0))
    assert told.startswith(
        f"block of {cells.height} rows 0, block of {cells.width} columns 0: "
    )


def test_compared_with_tensors_and_files(
    shown: Shown, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = shown.select(TABLE, "Compare")
    shown.qtbot.waitUntil(lambda: "not opened from a file" in page.note.text())
    monkeypatch.setattr(QInputDialog, "getItem", lambda *args: (args[3][-1], True))
    page._choose(TENSOR)
    shown.qtbot.waitUntil(lambda: page.list.rowCount() > 0)
    assert shown.find(QComboBox, "compare_source").currentText().startswith("with ")
    write_npy(tmp_path / "w.npy", np.array([-5, -1, 2, 9]))
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "w.npy"), "")
    )
    page._choose(FILE)
    shown.qtbot.waitUntil(lambda: page.figures.figures["largest"].text() == "2")
    write_npy(tmp_path / "w.npy", np.zeros(3))
    page._choose(FILE)
    shown.qtbot.waitUntil(lambda: "The shapes differ: 4 here, 3 there" in page.note.text())
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: ("", ""))
    page._choose(FILE)
    assert page.tools.source == FILE


def test_tabs_of_pages_are_those_that_fit(shown: Shown) -> None:
    tabs = shown.find(QTabBar, "pages")
    for tensor, fitting, others in (
        (LABELS, {"Values", "Hex"}, {"Histogram", "Channels", "Compare"}),
        (SCALAR, {"Values", "Histogram", "Compare", "Hex"}, {"Channels"}),
    ):
        shown.select(tensor)
        enabled = {title for k, title in enumerate(TITLES) if tabs.isTabEnabled(k)}
        assert fitting <= enabled
        assert not others & enabled


def test_values_chosen_in_another_reading_are_not_those_of_the_tensor(shown: Shown) -> None:
    page = shown.select(FILTER)
    page.view.selectAll()
    chosen = shown.view.chosen()
    assert chosen is not None
    assert len(chosen) == 72
    shown.find(ReadAsButton, "read_as").offset_field.setText("0x10")
    shown.find(ReadAsButton, "read_as")._take()
    assert page.table.grid is not None
    assert page.table.grid.contents.first_byte == 16
    page.view.selectAll()
    assert shown.view.chosen() is None
