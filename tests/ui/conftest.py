# SPDX-License-Identifier: Apache-2.0
"""Windows on copies of the sample models, driven as a person would."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QPoint, Qt, QThreadPool
from PySide6.QtWidgets import QApplication, QDialog, QLineEdit, QTableView, QWidget
from pytestqt.qtbot import QtBot

from tests.conftest import SAMPLES
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.settings import Settings
from tflm_studio.ui.app.theme import apply_theme
from tflm_studio.ui.app.windows import Windows


@pytest.fixture(autouse=True)
def no_unexpected_dialog(monkeypatch: pytest.MonkeyPatch) -> None:
    """A dialog that a test does not answer would wait for ever."""

    def fail(dialog: QDialog) -> int:
        raise AssertionError(f"nobody answers the dialog '{dialog.windowTitle()}'")

    monkeypatch.setattr(QDialog, "exec", fail)


@pytest.fixture
def windows(qapp: QApplication, tmp_path: Path) -> Iterator[Windows]:
    """All windows of a program of its own; none is left open."""
    apply_theme(qapp, "light")
    windows = Windows(Settings(tmp_path / "settings.ini"))
    yield windows
    for window in tuple(windows.open_windows):
        window.document.history.mark_clean()
        window.close()
    QThreadPool.globalInstance().waitForDone(5000)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert not windows.open_windows


Opener = Callable[[str], MainWindow]


@pytest.fixture
def open_sample(windows: Windows, tmp_path: Path, qtbot: QtBot) -> Opener:
    """Opens a copy of a sample in a window."""

    def open_copy(name: str) -> MainWindow:
        path = tmp_path / name
        path.write_bytes((SAMPLES / name).read_bytes())
        window = windows.open_path(path)
        assert window is not None
        qtbot.waitExposed(window)
        return window

    return open_copy


@pytest.fixture(scope="module")
def window_to_look_at(
    qapp: QApplication, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MainWindow]:
    """One window for the tests of a module that change nothing: it takes a quarter second."""
    apply_theme(qapp, "light")
    folder = tmp_path_factory.mktemp("looked_at")
    path = folder / "shapes_int8.tflite"
    path.write_bytes((SAMPLES / path.name).read_bytes())
    windows = Windows(Settings(folder / "settings.ini"))
    window = windows.open_path(path)
    assert window is not None
    QApplication.processEvents()
    yield window
    window.document.history.mark_clean()
    window.close()
    QThreadPool.globalInstance().waitForDone(5000)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def unchanged(window_to_look_at: MainWindow) -> Iterator[MainWindow]:
    """That window as it was at first; whoever changes the document fails."""
    window = window_to_look_at
    window.find_field.clear()
    window.notice.hide()
    window.show_place(("subgraphs", 0, "operators", 0))
    window.tabs.setCurrentIndex(0)
    window.activateWindow()
    yield window
    assert not window.document.history.steps


@pytest.fixture
def window(open_sample: Opener) -> MainWindow:
    return open_sample("shapes_int8.tflite")


def edit_cell(qtbot: QtBot, view: QTableView, row: int, title: str, text: str) -> QWidget:
    """Double-clicks a cell, types over what is there, and presses Enter."""
    model = view.model()
    titles = [
        model.headerData(column, Qt.Orientation.Horizontal)
        for column in range(model.columnCount())
    ]
    index = model.index(row, titles.index(title))
    view.scrollTo(index)
    center: QPoint = view.visualRect(index).center()
    port = view.viewport()
    qtbot.mouseClick(port, Qt.MouseButton.LeftButton, pos=center)
    qtbot.mouseDClick(port, Qt.MouseButton.LeftButton, pos=center)
    editors = [each for each in port.findChildren(QLineEdit) if each.isVisible()]
    assert editors, f"{title} cannot be edited"
    editor = editors[-1]
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()  # the view takes the text over once the key is handled
    return editor
