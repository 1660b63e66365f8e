# SPDX-License-Identifier: Apache-2.0
"""What the commands of a window do; `actions.py` says how they look."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QToolBar,
)

from tflm_studio.formats.model_file import C_SUFFIXES, JSON_SUFFIXES, export_files
from tflm_studio.model.errors import FileChangedError, StudioError
from tflm_studio.model.graph import data_bytes
from tflm_studio.ui.app.actions import ACTIONS, MENUS, ActionRow
from tflm_studio.ui.app.choices import ask
from tflm_studio.ui.app.progress import BACKGROUND_BYTES, run_with_progress
from tflm_studio.ui.app.theme import THEMES, apply_theme
from tflm_studio.ui.views.export_dialog import ExportDialog
from tflm_studio.ui.views.record_view import RecordView

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow
    from tflm_studio.ui.app.windows import Windows

_SOURCES, _JSON = (
    " ".join(f"*{suffix}" for suffix in sorted(suffixes))
    for suffixes in (C_SUFFIXES, JSON_SUFFIXES)
)
OPEN_FILTER = f"Models (*.tflite *.tfl *.lite *.fb *.bin {_SOURCES} {_JSON});;All files (*)"
SAVE_FILTER = (
    f"TensorFlow Lite model (*.tflite);;C source ({_SOURCES});;JSON ({_JSON});;All files (*)"
)
SUFFIX_OF_FILTER = {"C": ".cc", "JSON": ".json"}
ABOUT = (
    "TFLM Studio {version}\n\nLook at, change and save TensorFlow Lite Micro models.\n"
    "Apache License 2.0."
)
BYTES_PER_TABLE = 1000  # a table takes as long to write as so many bytes of weights
Buttons = QMessageBox.StandardButton


class ChangedFile(Enum):
    """What to do when the file was changed by another program."""

    OVERWRITE = "Overwrite it"
    SAVE_AS = "Save under another name"
    CANCEL = "Cancel"


def ask_about_changed_file(window: MainWindow, text: str) -> ChangedFile:
    """Asks a person before a file is overwritten that another program has changed."""
    box = QMessageBox(QMessageBox.Icon.Warning, "The file has changed", text)
    roles = (
        QMessageBox.ButtonRole.DestructiveRole,
        QMessageBox.ButtonRole.AcceptRole,
        QMessageBox.ButtonRole.RejectRole,
    )
    return ask(box, dict(zip(ChangedFile, roles, strict=True))) or ChangedFile.CANCEL


class Commands(QObject):
    """The actions of one window: makes them, enables them, carries them out."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._own_windows: Windows | None = None
        self.actions: dict[str, QAction] = {row.id: self._make(row) for row in ACTIONS}
        self._build_menus()
        self._build_themes()
        if window.start_panel is not None:
            window.start_panel.open_wanted.connect(self.file_open)
            window.start_panel.file_wanted.connect(self.open_path)

    # ------------------------------------------------------------------ making

    def _make(self, row: ActionRow) -> QAction:
        action = QAction(row.text, self._window)
        action.setObjectName(row.id)
        action.setStatusTip(row.tip)
        action.setCheckable(row.checkable)
        action.setShortcuts([QKeySequence(keys) for keys in row.keys])
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{row.tip} ({keys})" if keys else row.tip)
        method: Callable[[], object] = getattr(self, row.id.replace(".", "_"))
        action.triggered.connect(lambda: self._carry_out(row, method))
        return action

    def _carry_out(self, row: ActionRow, method: Callable[[], object]) -> None:
        if row.menu == "File":
            self.take_over_typing()
        method()

    def take_over_typing(self) -> None:
        """Enters what is being typed, as leaving the field does: saving must not miss it."""
        focus = QApplication.focusWidget()
        if isinstance(focus, (QLineEdit, QAbstractSpinBox)) and self._window.isAncestorOf(
            focus
        ):
            focus.clearFocus()

    def _build_menus(self) -> None:
        bar = self._window.menuBar()
        menus = {name: bar.addMenu(title) for name, title in MENUS.items()}
        for row in ACTIONS:
            menu = menus[row.menu]
            if row.separated:
                menu.addSeparator()
            menu.addAction(self.actions[row.id])
            if row.id == "file.open":
                self.recent_menu = menu.addMenu("Open recent")
                self.recent_menu.setObjectName("file.open_recent")
                self.recent_menu.aboutToShow.connect(self._fill_recent)
        view: QMenu = menus["View"]
        view.addSeparator()
        for dock in self._window.docks:
            view.addAction(dock.toggleViewAction())

    def _build_themes(self) -> None:
        group = QActionGroup(self)
        for theme in THEMES:
            action = self.actions[f"view.{theme}"]
            action.setChecked(theme == self._window.settings.theme)
            group.addAction(action)

    def fill_toolbar(self, toolbar: QToolBar) -> None:
        """Adds the commands that stand in the toolbar."""
        for row in ACTIONS:
            if row.toolbar:
                if row.id == "edit.undo":
                    toolbar.addSeparator()
                action = self.actions[row.id]
                action.setIconText(row.toolbar)
                toolbar.addAction(action)

    def _fill_recent(self) -> None:
        self.recent_menu.clear()
        paths = self._window.settings.recent_files
        for path in paths:
            action = self.recent_menu.addAction(Path(path).name)
            action.setToolTip(path)
            action.triggered.connect(lambda _checked=False, p=path: self.open_path(p))
        if not paths:
            self.recent_menu.addAction("No files yet").setEnabled(False)

    def refresh(self) -> None:
        """Enables what is possible now."""
        window, history = self._window, self._window.document.history
        selection = window.session.selection
        facts = {
            "can_undo": history.can_undo,
            "can_redo": history.can_redo,
            "can_go_back": selection.can_go_back,
            "can_go_forward": selection.can_go_forward,
        }
        for row in ACTIONS:
            if row.enabled_by:
                self.actions[row.id].setEnabled(facts[row.enabled_by])
        undone = history.steps[history.position - 1].label if history.can_undo else ""
        redone = history.steps[history.position].label if history.can_redo else ""
        self.actions["edit.undo"].setText(f"Undo {undone}".strip().replace("&", "&&"))
        self.actions["edit.redo"].setText(f"Redo {redone}".strip().replace("&", "&&"))
        self.actions["edit.undo"].setIconText("Undo")
        self.actions["edit.redo"].setIconText("Redo")

    # ------------------------------------------------------------------ files

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

    def file_open(self) -> None:
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

    def file_open_sample(self) -> None:
        """Opens the bundled sample."""
        self.windows.open_sample()

    def file_save(self) -> bool:
        """Writes the document to its file; returns whether that was done."""
        path = self._window.document.path
        return self._save_to(path) if path is not None else self.file_save_as()

    def file_save_as(self) -> bool:
        """Asks for a file and writes the document to it; returns whether that was done."""
        document = self._window.document
        start = document.path or Path(self._window.settings.folder) / document.name
        chosen, kind = QFileDialog.getSaveFileName(
            self._window, "Save the model as", str(start), SAVE_FILTER
        )
        if not chosen:
            return False
        path = Path(chosen)
        if not path.suffix:
            # The dialog has asked about the name without suffix, not about this one.
            path = path.with_suffix(SUFFIX_OF_FILTER.get(kind.split(" ")[0], ".tflite"))
            if not self._may_replace(path):
                return False
        other = self.windows.find(path)
        if other is not None and other is not self._window:
            text = f"{path}: this file is open in another window; close that one first."
            self.report("The model was not saved", StudioError(text))
            return False
        return self._save_to(path)

    def reload(self) -> None:
        """Shows the file as another program has left it; the changes here are given up."""
        try:
            self.windows.reload(self._window)
        except StudioError as error:
            self.report("The file cannot be read", error)

    def _save_to(self, path: Path, *, overwrite: bool = False) -> bool:
        document = self._window.document
        try:
            self._run(f"Saving {path.name}", lambda: document.write(path, overwrite=overwrite))
        except FileChangedError as error:
            return self._save_over_other(path, error)
        except StudioError as error:
            self.report("The model was not saved", error)
            return False
        document.note_saved(path)
        self._window.settings.add_recent(path)
        self._window.settings.folder = str(path.resolve().parent)
        self._window.statusBar().showMessage(f"Saved {path}", 6000)
        return True

    def _may_replace(self, *paths: Path) -> bool:
        """Asks before existing files are replaced."""
        existing = [str(path) for path in paths if path.exists()]
        if not existing:
            return True
        text = f"Replace {' and '.join(existing)}?"
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
            return self.file_save_as()
        return False

    def file_export_c(self) -> None:
        """Asks for a C source and a symbol and writes both source and header."""
        document = self._window.document
        start = document.path or Path(self._window.settings.folder) / document.name
        proposed = start.with_suffix(".cc")
        if proposed.exists():
            proposed = start.with_name(f"{start.stem}_export.cc")
        dialog = ExportDialog(proposed, self._window)
        if dialog.exec() != ExportDialog.DialogCode.Accepted:
            return
        path, symbol = Path(dialog.path.text()), dialog.symbol.text()
        if not self._may_replace(*export_files(path)):
            return
        try:
            self._run(f"Exporting {path.name}", lambda: document.export_c(path, symbol))
        except StudioError as error:
            self.report("The C array was not written", error)
            return
        self._window.statusBar().showMessage(f"Exported {path} and its header", 6000)

    def _run(self, text: str, work: Callable[[], None]) -> None:
        model = self._window.document.model
        weights = sum(data_bytes(buffer.data) for buffer in model.buffers or [])
        tables = sum(
            len(subgraph.operators or []) + len(subgraph.tensors or [])
            for subgraph in model.subgraphs or []
        )
        if weights + tables * BYTES_PER_TABLE <= BACKGROUND_BYTES:
            work()
        else:
            run_with_progress(self._window, text, work, can_cancel=False)

    def file_close(self) -> None:
        """Closes the window."""
        self._window.close()

    def file_quit(self) -> None:
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
            return self.file_save()
        return bool(answer == Buttons.Discard)

    def report(self, title: str, error: StudioError) -> None:
        """Shows why something was not done."""
        QMessageBox.warning(self._window, title, str(error))

    # ------------------------------------------------------------------ editing and moving

    def edit_undo(self) -> None:
        """Takes the last step back."""
        self._window.document.undo()

    def edit_redo(self) -> None:
        """Does the step that was taken back last again."""
        self._window.document.redo()

    def edit_copy(self) -> None:
        """Copies the selected rows of the current table."""
        table = self._window.current_table()
        if isinstance(table, RecordView):
            QApplication.clipboard().setText(table.selected_text())

    def edit_find(self) -> None:
        """Puts the cursor into the search field."""
        self._window.find_field.setFocus()
        self._window.find_field.selectAll()

    def go_back(self) -> None:
        """Selects what was selected before."""
        self._window.session.selection.back()

    def go_forward(self) -> None:
        """Undoes going back."""
        self._window.session.selection.forward()

    def go_operators(self) -> None:
        """Shows the operators."""
        self._go_to_tab(0)

    def go_tensors(self) -> None:
        """Shows the tensors."""
        self._go_to_tab(1)

    def go_buffers(self) -> None:
        """Shows the buffers."""
        self._go_to_tab(2)

    def go_metadata(self) -> None:
        """Shows the metadata."""
        self._go_to_tab(3)

    def _go_to_tab(self, tab: int) -> None:
        self._window.tabs.setCurrentIndex(tab)
        self._window.tabs.currentWidget().setFocus()

    # ------------------------------------------------------------------ looks

    def view_system(self) -> None:
        """Follows the desktop's theme."""
        self._set_theme("system")

    def view_light(self) -> None:
        """Dark on light."""
        self._set_theme("light")

    def view_dark(self) -> None:
        """Light on dark."""
        self._set_theme("dark")

    def _set_theme(self, theme: str) -> None:
        self._window.settings.theme = theme
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        apply_theme(application, theme)

    def view_reset_layout(self) -> None:
        """Puts all panels back."""
        self._window.reset_layout()

    def help_about(self) -> None:
        """Says which version this is."""
        from importlib.metadata import version  # takes 40 ms, rarely wanted

        text = ABOUT.format(version=version("tflm-studio"))
        QMessageBox.about(self._window, "About TFLM Studio", text)
