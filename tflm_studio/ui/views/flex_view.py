# SPDX-License-Identifier: Apache-2.0
"""The tree of a flexbuffer: keys, types and values, edited in place."""

from __future__ import annotations

from collections.abc import Callable

from flatbuffers.flexbuffers import Type
from PySide6.QtCore import (
    QAbstractItemModel,
    QEvent,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QWidget,
)

from tflm_studio.editing.flex_tree import (
    TYPES,
    add_entry,
    duplicate_entry,
    remove_entry,
    rename,
    retype,
)
from tflm_studio.editing.flex_values import (
    is_editable,
    read_value,
    type_name,
    value_text,
)
from tflm_studio.formats.flex_options import FlexNode
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt

KEY, TYPE, VALUE = range(3)
STEPS: dict[int, int] = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
TITLES = ("Key", "Type", "Value")
KEY_PIXELS, TYPE_PIXELS = 200, 120
ROOM_PIXELS = 6  # above and below a line, for editors
SHOWN_CHARACTERS = 400
LONGEST_TEXT = 2**20
Index = QModelIndex | QPersistentModelIndex


class _Item(QTreeWidgetItem):
    """A line of the tree and the node it shows."""

    def __init__(self, node: FlexNode, parent: FlexNode | None, name: str) -> None:
        super().__init__([name, type_name(node.type)])
        self.node, self.parent_node = node, parent
        self.say()
        self.setFlags(self.flags() | Qt.ItemFlag.ItemIsEditable)
        if parent is None or parent.type is not Type.MAP:
            self.setToolTip(KEY, "Its place: only entries of maps have keys")

    def say(self) -> None:
        """Shows the value."""
        self.setText(VALUE, excerpt(value_text(self.node), SHOWN_CHARACTERS))

    def can_edit(self, column: int) -> bool:
        """Whether a cell can be typed into."""
        if column == KEY:
            return self.parent_node is not None and self.parent_node.type is Type.MAP
        return column == TYPE or is_editable(self.node)

    def edited_text(self, column: int) -> str:
        """What is in the editor at first."""
        return self.node.key if column == KEY else value_text(self.node)


class FlexView(QTreeWidget):
    """Shows a tree and changes it.

    Attributes:
        root: The tree as it is now.
        changed: Emitted after every change.
        refused: Emitted with the reason when something cannot be entered.
    """

    changed = Signal()
    refused = Signal(str)

    def __init__(self, root: FlexNode, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.root = root
        self.setObjectName("flex_view")
        self.setAccessibleName("Custom options")
        self.setHeaderLabels(list(TITLES))
        self.setAlternatingRowColors(True)
        self.setAllColumnsShowFocus(True)
        self.setItemDelegate(_CellDelegate(self))
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        header = self.header()
        header.setStretchLastSection(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.resizeSection(KEY, KEY_PIXELS)
        header.resizeSection(TYPE, TYPE_PIXELS)
        self._fill(root)

    def _fill(self, current: FlexNode) -> None:
        """Makes all lines anew; that of a node becomes the current one."""
        closed = {id(i.node) for i in self._items() if i.childCount() and not i.isExpanded()}
        column = self.currentColumn() if self.current is not None else VALUE
        self.clear()
        top = _Item(self.root, None, "options")
        self._fill_below(top)
        self.addTopLevelItem(top)
        for item in self._items():
            item.setExpanded(id(item.node) not in closed)
            if item.node is current:
                self.setCurrentItem(item, column)

    def _fill_below(self, item: _Item) -> None:
        for index, node in enumerate(item.node.items):
            is_map = item.node.type is Type.MAP
            child = _Item(node, item.node, node.key if is_map else f"[{index}]")
            item.addChild(child)
            self._fill_below(child)

    def _items(self) -> list[_Item]:
        found = [self.topLevelItem(k) for k in range(self.topLevelItemCount())]
        for item in found:
            found += [item.child(k) for k in range(item.childCount())] if item else []
        return [item for item in found if isinstance(item, _Item)]

    @property
    def current(self) -> _Item | None:
        """The current line."""
        item = self.currentItem()
        return item if isinstance(item, _Item) else None

    # ------------------------------------------------------------------ entries

    def possible(self) -> dict[str, bool]:
        """What can be done with the current line."""
        item = self.current
        is_entry = item is not None and item.parent_node is not None
        can_add = item is not None and (is_entry or item.node.has_items)
        return {"add": can_add, "duplicate": is_entry, "remove": is_entry}

    def add(self) -> None:
        """Puts an entry into the current map or vector, or behind the current entry."""
        item = self.current
        if item is None or not self.possible()["add"]:
            return
        if item.node.has_items or item.parent_node is None:
            parent, made = item.node, add_entry(item.node)
        else:
            parent = item.parent_node
            made = add_entry(parent, self._place(item) + 1)
        self._change(made)
        column = KEY if parent.type is Type.MAP else VALUE
        if self.current is not None:
            self.setFocus()
            self.setCurrentItem(self.current, column)
            self._open(self.current, column)

    def duplicate(self) -> None:
        """Puts a copy of the current entry beside it."""
        item = self.current
        if item is not None and item.parent_node is not None:
            self._change(duplicate_entry(item.parent_node, item.node))

    def remove(self) -> None:
        """Takes the current entry out."""
        item = self.current
        if item is None or item.parent_node is None:
            return
        parent, place = item.parent_node, self._place(item)
        remove_entry(parent, item.node)
        left = parent.items[min(place, len(parent.items) - 1)] if parent.items else parent
        self._change(left)

    def _place(self, item: _Item) -> int:
        assert item.parent_node is not None
        return next(k for k, each in enumerate(item.parent_node.items) if each is item.node)

    def _change(self, current: FlexNode) -> None:
        self._fill(current)
        self.changed.emit()

    def _change_soon(self, current: FlexNode) -> None:
        # The editor that reports a change stands on a line that goes.
        QTimer.singleShot(0, self, lambda: self._change(current))

    # ------------------------------------------------------------------ editing in place

    def enter(self, item: _Item, column: int, text: str) -> None:
        """Takes over what was typed into a cell; a refusal is announced."""
        if text == item.edited_text(column):
            return
        try:
            if column == KEY:
                assert item.parent_node is not None
                rename(item.parent_node, item.node, text)
            else:
                item.node.value = read_value(item.node.type, text)
        except EditError as error:
            self.refused.emit(str(error))
            return
        if column == KEY:
            self._change_soon(item.node)
        else:
            item.say()
            self.changed.emit()

    def choose_type(self, item: _Item, kind: Type) -> None:
        """Gives the node of a line another type."""
        if kind is not item.node.type:
            retype(item.node, kind)
            self._change_soon(item.node)

    def _open(self, item: _Item, column: int) -> None:
        if item.can_edit(column):
            self.editItem(item, column)

    def edit(  # type: ignore[override]
        self, index: Index, trigger: QAbstractItemView.EditTrigger, event: QEvent
    ) -> bool:
        item = self.itemFromIndex(index) if index.isValid() else None
        if isinstance(item, _Item) and not item.can_edit(index.column()):
            return False
        return super().edit(index, trigger, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        is_copy = event.key() == Qt.Key.Key_D and (
            event.modifiers() == Qt.KeyboardModifier.ControlModifier
        )
        keys: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Insert: self.add,
            Qt.Key.Key_Delete: self.remove,
        }
        do = self.duplicate if is_copy else keys.get(event.key())
        item = self.current
        if self.state() is QAbstractItemView.State.EditingState:
            return  # the key comes from an editor, which has taken it already
        if do is not None:
            do()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and item is not None:
            # As in a spreadsheet; OK is a Tab away.
            column = self.currentColumn()
            self._open(item, column if item.can_edit(column) else VALUE)
        elif event.key() in STEPS and item is not None and not item.childCount():
            column = min(max(self.currentColumn() + STEPS[event.key()], KEY), VALUE)
            self.setCurrentItem(item, column)
        else:
            super().keyPressEvent(event)


class _CellDelegate(QStyledItemDelegate):
    """Editors for the cells: a line for keys and values, a choice for types."""

    def __init__(self, view: FlexView) -> None:
        super().__init__(view)
        self._view = view

    def _item(self, index: Index) -> _Item:
        item = self._view.itemFromIndex(index)
        assert isinstance(item, _Item)
        return item

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        size = super().sizeHint(option, index)
        return QSize(size.width(), size.height() + ROOM_PIXELS)

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> QWidget:
        if index.column() != TYPE:
            line = QLineEdit(parent)
            line.setMaxLength(LONGEST_TEXT)
            return line
        box = QComboBox(parent)
        kinds = [*TYPES]
        if self._item(index).node.type not in kinds:
            kinds.append(self._item(index).node.type)
        for kind in kinds:
            box.addItem(type_name(kind), kind)
        box.activated.connect(lambda: self._finish(box))
        return box

    def _finish(self, box: QComboBox) -> None:
        self.commitData.emit(box)
        self.closeEditor.emit(box)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        item = self._item(index)
        if isinstance(editor, QComboBox):
            editor.setCurrentIndex(editor.findText(type_name(item.node.type)))
        elif isinstance(editor, QLineEdit) and not editor.isModified():
            editor.setText(item.edited_text(index.column()))

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        item = self._view.itemFromIndex(index)
        if not isinstance(item, _Item):
            return  # its line has gone meanwhile
        if isinstance(editor, QComboBox):
            self._view.choose_type(item, Type(editor.currentData()))
        elif isinstance(editor, QLineEdit):
            self._view.enter(item, index.column(), editor.text())
