# SPDX-License-Identifier: Apache-2.0
"""Comparing the open model with its file or another one, as a person does."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QInputDialog,
    QMessageBox,
    QPushButton,
)
from pytestqt.qtbot import QtBot

import tflm_studio as ts
from tests.conftest import SAMPLES
from tflm_studio.model.errors import ReadError
from tflm_studio.schema.tables import Model
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.windows import Windows
from tflm_studio.ui.models.difference_table import ON_DISK, DifferenceTable
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.difference_dialog import DifferenceDialog

SAMPLE = SAMPLES / "shapes_int8.tflite"


def other_model() -> Model:
    """The sample with an operator less, a buffer more, and three fields changed."""
    document = ts.Document.open(SAMPLE)
    document.do(ts.operators.delete(document.model, 0, [1]))
    document.do(ts.buffers.add(document.model, b"0123456789abcdef", 4))
    document.do(ts.edits.Set("description", "two\nlines"))
    document.do(ts.edits.Set("subgraphs[0].tensors[3].name", "renamed"))
    document.do(ts.edits.Set("subgraphs[0].operators[0].builtin_options.stride_w", 1))
    return document.model


def refuse() -> Model:
    raise ReadError("x.tflite: this is no model.")


Asked = Callable[[Callable[[], Model]], DifferenceDialog]


@pytest.fixture
def compare(qapp: QApplication, qtbot: QtBot) -> Iterator[Asked]:
    """Opens the dialog on the sample and waits until it has compared."""
    session = Session(ts.Document.open(SAMPLE))
    dialogs = []

    def opened(read: Callable[[], Model]) -> DifferenceDialog:
        dialog = DifferenceDialog(session, "other.tflite")
        dialogs.append(dialog)
        dialog.compare(read)
        dialog.show()
        assert not dialog.view.isEnabled()
        qtbot.waitUntil(lambda: not dialog._task.is_running)
        return dialog

    yield opened
    for dialog in dialogs:
        dialog.close()
    session.close()


def cells(dialog: DifferenceDialog) -> list[list[str]]:
    model = dialog.rows
    columns = range(model.columnCount())
    return [[model.index(row, k).data() for k in columns] for row in range(model.rowCount())]


def test_the_name_of_the_other_file_stays_as_it_is(qapp: QApplication) -> None:
    table = DifferenceTable("micro_speech.tflite")
    assert table.titles[3] == "micro_speech.tflite"
    assert DifferenceTable(ON_DISK).titles[3] == "The file on disk"


def test_every_difference_is_a_row_in_words(compare: Asked) -> None:
    dialog = compare(other_model)
    assert [row[:2] for row in cells(dialog)] == [
        ["Tensor 3 edges: name", "changed"],
        ["Conv2D 0: stride_w", "changed"],
        ["DepthwiseConv2D 1", "only here"],
        ["Description", "changed"],
        ["Buffer 4", "missing here"],
    ]
    assert cells(dialog)[0][2:] == ["'edges'", "'renamed'", "subgraphs[0].tensors[3].name"]
    assert cells(dialog)[3][3] == "'two lines'"
    assert dialog.summary.text() == (
        "5 differences between shapes_int8.tflite, as it is open here, and other.tflite: "
        "3 changed, 1 only here, 1 missing here."
    )
    titles = [dialog.table.headerData(k, Qt.Orientation.Horizontal) for k in range(5)]
    assert titles == ["Where", "Change", "Open here", "other.tflite", "Address"]
    assert dialog.view.isEnabled()


def test_rows_are_filtered_by_words_and_lead_to_their_places(
    compare: Asked, qtbot: QtBot
) -> None:
    dialog = compare(other_model)
    wanted: list[Any] = []
    dialog.place_wanted.connect(wanted.append)
    qtbot.keyClicks(dialog.filter, "here MISSING")
    assert [row[0] for row in cells(dialog)] == ["Buffer 4"]
    qtbot.keyClick(dialog.filter, Qt.Key.Key_Return)
    assert dialog.view.currentIndex().row() == 0
    qtbot.keyClick(dialog.view, Qt.Key.Key_Return)
    assert wanted == [("buffers", 4)]
    dialog.filter.setText("no such words")
    assert dialog.empty_note.isVisible()
    assert not dialog.copy_button.isEnabled()
    dialog.empty_note.clear_wanted.emit()
    assert dialog.rows.rowCount() == 5
    dialog.view.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert [row[1] for row in cells(dialog)][:2] == ["only here", "missing here"]
    dialog.view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
    dialog.view.selectRow(1)
    qtbot.mouseClick(dialog.go, Qt.MouseButton.LeftButton)
    place = ("subgraphs", 0, "operators", 0, "builtin_options", "stride_w")
    assert wanted[1] == place


def test_rows_are_copied_as_text(compare: Asked, qtbot: QtBot) -> None:
    dialog = compare(other_model)
    dialog.filter.setText("tensor")
    qtbot.mouseClick(dialog.copy_button, Qt.MouseButton.LeftButton)
    lines = QApplication.clipboard().text().splitlines()
    assert len(lines) == 3
    assert lines[2].split("  ")[0] == "Tensor 3 edges: name"
    dialog.filter.clear()
    dialog.view.selectRow(3)
    dialog.copy_selected()
    assert "two lines" in QApplication.clipboard().text().splitlines()[2]


def test_equal_models_and_refusals_are_said(compare: Asked) -> None:
    same = compare(lambda: ts.load_model_from_file(SAMPLE))
    assert same.summary.text().startswith("Nothing differs")
    assert not same.go.isEnabled()
    refused = compare(refuse)
    assert refused.note.text() == "x.tflite: this is no model."
    assert refused.anew.isEnabled()


def test_after_an_edit_it_compares_anew(compare: Asked, qtbot: QtBot) -> None:
    dialog = compare(other_model)
    document = dialog._session.document
    document.do(ts.edits.Set("description", "two\nlines"))
    assert "changed since" in dialog.note.text()
    qtbot.mouseClick(dialog.anew, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not dialog._task.is_running)
    assert dialog.rows.rowCount() == 4
    assert dialog.note.text() == ""


@pytest.fixture
def window(windows: Windows, tmp_path: Path) -> MainWindow:
    path = tmp_path / "mine.tflite"
    path.write_bytes(SAMPLE.read_bytes())
    shown = windows.open_path(path)
    assert shown is not None
    return shown


def dialog_of(window: MainWindow, qtbot: QtBot) -> DifferenceDialog:
    dialog = window.findChild(DifferenceDialog)
    assert isinstance(dialog, DifferenceDialog)
    qtbot.waitUntil(lambda: not dialog._task.is_running)
    return dialog


def test_a_changed_file_is_compared_and_the_question_stays(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert window.document.path is not None
    ts.save_model_to_file(other_model(), tmp_path / "new.tflite")
    (tmp_path / "new.tflite").replace(window.document.path)
    window.say_if_file_changed()
    button = next(b for b in window.notice.findChildren(QPushButton) if "Compare" in b.text())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert window.notice.isVisible()
    dialog = dialog_of(window, qtbot)
    assert "the file on disk" in dialog.windowTitle()
    dialog.filter.setText("only here")
    dialog.view.selectRow(0)
    qtbot.keyClick(dialog.view, Qt.Key.Key_Return)
    assert window.session.selection.address == ("subgraphs", 0, "operators", 1)
    dialog.reject()
    # Saving asks as well, and comparing saves nothing.
    window.document.do(ts.edits.Set("description", "mine"))
    monkeypatch.setattr(QMessageBox, "exec", lambda _: 0)
    monkeypatch.setattr(
        QMessageBox,
        "clickedButton",
        lambda box: next(b for b in box.buttons() if "Compare" in b.text()),
    )
    before = window.document.path.read_bytes()
    window.commands.actions["file.save"].trigger()
    assert window.document.path.read_bytes() == before
    shown = [d for d in window.findChildren(DifferenceDialog) if d.isVisible()]
    assert len(shown) == 1


def test_another_file_is_asked_for_and_which_of_its_models(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = tmp_path / "both.cc"
    parts = []
    for name, model in (("first", ts.load_model_from_file(SAMPLE)), ("second", other_model())):
        ts.save_model_to_file(model, tmp_path / f"{name}.cc", name)
        parts.append((tmp_path / f"{name}.cc").read_text())
    both.write_text("\n".join(parts))
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(both), ""))
    labels: list[str] = []

    def choose(_parent: Any, _title: str, _text: str, names: list[str], *_: Any) -> Any:
        labels.extend(names)
        return names[1], True

    monkeypatch.setattr(QInputDialog, "getItem", choose)
    window.commands.actions["compare.file"].trigger()
    dialog = window.findChild(DifferenceDialog)
    assert isinstance(dialog, DifferenceDialog)
    qtbot.waitUntil(lambda: dialog.rows.rowCount() == 5)
    assert len(labels) == 2
    assert dialog.windowTitle() == "Compare mine.tflite with both.cc"
