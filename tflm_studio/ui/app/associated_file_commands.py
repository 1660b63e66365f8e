# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for the files in the archive behind the model."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from tflm_studio.editing.associated_files import (
    PLACE,
    add_file,
    archive_problem,
    remove_file,
    replace_file,
)
from tflm_studio.editing.edits import Edit
from tflm_studio.formats.loose_files import (
    extract_all,
    extract_file,
    extraction_targets,
    loose_name,
    read_loose_file,
)
from tflm_studio.model.errors import EditError, ReadError, StudioError, WriteError
from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import AssociatedFile
from tflm_studio.ui.app.file_commands import FileCommands

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

MESSAGE_MS = 6000
NOT_READ, NOT_EXTRACTED = "The file cannot be read", "The files were not extracted"


class AssociatedFileCommands(QObject):
    """Carries out what the menu and the buttons of the associated files ask for."""

    def __init__(self, window: MainWindow, files: FileCommands) -> None:
        super().__init__(window)
        self._window = window
        self._files = files

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        return {
            "can_add_file": not archive_problem(self._window.document.model),
            "has_file": self._selected() is not None,
            "has_files": bool(self._associated),
        }

    @property
    def _associated(self) -> list[AssociatedFile]:
        return self._window.document.model.associated_files or []

    def _selected(self) -> int | None:
        """The index of the selected file, None if another thing is selected."""
        match self._window.session.selection.address:
            case (str(name), int(index), *_) if (name,) == PLACE:
                return index if index < len(self._associated) else None
        return None

    def add(self) -> None:
        """Asks for files and puts them into the archive."""
        chosen, _ = QFileDialog.getOpenFileNames(
            self._window, "Add files to the model", self._window.settings.folder
        )
        for path in map(Path, chosen):
            label = f"Add file {path.name}"
            if not self._do_with(path, label, partial(self._add, path.name)):
                return
            self._window.session.selection.select((*PLACE, len(self._associated) - 1))

    def _add(self, name: str, data: bytes) -> list[Edit]:
        return add_file(self._window.document.model, name, data)

    def replace(self) -> None:
        """Asks for a file and gives the selected one its contents."""
        index = self._selected()
        if index is None:
            return
        name = self._associated[index].name
        chosen, _ = QFileDialog.getOpenFileName(
            self._window, f"Replace {name} by", self._window.settings.folder
        )
        if chosen:
            model, path = self._window.document.model, Path(chosen)
            label = f"Replace file {name} by {path.name}"
            self._do_with(path, label, lambda data: replace_file(model, index, data))

    def remove(self) -> None:
        """Takes the selected file out of the archive; undo puts it back."""
        index = self._selected()
        if index is not None:
            label = f"Remove file {self._associated[index].name}"
            edits = remove_file(self._window.document.model, index)
            self._window.session.do(edits, label)

    def extract(self) -> None:
        """Asks for a place and writes the selected file there."""
        index = self._selected()
        if index is None:
            return
        file = self._associated[index]
        start = Path(self._window.settings.folder) / loose_name(file.name)
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, f"Extract {file.name}", str(start)
        )
        if not chosen:
            return
        try:
            extract_file(file, chosen)
        except WriteError as error:
            self._files.report("The file was not extracted", error)
            return
        self._say(f"Extracted {chosen}", Path(chosen).parent)

    def extract_all(self) -> None:
        """Asks for a folder and writes all files into it."""
        chosen = QFileDialog.getExistingDirectory(
            self._window, "Extract all files into", self._window.settings.folder
        )
        if not chosen:
            return
        try:
            targets = extraction_targets(self._associated, chosen)
            if not self._files.may_replace(*targets):
                return
            extract_all(self._associated, chosen, overwrite=True)
        except WriteError as error:
            self._files.report(NOT_EXTRACTED, error)
            return
        self._say(f"Extracted {plural(len(targets), 'file')} into {chosen}", Path(chosen))

    def _do_with(
        self, path: Path, label: str, edits_for: Callable[[bytes], list[Edit]]
    ) -> bool:
        """Reads a file and does a step with it; a refusal is shown."""
        try:
            edits = edits_for(read_loose_file(path))
        except ReadError as error:
            self._files.report(NOT_READ, error)
            return False
        except EditError as error:
            self._files.report("The file was not added", StudioError(f"{path}: {error}"))
            return False
        self._window.settings.folder = str(path.resolve().parent)
        return self._window.session.do(edits, label)

    def _say(self, text: str, folder: Path) -> None:
        self._window.settings.folder = str(folder.resolve())
        self._window.statusBar().showMessage(text, MESSAGE_MS)
