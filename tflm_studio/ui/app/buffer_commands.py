# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for the buffers of the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from tflm_studio.editing import buffers
from tflm_studio.editing.located import bytes_of
from tflm_studio.editing.proposal import Proposal, in_sequence
from tflm_studio.formats.atomic_file import write_atomically
from tflm_studio.formats.loose_files import read_loose_file
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.chosen_rows import chosen_rows

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

MESSAGE_MS = 6000


class BufferCommands(QObject):
    """Carries out what the menu and the table of buffers ask for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        return {
            "has_buffer": bool(self._chosen()),
            "has_data_buffer": self._data_buffer() is not None,
        }

    @property
    def _model(self) -> Model:
        return self._window.document.model

    def _chosen(self) -> list[int]:
        return chosen_rows(self._window.buffer_table_view)

    def _data_buffer(self) -> int | None:
        """The current buffer, or that of the current tensor; None without."""
        window = self._window
        for index in self._chosen():
            return index
        for index in chosen_rows(window.tensor_view):
            buffer = int(window.tensor_view.table.records()[index].buffer)
            return buffer if 0 < buffer < len(self._model.buffers or []) else None
        return None

    def add(self) -> None:
        """Adds a buffer behind the others."""
        if self._window.session.propose(lambda: buffers.add(self._model)):
            self._select_from(len(self._model.buffers or []) - 1)

    def duplicate(self) -> None:
        """Copies the chosen buffers."""
        chosen, before = sorted(self._chosen()), len(self._model.buffers or [])
        parts = [lambda model, k=k: buffers.duplicate(model, k) for k in chosen]
        few = f"Duplicate buffer {chosen[0]}" if len(chosen) == 1 else ""
        label = few or f"Duplicate {len(chosen):,} buffers"
        if self._window.session.propose(lambda: in_sequence(self._model, *parts, label=label)):
            self._select_from(before)

    def _select_from(self, first: int) -> None:
        self._window.show_place(("buffers", first))
        self._window.buffer_table_view.select_rows(
            range(first, len(self._model.buffers or []))
        )

    def delete(self) -> None:
        """Deletes the chosen buffers; what is in use stays, and its users are named."""
        chosen = self._chosen()
        if chosen:
            self._window.session.propose(lambda: buffers.delete(self._model, chosen))

    def replace(self) -> None:
        """Asks for a file and gives the buffer its bytes."""
        index = self._data_buffer()
        if index is None:
            return
        chosen, _ = QFileDialog.getOpenFileName(
            self._window, f"Data of buffer {index} from a file", self._window.settings.folder
        )
        if not chosen:
            return
        try:
            data = read_loose_file(chosen)
        except ReadError as error:
            self._window.commands.files.report("The file cannot be read", error)
            return
        self._window.settings.folder = str(Path(chosen).resolve().parent)
        label = f"Replace the data of buffer {index} by {Path(chosen).name}"
        self._window.session.propose(
            lambda: buffers.set_data(self._model, index, data).labelled(label)
        )

    def extract(self) -> None:
        """Asks for a place and writes the bytes of the buffer there."""
        index = self._data_buffer()
        if index is not None:
            data = bytes_of(self._model, index)
            save_bytes(self._window, data, f"buffer_{index}.bin", f"buffer {index}")

    def share_identical(self) -> None:
        """Keeps one of all buffers with the same bytes."""
        self._tell_if_none(buffers.share_identical(self._model), "No two buffers are alike.")

    def remove_unused(self) -> None:
        """Deletes what nothing uses."""
        self._tell_if_none(buffers.remove_unused(self._model), "All buffers are in use.")

    def _tell_if_none(self, proposal: Proposal, text: str) -> None:
        if proposal.edits:
            self._window.session.do(proposal)
        else:
            self._window.statusBar().showMessage(text, MESSAGE_MS)


def save_bytes(
    window: MainWindow, data: bytes | memoryview, name: str, what: str, verb: str = "Extract"
) -> None:
    """Asks for a file and writes bytes into it."""
    start = Path(window.settings.folder) / name
    chosen, _ = QFileDialog.getSaveFileName(window, f"{verb} {what}", str(start))
    if not chosen:
        return
    try:
        write_atomically(Path(chosen), [data])
    except WriteError as error:
        window.commands.files.report("The file was not written", error)
        return
    window.settings.folder = str(Path(chosen).resolve().parent)
    window.statusBar().showMessage(f"Wrote {chosen}", MESSAGE_MS)
