# SPDX-License-Identifier: Apache-2.0
"""The values of a buffer in rows and columns, and the item model that shows and edits them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Edit, WriteBytes
from tflm_studio.editing.operations import set_buffer_real, set_buffer_value
from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import Array, format_float, format_value, parse_value

FLAT_COLUMNS = 16
MAX_COLUMNS = 1 << 16
MAX_ROWS = 40_000_000  # QTableView breaks where rows times their height reach 2**31
MAX_CELLS_TOLD = 64  # changed cells that are told one by one

Index = QModelIndex
Role = Qt.ItemDataRole


@dataclass(frozen=True, slots=True)
class ValueGrid:
    """Which element of a buffer stands in which row and column.

    Columns run along the last axis with more than one element, rows over all others that are
    not fixed. Without another axis, or if there would be too many rows or columns, the values
    are wrapped.

    Attributes:
        contents: The buffer.
        is_real: Whether the reals are shown that quantised values stand for, if they do.
        fixed: For each axis the one index that is shown, or None for all.
        wrap: Columns of wrapped values.
        row_axes: Axes that rows run over, the last one fastest; empty if wrapped.
        column_axis: The axis of the columns; None if wrapped.
        rows: Number of rows.
        columns: Number of columns.
    """

    contents: BufferContents
    is_real: bool = False
    fixed: tuple[int | None, ...] = ()
    wrap: int = FLAT_COLUMNS
    row_axes: tuple[int, ...] = field(init=False)
    column_axis: int | None = field(init=False)
    rows: int = field(init=False)
    columns: int = field(init=False)

    def __post_init__(self) -> None:
        shape = self.contents.shape
        is_real = self.is_real and self.contents.quantization is not None
        object.__setattr__(self, "is_real", is_real)
        fixed = self.fixed if len(self.fixed) == len(shape) else (None,) * len(shape)
        long = [axis for axis, size in enumerate(shape) if size > 1]
        free = tuple(axis for axis in long[:-1] if fixed[axis] is None)
        rows = math.prod(shape[axis] for axis in free)
        if len(long) < 2 or shape[long[-1]] > MAX_COLUMNS or rows > MAX_ROWS:
            self._wrap(fixed)
        else:
            self._put(fixed, free, long[-1], rows, shape[long[-1]])

    def _wrap(self, fixed: tuple[int | None, ...]) -> None:
        count, columns = self.contents.count, self.wrap
        while -(-count // columns) > MAX_ROWS:
            columns *= 2
        rows = -(-count // columns)
        self._put((None,) * len(fixed), (), None, rows, min(columns, count))

    def _put(
        self,
        fixed: tuple[int | None, ...],
        row_axes: tuple[int, ...],
        column_axis: int | None,
        rows: int,
        columns: int,
    ) -> None:
        object.__setattr__(self, "fixed", fixed)
        object.__setattr__(self, "row_axes", row_axes)
        object.__setattr__(self, "column_axis", column_axis)
        object.__setattr__(self, "rows", rows)
        object.__setattr__(self, "columns", columns)

    @property
    def sliceable_axes(self) -> tuple[int, ...]:
        """Axes that can be fixed: those of the rows, if there is more than one."""
        if self.column_axis is None:
            return ()
        axes = [a for a in range(self.column_axis) if self.contents.shape[a] > 1]
        return tuple(axes) if len(axes) > 1 else ()

    @property
    def row_title(self) -> str:
        """What rows run over."""
        names = self.contents.axis_names
        return " · ".join(names[axis] for axis in self.row_axes) or "row"

    @property
    def column_title(self) -> str:
        """What columns run over."""
        return "" if self.column_axis is None else self.contents.axis_names[self.column_axis]

    def row_start(self, row: Any) -> Any:
        """Flat index of the first element of a row (a number or an array of rows)."""
        if self.column_axis is None:
            return row * self.columns
        shape = self.contents.shape
        start = row * 0
        for axis, fixed in enumerate(self.fixed):
            start = start + (fixed or 0) * math.prod(shape[axis + 1 :])
        for axis in reversed(self.row_axes):
            row, index = divmod(row, shape[axis])
            start = start + index * math.prod(shape[axis + 1 :])
        return start

    def flat_index(self, row: int, column: int) -> int | None:
        """Flat index of a cell; None behind the last element."""
        flat = int(self.row_start(row)) + column
        return flat if flat < self.contents.count else None

    def position(self, flat: int) -> tuple[int, int] | None:
        """Row and column of an element; None if it is not shown."""
        if self.column_axis is None:
            return divmod(flat, self.columns)
        indices = self.indices(flat)
        if any(f is not None and f != i for f, i in zip(self.fixed, indices, strict=True)):
            return None
        row = 0
        for axis in self.row_axes:
            row = row * self.contents.shape[axis] + indices[axis]
        return row, indices[self.column_axis]

    def indices(self, flat: int) -> tuple[int, ...]:
        """Index of an element along each axis."""
        found = []
        for size in reversed(self.contents.shape):
            flat, index = divmod(flat, size)
            found.append(index)
        return tuple(reversed(found))

    def row_label(self, row: int) -> str:
        """Indices that the elements of a row share, or the first of a wrapped row."""
        start = int(self.row_start(row))
        if self.column_axis is None:
            return str(start)
        indices = self.indices(start)
        return ", ".join(str(indices[axis]) for axis in self.row_axes) or "0"

    def text(self, flat: int) -> str:
        """An element in its shortest form."""
        contents = self.contents
        if self.is_real:
            return _real_text(contents, flat)
        return format_value(contents.values(flat, 1)[0], contents.kind)

    def describe(self, flat: int) -> str:
        """Where an element is and what it stands for, for a tooltip or a readout."""
        contents, names = self.contents, self.contents.axis_names
        where = ", ".join(f"{n} {i}" for n, i in zip(names, self.indices(flat), strict=True))
        text = (
            f"{where or 'value'}: {format_value(contents.values(flat, 1)[0], contents.kind)}"
        )
        if contents.quantization is not None:
            text += f" = {_real_text(contents, flat)}"
        return text

    def matrix(self, most: int) -> tuple[NDArray[np.float64], int, int]:
        """Values as an image of at most `most` rows and columns.

        Returns:
            float64 (rows, columns) with NaN behind the last element, and how many rows and
            how many columns of the grid each of its own stands for. O(most squared).
        """
        row_step, column_step = -(-self.rows // most), -(-self.columns // most)
        starts = self.row_start(np.arange(0, self.rows, max(row_step, 1), dtype=np.int64))
        flat = starts[:, None] + np.arange(0, self.columns, max(column_step, 1))
        inside = np.minimum(flat, self.contents.count - 1)
        take = self.contents.reals_at if self.is_real else self.contents.values_at
        with np.errstate(invalid="ignore"):  # signalling NaN
            values: Array = take(inside).astype(np.float64)
        values[flat >= self.contents.count] = np.nan
        return values, row_step, column_step


def _real_text(contents: BufferContents, flat: int) -> str:
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite
        return format_float(np.float32(contents.reals(flat, 1)[0]))


class ValueTable(QAbstractTableModel):
    """Shows and edits the values of a buffer; any number of them costs no memory.

    Whoever shows it tells it of changes to the buffer with `update_bytes`.

    Attributes:
        refused: Emitted with the reason when a value cannot be stored.
    """

    refused = Signal(str)
    _ALIGNED: ClassVar = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.grid: ValueGrid | None = None

    def show_grid(self, grid: ValueGrid | None) -> None:
        """Shows other values."""
        self.beginResetModel()
        self.grid = grid
        self.endResetModel()

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Takes over the same grid of contents of which some bytes have changed.

        Args:
            grid: As the one before, with the new bytes.
            first: First byte that may have changed.
            last: Last byte that may have changed.
        """
        self.grid = grid
        bits = max(grid.contents.kind.bits, 1)
        elements = range(
            first * 8 // bits, min((last * 8 + 7) // bits + 1, grid.contents.count)
        )
        if len(elements) > MAX_CELLS_TOLD:
            self.dataChanged.emit(
                self.index(0, 0), self.index(grid.rows - 1, grid.columns - 1)
            )
            return
        for flat in elements:
            place = grid.position(flat)
            if place is not None:
                cell = self.index(*place)
                self.dataChanged.emit(cell, cell)

    def text(self, row: int, column: int) -> str:
        """What a cell shows; empty behind the last element."""
        flat = self.grid.flat_index(row, column) if self.grid is not None else None
        return "" if self.grid is None or flat is None else self.grid.text(flat)

    def rowCount(self, parent: Index | Any = QModelIndex()) -> int:  # noqa: B008
        return 0 if self.grid is None or parent.isValid() else self.grid.rows

    def columnCount(self, parent: Index | Any = QModelIndex()) -> int:  # noqa: B008
        return 0 if self.grid is None or parent.isValid() else self.grid.columns

    def flags(self, index: Index | Any) -> Qt.ItemFlag:
        flat = self._flat(index)
        if self.grid is None or flat is None:
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        contents = self.grid.contents
        if contents.kind.kind != "opaque":
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Index | Any, role: int = Role.DisplayRole) -> Any:
        flat = self._flat(index)
        if self.grid is None or flat is None:
            return None
        if role in (Role.DisplayRole, Role.EditRole):
            return self.grid.text(flat)
        if role == Role.TextAlignmentRole:
            return self._ALIGNED
        if role == Role.ToolTipRole:
            return self._tip(self.grid, flat)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        if self.grid is None or role != Role.DisplayRole:
            return None
        if orientation == Qt.Orientation.Vertical:
            return self.grid.row_label(section)
        return str(section) if self.grid.column_axis is not None else f"+{section}"

    def setData(self, index: Index | Any, value: Any, role: int = Role.EditRole) -> bool:
        flat = self._flat(index)
        if self.grid is None or flat is None or role != Role.EditRole:
            return False
        try:
            edits = self._edits(self.grid, flat, str(value))
            self._document.do(edits, self._label(self.grid, flat, str(value).strip()))
        except EditError as error:
            self.refused.emit(str(error))
            return False
        return True

    def _flat(self, index: Index | Any) -> int | None:
        if self.grid is None or not index.isValid():
            return None
        return self.grid.flat_index(index.row(), index.column())

    def _edits(self, grid: ValueGrid, flat: int, text: str) -> list[Edit]:
        contents, model = grid.contents, self._document.model
        kind, q = contents.kind, contents.quantization
        if not grid.is_real or q is None:
            value = parse_value(text, kind)
            return set_buffer_value(model, contents.buffer_index, kind, flat, value)
        try:
            real = float(text.strip().replace("\N{MINUS SIGN}", "-"))
        except ValueError:
            raise EditError(f"'{text}' is not a number.") from None
        return set_buffer_real(model, contents.buffer_index, kind, q, flat, real)

    def _label(self, grid: ValueGrid, flat: int, text: str) -> str:
        where = ", ".join(map(str, grid.indices(flat)))
        owner = grid.contents.place.split(",")[0]
        return f"{owner} [{where}] {grid.text(flat)} → {text}"

    def _tip(self, grid: ValueGrid, flat: int) -> str:
        byte = flat * grid.contents.kind.bits // 8
        text = f"{grid.describe(flat)}\nelement {flat}, byte {byte} of the buffer"
        start = grid.contents.file_offset
        return text if start is None else f"{text}, {start + byte:#x} in the file"


def touched_bytes(edits: Iterable[Edit], contents: BufferContents) -> range:
    """The bytes of a buffer from the first to the last that edits may have changed."""
    place = ("buffers", contents.buffer_index)
    spans = [
        (edit.offset, edit.offset + len(edit.data))
        if isinstance(edit, WriteBytes)
        else (0, contents.nbytes)
        for edit in edits
        if edit.address[:2] == place or edit.address == ("buffers",)
    ]
    return range(min(a for a, _ in spans), max(b for _, b in spans)) if spans else range(0)
