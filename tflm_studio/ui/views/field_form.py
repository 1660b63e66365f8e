# SPDX-License-Identifier: Apache-2.0
"""A form for the fields of one table, made from its schema rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QToolButton, QWidget

from tflm_studio.editing.document import Change
from tflm_studio.editing.edits import Edit, Set
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.schema import Field, Kind, Table
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.field_editors import FieldEditor, make_editor

RESET_SIGN = "↺"
RESET_PIXELS = 18


class FieldForm(QWidget):
    """Label, editor and reset button for each field of the table at an address.

    Args:
        session: Whose document is edited.
        address: Where the table stands.
        table: The table itself; the form is for its class.
        names: The fields to show, in order; all that are not deprecated if None.
        can_reset: Whether numbers can be put back to their default, as options may be.
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
        can_reset: bool = False,
        edits_for: Callable[[Field, Any], list[Edit]] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._address = address
        self._table_class = type(table)
        self._can_reset = can_reset
        self._edits_for = edits_for or self._set
        self._editors: dict[str, FieldEditor] = {}
        self._labels: dict[str, QLabel] = {}
        self._resets: dict[str, QToolButton] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        for row in _chosen(type(table), names):
            self._add_row(row, getattr(table, row.name))
        self.refresh()
        session.changed.connect(self._on_document_changed)

    @property
    def is_empty(self) -> bool:
        """Whether there is no field to show."""
        return not self._editors

    def editor(self, name: str) -> FieldEditor:
        """The editor of a field."""
        return self._editors[name]

    def _add_row(self, row: Field, value: Any) -> None:
        label = QLabel(row.name)
        label.setToolTip(f"{row.name}: {_type_text(row)}\n{row.doc}")
        editor = make_editor(row, value)
        editor.setToolTip(row.doc)
        label.setBuddy(editor)
        reset = QToolButton(self)
        reset.hide()
        reset.setText(RESET_SIGN)
        reset.setAutoRaise(True)
        reset.setToolTip(f"Back to the default, {_default_text(row)}")
        reset.setAccessibleName(f"Reset {row.name}")
        reset.setFixedWidth(RESET_PIXELS)
        policy = reset.sizePolicy()
        policy.setRetainSizeWhenHidden(True)
        reset.setSizePolicy(policy)
        line = self._grid.rowCount()
        self._grid.addWidget(label, line, 0)
        self._grid.addWidget(editor, line, 1)
        if self._can_reset:
            self._grid.addWidget(reset, line, 2)
        editor.entered.connect(lambda value, run: self._enter(row, value, merge=run))
        editor.refused.connect(self._session.refused)
        reset.clicked.connect(lambda: self._enter(row, _default(row)))
        self._editors[row.name], self._labels[row.name] = editor, label
        self._resets[row.name] = reset

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
        table = find_address(self._session.document.model, self._address)
        if type(table) is not self._table_class:
            return
        for name, editor in self._editors.items():
            value, row = getattr(table, name), editor.row
            editor.show_value(value)
            is_default = value == _default(row)
            role = (
                QPalette.ColorRole.PlaceholderText if is_default else QPalette.ColorRole.Text
            )
            self._labels[name].setForegroundRole(role)
            if self._can_reset:
                self._resets[name].setVisible(not is_default and row.kind is Kind.SCALAR)

    def _on_document_changed(self, change: Change) -> None:
        if change.touches(self._address):
            self.refresh()


def _chosen(table: type[Table], names: Iterable[str] | None) -> list[Field]:
    if names is None:
        return [row for row in table.ROWS if not row.deprecated]
    rows = {row.name: row for row in table.ROWS}
    return [rows[name] for name in names]


def _default(row: Field) -> Any:
    return row.default if row.kind is Kind.SCALAR else None


def _default_text(row: Field) -> str:
    value = _default(row)
    return "absent" if value is None else getattr(value, "name", str(value))


def _type_text(row: Field) -> str:
    name = row.enum.__name__ if row.enum else row.scalar or row.kind.value
    return f"[{name}]" if row.kind is Kind.SCALARS else name
