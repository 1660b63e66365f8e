# SPDX-License-Identifier: Apache-2.0
"""An item model over a list of the document, its columns declared as rows of data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from tflm_studio.editing.document import Change, ChangeKind
from tflm_studio.editing.edits import Edit, Insert, Move, Remove
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.place_names import plural
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tool_tips import tool_tip

Index = QModelIndex | QPersistentModelIndex
Role = Qt.ItemDataRole

ADDRESS_ROLE = Role.UserRole + 1
GROUP_ROLE = Role.UserRole + 2
SORT_ROLE = Role.UserRole + 3
MANY_ROWS = 1000
GROUP_COLUMN = 1  # the column of names, before which the chip of the family stands

# Painting a cell asks for five more. Looking up a member of Qt's enumeration takes longer than
# what most cells answer.
_ANSWERED = frozenset(
    (
        *(Role.DisplayRole, Role.ToolTipRole, Role.EditRole, Role.TextAlignmentRole),
        *(ADDRESS_ROLE, GROUP_ROLE),
    )
)
_DISPLAY, _ALIGNMENT = int(Role.DisplayRole), int(Role.TextAlignmentRole)

_NUMBER = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_TEXT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        title: Header.
        text: What a row shows.
        tooltip: What a row says on hovering.
        edit_text: What an editor starts with, if not the text.
        edits: What a typed text does to a row; None if the column cannot be edited.
        is_number: Aligned right, sorted by value.
        sort_key: What rows are sorted by, if not the text.
        hint: What the header says on hovering.
        found_as: What filters compare, if not the text; names of the same thing on lines.
    """

    title: str
    text: Callable[[int], str]
    tooltip: Callable[[int], str] | None = None
    edit_text: Callable[[int], str] | None = None
    edits: Callable[[int, str], list[Edit] | Proposal] | None = None
    is_number: bool = False
    sort_key: Callable[[int], Any] | None = None
    hint: str = ""
    found_as: Callable[[int], str] | None = None


class RecordTable(QAbstractTableModel):
    """Rows of one list of the model; subclasses say which, and which columns it has.

    Edits to the list itself insert, remove and move rows, edits above it show it anew, and any
    others refresh the rows that `rows_touched` names. `refreshed` says that all rows of a long
    list show something else: announcing each of them takes a tenth of a second.
    """

    refreshed = Signal()
    asked_also: tuple[str, ...] = ("Size",)  # what filters can ask for besides the columns

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.columns = self.make_columns()
        self._count = len(self.records())
        self._ranks: dict[int, list[int]] = {}
        session.changed.connect(self._on_document_changed)

    # ------------------------------------------------------------------ for subclasses

    def records(self) -> list[Any]:
        """The list that is shown."""
        raise NotImplementedError

    def list_address(self) -> Address:
        """Where the list stands in the model."""
        raise NotImplementedError

    def make_columns(self) -> list[Column]:
        """The columns, left to right."""
        raise NotImplementedError

    def rows_touched(self, edits: Sequence[Edit]) -> Iterable[int]:
        """Rows that show something else after edits that are not to the list itself."""
        size = len(self.list_address())
        return {
            int(edit.address[size])
            for edit in edits
            if len(edit.address) > size and edit.address[:size] == self.list_address()
        }

    @property
    def kind(self) -> str:
        """The list whose things the rows stand for, such as "tensors"."""
        return str(self.list_address()[-1])

    def address_of(self, row: int) -> Address:
        """What is selected with a row."""
        return (*self.list_address(), row)

    def group(self, row: int) -> str:
        """Family of a row, for its colour chip; "" for none."""
        return ""

    def size_of(self, row: int) -> int:
        """Bytes of a row's data."""
        return 0

    def types_of(self, row: int) -> frozenset[str]:
        """Names of the element types of a row's data."""
        return frozenset()

    def index_of(self, row: int) -> int:
        """The index of a row, as error messages say it."""
        return row

    # ------------------------------------------------------------------ the Qt side

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 (Qt's signature)
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        if orientation is Qt.Orientation.Vertical or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role == Role.DisplayRole:
            return column.title
        if role == Role.ToolTipRole:
            return column.hint or None
        if role == Role.TextAlignmentRole:
            return _NUMBER if column.is_number else _TEXT
        return None

    def data(self, index: Index, role: int = Role.DisplayRole) -> Any:
        if role == SORT_ROLE:  # asked for at every comparison, so it comes first
            return self._ranks_of(index.column())[index.row()]
        if role not in _ANSWERED:
            return None
        row = index.row()
        if not index.isValid() or row >= min(self._count, len(self.records())):
            return None
        column = self.columns[index.column()]
        if role == _DISPLAY:
            return excerpt(column.text(row))
        if role == _ALIGNMENT:
            return _NUMBER if column.is_number else _TEXT
        if role == Role.ToolTipRole:
            return tool_tip(column.tooltip(row)) if column.tooltip else None
        if role == Role.EditRole:
            return (column.edit_text or column.text)(row)
        if role == ADDRESS_ROLE:
            return self.address_of(row)
        if role == GROUP_ROLE and index.column() == GROUP_COLUMN:
            return self.group(row)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if index.isValid() and self.columns[index.column()].edits is not None:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def setData(self, index: Index, value: Any, role: int = Role.EditRole) -> bool:
        column = self.columns[index.column()] if index.isValid() else None
        if column is None or column.edits is None or role != Role.EditRole:
            return False
        if str(value) == (column.edit_text or column.text)(index.row()):
            return False
        try:
            edits = column.edits(index.row(), str(value))
        except EditError as error:
            self.session.refused.emit(str(error))
            return False
        return self.session.do(edits)

    def put(self, cells: Sequence[tuple[int, int, str]]) -> bool:
        """Gives several cells a text, all of them or none, as one step.

        Args:
            cells: Row, column and text of each; what says the same already is left alone.

        Returns:
            Whether that could be done; if not, `Session.refused` has the reason.
        """
        return self.session.propose(lambda: self._proposal(cells))

    def _proposal(self, cells: Sequence[tuple[int, int, str]]) -> Proposal:
        changed = 0
        with Draft(self.session.document.model) as draft:
            for row, number, text in cells:
                column = self.columns[number]
                if text in (column.text(row), (column.edit_text or column.text)(row)):
                    continue
                if column.edits is None:
                    raise EditError(
                        f"'{excerpt(text, 40)}' cannot go into row {self.index_of(row)}: its "
                        f"{column.title} cannot be edited. Nothing was pasted."
                    )
                draft.do(column.edits(row, text))
                changed += 1
        return draft.proposal(f"paste {plural(changed, 'cell')}" if changed > 1 else "")

    def _ranks_of(self, column: int) -> list[int]:
        """The place of each row in the order of a column: keys are made once, not compared."""
        if column not in self._ranks:
            key = self.columns[column].sort_key or self.columns[column].text
            order = sorted(range(self._count), key=key)
            ranks = [0] * self._count
            for rank, row in enumerate(order):
                ranks[row] = rank
            self._ranks[column] = ranks
        return self._ranks[column]

    # ------------------------------------------------------------------ following the document

    def reload(self) -> None:
        """Shows another list, as after a change of subgraph."""
        self._ranks.clear()
        self.beginResetModel()
        self._count = len(self.records())
        self.endResetModel()

    def refresh(self, rows: Iterable[int]) -> None:
        """Announces that rows show something else."""
        self._ranks.clear()
        if isinstance(rows, range) and len(rows) > MANY_ROWS:
            self.refreshed.emit()
            return
        for first, last in runs(sorted(rows)):
            if first < self._count:
                last_row = min(last, self._count - 1)
                self.dataChanged.emit(
                    self.index(first, 0), self.index(last_row, len(self.columns) - 1)
                )

    def _on_document_changed(self, change: Change) -> None:
        if change.kind is ChangeKind.SAVED:
            return
        own = self.list_address()
        to_list = [edit for edit in change.edits if edit.address == own[: len(edit.address)]]
        others = [edit for edit in change.edits if edit.address != own[: len(edit.address)]]
        # Rows can only be told to come and go one at a time: between the edits of a step, the
        # list is already what it is after the last of them.
        if len(to_list) == 1 and to_list[0].address == own:
            self._follow_structure(to_list[0])
        elif to_list:
            self.reload()
        if self._count != len(self.records()):
            self.reload()
        elif others:
            self.refresh(self.rows_touched(others))

    def _follow_structure(self, edit: Edit) -> None:
        self._ranks.clear()
        nowhere = QModelIndex()
        if isinstance(edit, Insert):
            self.beginInsertRows(nowhere, edit.index, edit.index)
            self._count += 1
            self.endInsertRows()
        elif isinstance(edit, Remove):
            self.beginRemoveRows(nowhere, edit.index, edit.index)
            self._count -= 1
            self.endRemoveRows()
        elif isinstance(edit, Move) and self._count > MANY_ROWS:
            pass  # all rows are announced below; Qt takes as long again to move one
        elif isinstance(edit, Move):
            behind = edit.target + (edit.target > edit.index)
            self.beginMoveRows(nowhere, edit.index, edit.index, nowhere, behind)
            self.endMoveRows()
        else:
            self.reload()
            return
        # Every row behind the place has another number now.
        self.refresh(range(self._count))


def runs(numbers: list[int]) -> Iterable[tuple[int, int]]:
    """First and last of each run of neighbours among ascending numbers."""
    start = 0
    for k in range(1, len(numbers) + 1):
        if k == len(numbers) or numbers[k] != numbers[k - 1] + 1:
            yield numbers[start], numbers[k - 1]
            start = k
