# SPDX-License-Identifier: Apache-2.0
"""A form for the fields of one table, made from its schema rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from tflm_studio.editing.document import Change
from tflm_studio.editing.edits import Edit, Set, brief_value
from tflm_studio.editing.file_state import FileState, file_state
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.schema import Field, Kind, QuantizationParameters, Table
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.views.elided_label import FieldLabel
from tflm_studio.ui.views.field_editors import FieldEditor, NoteEditor, make_editor
from tflm_studio.ui.views.field_menu import CHANGED_SIGN, MENU_SIGN, FieldMenu
from tflm_studio.ui.views.nested_fields import NESTED_KINDS, NestedField, nested_field

MENU_PIXELS = 18
# Where the schema's order is not the order of interest.
FIRST: dict[type[Table], tuple[str, ...]] = {
    QuantizationParameters: ("scale", "zero_point", "quantized_dimension")
}

EditsFor = Callable[[Field, Any], Proposal | list[Edit]]


class FieldForm(QWidget):
    """A line for each field of the table at an address: label, editor, menu.

    Tables inside the table are folds with a form of their own.

    Args:
        session: Whose document is edited.
        address: Where the table stands.
        table: The table itself; the form is for its class.
        names: The fields to show, in order; all that are not deprecated if None.
        path: What the names of the folds begin with.
        edits_for: What a value that was entered does, if more than setting its field; may
            raise `EditError`.
    """

    def __init__(
        self,
        session: Session,
        address: Address,
        table: Table,
        names: Iterable[str] | None = None,
        *,
        path: str = "",
        edits_for: EditsFor | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._address = address
        self._table_class = type(table)
        self._path = path or type(table).__name__
        self._edits_for = edits_for or self._set
        self._state = FileState()
        self._editors: dict[str, FieldEditor] = {}
        self._labels: dict[str, QLabel] = {}
        self._buttons: dict[str, QToolButton] = {}
        self._nested: dict[str, NestedField] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        for row in chosen_rows(type(table), names):
            self._add(row, getattr(table, row.name))
        self.refresh()
        session.changed.connect(self._on_document_changed)

    @property
    def is_empty(self) -> bool:
        """Whether there is no field to show."""
        return not self._editors and not self._nested

    def editor(self, name: str) -> FieldEditor:
        """The editor of a field without tables."""
        return self._editors[name]

    def nested(self, name: str) -> NestedField:
        """The fold of a field with tables."""
        return self._nested[name]

    def menu(self, name: str) -> FieldMenu:
        """What else can be done with a field, besides typing."""
        row = next(row for row in self._table_class.ROWS if row.name == name)
        table = find_address(self._session.document.model, self._address)
        value = getattr(table, name, None)
        return FieldMenu(self._session, (*self._address, name), row, value, self._state, self)

    # ------------------------------------------------------------------ building

    def _add(self, row: Field, value: Any) -> None:
        line = self._grid.rowCount()
        button = self._make_button(row)
        if row.kind in NESTED_KINDS:
            place = (*self._address, row.name)
            nested = nested_field(self._session, place, row, f"{self._path}.{row.name}")
            nested.arrow.setToolTip(f"{row.name}: {type_text(row)}\n{row.doc}")
            self._grid.addWidget(nested, line, 0, 1, 2)
            self._nested[row.name] = nested
        else:
            self._add_line(row, value, line)
        is_high = row.kind in NESTED_KINDS
        side = Qt.AlignmentFlag.AlignTop if is_high else Qt.AlignmentFlag.AlignVCenter
        self._grid.addWidget(button, line, 2, side)
        self._buttons[row.name] = button

    def _add_line(self, row: Field, value: Any, line: int) -> None:
        label = FieldLabel(row.name)
        editor = make_editor(row, value)
        editor.setToolTip(row.doc)
        label.setBuddy(editor)
        self._grid.addWidget(label, line, 0)
        self._grid.addWidget(editor, line, 1)
        editor.entered.connect(lambda value, run: self._enter(row, value, merge=run))
        editor.refused.connect(self._session.refused)
        if isinstance(editor, NoteEditor):
            editor.wanted.connect(lambda: self.menu(row.name).edit_apart())
        self._editors[row.name], self._labels[row.name] = editor, label

    def _make_button(self, row: Field) -> QToolButton:
        button = QToolButton()
        button.setText(MENU_SIGN)
        button.setAutoRaise(True)
        button.setFixedWidth(MENU_PIXELS)
        button.setObjectName(f"menu.{row.name}")
        button.setAccessibleName(f"More for {row.name}")
        button.clicked.connect(lambda: self.menu(row.name).show_below(button))
        return button

    # ------------------------------------------------------------------ values

    def enter(self, name: str, value: Any) -> None:
        """Gives a field a value, as if it had been typed."""
        row = next(row for row in self._table_class.ROWS if row.name == name)
        self._enter(row, value)

    def _enter(self, row: Field, value: Any, *, merge: bool = False) -> None:
        try:
            edits = self._edits_for(row, value)
        except EditError as error:
            self._session.refused.emit(str(error))
        else:
            self._session.do(edits, merge=merge)
        self.refresh()

    def _set(self, row: Field, value: Any) -> list[Edit]:
        return [Set((*self._address, row.name), value)]

    def refresh(self) -> None:
        """Shows what the table holds now."""
        document = self._session.document
        table = find_address(document.model, self._address)
        if type(table) is not self._table_class:
            return
        self._state = file_state(document.model, document.history, self._address)
        for name, editor in self._editors.items():
            value = getattr(table, name)
            editor.show_value(value)
            self._mark(editor.row, value == default_of(editor.row))
        for name, nested in self._nested.items():
            nested.show_value(getattr(table, name))
            self._show_sign(name)

    def _mark(self, row: Field, is_default: bool) -> None:
        """Greys a default and makes bold what differs from the file."""
        label, role = self._labels[row.name], QPalette.ColorRole
        self._show_sign(row.name)
        is_changed = row.name in self._state.values or row.name in self._state.inside
        label.setForegroundRole(
            role.PlaceholderText if is_default and not is_changed else role.Text
        )
        font = label.font()
        if font.bold() != is_changed:
            font.setBold(is_changed)
            label.setFont(font)
        tip = f"{row.name}: {type_text(row)}\n{row.doc}"
        if row.name in self._state.values:
            tip += f"\nIn the file: {brief_value(self._state.values[row.name])}"
        label.setToolTip(tool_tip(tip))

    def _show_sign(self, name: str) -> None:
        is_changed = name in self._state.values or name in self._state.inside
        button = self._buttons[name]
        button.setText(CHANGED_SIGN if is_changed else MENU_SIGN)
        button.setToolTip("Changed since the file was saved" if is_changed else "More…")

    def _on_document_changed(self, change: Change) -> None:
        if not change.edits or any(self._shows(edit.address) for edit in change.edits):
            self.refresh()

    def _shows(self, place: Address) -> bool:
        """Whether an edit at a place may show here; of the model's form nearly none does."""
        own = len(self._address)
        if len(place) > own and place[:own] == self._address:
            return place[own] in self._editors or place[own] in self._nested
        return self._address[: len(place)] == place


def chosen_rows(table: type[Table], names: Iterable[str] | None) -> list[Field]:
    """The rows to show, in order; all that are not deprecated if no names are given."""
    rows = {row.name: row for row in table.ROWS}
    if names is None:
        first = FIRST.get(table, ())
        others = [row for row in table.ROWS if not row.deprecated and row.name not in first]
        return [*(rows[name] for name in first), *others]
    return [rows[name] for name in names]


def default_of(row: Field) -> Any:
    """What an absent field means."""
    return row.default if row.kind is Kind.SCALAR else None


def type_text(row: Field) -> str:
    """The type of a field in the words of the schema."""
    if row.kind in (Kind.TABLE, Kind.TABLES):
        name = row.members[0].__name__
    else:
        name = row.enum.__name__ if row.enum else row.scalar or row.kind.value
    return f"[{name}]" if row.kind in (Kind.SCALARS, Kind.TABLES) else name
