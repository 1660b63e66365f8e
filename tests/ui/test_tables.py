# SPDX-License-Identifier: Apache-2.0
"""The item models follow every edit: what they say they changed is all that has changed."""

import gc
import weakref
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QAbstractItemModel, QCoreApplication, QEvent, QModelIndex, Qt
from PySide6.QtWidgets import QApplication, QLineEdit
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

import tflm_studio as ts
from tests.conftest import SAMPLES, every, examples
from tests.editing.random_edits import random_edit
from tests.ui.conftest import Opener
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Insert, Move, Remove, Set
from tflm_studio.editing.set_each import SetEach
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.schema.tables import Buffer, Metadata, Model, Operator, SubGraph, Tensor
from tflm_studio.ui.app.chosen_rows import chosen_rows
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.settings import Settings
from tflm_studio.ui.app.windows import Windows
from tflm_studio.ui.models import record_table
from tflm_studio.ui.models.buffer_table import BufferTable
from tflm_studio.ui.models.history_list import HistoryList
from tflm_studio.ui.models.metadata_tables import EndsTable, MetadataTable
from tflm_studio.ui.models.operator_table import OperatorTable
from tflm_studio.ui.models.record_table import RecordTable
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tensor_table import TensorTable
from tflm_studio.ui.views.field_editors import IntegerEditor, TextEditor
from tflm_studio.ui.views.record_view import RecordView


def graph_of(window: MainWindow) -> Any:
    return window.document.model.subgraphs[0]


TABLES = (OperatorTable, TensorTable, BufferTable, MetadataTable, EndsTable)
SAMPLE = SAMPLES / "shapes_int8.tflite"


class Mirror:
    """What a view would show that reads cells only when it is told to."""

    def __init__(self, table: QAbstractItemModel) -> None:
        self.table = table
        self.rows: list[list[Any]] = []
        self.read_all()
        table.modelReset.connect(self.read_all)
        table.rowsMoved.connect(self.read_all)
        table.rowsInserted.connect(self.insert)
        table.rowsRemoved.connect(self.remove)
        table.dataChanged.connect(self.change)

    def read(self, row: int) -> list[Any]:
        return [self.table.index(row, c).data() for c in range(self.table.columnCount())]

    def read_all(self) -> None:
        self.rows = [self.read(row) for row in range(self.table.rowCount())]

    def insert(self, _: QModelIndex, first: int, last: int) -> None:
        self.rows[first:first] = [self.read(row) for row in range(first, last + 1)]

    def remove(self, _: QModelIndex, first: int, last: int) -> None:
        del self.rows[first : last + 1]

    def change(self, first: QModelIndex, last: QModelIndex) -> None:
        for row in range(first.row(), last.row() + 1):
            self.rows[row] = self.read(row)


def check_mirrors(mirrors: list[Mirror], session: Session) -> None:
    for mirror in mirrors:
        fresh = Session(session.document)
        fresh.show_subgraph(session.subgraph_index)
        twin = type(mirror.table)(fresh)
        assert mirror.rows == Mirror(twin).rows, type(mirror.table).__name__
        fresh.close()


@settings(max_examples=examples(15), deadline=None)
@given(st.randoms(use_true_random=False))
def test_no_table_is_stale_after_any_edit(qapp: QApplication, random: Random) -> None:
    document = Document(ts.load_model_from_file(SAMPLE))
    session = Session(document)
    mirrors = [Mirror(table(session)) for table in TABLES]
    for _ in range(8):
        document.do(random_edit(document.model, random))
        check_mirrors(mirrors, session)
    while document.history.can_undo:
        document.undo()
        check_mirrors(mirrors, session)
    session.close()


@pytest.mark.parametrize(
    "edit",
    [
        SetEach("subgraphs[0].tensors", "buffer", [0, 1, 3], [1, 2, 1]),
        SetEach("subgraphs[0].operators", "inputs", [0, 1], [[2, 1], [0]]),
        SetEach("subgraphs[0].tensors", "name", [0, 1], ["new", None]),
        SetEach("subgraphs[0].operators", "opcode_index", [0, 1], [1, 0]),
        SetEach("metadata", "buffer", [0], [1]),
        SetEach("operator_codes", "deprecated_builtin_code", [0], [1]),
    ],
    ids=str,
)
def test_no_table_is_stale_after_an_edit_of_many(qapp: QApplication, edit: SetEach) -> None:
    document = Document(ts.load_model_from_file(SAMPLE))
    document.model.metadata = [Metadata("m", 0)]
    session = Session(document)
    session.selection.select(("subgraphs", 0, "operators", 1))
    mirrors = [Mirror(table(session)) for table in TABLES]
    for step in (lambda: document.do(edit), document.undo, document.redo):
        step()
        check_mirrors(mirrors, session)
        assert session.selection.address == ("subgraphs", 0, "operators", 1)
    session.close()


@pytest.mark.parametrize(
    "edits",
    every(
        3,
        [
            [Set("buffers", None)],
            [Set("buffers[1].data", None)],
            [Remove("buffers", 1)],
            [Move("buffers", 1, 4)],
            [Insert("subgraphs[0].tensors", 0, Tensor(name="new"))],
            [Set("subgraphs[0].tensors", [])],
            [Set("subgraphs[0].tensors[3]", Tensor(name="other", buffer=2))],
            [Set("subgraphs[0].operators", [Operator(inputs=[0])])],
            [Move("subgraphs[0].operators", 0, 3), Remove("subgraphs[0].operators", 5)],
            [Insert("subgraphs", 0, SubGraph()), Remove("subgraphs", 1)],
            [Set("subgraphs[0]", SubGraph(name="bare"))],
            [Set("subgraphs", [])],
            [Set("operator_codes", None)],
            [Set("operator_codes[0].deprecated_builtin_code", 1)],
            [Set("subgraphs[0].operators[0].builtin_options", None)],
            [Set("metadata", None)],
            [Set("subgraphs[0].inputs", [4, -1, 99])],
            [Set("subgraphs[0].tensors[0].buffer", 2**32 - 1)],
        ],
    ),
    ids=str,
)
def test_every_panel_follows_edits_to_the_structure(
    open_sample: Opener, edits: list[Any]
) -> None:
    window = open_sample("shapes_int8.tflite")
    views = [*window.record_views, window.metadata_panel.ends, window.metadata_panel.entries]
    mirrors = [Mirror(view.table) for view in views]
    places = [
        ("subgraphs", 0, "operators", 0),
        ("subgraphs", 0, "tensors", 3),
        ("buffers", 1),
        ("metadata", 0),
        (),
    ]
    for place in every(2, places):
        window.session.selection.select(place)
        window.document.do(edits)
        check_mirrors(mirrors, window.session)
        window.grab()
        for other in places:
            window.session.selection.select(other)
        window.document.undo()
        check_mirrors(mirrors, window.session)


@pytest.mark.parametrize("table", TABLES)
def test_item_models_keep_to_the_rules(
    qtmodeltester: ModelTester, table: type[RecordTable]
) -> None:
    document = Document(ts.load_model_from_file(SAMPLE))
    session = Session(document)
    model = table(session)
    qtmodeltester.check(model, force_py=True)
    # Rows that come and go are announced when they have: the tester wants to see them before,
    # which views do not. `Mirror` looks at those.
    document.do(Set("subgraphs[0].tensors[3].name", "new"))
    document.do(Set("subgraphs[0].operators", []))
    document.do(Set("metadata[0].name", "other"))
    document.go_to(0)
    qtmodeltester.check(model, force_py=True)


def test_the_history_keeps_to_the_rules(qtmodeltester: ModelTester) -> None:
    document = Document(ts.load_model_from_file(SAMPLE))
    session = Session(document)
    history = HistoryList(session)
    for version in (4, 5, 6):
        document.do(Set("version", version))
    document.go_to(1)
    document.do(Set("version", 9))
    qtmodeltester.check(history, force_py=True)
    assert history.rowCount() == 3
    document.history.budget_bytes = 0
    document.do(Set("version", 10))
    assert history.index(0).data() == "2 earlier steps forgotten"


def test_a_held_key_adds_no_rows_to_what_is_gone_to(open_sample: Opener, qtbot: QtBot) -> None:
    window = open_sample("shapes_int8.tflite")
    view = window.operator_view
    window.session.selection.select(("subgraphs", 0, "operators", 3))
    qtbot.keyPress(view, Qt.Key.Key_Control, Qt.KeyboardModifier.ControlModifier)
    assert QApplication.keyboardModifiers() == Qt.KeyboardModifier.ControlModifier
    try:
        window.session.selection.select(("subgraphs", 0, "operators", 1))
        assert {i.row() for i in view.selectionModel().selectedRows()} == {1}
    finally:
        qtbot.keyRelease(view, Qt.Key.Key_Control)
    assert QApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier


def test_the_selection_moves_along(open_sample: Opener) -> None:
    window = open_sample("shapes_int8.tflite")
    selection, operators = window.session.selection, "subgraphs[0].operators"
    selection.select(("subgraphs", 0, "operators", 3))
    window.document.do(Insert(operators, 0, Operator()))
    assert selection.address == ("subgraphs", 0, "operators", 4)
    window.document.do(Move(operators, 4, 1))
    assert selection.address == ("subgraphs", 0, "operators", 1)
    window.document.do(Move(operators, 0, 5))
    assert selection.address == ("subgraphs", 0, "operators", 0)
    assert {i.row() for i in window.operator_view.selectionModel().selectedRows()} == {0}
    window.document.do(Remove(operators, 0))
    assert selection.address == ()


def test_marks_follow_a_rewiring(open_sample: Opener) -> None:
    window = open_sample("shapes_int8.tflite")
    window.session.selection.select(("subgraphs", 0, "operators", 0))
    window.document.do(Set("subgraphs[0].operators[0].inputs", [9, 1, 2]))
    rows = {i.row() for i in window.tensor_view.selectionModel().selectedRows()}
    assert rows == {9, 1, 2, 3}


def test_marked_rows_are_not_chosen_with_the_one_gone_to(open_sample: Opener) -> None:
    window = open_sample("shapes_int8.tflite")
    selection, view = window.session.selection, window.operator_view
    first, second = (("subgraphs", 0, "operators", k) for k in (0, 1))
    between = graph_of(window).operators[0].outputs[0]
    for gone_to in (first, second):
        selection.select(gone_to)
        selection.select(("subgraphs", 0, "tensors", between))
        assert {0, 1} <= set(view.selected_rows())
        selection.back()
        assert chosen_rows(view) == [gone_to[-1]]


def test_rows_that_a_person_chose_stay_chosen(open_sample: Opener) -> None:
    window = open_sample("shapes_int8.tflite")
    window.operator_view.select_rows([0, 2])
    window.document.do(Set("subgraphs[0].operators[0].inputs", [9, 1, 2]))
    assert chosen_rows(window.operator_view) == [2, 0]


def test_a_subgraph_that_goes_away_is_no_longer_shown(open_sample: Opener) -> None:
    window = open_sample("shapes_int8.tflite")
    window.document.do(Insert("subgraphs", 1, SubGraph(operators=[Operator()])))
    window.session.show_subgraph(1)
    assert window.operator_view.model().rowCount() == 1
    window.document.undo()
    assert window.session.subgraph_index == 0
    assert window.operator_view.model().rowCount() == 7


def test_columns_sort_by_value(open_sample: Opener) -> None:
    view = open_sample("shapes_int8.tflite").tensor_view

    def shown(column: int) -> list[str]:
        return [view.model().index(row, column).data() for row in range(17)]

    view.sortByColumn(5, Qt.SortOrder.AscendingOrder)
    assert shown(5) == sorted(shown(5), key=int)
    view.sortByColumn(2, Qt.SortOrder.DescendingOrder)
    shapes = [[int(n) for n in text.split("×")] for text in shown(2) if text != "scalar"]
    assert shapes == sorted(shapes, reverse=True)
    view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    assert shown(0) == [str(row) for row in range(17)]


def test_the_operator_with_the_largest_weights_comes_first(open_sample: Opener) -> None:
    view = open_sample("shapes_int8.tflite").operator_view
    view.sortByColumn(6, Qt.SortOrder.DescendingOrder)
    shown = [view.model().index(row, 6).data() for row in range(7)]
    sizes = [int(text.replace(",", "").replace("-", "0")) for text in shown]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 0
    assert shown[-1] == "-"


def test_a_click_on_an_input_selects_its_tensor(open_sample: Opener, qtbot: QtBot) -> None:
    window = open_sample("shapes_int8.tflite")
    ends = window.metadata_panel.ends
    window.tabs.setCurrentIndex(3)
    center = ends.visualRect(ends.model().index(1, 1)).center()
    qtbot.mouseClick(ends.viewport(), Qt.MouseButton.LeftButton, pos=center)
    assert window.session.selection.address == ("subgraphs", 0, "tensors", 16)
    window.session.selection.back()
    assert window.session.selection.address == ("subgraphs", 0, "operators", 0)


def test_closed_windows_are_forgotten(qapp: QApplication, tmp_path: Path) -> None:
    windows = Windows(Settings(tmp_path / "settings.ini"))
    alive = []
    for _ in range(3):
        window = windows.open_sample()
        window.document.do(Set("version", 4))
        window.document.undo()
        alive += [weakref.ref(window.document), weakref.ref(window)]
        window.close()
        del window
    QApplication.processEvents()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert [each() for each in alive if each() is not None] == []


def test_long_texts_are_kept_whole(qtbot: QtBot, open_sample: Opener) -> None:
    window = open_sample("shapes_int8.tflite")
    window.document.do(Set("description", "x" * 40_000))
    line = window.metadata_panel.findChild(QLineEdit, "field.description")
    assert line is not None
    assert len(line.text()) == 40_000
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert len(window.document.model.description or "") == 40_000
    assert len(window.document.history.steps[0].label) < 200
    row = next(row for row in Tensor.FIELDS if row.name == "shape")
    editor = TextEditor(row, str, str)
    qtbot.addWidget(editor)
    assert editor.line.maxLength() > 10**6


def test_spin_boxes_step_beyond_32_bits(qtbot: QtBot) -> None:
    row = next(row for row in Model.FIELDS if row.name == "version")
    editor = IntegerEditor(row)
    qtbot.addWidget(editor)
    entered: list[Any] = []
    editor.entered.connect(lambda value, run: entered.append((value, run)))
    editor.show_value(3_000_000_000)
    editor.box.stepBy(1)
    editor.box.stepBy(2_000_000_000)
    assert entered == [(3_000_000_001, True), (2**32 - 1, True)]


ODD_TEXTS = ["", "²", "٣", "9" * 5000, "nan", "inf", "\0", "-", "1e3", "0x", "x" * 70_000, "½"]


@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
def test_odd_texts_are_taken_or_refused(open_sample: Opener, text: str) -> None:
    window = open_sample("shapes_int8.tflite")
    for view in (*window.record_views, window.metadata_panel.entries):
        for column in range(view.table.columnCount()):
            index = view.table.index(1 if view.table.rowCount() > 1 else 0, column)
            if view.table.flags(index) & Qt.ItemFlag.ItemIsEditable:
                view.table.setData(index, text)
    for place in (("subgraphs", 0, "operators", 0), ("subgraphs", 0, "tensors", 1), ()):
        window.session.selection.select(place)
        for line in window.inspector.findChildren(QLineEdit):
            line.setText(text)
            line.editingFinished.emit()
    window.document.go_to(0)
    assert same_content(window.document.model, ts.load_model_from_file(SAMPLE))


def test_many_edits_to_a_large_model_are_followed_in_one_pass(qapp: QApplication) -> None:
    count = 3000
    subgraph = SubGraph(
        tensors=[Tensor(name=f"t{k}", shape=[1], buffer=0) for k in range(count + 1)],
        operators=[Operator(inputs=[k], outputs=[k + 1]) for k in range(count)],
    )
    document = Document(Model(version=3, subgraphs=[subgraph], buffers=[Buffer()]))
    session = Session(document)
    view = RecordView(OperatorTable(session), "operators")
    scans = 0
    users = view.table._users  # type: ignore[attr-defined]

    def counted(*arguments: Any) -> Any:
        nonlocal scans
        scans += 1
        return users(*arguments)

    view.table._users = counted  # type: ignore[attr-defined]
    document.do([Set(f"subgraphs[0].tensors[{k}].name", "new") for k in range(0, count, 3)])
    assert scans == 1
    session.selection.select(("buffers", 0))
    assert len(view.selectionModel().selectedRows()) <= 500
    view.filter("operator")
    session.close()
    view.deleteLater()


def test_a_long_table_shows_what_every_row_is_now(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above a number of rows, views are told at once instead of row by row."""
    monkeypatch.setattr(record_table, "MANY_ROWS", 1)
    session = Session(Document(ts.load_model_from_file(SAMPLE)))
    view = RecordView(OperatorTable(session), "operators")
    qtbot.addWidget(view)
    rows = view.model().rowCount()

    def names() -> list[str]:
        return [view.model().index(row, 1).data() for row in range(rows)]

    before = names()
    assert len(set(before)) > 1
    session.do(Move("subgraphs[0].operators", 0, rows - 1))
    assert names() == [*before[1:], before[0]]
    view.filter(before[0])
    shown = view.model().rowCount()
    assert 0 < shown < rows
    session.do(Move("subgraphs[0].operators", rows - 1, 0))
    assert view.model().index(0, 0).data() == "0"
    view.filter("")
    view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert names() == sorted(before)
    session.document.undo()
    assert names() == sorted(before)
    assert view.model().index(0, 0).data() != ""
