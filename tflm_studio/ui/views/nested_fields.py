# SPDX-License-Identifier: Apache-2.0
"""Fields that hold tables, as folds: one table, a list of them, or one of several kinds."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QMenu, QPushButton, QToolButton, QVBoxLayout, QWidget

from tflm_studio.editing import list_items
from tflm_studio.editing.edits import Set
from tflm_studio.editing.field_values import copied
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.union_kinds import change_union
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.operators import find_knowledge
from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import (
    Field,
    Kind,
    Metadata,
    OpaqueMember,
    OperatorCode,
    QuantizationParameters,
    SignatureDef,
    Table,
)
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.fold import Fold
from tflm_studio.ui.views.quiet_combo_box import QuietComboBox

NESTED_KINDS = frozenset((Kind.TABLE, Kind.TABLES, Kind.UNION))
MOST_ITEMS = 64  # forms: a thousand of them take a second to make
NO_MEMBER = "none"


class NestedField(Fold):
    """What the folds share: a place, its schema row, and a body that follows its structure."""

    def __init__(
        self, session: Session, address: Address, row: Field, path: str, title: str = ""
    ) -> None:
        self._session, self._address, self._row, self._path = session, address, row, path
        self._built_from: object = None
        super().__init__(title or row.name, self._make, session.open_fields, path)

    @property
    def value(self) -> Any:
        """What the field holds now."""
        return find_address(self._session.document.model, self._address)

    def show_value(self, value: Any) -> None:
        """Shows a value; the body is made anew if it has other parts."""
        self.summary.say(self._describe(value))
        if self.body is not None and self._structure(value) != self._built_from:
            self.rebuild()

    def _make(self) -> QWidget:
        self._built_from = self._structure(self.value)
        return self._body(self.value)

    def _structure(self, value: Any) -> object:
        return type(value)

    def _describe(self, value: Any) -> str:
        return summary_of(value)

    def _body(self, value: Any) -> QWidget:
        raise NotImplementedError

    def _form(self, address: Address, table: Table, path: str) -> QWidget:
        # A form makes folds, and a fold makes forms.
        from tflm_studio.ui.views.field_form import FieldForm

        form = FieldForm(self._session, address, table, path=path)
        return form if not form.is_empty else _quiet_label("has no fields")

    def _do(self, make: Callable[[], Proposal]) -> None:
        self._session.propose(make)


class TableField(NestedField):
    """One table, which may be absent."""

    def _body(self, value: Any) -> QWidget:
        if isinstance(value, Table):
            return self._form(self._address, value, self._path)
        button = QPushButton(f"Add {self._row.members[0].__name__}")
        button.setObjectName(f"add.{self._row.name}")
        button.clicked.connect(self.add)
        return button

    def add(self) -> None:
        """Puts a table where there is none."""
        self._session.do(Set(self._address, new_table(self._row)))


class UnionField(NestedField):
    """One of several kinds of tables; changing the kind keeps the fields both have."""

    def __init__(
        self, session: Session, address: Address, row: Field, path: str, title: str = ""
    ) -> None:
        super().__init__(session, address, row, path, title)
        self.kind = QuietComboBox()
        self.kind.setObjectName(f"kind.{row.name}")
        self.kind.setAccessibleName(f"Kind of {row.name}")
        self.kind.addItem(NO_MEMBER, None)
        for member in row.members:
            self.kind.addItem(member.__name__, member)
        self.head.replaceWidget(self.summary, self.kind)
        self.summary.hide()
        self.kind.activated.connect(self._choose)

    def show_value(self, value: Any) -> None:
        super().show_value(value)
        name = NO_MEMBER if value is None else type(value).__name__
        if isinstance(value, OpaqueMember):
            name = f"unknown kind {value.number}"
        if self.kind.findText(name) < 0:
            self.kind.addItem(name, value)
        self.kind.setCurrentText(name)

    def _choose(self, index: int) -> None:
        member = self.kind.itemData(index)
        if member is type(self.value) or isinstance(member, OpaqueMember):
            return
        model = self._session.document.model
        self._do(lambda: change_union(model, self._address, member))
        self.show_value(self.value)

    def _body(self, value: Any) -> QWidget:
        if isinstance(value, Table):
            return self._form(self._address, value, self._path)
        kept = "kept as it is: the schema does not know it"
        return _quiet_label("absent" if value is None else kept)


class TablesField(NestedField):
    """A list of tables, each a fold of its own, to be added, moved and removed."""

    def _structure(self, value: Any) -> object:
        return None if value is None else [type(item) for item in value]

    def _describe(self, value: Any) -> str:
        return "absent" if value is None else plural(len(value), "item")

    def show_value(self, value: Any) -> None:
        super().show_value(value)
        if self.body is not None:
            for item in self.body.findChildren(ListItem):
                item.show_value(item.value)

    def _body(self, value: Any) -> QWidget:
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        items = value or []
        for index in range(min(len(items), MOST_ITEMS)):
            item = ListItem(self._session, (*self._address, index), self._row, self._path)
            item.show_value(items[index])
            column.addWidget(item)
        if len(items) > MOST_ITEMS:
            column.addWidget(_quiet_label(f"and {len(items) - MOST_ITEMS:,} more"))
        button = QPushButton(f"Add {self._row.members[0].__name__}")
        button.setObjectName(f"add.{self._row.name}")
        button.clicked.connect(self.add)
        column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)
        return body

    def add(self) -> None:
        """Puts a table of defaults behind the last."""
        model, count = self._session.document.model, len(self.value or [])
        item = new_table(self._row)
        self._do(lambda: list_items.insert_item(model, self._address, count, item))


class ListItem(NestedField):
    """One table of a list."""

    def __init__(self, session: Session, address: Address, row: Field, path: str) -> None:
        index = address[-1]
        super().__init__(session, address, row, f"{path}.{index}", str(index))
        self.menu_button = QToolButton()
        self.menu_button.setText("⋯")
        self.menu_button.setAutoRaise(True)
        self.menu_button.setObjectName(f"menu.{row.name}.{index}")
        self.menu_button.setAccessibleName(f"More for {row.name} {index}")
        self.menu_button.clicked.connect(self._show_menu)
        self.head.addWidget(self.menu_button)

    def _body(self, value: Any) -> QWidget:
        if not isinstance(value, Table):
            return _quiet_label("absent")
        return self._form(self._address, value, self._path)

    def choices(self) -> list[tuple[str, Callable[[], Proposal]]]:
        """What can be done with the item."""
        model, place = self._session.document.model, self._address[:-1]
        index = int(self._address[-1])
        count = len(find_address(model, place) or [])
        found: list[tuple[str, Callable[[], Proposal]]] = []
        if index > 0:
            move = partial(list_items.move_item, model, place, index, index - 1)
            found.append(("Move up", move))
        if index < count - 1:
            move = partial(list_items.move_item, model, place, index, index + 1)
            found.append(("Move down", move))
        twin = partial(list_items.insert_item, model, place, index + 1)
        found.append(("Duplicate", lambda: twin(copied(self.value))))
        found.append(("Remove", partial(list_items.remove_item, model, place, index)))
        return found

    def choose(self, text: str) -> None:
        """Does one of the choices."""
        self._do(dict(self.choices())[text])

    def _show_menu(self) -> None:
        menu = QMenu(self.menu_button)
        for text, make in self.choices():
            menu.addAction(text).triggered.connect(lambda _=False, make=make: self._do(make))
        menu.aboutToHide.connect(menu.deleteLater)
        button = self.menu_button
        menu.popup(button.mapToGlobal(QPoint(0, button.height())))


def nested_field(session: Session, address: Address, row: Field, path: str) -> NestedField:
    """The fold for a field with tables."""
    classes: dict[Kind, type[NestedField]] = {
        Kind.TABLE: TableField,
        Kind.TABLES: TablesField,
        Kind.UNION: UnionField,
    }
    return classes[row.kind](session, address, row, path)


def new_table(row: Field) -> Table:
    """What is put where there is no table: defaults, but a quantisation means something."""
    if row.members[0] is QuantizationParameters:
        return QuantizationParameters(scale=[1.0], zero_point=[0])
    return row.members[0]()


def summary_of(value: Any) -> str:
    """A table in a line: its name, or its fields that are not the default."""
    if value is None:
        return "absent"
    if isinstance(value, OperatorCode):
        return f"{find_knowledge(value).name} version {value.version}"
    if isinstance(value, SignatureDef):
        return value.signature_key or "unnamed"
    if isinstance(value, Metadata):
        return f"{value.name or 'unnamed'} in buffer {value.buffer}"
    if isinstance(value, Table):
        text = repr(value)
        return text[len(type(value).__name__) + 1 : -1] or "all defaults"
    return repr(value)


def _quiet_label(text: str) -> QLabel:
    label = QLabel(text)
    label.setEnabled(False)
    return label
