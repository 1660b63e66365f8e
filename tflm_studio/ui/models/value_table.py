# SPDX-License-Identifier: Apache-2.0
"""The item model that shows and edits the values of a buffer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.editing.cell_values import typed_values, write_values, zero_values
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Edit, WriteBytes
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.tensor_types import Array
from tflm_studio.ui.models.value_grid import ValueGrid, ValueLook

__all__ = ["ValueGrid", "ValueLook", "ValueTable", "touched_bytes"]

MAX_CELLS_TOLD = 64  # changed cells that are told one by one
MAX_CHANGED_CELLS = 1 << 24
MAX_CELL_TEXT = 200  # characters of a text that a cell shows

# Made once: a view asks for the flags of each cell that it paints.
_READ_ONLY = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
_EDITABLE = _READ_ONLY | Qt.ItemFlag.ItemIsEditable

Index = QModelIndex
Role = Qt.ItemDataRole


class ValueTable(QAbstractTableModel):
    """Shows and edits the values of a buffer; any number of them costs no memory.

    Whoever shows it tells it of changes to the buffer with `update_bytes`.

    Attributes:
        refused: Emitted with the reason when a value cannot be stored.
        look: How values are written.
    """

    refused = Signal(str)
    _RIGHT: ClassVar = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
    _LEFT: ClassVar = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self.grid: ValueGrid | None = None
        self.look = ValueLook()

    def show_grid(self, grid: ValueGrid | None) -> None:
        """Shows other values."""
        self.beginResetModel()
        self.grid = grid
        self.endResetModel()

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Takes over the same grid of contents of which some bytes have changed.

        Args:
            grid: As the one before, with the new bytes.
            first: First byte of the buffer that may have changed.
            last: Last byte that may have changed.
        """
        self.grid = grid
        contents = grid.contents
        if contents.texts is not None or contents.read_only:
            self._tell_all(grid)
            return
        bits, skipped = max(contents.kind.bits, 1), contents.first_byte
        elements = range(
            max(first - skipped, 0) * 8 // bits,
            min((max(last - skipped, -1) * 8 + 7) // bits + 1, contents.count),
        )
        if len(elements) > MAX_CELLS_TOLD:
            self._tell_all(grid)
            return
        for flat in elements:
            place = grid.position(flat)
            if place is not None:
                cell = self.index(*place)
                self.dataChanged.emit(cell, cell)

    def _tell_all(self, grid: ValueGrid) -> None:
        last = self.index(grid.rows - 1, grid.columns - 1)
        self.dataChanged.emit(self.index(0, 0), last)

    def text(self, row: int, column: int) -> str:
        """What a cell shows; empty behind the last element."""
        flat = self.grid.flat_index(row, column) if self.grid is not None else None
        if self.grid is None or flat is None:
            return ""
        return self.grid.shown_text(flat, self.look)

    def number(self, row: int, column: int) -> float | None:
        """What a cell holds as a float; None behind the last element."""
        flat = self.grid.flat_index(row, column) if self.grid is not None else None
        return None if self.grid is None or flat is None else self.grid.number(flat)

    @property
    def alignment(self) -> Qt.AlignmentFlag:
        """Where values stand in their cells: numbers on the right, texts on the left."""
        has_texts = self.grid is not None and self.grid.contents.texts is not None
        return self._LEFT if has_texts else self._RIGHT

    def rowCount(self, parent: Index | Any = QModelIndex()) -> int:  # noqa: B008
        return 0 if self.grid is None or parent.isValid() else self.grid.rows

    def columnCount(self, parent: Index | Any = QModelIndex()) -> int:  # noqa: B008
        return 0 if self.grid is None or parent.isValid() else self.grid.columns

    def flags(self, index: Index | Any) -> Qt.ItemFlag:
        flat = self._flat(index)
        if self.grid is None or flat is None:
            return Qt.ItemFlag.NoItemFlags
        return _EDITABLE if self.grid.contents.is_editable else _READ_ONLY

    def data(self, index: Index | Any, role: int = Role.DisplayRole) -> Any:
        flat = self._flat(index)
        if self.grid is None or flat is None:
            return None
        if role == Role.DisplayRole:
            return excerpt(self.grid.shown_text(flat, self.look), MAX_CELL_TEXT)
        if role == Role.EditRole:
            return self.grid.text(flat)
        if role == Role.TextAlignmentRole:
            return self.alignment
        if role == Role.ToolTipRole:
            return self._tip(self.grid, flat)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Role.DisplayRole
    ) -> Any:
        grid = self.grid
        if grid is None or role not in (Role.DisplayRole, Role.ToolTipRole):
            return None
        if orientation == Qt.Orientation.Vertical:
            label, title = grid.row_label(section), grid.row_title
        else:
            title = grid.column_title
            label = str(section) if grid.column_axis is not None else f"+{section}"
            if grid.contents.texts is not None and grid.column_axis is None:
                label = "text"
        return label if role == Role.DisplayRole else f"{title} {label}".strip()

    def setData(self, index: Index | Any, value: Any, role: int = Role.EditRole) -> bool:
        flat = self._flat(index)
        if self.grid is None or flat is None or role != Role.EditRole:
            return False
        return self.set_texts(np.array([flat], np.int64), [str(value)])

    def set_texts(self, indices: NDArray[np.int64], texts: Sequence[str]) -> bool:
        """Stores what was typed or pasted for elements, as one step.

        Returns:
            Whether it was accepted.
        """

        def values(grid: ValueGrid) -> Array:
            return typed_values(grid.contents, indices, texts, real=grid.is_real)

        if len(indices) == 1 and self.grid is not None:
            flat, text = int(indices[0]), texts[0].strip()
            where = f"[{', '.join(map(str, self.grid.indices(flat)))}]"
            return self._do(indices, values, f"{where} {self.grid.text(flat)} → {text}")
        return self._do(indices, values, f"paste {len(indices):,} values")

    def fill(self, indices: NDArray[np.int64], text: str) -> bool:
        """Stores one value for many elements, as one step."""

        def values(grid: ValueGrid) -> Array:
            contents, q = grid.contents, grid.contents.quantization
            if grid.is_real and q is not None and q.inner:
                return typed_values(contents, indices, [text] * len(indices), real=True)
            one = typed_values(contents, indices[:1], [text], real=grid.is_real)
            return np.repeat(one, len(indices))

        return self._do(indices, values, f"fill {len(indices):,} values with {text.strip()}")

    def clear_values(self, indices: NDArray[np.int64]) -> bool:
        """Stores what stands for zero, as one step."""
        label = f"set {len(indices):,} values to zero"
        return self._do(indices, lambda grid: zero_values(grid.contents, indices), label)

    def _do(
        self, indices: NDArray[np.int64], values: Callable[[ValueGrid], Array], label: str
    ) -> bool:
        grid = self.grid
        if grid is None or not len(indices):
            return False
        owner = grid.contents.place.split(",")[0]
        try:
            if len(indices) > MAX_CHANGED_CELLS:
                raise EditError(
                    f"{len(indices):,} values are selected; at most {MAX_CHANGED_CELLS:,} can "
                    "be changed at once."
                )
            label = excerpt(f"{owner} {label}", MAX_CELL_TEXT)
            new = values(grid)
            self._document.do(
                write_values(self._document.model, grid.contents, indices, new, label)
            )
        except EditError as error:
            self.refused.emit(str(error))
            return False
        return True

    def _flat(self, index: Index | Any) -> int | None:
        if self.grid is None or not index.isValid():
            return None
        return self.grid.flat_index(index.row(), index.column())

    def _tip(self, grid: ValueGrid, flat: int) -> str:
        contents = grid.contents
        text = f"{excerpt(grid.describe(flat))}\nelement {flat}"
        if contents.texts is not None or contents.read_only:
            return text
        byte = contents.first_byte + flat * contents.kind.bits // 8
        text += f", byte {byte} of the buffer"
        start = contents.file_offset
        return text if start is None else f"{text}, {start + byte:#x} in the file"


def touched_bytes(edits: Iterable[Edit], contents: BufferContents) -> range:
    """The bytes of a buffer from the first to the last that edits may have changed."""
    place = ("buffers", contents.buffer_index)
    spans = [
        (edit.offset, edit.offset + len(edit.data))
        if isinstance(edit, WriteBytes)
        else (0, len(contents.all_bytes))
        for edit in edits
        if edit.address[:2] == place or edit.address == ("buffers",)
    ]
    return range(min(a for a, _ in spans), max(b for _, b in spans)) if spans else range(0)
