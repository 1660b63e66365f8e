# SPDX-License-Identifier: Apache-2.0
"""Which value of a buffer stands in which row and column, and how it reads there."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.model.tensor_types import Array, format_float, format_value

FLAT_COLUMNS = 16
MAX_COLUMNS = 1 << 16
MAX_ROWS = 40_000_000  # QTableView breaks where rows times their height reach 2**31


class ValueLook(NamedTuple):
    """How values are written in cells; it changes nothing of what is edited.

    Attributes:
        decimals: Digits behind the point of floats, None for as many as it takes.
        has_both: Whether reals stand beside stored values.
        has_colours: Whether cells have the colour of their value.
    """

    decimals: int | None = None
    has_both: bool = False
    has_colours: bool = False


@dataclass(frozen=True, slots=True)
class ValueGrid:
    """Which element of a buffer stands in which row and column.

    Columns run along one axis, rows over one other or over all that are not fixed. Without
    another axis, or if there would be too many rows or columns, the values are wrapped.

    Attributes:
        contents: The buffer.
        is_real: Whether the reals are shown that quantised values stand for, if they do.
        fixed: For each axis the one index that is shown, or None for all.
        wrap: Columns of wrapped values.
        down: The axis of the rows, None for all that are not fixed.
        across: The axis of the columns, None for the last with more than one element.
        row_axes: Axes that rows run over, the last one fastest; empty if wrapped.
        column_axis: The axis of the columns; None if wrapped.
        rows: Number of rows.
        columns: Number of columns.
        column_stride: Elements between two columns.
        memory: Of the row that was asked for last.
    """

    contents: BufferContents
    is_real: bool = False
    fixed: tuple[int | None, ...] = ()
    wrap: int = FLAT_COLUMNS
    down: int | None = None
    across: int | None = None
    row_axes: tuple[int, ...] = field(init=False)
    column_axis: int | None = field(init=False)
    rows: int = field(init=False)
    columns: int = field(init=False)
    column_stride: int = field(init=False)
    memory: dict[str, int] = field(init=False, default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        shape = self.contents.shape
        is_real = self.is_real and self.contents.quantization is not None
        object.__setattr__(self, "is_real", is_real)
        fixed = self.fixed if len(self.fixed) == len(shape) else (None,) * len(shape)
        long = self.long_axes
        if len(long) < 2:
            self._wrap(fixed)
            return
        across = self.across if self.across in long else long[-1]
        down = self.down if self.down in long and self.down != across else None
        if down is not None:
            fixed = tuple(
                f or 0 if a not in (down, across) else None for a, f in enumerate(fixed)
            )
        free = tuple(axis for axis in long if axis != across and fixed[axis] is None)
        rows = math.prod(shape[axis] for axis in free)
        if shape[across] > MAX_COLUMNS or rows > MAX_ROWS:
            self._wrap(fixed)
        else:
            fixed = tuple(None if a == across else f for a, f in enumerate(fixed))
            self._put(fixed, free, across, rows, shape[across])

    @property
    def long_axes(self) -> list[int]:
        """Axes with more than one element."""
        return [axis for axis, size in enumerate(self.contents.shape) if size > 1]

    def _wrap(self, fixed: tuple[int | None, ...]) -> None:
        count, columns = self.contents.count, self.wrap
        if self.contents.texts is not None:
            columns = 1
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
        stride = (
            1 if column_axis is None else math.prod(self.contents.shape[column_axis + 1 :])
        )
        object.__setattr__(self, "column_stride", stride)

    @property
    def sliceable_axes(self) -> tuple[int, ...]:
        """Axes that can be fixed: those that columns and chosen rows do not run along."""
        if self.column_axis is None:
            return ()
        others = tuple(a for a in self.long_axes if a != self.column_axis)
        if self.down is not None and self.row_axes == (self.down,):
            return tuple(axis for axis in others if axis != self.down)
        is_sliced = any(self.fixed[axis] is not None for axis in others)
        return others if len(others) > 1 or is_sliced else ()

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
        flat = self._start_of(row) + column * self.column_stride
        return flat if flat < self.contents.count else None

    def _start_of(self, row: int) -> int:
        """`row_start` of one row, remembered: cells are asked for row by row."""
        if self.memory.get("row") != row:
            self.memory["row"] = row
            self.memory["start"] = int(self.row_start(row))
        return self.memory["start"]

    def flat_indices(self, rows: range, columns: range) -> NDArray[np.int64]:
        """Flat indices of a block of cells, row by row, those behind the last element too."""
        starts = self.row_start(np.arange(rows.start, rows.stop, dtype=np.int64))
        along = np.arange(columns.start, columns.stop, dtype=np.int64) * self.column_stride
        found: NDArray[np.int64] = starts[:, None] + along
        return found

    def showing(self, flat: int) -> ValueGrid:
        """The same grid, sliced so that it shows an element."""
        where = self.indices(flat)
        pairs = zip(self.fixed, where, strict=True)
        return replace(self, fixed=tuple(None if f is None else i for f, i in pairs))

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

    def number(self, flat: int) -> float:
        """An element as a float, for its colour."""
        read = self.contents.reals if self.is_real else self.contents.values
        value = read(flat, 1)[0]
        return float(abs(value) if self.contents.kind.kind == "complex" else value)

    def text(self, flat: int) -> str:
        """An element in its shortest form that reads back."""
        contents = self.contents
        if self.is_real:
            return _real_text(contents, flat)
        return _stored_text(contents, flat)

    def shown_text(self, flat: int, look: ValueLook) -> str:
        """An element as a cell shows it, which need not read back."""
        contents = self.contents
        raw = _stored_text(contents, flat, look.decimals)
        if contents.quantization is None or not (self.is_real or look.has_both):
            return raw
        real = _real_text(contents, flat, look.decimals)
        if not look.has_both:
            return real
        return f"{real}  ({raw})" if self.is_real else f"{raw}  ({real})"

    def describe(self, flat: int) -> str:
        """Where an element is and what it stands for, for a tooltip or a readout."""
        contents, names = self.contents, self.contents.axis_names
        where = ", ".join(f"{n} {i}" for n, i in zip(names, self.indices(flat), strict=True))
        text = f"{where or 'value'}: {_stored_text(contents, flat)}"
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
        along = np.arange(0, self.columns, max(column_step, 1)) * self.column_stride
        flat = starts[:, None] + along
        inside = np.minimum(flat, self.contents.count - 1)
        take = self.contents.reals_at if self.is_real else self.contents.values_at
        with np.errstate(invalid="ignore"):  # signalling NaN
            values: Array = take(inside).astype(np.float64)
        values[flat >= self.contents.count] = np.nan
        return values, row_step, column_step


def _stored_text(contents: BufferContents, flat: int, decimals: int | None = None) -> str:
    value = contents.values(flat, 1)[0]
    if contents.texts is not None:
        return str(value.decode("utf-8", "backslashreplace"))
    if decimals is not None and contents.kind.kind == "float":
        return _rounded(float(value), decimals)
    return format_value(value, contents.kind)


def _real_text(contents: BufferContents, flat: int, decimals: int | None = None) -> str:
    real = contents.reals(flat, 1)[0]
    if decimals is not None:
        return _rounded(float(real), decimals)
    with np.errstate(over="ignore"):  # what float32 cannot hold is infinite
        return format_float(np.float32(real))


def _rounded(value: float, decimals: int) -> str:
    # The largest floats have hundreds of digits before the point.
    return f"{value:.{decimals}f}" if abs(value) < 1e9 else f"{value:.{decimals}e}"
