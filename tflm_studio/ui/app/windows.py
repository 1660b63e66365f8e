# SPDX-License-Identifier: Apache-2.0
"""All open windows of the program: one per file, opened and raised from here."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from PySide6.QtWidgets import QInputDialog, QMessageBox, QWidget

from tflm_studio.editing.document import Document
from tflm_studio.editing.journal import Journal
from tflm_studio.editing.recovery import (
    Recoverable,
    RecoveryError,
    discard,
    find_recoverable,
    recover,
)
from tflm_studio.formats.c_source_reader import SeveralModelsError
from tflm_studio.formats.c_source_splice import C_SUFFIXES
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.formats.host_file import HostFile
from tflm_studio.formats.model_file import JSON_SUFFIXES, load_model_from_file
from tflm_studio.model.cancellation import CancelledError
from tflm_studio.model.errors import ReadError
from tflm_studio.model.place_names import plural
from tflm_studio.model.resource_files import SAMPLE, resource_path
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.choices import ask
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.progress import BACKGROUND_BYTES, TEXT_WEIGHT, run_with_progress
from tflm_studio.ui.app.settings import Settings


class Answer(Enum):
    """What to do with work found."""

    RECOVER = "Bring it back"
    DISCARD = "Throw it away"
    LATER = "Decide later"


def ask_to_recover(journal: Recoverable) -> Answer:
    """Asks a person about unsaved work."""
    box = QMessageBox(QMessageBox.Icon.Question, "Unsaved work found", "")
    where = f" ({journal.path})" if journal.path is not None else ""
    box.setText(f"TFLM Studio ended before {journal.name} was saved.")
    steps = plural(journal.unsaved, "step")
    box.setInformativeText(f"{steps} can be brought back{where}, with the history.")
    roles = (
        QMessageBox.ButtonRole.AcceptRole,
        QMessageBox.ButtonRole.DestructiveRole,
        QMessageBox.ButtonRole.RejectRole,
    )
    return ask(box, dict(zip(Answer, roles, strict=True))) or Answer.LATER


class Windows:
    """Opens files in windows, one window per file.

    Attributes:
        settings: What is remembered between sessions.
        recovery_folder: Where unsaved work is written down; nowhere if None.
        open_windows: Those on the screen, oldest first.
    """

    def __init__(
        self, settings: Settings | None = None, recovery_folder: Path | None = None
    ) -> None:
        self.settings = settings or Settings()
        self.recovery_folder = recovery_folder
        self.open_windows: list[MainWindow] = []

    def open_path(self, path: Path, parent: MainWindow | None = None) -> MainWindow | None:
        """Opens a file, or raises the window that shows it already.

        Args:
            path: The file.
            parent: The window that asks; a sample nobody changed gives way to the file.

        Returns:
            The window, None if the person cancelled.

        Raises:
            ReadError: The file cannot be read as a model.
        """
        known = self.find(path)
        if known is not None and _host_of(known.document.model) is None:
            return _raised(known)
        # A file around a model may hold another one that no window shows yet.
        model = _load(path, parent)
        if model is None:
            return None
        host = _host_of(model)
        known = self.find(path, host.symbol if host is not None else None)
        if known is not None:
            return _raised(known)
        self.settings.add_recent(path)
        self.settings.folder = str(path.resolve().parent)
        window = self.show_document(Document(model, path))
        if parent is not None and parent.is_untouched_sample:
            window.restoreGeometry(parent.saveGeometry())
            window.restoreState(parent.saveState())
            parent.close()
        return window

    def load(self, path: Path, parent: MainWindow) -> Model | None:
        """Reads a file without showing it; None if the person cancelled.

        Raises:
            ReadError: The file cannot be read as a model.
        """
        return _load(path, parent)

    def reload(self, window: MainWindow) -> MainWindow | None:
        """Shows a file anew in place of a window, whose changes are given up.

        Raises:
            ReadError: The file cannot be read; the window is as it was.
        """
        path, source = window.document.path, _host_of(window.document.model)
        if path is None:
            return None
        try:
            model = _load(path, window, source.symbol if source is not None else None)
        except ReadError:
            if source is None:
                raise
            model = _load(path, window)  # the array may have got another name
        if model is None:
            return None
        fresh = self.show_document(Document(model, path))
        fresh.restoreGeometry(window.saveGeometry())
        window.document.history.mark_clean()
        window.close()
        return fresh

    def open_sample(self) -> MainWindow:
        """Opens the bundled sample, without a file it could be saved over."""
        model = load_model_from_file(resource_path(SAMPLE))
        return self.show_document(Document(model), is_sample=True)

    def show_document(
        self, document: Document, *, is_sample: bool = False, journal: Journal | None = None
    ) -> MainWindow:
        """Shows a document in a window of its own; its steps go to a journal."""
        if journal is None and self.recovery_folder is not None:
            journal = Journal(document, self.recovery_folder)
        window = MainWindow(document, self, is_sample=is_sample, journal=journal)
        window.show()
        return window

    def offer_recovery(self) -> None:
        """Asks about work that was not saved when the program ended last."""
        if self.recovery_folder is None:
            return
        for journal in find_recoverable(self.recovery_folder):
            answer = ask_to_recover(journal)
            if answer is Answer.RECOVER:
                self._recover(journal)
            elif answer is Answer.DISCARD:
                discard(journal)

    def _recover(self, journal: Recoverable) -> None:
        try:
            document, resumed = recover(journal)
        except RecoveryError as error:
            QMessageBox.warning(None, "The work cannot be brought back", str(error))
            return
        self.show_document(document, journal=resumed)

    def find(self, path: Path, symbol: str | None = None) -> MainWindow | None:
        """The window that shows a file, or the model of it that is called so."""
        for window in self.open_windows:
            shown, host = window.document.path, _host_of(window.document.model)
            is_other = symbol is not None and host is not None and host.symbol != symbol
            if shown is not None and not is_other and _is_same_file(path, shown):
                return window
        return None

    def add(self, window: MainWindow) -> None:
        """Notes a window that has opened."""
        self.open_windows.append(window)

    def remove(self, window: MainWindow) -> None:
        """Forgets a window that has closed."""
        if window in self.open_windows:
            self.open_windows.remove(window)


def _raised(window: MainWindow) -> MainWindow:
    window.raise_()
    window.activateWindow()
    return window


def _host_of(model: Model) -> HostFile | None:
    """The file around a model, None if it is the file."""
    return model.extra.source if isinstance(model.extra, Origin) else None


def _is_same_file(first: Path, second: Path) -> bool:
    try:
        return first == second or first.samefile(second)
    except (OSError, ValueError):
        return False  # one of them is not there or cannot be looked at


def _load(path: Path, parent: QWidget | None, symbol: str | None = None) -> Model | None:
    while True:
        try:
            return _load_symbol(path, symbol, parent)
        except CancelledError:
            return None
        except SeveralModelsError as error:
            if symbol is not None or len(error.symbols) < 2:
                raise
            symbol = ask_which(path, error, parent)
            if symbol is None:
                return None


def ask_which(path: Path, error: SeveralModelsError, parent: QWidget | None) -> str | None:
    """Asks which model of a file is meant; None if the person wants none of them."""
    names = dict(zip(error.labels, error.symbols, strict=True))
    label, chosen = QInputDialog.getItem(
        parent,
        "Several models",
        f"{path.name} holds several models. Which one do you mean?",
        list(names),
        0,
        False,
    )
    return names[label] if chosen else None


def _load_symbol(path: Path, symbol: str | None, parent: QWidget | None) -> Model:
    is_text = path.suffix.lower() in C_SUFFIXES | JSON_SUFFIXES
    try:
        effort = path.stat().st_size * (TEXT_WEIGHT if is_text else 1)
        is_large = effort > BACKGROUND_BYTES
    except OSError:
        is_large = False  # reading says what is wrong
    if parent is None or not is_large:
        return load_model_from_file(path, symbol)
    return run_with_progress(
        parent,
        f"Opening {path.name}",
        lambda: load_model_from_file(path, symbol),
        may_drop=True,
    )
