# SPDX-License-Identifier: Apache-2.0
"""Lays a model out as a flatbuffer: tables first, weights streamed behind them.

Flatbuffers are usually built back to front because offsets point forward. Knowing all sizes
beforehand, we place parents before children, fill every table type with a few array
operations, and keep weights as the views they are: saving 500 MB copies none of it. The same
model gives the same bytes on every machine.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import MAX_BUFFER_BYTES, Positions
from tflm_studio.formats.flatbuffer_columns import Columns, Values, flat_numbers, take_apart
from tflm_studio.formats.flatbuffer_scan import IDENTIFIER
from tflm_studio.formats.layout import (
    BLOB_ALIGN,
    PREFIX,
    Kept,
    Layout,
    Stretches,
    memory_of,
    up,
)
from tflm_studio.formats.scalars import DTYPES
from tflm_studio.formats.scan_columns import item_places
from tflm_studio.formats.table_types import KNOWN_SLOTS
from tflm_studio.formats.unknown_content import WIDEST
from tflm_studio.model.errors import WriteError
from tflm_studio.model.outside import OUTSIDE, PLACEHOLDER
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import Model

FIRST = 8  # behind the root offset and the identifier
_U1, _U4, _I4, _U8 = (np.dtype(name) for name in ("u1", "<u4", "<i4", "<u8"))


@dataclass(slots=True)
class _Placed:
    """Where the tables of one type stand.

    `inline[k, slot]` is the offset of the slot from the start of row `k`, 0 if absent.
    """

    columns: Columns
    at: Positions
    vtable: Positions
    inline: Positions

    def fields(self, rows: Positions | list[int], slot: int) -> Positions:
        """Where a field of some rows stands."""
        found: Positions = self.at[rows] + self.inline[rows, slot]
        return found


def lay_out(
    model: Model, kept: Sequence[Kept] = (), carried: memoryview | None = None
) -> Layout:
    """The flatbuffer of a model, around the bytes that must stay where they are.

    Args:
        model: What to write.
        kept: Stretches that stay, by their place; they do not overlap.
        carried: The old flatbuffer from its first byte, if unknown fields lead into it.

    Raises:
        WriteError: The model holds something that cannot be written, or is over 2 GB.
    """
    return _Writer(model, carried).layout(Stretches(kept))


class _Writer:
    """The head: tables, their vtables, texts and vectors of numbers.

    Positions count from where the head would begin in a file without kept bytes.
    """

    def __init__(self, model: Model, carried: memoryview | None) -> None:
        self.carried = carried
        self.cursor = FIRST
        self.pieces: list[tuple[int, bytes]] = []
        self.vectors: list[tuple[Positions, Positions, NDArray[Any]]] = []
        self.vtables: dict[bytes, int] = {}
        self.blobs: list[tuple[Positions, list[memoryview]]] = []
        self.references: list[tuple[Positions, Positions]] = []
        parts = take_apart(model, carries=carried is not None)
        self.placed: dict[type[Table], _Placed] = {}
        vectors: dict[type[Table], dict[int, Positions]] = {}
        # Parents first: a table, then its vectors of tables, then the tables in them.
        for table, columns in parts.items():
            self.placed[table] = self._place(table, columns)
            vectors[table] = self._place_vectors(columns)
        for table, placed in self.placed.items():
            for found in placed.columns.values:
                self._place_values(table, placed, found)
        self._align(BLOB_ALIGN)
        self.head = bytearray(self.cursor)
        self._fill_vectors()
        for table, placed in self.placed.items():
            self._fill_tables(placed)
            self._fill_links(placed, vectors[table])

    # ------------------------------------------------------------------ placing

    def _take(self, nbytes: Positions) -> Positions:
        ends = np.cumsum(nbytes)
        at: Positions = self.cursor + ends - nbytes
        self.cursor += int(ends[-1]) if len(ends) else 0
        return at

    def _align(self, unit: int, ahead: int = 0) -> None:
        """Moves the cursor so that `ahead` bytes further it is a multiple of `unit`."""
        self.cursor += -(self.cursor + ahead) % unit

    def _place(self, table: type[Table], columns: Columns) -> _Placed:
        sizes = _slot_sizes(table, columns.present.shape[1])
        patterns, which = _patterns(columns.present)
        plans = [_plan(pattern, sizes) for pattern in patterns]
        vtables = np.array([self._vtable(*plan) for plan in plans], np.int64)
        # 8-byte fields come right behind the 4 bytes of the vtable offset.
        unit = 8 if any(sizes[k] == 8 for pattern in patterns for k in pattern) else 4
        self._align(unit, ahead=4)
        nbytes = np.array([up(size, unit) for _, size in plans], np.int64)
        inline = np.array([offsets for offsets, _ in plans], np.int64)
        inline = inline.reshape(len(plans), len(sizes))
        return _Placed(columns, self._take(nbytes[which]), vtables[which], inline[which])

    def _vtable(self, offsets: list[int], size: int) -> int:
        used = max((k + 1 for k, offset in enumerate(offsets) if offset), default=0)
        raw = struct.pack(f"<{used + 2}H", 4 + 2 * used, size, *offsets[:used])
        if raw not in self.vtables:
            self._align(2)
            self.vtables[raw] = self.cursor
            self.pieces.append((self.cursor, raw))
            self.cursor += len(raw)
        return self.vtables[raw]

    def _place_vectors(self, columns: Columns) -> dict[int, Positions]:
        """Places the vectors of tables of one type; slot -> positions."""
        self._align(4)
        return {
            link.slot: self._take(PREFIX + 4 * link.counts)
            for link in columns.links
            if link.counts is not None
        }

    def _place_values(self, table: type[Table], placed: _Placed, found: Values) -> None:
        at = placed.fields(found.rows, found.row.slot)
        if found.row.kind is Kind.BYTES:
            self.blobs.append((at, [_view(table, found.row, v) for v in found.values]))
            return
        if found.row.kind is Kind.STRING:
            unit, end = 4, 1  # a zero ends every text
            flat, lengths = _flat_text(table, found.row, found.values)
        else:
            unit, end = max(4, DTYPES[found.row.scalar].itemsize, found.row.align), 0
            flat, lengths = flat_numbers(table, found.row, found.values)
        self._align(unit, ahead=PREFIX)
        nbytes = PREFIX + lengths * flat.dtype.itemsize + end
        target = self._take(nbytes + -nbytes % unit)
        self.vectors.append((target, lengths, flat))
        self.references.append((at, target))

    # ------------------------------------------------------------------ filling

    def _words(self, dtype: np.dtype[Any] = _U4) -> NDArray[Any]:
        return np.frombuffer(self.head, dtype, len(self.head) // dtype.itemsize)

    def _fill_vectors(self) -> None:
        """Texts and vectors of numbers, all of a field at once, with their lengths."""
        for target, lengths, flat in self.vectors:
            self._words()[target >> 2] = lengths
            size = flat.dtype.itemsize
            places = item_places(target + PREFIX, lengths, size)
            self._words(flat.dtype)[places >> (size.bit_length() - 1)] = flat

    def _fill_tables(self, placed: _Placed) -> None:
        self._words(_I4)[placed.at >> 2] = placed.at - placed.vtable
        stored = np.bitwise_or.reduce(placed.columns.present, axis=0).tolist()
        for slot, column in placed.columns.scalars.items():
            if stored[slot]:
                rows = np.flatnonzero(placed.columns.present[:, slot])
                shift = column.dtype.itemsize.bit_length() - 1
                at = placed.fields(rows, slot)
                self._words(column.dtype)[at >> shift] = column[rows]

    def _fill_links(self, placed: _Placed, vectors: dict[int, Positions]) -> None:
        for link in placed.columns.links:
            at = placed.fields(link.rows, link.slot)
            children = self.placed[link.child].at if link.child in self.placed else at[:0]
            if link.counts is None:
                self.references.append((at, children[link.start : link.start + len(at)]))
                continue
            begins = vectors[link.slot]
            self.references.append((at, begins))
            self._words()[begins >> 2] = link.counts
            places = item_places(begins + PREFIX, link.counts, 4)
            self.references.append((places, children[link.start : link.start + len(places)]))

    # ------------------------------------------------------------------ the file

    def layout(self, stretches: Stretches) -> Layout:
        """Head, kept bytes and blobs in the order of the file."""
        for start, raw in self.pieces:
            self.head[start : start + len(raw)] = raw
        for at, target in self.references:
            self._refer(at, target)
        shift = stretches.room_for(FIRST, len(self.head) - FIRST)
        root = int(self.placed[Model].at[0]) + shift
        stretches.put(0, struct.pack("<I4s", root, IDENTIFIER))
        stretches.put(shift + FIRST, memoryview(self.head)[FIRST:])
        stretches.end = shift + len(self.head)
        base = self._place_carried(stretches, shift)
        for at, blobs in self.blobs:
            at, blobs = self._without_carried(at, blobs, base, shift)
            self._refer(at, stretches.stack(blobs, ahead=PREFIX) - shift)
        if stretches.end > MAX_BUFFER_BYTES:
            raise WriteError(
                f"The model takes {stretches.end:,} bytes; a flatbuffer cannot be larger than "
                "2 GB. Keep its weights outside the flatbuffer."
            )
        self._place_outside(stretches)
        layout = stretches.joined()
        self._refuse_strays(layout.size)
        return layout

    def _refer(self, at: Positions, target: Positions) -> None:
        self._words()[at >> 2] = target - at

    def _place_carried(self, stretches: Stretches, shift: int) -> int:
        """Places the old flatbuffer behind the tables; returns where it begins."""
        if self.carried is None:
            return 0
        base = int(stretches.stack([self.carried])[0])
        for placed in self.placed.values():
            for each in placed.columns.carried:
                at = placed.fields(each.rows, each.slot)
                self._refer(at, np.array(each.targets) + (base - shift))
                if each.slot in placed.columns.scalars:
                    self._words()[(at >> 2) + 1] = 0
        return base

    def _without_carried(
        self, at: Positions, blobs: list[memoryview], base: int, shift: int
    ) -> tuple[Positions, list[memoryview]]:
        """Refers to what stands in the old flatbuffer already; returns the others."""
        if self.carried is None:
            return at, blobs
        others = []
        for k, blob in enumerate(blobs):
            place = _place_in(self.carried, blob)
            if place is None or (base + place + PREFIX) % BLOB_ALIGN:
                others.append(k)
            else:
                self._refer(at[k : k + 1], np.array([base + place - shift]))
        return at[others], [blobs[k] for k in others]

    def _place_outside(self, stretches: Stretches) -> None:
        """Places what stands outside the flatbuffer, and states where.

        What is the same piece of memory is written once: converters share equal weights.
        """
        for table, fields in OUTSIDE.items():
            placed = self.placed.get(table)
            found = placed.columns.outside if placed is not None else None
            if placed is None or found is None:
                continue
            blobs = [_view(table, found.row, value) for value in found.values]
            pieces = dict(zip(map(memory_of, blobs), blobs, strict=True))
            starts = stretches.stack(list(pieces.values())).tolist()
            place_of = dict(zip(pieces, starts, strict=True))
            at = placed.fields(found.rows, fields.offset.slot)
            self._words(_U8)[at >> 3] = [place_of[memory_of(blob)] for blob in blobs]

    def _refuse_strays(self, size: int) -> None:
        """Refuses places that led outside the old file, and would lead into the new one."""
        for table, fields in OUTSIDE.items():
            columns = self.placed[table].columns if table in self.placed else None
            if columns is None or not columns.present[:, fields.offset.slot].any():
                continue
            offset = columns.scalars[fields.offset.slot]
            has_bytes = columns.present[:, fields.data.slot].copy()
            if columns.outside is not None:
                has_bytes[columns.outside.rows] = True
            room = np.where(offset < size, size - offset, 0)
            is_inside = (offset > PLACEHOLDER) & (columns.scalars[fields.size.slot] <= room)
            strays = np.flatnonzero(~has_bytes & is_inside & (room > 0))
            if len(strays):
                raise WriteError(
                    f"{table.__name__} {int(strays[0])} states bytes at {offset[strays[0]]:,} "
                    "of the file that are not there; in the changed file others would stand "
                    f"there. Give it its bytes, or set {fields.offset.name} and "
                    f"{fields.size.name} to 0."
                )


def _place_in(carried: memoryview, blob: memoryview) -> int | None:
    """Where a vector of bytes begins in the old flatbuffer, None if it is none of it."""
    place = memory_of(blob)[0] - memory_of(carried)[0] - PREFIX
    if not len(blob) or place < 0 or place + PREFIX + len(blob) > len(carried):
        return None
    stated = int.from_bytes(carried[place : place + PREFIX], "little")
    return place if stated == len(blob) else None


def _slot_sizes(table: type[Table], width: int) -> list[int]:
    """Bytes that each slot takes in a table."""
    # What the schema does not know is wider than what it refers to with offsets.
    sizes = [4 if slot < KNOWN_SLOTS[table] else WIDEST for slot in range(width)]
    for row in table.FIELDS:
        if row.kind is Kind.SCALAR:
            sizes[row.slot] = DTYPES[row.scalar].itemsize
        elif row.kind is Kind.UNION:
            sizes[row.slot - 1] = 1
    return sizes


def _patterns(present: NDArray[np.bool_]) -> tuple[list[list[int]], Positions]:
    """The different sets of slots that rows store, and which of them each row has."""
    if len(present) == 1 or (present == present[0]).all():
        return [np.flatnonzero(present[0]).tolist()], np.zeros(len(present), np.int64)
    packed = np.packbits(present, axis=1)
    keys: NDArray[Any] = np.zeros((len(packed), up(packed.shape[1], 8) or 8), np.uint8)
    keys[:, : packed.shape[1]] = packed
    keys = keys.view(">u8")  # in the order of the rows themselves
    axis = None if keys.shape[1] == 1 else 0  # more than 64 slots: of a newer schema
    _, first, which = np.unique(keys, return_index=True, return_inverse=True, axis=axis)
    return [np.flatnonzero(present[k]).tolist() for k in first.tolist()], which.reshape(-1)


def _plan(stored: list[int], sizes: list[int]) -> tuple[list[int], int]:
    """Offset of every slot in a table that stores some, and the table's size."""
    offsets = [0] * len(sizes)
    end = 4
    for slot in sorted(stored, key=lambda k: (-sizes[k], k)):
        offsets[slot] = end
        end += sizes[slot]
    return offsets, end


def _flat_text(
    table: type[Table], row: Field, values: list[str]
) -> tuple[NDArray[np.uint8], Positions]:
    """The bytes of many texts one behind the other, and how many each has."""
    try:
        raw = [value.encode("utf-8", "surrogateescape") for value in values]
    except (AttributeError, UnicodeEncodeError) as error:
        raise WriteError(f"{table.__name__}.{row.name} is not text: {error}") from error
    lengths = np.fromiter(map(len, raw), np.int64, len(raw))
    return np.frombuffer(b"".join(raw), np.uint8), lengths


def _view(table: type[Table], row: Field, value: Any) -> memoryview:
    try:
        view = memoryview(value)
        return view if view.format == "B" and view.ndim == 1 else view.cast("B")
    except TypeError as error:
        raise WriteError(
            f"{table.__name__}.{row.name} must be bytes or a contiguous array: {error}"
        ) from error
