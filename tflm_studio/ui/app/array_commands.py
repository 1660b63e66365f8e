# SPDX-License-Identifier: Apache-2.0
"""What the window does to bring values out of a model and into it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from PySide6.QtCore import QObject
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog

from tflm_studio.analysis.array_export import export_array
from tflm_studio.editing.cell_values import import_array
from tflm_studio.editing.weight_arrays import export_weights, import_weights, room_for_weights
from tflm_studio.formats.array_files import write_npz
from tflm_studio.formats.array_reader import ARRAY_SUFFIXES, read_array, read_npz
from tflm_studio.formats.array_text import c_text, numpy_text, tabbed_text
from tflm_studio.formats.c_source_writer import symbol_for
from tflm_studio.model.errors import EditError, StudioError
from tflm_studio.model.place_names import plural
from tflm_studio.model.tensor_types import Array
from tflm_studio.ui.app.file_commands import FileCommands
from tflm_studio.ui.app.progress import BACKGROUND_BYTES, run_with_progress
from tflm_studio.ui.models.value_table import ValueGrid

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

MESSAGE_MS = 6000
MOST_COPIED = 1 << 20  # values
NOT_WRITTEN, NOT_READ = "The values were not written", "The file cannot be read"
NPZ = "Arrays (*.npz);;All files (*)"
FORMS = {
    "NumPy array": ".npy",
    "NumPy archive": ".npz",
    "Comma-separated": ".csv",
    "Text": ".txt",
    "Plain bytes": ".bin",
    "Picture": ".png",
    "C source": ".c",
    "C header": ".h",
}
FILTERS = ";;".join(
    [*(f"{name} (*{suffix})" for name, suffix in FORMS.items()), "All files (*)"]
)

Result = TypeVar("Result")


class ArrayCommands(QObject):
    """Carries out what the menu of values asks for, on what the buffer view shows."""

    def __init__(self, window: MainWindow, files: FileCommands) -> None:
        super().__init__(window)
        self._window = window
        self._files = files

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        grid = self._window.buffer_view.grid
        has_values = grid is not None and _has_values(grid)
        is_editable = grid is not None and grid.contents.is_editable
        return {"has_values": has_values, "has_editable_values": has_values and is_editable}

    @property
    def _grid(self) -> ValueGrid | None:
        grid = self._window.buffer_view.grid
        return grid if grid is not None and _has_values(grid) else None

    # ------------------------------------------------------------------ one buffer

    def export_values(self) -> None:
        """Asks for a file and writes the values that are shown."""
        grid = self._grid
        if grid is None:
            return
        start = Path(self._window.settings.folder) / f"{_file_name(grid.contents.name)}.npy"
        chosen, form = QFileDialog.getSaveFileName(
            self._window, "Export values", str(start), FILTERS
        )
        if not chosen:
            return
        path = Path(chosen)
        if not path.suffix:
            suffix = re.search(r"\*(\.\w+)", form)
            path = path.with_name(path.name + (suffix[1] if suffix else ".npy"))
        contents = grid.contents
        kind = None if grid.is_real or contents.texts is not None else contents.kind

        def work() -> bool:
            export_array(path, _values(grid), kind=kind, name=contents.name)
            return True

        if self._run(f"Writing {path.name}…", work, contents.nbytes, NOT_WRITTEN):
            self._remember(path)
            self._window.statusBar().showMessage(f"Exported {path}", MESSAGE_MS)

    def import_values(self) -> None:
        """Asks for a file and gives what is shown its values, as one step."""
        grid = self._grid
        if grid is None:
            return
        suffixes = " ".join(f"*{suffix}" for suffix in ARRAY_SUFFIXES)
        chosen, _ = QFileDialog.getOpenFileName(
            self._window,
            "Import values",
            self._window.settings.folder,
            f"Arrays ({suffixes});;All files (*)",
        )
        if not chosen:
            return
        path, contents = Path(chosen), grid.contents

        def work() -> Array:
            return read_array(path, contents.shape, contents.kind, contents.name)

        array = self._run(f"Reading {path.name}…", work, contents.nbytes, NOT_READ)
        if array is None:
            return
        self._remember(path)
        owner = contents.place.split(",")[0]
        label, model = f"{owner}: import {path.name}", self._window.document.model
        self._window.session.propose(
            lambda: import_array(model, contents, array, real=grid.is_real, label=label)
        )

    def copy_numpy(self) -> None:
        """Copies all values as a numpy array."""
        self._copy(lambda values, name: numpy_text(values))

    def copy_c(self) -> None:
        """Copies all values as a C array."""
        self._copy(lambda values, name: c_text(values, symbol_for(name)))

    def copy_table(self) -> None:
        """Copies all values for a spreadsheet."""
        self._copy(lambda values, name: tabbed_text(values))

    def _copy(self, write: Callable[[Array, str], str]) -> None:
        grid = self._grid
        if grid is None:
            return
        try:
            if grid.contents.count > MOST_COPIED:
                raise EditError(
                    f"{grid.contents.count:,} values are too many for the clipboard; export "
                    "them to a file."
                )
            text = write(_values(grid), grid.contents.name)
        except EditError as error:
            self._window.notice.say(str(error))
            return
        QGuiApplication.clipboard().setText(text)
        count = plural(grid.contents.count, "value")
        self._window.statusBar().showMessage(f"Copied {count}", MESSAGE_MS)

    # ------------------------------------------------------------------ all weights

    def export_weights(self) -> None:
        """Asks for a file and writes all weights by name."""
        model, path = self._window.document.model, self._window.document.path
        name = f"{path.stem if path is not None else 'weights'}.npz"
        chosen, _ = QFileDialog.getSaveFileName(
            self._window,
            "Export all weights",
            str(Path(self._window.settings.folder) / name),
            NPZ,
        )
        if not chosen:
            return
        target = Path(chosen) if Path(chosen).suffix else Path(f"{chosen}.npz")

        def work() -> tuple[int, list[str]]:
            arrays, notes = export_weights(model)
            write_npz(target, arrays)
            return len(arrays), notes

        done = self._run(f"Writing {target.name}…", work, self._weight_bytes(), NOT_WRITTEN)
        if done is None:
            return
        self._remember(target)
        count, notes = done
        if notes:
            told = f"{plural(len(notes), 'tensor')} left out: {' '.join(notes[:3])}"
            self._window.notice.say(f"Exported {plural(count, 'array')}. {told}")
        else:
            message = f"Exported {plural(count, 'array')} to {target}"
            self._window.statusBar().showMessage(message, MESSAGE_MS)

    def import_weights(self) -> None:
        """Asks for a file and gives tensors the values of the arrays of their names."""
        chosen, _ = QFileDialog.getOpenFileName(
            self._window, "Import weights", self._window.settings.folder, NPZ
        )
        if not chosen:
            return
        path, model = Path(chosen), self._window.document.model

        def work() -> dict[str, Array]:
            return read_npz(path, room_for_weights(model))

        arrays = self._run(f"Reading {path.name}…", work, self._weight_bytes(), NOT_READ)
        if arrays is None:
            return
        self._remember(path)
        if not arrays:
            self._window.notice.say(f"{path.name} has no array named as a tensor here is.")
            return
        if self._window.session.propose(lambda: import_weights(model, arrays)):
            message = f"Imported {plural(len(arrays), 'array')} from {path.name}"
            self._window.statusBar().showMessage(message, MESSAGE_MS)

    def _weight_bytes(self) -> int:
        buffers = self._window.document.model.buffers or []
        return sum(len(buffer.data) for buffer in buffers if buffer.data is not None)

    # ------------------------------------------------------------------ files

    def _run(
        self, text: str, work: Callable[[], Result], size: int, title: str
    ) -> Result | None:
        """What `work` gave; None if it failed, which is told."""
        try:
            if size <= BACKGROUND_BYTES:
                return work()
            return run_with_progress(self._window, text, work, may_drop=False)
        except StudioError as error:
            self._files.report(title, error)
            return None

    def _remember(self, path: Path) -> None:
        self._window.settings.folder = str(path.resolve().parent)


def _has_values(grid: ValueGrid) -> bool:
    contents = grid.contents
    is_known = contents.kind.kind != "opaque" or contents.texts is not None
    return is_known and contents.count > 0


def _values(grid: ValueGrid) -> Array:
    contents = grid.contents
    flat = contents.reals() if grid.is_real else contents.values()
    return flat.reshape(contents.shape)


def _file_name(name: str) -> str:
    """A file name that a tensor may have given rise to."""
    bare = re.sub(r"[^A-Za-z0-9._-]+", "_", name).strip("._")
    return bare[-80:] or "values"
