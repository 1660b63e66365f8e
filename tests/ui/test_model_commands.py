# SPDX-License-Identifier: Apache-2.0
"""Ends, shapes, signatures, metadata and subgraphs edited from menus, tables and dialogs."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
)
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from tests.conftest import SAMPLES
from tests.ui.conftest import edit_cell
from tests.ui.dialogs import Answer, accept, answering, click, write
from tflm_studio.editing.document import Document
from tflm_studio.editing.offline_offsets import planned_tensors, set_offsets
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.schema.tables import Metadata, Model, SignatureDef, SubGraph
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.models.metadata_tables import SignatureTable
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.ends_dialog import EndsDialog
from tflm_studio.ui.views.metadata_dialog import MetadataDialog, as_text
from tflm_studio.ui.views.offline_plan_dialog import OfflinePlanDialog
from tflm_studio.ui.views.shape_dialogs import BatchDialog, InputShapeDialog
from tflm_studio.ui.views.signature_dialog import SignatureDialog
from tflm_studio.ui.views.text_dialog import TextDialog

VERSION = ("metadata", 0)
SIGNATURE = ("signature_defs", 0)


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Answer:
    return answering(monkeypatch)


def model_of(window: MainWindow) -> Model:
    return window.document.model


def subgraphs_of(window: MainWindow) -> list[SubGraph]:
    return model_of(window).subgraphs or []


def entries_of(window: MainWindow) -> list[Metadata]:
    return model_of(window).metadata or []


def signatures_of(window: MainWindow) -> list[SignatureDef]:
    return model_of(window).signature_defs or []


def content(window: MainWindow, index: int) -> bytes:
    buffer = (model_of(window).buffers or [])[entries_of(window)[index].buffer]
    return bytes(buffer.data or b"")


def do(window: MainWindow, name: str) -> None:
    action = window.commands.actions[name]
    assert action.isEnabled(), name
    action.trigger()


def press(window: MainWindow, name: str, qtbot: QtBot) -> None:
    """Presses the button of a command in the Metadata tab."""
    window.commands.actions["go.metadata"].trigger()
    button = window.metadata_panel.findChild(QToolButton, f"button.{name}")
    assert isinstance(button, QToolButton)
    assert button.isEnabled()
    window.metadata_panel.ensureWidgetVisible(button)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def notice(window: MainWindow) -> str:
    return window.notice.label.text() if window.notice.isVisible() else ""


def check_undone(window: MainWindow) -> None:
    """Takes all steps back: everything is as in the file."""
    while window.document.history.can_undo:
        window.document.undo()
    original = load_model_from_file(SAMPLES / "shapes_int8.tflite")
    assert same_content(window.document.model, original)
    assert not window.document.modified


# ------------------------------------------------------------------ ends


def test_ends_are_added_moved_and_removed(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    def act(dialog: EndsDialog) -> None:
        assert dialog.note.text() == "1 input and 1 output. Nothing is changed yet."
        click(dialog, "outputs_add", qtbot)
        assert "Name a tensor" in dialog.note.text()
        write(dialog.outputs.choice, "edges", qtbot)
        qtbot.keyClick(dialog.outputs.choice, Qt.Key.Key_Return)
        assert dialog.isVisible()  # Enter adds, and only that
        assert dialog.outputs.ends == [16, 3]
        click(dialog, "outputs_up", qtbot)
        assert dialog.outputs.ends == [3, 16]
        cells = [dialog.outputs.table.item(0, k).text() for k in range(4)]
        assert cells == ["3", "edges", "1×8×8×8", "int8"]
        write(dialog.inputs.choice, "3", qtbot)
        click(dialog, "inputs_add", qtbot)
        assert "Conv2D 0 makes it" in dialog.note.text()
        assert not dialog.ok.isEnabled()
        click(dialog, "inputs_remove", qtbot)
        accept(dialog, qtbot)

    shown = answer(act)
    do(window, "model.ends")
    assert shown == ["ends_dialog"]
    assert list(subgraphs_of(window)[0].outputs or []) == [3, 16]
    signature = signatures_of(window)[0]
    # A signature is a list of names: its own order stays.
    assert [entry.tensor_index for entry in signature.outputs or []] == [16, 3]
    assert len(window.document.history.steps) == 1
    check_undone(window)


def test_fields_of_a_subgraph_keep_signatures_in_step(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.session.selection.select(("subgraphs", 0))
    page = window.inspector.page
    assert page is not None
    line = page.findChild(QLineEdit, "field.outputs")
    assert isinstance(line, QLineEdit)
    line.setText("16 6")
    line.editingFinished.emit()
    signature = signatures_of(window)[0]
    assert [entry.tensor_index for entry in signature.outputs or []] == [16, 6]
    line.setText("16 6 6")
    line.editingFinished.emit()
    assert "named twice" in notice(window)
    check_undone(window)


def test_ends_are_renamed_in_their_table(window: MainWindow, qtbot: QtBot) -> None:
    window.commands.actions["go.metadata"].trigger()
    ends = window.metadata_panel.ends
    edit_cell(qtbot, ends, 0, "Name", "image")
    tensors = subgraphs_of(window)[0].tensors or []
    assert tensors[0].name == "image"
    assert (signatures_of(window)[0].inputs or [])[0].name == "image"
    edit_cell(qtbot, ends, 2, "Name", "alias")
    assert tensors[0].name == "image"
    assert (signatures_of(window)[0].inputs or [])[0].name == "alias"
    edit_cell(qtbot, ends, 0, "Name", "edges")
    assert "both be called 'edges'" in notice(window)
    check_undone(window)


# ------------------------------------------------------------------ shapes


def test_the_shape_of_an_input_and_what_follows(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    def act(dialog: InputShapeDialog) -> None:
        assert dialog.now.text() == "1×16×16×1"
        write(dialog.shape, "1x16x16", qtbot)
        qtbot.waitUntil(lambda: bool(dialog.note.text()) and not dialog.ok.isEnabled())
        qtbot.waitUntil(lambda: "Conv2D 0" in dialog.note.text())
        assert dialog.preview.rowCount() == 0
        write(dialog.shape, "2x16x16x1", qtbot)
        qtbot.waitUntil(dialog.ok.isEnabled)
        rows = [
            tuple(dialog.preview.item(row, column).text() for column in range(3))
            for row in range(dialog.preview.rowCount())
        ]
        assert rows[0] == ("tensor 0 picture", "1×16×16×1", "2×16×16×1")
        assert ("tensor 12 flat", "1×16", "2×16") in rows
        assert "Reshape 4: its shape 1x16 becomes 2x16." in dialog.left.toPlainText()
        accept(dialog, qtbot)

    answer(act)
    do(window, "model.input_shape")
    tensors = subgraphs_of(window)[0].tensors or []
    assert list(tensors[16].shape or []) == [2, 4]
    assert len(window.document.history.steps) == 1
    check_undone(window)


def test_the_batch(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    def act(dialog: BatchDialog) -> None:
        assert dialog.batch.value() == 1
        dialog.batch.setValue(4)
        assert not dialog.ok.isEnabled()
        qtbot.waitUntil(dialog.ok.isEnabled)
        assert dialog.note.text() == "8 tensors will have another shape."
        accept(dialog, qtbot)

    answer(act)
    do(window, "model.batch")
    tensors = subgraphs_of(window)[0].tensors or []
    assert [list(tensors[k].shape or []) for k in (0, 16)] == [[4, 16, 16, 1], [4, 4]]
    check_undone(window)


def test_enter_before_the_preview_is_there(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    def act(dialog: BatchDialog) -> None:
        dialog.batch.setValue(4)
        dialog.accept()

    answer(act)
    do(window, "model.batch")
    assert list((subgraphs_of(window)[0].tensors or [])[0].shape or []) == [4, 16, 16, 1]


def test_enter_in_the_number_box_is_ok(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    def act(dialog: BatchDialog) -> None:
        dialog.batch.selectAll()
        qtbot.keyClicks(dialog.batch, "4")
        qtbot.keyClick(dialog.batch, Qt.Key.Key_Return)
        assert not dialog.isVisible()

    answer(act)
    do(window, "model.batch")
    assert list((subgraphs_of(window)[0].tensors or [])[0].shape or []) == [4, 16, 16, 1]


# ------------------------------------------------------------------ signatures


def test_signatures(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    def add(dialog: SignatureDialog) -> None:
        write(dialog.key, "serving_default", qtbot)
        assert "There is a signature" in dialog.note.text()
        write(dialog.key, "train", qtbot)
        assert dialog.note.text() == "Subgraph main: 1 input and 1 output."
        accept(dialog, qtbot)

    answer(add)
    press(window, "signature.add", qtbot)
    assert window.session.selection.address == ("signature_defs", 1)
    table = window.metadata_panel.signatures.table
    cells = [column.text(1) for column in table.columns]
    assert cells == ["train", "0", "picture (0)", "probabilities (16)"]

    def rename(dialog: TextDialog) -> None:
        write(dialog.line, "", qtbot)
        assert "needs a key" in dialog.note.text()
        write(dialog.line, "infer", qtbot)
        accept(dialog, qtbot)

    answer(rename)
    press(window, "signature.rename", qtbot)
    assert signatures_of(window)[1].signature_key == "infer"
    edit_cell(qtbot, window.metadata_panel.signatures, 1, "Key", "serving_default")
    assert "There is a signature" in notice(window)
    press(window, "signature.rebuild", qtbot)
    assert window.statusBar().currentMessage() == "It is in step already."
    press(window, "signature.delete", qtbot)
    assert len(signatures_of(window)) == 1
    check_undone(window)


def test_the_page_of_a_signature_refuses_a_taken_key(
    window: MainWindow, qtbot: QtBot, answer: Answer
) -> None:
    answer(lambda dialog: accept(dialog, qtbot))
    do(window, "signature.add")
    line = window.inspector.findChild(QLineEdit, "field.signature_key")
    assert isinstance(line, QLineEdit)
    assert line.text() == "serving_default_1"
    line.setText("serving_default")
    line.editingFinished.emit()
    assert "There is a signature" in notice(window)
    assert line.text() == "serving_default_1"


# ------------------------------------------------------------------ metadata


def test_an_entry_is_added_as_text_and_as_bytes(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    def act(dialog: MetadataDialog) -> None:
        assert "needs a name" in dialog.note.text()
        write(dialog.name, "author", qtbot)
        dialog.content.setPlainText("me")
        assert dialog.count.text() == "2 bytes"
        dialog.mode.setCurrentText("hexadecimal")
        assert dialog.content.toPlainText() == "6d 65"
        dialog.content.setPlainText("6d 6")
        dialog.content.setPlainText("zz")
        assert "not hexadecimal" in dialog.note.text()
        dialog.mode.setCurrentText("text")
        assert dialog.mode.currentText() == "hexadecimal"
        dialog.content.setPlainText("ff 00")
        dialog.mode.setCurrentText("text")
        assert "not text" in dialog.note.text()
        assert dialog.mode.currentText() == "hexadecimal"
        accept(dialog, qtbot)

    answer(act)
    press(window, "metadata.add", qtbot)
    assert window.session.selection.address == ("metadata", 1)
    assert content(window, 1) == b"\xff\0"
    check_undone(window)


def test_the_version_is_edited_as_text(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    window.session.selection.select(VERSION)
    page = window.inspector.page
    assert page is not None
    shown = page.findChild(QPlainTextEdit, "metadata_text")
    assert isinstance(shown, QPlainTextEdit)
    assert shown.toPlainText() == "1.14.0"
    assert shown.isReadOnly()

    def act(dialog: MetadataDialog) -> None:
        assert dialog.content.toPlainText() == "1.14.0"
        assert dialog.content.hasFocus()
        dialog.content.setPlainText("1" * 16)
        assert "15 bytes at most" in dialog.note.text()
        dialog.content.setPlainText("2.0.0")
        accept(dialog, qtbot)

    answer(act)
    button = page.findChild(QPushButton, "edit_metadata")
    assert isinstance(button, QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert content(window, 0) == b"2.0.0".ljust(16, b"\0")
    assert shown.toPlainText() == "2.0.0"
    check_undone(window)


def test_what_is_not_changed_is_no_step(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    answer(lambda dialog: accept(dialog, qtbot))
    window.session.selection.select(VERSION)
    do(window, "metadata.edit")
    window.session.do(set_offsets(model_of(window), [-1] * 17))
    window.session.selection.select(("metadata", 1))
    do(window, "metadata.edit")
    assert len(window.document.history.steps) == 1
    assert as_text(b"a\r\nb") is None
    assert as_text(b"a\nb\0\0") == "a\nb"


def test_a_memory_plan_is_edited_as_a_table(
    window: MainWindow, answer: Answer, qtbot: QtBot
) -> None:
    def act(dialog: OfflinePlanDialog) -> None:
        def put(row: int, text: str) -> None:
            dialog.table.setData(dialog.table.index(row, 3), text)

        assert dialog.table.index(0, 2).data() == "picture  1×16×16×1 int8"
        put(0, "x")
        assert "'x'" in dialog.note.text()
        put(0, "17")
        assert "neither a multiple of 16 nor -1" in dialog.note.text()
        assert not dialog.ok.isEnabled()
        put(0, "0")
        put(3, "256")
        assert "2 of 17 tensors have a place" in dialog.note.text()
        accept(dialog, qtbot)

    window.session.do(set_offsets(model_of(window), [-1] * 17))
    window.session.selection.select(("metadata", 1))
    shown = answer(act)
    do(window, "metadata.edit")
    assert shown == ["offline_plan_dialog"]
    offsets = [each.offset for each in planned_tensors(model_of(window))]
    assert offsets == [0, -1, -1, 256, *[-1] * 13]
    (model_of(window).buffers or [])[entries_of(window)[1].buffer].data = b"123"
    shown = answer(lambda dialog: dialog.reject())
    do(window, "metadata.edit")
    assert shown == ["metadata_dialog"]


def test_an_entry_is_replaced_extracted_renamed_and_deleted(
    window: MainWindow,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    qtbot: QtBot,
    answer: Answer,
) -> None:
    window.session.selection.select(VERSION)
    (tmp_path / "in").write_bytes(b"abc")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "in"), ""))
    press(window, "metadata.replace", qtbot)
    assert content(window, 0) == b"abc"
    out = tmp_path / "out"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))
    press(window, "metadata.extract", qtbot)
    assert out.read_bytes() == b"abc"

    def add(dialog: MetadataDialog) -> None:
        write(dialog.name, "other", qtbot)
        click(dialog, "load", qtbot)
        accept(dialog, qtbot)

    answer(add)
    press(window, "metadata.add", qtbot)
    assert content(window, 1) == b"abc"
    edit_cell(qtbot, window.metadata_panel.entries, 1, "Name", "min_runtime_version")
    assert "There is metadata" in notice(window)
    edit_cell(qtbot, window.metadata_panel.entries, 1, "Name", "more")
    assert entries_of(window)[1].name == "more"
    press(window, "metadata.delete", qtbot)
    assert len(entries_of(window)) == 1
    check_undone(window)


def test_an_entry_without_a_buffer_is_told(window: MainWindow) -> None:
    entries_of(window)[0].buffer = 999
    window.session.selection.select(VERSION)
    for name in ("edit", "extract"):
        do(window, f"metadata.{name}")
        assert "no buffer 999" in notice(window)
        window.notice.hide()


# ------------------------------------------------------------------ subgraphs


def test_subgraphs(window: MainWindow, answer: Answer, qtbot: QtBot) -> None:
    def names() -> list[str | None]:
        return [subgraph.name for subgraph in subgraphs_of(window)]

    assert not window.commands.actions["subgraph.delete"].isEnabled()
    answer(lambda dialog: (write(dialog.line, "body", qtbot), accept(dialog, qtbot)))
    do(window, "subgraph.add")
    assert names() == ["main", "body"]
    assert window.session.subgraph_index == 1
    answer(lambda dialog: (write(dialog.line, "part", qtbot), accept(dialog, qtbot)))
    do(window, "subgraph.rename")
    assert names() == ["main", "part"]
    do(window, "subgraph.move_up")
    assert names() == ["part", "main"]
    assert window.session.subgraph_index == 0
    do(window, "subgraph.move_down")
    do(window, "subgraph.duplicate")
    assert names() == ["main", "part", "part_copy"]
    assert window.session.subgraph_index == 2
    do(window, "subgraph.delete")
    assert names() == ["main", "part"]
    check_undone(window)


# ------------------------------------------------------------------ menus


def test_lines_of_the_outline_have_menus(window: MainWindow, qtbot: QtBot) -> None:
    def offered(*address: int | str) -> list[str]:
        menu = window.outline.menu_for(address)
        texts = [action.text().replace("&", "") for action in menu.actions()]
        menu.close()
        menu.deleteLater()
        return texts

    assert offered()[0] == "Inputs and outputs…"
    assert offered("subgraphs", 0)[0] == "Add subgraph…"
    assert offered("subgraphs", 0, "tensors", 0)[:2] == ["Add…", "Duplicate"]
    assert offered("buffers")[0] == "Add buffer"
    assert offered("metadata", 0)[:2] == ["Add entry…", "Edit…"]
    assert offered("signature_defs")[0] == "Add signature…"
    assert offered("associated_files")[0] == "Add file…"


def test_tables_of_the_tab_have_menus(window: MainWindow, qtbot: QtBot) -> None:
    panel = window.metadata_panel
    window.commands.actions["go.metadata"].trigger()
    for view, first in ((panel.signatures, "Add signature…"), (panel.entries, "Add entry…")):
        assert view.contextMenuPolicy() is Qt.ContextMenuPolicy.ActionsContextMenu
        assert view.actions()[0].iconText() == first
        center = view.visualRect(view.model().index(0, 0)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.RightButton, pos=center)
        QApplication.processEvents()
        assert window.session.selection.address == (*view.table.list_address(), 0)
        assert view.actions()[1].isEnabled()


def test_a_model_without_anything(window: MainWindow) -> None:
    model = model_of(window)
    model.subgraphs = model.metadata = model.signature_defs = model.buffers = None
    window.session.selection.start(())
    window.commands.refresh()
    enabled = {
        name
        for name, action in window.commands.actions.items()
        if name.startswith(("model.", "signature.", "metadata.", "subgraph."))
        and action.isEnabled()
    }
    assert enabled == {"metadata.add", "subgraph.add"}


def test_the_table_of_signatures_is_sound(qtmodeltester: ModelTester) -> None:
    document = Document.open(SAMPLES / "shapes_int8.tflite")
    session = Session(document)
    qtmodeltester.check(SignatureTable(session))
