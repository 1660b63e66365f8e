# SPDX-License-Identifier: Apache-2.0
"""What a person does in the window: look, edit, undo, save, close."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QAction, QColor, QDropEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QFileDialog,
    QInputDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPushButton,
    QTableView,
    QWidget,
)
from pytestqt.qtbot import QtBot

import tflm_studio as ts
from tests.conftest import SAMPLES, every, readable_models
from tests.ui.conftest import Opener, edit_cell
from tflm_studio.model.errors import ReadError
from tflm_studio.schema.enums import Padding, TensorType
from tflm_studio.schema.tables import Conv2DOptions, Operator, Tensor
from tflm_studio.ui.app.actions import ACTIONS
from tflm_studio.ui.app.application import _open_all
from tflm_studio.ui.app.file_commands import ChangedFile
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.mnemonics import letter_of
from tflm_studio.ui.app.settings import Settings
from tflm_studio.ui.app.windows import Answer, Windows
from tflm_studio.ui.models.tensor_choices import TensorChoices
from tflm_studio.ui.views.export_dialog import ExportDialog
from tflm_studio.ui.views.field_editors import EnumEditor, IntegerEditor, TextEditor
from tflm_studio.ui.views.field_form import FieldForm
from tflm_studio.ui.views.links import LinkLabel
from tflm_studio.ui.views.operator_page import OperatorPage
from tflm_studio.ui.views.tensor_index_edit import TensorIndexEdit
from tflm_studio.ui.views.tensor_page import TensorPage

PARTS = (
    "operator_table",
    "tensor_table",
    "buffer_table",
    "metadata_panel",
    "inspector",
    "buffer_view",
    "history_panel",
    "outline",
)


def operator(window: MainWindow, index: int) -> Operator:
    return ((window.document.model.subgraphs or [])[0].operators or [])[index]


def tensor(window: MainWindow, index: int) -> Tensor:
    return ((window.document.model.subgraphs or [])[0].tensors or [])[index]


def trigger(window: MainWindow, name: str) -> None:
    action = window.findChild(QAction, name)
    assert action is not None
    assert action.isEnabled(), name
    action.trigger()


def cell(view: QTableView, row: int, column: int) -> Any:
    return view.model().index(row, column).data()


def test_all_parts_and_actions_have_their_names(window: MainWindow) -> None:
    for name in PARTS:
        assert window.findChild(QWidget, name) is not None, name
    for row in ACTIONS:
        assert window.findChild(QAction, row.id) is not None, row.id
    assert len({row.id for row in ACTIONS}) == len(ACTIONS)


def test_the_operator_table_reads_like_the_slide(window: MainWindow) -> None:
    view = window.operator_view
    headers = [
        view.model().headerData(column, Qt.Orientation.Horizontal) for column in range(7)
    ]
    assert headers == ["#", "Name", "Args", "Inputs", "Outputs", "Weights", "Size"]
    shown = [cell(view, 0, column) for column in range(6)]
    assert shown[:3] == ["0", "Conv2D", "3x3 s2 SAME RELU"]
    first = operator(window, 0)
    assert first.inputs is not None
    assert shown[3:] == [
        str(first.inputs[0]),
        str((first.outputs or [])[0]),
        f"{first.inputs[1]} (bias {first.inputs[2]})",
    ]
    tip = view.model().index(0, 5).data(Qt.ItemDataRole.ToolTipRole)
    assert "int8" in tip
    assert str(tensor(window, first.inputs[1]).name) in tip


def test_wiring_an_operator_by_hand(window: MainWindow, qtbot: QtBot) -> None:
    before = list(operator(window, 1).inputs or [])
    editor = edit_cell(qtbot, window.operator_view, 1, "Inputs", "0")
    assert isinstance(editor, TensorIndexEdit)
    assert operator(window, 1).inputs == [0, *before[1:]]
    assert cell(window.operator_view, 1, 3) == "0"
    assert window.isWindowModified()
    trigger(window, "edit.undo")
    assert operator(window, 1).inputs == before
    assert not window.isWindowModified()
    trigger(window, "edit.redo")
    assert operator(window, 1).inputs == [0, *before[1:]]


def test_while_typing_the_tensor_is_named(window: MainWindow, qtbot: QtBot) -> None:
    edit = TensorIndexEdit(TensorChoices(window.session, 0, 0))
    qtbot.addWidget(edit)
    edit.setText("0 -1 99")
    lines = edit.hint_text().split("\n")
    assert str(tensor(window, 0).name) in lines[0]
    assert "left out" in lines[1]
    assert "no such tensor" in lines[2]
    edit.setText("zzz")
    assert "tensor indices" in edit.hint_text()


def test_what_was_typed_is_named_until_it_is_entered(window: MainWindow, qtbot: QtBot) -> None:
    edit = TensorIndexEdit(TensorChoices(window.session, 0, 0))
    qtbot.addWidget(edit)
    edit.show()
    edit.setFocus()
    qtbot.waitUntil(edit.hasFocus)
    qtbot.keyClicks(edit, "2")
    assert edit.hint.isVisible()
    qtbot.keyClick(edit, Qt.Key.Key_Return)
    assert not edit.hint.isVisible()
    qtbot.keyClicks(edit, "1")
    assert edit.hint.isVisible()


def test_all_commands_can_be_chosen_by_a_letter(window: MainWindow) -> None:
    bar = window.menuBar()
    menus = [menu for menu in bar.findChildren(QMenu) if len(menu.actions()) > 1]
    assert len(menus) > 12
    for menu in menus:
        texts = [a.text() for a in menu.actions() if a.text()]
        letters = [text[text.index("&") + 1].lower() for text in texts if "&" in text]
        assert len(letters) == len(texts), texts
        assert len(set(letters)) == len(letters), texts
    # Panels behind another are still visible for Qt: a letter of both opens neither.
    taken = {letter_of(action.text()) for action in bar.actions()}
    for button in window.findChildren(QAbstractButton):
        assert letter_of(button.text()) not in taken, button.text()


def test_an_index_out_of_range_is_refused_in_place(window: MainWindow, qtbot: QtBot) -> None:
    before = list(operator(window, 0).outputs or [])
    edit_cell(qtbot, window.operator_view, 0, "Outputs", "4711")
    assert operator(window, 0).outputs == before
    assert window.notice.isVisible()
    assert "no tensor 4711" in window.notice.label.text()
    assert not window.isWindowModified()
    edit_cell(qtbot, window.operator_view, 0, "Outputs", "5")
    assert not window.notice.isVisible()


def test_options_are_edited_in_the_inspector(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(("subgraphs", 0, "operators", 0))
    page = window.inspector.page
    assert isinstance(page, OperatorPage)
    options = operator(window, 0).builtin_options
    assert isinstance(options, Conv2DOptions)
    stride = window.inspector.findChild(QWidget, "field.stride_w")
    assert stride is not None
    qtbot.keyClick(stride, Qt.Key.Key_Up)
    qtbot.keyClick(stride, Qt.Key.Key_Up)
    assert options.stride_w == 4
    assert [step.label for step in window.document.history.steps] == [
        "Conv2D 0: stride_w 2 → 4"
    ]
    assert cell(window.operator_view, 0, 2) == "3x3 s2x4 SAME RELU"
    padding = window.inspector.findChild(QComboBox, "field.padding")
    assert padding is not None
    padding.setCurrentIndex(padding.findText("VALID"))
    padding.activated.emit(padding.currentIndex())
    assert options.padding is Padding.VALID
    trigger(window, "edit.undo")
    assert padding.currentText() == "SAME"


def test_a_number_that_does_not_fit_is_refused(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(("subgraphs", 0, "operators", 0))
    editor = window.inspector.findChild(IntegerEditor)
    assert editor is not None
    line = editor.box.lineEdit()
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "99999999999")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert window.notice.isVisible()
    assert "-2147483648 to 2147483647" in window.notice.label.text()
    assert line.text() == "2"
    assert not window.document.modified


def test_inputs_are_edited_by_role(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(("subgraphs", 0, "operators", 0))
    page = window.inspector.page
    assert isinstance(page, OperatorPage)
    bias = page.tensors[0].edits[2]
    bias.setFocus()
    bias.selectAll()
    qtbot.keyClicks(bias, "-1")
    qtbot.keyClick(bias, Qt.Key.Key_Return)
    assert (operator(window, 0).inputs or [])[2] == -1
    assert cell(window.operator_view, 0, 5) == str((operator(window, 0).inputs or [])[1])


def test_a_tensor_is_renamed_reshaped_and_retyped(window: MainWindow, qtbot: QtBot) -> None:
    trigger(window, "go.tensors")
    edit_cell(qtbot, window.tensor_view, 0, "Name", "camera")
    edit_cell(qtbot, window.tensor_view, 0, "Shape", "1x8x8x1")
    assert tensor(window, 0).name == "camera"
    assert tensor(window, 0).shape == [1, 8, 8, 1]
    view = window.tensor_view
    view.edit(view.model().index(0, 3))
    choice = view.viewport().findChild(QComboBox)
    assert choice is not None
    choice.setCurrentText("int16")
    choice.activated.emit(choice.currentIndex())
    assert tensor(window, 0).type is TensorType.INT16
    edit_cell(qtbot, window.tensor_view, 0, "Buffer", "999")
    assert "no buffer 999" in window.notice.label.text()
    for _ in range(3):
        trigger(window, "edit.undo")
    assert not window.document.modified


def test_quantisation_is_edited(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(("subgraphs", 0, "tensors", 0))
    page = window.inspector.page
    assert isinstance(page, TensorPage)
    scale = quantization_form(window).editor("scale")
    assert isinstance(scale, TextEditor)
    scale.line.setFocus()
    scale.line.selectAll()
    qtbot.keyClicks(scale.line, "0.25")
    qtbot.keyClick(scale.line, Qt.Key.Key_Return)
    quantization = tensor(window, 0).quantization
    assert quantization is not None
    assert quantization.scale == [0.25]
    assert "0.25 (" in cell(window.tensor_view, 0, 4)
    scale.line.selectAll()
    qtbot.keyClicks(scale.line, "much")
    qtbot.keyClick(scale.line, Qt.Key.Key_Return)
    assert "not a number" in window.notice.label.text()
    assert scale.line.text() == "0.25"


def quantization_form(window: MainWindow) -> FieldForm:
    page = window.inspector.page
    assert isinstance(page, TensorPage)
    form = page.form.nested("quantization").body
    assert isinstance(form, FieldForm)
    return form


def test_quantisation_is_added_and_taken_back(open_sample: Opener, qtbot: QtBot) -> None:
    window = open_sample("sine_float.tflite")
    window.session.selection.select(("subgraphs", 0, "tensors", 0))
    window.document.do(ts.edits.Set("subgraphs[0].tensors[0].quantization", None))
    add = window.inspector.findChild(QPushButton, "add.quantization")
    qtbot.mouseClick(add, Qt.MouseButton.LeftButton)
    assert quantization_form(window).editor("scale").isVisible()
    trigger(window, "edit.undo")
    assert tensor(window, 0).quantization is None


def test_description_and_version_are_edited(window: MainWindow, qtbot: QtBot) -> None:
    trigger(window, "go.metadata")
    line = window.metadata_panel.findChild(QLineEdit, "field.description")
    assert line is not None
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, "Shapes")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    assert window.document.model.description == "Shapes"


def test_selecting_anywhere_selects_everywhere(window: MainWindow, qtbot: QtBot) -> None:
    view = window.operator_view
    center = view.visualRect(view.model().index(1, 1)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=center)
    assert window.session.selection.address == ("subgraphs", 0, "operators", 1)
    weights = (operator(window, 1).inputs or [])[1]
    rows = {index.row() for index in window.tensor_view.selectionModel().selectedRows()}
    assert rows == {*(operator(window, 1).inputs or []), *(operator(window, 1).outputs or [])}
    buffers = {i.row() for i in window.buffer_table_view.selectionModel().selectedRows()}
    assert tensor(window, weights).buffer in buffers
    assert isinstance(window.inspector.page, OperatorPage)
    window.session.selection.select(("subgraphs", 0, "tensors", weights))
    assert {i.row() for i in view.selectionModel().selectedRows()} == {1}
    trigger(window, "go.back")
    assert window.session.selection.address == ("subgraphs", 0, "operators", 1)
    trigger(window, "go.forward")
    assert window.session.selection.address == ("subgraphs", 0, "tensors", weights)


def test_the_history_panel_goes_to_any_step(window: MainWindow, qtbot: QtBot) -> None:
    for text in "abc":
        window.document.do(ts.edits.Set("description", text))
    panel = window.history_panel
    assert panel.model().rowCount() == 4
    index = panel.model().index(1, 0)
    panel.scrollTo(index)
    qtbot.mouseClick(
        panel.viewport(), Qt.MouseButton.LeftButton, pos=panel.visualRect(index).center()
    )
    assert window.document.model.description == "a"
    assert panel.model().rowCount() == 4
    window.document.do(ts.edits.Set("description", "d"))
    assert panel.model().rowCount() == 3


def test_undoing_what_is_selected_away_shows_the_model(window: MainWindow) -> None:
    count = len(window.document.model.metadata or [])
    entry = (window.document.model.metadata or [])[0]
    window.document.do(ts.edits.Insert("metadata", count, entry))
    window.session.selection.select(("metadata", count))
    trigger(window, "edit.undo")
    assert window.session.selection.address == ()
    assert window.inspector.page is not None
    assert window.inspector.page.address == ()


def test_finding_narrows_the_tables(window: MainWindow, qtbot: QtBot) -> None:
    trigger(window, "edit.find")
    qtbot.keyClicks(window.find_field, "depthwise")
    assert [cell(window.operator_view, row, 1) for row in range(1)] == ["DepthwiseConv2D"]
    assert window.operator_view.model().rowCount() == 1
    window.find_field.clear()
    assert window.operator_view.model().rowCount() == 7


def test_rows_are_copied_for_a_spreadsheet(window: MainWindow) -> None:
    window.operator_view.selectRow(0)
    trigger(window, "edit.copy")
    assert QApplication.clipboard().text().startswith("0\tConv2D\t3x3 s2 SAME RELU\t")


def test_saving_writes_the_file(window: MainWindow) -> None:
    window.document.do(ts.edits.Set("description", "saved"))
    trigger(window, "file.save")
    assert not window.isWindowModified()
    path = window.document.path
    assert path is not None
    assert ts.load_model_from_file(path).description == "saved"


def test_saving_under_another_name(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "other"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    trigger(window, "file.save_as")
    assert (tmp_path / "other.tflite").exists()
    assert window.windowTitle().startswith("other.tflite")
    assert str(tmp_path / "other.tflite") in window.settings.recent_files


def test_a_failed_save_is_reported_and_keeps_the_changes(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *args: said.append(args[2]))
    target = tmp_path / "nowhere" / "m.tflite"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    window.document.do(ts.edits.Set("description", "kept"))
    trigger(window, "file.save_as")
    assert "folder does not exist" in said[0]
    assert window.isWindowModified()
    assert window.document.model.description == "kept"


def test_exporting_a_c_array(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill(dialog: ExportDialog) -> int:
        dialog.path.setText(str(tmp_path / "net.cc"))
        assert dialog.symbol.text() == "g_shapes_int8_model_data"
        dialog.symbol.setText("9lives")
        assert "letters, digits" in dialog.note.text()
        dialog.symbol.setText("g_lives")
        return ExportDialog.DialogCode.Accepted.value

    monkeypatch.setattr(ExportDialog, "exec", lambda self: ExportDialog.DialogCode(fill(self)))
    trigger(window, "file.export_c")
    assert "alignas(16) const unsigned char g_lives[] = {" in (tmp_path / "net.cc").read_text()
    assert (tmp_path / "net.h").exists()
    assert window.document.path is not None
    assert window.document.path.name == "shapes_int8.tflite"


@pytest.mark.parametrize(
    ("answer", "closes", "saved"),
    [
        (QMessageBox.StandardButton.Cancel, False, False),
        (QMessageBox.StandardButton.Discard, True, False),
        (QMessageBox.StandardButton.Save, True, True),
    ],
)
def test_closing_asks(
    window: MainWindow,
    monkeypatch: pytest.MonkeyPatch,
    answer: QMessageBox.StandardButton,
    closes: bool,
    saved: bool,
) -> None:
    path = window.document.path
    assert path is not None
    window.document.do(ts.edits.Set("description", "changed"))
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answer)
    assert window.close() is closes
    assert (ts.load_model_from_file(path).description == "changed") is saved


def test_closing_what_is_unchanged_does_not_ask(window: MainWindow) -> None:
    assert window.close()


def test_a_file_is_opened_once(windows: Windows, window: MainWindow, tmp_path: Path) -> None:
    assert windows.open_path(tmp_path / "shapes_int8.tflite", window) is window
    link = tmp_path / "link.tflite"
    link.symlink_to(tmp_path / "shapes_int8.tflite")
    assert windows.open_path(link) is window
    assert windows.open_windows == [window]


def test_saving_over_a_file_of_another_window_is_refused(
    windows: Windows, window: MainWindow, open_sample: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = open_sample("sine_int8.tflite")
    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *args: said.append(args[2]))
    target = str(other.document.path)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (target, ""))
    trigger(window, "file.save_as")
    assert "another window" in said[0]


def drop(window: MainWindow, path: Path) -> None:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(50, 50),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(event)


def test_files_are_opened_by_dropping_them(
    windows: Windows, window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dropped = tmp_path / "dropped.tflite"
    dropped.write_bytes((SAMPLES / "sine_int8.tflite").read_bytes())
    drop(window, dropped)
    assert len(windows.open_windows) == 2
    assert windows.settings.recent_files[0] == str(dropped)
    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *args: said.append(args[2]))
    dropped.write_bytes(b"no model")
    drop(window, tmp_path)
    assert "folder" in said[0]
    assert len(windows.open_windows) == 2


def test_the_sample_gives_way_to_a_file(windows: Windows, tmp_path: Path) -> None:
    sample = windows.open_sample()
    assert sample.start_panel is not None
    assert sample.start_panel.isVisible()
    assert sample.document.path is None
    path = tmp_path / "mine.tflite"
    path.write_bytes((SAMPLES / "sine_float.tflite").read_bytes())
    sample.setGeometry(10, 30, 770, 500)
    sample.start_panel.file_wanted.emit(str(path))
    assert [window.document.name for window in windows.open_windows] == ["mine.tflite"]
    assert windows.open_windows[0].geometry() == QRect(10, 30, 770, 500)


def test_several_models_in_a_source_are_asked_about(
    windows: Windows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = [
        f"const unsigned char {name}[] = {{{', '.join(map(str, path.read_bytes()))}}};\n"
        for name, path in (
            ("a", SAMPLES / "sine_int8.tflite"),
            ("b", SAMPLES / "sine_float.tflite"),
        )
    ]
    path = tmp_path / "two.cc"
    path.write_text("".join(arrays))
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_: ("b", True))
    window = windows.open_path(path)
    assert window is not None
    assert "float" in str(window.document.model.description)
    assert windows.open_path(path) is window
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_: ("a", True))
    other = windows.open_path(path)
    assert other is not None
    assert other is not window
    assert windows.open_path(path) is other


def test_a_window_can_be_made_alone(qtbot: QtBot) -> None:
    window = MainWindow(ts.Document.open(SAMPLES / "sine_int8.tflite"))
    window.show()
    assert window.operator_view.model().rowCount() == 3
    window.commands.files.open_path(str(SAMPLES / "sine_float.tflite"))
    assert len(window.commands.files.windows.open_windows) == 2
    for each in tuple(window.commands.files.windows.open_windows):
        each.close()


def test_themes_are_switched_and_remembered(window: MainWindow) -> None:
    trigger(window, "view.dark")
    QApplication.processEvents()
    assert window.palette().window().color().lightness() < 80
    assert window.settings.theme == "dark"
    trigger(window, "view.light")
    QApplication.processEvents()
    assert window.palette().window().color().lightness() > 200
    window.commands.view_reset_layout()


def test_the_layout_comes_back(
    windows: Windows, window: MainWindow, open_sample: Opener
) -> None:
    window.docks[0].hide()
    window.close()
    again = open_sample("sine_int8.tflite")
    assert again.docks[0].isHidden()
    trigger(again, "view.reset_layout")
    assert not again.docks[0].isHidden()


def test_enumerations_keep_values_the_schema_does_not_know(qtbot: QtBot) -> None:
    row = next(row for row in Tensor.FIELDS if row.name == "type")
    editor = EnumEditor(row)
    qtbot.addWidget(editor)
    editor.show_value(77)
    assert editor.box.currentText() == "unknown (77)"
    assert editor.box.currentData() == 77


@pytest.mark.parametrize("step", every(2, range(2)))
def test_real_models_show_in_every_panel(
    models_folder: Path, windows: Windows, qtbot: QtBot, step: int
) -> None:
    """Some models, opened, looked at everywhere, and closed."""
    for path in every(3, readable_models(models_folder)[step * 10 :: 40][:10]):
        try:
            window = windows.open_path(path)
        except ts.ReadError:
            continue
        assert window is not None
        model = window.document.model
        for index, subgraph in enumerate((model.subgraphs or [])[:2]):
            window.session.show_subgraph(index)
            for kind, items in (
                ("operators", subgraph.operators),
                ("tensors", subgraph.tensors),
            ):
                for place in range(0, len(items or []), 7):
                    window.session.selection.select(("subgraphs", index, kind, place))
        for place in range(0, len(model.buffers or []), 11):
            window.session.selection.select(("buffers", place))
        for tab in range(4):
            window.tabs.setCurrentIndex(tab)
            window.grab()
        assert not window.document.modified
        window.close()


def run_python(code: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_no_plot_library_before_the_first_plot() -> None:
    code = (
        "import sys; from PySide6.QtWidgets import QApplication; app = QApplication([])\n"
        "from tflm_studio.ui.app.windows import Windows\n"
        "w = Windows().open_sample(); app.processEvents()\n"
        "assert not {'pyqtgraph', 'simpleeval'} & set(sys.modules)\n"
        "w.close()"
    )
    done = run_python(code)
    assert done.returncode == 0, done.stderr


def test_qt_keeps_its_references_to_none(qapp: QApplication) -> None:
    """PySide6 6.12.0 loses one with every call on CPython 3.11 and aborts the process."""
    widget = QWidget()
    before = sys.getrefcount(None)
    for _ in range(2000):
        widget.setToolTip("")
        widget.update()
    assert abs(sys.getrefcount(None) - before) < 50


@pytest.mark.parametrize("answer", list(Answer))
def test_unsaved_work_is_offered_at_the_next_start(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    path, folder = tmp_path / "m.tflite", tmp_path / "recovery"
    path.write_bytes((SAMPLES / "sine_int8.tflite").read_bytes())
    code = (
        "import os; from pathlib import Path; from PySide6.QtWidgets import QApplication\n"
        "app = QApplication([]); from tflm_studio.ui.app.windows import Windows\n"
        f"w = Windows(recovery_folder=Path({str(folder)!r})).open_path(Path({str(path)!r}))\n"
        "import tflm_studio as ts; w.document.do(ts.edits.Set('description', 'unsaved'))\n"
        "os.kill(os.getpid(), 9)"
    )
    assert run_python(code).returncode == -9
    windows = Windows(Settings(tmp_path / "settings.ini"), folder)
    monkeypatch.setattr("tflm_studio.ui.app.windows.ask_to_recover", lambda _: answer)
    windows.offer_recovery()
    if answer is Answer.RECOVER:
        (window,) = windows.open_windows
        assert window.document.model.description == "unsaved"
        assert window.isWindowModified()
        trigger(window, "edit.undo")
        assert not window.isWindowModified()
        window.close()
    assert windows.open_windows == []
    assert len(list(folder.iterdir())) == (answer is Answer.LATER)


def test_closing_removes_the_journal(
    qapp: QApplication, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows = Windows(Settings(tmp_path / "settings.ini"), tmp_path / "recovery")
    window = windows.open_sample()
    window.document.do(ts.edits.Set("description", "changed"))
    assert len(list((tmp_path / "recovery").iterdir())) == 1
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.Discard)
    assert window.close()
    assert not list((tmp_path / "recovery").iterdir())


def replace_file(path: Path, data: bytes) -> None:
    new = path.with_suffix(".new")
    new.write_bytes(data)
    new.replace(path)


def test_a_file_changed_outside_is_noticed_and_reloaded(
    windows: Windows, window: MainWindow, qtbot: QtBot
) -> None:
    path = window.document.path
    assert path is not None
    replace_file(path, (SAMPLES / "sine_int8.tflite").read_bytes())
    qtbot.waitUntil(window.notice.isVisible, timeout=3000)
    assert "changed by another program" in window.notice.label.text()
    reload = next(b for b in window.notice.findChildren(QPushButton) if "Reload" in b.text())
    qtbot.mouseClick(reload, Qt.MouseButton.LeftButton)
    (fresh,) = windows.open_windows
    assert fresh is not window
    assert fresh.operator_view.model().rowCount() == 3
    replace_file(path, (SAMPLES / "sine_float.tflite").read_bytes())
    qtbot.waitUntil(fresh.notice.isVisible, timeout=3000)


@pytest.mark.parametrize("answer", list(ChangedFile))
def test_saving_over_another_programs_changes_is_asked_about(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, answer: ChangedFile
) -> None:
    path = window.document.path
    assert path is not None
    other = (SAMPLES / "sine_int8.tflite").read_bytes()
    window.document.do(ts.edits.Set("description", "mine"))
    replace_file(path, other)
    monkeypatch.setattr(
        "tflm_studio.ui.app.file_commands.ask_about_changed_file", lambda *_: answer
    )
    aside = path.with_name("aside.tflite")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(aside), ""))
    trigger(window, "file.save")
    kept = (ChangedFile.COMPARE, ChangedFile.CANCEL)
    assert window.isWindowModified() is (answer in kept)
    assert (path.read_bytes() == other) is (answer is not ChangedFile.OVERWRITE)
    assert aside.exists() is (answer is ChangedFile.SAVE_AS)


def start_typing(qtbot: QtBot, line: QLineEdit, text: str) -> None:
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, text)


def test_saving_takes_over_what_is_being_typed(window: MainWindow, qtbot: QtBot) -> None:
    trigger(window, "go.metadata")
    line = window.metadata_panel.findChild(QLineEdit, "field.description")
    assert line is not None
    start_typing(qtbot, line, "half typed")
    trigger(window, "file.save")
    path = window.document.path
    assert path is not None
    assert ts.load_model_from_file(path).description == "half typed"
    assert not window.isWindowModified()


def test_closing_asks_about_what_is_being_typed(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    trigger(window, "go.tensors")
    view = window.tensor_view
    view.edit(view.model().index(0, 1))
    editor = next(each for each in view.viewport().findChildren(QLineEdit) if each.isVisible())
    editor.selectAll()
    qtbot.keyClicks(editor, "typed")
    asked: list[str] = []

    def question(*arguments: Any) -> QMessageBox.StandardButton:
        asked.append(arguments[2])
        return QMessageBox.StandardButton.Cancel

    monkeypatch.setattr(QMessageBox, "question", question)
    trigger(window, "file.close")
    assert asked
    assert tensor(window, 0).name == "typed"


@pytest.mark.parametrize("may", [True, False])
def test_a_name_without_suffix_does_not_replace_unasked(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, may: bool
) -> None:
    precious = tmp_path / "precious.tflite"
    precious.write_bytes(b"precious")
    chosen = str(tmp_path / "precious")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen, ""))
    answer = QMessageBox.StandardButton.Yes if may else QMessageBox.StandardButton.No
    monkeypatch.setattr(QMessageBox, "question", lambda *_: answer)
    trigger(window, "file.save_as")
    assert (precious.read_bytes() == b"precious") is not may


def test_saving_as_a_source_asks_about_the_header_beside_it(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = tmp_path / "net.h"
    header.write_text("by hand")
    chosen = str(tmp_path / "net.cc")
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (chosen, ""))
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.No)
    trigger(window, "file.save_as")
    assert header.read_text() == "by hand"
    assert not (tmp_path / "net.cc").exists()


def test_an_export_asks_before_it_replaces(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = tmp_path / "net.h"
    header.write_text("by hand")

    def accept(dialog: ExportDialog) -> ExportDialog.DialogCode:
        dialog.path.setText(str(tmp_path / "net.cc"))
        return ExportDialog.DialogCode.Accepted

    asked: list[str] = []

    def question(*arguments: Any) -> QMessageBox.StandardButton:
        asked.append(arguments[2])
        return QMessageBox.StandardButton.No

    monkeypatch.setattr(ExportDialog, "exec", accept)
    monkeypatch.setattr(QMessageBox, "question", question)
    trigger(window, "file.export_c")
    assert str(header) in asked[0]
    assert header.read_text() == "by hand"
    assert not (tmp_path / "net.cc").exists()


def test_a_click_far_right_stays_there(window: MainWindow, qtbot: QtBot) -> None:
    trigger(window, "go.tensors")
    view = window.tensor_view
    view.setColumnWidth(1, 900)
    index = view.model().index(2, 7)
    view.scrollTo(index)
    place = view.horizontalScrollBar().value()
    assert place > 0
    center = view.visualRect(index).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=center)
    assert window.session.selection.address == ("subgraphs", 0, "tensors", 2)
    assert view.horizontalScrollBar().value() == place


def test_finding_counts_and_escape_ends_it(window: MainWindow, qtbot: QtBot) -> None:
    trigger(window, "edit.find")
    qtbot.keyClicks(window.find_field, "conv2d")
    assert window.tabs.tabText(0) == "Operators  3 of 7"
    qtbot.keyClick(window.find_field, Qt.Key.Key_Escape)
    assert window.tabs.tabText(0) == "Operators  7"


def test_cancelling_the_choice_of_a_model_opens_nothing(
    windows: Windows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = ", ".join(map(str, (SAMPLES / "sine_int8.tflite").read_bytes()))
    path = tmp_path / "two.cc"
    path.write_text(f"const char a[] = {{{one}}};\nconst char b[] = {{{one}}};\n")
    monkeypatch.setattr(QInputDialog, "getItem", lambda *_: ("", False))
    _open_all(windows, [str(path)])
    assert windows.open_windows == []


def test_a_start_with_bad_files_alone_says_so_in_a_window(
    windows: Windows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[tuple[str, str]] = []
    monkeypatch.setattr(
        QMessageBox, "critical", lambda _parent, title, text: said.append((title, text))
    )
    with pytest.raises(ReadError, match="gone0"):
        _open_all(windows, [str(tmp_path / f"gone{k}.tflite") for k in range(7)])
    ((title, text),) = said
    assert title == "None of the files can be opened"
    assert [f"gone{k}" in text for k in range(7)] == [True] * 5 + [False] * 2
    assert text.endswith("Nor can 2 other files.")


def test_what_opens_first_is_something_to_look_at(window: MainWindow) -> None:
    assert window.session.selection.address == ("subgraphs", 0, "operators", 0)
    assert not window.session.selection.can_go_back


def test_links_follow_the_theme(window: MainWindow) -> None:
    window.session.selection.select(("subgraphs", 0, "tensors", 1))
    label = next(
        each for each in window.inspector.findChildren(LinkLabel) if "href" in each.text()
    )
    before = label.grab().toImage()
    trigger(window, "view.dark")
    QApplication.processEvents()
    colours = {label.grab().toImage().pixel(x, y) for x in range(80) for y in range(14)}
    light = {before.pixel(x, y) for x in range(80) for y in range(14)}
    assert max(QColor(c).lightness() for c in colours) > 150
    assert min(QColor(c).lightness() for c in light) < 130


@pytest.mark.parametrize(("width", "least"), [(900, 140), (760, 70)])
def test_panels_of_a_narrow_window_lie_side_by_side(
    window: MainWindow, width: int, least: int
) -> None:
    window.resize(width, 600)
    QApplication.processEvents()
    window.dock_layout.reset()
    QApplication.processEvents()
    docks = {dock.windowTitle(): dock for dock in window.docks}
    assert docks["History"].width() >= least
    assert docks["Buffer"].geometry().right() < docks["History"].geometry().left()
    assert docks["History"].geometry().right() < docks["Inspector"].geometry().left()
