# SPDX-License-Identifier: Apache-2.0
"""The commands of a window that open, save and export files."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QFileDialog,
    QLineEdit,
    QMessageBox,
)

from tflm_studio.firmware.source_export import Export, write_export
from tflm_studio.formats.c_source_splice import C_SUFFIXES
from tflm_studio.formats.firmware_image import IMAGE_SUFFIXES
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.formats.image_host import ImageHost
from tflm_studio.formats.model_file import (
    JSON_SUFFIXES,
    encode,
    files_written,
)
from tflm_studio.model.cancellation import CancelledError
from tflm_studio.model.errors import FileChangedError, NoRoomError, StudioError
from tflm_studio.model.graph import data_bytes
from tflm_studio.ui.app.choices import ask
from tflm_studio.ui.app.progress import BACKGROUND_BYTES, TEXT_WEIGHT, run_with_progress
from tflm_studio.ui.views.export_dialog import ExportDialog

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow
    from tflm_studio.ui.app.windows import Windows

_SOURCES, _JSON, _IMAGES = (
    " ".join(f"*{suffix}" for suffix in sorted(suffixes))
    for suffixes in (C_SUFFIXES, JSON_SUFFIXES, IMAGE_SUFFIXES)
)
OPEN_FILTER = (
    f"Models (*.tflite *.tfl *.lite *.fb *.bin {_SOURCES} {_JSON} {_IMAGES});;"
    f"Firmware images ({_IMAGES} *.bin);;All files (*)"
)
SAVE_FILTER = (
    f"TensorFlow Lite model (*.tflite);;C source ({_SOURCES});;JSON ({_JSON});;All files (*)"
)
SUFFIX_OF_FILTER = {"C": ".cc", "JSON": ".json"}
BYTES_PER_TABLE = 1000  # a table takes as long to write as so many bytes of weights
TEXT_PER_BYTE = 6  # characters of a byte in a C array
MOST_NAMED = 6  # files in a question
Result = TypeVar("Result")
Buttons = QMessageBox.StandardButton


class ChangedFile(Enum):
    """What to do when the file was changed by another program."""

    OVERWRITE = "Overwrite it"
    SAVE_AS = "Save under another name"
    COMPARE = "Compare…"
    CANCEL = "Cancel"


class NoRoom(Enum):
    """What to do with a model that does not fit into its image."""

    SAVE_AS = "Save as a file of its own…"
    CANCEL = "Cancel"


def ask_about_changed_file(window: MainWindow, text: str) -> ChangedFile:
    """Asks a person before a file is overwritten that another program has changed."""
    box = QMessageBox(QMessageBox.Icon.Warning, "The file has changed", text)
    roles = (
        QMessageBox.ButtonRole.DestructiveRole,
        QMessageBox.ButtonRole.AcceptRole,
        QMessageBox.ButtonRole.ActionRole,
        QMessageBox.ButtonRole.RejectRole,
    )
    return ask(box, dict(zip(ChangedFile, roles, strict=True))) or ChangedFile.CANCEL


class FileCommands(QObject):
    """Carries out what the file menu and dropped files ask for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._own_windows: Windows | None = None

    @property
    def windows(self) -> Windows:
        """All windows; a window made alone gets company of its own."""
        if self._window.windows is not None:
            return self._window.windows
        if self._own_windows is None:
            from tflm_studio.ui.app.windows import Windows

            self._own_windows = Windows(self._window.settings)
            self._own_windows.add(self._window)
        return self._own_windows

    def open(self) -> None:
        """Asks for files and opens them."""
        folder = self._window.settings.folder
        chosen, _ = QFileDialog.getOpenFileNames(
            self._window, "Open models", folder, OPEN_FILTER
        )
        for path in chosen:
            self.open_path(path)

    def open_path(self, path: str) -> None:
        """Opens one file; a refusal is shown, and nothing has changed."""
        try:
            self.windows.open_path(Path(path), self._window)
        except StudioError as error:
            self.report("The file cannot be opened", error)

    def open_sample(self) -> None:
        """Opens the bundled sample."""
        self.windows.open_sample()

    def save(self) -> bool:
        """Writes the document to its file; returns whether that was done."""
        path = self._window.document.path
        return self._save_to(path) if path is not None else self.save_as()

    def save_as(self) -> bool:
        """Asks for a file and writes the document to it; returns whether that was done."""
        document = self._window.document
        start = document.path or Path(self._window.settings.folder) / document.name
        origin = document.model.extra
        if isinstance(origin, Origin) and isinstance(origin.source, ImageHost):
            start = start.with_suffix(".tflite")
        chosen, kind = QFileDialog.getSaveFileName(
            self._window, "Save the model as", str(start), SAVE_FILTER
        )
        if not chosen:
            return False
        path = Path(chosen)
        if not path.suffix:
            path = path.with_suffix(SUFFIX_OF_FILTER.get(kind.split(" ")[0], ".tflite"))
        # The dialog has asked about the name that was chosen, not about others.
        unasked = {path, *files_written(document.model, path)} - {Path(chosen)}
        if not self.may_replace(*sorted(unasked)):
            return False
        other = self.windows.find(path)
        if other is not None and other is not self._window:
            text = f"{path}: this file is open in another window; close that one first."
            self.report("The model was not saved", StudioError(text))
            return False
        return self._save_to(path)

    def keep_backups(self) -> None:
        """Remembers whether saving keeps what the file held before."""
        action = self._window.commands.actions["file.keep_backups"]
        self._window.settings.keeps_backups = action.isChecked()

    def reload(self) -> None:
        """Shows the file as another program has left it; the changes here are given up."""
        try:
            self.windows.reload(self._window)
        except StudioError as error:
            self.report("The file cannot be read", error)
            self._window.say_if_file_changed()

    def _save_to(self, path: Path, *, overwrite: bool = False) -> bool:
        document = self._window.document
        try:
            backup = self._window.settings.keeps_backups
            self._run(
                f"Saving {path.name}",
                lambda: document.write(path, overwrite=overwrite, backup=backup),
                path,
            )
        except CancelledError:
            self._window.statusBar().showMessage(f"{path.name} was not saved", 6000)
            return False
        except FileChangedError as error:
            return self._save_over_other(path, error)
        except NoRoomError as error:
            return self._save_elsewhere(error)
        except StudioError as error:
            self.report("The model was not saved", error)
            return False
        document.note_saved(path)
        self._window.settings.add_recent(path)
        self._window.settings.folder = str(path.resolve().parent)
        self._window.statusBar().showMessage(f"Saved {path}", 6000)
        return True

    def _save_elsewhere(self, error: NoRoomError) -> bool:
        """Offers a file of its own to a model that does not fit into its image."""
        box = QMessageBox(
            QMessageBox.Icon.Warning, "The model does not fit", str(error), parent=self._window
        )
        roles = (QMessageBox.ButtonRole.AcceptRole, QMessageBox.ButtonRole.RejectRole)
        answer = ask(box, dict(zip(NoRoom, roles, strict=True)))
        return self.save_as() if answer is NoRoom.SAVE_AS else False

    def may_replace(self, *paths: Path) -> bool:
        """Asks before existing files are replaced."""
        existing = [str(path) for path in paths if path.exists()]
        if not existing:
            return True
        more = len(existing) - MOST_NAMED
        named = existing if more <= 0 else [*existing[:MOST_NAMED], f"{more} more"]
        text = f"Replace {' and '.join(named)}?"
        answer = QMessageBox.question(
            self._window, "Replace files?", text, Buttons.Yes | Buttons.No, Buttons.No
        )
        return bool(answer == Buttons.Yes)

    def _save_over_other(self, path: Path, error: FileChangedError) -> bool:
        """Asks what to do about a file that another program has changed."""
        answer = ask_about_changed_file(self._window, str(error))
        if answer is ChangedFile.OVERWRITE:
            return self._save_to(path, overwrite=True)
        if answer is ChangedFile.SAVE_AS:
            return self.save_as()
        if answer is ChangedFile.COMPARE:
            self._window.compare_with_disk()
        return False

    def export_c(self) -> None:
        """Asks for a form, its options and a file, and writes what a firmware takes in."""
        document, settings = self._window.document, self._window.settings
        start = document.path or Path(settings.folder) / document.name
        try:
            layout = self._run("Laying out the model", lambda: encode(document.model))
        except CancelledError:
            return
        except StudioError as error:
            self.report("The model cannot be exported", error)
            return
        dialog = ExportDialog(layout, start, settings.export_choices, self._window)
        if dialog.exec() != ExportDialog.DialogCode.Accepted or dialog.export is None:
            return
        settings.export_choices = dialog.choices
        self._write_export(dialog.export)

    def _write_export(self, export: Export) -> None:
        path = self._window.document.path
        inputs = [path] if path is not None else []
        unasked = [each for each in export.paths if each not in inputs]
        if not self.may_replace(*unasked):
            return
        try:
            written = self._run(
                f"Exporting {export.paths[0].name}",
                lambda: write_export(export, inputs),
                export.paths[0],
            )
        except CancelledError:
            return
        except StudioError as error:
            self.report("The model was not exported", error)
            return
        names = " and ".join(each.name for each in written)
        folder = export.paths[0].resolve().parent
        self._window.statusBar().showMessage(f"Exported {names} to {folder}", 6000)

    def _run(
        self, text: str, work: Callable[[], Result], target: Path | None = None
    ) -> Result:
        if self._effort(target) <= BACKGROUND_BYTES:
            return work()
        return run_with_progress(self._window, text, work, may_drop=False)

    def _effort(self, target: Path | None) -> int:
        """How long writing the model takes, in bytes of a flatbuffer that takes as long."""
        model = self._window.document.model
        weights = sum(data_bytes(buffer.data) for buffer in model.buffers or [])
        tables = sum(
            len(subgraph.operators or []) + len(subgraph.tensors or [])
            for subgraph in model.subgraphs or []
        )
        effort = weights + tables * BYTES_PER_TABLE
        if target is not None and target.suffix.lower() in C_SUFFIXES | JSON_SUFFIXES:
            source = model.extra.source if isinstance(model.extra, Origin) else None
            around = len(source.text) if source is not None else 0
            effort += TEXT_WEIGHT * max(TEXT_PER_BYTE * weights, around)
        return effort

    def close(self) -> None:
        """Closes the window."""
        self._window.close()

    def quit(self) -> None:
        """Closes all windows; stops at one that wants to stay."""
        for window in tuple(self.windows.open_windows):
            if not window.close():
                return

    def may_close(self) -> bool:
        """Asks what to do with changes that are not in a file."""
        self.take_over_typing()
        document = self._window.document
        if not document.modified:
            return True
        answer = QMessageBox.question(
            self._window,
            "Save the changes?",
            f"{document.name} has changes that are not saved.",
            Buttons.Save | Buttons.Discard | Buttons.Cancel,
            Buttons.Save,
        )
        if answer == Buttons.Save:
            return self.save()
        return bool(answer == Buttons.Discard)

    def report(self, title: str, error: StudioError) -> None:
        """Shows why something was not done."""
        QMessageBox.warning(self._window, title, str(error))

    def take_over_typing(self) -> None:
        """Enters what is being typed, as leaving the field does: saving must not miss it."""
        focus = QApplication.focusWidget()
        if isinstance(focus, (QLineEdit, QAbstractSpinBox)) and self._window.isAncestorOf(
            focus
        ):
            focus.clearFocus()
