# SPDX-License-Identifier: Apache-2.0
"""Tensors and buffers edited from their menus, with keys and in dialogs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLineEdit, QMenu
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from tests.conftest import SAMPLES
from tests.ui.conftest import edit_cell
from tests.ui.dialogs import Answer, accept, answering, write
from tflm_studio.editing.offline_offsets import PlannedTensor
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.schema.tables import Model, SubGraph, Tensor
from tflm_studio.ui.app.chosen_rows import chosen_rows
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.models.plan_table import PlanTable
from tflm_studio.ui.models.regex_renames import TOO_SLOW
from tflm_studio.ui.models.rename_table import NewName, RenameTable
from tflm_studio.ui.views.add_tensor_dialog import AddTensorDialog
from tflm_studio.ui.views.buffer_dialogs import ShareBufferDialog, UseBufferDialog
from tflm_studio.ui.views.delete_tensors_dialog import DeleteTensorsDialog
from tflm_studio.ui.views.quantize_dialog import QuantizeDialog
from tflm_studio.ui.views.rename_dialog import RenameDialog
from tflm_studio.ui.views.tensor_choice import TensorChoice
from tflm_studio.ui.views.text_dialog import TextDialog


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    return answering(monkeypatch)


def subgraph_of(window: MainWindow) -> SubGraph:
    return (window.document.model.subgraphs or [])[0]


def tensors_of(window: MainWindow) -> list[Tensor]:
    return subgraph_of(window).tensors or []


def names_of(window: MainWindow) -> list[str | None]:
    return [tensor.name for tensor in tensors_of(window)]


def choose(window: MainWindow, *rows: int) -> None:
    """Goes to the tensors and selects some; the last becomes the current one."""
    window.commands.actions["go.tensors"].trigger()
    window.tensor_view.select_rows(rows)


def choose_buffers(window: MainWindow, *rows: int) -> None:
    window.commands.actions["go.buffers"].trigger()
    window.buffer_table_view.select_rows(rows)


def do(window: MainWindow, name: str) -> None:
    action = window.commands.actions[name]
    assert action.isEnabled(), name
    action.trigger()


def notice(window: MainWindow) -> str:
    return window.notice.label.text() if window.notice.isVisible() else ""


def check_undone(window: MainWindow) -> None:
    """Takes all steps back: everything is as in the file."""
    while window.document.history.can_undo:
        window.document.undo()
    original = load_model_from_file(SAMPLES / "shapes_int8.tflite")
    assert same_content(window.document.model, original)
    assert not window.document.modified


# ------------------------------------------------------------------ coming and going


def test_a_tensor_is_added(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    def act(dialog: AddTensorDialog) -> None:
        write(dialog.name, "edges", qtbot)
        assert not dialog.ok.isEnabled()
        assert "called 'edges' already" in dialog.note.text()
        write(dialog.name, "extra", qtbot)
        write(dialog.shape, "2x3", qtbot)
        dialog.type.setCurrentText("int8")
        write(dialog.scale, "0", qtbot)
        assert "above 0" in dialog.note.text()
        write(dialog.scale, "0.5", qtbot)
        write(dialog.zero_point, "500", qtbot)
        assert "cannot hold the zero point 500" in dialog.note.text()
        write(dialog.zero_point, "3", qtbot)
        dialog.buffer.setValue(1)
        assert "Buffer 1 has 72 bytes" in dialog.note.text()
        accept(dialog, qtbot)

    shown = answer(act)
    do(window, "tensor.add")
    assert shown == ["add_tensor_dialog"]
    made = tensors_of(window)[17]
    assert (made.name, made.shape, made.buffer) == ("extra", [2, 3], 1)
    assert made.quantization is not None
    assert list(made.quantization.zero_point or []) == [3]
    assert window.session.selection.address == ("subgraphs", 0, "tensors", 17)
    assert window.tensor_view.selected_rows() == [17]
    check_undone(window)


def test_escape_leaves_everything_as_it_was(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    answer(lambda dialog: qtbot.keyClick(dialog, Qt.Key.Key_Escape))
    choose(window, 1, 2)
    for name in ("add", "delete", "rename", "insert_quantize", "use_buffer", "share_buffer"):
        do(window, f"tensor.{name}")
    assert not window.document.history.steps


def test_keys_count_in_the_table_that_has_the_focus(window: MainWindow, qtbot: QtBot) -> None:
    choose(window, 1, 2)
    qtbot.keyClick(window.tensor_view, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert names_of(window)[17:] == ["edges/weights_copy", "edges/bias_copy"]
    assert window.tensor_view.selected_rows() == [17, 18]
    buffers = [tensor.buffer for tensor in tensors_of(window)[17:]]
    assert buffers == [10 + 1, 10 + 2]
    qtbot.keyClick(window.tensor_view, Qt.Key.Key_Delete)
    assert len(tensors_of(window)) == 17
    assert "2 unused buffers with" in notice(window)
    assert len(window.document.model.buffers or []) == 11
    choose_buffers(window, 3)
    qtbot.keyClick(window.buffer_table_view, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert len(window.document.model.buffers or []) == 12
    assert len(tensors_of(window)) == 17
    qtbot.keyClick(window.buffer_table_view, Qt.Key.Key_Delete)
    assert len(window.document.model.buffers or []) == 11
    window.commands.actions["go.operators"].trigger()
    before = window.document.history.position
    window.find_field.setFocus()
    qtbot.keyClick(window.find_field, Qt.Key.Key_Delete)
    assert window.document.history.position == before
    check_undone(window)


def test_keys_in_a_cell_are_for_its_text(window: MainWindow, qtbot: QtBot) -> None:
    choose(window, 1)
    view = window.tensor_view
    view.setCurrentIndex(view.model().index(1, 1))
    view.edit(view.model().index(1, 1))
    editor = [e for e in view.viewport().findChildren(QLineEdit) if e.isVisible()][-1]
    qtbot.keyClick(editor, Qt.Key.Key_Delete)
    assert editor.text() == ""
    assert len(tensors_of(window)) == 17
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    QApplication.processEvents()
    assert not window.document.history.steps


def test_duplicates_share_data_if_asked_to(window: MainWindow) -> None:
    choose(window, 1)
    do(window, "tensor.duplicate_sharing")
    assert tensors_of(window)[17].buffer == tensors_of(window)[1].buffer
    check_undone(window)


def test_a_bias_is_left_out(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    def act(dialog: DeleteTensorsDialog) -> None:
        users = [dialog.users.item(k).text() for k in range(dialog.users.count())]
        assert users == ["Conv2D 0: inputs"]
        assert "goes on without bias (input 2)" in dialog.note.text()
        accept(dialog, qtbot)

    answer(act)
    choose(window, 2)
    qtbot.keyClick(window.tensor_view, Qt.Key.Key_Delete)
    assert list((subgraph_of(window).operators or [])[0].inputs or []) == [0, 1, -1]
    assert len(tensors_of(window)) == 16
    assert "goes on without bias" in notice(window)
    check_undone(window)


def test_users_read_another_tensor(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    def act(dialog: DeleteTensorsDialog) -> None:
        assert not dialog.ok.isEnabled()
        assert "needs its filter" in dialog.note.text()
        write(dialog.other, "99", qtbot)
        assert dialog.replace.isChecked()
        assert "no tensor 99" in dialog.note.text()
        write(dialog.other, "1", qtbot)
        assert "to be deleted as well" in dialog.note.text()
        write(dialog.other, "corners/weights", qtbot)
        assert "differ" in dialog.note.text()
        accept(dialog, qtbot)

    answer(act)
    choose(window, 1)
    do(window, "tensor.delete")
    # Tensor 4 is tensor 3 once tensor 1 is gone.
    assert list((subgraph_of(window).operators or [])[0].inputs or []) == [0, 3, 1]
    check_undone(window)


def test_tensors_are_merged(window: MainWindow) -> None:
    choose(window, 1)
    assert not window.commands.actions["tensor.merge"].isEnabled()
    do(window, "tensor.duplicate")
    choose(window, 17, 1)
    do(window, "tensor.merge")
    assert len(tensors_of(window)) == 17
    assert names_of(window)[1] == "edges/weights"
    choose(window, 1, 2)
    do(window, "tensor.merge")
    assert "cannot become one" in notice(window)
    check_undone(window)


# ------------------------------------------------------------------ names


def test_one_tensor_is_renamed(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    def act(dialog: TextDialog) -> None:
        assert dialog.line.text() == "picture"
        write(dialog.line, "edges", qtbot)
        assert not dialog.ok.isEnabled()
        assert "both be called 'edges'" in dialog.note.text()
        write(dialog.line, "image", qtbot)
        qtbot.keyClick(dialog.line, Qt.Key.Key_Return)

    answer(act)
    choose(window, 0)
    do(window, "tensor.rename")
    assert names_of(window)[0] == "image"
    signature = (window.document.model.signature_defs or [])[0]
    assert (signature.inputs or [])[0].name == "image"
    check_undone(window)


def test_long_names_are_not_cut(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    name = "n" * 40_000
    tensors_of(window)[3].name = name
    answer(lambda dialog: accept(dialog, qtbot))
    choose(window, 3)
    do(window, "tensor.rename")
    assert tensors_of(window)[3].name == name


def test_cells_and_fields_rename_as_the_menu_does(window: MainWindow, qtbot: QtBot) -> None:
    def alias() -> str | None:
        signature = (window.document.model.signature_defs or [])[0]
        return (signature.inputs or [])[0].name

    choose(window, 0)
    edit_cell(qtbot, window.tensor_view, 0, "Name", "image")
    assert (names_of(window)[0], alias()) == ("image", "image")
    edit_cell(qtbot, window.tensor_view, 0, "Name", "edges")
    assert "both be called 'edges'" in notice(window)
    line = window.inspector.findChild(QLineEdit, "field.name")
    assert isinstance(line, QLineEdit)
    line.setText("photo")
    line.editingFinished.emit()
    assert (names_of(window)[0], alias()) == ("photo", "photo")
    line.setText("mix")
    line.editingFinished.emit()
    assert "both be called 'mix'" in notice(window)
    assert line.text() == "photo"
    check_undone(window)


def test_several_are_renamed_by_a_pattern(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    def act(dialog: RenameDialog) -> None:
        assert not dialog.ok.isEnabled()
        write(dialog.pattern, "nothing", qtbot)
        assert dialog.note.text() == "No name has this part."
        write(dialog.pattern, "/", qtbot)
        write(dialog.replacement, ".", qtbot)
        assert dialog.table.rows == [
            NewName(1, "edges/weights", "edges.weights", is_taken=False),
            NewName(2, "edges/bias", "edges.bias", is_taken=False),
        ]
        assert dialog.note.text() == "2 names of 3 will change."
        dialog.is_regex.click()
        write(dialog.pattern, r"(\w+)/(\w+)", qtbot)
        write(dialog.replacement, r"\2 of \1", qtbot)
        qtbot.waitUntil(lambda: dialog.ok.isEnabled())
        assert [row.new for row in dialog.table.rows] == ["weights of edges", "bias of edges"]
        accept(dialog, qtbot)

    answer(act)
    choose(window, 1, 2, 3)
    do(window, "tensor.rename")
    assert names_of(window)[1:4] == ["weights of edges", "bias of edges", "edges"]
    assert len(window.document.history.steps) == 1
    check_undone(window)


def test_names_that_meet_are_red(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    def act(dialog: RenameDialog) -> None:
        write(dialog.pattern, "edges/", qtbot)
        write(dialog.replacement, "corners/", qtbot)
        assert [row.is_taken for row in dialog.table.rows] == [True, True]
        assert "both be called 'corners/weights'" in dialog.note.text()
        assert not dialog.ok.isEnabled()
        role = Qt.ItemDataRole.ForegroundRole
        assert dialog.table.index(0, 2).data(role) is not None
        dialog.is_regex.click()
        write(dialog.pattern, "(", qtbot)
        qtbot.waitUntil(lambda: "cannot be used" in dialog.note.text())
        dialog.reject()

    answer(act)
    choose(window, 1, 2)
    do(window, "tensor.rename")
    assert not window.document.history.steps


def test_a_slow_regular_expression_freezes_nothing(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    def act(dialog: RenameDialog) -> None:
        dialog.is_regex.click()
        start = time.monotonic()
        dialog.pattern.setText("(a+)+$")
        assert time.monotonic() - start < 0.3
        qtbot.waitUntil(lambda: dialog.note.text() == TOO_SLOW, timeout=4000)
        assert not dialog.ok.isEnabled()
        dialog.pattern.setText("(a|aa)+$")
        dialog.reject()  # while it runs

    window.document.do([])
    tensors_of(window)[1].name = "a" * 60 + "b"
    answer(act)
    choose(window, 1, 2)
    do(window, "tensor.rename")


# ------------------------------------------------------------------ what tensors are


def test_kinds(window: MainWindow) -> None:
    choose(window, 1, 2)
    do(window, "tensor.make_activation")
    assert [tensor.buffer for tensor in tensors_of(window)[1:3]] == [1, 2]
    assert not (window.document.model.buffers or [])[1].data
    do(window, "tensor.make_variable")
    assert all(tensor.is_variable for tensor in tensors_of(window)[1:3])
    do(window, "tensor.make_constant")
    assert not any(tensor.is_variable for tensor in tensors_of(window)[1:3])
    assert len(window.document.history.steps) == 3
    choose(window, 3)
    do(window, "tensor.make_constant")
    assert "Conv2D 0 makes it" in notice(window)
    check_undone(window)


def test_ends_come_and_go(window: MainWindow) -> None:
    choose(window, 3, 6)
    assert not window.commands.actions["tensor.remove_output"].isEnabled()
    do(window, "tensor.make_output")
    assert list(subgraph_of(window).outputs or []) == [16, 3, 6]
    assert not window.commands.actions["tensor.make_output"].isEnabled()
    do(window, "tensor.remove_output")
    assert list(subgraph_of(window).outputs or []) == [16]
    do(window, "tensor.make_input")
    assert "cannot be an input" in notice(window)
    check_undone(window)


def test_a_quantize_is_put_in(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    def act(dialog: QuantizeDialog) -> None:
        assert dialog.scale.text().startswith("0.0367")
        write(dialog.scale, "x", qtbot)
        assert "'x' is not a number" in dialog.note.text()
        write(dialog.scale, "0.01", qtbot)
        dialog.users.item(0).setCheckState(Qt.CheckState.Unchecked)
        assert "Choose who" in dialog.note.text()
        dialog.users.item(0).setCheckState(Qt.CheckState.Checked)
        box = dialog.findChild(QComboBox, "tensor_type")
        assert isinstance(box, QComboBox)
        box.setCurrentText("int16")
        write(dialog.zero_point, "0", qtbot)
        accept(dialog, qtbot)

    answer(act)
    choose(window, 3)
    do(window, "tensor.insert_quantize")
    operators = subgraph_of(window).operators or []
    assert [list(operators[1].inputs or []), list(operators[1].outputs or [])] == [[3], [17]]
    assert next(iter(operators[2].inputs or [])) == 17
    answer(lambda dialog: accept(dialog, qtbot))
    choose(window, 16)
    do(window, "tensor.insert_dequantize")
    assert list(subgraph_of(window).outputs or []) == [18]
    choose(window, 18)
    answer(lambda dialog: (dialog.note.text(), dialog.reject()))
    do(window, "tensor.insert_dequantize")
    check_undone(window)


# ------------------------------------------------------------------ buffers


def test_buffers_of_tensors(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    def use(dialog: UseBufferDialog) -> None:
        dialog.buffer.setValue(3)
        assert "The tensor needs 72 bytes." in dialog.note.text()
        accept(dialog, qtbot)

    answer(use)
    choose(window, 1)
    do(window, "tensor.use_buffer")
    assert tensors_of(window)[1].buffer == 3
    do(window, "tensor.own_buffer")
    assert tensors_of(window)[1].buffer == len(window.document.model.buffers or []) - 1

    def share(dialog: ShareBufferDialog) -> None:
        assert not dialog.ok.isEnabled()
        write(dialog.source, "picture", qtbot)
        assert "no data" in dialog.note.text()
        write(dialog.source, "edges/bias", qtbot)
        assert "other bytes" in dialog.note.text()
        dialog.force.click()
        accept(dialog, qtbot)

    answer(share)
    do(window, "tensor.share_buffer")
    assert tensors_of(window)[1].buffer == tensors_of(window)[2].buffer
    check_undone(window)


def test_a_tensor_is_found_by_a_part_of_its_name(window: MainWindow, qtbot: QtBot) -> None:
    choice = TensorChoice(subgraph_of(window))
    qtbot.addWidget(choice)
    completer = choice.completer()
    completer.setCompletionPrefix("ORNERS/W")
    assert completer.currentCompletion().startswith("4  corners/weights")
    choice.setText(completer.currentCompletion())
    assert choice.index() == 4


def test_data_comes_from_a_file_and_goes_to_one(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "new.bin").write_bytes(bytes(range(72)))
    path = str(tmp_path / "new.bin")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (path, ""))
    choose(window, 1)  # whose buffer it is
    do(window, "buffer.replace")
    assert bytes((window.document.model.buffers or [])[1].data or b"") == bytes(range(72))
    out = str(tmp_path / "out.bin")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (out, ""))
    choose_buffers(window, 1)
    do(window, "buffer.extract")
    assert Path(out).read_bytes() == bytes(range(72))
    choose(window, 0)
    assert not window.commands.actions["buffer.replace"].isEnabled()
    check_undone(window)


def test_buffers_come_and_go(window: MainWindow) -> None:
    do(window, "buffer.remove_unused")
    assert window.statusBar().currentMessage() == "All buffers are in use."
    do(window, "buffer.add")
    assert window.session.selection.address == ("buffers", 11)
    do(window, "buffer.remove_unused")
    assert len(window.document.model.buffers or []) == 11
    choose_buffers(window, 1, 2)
    do(window, "buffer.delete")
    assert "edges/weights" in notice(window)
    do(window, "buffer.duplicate")
    assert window.buffer_table_view.selected_rows() == [11, 12]
    do(window, "buffer.remove_unused")
    choose(window, 1)
    do(window, "tensor.duplicate")
    do(window, "buffer.share_identical")
    assert tensors_of(window)[17].buffer == 1
    check_undone(window)


# ------------------------------------------------------------------ menus


def test_what_is_only_marked_is_not_meant(window: MainWindow) -> None:
    window.session.selection.select(("subgraphs", 0, "operators", 0))
    window.tabs.setCurrentIndex(1)
    assert window.tensor_view.selected_rows()
    for name in ("delete", "duplicate", "rename", "make_constant"):
        assert not window.commands.actions[f"tensor.{name}"].isEnabled()


def test_rows_are_chosen_with_ctrl_and_shift(window: MainWindow, qtbot: QtBot) -> None:
    view, ctrl = window.tensor_view, Qt.KeyboardModifier.ControlModifier
    window.commands.actions["go.tensors"].trigger()

    def click(row: int, *keys: Qt.KeyboardModifier, right: bool = False) -> list[int]:
        center = view.visualRect(view.model().index(row, 1)).center()
        button = Qt.MouseButton.RightButton if right else Qt.MouseButton.LeftButton
        modifier = keys[0] if keys else Qt.KeyboardModifier.NoModifier
        qtbot.mouseClick(view.viewport(), button, modifier, center)
        return chosen_rows(view)

    assert click(1) == [1]
    assert click(3, ctrl) == [3, 1]
    assert click(5, ctrl) == [5, 1, 3]
    assert click(1, right=True) == [1, 3, 5]
    assert window.commands.actions["tensor.merge"].isEnabled()
    assert click(3, ctrl) == [1, 5]
    assert click(2) == [2]
    assert click(4, Qt.KeyboardModifier.ShiftModifier) == [4, 2, 3]
    window.find_field.setText("bias")
    assert chosen_rows(view) == [4]


def test_the_menu_is_short(window: MainWindow) -> None:
    menu = next(a.menu() for a in window.menuBar().actions() if a.text() == "&Tensor")
    assert isinstance(menu, QMenu)
    texts = [action.text().replace("&", "") for action in menu.actions() if action.text()]
    assert texts == [
        "Add…",
        "Duplicate",
        "Duplicate, sharing the data",
        "Delete…",
        "Merge selected into the current one",
        "Rename…",
        "Kind",
        "Input or output",
        "Quantize step",
        "Its buffer",
        "Buffers",
        "Values",
    ]


def test_a_model_without_anything(window: MainWindow) -> None:
    window.document.model.subgraphs = None
    window.document.model.buffers = None
    window.session.selection.start(())
    window.commands.refresh()
    enabled = {
        name
        for name, action in window.commands.actions.items()
        if name.startswith(("tensor.", "buffer.")) and action.isEnabled()
    }
    assert enabled == {"buffer.add", "buffer.share_identical", "buffer.remove_unused"}
    for name in sorted(enabled - {"buffer.add"}):
        do(window, name)


def test_the_tables_of_dialogs_are_sound(qtmodeltester: ModelTester) -> None:
    table = RenameTable()
    table.show([NewName(0, "a", "b", is_taken=True)])
    qtmodeltester.check(table)
    model = Model(subgraphs=[SubGraph(tensors=[Tensor()])])
    qtmodeltester.check(PlanTable(model, [PlannedTensor(0, 0, -1)]))
