# SPDX-License-Identifier: Apache-2.0
"""What the commands of a window do; `actions.py` says how they look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QMessageBox,
    QToolBar,
)

from tflm_studio.editing import placement
from tflm_studio.ui.app.action_row import ActionRow
from tflm_studio.ui.app.actions import ACTIONS, MENUS, SUBMENUS
from tflm_studio.ui.app.array_commands import ArrayCommands
from tflm_studio.ui.app.associated_file_actions import FILES_MENU
from tflm_studio.ui.app.associated_file_commands import AssociatedFileCommands
from tflm_studio.ui.app.buffer_actions import BUFFERS_MENU
from tflm_studio.ui.app.comparison_commands import ComparisonCommands
from tflm_studio.ui.app.file_commands import FileCommands
from tflm_studio.ui.app.firmware_commands import FirmwareCommands
from tflm_studio.ui.app.mnemonics import give_letters
from tflm_studio.ui.app.model_actions import (
    METADATA_MENU,
    MODEL_MENU,
    SIGNATURES_MENU,
    SUBGRAPHS_MENU,
)
from tflm_studio.ui.app.model_commands import ModelCommands
from tflm_studio.ui.app.operator_commands import OperatorCommands
from tflm_studio.ui.app.panel_cycle import go_to_next_panel
from tflm_studio.ui.app.shortcuts import shortcut_groups
from tflm_studio.ui.app.surgery_commands import SurgeryCommands
from tflm_studio.ui.app.tensor_actions import TENSOR_MENU
from tflm_studio.ui.app.tensor_commands import TensorCommands
from tflm_studio.ui.app.theme import THEMES, apply_theme
from tflm_studio.ui.app.weight_commands import WeightCommands
from tflm_studio.ui.views.go_to_dialog import ask_place
from tflm_studio.ui.views.shortcut_dialog import ShortcutDialog

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

# The menu of a line in the outline, by the list that it leads to.
OUTLINE_MENUS = {
    "": MODEL_MENU,
    "subgraphs": SUBGRAPHS_MENU,
    "tensors": TENSOR_MENU,
    "buffers": BUFFERS_MENU,
    "metadata": METADATA_MENU,
    "associated_files": FILES_MENU,
    "signature_defs": SIGNATURES_MENU,
}
ABOUT = (
    "TFLM Studio {version}\n\nLook at, change and save TensorFlow Lite Micro models.\n"
    "Apache License 2.0."
)


class Commands(QObject):
    """The actions of one window: makes them, enables them, carries them out."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.files = FileCommands(window)
        self.comparisons = ComparisonCommands(window)
        self.archive = AssociatedFileCommands(window, self.files)
        self.operators = OperatorCommands(window)
        self.tensors = TensorCommands(window)
        self.model = ModelCommands(window)
        self.surgeries = SurgeryCommands(window, self.files)
        self.weights = WeightCommands(window)
        self.arrays = ArrayCommands(window, self.files)
        self._owners: dict[str, QObject] = {
            "file": self.files,
            "compare": self.comparisons,
            "archive": self.archive,
            "operator": self.operators,
            "tensor": self.tensors,
            "buffer": self.tensors.buffers,
            "weights": self.weights,
            "model": self.model,
            "signature": self.model.signatures,
            "metadata": self.model.metadata,
            "subgraph": self.model.subgraphs,
            "surgery": self.surgeries,
            "firmware": FirmwareCommands(window),
            "array": self.arrays,
        }
        self.actions: dict[str, QAction] = {row.id: self._make(row) for row in ACTIONS}
        self.operators.bind(self.actions, self.refresh)
        self._build_menus()
        self._build_themes()
        self.tensors.install(self.actions)
        self.weights.install(self.actions)
        self._offer()
        if window.start_panel is not None:
            window.start_panel.open_wanted.connect(self.files.open)
            window.start_panel.file_wanted.connect(self.files.open_path)

    # ------------------------------------------------------------------ making

    def _make(self, row: ActionRow) -> QAction:
        action = QAction(row.text, self._window)
        action.setObjectName(row.id)
        action.setStatusTip(row.tip)
        action.setCheckable(row.checkable)
        action.setShortcuts([QKeySequence(keys) for keys in row.keys])
        if row.answered_by_focus:
            # Never met: an action stands in menus alone, which have no focus of this kind.
            action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{row.tip} ({keys})" if keys else row.tip)
        place, _, name = row.id.partition(".")
        owner = self._owners.get(place)
        method: Callable[[], object] = (
            getattr(self, f"{place}_{name}") if owner is None else getattr(owner, name)
        )
        action.triggered.connect(lambda: self._carry_out(row, method))
        return action

    def _carry_out(self, row: ActionRow, method: Callable[[], object]) -> None:
        if row.menu in ("File", FILES_MENU):
            self.files.take_over_typing()
        method()

    def _build_menus(self) -> None:
        bar = self._window.menuBar()
        menus = {name: bar.addMenu(title) for name, title in MENUS.items()}
        for row in ACTIONS:
            if row.menu not in menus:
                menus[row.menu] = menus[SUBMENUS[row.menu]].addMenu(row.menu)
            menu = menus[row.menu]
            if row.separated:
                menu.addSeparator()
            menu.addAction(self.actions[row.id])
            if row.id == "file.open":
                self.recent_menu = menu.addMenu("Open recent")
                self.recent_menu.setObjectName("file.open_recent")
                self.recent_menu.aboutToShow.connect(self._fill_recent)
        for name, view in (
            ("Operator", self._window.operator_view),
            ("Tensor", self._window.tensor_view),
            (BUFFERS_MENU, self._window.buffer_table_view),
        ):
            view.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
            view.customContextMenuRequested.connect(
                lambda place, v=view, menu=menus[name]: menu.popup(
                    v.viewport().mapToGlobal(place)
                )
            )
        menus["View"].addSeparator()
        for dock in self._window.docks:
            menus["View"].addAction(dock.toggleViewAction())
        for menu in menus.values():
            give_letters(menu)

    def _offer(self) -> None:
        """Gives the panels the commands for what they show."""
        panel = self._window.metadata_panel
        for view, menu in (
            (panel.signatures, SIGNATURES_MENU),
            (panel.entries, METADATA_MENU),
            (panel.files, FILES_MENU),
        ):
            panel.offer(view, self._in_menu(menu))
        panel.offer(panel.ends, [self.actions["model.ends"]])
        for step, menu in OUTLINE_MENUS.items():
            self._window.outline.offer(step, self._in_menu(menu))

    def _in_menu(self, menu: str) -> list[QAction]:
        return [self.actions[row.id] for row in ACTIONS if row.menu == menu]

    def _build_themes(self) -> None:
        keeps = self._window.settings.keeps_backups
        self.actions["file.keep_backups"].setChecked(keeps)
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
            action.triggered.connect(lambda _checked=False, p=path: self.files.open_path(p))
        if not paths:
            self.recent_menu.addAction("No files yet").setEnabled(False)

    def refresh(self) -> None:
        """Enables what is possible now."""
        window, history = self._window, self._window.document.history
        selection = window.session.selection
        facts = {
            "can_undo": history.can_undo,
            "can_redo": history.can_redo,
            "has_outside": window.session.facts.has_outside,
            "can_go_back": selection.can_go_back,
            "can_go_forward": selection.can_go_forward,
            **self.archive.facts(),
            **self.operators.facts(),
            **self.tensors.facts(),
            **self.weights.facts(),
            **self.model.facts(),
            **self.surgeries.facts(),
            **self.arrays.facts(),
        }
        for row in ACTIONS:
            if row.enabled_by:
                self.actions[row.id].setEnabled(facts[row.enabled_by])
        undone = history.steps[history.position - 1].label if history.can_undo else ""
        redone = history.steps[history.position].label if history.can_redo else ""
        self.actions["edit.undo"].setText("&" + f"Undo {undone}".strip().replace("&", "&&"))
        self.actions["edit.redo"].setText("&" + f"Redo {redone}".strip().replace("&", "&&"))
        self.actions["edit.undo"].setIconText("Undo")
        self.actions["edit.redo"].setIconText("Redo")

    # ------------------------------------------------------------------ editing and moving

    def edit_undo(self) -> None:
        """Takes the last step back."""
        self._window.document.undo()

    def edit_redo(self) -> None:
        """Does the step that was taken back last again."""
        self._window.document.redo()

    def edit_copy(self) -> None:
        """Copies the selected rows of the current table."""
        self._copy("tabs")

    def edit_copy_markdown(self) -> None:
        """Copies rows of the current table as a Markdown table."""
        self._copy("markdown")

    def edit_copy_text(self) -> None:
        """Copies rows of the current table in aligned columns."""
        self._copy("text")

    def _copy(self, form: str) -> None:
        table = self._window.current_record_view()
        if table is not None:
            table.copy_rows(form)

    def edit_paste(self) -> None:
        """Writes what was copied into cells of the current table."""
        table = self._window.current_record_view()
        if table is not None:
            table.paste()

    def edit_find(self) -> None:
        """Puts the cursor into the search field."""
        self._window.find_field.setFocus()
        self._window.find_field.selectAll()

    def edit_put_inside(self) -> None:
        """Brings what stands behind the flatbuffer into it."""
        edits = placement.put_inside(self._window.document.model)
        self._window.session.do(edits, "put all data inside the flatbuffer")

    def go_back(self) -> None:
        """Selects what was selected before."""
        self._window.session.selection.back()
        self._window.show_place(self._window.session.selection.address)

    def go_forward(self) -> None:
        """Undoes going back."""
        self._window.session.selection.forward()
        self._window.show_place(self._window.session.selection.address)

    def go_to(self) -> None:
        """Asks for a place and shows it."""
        address = ask_place(self._window.session, self._window)
        if address is not None:
            self._window.finding.show(address)

    def go_next_panel(self) -> None:
        """Moves the focus to the next panel."""
        go_to_next_panel(self._window, 1)

    def go_previous_panel(self) -> None:
        """Moves the focus to the previous panel."""
        go_to_next_panel(self._window, -1)

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
        self._window.dock_layout.reset()

    def help_keys(self) -> None:
        """Lists the shortcuts of all commands."""
        ShortcutDialog(shortcut_groups(), self._window).exec()

    def help_about(self) -> None:
        """Says which version this is."""
        from importlib.metadata import version  # takes 40 ms, rarely wanted

        text = ABOUT.format(version=version("tflm-studio"))
        QMessageBox.about(self._window, "About TFLM Studio", text)
