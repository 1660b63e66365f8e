# SPDX-License-Identifier: Apache-2.0
"""The commands of a window that compare its model with another one."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from tflm_studio.formats.c_source_reader import SeveralModelsError
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.errors import ReadError
from tflm_studio.model.place_names import thing_at
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.file_commands import OPEN_FILTER
from tflm_studio.ui.models.difference_table import ON_DISK
from tflm_studio.ui.views.difference_dialog import DifferenceDialog

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow


class ComparisonCommands(QObject):
    """Compares the open model with its file, or with another one."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def file(self) -> None:
        """Asks for a file and shows what differs from it."""
        chosen, _ = QFileDialog.getOpenFileName(
            self._window, "Compare with", self._window.settings.folder, OPEN_FILTER
        )
        if chosen:
            path = Path(chosen)
            is_own = path == self._window.document.path
            self._compare(path, self._own_symbol if is_own else None)

    def disk(self) -> None:
        """Shows what differs from the file of the model as it is on the disk now."""
        path = self._window.document.path
        if path is not None:
            self._compare(path, self._own_symbol)

    @property
    def _own_symbol(self) -> str | None:
        """Which model of its file is open, if the file has others."""
        origin = self._window.document.model.extra
        source = origin.source if isinstance(origin, Origin) else None
        return source.symbol if source is not None else None

    def _compare(self, path: Path, symbol: str | None) -> DifferenceDialog:
        is_own = path == self._window.document.path
        there = ON_DISK if is_own else path.name
        dialog = DifferenceDialog(self._window.session, there, self._window)
        dialog.place_wanted.connect(self._show)
        dialog.several.connect(partial(self._choose, dialog, path))
        dialog.compare(partial(_read, path, symbol))
        dialog.show()
        return dialog

    def _choose(self, dialog: DifferenceDialog, path: Path, error: SeveralModelsError) -> None:
        """Asks which model of a file with several is meant."""
        from tflm_studio.ui.app.windows import ask_which

        symbol = ask_which(path, error, dialog)
        if symbol is None:
            dialog.reject()
        else:
            dialog.compare(partial(_read, path, symbol))

    def _show(self, address: Address) -> None:
        """Shows the thing that a place belongs to, as far as it is still there."""
        thing = thing_at(address)
        if find_address(self._window.document.model, thing) is not None:
            self._window.finding.show(thing)


def _read(path: Path, symbol: str | None) -> Model:
    try:
        return load_model_from_file(path, symbol)
    except ReadError:
        if symbol is None:
            raise
        return load_model_from_file(path)  # the array may have got another name
