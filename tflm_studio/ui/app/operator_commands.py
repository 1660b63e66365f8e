# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog

from tflm_studio.editing import operator_codes, operators
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError
from tflm_studio.ui.views.operator_add_dialog import AddOperatorDialog
from tflm_studio.ui.views.operator_custom_dialog import CustomOperatorDialog
from tflm_studio.ui.views.operator_dialog import OperatorDialog
from tflm_studio.ui.views.operator_kind_dialog import OperatorKindDialog
from tflm_studio.ui.views.operator_version_dialog import OperatorVersionDialog

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

MOVE_ANYWAY = "Move &anyway"


class OperatorCommands(QObject):
    """Carries out what the menu and the table of operators ask for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._view = window.operator_view
        self._view.drop_wanted.connect(self.drop)

    def bind(self, actions: Mapping[str, QAction], refresh: Callable[[], None]) -> None:
        """Makes the keys work only while the table of operators has the focus.

        Del in a text field deletes a letter, and no operator.

        Args:
            actions: All actions of the window, by id.
            refresh: Enables what is possible.
        """
        for name, action in actions.items():
            if name.startswith("operator."):
                action.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
                self._view.addAction(action)
        # Several rows come and go in a moment; they are looked at once.
        later = QTimer(self, singleShot=True, interval=0)
        later.timeout.connect(refresh)
        self._view.selectionModel().selectionChanged.connect(later.start)
        self._window.tabs.currentChanged.connect(later.start)

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        model, rows = self._window.document.model, self._rows()
        count = self._view.table.rowCount()
        together = bool(rows) and max(rows) - min(rows) + 1 == len(rows)
        return {
            "can_add_operator": self._is_shown and bool(model.subgraphs),
            "has_operators": bool(rows),
            "has_some_operators": count > 0,
            "can_move_operators_up": bool(rows) and not (together and min(rows) == 0),
            "can_move_operators_down": bool(rows)
            and not (together and max(rows) == count - 1),
            "has_operator_codes": bool(model.operator_codes),
        }

    @property
    def _is_shown(self) -> bool:
        return self._window.tabs.currentWidget() is self._view

    @property
    def _place(self) -> int:
        return self._window.session.subgraph_index

    def _rows(self) -> list[int]:
        """The selected operators, ascending; none while their table is not shown."""
        return sorted(self._view.selected_rows()) if self._is_shown else []

    # ------------------------------------------------------------------ coming and going

    def add_before(self) -> None:
        """Asks for an operator and puts it before the selected ones."""
        self._add(min(self._rows(), default=0))

    def add_behind(self) -> None:
        """Asks for an operator and puts it behind the selected ones."""
        last = max(self._rows(), default=self._view.table.rowCount() - 1)
        self._add(last + 1)

    def _add(self, index: int) -> None:
        dialog = AddOperatorDialog(self._window.session, index, self._window)
        self._do_asked(dialog, [index])

    def duplicate(self) -> None:
        """Puts a copy behind each of the selected operators."""
        rows = self._rows()
        copies = [row + k + 1 for k, row in enumerate(rows)]
        self._do(partial(operators.duplicate, indices=rows), copies)

    def delete(self) -> None:
        """Removes the selected operators."""
        self._remove(operators.delete)

    def delete_with_tensors(self) -> None:
        """Removes the selected operators, and what nothing names then."""
        self._remove(partial(operators.delete, with_orphans=True))

    def bypass(self) -> None:
        """Removes the selected operators; what read their outputs reads their inputs."""
        self._remove(operators.bypass)

    def _remove(self, make: Callable[..., Proposal]) -> None:
        rows = self._rows()
        left = self._view.table.rowCount() - len(rows)
        following = [min(min(rows), left - 1)] if left > 0 and rows else []
        self._do(partial(make, indices=rows), following)

    # ------------------------------------------------------------------ moving

    def move_up(self) -> None:
        """Moves the selected operators one place up, as one block."""
        rows = self._rows()
        if rows:
            self._move(rows, max(0, rows[0] - 1))

    def move_down(self) -> None:
        """Moves the selected operators one place down, as one block."""
        rows = self._rows()
        count = self._view.table.rowCount()
        if rows:
            self._move(rows, min(count - len(rows), rows[-1] - len(rows) + 2))

    def drop(self, row: int) -> None:
        """Moves the selected operators to where they were dropped: before a row."""
        rows = self._rows()
        self._move(rows, row - sum(each < row for each in rows))

    def _move(self, rows: list[int], target: int, *, force: bool = False) -> None:
        if rows == list(range(target, target + len(rows))):
            return
        make = partial(operators.move, indices=rows, target=target, force=force)
        try:
            proposal = make(self._window.document.model, self._place)
        except EditError as error:
            # Only the order can be against it: rows and place are those of the table.
            anyway = partial(self._move, rows, target, force=True)
            self._window.notice.ask(str(error), {MOVE_ANYWAY: anyway})
            return
        self._do(lambda *_: proposal, range(target, target + len(rows)))
        if force:
            self._view.setFocus()

    def sort(self) -> None:
        """Puts every operator behind those that make what it reads."""
        table = self._view.table
        chosen = [table.records()[row] for row in self._rows()]
        if self._do(operators.sort_topologically):
            wanted = set(map(id, chosen))
            self._select(k for k, each in enumerate(table.records()) if id(each) in wanted)

    # ------------------------------------------------------------------ becoming others

    def change_kind(self) -> None:
        """Asks what the selected operators become."""
        rows = self._rows()
        self._do_asked(OperatorKindDialog(self._window.session, rows, self._window), rows)

    def replace_by_custom(self) -> None:
        """Asks for the custom operator that the selected ones become."""
        rows = self._rows()
        self._do_asked(CustomOperatorDialog(self._window.session, rows, self._window), rows)

    def set_version(self) -> None:
        """Asks for the version of the selected operators."""
        rows = self._rows()
        self._do_asked(OperatorVersionDialog(self._window.session, rows, self._window), rows)

    def merge_codes(self) -> None:
        """Leaves one of each operator code."""
        self._do_codes(operator_codes.merge_duplicates)

    def upgrade_codes(self) -> None:
        """Writes the codes of old files to the new field too."""
        self._do_codes(operator_codes.upgrade_legacy)

    def remove_unused_codes(self) -> None:
        """Removes the operator codes that no operator has."""
        self._do_codes(operator_codes.remove_unused)

    def _do_codes(self, make: Callable[..., Proposal]) -> None:
        self._window.session.propose(partial(make, self._window.document.model))

    # ------------------------------------------------------------------ doing

    def _do_asked(self, dialog: OperatorDialog, rows: Iterable[int]) -> None:
        try:
            accepted = dialog.exec() == QDialog.DialogCode.Accepted
            proposal = dialog.proposal
            if accepted and proposal is not None:
                self._do(lambda *_: proposal, rows)
        finally:
            dialog.deleteLater()

    def _do(self, make: Callable[..., Proposal], rows: Iterable[int] = ()) -> bool:
        """Does what an operation proposes, and selects operators then."""
        model, place = self._window.document.model, self._place
        wanted = list(rows)
        then = (*self._view.table.list_address(), wanted[-1]) if wanted else None
        if not self._window.session.propose(lambda: make(model, place), then):
            return False
        self._select(wanted)
        return True

    def _select(self, rows: Iterable[int]) -> None:
        """Selects operators and makes them visible, also past what is searched for."""
        wanted = list(rows)
        if not wanted:
            return
        if not self._view.shows_all(wanted):
            self._window.find_field.clear()
        self._view.select_rows(wanted)
        self._view.bring_into_view(wanted)
