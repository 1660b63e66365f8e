# SPDX-License-Identifier: Apache-2.0
"""Long work in a thread: the window waits, and a person may end it."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QProgressDialog, QPushButton
from pytestqt.qtbot import QtBot

from tests.conftest import SAMPLES
from tflm_studio.editing.edits import Set
from tflm_studio.formats import atomic_file
from tflm_studio.model.cancellation import CancelledError, check_cancelled
from tflm_studio.ui.app import file_commands, progress, windows
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.progress import run_with_progress

LONGER = Set("description", "a description that is longer than the one before")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE_MS", 0)


def when_a_dialog_shows(window: MainWindow, act: Callable[[QProgressDialog], None]) -> None:
    """Does something to the dialog as soon as it is on the screen."""

    def look() -> None:
        shown = [
            each
            for each in QApplication.topLevelWidgets()
            if isinstance(each, QProgressDialog) and each.isVisible()
        ]
        if shown:
            timer.stop()
            act(shown[0])

    timer = QTimer(window)
    timer.timeout.connect(look)
    timer.start(10)


def press_cancel(qtbot: QtBot) -> Callable[[QProgressDialog], None]:
    def press(dialog: QProgressDialog) -> None:
        (button,) = dialog.findChildren(QPushButton)
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return press


def test_work_that_asks_ends_when_it_is_cancelled(window: MainWindow, qtbot: QtBot) -> None:
    ended = threading.Event()

    def work() -> None:
        try:
            for _ in range(1000):
                check_cancelled()
                time.sleep(0.01)
        finally:
            ended.set()

    when_a_dialog_shows(window, press_cancel(qtbot))
    with pytest.raises(CancelledError):
        run_with_progress(window, "Working", work, may_drop=False)
    # Who may not drop the work has waited for its end.
    assert ended.is_set()


def test_escape_cancels_and_the_dialog_stays_until_the_end(
    window: MainWindow, qtbot: QtBot
) -> None:
    texts = []

    def press(dialog: QProgressDialog) -> None:
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
        assert dialog.isVisible()
        texts.append(dialog.labelText())
        dialog.close()
        assert dialog.isVisible()

    def work() -> str:
        time.sleep(0.3)
        return "done all the same"

    when_a_dialog_shows(window, press)
    assert run_with_progress(window, "Working", work, may_drop=False) == "done all the same"
    assert texts == ["Cancelling…"]


def test_work_that_may_be_dropped_is_not_waited_for(window: MainWindow, qtbot: QtBot) -> None:
    go_on = threading.Event()
    when_a_dialog_shows(window, press_cancel(qtbot))
    with pytest.raises(CancelledError):
        run_with_progress(window, "Working", lambda: go_on.wait(10), may_drop=True)
    assert not go_on.is_set()
    go_on.set()


def test_what_goes_wrong_is_raised(window: MainWindow) -> None:
    def work() -> None:
        raise KeyError("a mistake")

    with pytest.raises(KeyError, match="a mistake"):
        run_with_progress(window, "Working", work, may_drop=False)


def test_a_save_can_be_cancelled_and_leaves_the_old_file(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = window.document.path
    assert path is not None
    before = path.read_bytes()
    write = atomic_file.write_segment

    def slowly(stream, segment):  # type: ignore[no-untyped-def]
        time.sleep(0.2)
        write(stream, segment)

    monkeypatch.setattr(atomic_file, "write_segment", slowly)
    monkeypatch.setattr(file_commands, "BACKGROUND_BYTES", 0)
    window.document.do(LONGER)
    when_a_dialog_shows(window, press_cancel(qtbot))
    assert not window.commands.files.save()
    assert "was not saved" in window.statusBar().currentMessage()
    assert window.document.modified
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.glob(".*")] == []
    monkeypatch.undo()
    assert window.commands.files.save()
    assert not window.document.modified


def test_a_backup_is_kept_if_that_is_wanted(window: MainWindow) -> None:
    path = window.document.path
    assert path is not None
    backup = Path(f"{path}.bak")
    before = path.read_bytes()
    window.document.do(LONGER)
    assert window.commands.files.save()
    assert not backup.exists()
    second = path.read_bytes()
    action = window.commands.actions["file.keep_backups"]
    assert not action.isChecked()
    action.trigger()
    assert window.settings.keeps_backups
    window.document.undo()
    assert window.commands.files.save()
    assert path.read_bytes() == before
    assert backup.read_bytes() == second


def test_sources_are_opened_and_saved_in_a_thread_sooner_than_flatbuffers(
    window: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = []

    def run(_parent: object, text: str, work: Callable[[], object], **_: object) -> object:
        told.append(text)
        return work()

    for module in (file_commands, windows):
        monkeypatch.setattr(module, "run_with_progress", run)
    files = window.commands.files
    assert files.save()
    monkeypatch.setattr(file_commands, "TEXT_WEIGHT", 10_000)
    monkeypatch.setattr(windows, "TEXT_WEIGHT", 10_000)
    assert files.save()
    assert not told
    source = tmp_path / "model.cc"
    assert files._save_to(source)
    assert files.save()
    assert told == ["Saving model.cc"] * 2
    windows._load_symbol(source, None, window)
    assert told[2:] == ["Opening model.cc"]
    windows._load_symbol(SAMPLES / "sine_int8.tflite", None, window)
    assert len(told) == 3
