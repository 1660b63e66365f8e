# SPDX-License-Identifier: Apache-2.0
"""What can be done with a field besides typing: back to the file, default, absent, a table."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from flatbuffers.flexbuffers import Type
from PySide6.QtCore import QObject, QPoint
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMenu, QWidget

from tflm_studio.editing.edits import Set, brief_value
from tflm_studio.editing.file_state import FileState
from tflm_studio.editing.flex_tree import find_tree, reads_by_position
from tflm_studio.formats.flex_options import FlexNode
from tflm_studio.model.address import Address, find_address, format_address
from tflm_studio.model.field_text import item_text, list_text
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.operators import operator_code
from tflm_studio.model.place_names import name_place
from tflm_studio.model.schema import Field, Kind, QuantizationParameters, Table
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.bytes_dialog import edit_bytes
from tflm_studio.ui.views.flex_dialog import edit_flex
from tflm_studio.ui.views.nested_fields import new_table
from tflm_studio.ui.views.number_dialog import edit_numbers

if TYPE_CHECKING:
    from tflm_studio.ui.views.field_form import FieldForm

MENU_SIGN = "⋯"
CHANGED_SIGN = "↺"
FLEX_FIELD = "custom_options"
PER_CHANNEL = ("scale", "zero_point", "min", "max")
_EMPTY: dict[Kind, Any] = {Kind.STRING: "", Kind.SCALARS: [], Kind.BYTES: b"", Kind.TABLES: []}


class FieldMenu(QObject):
    """The choices for one field as it is now.

    Args:
        session: Whose document is edited.
        address: The field.
        row: Its schema row.
        value: What it holds.
        state: How its table differs from the file.
        form: The form that the field stands in.
    """

    def __init__(
        self,
        session: Session,
        address: Address,
        row: Field,
        value: Any,
        state: FileState,
        form: FieldForm,
    ) -> None:
        super().__init__(form)
        self._session, self._address, self._row = session, address, row
        self._value, self._state, self._form = value, state, form

    def choices(self) -> list[tuple[str, Callable[[], object]]]:
        """Texts and what they do."""
        return [*self._values(), *self._dialogs(), *self._copies()]

    def choose(self, start: str) -> None:
        """Takes the first choice whose text begins so."""
        next(do for text, do in self.choices() if text.startswith(start))()

    def show_below(self, button: QWidget) -> None:
        """Pops the menu up."""
        menu = QMenu(button)
        for text, do in self.choices():
            menu.addAction(text).triggered.connect(lambda _=False, do=do: do())
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    def edit_apart(self) -> None:
        """Opens the window that edits the field, if it has one."""
        for _, do in self._dialogs():
            do()
            return

    # ------------------------------------------------------------------ choices

    def _values(self) -> list[tuple[str, Callable[[], object]]]:
        row, value, name = self._row, self._value, self._row.name
        found: list[tuple[str, Any]] = []
        if name in self._state.values:
            before = self._state.values[name]
            found.append((f"Back to what the file has: {brief_value(before)}", before))
        if row.kind is Kind.SCALAR and value != row.default:
            found.append((f"Set to the default: {brief_value(row.default)}", row.default))
        if row.kind is Kind.TABLE and value is None:
            found.append((f"Add {row.members[0].__name__}", new_table(row)))
        if row.kind in _EMPTY and (value is None or len(value)):
            found.append(("Make empty", _EMPTY[row.kind]))
        if row.kind is not Kind.SCALAR and value is not None:
            found.append(("Make absent", None))
        return [(text, partial(self._form.enter, name, new)) for text, new in found]

    def _dialogs(self) -> list[tuple[str, Callable[[], object]]]:
        if self._row.kind is Kind.SCALARS:
            return [("Edit as a table…", self._edit_list)]
        if self._row.kind is Kind.BYTES:
            return [*self._tree(), ("Edit the bytes…", self._edit_bytes), *self._new_tree()]
        if isinstance(self._value, QuantizationParameters):
            return [("Edit per channel…", self._edit_channels)]
        return []

    def _tree(self) -> list[tuple[str, Callable[[], object]]]:
        """The choice to edit a flexbuffer as what it is."""
        if self._row.name != FLEX_FIELD or not self._value:
            return []
        data = bytes(self._value)
        root = find_tree(data)
        return [] if root is None else [("Edit as a tree…", partial(self._edit_flex, root))]

    def _new_tree(self) -> list[tuple[str, Callable[[], object]]]:
        if self._row.name != FLEX_FIELD or self._value:
            return []
        return [("Begin a tree…", partial(self._edit_flex, FlexNode(Type.MAP)))]

    def _copies(self) -> list[tuple[str, Callable[[], object]]]:
        copy = QGuiApplication.clipboard().setText
        found: list[tuple[str, Callable[[], object]]] = []
        text = value_text(self._row, self._value)
        if text is not None:
            found.append(("Copy the value", partial(copy, text)))
        return [*found, ("Copy the address", partial(copy, format_address(self._address)))]

    # ------------------------------------------------------------------ windows

    def _edit_list(self) -> None:
        title = f"{format_address(self._address)}"
        values = edit_numbers([self._row], [self._value], title, self._form)
        if values is not None:
            self._form.enter(self._row.name, values[0])

    def _edit_bytes(self) -> None:
        data = b"" if self._value is None else bytes(self._value)
        edited = edit_bytes(data, format_address(self._address), self._form)
        if edited is not None and (edited != data or self._value is None):
            self._form.enter(self._row.name, edited)

    def _edit_flex(self, root: FlexNode) -> None:
        data = bytes(self._value or b"")
        model = self._session.document.model
        code = operator_code(model, find_address(model, self._address[:-1]))
        by_position = code is not None and reads_by_position(code.custom_code)
        title = format_address(self._address)
        edited = edit_flex(data, root, title, self._form, by_position=by_position)
        if edited is not None and edited != data:
            self._form.enter(self._row.name, edited)

    def _edit_channels(self) -> None:
        table = self._value
        rows = [row for row in table.ROWS if row.name in PER_CHANNEL]
        rows.sort(key=lambda row: PER_CHANNEL.index(row.name))
        before = [getattr(table, row.name) for row in rows]
        after = edit_numbers(rows, before, format_address(self._address), self._form)
        if after is None:
            return
        changed = [
            Set((*self._address, row.name), new)
            for row, old, new in zip(rows, before, after, strict=True)
            if new != old
        ]
        model = self._session.document.model
        self._session.do(changed, f"{name_place(model, self._address)} per channel")


def value_text(row: Field, value: Any) -> str | None:
    """A value as text for the clipboard, None if it has no text."""
    if value is None or isinstance(value, Table) or row.kind in (Kind.TABLES, Kind.UNION):
        return None
    if row.kind is Kind.SCALAR:
        return item_text(row, value)
    if row.kind is Kind.SCALARS:
        return list_text(row, value)
    if row.kind is Kind.BYTES:
        return memoryview(value).hex(" ") if data_bytes(value) <= 2**20 else None
    return str(value)
