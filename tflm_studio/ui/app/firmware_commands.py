# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for what a firmware needs besides the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMessageBox

from tflm_studio.firmware.board_fit import Need, model_need
from tflm_studio.firmware.bundle import Bundle, make_bundle
from tflm_studio.firmware.bundle_folder import write_bundle
from tflm_studio.model.cancellation import CancelledError
from tflm_studio.model.errors import StudioError
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.place_names import plural
from tflm_studio.ui.app.buffer_commands import save_bytes
from tflm_studio.ui.app.progress import BACKGROUND_BYTES, run_with_progress
from tflm_studio.ui.views.board_dialog import BoardDialog
from tflm_studio.ui.views.bundle_dialog import BundleDialog

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

MESSAGE_MS = 6000
FEW_OPERATORS = 500  # whose arena is planned faster than a thread starts


class FirmwareCommands(QObject):
    """Carries out what the menu and the resolver panel ask for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        window.resolver_panel.save_requested.connect(self._save)

    def export(self) -> None:
        """Asks for a form and a file, and writes the model so."""
        self._window.commands.files.export_c()

    def show_arena(self) -> None:
        """Shows the panel and gives it the focus."""
        self._window.dock_layout.show(self._window.arena_panel)

    def show_resolver(self) -> None:
        """Shows the panel and gives it the focus."""
        self._window.dock_layout.show(self._window.resolver_panel)

    def copy_resolver(self) -> None:
        """Copies the resolver as the panel has it."""
        panel = self._window.resolver_panel
        panel.refresh()
        panel.copy()
        self._window.statusBar().showMessage("Copied the operator resolver", MESSAGE_MS)

    def save_resolver(self) -> None:
        """Asks for a file and writes the resolver into it."""
        panel = self._window.resolver_panel
        panel.refresh()
        self._save(panel.source.toPlainText())

    def _save(self, source: str) -> None:
        save_bytes(self._window, source.encode(), "model_ops.h", "operator resolver", "Save")

    def write_bundle(self) -> None:
        """Asks for a folder and writes what a firmware needs into it."""
        document = self._window.document
        place = document.path or Path(self._window.settings.folder) / document.name
        folder = place.with_name(f"{place.stem}_bundle")
        dialog = BundleDialog(folder, document.name, self._window)
        if dialog.exec() != BundleDialog.DialogCode.Accepted:
            return
        target, options = Path(dialog.folder.text()), dialog.options
        overwrite = dialog.overwrite.isChecked()
        inputs = [document.path] if document.path is not None else []

        def work() -> tuple[Bundle, tuple[Path, ...]]:
            made = make_bundle(document.model, document.name, options)
            return made, write_bundle(made, target, inputs, overwrite=overwrite)

        text = (
            "Running the model and writing the bundle" if options.with_vectors else "Writing"
        )
        try:
            made, written = run_with_progress(self._window, text, work, may_drop=False)
        except CancelledError:
            return
        except StudioError as error:
            QMessageBox.warning(self._window, "The bundle was not written", str(error))
            return
        self._tell(made, written, target)

    def _tell(self, made: Bundle, written: tuple[Path, ...], folder: Path) -> None:
        text = f"Wrote {plural(len(written), 'file')} to {folder}"
        self._window.statusBar().showMessage(text, MESSAGE_MS)
        if made.notes:
            notes = "\n\n".join(made.notes)
            QMessageBox.information(self._window, "Firmware bundle", f"{text}.\n\n{notes}")

    def check_boards(self) -> None:
        """Shows which boards the model fits."""
        document = self._window.document
        try:
            need = self._need()
        except CancelledError:
            return
        except StudioError as error:
            QMessageBox.warning(self._window, "The boards cannot be checked", str(error))
            return
        BoardDialog(need, document.name, self._window).exec()

    def _need(self) -> Need:
        model = self._window.document.model
        weights = sum(data_bytes(buffer.data) for buffer in model.buffers or [])
        operators = sum(len(each.operators or []) for each in model.subgraphs or [])
        if weights <= BACKGROUND_BYTES and operators < FEW_OPERATORS:
            return model_need(model)
        return run_with_progress(
            self._window, "Planning the arena", lambda: model_need(model), may_drop=False
        )
