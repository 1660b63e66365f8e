# SPDX-License-Identifier: Apache-2.0
"""Operators edited as a person does it: keys in their table, dialogs, and rows dragged."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDrag, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.ui.conftest import Opener
from tflm_studio.editing.edits import Insert, Set
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import operator_name
from tflm_studio.schema.tables import Operator, OperatorCode, SubGraph
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.models.operator_kind_table import NAME, OperatorKindTable
from tflm_studio.ui.views.operator_add_dialog import AddOperatorDialog
from tflm_studio.ui.views.operator_custom_dialog import CustomOperatorDialog
from tflm_studio.ui.views.operator_dialog import OperatorDialog
from tflm_studio.ui.views.operator_kind_dialog import OperatorKindDialog
from tflm_studio.ui.views.operator_version_dialog import OperatorVersionDialog
from tflm_studio.ui.views.operator_view import MIME_TYPE
from tflm_studio.ui.views.tensor_index_edit import TensorIndexEdit
from tflm_studio.ui.views.tensor_picker import TensorPicker

Key, Modifier = Qt.Key, Qt.KeyboardModifier
KINDS = [
    "Conv2D",
    "DepthwiseConv2D",
    "Conv2D",
    "AveragePool2D",
    "Reshape",
    "FullyConnected",
    "Softmax",
]
D = TypeVar("D", bound=QDialog)


def graph(window: MainWindow) -> SubGraph:
    return (window.document.model.subgraphs or [])[0]


def operators(window: MainWindow) -> list[Operator]:
    return graph(window).operators or []


def kinds(window: MainWindow) -> list[str]:
    model = window.document.model
    return [operator_name(model, operator) for operator in operators(window)]


def names(window: MainWindow, indices: list[int] | None) -> list[str | None]:
    return [(graph(window).tensors or [])[k].name for k in indices or []]


@pytest.fixture
def window(open_sample: Opener, qtbot: QtBot) -> MainWindow:
    window = open_sample("shapes_int8.tflite")
    window.operator_view.setFocus()
    qtbot.waitUntil(window.operator_view.hasFocus)
    assert kinds(window) == KINDS
    return window


def choose(window: MainWindow, *rows: int) -> None:
    window.operator_view.select_rows(rows)
    QApplication.processEvents()
    assert window.operator_view.selected_rows() == sorted(rows)


def press(
    window: MainWindow, qtbot: QtBot, key: Key, modifier: Modifier = Modifier.NoModifier
) -> None:
    qtbot.keyClick(window.operator_view, key, modifier)
    QApplication.processEvents()


def trigger(window: MainWindow, name: str) -> None:
    action = window.commands.actions[name]
    assert action.isEnabled(), name
    action.trigger()
    QApplication.processEvents()


def can(window: MainWindow, name: str) -> bool:
    QApplication.processEvents()
    return window.commands.actions[f"operator.{name}"].isEnabled()


def in_dialog(
    monkeypatch: pytest.MonkeyPatch, kind: type[D], act: Callable[[D], None]
) -> list[D]:
    """Has a dialog shown and used in place of waiting for a person; returns those opened."""
    opened: list[D] = []

    def use(dialog: D) -> int:
        opened.append(dialog)
        dialog.show()
        QApplication.processEvents()
        act(dialog)
        return dialog.result()

    monkeypatch.setattr(kind, "exec", use)
    return opened


def ok(dialog: QDialog) -> QPushButton:
    return next(
        each for each in dialog.findChildren(QPushButton) if each.text().strip("&") == "OK"
    )


def said(dialog: OperatorDialog) -> str:
    dialog.check()
    return dialog.note.text()


# ------------------------------------------------------------------ keys


def test_delete_removes_the_selected_operators_and_undo_brings_them_back(
    window: MainWindow, qtbot: QtBot
) -> None:
    before = lay_out(window.document.model).tobytes()
    choose(window, 1, 3)
    press(window, qtbot, Key.Key_Delete)
    assert kinds(window) == ["Conv2D", "Conv2D", "Reshape", "FullyConnected", "Softmax"]
    assert window.operator_view.selected_rows() == [1]
    assert "nobody makes now" in window.notice.label.text()
    trigger(window, "edit.undo")
    assert lay_out(window.document.model).tobytes() == before


def test_deleting_all_operators_leaves_nothing_to_delete(
    window: MainWindow, qtbot: QtBot
) -> None:
    press(window, qtbot, Key.Key_A, Modifier.ControlModifier)
    assert can(window, "delete")
    assert not can(window, "move_up")
    assert not can(window, "move_down")
    press(window, qtbot, Key.Key_Delete)
    assert kinds(window) == []
    assert not can(window, "delete")
    assert not can(window, "sort")
    assert can(window, "add_behind")


def test_delete_in_a_text_field_deletes_no_operator(window: MainWindow, qtbot: QtBot) -> None:
    choose(window, 2)
    window.find_field.setFocus()
    window.find_field.setText("")
    for key in (Key.Key_Delete, Key.Key_Insert):
        qtbot.keyClick(window.find_field, key)
    window.operator_view.setFocus()
    window.operator_view.edit(window.operator_view.model().index(2, 3))
    editor = window.operator_view.viewport().findChild(TensorIndexEdit)
    assert editor is not None
    for modifier in (Modifier.NoModifier, Modifier.ControlModifier, Modifier.ShiftModifier):
        qtbot.keyClick(editor, Key.Key_Delete, modifier)
    qtbot.keyClick(editor, Key.Key_Escape)
    assert kinds(window) == KINDS


def test_deleting_with_what_only_it_uses(window: MainWindow, qtbot: QtBot) -> None:
    tensors, buffers = (
        len(graph(window).tensors or []),
        len(window.document.model.buffers or []),
    )
    choose(window, 6)
    press(window, qtbot, Key.Key_Delete, Modifier.ShiftModifier)
    assert kinds(window) == KINDS[:-1]
    choose(window, 0)
    press(window, qtbot, Key.Key_Delete, Modifier.ShiftModifier)
    assert len(graph(window).tensors or []) == tensors - 2
    assert len(window.document.model.buffers or []) == buffers - 2
    assert "also removed" in window.notice.label.text()


def test_deleting_and_bypassing(window: MainWindow, qtbot: QtBot) -> None:
    choose(window, 6)
    source = names(window, operators(window)[6].inputs)
    press(window, qtbot, Key.Key_Delete, Modifier.ControlModifier)
    assert kinds(window) == KINDS[:-1]
    assert names(window, graph(window).outputs) == source
    assert window.operator_view.selected_rows() == [5]
    # What changes the shape cannot be bypassed, and the table stays.
    choose(window, 0)
    press(window, qtbot, Key.Key_Delete, Modifier.ControlModifier)
    assert kinds(window) == KINDS[:-1]
    assert "Conv2D 0" in window.notice.label.text()


def test_duplicating_several(window: MainWindow, qtbot: QtBot) -> None:
    choose(window, 0, 2)
    press(window, qtbot, Key.Key_D, Modifier.ControlModifier)
    assert kinds(window)[:5] == ["Conv2D", "Conv2D", "DepthwiseConv2D", "Conv2D", "Conv2D"]
    assert window.operator_view.selected_rows() == [1, 4]
    assert operators(window)[1].inputs == operators(window)[0].inputs


def test_moving_is_refused_before_the_maker_and_done_if_wanted_anyway(
    window: MainWindow, qtbot: QtBot
) -> None:
    choose(window, 3, 4)
    press(window, qtbot, Key.Key_Up, Modifier.AltModifier)
    assert kinds(window) == KINDS
    assert "AveragePool2D 3 would stand before Conv2D 2" in window.notice.label.text()
    anyway = window.notice.findChild(QPushButton)
    assert anyway is not None
    qtbot.mouseClick(anyway, Qt.MouseButton.LeftButton)
    assert kinds(window)[1:5] == ["DepthwiseConv2D", "AveragePool2D", "Reshape", "Conv2D"]
    assert window.operator_view.selected_rows() == [2, 3]
    assert window.operator_view.hasFocus()
    # Back into order: nothing is against that.
    press(window, qtbot, Key.Key_Down, Modifier.AltModifier)
    assert kinds(window) == KINDS
    assert window.operator_view.selected_rows() == [3, 4]
    choose(window, 6)
    assert not can(window, "move_down")
    choose(window, 0)
    assert not can(window, "move_up")
    assert can(window, "move_down")


def test_sorting_keeps_what_is_selected(window: MainWindow, qtbot: QtBot) -> None:
    choose(window, 6)
    for _ in range(3):
        press(window, qtbot, Key.Key_Up, Modifier.AltModifier)
        answer = [b for b in window.notice.findChildren(QPushButton) if b.isVisible()]
        if window.notice.isVisible() and answer:
            answer[0].click()
    assert kinds(window)[3] == "Softmax"
    trigger(window, "operator.sort")
    assert kinds(window) == KINDS
    assert window.operator_view.selected_rows() == [6]


def test_what_is_possible_follows_the_selection(window: MainWindow) -> None:
    choose(window, 3)
    assert can(window, "delete")
    window.operator_view.clearSelection()
    assert not can(window, "delete")
    assert not can(window, "change_kind")
    assert can(window, "add_behind")
    choose(window, 3)
    window.tabs.setCurrentIndex(1)
    assert not can(window, "delete")
    assert not can(window, "add_behind")


def test_operator_codes_are_put_in_order(window: MainWindow) -> None:
    model = window.document.model
    codes = len(model.operator_codes or [])
    twin = OperatorCode((model.operator_codes or [])[0].deprecated_builtin_code, None, 3)
    window.document.do(Insert(("operator_codes",), codes, twin))
    trigger(window, "operator.upgrade_codes")
    assert (model.operator_codes or [])[codes].builtin_code == 3
    trigger(window, "operator.merge_codes")
    assert len(model.operator_codes or []) == codes
    assert "merged" in window.notice.label.text()
    trigger(window, "operator.remove_unused_codes")
    assert "Every operator code is in use" in window.notice.label.text()


def test_the_context_menu_is_for_all_selected_rows(window: MainWindow, qtbot: QtBot) -> None:
    choose(window, 1, 2, 4)
    port = window.operator_view.viewport()
    qtbot.mouseClick(port, Qt.MouseButton.RightButton, pos=middle_of(window, 2))
    assert window.operator_view.selected_rows() == [1, 2, 4]
    qtbot.mouseClick(port, Qt.MouseButton.RightButton, pos=middle_of(window, 5))
    assert window.operator_view.selected_rows() == [5]


def test_the_next_operator_is_selected_without_a_detour(
    window: MainWindow, qtbot: QtBot
) -> None:
    choose(window, 2)
    seen: list[object] = []
    window.session.selection.changed.connect(seen.append)
    press(window, qtbot, Key.Key_Delete)
    assert set(seen) == {("subgraphs", 0, "operators", 2)}
    assert window.inspector.findChild(TensorIndexEdit, "inputs.0") is not None
    assert kinds(window)[2] == "AveragePool2D"
    # Of the last, the one before it.
    choose(window, 5)
    press(window, qtbot, Key.Key_Delete)
    assert window.session.selection.address == ("subgraphs", 0, "operators", 4)


# ------------------------------------------------------------------ adding


def test_adding_an_operator(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(dialog: AddOperatorDialog) -> None:
        qtbot.keyClicks(dialog.kinds.field, "relu6")
        assert said(dialog) == (
            "Relu6 before operator 2 (Conv2D), new operator code 6 (version 1), "
            "new tensor Relu6_17."
            "\n1 operator takes tensor 17 Relu6_17 in place of tensor 6 "
            f"{(graph(window).tensors or [])[6].name}."
        )
        qtbot.keyClick(dialog.kinds.field, Key.Key_Return)

    opened = in_dialog(monkeypatch, AddOperatorDialog, act)
    choose(window, 1)
    press(window, qtbot, Key.Key_Insert)
    assert opened
    assert kinds(window)[:4] == ["Conv2D", "DepthwiseConv2D", "Relu6", "Conv2D"]
    assert operators(window)[2].inputs == operators(window)[1].outputs
    assert (operators(window)[3].inputs or [])[:1] == operators(window)[2].outputs
    assert names(window, operators(window)[2].outputs) == ["Relu6_17"]
    assert window.operator_view.selected_rows() == [2]
    assert window.session.selection.address[-1] == 2
    trigger(window, "edit.undo")
    assert kinds(window) == KINDS


def test_adding_waits_for_what_is_needed(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(dialog: AddOperatorDialog) -> None:
        qtbot.keyClicks(dialog.kinds.field, "CONV_2D")
        assert "Conv2D needs filter (input 1)" in said(dialog)
        assert not ok(dialog).isEnabled()
        source, weights, bias = dialog.slots.inputs
        assert source.text() == "0"
        qtbot.keyClicks(weights, "99")
        assert "no tensor 99" in said(dialog)
        weights.clear()
        qtbot.keyClicks(weights, "1")
        assert "operator code 0 (version 3)" in said(dialog)
        assert bias.placeholderText() == "none"
        qtbot.keyClicks(dialog.slots.outputs[0], "0")
        source.clear()
        weights.clear()
        assert "still needs input (input 0), filter (input 1)" in said(dialog)
        source.setText("0")
        weights.setText("1")
        qtbot.mouseClick(ok(dialog), Qt.MouseButton.LeftButton)

    in_dialog(monkeypatch, AddOperatorDialog, act)
    choose(window, 0)
    press(window, qtbot, Key.Key_Insert, Modifier.ShiftModifier)
    assert operators(window)[0].inputs == [0, 1, -1]
    assert operators(window)[0].outputs == [0]


def test_adding_a_custom_operator_nobody_knows(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(dialog: AddOperatorDialog) -> None:
        qtbot.keyClicks(dialog.kinds.field, "my_own op")
        assert dialog.kinds.custom.isVisible()
        assert dialog.kinds.custom.text() == "my_own op"
        dialog.kinds.custom.clear()
        assert "needs a custom code" in said(dialog)
        qtbot.keyClicks(dialog.kinds.custom, "my_op")
        dialog.slots.inputs[0].setText("3 6")
        qtbot.keyClick(dialog.kinds.custom, Key.Key_Return)

    in_dialog(monkeypatch, AddOperatorDialog, act)
    choose(window, 6)
    trigger(window, "operator.add_behind")
    assert kinds(window)[-1] == "my_op"
    assert operators(window)[-1].inputs == [3, 6]
    assert len(operators(window)[-1].outputs or []) == 1
    assert "no custom options" in window.notice.label.text()


def test_tab_leads_from_the_kinds_through_the_tensors(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(dialog: AddOperatorDialog) -> None:
        qtbot.keyClicks(dialog.kinds.field, "conv_2d")
        stops: list[QWidget] = [dialog.kinds.view, *dialog.slots.inputs, *dialog.slots.outputs]
        for stop in (*stops, dialog.between, dialog.version):
            qtbot.keyClick(QApplication.focusWidget(), Key.Key_Tab)
            assert QApplication.focusWidget() in (stop, stop.focusProxy()), stop.objectName()
        dialog.reject()

    opened = in_dialog(monkeypatch, AddOperatorDialog, act)
    press(window, qtbot, Key.Key_Insert)
    assert opened


def test_escape_adds_nothing(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = in_dialog(
        monkeypatch,
        AddOperatorDialog,
        lambda dialog: qtbot.keyClick(dialog.kinds.field, Key.Key_Escape),
    )
    press(window, qtbot, Key.Key_Insert)
    assert opened
    assert kinds(window) == KINDS
    assert not window.isWindowModified()


def test_an_added_operator_is_shown_past_a_search(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(dialog: AddOperatorDialog) -> None:
        qtbot.keyClicks(dialog.kinds.field, "abs")
        dialog.accept()

    in_dialog(monkeypatch, AddOperatorDialog, act)
    window.find_field.setText("softmax")
    window.operator_view.setFocus()
    choose(window, 6)
    press(window, qtbot, Key.Key_Insert)
    assert kinds(window)[-1] == "Abs"
    assert window.operator_view.selected_rows() == [7]


def test_the_list_of_kinds(window: MainWindow, qtbot: QtBot) -> None:
    table = OperatorKindTable(window.document.model)
    assert table.rowCount() == 227
    in_model = sorted(set(KINDS))
    assert [kind.name for kind in table.shown[:6]] == in_model
    in_tflm = [bool(kind.resolver) for kind in table.shown[6:-1]]
    assert in_tflm == sorted(in_tflm, reverse=True)
    for text, first in (
        ("add", "Add"),
        ("conv_2d", "Conv2D"),
        ("max pool", "MaxPool2D"),
        ("signalframer", "SignalFramer"),
        ("reduction any", "ReduceAny"),
        ("no such kind", "Custom"),
    ):
        table.search(text)
        assert table.shown[0].name == first, text
    assert table.index(0, NAME).data() == "Any custom operator…"


def test_every_kind_can_be_shown_and_added_with_open_inputs(
    window: MainWindow, qtbot: QtBot
) -> None:
    dialog = AddOperatorDialog(window.session, 0, window)
    qtbot.addWidget(dialog)
    for row in range(dialog.kinds.table.rowCount() - 1):
        dialog.kinds.view.selectRow(row)
        for edit in dialog.slots.inputs:
            edit.clear()
        dialog.check()
        assert dialog.proposal is not None, dialog.note.text()


# ------------------------------------------------------------------ becoming others


def test_changing_the_kind_of_several(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(dialog: OperatorKindDialog) -> None:
        qtbot.keyClicks(dialog.kinds.field, "depthwise")
        text = said(dialog)
        assert text.startswith("Change 2 operators to DepthwiseConv2D. Kept: ")
        assert "stride_w 2" in text
        qtbot.keyClick(dialog.kinds.field, Key.Key_Return)

    in_dialog(monkeypatch, OperatorKindDialog, act)
    choose(window, 0, 2)
    trigger(window, "operator.change_kind")
    assert kinds(window)[:3] == ["DepthwiseConv2D"] * 3
    assert window.operator_view.selected_rows() == [0, 2]


def test_what_a_change_of_kind_drops_is_told(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(dialog: OperatorKindDialog) -> None:
        qtbot.keyClicks(dialog.kinds.field, "logistic")
        assert "Conv2D 0 loses stride_w 2, stride_h 2" in said(dialog)
        assert "Conv2D 0 has 3 inputs; Logistic takes 1 at most" in said(dialog)
        dialog.accept()

    in_dialog(monkeypatch, OperatorKindDialog, act)
    choose(window, 0)
    trigger(window, "operator.change_kind")
    assert kinds(window)[0] == "Logistic"
    assert "loses stride_w 2" in window.notice.label.text()


def test_replacing_by_a_custom_operator(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(dialog: CustomOperatorDialog) -> None:
        assert not ok(dialog).isEnabled()
        line = dialog.code.lineEdit()
        assert line is not None
        qtbot.keyClicks(line, "npu")
        said(dialog)
        assert ok(dialog).isEnabled()
        qtbot.keyClick(line, Key.Key_Return)

    in_dialog(monkeypatch, CustomOperatorDialog, act)
    choose(window, 5)
    trigger(window, "operator.replace_by_custom")
    assert kinds(window)[5] == "npu"


def test_setting_a_version(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(dialog: OperatorVersionDialog) -> None:
        assert dialog.version.value() == 3
        qtbot.keyClicks(dialog.version, "9")
        qtbot.keyClick(dialog.version, Key.Key_Return)

    in_dialog(monkeypatch, OperatorVersionDialog, act)
    choose(window, 2)
    trigger(window, "operator.set_version")
    codes = window.document.model.operator_codes or []
    assert [codes[operators(window)[k].opcode_index].version for k in (0, 2)] == [3, 9]
    assert "Others keep operator code" in window.notice.label.text()


# ------------------------------------------------------------------ picking tensors


def test_a_tensor_is_picked_in_the_inspector(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(picker: TensorPicker) -> None:
        assert picker.view.currentIndex().row() == picker.table.row_of(3)
        qtbot.keyClicks(picker.field, "1x16x16 int8")
        assert picker.table.shown == [0]
        qtbot.keyClick(picker.field, Key.Key_Return)

    in_dialog(monkeypatch, TensorPicker, act)
    choose(window, 1)
    edit = window.inspector.findChild(TensorIndexEdit, "inputs.0")
    assert edit is not None
    line = edit.parentWidget()
    assert line is not None
    button = next(
        b for b in line.findChildren(QToolButton) if "inputs 0" in b.accessibleName()
    )
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert (operators(window)[1].inputs or [])[0] == 0
    assert edit.text() == "0"
    assert window.document.history.steps[-1].label


def test_tensors_that_come_too_late_are_marked(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(picker: TensorPicker) -> None:
        late = (operators(window)[3].outputs or [])[0]
        early = (operators(window)[0].outputs or [])[0]
        texts = {
            k: str(picker.table.index(picker.table.row_of(k), 4).data()) for k in (late, early)
        }
        assert texts == {late: "⚠ made by AveragePool2D 3, later", early: "Conv2D 0"}
        for _ in range(picker.table.row_of(late) - picker.view.currentIndex().row()):
            qtbot.keyClick(picker.field, Key.Key_Down)
        assert picker.note.text() == (f"⚠ Tensor {late} is made by AveragePool2D 3, later.")
        qtbot.keyClicks(picker.field, "nothing like this")
        assert not ok(picker).isEnabled()
        qtbot.keyClick(picker.field, Key.Key_Return)
        assert picker.isVisible()
        qtbot.keyClick(picker.field, Key.Key_Escape)

    opened = in_dialog(monkeypatch, TensorPicker, act)
    choose(window, 1)
    edit = window.inspector.findChild(TensorIndexEdit, "inputs.0")
    assert edit is not None
    edit.setFocus()
    qtbot.keyClick(edit, Key.Key_F4)
    assert opened
    assert not window.isWindowModified()
    edit.setText("10")
    assert edit.hint_text().endswith("⚠ made by AveragePool2D 3, later")
    edit.setText("3")
    assert "⚠" not in edit.hint_text()


def test_an_output_that_is_read_earlier_is_marked(window: MainWindow, qtbot: QtBot) -> None:
    choose(window, 5)
    edit = window.inspector.findChild(TensorIndexEdit, "outputs.0")
    assert edit is not None
    made = (operators(window)[5].outputs or [])[0]
    window.document.do(Set(("subgraphs", 0, "operators", 1, "inputs", 0), made))
    edit.setText(f"{made} ")
    assert edit.hint_text().endswith("⚠ read by DepthwiseConv2D 1, earlier")


def test_picking_in_a_cell_enters_at_the_cursor(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(picker: TensorPicker) -> None:
        qtbot.keyClicks(picker.field, "picture")
        qtbot.keyClick(picker.field, Key.Key_Return)

    in_dialog(monkeypatch, TensorPicker, act)
    view = window.operator_view
    view.edit(view.model().index(1, 3))
    editor = view.viewport().findChild(QLineEdit)
    assert isinstance(editor, TensorIndexEdit)
    assert editor.text() == "3"
    editor.setText("7 9")
    editor.setCursorPosition(1)
    qtbot.keyClick(editor, Key.Key_Down)
    assert editor.text() == "7 0 9"
    editor.selectAll()
    qtbot.keyClick(editor, Key.Key_F4)
    assert editor.text() == "0"
    qtbot.keyClick(editor, Key.Key_Return)
    QApplication.processEvents()
    assert (operators(window)[1].inputs or [])[0] == 0


def test_an_optional_input_is_left_out_by_picking(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(picker: TensorPicker) -> None:
        qtbot.keyClicks(picker.field, "leave out")
        qtbot.keyClick(picker.field, Key.Key_Return)

    in_dialog(monkeypatch, TensorPicker, act)
    choose(window, 0)
    edit = window.inspector.findChild(TensorIndexEdit, "inputs.2")
    assert edit is not None
    edit.setFocus()
    qtbot.keyClick(edit, Key.Key_F4)
    assert (operators(window)[0].inputs or [])[2] == -1


# ------------------------------------------------------------------ dragging


def drop(window: MainWindow, place: QPoint) -> QDropEvent:
    """Drops the dragged rows, as Qt tells the table that something was dropped."""
    view = window.operator_view
    content = QMimeData()
    content.setData(MIME_TYPE, b"")
    # The source of a drag is known only while Qt carries it out.
    events = []
    for kind in (QDragMoveEvent, QDropEvent):
        point = QPointF(place) if kind is QDropEvent else place
        event = kind(
            point,
            Qt.DropAction.MoveAction,
            content,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        events.append(event)
    view.dragMoveEvent(events[0])
    view.viewport().grab()
    view.dropEvent(events[1])
    QApplication.processEvents()
    return events[1]


def middle_of(window: MainWindow, row: int, upper: bool = True) -> QPoint:
    view = window.operator_view
    rect = view.visualRect(view.model().index(row, 0))
    return QPoint(rect.center().x(), rect.top() + 3 if upper else rect.bottom() - 3)


@pytest.fixture
def own_drags(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window.operator_view, "_is_own", lambda event: True)


@pytest.mark.usefixtures("own_drags")
def test_rows_are_dropped_at_another_place(window: MainWindow) -> None:
    choose(window, 1, 2)
    drop(window, middle_of(window, 4))
    assert kinds(window) == KINDS
    assert "AveragePool2D 3 would stand before Conv2D 2" in window.notice.label.text()
    answer = next(b for b in window.notice.findChildren(QPushButton) if b.isVisible())
    answer.click()
    assert kinds(window)[:5] == [
        "Conv2D",
        "AveragePool2D",
        "DepthwiseConv2D",
        "Conv2D",
        "Reshape",
    ]
    assert window.operator_view.selected_rows() == [2, 3]
    # Behind the last row, and back where it stands.
    drop(window, middle_of(window, 2))
    drop(window, middle_of(window, 3, upper=False))
    assert window.document.history.position == 1


def test_a_drag_starts_with_a_row_by_its_number(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    dragged: list[list[int]] = []

    def carry(drag: QDrag, *_: object) -> Qt.DropAction:
        dragged.append(window.operator_view.selected_rows())
        return Qt.DropAction.IgnoreAction

    monkeypatch.setattr(QDrag, "exec", carry)
    port = window.operator_view.viewport()
    start = middle_of(window, 3)
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    for step in (10, 20, 30):
        qtbot.mouseMove(port, start + QPoint(0, step))
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=start)
    assert dragged == [[3]]
    # By their names rows are selected, not dragged.
    start = window.operator_view.visualRect(window.operator_view.model().index(0, 1)).center()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=start)
    assert not window.operator_view.dragEnabled()
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=start)


def test_sorted_or_searched_rows_are_not_dragged(window: MainWindow, qtbot: QtBot) -> None:
    view = window.operator_view
    assert view.shows_execution_order()
    view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert not view.shows_execution_order()
    port = view.viewport()
    qtbot.mousePress(port, Qt.MouseButton.LeftButton, pos=middle_of(window, 2))
    assert not view.dragEnabled()
    qtbot.mouseRelease(port, Qt.MouseButton.LeftButton, pos=middle_of(window, 2))
    view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    assert view.shows_execution_order()
    window.find_field.setText("conv")
    assert not view.shows_execution_order()


def test_files_dropped_on_the_table_are_for_the_window(window: MainWindow) -> None:
    event = drop(window, middle_of(window, 1))
    assert not event.isAccepted()
    assert kinds(window) == KINDS


# ------------------------------------------------------------------ long models


def test_a_model_without_operators(open_sample: Opener, qtbot: QtBot) -> None:
    window = open_sample("shapes_int8.tflite")
    window.document.do(
        Insert(("subgraphs",), len(window.document.model.subgraphs or []), SubGraph())
    )
    window.session.show_subgraph(1)
    QApplication.processEvents()
    assert can(window, "add_behind")
    assert not can(window, "delete")
    dialog = AddOperatorDialog(window.session, 0, window)
    qtbot.addWidget(dialog)
    dialog.kinds.field.setText("abs")
    assert "still needs input" in said(dialog)
    dialog.slots.outputs[0].setText("zzz")
    with pytest.raises(EditError, match="tensor indices"):
        dialog.make()
