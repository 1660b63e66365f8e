# SPDX-License-Identifier: Apache-2.0
"""Lays a model out as a flatbuffer: tables first, weights streamed behind them.

Flatbuffers are usually built back to front because offsets point forward. Knowing all sizes
beforehand, we place parents before children, fill every table type with a few array
operations, and keep weights as the views they are: saving 500 MB copies none of it. The same
model gives the same bytes on every machine.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.flatbuffer_columns import Columns, Values, numbers, take_apart
from tflm_studio.formats.flatbuffer_scan import IDENTIFIER, MAX_BUFFER_BYTES
from tflm_studio.formats.scalars import DTYPES
from tflm_studio.model.errors import WriteError
from tflm_studio.model.outside import OUTSIDE, PLACEHOLDER
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import Model

Positions = NDArray[np.int64]
BytesLike = bytes | bytearray | memoryview

FIRST = 8  # behind the root offset and the identifier
# Every vector of bytes starts 16-aligned: `Buffer.data` must (force_align in the schema), and
# flexbuffers in custom options are read in place by kernels that cannot read unaligned words.
BLOB_ALIGN = 16
_ZEROS = memoryview(bytes(2**16))


@dataclass(slots=True)
class Layout:
    """A file ready to be written: `segments` in order make up `size` bytes."""

    size: int
    segments: list[BytesLike]

    def tobytes(self) -> bytes:
        """All of it in memory; for small models and tests."""
        return b"".join(self.segments)


@dataclass(slots=True)
class Kept:
    """Bytes of the old file that must stay at their place."""

    at: int
    data: memoryview


@dataclass(slots=True)
class _Placed:
    """Where the tables of one type stand.

    `inline[k, slot]` is the offset of the slot from the start of row `k`, 0 if absent.
    """

    columns: Columns
    at: Positions
    vtable: Positions
    inline: Positions


def lay_out(model: Model, kept: Sequence[Kept] = ()) -> Layout:
    """The flatbuffer of a model, around the bytes that must stay where they are.

    Args:
        model: What to write.
        kept: Stretches that stay, by their place; they do not overlap.

    Raises:
        WriteError: The model holds something that cannot be written, or is over 2 GB.
    """
    return _Writer(model).layout(sorted(kept, key=lambda each: each.at))


class _Writer:
    def __init__(self, model: Model) -> None:
        self.cursor = FIRST
        self.pieces: list[tuple[int, bytes]] = []
        self.vtables: dict[bytes, int] = {}
        self.blobs: list[tuple[Positions, list[memoryview]]] = []
        self.references: list[tuple[Positions, Positions]] = []
        parts = take_apart(model)
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
        for table, placed in self.placed.items():
            self._fill_tables(placed)
            self._fill_links(placed, vectors[table])

    # ------------------------------------------------------------------ placing

    def _take(self, nbytes: Positions) -> Positions:
        at: Positions = self.cursor + np.cumsum(nbytes) - nbytes
        self.cursor += int(nbytes.sum())
        return at

    def _align(self, unit: int, ahead: int = 0) -> None:
        """Moves the cursor so that `ahead` bytes further it is a multiple of `unit`."""
        self.cursor += -(self.cursor + ahead) % unit

    def _place(self, table: type[Table], columns: Columns) -> _Placed:
        sizes = _slot_sizes(table)
        patterns, which = np.unique(columns.present, axis=0, return_inverse=True)
        which = which.reshape(-1)
        plans = [_plan(pattern, sizes) for pattern in patterns]
        vtables = np.array([self._vtable(*plan) for plan in plans], np.int64)
        # 8-byte fields come right behind the 4 bytes of the vtable offset.
        unit = 8 if any(8 in sizes[pattern] for pattern in patterns) else 4
        self._align(unit, ahead=4)
        nbytes = np.array([size + -size % unit for _, size in plans], np.int64)
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
            link.slot: self._take(4 + 4 * link.counts)
            for link in columns.links
            if link.counts is not None
        }

    def _place_values(self, table: type[Table], placed: _Placed, found: Values) -> None:
        at = placed.at[found.rows] + placed.inline[found.rows, found.row.slot]
        if found.row.kind is Kind.BYTES:
            self.blobs.append((at, [_view(table, found.row, v) for v in found.values]))
            return
        if found.row.kind is Kind.STRING:
            self._align(4)
            pieces = _string_pieces(table, found.row, found.values)
        else:
            unit = max(4, DTYPES[found.row.scalar].itemsize, found.row.align)
            self._align(unit, ahead=4)
            pieces = _vector_pieces(table, found.row, found.values, unit)
        self.pieces.append((self.cursor, b"".join(pieces)))
        target = self._take(np.array(list(map(len, pieces)), np.int64))
        self.references.append((at, target))

    # ------------------------------------------------------------------ filling

    def _words(self, dtype: str = "<u4") -> NDArray[Any]:
        return np.frombuffer(self.head, dtype, len(self.head) // np.dtype(dtype).itemsize)

    def _fill_tables(self, placed: _Placed) -> None:
        self._words("<i4")[placed.at >> 2] = placed.at - placed.vtable
        for slot, column in placed.columns.scalars.items():
            rows = np.flatnonzero(placed.columns.present[:, slot])
            if len(rows):
                at = placed.at[rows] + placed.inline[rows, slot]
                shift = column.dtype.itemsize.bit_length() - 1
                self._words(column.dtype.str)[at >> shift] = column[rows]

    def _fill_links(self, placed: _Placed, vectors: dict[int, Positions]) -> None:
        for link in placed.columns.links:
            at = placed.at[link.rows] + placed.inline[link.rows, link.slot]
            children = self.placed[link.child].at if link.child in self.placed else at[:0]
            if link.counts is None:
                self.references.append((at, children[link.start : link.start + len(at)]))
                continue
            begins = vectors[link.slot]
            self.references.append((at, begins))
            self._words()[begins >> 2] = link.counts
            total = int(link.counts.sum())
            first = np.repeat(begins - 4 * (np.cumsum(link.counts) - link.counts), link.counts)
            places = first + 4 + 4 * np.arange(total)
            self.references.append((places, children[link.start : link.start + total]))

    # ------------------------------------------------------------------ the file

    def layout(self, kept: list[Kept]) -> Layout:
        """Head, kept bytes and blobs in the order of the file."""
        self._fill_pieces()
        shift = _room_for(len(self.head) - FIRST, kept)
        chunks: list[tuple[int, BytesLike]] = [(each.at, each.data) for each in kept]
        end = self._place_blobs(chunks, kept, shift)
        if end > MAX_BUFFER_BYTES:
            raise WriteError(
                f"The model takes {end:,} bytes; a flatbuffer cannot be larger than 2 GB. "
                "Keep its weights outside the flatbuffer."
            )
        self._place_outside(chunks, kept, end)
        root = int(self.placed[Model].at[0]) + shift
        start = struct.pack("<I4s", root, IDENTIFIER)
        chunks.append((0, start))
        chunks.append((shift + FIRST, memoryview(self.head)[FIRST:]))
        layout = _joined(chunks)
        self._refuse_strays(layout.size)
        return layout

    def _refuse_strays(self, size: int) -> None:
        """Refuses places that led outside the old file, and would lead into the new one."""
        for table, fields in OUTSIDE.items():
            columns = self.placed[table].columns if table in self.placed else None
            if columns is None or not columns.scalars[fields.offset.slot].any():
                continue
            offset = columns.scalars[fields.offset.slot]
            has_bytes = columns.present[:, fields.data.slot].copy()
            if columns.outside is not None:
                has_bytes[columns.outside.rows] = True
            strays = np.flatnonzero(~has_bytes & (offset > PLACEHOLDER) & (offset < size))
            if len(strays):
                raise WriteError(
                    f"{table.__name__} {int(strays[0])} states bytes at {offset[strays[0]]:,} "
                    "of the file that are not there; in the changed file others would stand "
                    f"there. Give it its bytes, or set {fields.offset.name} and "
                    f"{fields.size.name} to 0."
                )

    def _fill_pieces(self) -> None:
        for at, raw in self.pieces:
            self.head[at : at + len(raw)] = raw
        words = self._words()
        for place, target in self.references:
            words[place >> 2] = target - place

    def _place_blobs(
        self, chunks: list[tuple[int, BytesLike]], kept: list[Kept], shift: int
    ) -> int:
        """Places vectors of bytes behind the tables; returns where they end."""
        words = self._words()
        cursor = len(self.head) + shift
        for fields, blobs in self.blobs:
            lengths = np.array(list(map(len, blobs)), np.int64)
            # The length prefix ends where the aligned data starts.
            starts = _stack(cursor, lengths, kept, ahead=4)
            targets = starts - shift
            words[fields >> 2] = targets - fields
            for begin, blob in zip(starts.tolist(), blobs, strict=True):
                chunks.append((begin, len(blob).to_bytes(4, "little")))
                chunks.append((begin + 4, blob))
            if len(blobs):
                cursor = _up(int(starts[-1] + 4 + lengths[-1]), BLOB_ALIGN)
        return cursor

    def _place_outside(
        self, chunks: list[tuple[int, BytesLike]], kept: list[Kept], cursor: int
    ) -> None:
        """Places what stands outside the flatbuffer, and states where.

        What is the same piece of memory is written once: converters share equal weights.
        """
        for table, fields in OUTSIDE.items():
            found = self.placed[table].columns.outside if table in self.placed else None
            if found is None:
                continue
            placed = self.placed[table]
            blobs = [_view(table, found.row, value) for value in found.values]
            pieces = dict(zip(map(_memory, blobs), blobs, strict=True))
            lengths = np.array(list(map(len, pieces.values())), np.int64)
            starts = _stack(cursor, lengths, kept, ahead=0).tolist()
            chunks += zip(starts, pieces.values(), strict=True)
            place_of = dict(zip(pieces, starts, strict=True))
            at = placed.at[found.rows] + placed.inline[found.rows, fields.offset.slot]
            self._words("<u8")[at >> 3] = [place_of[_memory(blob)] for blob in blobs]
            cursor = _up(starts[-1] + int(lengths[-1]), BLOB_ALIGN)


def _room_for(nbytes: int, kept: list[Kept]) -> int:
    """How far the head must be moved so that it lies over no kept bytes."""
    shift = 0
    for each in kept:
        if shift + FIRST + nbytes <= each.at:
            break
        shift = _up(each.at + len(each.data), BLOB_ALIGN)
    return shift


def _stack(cursor: int, lengths: Positions, kept: list[Kept], ahead: int) -> Positions:
    """Starts of blobs one behind the other, stepping over the kept bytes.

    Each begins with `ahead` bytes that count its items, so that the items are aligned.
    """
    nbytes = lengths + ahead
    nbytes += -nbytes % BLOB_ALIGN
    lead = -ahead % BLOB_ALIGN
    starts: Positions = cursor + lead + np.cumsum(nbytes) - nbytes
    for each in kept:
        resume = _up(each.at + len(each.data), BLOB_ALIGN) + lead
        late = np.flatnonzero(starts + ahead + lengths > each.at)
        if len(late) and starts[late[0]] < resume:
            starts[late[0] :] += resume - starts[late[0]]
    return starts


def _joined(chunks: list[tuple[int, BytesLike]]) -> Layout:
    chunks.sort(key=lambda chunk: chunk[0])
    segments: list[BytesLike] = []
    size = 0
    for at, data in chunks:
        segments += _zeros(at - size)
        segments.append(data)
        size = at + len(data)
    return Layout(size, segments)


def _zeros(count: int) -> Iterator[BytesLike]:
    """So many zeros in pieces: kept bytes may stand gigabytes behind the rest."""
    while count > 0:
        yield _ZEROS[:count]
        count -= len(_ZEROS)


def _memory(view: memoryview) -> tuple[int, int]:
    """Where bytes are in memory, and how many."""
    address = np.frombuffer(view, np.uint8).ctypes.data if len(view) else 0
    return int(address), len(view)


def _slot_sizes(table: type[Table]) -> NDArray[np.int64]:
    sizes = np.full(1 + max((row.slot for row in table.FIELDS), default=-1), 4, np.int64)
    for row in table.FIELDS:
        if row.kind is Kind.SCALAR:
            sizes[row.slot] = DTYPES[row.scalar].itemsize
        elif row.kind is Kind.UNION:
            sizes[row.slot - 1] = 1
    return sizes


def _plan(present: NDArray[np.bool_], sizes: NDArray[np.int64]) -> tuple[list[int], int]:
    """Offset of every slot in a table that stores the present ones, and the table's size."""
    offsets = [0] * len(sizes)
    end = 4
    stored = np.flatnonzero(present).tolist()
    for slot in sorted(stored, key=lambda k: (-int(sizes[k]), k)):
        offsets[slot] = end
        end += int(sizes[slot])
    return offsets, end


def _string_pieces(table: type[Table], row: Field, values: list[str]) -> list[bytes]:
    try:
        raw = [value.encode("utf-8", "surrogateescape") for value in values]
    except (AttributeError, UnicodeEncodeError) as error:
        raise WriteError(f"{table.__name__}.{row.name} is not text: {error}") from error
    return [len(r).to_bytes(4, "little") + r + bytes(4 - len(r) % 4) for r in raw]


def _vector_pieces(
    table: type[Table], row: Field, values: list[list[Any]], unit: int
) -> list[bytes]:
    flat = numbers(table, row, [item for value in values for item in value])
    raw, size = flat.tobytes(), flat.dtype.itemsize
    pieces = []
    taken = 0
    for value in values:
        nbytes = len(value) * size
        pad = bytes(-(nbytes + 4) % unit)
        pieces.append(len(value).to_bytes(4, "little") + raw[taken : taken + nbytes] + pad)
        taken += nbytes
    return pieces


def _view(table: type[Table], row: Field, value: Any) -> memoryview:
    try:
        view = memoryview(value)
        return view if view.format == "B" and view.ndim == 1 else view.cast("B")
    except TypeError as error:
        raise WriteError(
            f"{table.__name__}.{row.name} must be bytes or a contiguous array: {error}"
        ) from error


def _up(value: int, unit: int) -> int:
    return value + -value % unit
