# SPDX-License-Identifier: Apache-2.0
"""Finding, going, copying, pasting and editing by keys, as people do."""

from __future__ import annotations

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QPalette
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
)
from pytestqt.qtbot import QtBot

import tflm_studio as ts
from tests.ui.conftest import Opener
from tflm_studio.model.schema import SubGraph
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.views.find_field import help_text
from tflm_studio.ui.views.go_to_dialog import GoToDialog
from tflm_studio.ui.views.record_view import RecordView

Key, Held = Qt.Key, Qt.KeyboardModifier


def rows(view: RecordView) -> list[int]:
    proxy = view.proxy
    return [proxy.mapToSource(proxy.index(row, 0)).row() for row in range(proxy.rowCount())]


def find(window: MainWindow, text: str) -> list[int]:
    window.find_field.setText(text)
    view = window.tabs.currentWidget()
    assert isinstance(view, RecordView)
    return rows(view)


def note(window: MainWindow) -> QLabel:
    return window.find_bar.note


def graph(window: MainWindow) -> SubGraph:
    return (window.document.model.subgraphs or [])[0]


def column_of(view: RecordView, title: str) -> int:
    return [column.title for column in view.table.columns].index(title)


def go_to_cell(view: RecordView, row: int, title: str) -> None:
    view.setFocus()
    view.setCurrentIndex(view.proxy.index(row, column_of(view, title)))


def cell_now(view: RecordView) -> tuple[int, str]:
    index = view.currentIndex()
    return index.row(), view.table.columns[index.column()].title


def editor_in(view: RecordView) -> Any:
    editors = [
        widget
        for kind in (QLineEdit, QComboBox)
        for widget in view.viewport().findChildren(kind)
        if widget.isVisible()
    ]
    return editors[-1] if editors else None


def trigger(window: MainWindow, name: str) -> None:
    action = window.findChild(QAction, name)
    assert action is not None
    action.trigger()


# ------------------------------------------------------------------ finding


@pytest.mark.parametrize(
    ("tab", "text", "expected"),
    [
        (0, "conv2d", [0, 1, 2]),
        (0, "CONV_2D", [0, 1, 2]),
        (0, "conv2d -depthwise", [0, 2]),
        (0, "name:=conv2d", [0, 2]),
        (0, "relu 3x3", [0, 1]),
        (0, "inputs:3", [1]),
        (0, "weights:1", [0]),
        (0, ">100", None),
        (0, "2", [2]),
        (0, "#0 #6", [0, 6]),
        (0, "shape:1x16", [3, 4]),
        (0, "shape:=1×16", [4]),
        (1, "int32", None),
        (1, "type:int8 -kind:constant", None),
        (1, "buffer:0", None),
        (2, "=0", None),
        (2, "index:<2", [0, 1]),
    ],
)
def test_rows_are_found(
    unchanged: MainWindow, tab: int, text: str, expected: list[int] | None
) -> None:
    window = unchanged
    window.tabs.setCurrentIndex(tab)
    shown = find(window, text)
    if expected is None:
        view = window.record_views[tab]
        assert 0 < len(shown) < view.table.rowCount()
    else:
        assert shown == expected
    assert not window.find_bar.note.text()


def test_sizes_are_those_of_the_data(unchanged: MainWindow) -> None:
    window = unchanged
    tensors, buffers = graph(window).tensors or [], window.document.model.buffers or []
    window.tabs.setCurrentIndex(1)
    constant = [k for k, t in enumerate(tensors) if buffers[t.buffer].data is not None]
    assert find(window, "kind:constant >60") == [
        k for k in constant if len(buffers[tensors[k].buffer].data or b"") > 60
    ]
    # What is made when the model runs is as large as its shape says.
    assert find(window, "-kind:constant =256") == [0, 9]
    window.tabs.setCurrentIndex(0)
    weights = sum(len(buffers[tensors[k].buffer].data or b"") for k in (1, 2))
    assert 0 in find(window, f"={weights}")


def test_a_type_is_not_part_of_another(window: MainWindow) -> None:
    window.document.do(ts.edits.Set("subgraphs[0].tensors[0].type", 3))  # uint8
    window.tabs.setCurrentIndex(1)
    assert find(window, "uint8") == [0]
    assert 0 not in find(window, "int8")
    window.tabs.setCurrentIndex(0)
    assert find(window, "uint8") == [0], "the operator that reads it"


def test_a_wrong_query_says_so_and_shows_all(unchanged: MainWindow) -> None:
    window = unchanged
    assert len(find(window, "kind:constant")) == 7
    assert note(window).text() == "There is no column 'kind' here."
    red = window.palette().brightText().color()
    assert window.find_field.palette().color(QPalette.ColorRole.Text) == red
    window.tabs.setCurrentIndex(1)
    assert note(window).text() == ""
    assert 0 < window.tensor_view.proxy.rowCount() < 17
    assert window.find_field.palette().color(QPalette.ColorRole.Text) != red


def test_an_error_message_leads_to_what_it_names(unchanged: MainWindow) -> None:
    window = unchanged
    window.tabs.setCurrentIndex(2)
    window.find_field.setText("Node CONV_2D (number 2f) failed to prepare with status 1")
    assert window.tabs.currentIndex() == 0
    assert rows(window.operator_view) == [2]
    assert note(window).text() == "Operator 2"
    window.find_field.setText("ERROR: Input tensor 4 lacks data")
    assert window.tabs.currentIndex() == 1
    assert rows(window.tensor_view) == [4]
    window.tabs.setCurrentIndex(0)
    assert len(rows(window.operator_view)) == 7, "a message about a tensor hides no operator"
    window.find_field.setText("Didn't find op for builtin opcode 'CONV_2D' version '3'")
    assert rows(window.operator_view) == [0, 2]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Node number 2 (CONV_2D) failed to prepare.", "Operator 2"),
        ("Node number 2 (ADD) failed to prepare.", "Operator 2 is CONV_2D, not ADD."),
        ("Node number 99 (ADD) failed to prepare.", "There is no operator 99 here."),
        ("tensor 99", "There is no tensor 99 here: try inputs:99 on operators."),
        ("buffer 3", "Buffer 3"),
    ],
)
def test_a_message_of_another_model_is_told(
    unchanged: MainWindow, text: str, said: str
) -> None:
    window = unchanged
    window.find_field.setText(text)
    assert note(window).text() == said


def test_no_row_fits_is_said_in_the_table(unchanged: MainWindow, qtbot: QtBot) -> None:
    window = unchanged
    view = window.operator_view
    assert not view.empty_note.isVisible()
    assert find(window, "no such thing") == []
    assert view.empty_note.isVisible()
    assert window.tabs.tabText(0) == "Operators  0 of 7"
    button = view.empty_note.findChild(QPushButton, "clear_filter")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.find_field.text() == ""
    assert not view.empty_note.isVisible()
    assert view.proxy.rowCount() == 7


def test_each_row_is_put_together_once(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = window.operator_view
    asked: list[int] = []

    def ask(row: int) -> str:
        asked.append(row)
        return str(row)

    monkeypatch.setattr(view.proxy._rows, "_found_as", [ask] * 8)
    for typed in ("a", "a 1", "name:1", "name:12 -x", ">1", ""):
        find(window, typed)
    assert 0 < len(asked) <= 7 * 8


def test_rows_are_prepared_before_anything_is_typed(window: MainWindow, qtbot: QtBot) -> None:
    texts = window.operator_view.proxy._rows._texts
    assert not texts
    window.activateWindow()
    trigger(window, "edit.find")
    qtbot.waitUntil(lambda: len(texts) == 7)


def test_an_edit_may_bring_a_row_that_fits(window: MainWindow) -> None:
    window.tabs.setCurrentIndex(1)
    assert find(window, "name:brandnew") == []
    window.document.do(ts.edits.Set("subgraphs[0].tensors[3].name", "brandnew"))
    assert rows(window.tensor_view) == [3]
    assert not window.tensor_view.empty_note.isVisible()
    window.document.undo()
    assert rows(window.tensor_view) == []
    assert window.tensor_view.empty_note.isVisible()


def test_the_tables_of_metadata_are_filtered_too(window: MainWindow) -> None:
    panel = window.metadata_panel
    window.tabs.setCurrentIndex(3)
    window.find_field.setText("min_runtime")
    assert rows(panel.entries) == [0]
    assert rows(panel.ends) == []
    assert panel.ends.empty_note.isVisible()
    assert panel.entries.isVisible()
    window.find_field.setText("zero:>0")
    assert note(window).text() == "", "one of the tables has such a column"
    window.find_field.setText("nothing:here")
    assert "nothing" in note(window).text()
    window.find_field.clear()
    assert len(rows(panel.ends)) == panel.ends.table.rowCount()


def test_enter_leads_to_the_rows(window: MainWindow, qtbot: QtBot) -> None:
    trigger(window, "edit.find")
    qtbot.keyClicks(window.find_field, "depthwise")
    qtbot.keyClick(window.find_field, Key.Key_Return)
    assert window.operator_view.hasFocus()
    assert window.session.selection.address == ("subgraphs", 0, "operators", 1)


def test_help_says_what_can_be_typed(unchanged: MainWindow, qtbot: QtBot) -> None:
    window = unchanged
    button = window.findChild(QToolButton, "find_help")
    assert button is not None
    button.click()
    popup = QApplication.activePopupWidget()
    assert popup is not None
    assert "&gt;1k" in help_text() or ">1k" in help_text()
    popup.close()


# ------------------------------------------------------------------ going


@pytest.mark.parametrize(
    ("text", "address", "tab"),
    [
        ("t5", ("subgraphs", 0, "tensors", 5), 1),
        ("op 3", ("subgraphs", 0, "operators", 3), 0),
        ("buffer 4", ("buffers", 4), 2),
        ("min_runtime", ("metadata", 0), 3),
        ("Node number 6 (SOFTMAX) failed to invoke.", ("subgraphs", 0, "operators", 6), 0),
    ],
)
def test_going_to_a_place(
    unchanged: MainWindow,
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    address: tuple[str | int, ...],
    tab: int,
) -> None:
    window = unchanged

    def answer(dialog: GoToDialog) -> int:
        dialog.show()
        qtbot.keyClicks(dialog.field, text)
        qtbot.keyClick(dialog.field, Key.Key_Return)
        return dialog.result()

    monkeypatch.setattr(GoToDialog, "exec", answer)
    window.find_field.setText("no such thing")
    trigger(window, "go.to")
    assert window.session.selection.address == address
    assert window.tabs.currentIndex() == tab
    if tab < 3:
        view = window.record_views[tab]
        assert view.selected_rows() == [address[-1]]
        assert view.hasFocus()


def test_choosing_among_several_places(unchanged: MainWindow, qtbot: QtBot) -> None:
    window = unchanged
    dialog = GoToDialog(window.session, window)
    qtbot.addWidget(dialog)
    dialog.show()
    ok = dialog.buttons.buttons()[0]
    assert not ok.isEnabled()
    qtbot.keyClicks(dialog.field, "3")
    qtbot.keyClick(dialog.field, Key.Key_Down)
    assert dialog.address == ("subgraphs", 0, "tensors", 3)
    assert ok.isEnabled()
    dialog.field.setText("nothing of the kind")
    assert dialog.address is None
    assert not ok.isEnabled()
    assert "nothing called" in dialog.note.text()
    qtbot.keyClick(dialog.field, Key.Key_Return)
    assert dialog.isVisible(), "there is nowhere to go"


# ------------------------------------------------------------------ copying


def clipboard() -> str:
    return QApplication.clipboard().text()


def test_copying_as_markdown_and_text(unchanged: MainWindow) -> None:
    window = unchanged
    view = window.operator_view
    view.select_rows([0, 2])
    trigger(window, "edit.copy_markdown")
    lines = clipboard().splitlines()
    assert lines[0].startswith("|   # | Name")
    assert [line.split("|")[1].strip() for line in lines[2:]] == ["0", "2"]
    trigger(window, "edit.copy_text")
    assert clipboard().splitlines()[2].split()[:2] == ["0", "Conv2D"]


def test_without_a_selection_all_shown_rows_are_copied(unchanged: MainWindow) -> None:
    window = unchanged
    view = window.operator_view
    find(window, "conv2d")
    view.clearSelection()
    trigger(window, "edit.copy")
    assert [line.split("\t")[0] for line in clipboard().splitlines()] == ["0", "1", "2"]


def test_columns_are_copied_as_they_are_shown(unchanged: MainWindow) -> None:
    window = unchanged
    view = window.operator_view
    header = view.horizontalHeader()
    header.moveSection(header.visualIndex(1), 0)
    view.setColumnHidden(0, True)
    view.selectRow(0)
    trigger(window, "edit.copy")
    assert clipboard().startswith("Conv2D\t3x3")


def test_the_table_with_the_focus_is_copied(window: MainWindow) -> None:
    window.tabs.setCurrentIndex(3)
    window.metadata_panel.entries.setFocus()
    window.metadata_panel.entries.selectRow(0)
    trigger(window, "edit.copy")
    assert clipboard().startswith("min_runtime_version\t")


# ------------------------------------------------------------------ pasting


def paste(window: MainWindow, qtbot: QtBot, view: RecordView, text: str) -> None:
    QApplication.clipboard().setText(text)
    qtbot.keyClick(view, Key.Key_V, Held.ControlModifier)


def test_pasting_into_a_cell(window: MainWindow, qtbot: QtBot) -> None:
    view = window.operator_view
    go_to_cell(view, 1, "Inputs")
    before = list((graph(window).operators or [])[1].inputs or [])
    paste(window, qtbot, view, "0\n")
    assert (graph(window).operators or [])[1].inputs == [0, *before[1:]]
    assert len(window.document.history.steps) == 1
    window.document.undo()
    assert (graph(window).operators or [])[1].inputs == before


def test_a_block_is_pasted_as_one_step(window: MainWindow, qtbot: QtBot) -> None:
    window.tabs.setCurrentIndex(1)
    view = window.tensor_view
    go_to_cell(view, 2, "Name")
    paste(window, qtbot, view, "one\t2x3\tint16\ntwo\t4\tfloat32\n")
    tensors = graph(window).tensors or []
    assert [(t.name, t.shape, int(t.type)) for t in tensors[2:4]] == [
        ("one", [2, 3], 7),
        ("two", [4], 0),
    ]
    assert [step.label for step in window.document.history.steps] == ["paste 6 cells"]
    window.document.undo()
    assert not window.document.modified


@pytest.mark.parametrize(
    ("row", "title", "text", "reason"),
    [
        (2, "Name", "one\t2x3\tint99", "int99"),
        (2, "Name", "one\tfour", "four"),
        (0, "#", "7", "# cannot be edited"),
        (16, "Name", "a\nb", "from here on there are 1 row"),
        (0, "Type", "int8\t0.5\t1\tx", "Kind cannot be edited"),
    ],
)
def test_a_senseless_paste_changes_nothing(
    unchanged: MainWindow, qtbot: QtBot, row: int, title: str, text: str, reason: str
) -> None:
    window = unchanged
    window.tabs.setCurrentIndex(1)
    go_to_cell(window.tensor_view, row, title)
    paste(window, qtbot, window.tensor_view, text)
    assert not window.document.history.steps
    assert not window.document.modified
    assert window.notice.isVisible()
    assert reason in window.notice.label.text()


def test_pasting_follows_the_rows_as_they_are_shown(window: MainWindow, qtbot: QtBot) -> None:
    window.tabs.setCurrentIndex(1)
    view = window.tensor_view
    find(window, "#3 #5 #9")
    view.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    go_to_cell(view, 0, "Name")
    paste(window, qtbot, view, "a\nb\nc")
    names = [t.name for t in graph(window).tensors or []]
    assert (names[9], names[5], names[3]) == ("a", "b", "c")


def test_one_value_goes_into_all_selected_rows(window: MainWindow, qtbot: QtBot) -> None:
    window.tabs.setCurrentIndex(1)
    view = window.tensor_view
    view.setFocus()
    view.select_rows([1, 4])
    view.selectionModel().setCurrentIndex(
        view.proxy.index(4, 2), view.selectionModel().SelectionFlag.NoUpdate
    )
    paste(window, qtbot, view, "7x8")
    shapes = [tensor.shape for tensor in graph(window).tensors or []]
    assert [k for k, shape in enumerate(shapes) if shape == [7, 8]] == [1, 4]


def test_what_was_copied_is_pasted_back_unchanged(window: MainWindow, qtbot: QtBot) -> None:
    view = window.operator_view
    go_to_cell(view, 0, "#")
    trigger(window, "edit.copy")
    trigger(window, "edit.paste")
    assert not window.document.history.steps
    assert not window.notice.isVisible()


# ------------------------------------------------------------------ keys


def test_arrows_move_between_cells(window: MainWindow, qtbot: QtBot) -> None:
    view = window.operator_view
    go_to_cell(view, 0, "Name")
    qtbot.keyClick(view, Key.Key_Right)
    assert cell_now(view) == (0, "Args")
    qtbot.keyClick(view, Key.Key_Down)
    assert cell_now(view) == (1, "Args")
    assert window.session.selection.address == ("subgraphs", 0, "operators", 1)
    qtbot.keyClick(view, Key.Key_Left)
    assert cell_now(view) == (1, "Name")


def test_the_current_cell_is_marked(window: MainWindow) -> None:
    view = window.operator_view
    go_to_cell(view, 1, "Inputs")
    rect = view.visualRect(view.currentIndex())
    image = view.viewport().grab().toImage()
    accent = window.palette().color(QPalette.ColorRole.Accent)
    assert image.pixelColor(rect.left() + 1, rect.center().y()) == accent
    window.find_field.setFocus()
    image = view.viewport().grab().toImage()
    assert image.pixelColor(rect.left() + 1, rect.center().y()) != accent


@pytest.mark.parametrize("key", [Key.Key_F2, Key.Key_Return, Key.Key_Enter])
def test_keys_open_the_editor(window: MainWindow, qtbot: QtBot, key: Qt.Key) -> None:
    view = window.operator_view
    go_to_cell(view, 1, "Inputs")
    qtbot.keyClick(view, key)
    editor = editor_in(view)
    assert editor is not None
    assert editor.text() == "3"
    qtbot.keyClick(editor, Key.Key_Escape)
    QApplication.processEvents()
    assert editor_in(view) is None
    assert view.hasFocus()
    assert not window.document.history.steps


def test_f2_on_the_number_opens_the_next_cell(window: MainWindow, qtbot: QtBot) -> None:
    view = window.operator_view
    go_to_cell(view, 1, "#")
    qtbot.keyClick(view, Key.Key_F2)
    assert editor_in(view) is not None
    assert cell_now(view) == (1, "Inputs")
    qtbot.keyClick(editor_in(view), Key.Key_Escape)
    window.tabs.setCurrentIndex(2)
    go_to_cell(window.buffer_table_view, 1, "Index")
    qtbot.keyClick(window.buffer_table_view, Key.Key_F2)
    assert editor_in(window.buffer_table_view) is None
    window.tabs.setCurrentIndex(0)
    go_to_cell(view, 1, "Args")
    qtbot.keyClick(view, Key.Key_F2)
    assert editor_in(view) is None, "who types here means the args"
    assert "'Args' cannot be edited in the table" in window.notice.label.text()


def test_typing_starts_an_editor_or_searches(window: MainWindow, qtbot: QtBot) -> None:
    window.tabs.setCurrentIndex(1)
    view = window.tensor_view
    go_to_cell(view, 1, "Name")
    qtbot.keyClicks(view, "n")
    editor = editor_in(view)
    assert editor is not None
    qtbot.keyClicks(editor, "ew")
    qtbot.keyClick(editor, Key.Key_Return)
    QApplication.processEvents()
    assert (graph(window).tensors or [])[1].name == "new"
    assert view.hasFocus()
    assert cell_now(view) == (1, "Name")
    for key in (Key.Key_Space, Key.Key_Backspace):
        qtbot.keyClick(view, key)
        assert editor_in(view) is None
    window.tabs.setCurrentIndex(0)
    go_to_cell(window.operator_view, 0, "Name")
    qtbot.keyClicks(window.operator_view, "soft")
    assert cell_now(window.operator_view) == (6, "Name")


def test_tab_goes_from_one_editable_cell_to_the_next(window: MainWindow, qtbot: QtBot) -> None:
    window.tabs.setCurrentIndex(1)
    view = window.tensor_view
    go_to_cell(view, 0, "Name")
    qtbot.keyClick(view, Key.Key_F2)
    editor_in(view).setText("first")
    visited = [cell_now(view)]
    for _ in range(5):
        qtbot.keyClick(editor_in(view), Key.Key_Tab)
        QApplication.processEvents()
        visited.append(cell_now(view))
    columns = ["Name", "Shape", "Type", "Quantisation", "Buffer"]
    assert visited == [*((0, column) for column in columns), (1, "Name")]
    assert (graph(window).tensors or [])[0].name == "first"
    assert len(window.document.history.steps) == 1
    qtbot.keyClick(editor_in(view), Key.Key_Backtab, Held.ShiftModifier)
    QApplication.processEvents()
    assert cell_now(view) == (0, "Buffer")
    qtbot.keyClick(editor_in(view), Key.Key_Escape)
    QApplication.processEvents()
    assert view.hasFocus()


def test_tab_ends_behind_the_last_cell(window: MainWindow, qtbot: QtBot) -> None:
    window.tabs.setCurrentIndex(1)
    view = window.tensor_view
    go_to_cell(view, 16, "Buffer")
    qtbot.keyClick(view, Key.Key_F2)
    qtbot.keyClick(editor_in(view), Key.Key_Tab)
    QApplication.processEvents()
    assert editor_in(view) is None
    assert cell_now(view) == (16, "Buffer")


def test_a_type_is_chosen_by_keys(window: MainWindow, qtbot: QtBot) -> None:
    window.tabs.setCurrentIndex(1)
    view = window.tensor_view
    go_to_cell(view, 0, "Type")
    qtbot.keyClick(view, Key.Key_F2)
    editor = editor_in(view)
    editor.setCurrentText("float32")
    qtbot.keyClick(editor, Key.Key_Down)
    QApplication.processEvents()
    assert not window.document.history.steps, "looking is not choosing"
    qtbot.keyClick(editor, Key.Key_Return)
    QApplication.processEvents()
    assert int((graph(window).tensors or [])[0].type) == 1
    assert view.hasFocus()


def focused(window: MainWindow) -> str:
    focus = window.focusWidget()
    parts = {"tables": window.tabs} | {d.windowTitle(): d for d in window.docks}
    return next((name for name, part in parts.items() if part.isAncestorOf(focus)), "")


def test_f6_visits_all_panels(window: MainWindow) -> None:
    window.operator_view.setFocus()
    visited = []
    for _ in range(6):
        trigger(window, "go.next_panel")
        visited.append(focused(window))
    assert visited == ["Inspector", "Buffer", "History", "Outline", "tables", "Inspector"]
    trigger(window, "go.previous_panel")
    assert window.operator_view.hasFocus()
    window.docks[0].close()
    trigger(window, "go.previous_panel")
    assert focused(window) == "History"


def test_f6_leads_to_a_field_of_the_inspector(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(("subgraphs", 0, "tensors", 0))
    window.tensor_view.setFocus()
    trigger(window, "go.next_panel")
    assert isinstance(window.focusWidget(), QLineEdit)


def test_panels_are_visited_on_every_tab(open_sample: Opener) -> None:
    window = open_sample("sine_int8.tflite")
    for tab in range(4):
        window.tabs.setCurrentIndex(tab)
        window.outline.setFocus()
        trigger(window, "go.next_panel")
        assert focused(window) == "tables", tab
        trigger(window, "go.next_panel")
        assert focused(window) == "Inspector", tab
