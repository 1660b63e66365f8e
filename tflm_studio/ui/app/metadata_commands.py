# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for metadata entries."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from tflm_studio.editing import metadata_entries
from tflm_studio.formats.loose_files import loose_name, read_loose_file
from tflm_studio.model.errors import EditError, ReadError
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.buffer_commands import save_bytes
from tflm_studio.ui.app.chosen_rows import ask_in
from tflm_studio.ui.views.metadata_dialog import MetadataDialog, ask_metadata

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow


class MetadataCommands(QObject):
    """Carries out what the menu and the table of metadata ask for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        return {"has_entry": self._selected() is not None}

    @property
    def _model(self) -> Model:
        return self._window.document.model

    def _selected(self) -> int | None:
        match self._window.session.selection.address:
            case ("metadata", int(index), *_):
                return index if index < len(self._model.metadata or []) else None
        return None

    def _name(self, index: int) -> str:
        return (self._model.metadata or [])[index].name or "unnamed"

    def add(self) -> None:
        """Asks for a name and content."""
        if ask_in(self._window, lambda: MetadataDialog(self._model, None, self._window)):
            last = len(self._model.metadata or []) - 1
            self._window.session.selection.select(("metadata", last))

    def edit(self) -> None:
        """Asks for other content, and another name."""
        index = self._selected()
        if index is not None:
            ask_metadata(self._window.session, index, self._window)

    def replace(self) -> None:
        """Asks for a file and gives the entry its bytes."""
        index = self._selected()
        if index is None:
            return
        window = self._window
        chosen, _ = QFileDialog.getOpenFileName(
            window, f"Replace {self._name(index)} by", window.settings.folder
        )
        if not chosen:
            return
        try:
            data = read_loose_file(chosen)
        except ReadError as error:
            window.commands.files.report("The file cannot be read", error)
            return
        window.settings.folder = str(Path(chosen).resolve().parent)
        window.session.propose(lambda: metadata_entries.replace(self._model, index, data))

    def extract(self) -> None:
        """Asks for a place and writes the bytes of the entry there."""
        index = self._selected()
        if index is None:
            return
        try:
            data = metadata_entries.extract(self._model, index)
        except EditError as error:
            self._window.session.refused.emit(str(error))
            return
        name = self._name(index)
        save_bytes(self._window, data, f"{loose_name(name)}.bin", name)

    def delete(self) -> None:
        """Deletes the entry."""
        index = self._selected()
        if index is not None:
            self._window.session.propose(lambda: metadata_entries.delete(self._model, index))
