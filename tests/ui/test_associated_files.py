# SPDX-License-Identifier: Apache-2.0
"""Files behind a model in the window: seen, added, replaced, renamed, extracted, removed."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QToolButton,
    QWidget,
)
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

import tflm_studio as ts
from tests.formats.archives import LABELS, check_readers, contents, two_files, zipped
from tests.ui.conftest import edit_cell
from tflm_studio.editing.document import Document
from tflm_studio.formats.archive import LARGEST_BYTES
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.windows import Windows
from tflm_studio.ui.models.metadata_tables import AssociatedFileTable
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.associated_file_page import AssociatedFilePage

TWO = {"labels.txt": LABELS.encode(), "vocabulary.txt": b"a b c"}
FILE = ("associated_files", 0)

OpenBytes = Callable[[bytes], MainWindow]


@pytest.fixture
def open_bytes(windows: Windows, tmp_path: Path, qtbot: QtBot) -> OpenBytes:
    """Opens a file with these bytes in a window, at its metadata."""

    def opened(data: bytes) -> MainWindow:
        path = tmp_path / "model.tflite"
        path.write_bytes(data)
        window = windows.open_path(path)
        assert window is not None
        qtbot.waitExposed(window)
        window.commands.actions["go.metadata"].trigger()
        return window

    return opened


@pytest.fixture
def window(open_bytes: OpenBytes) -> MainWindow:
    return open_bytes(two_files())


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    said: list[str] = []
    monkeypatch.setattr(QMessageBox, "warning", lambda *args: said.append(args[2]))
    return said


def press(qtbot: QtBot, window: MainWindow, name: str) -> None:
    button = window.metadata_panel.findChild(QToolButton, f"button.archive.{name}")
    assert isinstance(button, QToolButton)
    assert button.isEnabled(), name
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def offered(window: MainWindow) -> set[str]:
    actions = window.commands.actions
    names = (name for name in actions if name.startswith("archive."))
    return {name.partition(".")[2] for name in names if actions[name].isEnabled()}


def choose(monkeypatch: pytest.MonkeyPatch, path: Path | None) -> None:
    """What a person chooses in the next dialog; None closes it."""
    text = "" if path is None else str(path)
    monkeypatch.setattr(
        QFileDialog, "getOpenFileNames", lambda *_: ([text] if text else [], "")
    )
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (text, ""))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (text, ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: text)


def outline_lines(window: MainWindow) -> list[str]:
    return [item.text(0) for item in window.outline._items]


def test_files_are_listed_in_the_tab_and_the_outline(window: MainWindow) -> None:
    table = window.metadata_panel.files.table
    cells = [[column.text(row) for column in table.columns] for row in range(2)]
    beginning = " · ".join(["yes", "no"] * 7)  # 49 bytes with the last line end
    assert cells == [
        ["labels.txt", "140", f"{beginning} …"],
        ["vocabulary.txt", "5", "a b c"],
    ]
    lines = outline_lines(window)
    at = lines.index("Associated files  2")
    assert lines[at + 1 : at + 3] == ["labels.txt", "vocabulary.txt"]
    assert offered(window) == {"add", "extract_all"}


def test_a_click_in_the_outline_leads_to_the_file(window: MainWindow, qtbot: QtBot) -> None:
    window.commands.actions["go.operators"].trigger()
    item = next(i for i in window.outline._items if i.text(0) == "labels.txt")
    center = window.outline.visualItemRect(item).center()
    qtbot.mouseClick(window.outline.viewport(), Qt.MouseButton.LeftButton, pos=center)
    assert window.session.selection.address == FILE
    assert window.tabs.currentWidget() is window.metadata_panel
    page = window.inspector.page
    assert isinstance(page, AssociatedFilePage)
    text = page.findChild(QPlainTextEdit, "file_text")
    assert isinstance(text, QPlainTextEdit)
    assert text.toPlainText() == LABELS
    assert window.status_line.place_label.text() == "file 'labels.txt'"
    assert offered(window) == {"add", "replace", "extract", "extract_all", "remove"}


def test_a_first_file_is_added_saved_and_taken_back(
    open_bytes: OpenBytes, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = two_files()[: two_files().index(b"PK\3\4")]
    window = open_bytes(bare)
    assert offered(window) == {"add"}
    label = window.metadata_panel.findChild(QWidget, "no_associated_file_table")
    assert isinstance(label, QWidget)
    assert label.isVisible()
    choose(monkeypatch, None)
    press(qtbot, window, "add")
    assert not window.document.modified
    (tmp_path / "names.txt").write_bytes(b"one\ntwo\n")
    choose(monkeypatch, tmp_path / "names.txt")
    press(qtbot, window, "add")
    assert window.metadata_panel.files.table.rowCount() == 1
    assert not label.isVisible()
    assert window.session.selection.address == FILE
    assert window.document.history.steps[-1].label == "Add file names.txt"
    window.commands.actions["file.save"].trigger()
    check_readers(tmp_path / "model.tflite", {"names.txt": b"one\ntwo\n"})
    window.commands.actions["edit.undo"].trigger()
    assert offered(window) == {"add"}
    assert window.session.selection.address == ()
    window.commands.actions["file.save"].trigger()
    assert (tmp_path / "model.tflite").read_bytes() == bare


def test_a_file_is_replaced_and_removed(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.session.selection.select(FILE)
    (tmp_path / "other.bin").write_bytes(b"\xff\0\1")
    choose(monkeypatch, tmp_path / "other.bin")
    press(qtbot, window, "replace")
    assert contents(window.document.model) == {**TWO, "labels.txt": b"\xff\0\1"}
    page = window.inspector.page
    assert isinstance(page, AssociatedFilePage)
    assert page.text.toPlainText() == "000000  ff 00 01"
    assert window.metadata_panel.files.table.columns[2].text(0) == "ff 00 01"
    press(qtbot, window, "remove")
    assert contents(window.document.model) == {"vocabulary.txt": b"a b c"}
    labels = [step.label for step in window.document.history.steps]
    assert labels == ["Replace file labels.txt by other.bin", "Remove file labels.txt"]
    window.commands.actions["edit.undo"].trigger()
    window.commands.actions["edit.undo"].trigger()
    assert contents(window.document.model) == TWO
    assert not window.document.modified


def test_a_file_is_renamed_in_its_cell_and_in_the_inspector(
    window: MainWindow, qtbot: QtBot
) -> None:
    view = window.metadata_panel.files
    edit_cell(qtbot, view, 0, "Name", "names.txt")
    assert list(contents(window.document.model)) == ["names.txt", "vocabulary.txt"]
    assert "names.txt" in outline_lines(window)
    line = window.inspector.findChild(QLineEdit, "field.name")
    assert isinstance(line, QLineEdit)
    for text, reason in (("vocabulary.txt", "There is a file"), ("", "has no name")):
        line.setText(text)
        line.editingFinished.emit()
        assert window.notice.isVisible()
        assert reason in window.notice.label.text()
        assert line.text() == "names.txt"
    line.setText("sub/names.txt")
    line.editingFinished.emit()
    assert not window.notice.isVisible()
    edit_cell(qtbot, view, 0, "Name", "vocabulary.txt")
    assert "There is a file" in window.notice.label.text()
    assert list(contents(window.document.model)) == ["sub/names.txt", "vocabulary.txt"]
    assert window.document.history.position == 2


def test_the_menu_of_a_row_is_for_that_row(window: MainWindow, qtbot: QtBot) -> None:
    view = window.metadata_panel.files
    assert view.contextMenuPolicy() is Qt.ContextMenuPolicy.ActionsContextMenu
    texts = [action.text().replace("&", "") for action in view.actions()]
    assert texts == ["Add file…", "Replace…", "Extract…", "Extract all…", "Remove"]
    window.session.selection.select(FILE)
    window.session.selection.select(("buffers", 0))
    window.commands.actions["go.metadata"].trigger()
    for row in (0, 1):
        center: QPoint = view.visualRect(view.model().index(row, 0)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.RightButton, pos=center)
        assert window.session.selection.address == ("associated_files", row)
    view.actions()[-1].trigger()
    assert list(contents(window.document.model)) == ["labels.txt"]


def test_the_commands_stand_in_a_submenu(window: MainWindow) -> None:
    edit = next(a.menu() for a in window.menuBar().actions() if a.text() == "&Model")
    assert isinstance(edit, QMenu)
    sub = next(
        a.menu() for a in edit.actions() if a.text().replace("&", "") == "Associated files"
    )
    assert isinstance(sub, QMenu)
    assert window.commands.actions["archive.extract_all"] in sub.actions()


def test_files_are_extracted(
    window: MainWindow, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.session.selection.select(FILE)
    choose(monkeypatch, tmp_path / "one.txt")
    press(qtbot, window, "extract")
    assert (tmp_path / "one.txt").read_text() == LABELS
    folder = tmp_path / "out"
    choose(monkeypatch, folder)
    press(qtbot, window, "extract_all")
    assert (folder / "vocabulary.txt").read_bytes() == b"a b c"
    assert "Extracted 2 files into" in window.statusBar().currentMessage()
    (folder / "labels.txt").write_bytes(b"mine")
    asked: list[str] = []
    for answer, expected in ((False, b"mine"), (True, LABELS.encode())):
        button = QMessageBox.StandardButton.Yes if answer else QMessageBox.StandardButton.No

        def question(*args: object, button: object = button) -> object:
            asked.append(str(args[2]))
            return button

        monkeypatch.setattr(QMessageBox, "question", question)
        press(qtbot, window, "extract_all")
        assert (folder / "labels.txt").read_bytes() == expected
    assert str(folder / "labels.txt") in asked[0]
    assert not window.document.modified


def test_what_goes_wrong_is_said_and_changes_nothing(
    window: MainWindow,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    warnings: list[str],
) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST_BYTES + 1)
    (tmp_path / "labels.txt").write_bytes(b"")
    window.session.selection.select(FILE)
    cases = [
        ("add", "large", "Choose a smaller file"),
        ("add", "missing", "there is no such file"),
        ("add", "labels.txt", "There is a file 'labels.txt' already"),
        ("replace", "missing", "there is no such file"),
        ("extract", "no/such", "the folder does not exist"),
        ("extract_all", "labels.txt", "cannot be written into it"),
    ]
    for command, name, reason in cases:
        choose(monkeypatch, tmp_path / name)
        press(qtbot, window, command)
        assert reason in warnings[-1], command
        assert str(tmp_path / name) in warnings[-1]
    assert len(warnings) == len(cases)
    assert contents(window.document.model) == TWO
    assert not window.document.modified


def test_names_that_lead_out_of_the_folder_are_not_extracted(
    open_bytes: OpenBytes,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    warnings: list[str],
) -> None:
    window = open_bytes(zipped({"../../evil.txt": "x", "good.txt": "y"}))
    choose(monkeypatch, tmp_path / "deep" / "out")
    press(qtbot, window, "extract_all")
    assert "'../../evil.txt' was not extracted" in warnings[0]
    assert not (tmp_path / "deep").exists()
    proposed: list[str] = []
    monkeypatch.setattr(
        QFileDialog,
        "getSaveFileName",
        lambda *args: (proposed.append(args[2]), ("", ""))[1],
    )
    window.session.selection.select(FILE)
    press(qtbot, window, "extract")
    assert Path(proposed[0]).name == "evil.txt"


def test_an_archive_that_cannot_be_taken_apart_says_why(open_bytes: OpenBytes) -> None:
    window = open_bytes(two_files() + b"?")
    label = window.metadata_panel.findChild(QWidget, "no_associated_file_table")
    assert isinstance(label, QWidget)
    assert label.isVisible()
    assert "because other bytes follow it." in label.text()  # type: ignore[attr-defined]
    assert "Associated files  unreadable" in outline_lines(window)
    assert offered(window) == set()


def test_what_is_being_typed_counts_before_a_command(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.session.selection.select(FILE)
    line = window.inspector.findChild(QLineEdit, "field.name")
    assert isinstance(line, QLineEdit)
    line.setFocus()
    line.setText("typed.txt")
    choose(monkeypatch, None)
    window.commands.actions["archive.extract"].trigger()
    assert "typed.txt" in contents(window.document.model)


def test_the_table_is_a_sound_item_model(qtmodeltester: ModelTester) -> None:
    document = Document(read_flatbuffer(two_files()))
    session = Session(document)
    table = AssociatedFileTable(session)
    qtmodeltester.check(table)
    session.close()


def test_the_table_follows_the_list() -> None:
    document = Document(read_flatbuffer(two_files()))
    session = Session(document)
    table = AssociatedFileTable(session)
    document.do(ts.associated_files.add_file(document.model, "c", b"1"))
    document.do(ts.associated_files.remove_file(document.model, 0))
    assert [table.columns[0].text(row) for row in range(2)] == ["vocabulary.txt", "c"]
    document.do(ts.edits.Set("associated_files", None))
    assert table.rowCount() == 0
    document.do(ts.associated_files.add_file(document.model, "d", b"1"))
    assert table.rowCount() == 1
    document.go_to(0)
    assert table.rowCount() == 2
    session.close()


@pytest.mark.parametrize(
    ("data", "text", "size"),
    [
        (b"", "", "0 bytes, 0 lines of text"),
        ("ä\n\u00b5".encode(), "ä\n\u00b5", "5 bytes, 2 lines of text"),
        (b"a\x1b[31m", "000000  61 1b 5b 33 31 6d", "6 bytes"),
        (b"\xff" * 9, f"000000  {'ff ' * 8}".strip() + "\n000008  ff", "9 bytes"),
        ("ä".encode() * 20_000, "ä" * 8192, "40,000 bytes; the first 16,384 bytes are shown"),
        (
            b"x" + "ä".encode() * 20_000,
            "x" + "ä" * 8191,
            "40,001 bytes; the first 16,384 bytes are shown",
        ),
    ],
)
def test_the_inspector_shows_text_as_text(
    open_bytes: OpenBytes, data: bytes, text: str, size: str
) -> None:
    window = open_bytes(zipped({"file": data}))
    window.session.selection.select(FILE)
    page = window.inspector.page
    assert isinstance(page, AssociatedFilePage)
    assert page.text.toPlainText() == text
    assert page.facts._values["size"].text() == size
