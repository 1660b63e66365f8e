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
from itertools import accumulate, groupby
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import MAX_BUFFER_BYTES, U4, U8, Positions
from tflm_studio.formats.flatbuffer_columns import Columns, Values, take_apart
from tflm_studio.formats.flatbuffer_scan import IDENTIFIER
from tflm_studio.formats.head_words import PREFIX, HeadWords
from tflm_studio.formats.layout import (
    BLOB_ALIGN,
    Kept,
    Layout,
    Stretches,
    memory_of,
    up,
)
from tflm_studio.formats.number_columns import flat_numbers, lengths_of
from tflm_studio.formats.scan_columns import item_places, joined
from tflm_studio.formats.table_plans import patterns_of, plan_of
from tflm_studio.model.errors import WriteError
from tflm_studio.model.outside import OUTSIDE, PLACEHOLDER
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import Model

FIRST = 8  # behind the root offset and the identifier


@dataclass(slots=True)
class _Placed:
    """Where the tables of one type stand.

    `offsets[slot, which[k]]` is the offset of a slot from the start of row `k`, without
    meaning if the row does not store it; without `which` all rows have the first, and
    `pattern` says which slots they store.
    """

    columns: Columns
    at: Positions
    offsets: Positions
    which: Positions | None
    pattern: bytes | None

    def fields(self, rows: Positions | Sequence[int], slot: int) -> Positions:
        """Where a field of some rows, which ascend, stands."""
        offsets: Positions = self.offsets[slot]
        places = self.at + (offsets if self.which is None else offsets.take(self.which))
        return places if len(rows) == len(places) else places[rows]


@dataclass(slots=True)
class _Vectors:
    """The texts or vectors of numbers of one field.

    Attributes:
        at: Where the offsets to them stand.
        lengths: How many items each has.
        items: Those of all, one behind the other.
        unit: What the place of the first item must be a multiple of.
        end: Bytes that stand behind each.
    """

    at: Positions
    lengths: Positions
    items: NDArray[Any]
    unit: int
    end: int


def lay_out(
    model: Model,
    kept: Sequence[Kept] = (),
    carried: memoryview | None = None,
    spare: int = 0,
) -> Layout:
    """The flatbuffer of a model, around the bytes that must stay where they are.

    Args:
        model: What to write.
        kept: Stretches that stay, by their place; they do not overlap.
        carried: The old flatbuffer from its first byte, if unknown fields lead into it.
        spare: Bytes that are left free before it.

    Raises:
        WriteError: The model holds something that cannot be written, or is over 2 GB.
    """
    return _Writer(model, carried, spare).layout(Stretches(kept))


class _Writer:
    """The head: tables, their vtables, texts and vectors of numbers.

    Positions count from where the head would begin in a file without kept bytes.
    """

    def __init__(self, model: Model, carried: memoryview | None, spare: int) -> None:
        self.carried, self.spare = carried, spare
        self.cursor = FIRST
        self.vtables: dict[bytes, int] = {}
        self.words = HeadWords()
        self.blobs: list[tuple[Positions, list[memoryview]]] = []
        self.placed: dict[type[Table], _Placed] = {}
        lists: dict[type[Table], dict[int, Positions]] = {}
        # Parents first: a table, then its vectors of tables, then the tables in them.
        for table, columns in take_apart(model, carries=carried is not None).items():
            self.placed[table] = self._place(table, columns)
            lists[table] = self._place_lists(columns)
        vectors = []
        for table, placed in self.placed.items():
            for found in placed.columns.values:
                at = placed.fields(found.rows, found.row.slot)
                if found.row.kind is Kind.BYTES:
                    blobs = [_view(table, found.row, value) for value in found.values]
                    self.blobs.append((at, blobs))
                else:
                    vectors.append(_vectors(table, found, at))
        for unit, alike in groupby(vectors, attrgetter("unit")):
            self._place_vectors(list(alike), unit)
        self._align(BLOB_ALIGN)
        for table, placed in self.placed.items():
            self._put_numbers(placed)
            self._put_links(placed, lists[table])
        self.head = bytearray(self.cursor)
        self.words.write(self.head)
        for raw, start in self.vtables.items():
            self.head[start : start + len(raw)] = raw

    # ------------------------------------------------------------------ placing

    def _take(self, nbytes: Positions) -> Positions:
        ends: Positions = np.add.accumulate(nbytes)  # what `cumsum` does, in half the time
        at: Positions = ends - nbytes
        at += self.cursor
        self.cursor += int(ends[-1]) if len(ends) else 0
        return at

    def _align(self, unit: int, ahead: int = 0) -> None:
        """Moves the cursor so that `ahead` bytes further it is a multiple of `unit`."""
        self.cursor += -(self.cursor + ahead) % unit

    def _place(self, table: type[Table], columns: Columns) -> _Placed:
        patterns, which = patterns_of(columns.present)
        # mypy takes a class with metadata of its own for unhashable.
        plans = [plan_of(table, pattern) for pattern in patterns]  # type: ignore[arg-type]
        vtables = [self._vtable(plan.vtable) for plan in plans]
        unit = max(plan.unit for plan in plans)
        self._align(unit, ahead=4)
        sizes = [up(plan.size, unit) for plan in plans]
        if which is None:
            begin, size = self.cursor, sizes[0]
            self.cursor += size * len(columns.objects)
            at = np.arange(begin, self.cursor, size)
            self.words.put_vtables(at, vtables[0])
        else:
            at = self._take(np.array(sizes)[which])
            self.words.put_vtables(at, np.array(vtables)[which])
        offsets = np.array([plan.offsets for plan in plans], np.int64).T
        return _Placed(columns, at, offsets, which, patterns[0] if which is None else None)

    def _vtable(self, raw: bytes) -> int:
        if raw not in self.vtables:
            self._align(2)
            self.vtables[raw] = self.cursor
            self.cursor += len(raw)
        return self.vtables[raw]

    def _place_lists(self, columns: Columns) -> dict[int, Positions]:
        """Places the vectors of tables of one type; slot -> positions."""
        self._align(4)
        return {
            link.slot: self._take(PREFIX + 4 * link.counts)
            for link in columns.links
            if link.counts is not None
        }

    def _place_vectors(self, fields: list[_Vectors], unit: int) -> None:
        """Places texts and vectors of numbers, those of all fields one behind the other."""
        self._align(unit, ahead=PREFIX)
        rows = [len(each.lengths) for each in fields]
        widths = np.repeat([each.items.dtype.itemsize for each in fields], rows)
        lengths = joined([each.lengths for each in fields])
        nbytes = lengths * widths
        nbytes += np.repeat([PREFIX + each.end for each in fields], rows)
        nbytes += -nbytes % unit
        targets = self._take(nbytes)
        self.words.put_lengths(targets, lengths)
        self.words.put_offsets(joined([each.at for each in fields]), targets)
        for each, end in zip(fields, accumulate(rows), strict=True):
            starts = targets[end - len(each.lengths) : end]
            self.words.put_items(starts, each.lengths, each.items)

    # ------------------------------------------------------------------ filling

    def _put_numbers(self, placed: _Placed) -> None:
        present, pattern = placed.columns.present, placed.pattern
        for slot, column in placed.columns.scalars.items():
            if pattern is None:
                rows = present[:, slot].nonzero()[0]
                if len(rows):
                    self.words.put(placed.fields(rows, slot), column[rows])
            elif pattern[slot]:
                self.words.put(placed.fields(range(len(column)), slot), column)

    def _put_links(self, placed: _Placed, lists: dict[int, Positions]) -> None:
        for link in placed.columns.links:
            at = placed.fields(link.rows, link.slot)
            children = self.placed[link.child].at if link.child in self.placed else at[:0]
            if link.counts is None:
                self.words.put_offsets(at, children[link.start : link.start + len(at)])
                continue
            begins = lists[link.slot]
            self.words.put_offsets(at, begins)
            self.words.put_lengths(begins, link.counts)
            places = item_places(begins + PREFIX, link.counts, 4)
            self.words.put_offsets(places, children[link.start : link.start + len(places)])

    # ------------------------------------------------------------------ the file

    def layout(self, stretches: Stretches) -> Layout:
        """Head, kept bytes and blobs in the order of the file."""
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

    def _words(self, dtype: np.dtype[Any] = U4) -> NDArray[Any]:
        return np.frombuffer(self.head, dtype, len(self.head) // dtype.itemsize)

    def _refer(self, at: Positions, target: Positions) -> None:
        self._words()[at >> 2] = target - at

    def _place_carried(self, stretches: Stretches, shift: int) -> int:
        """Places the old flatbuffer behind the tables; returns where it begins."""
        if self.carried is None:
            return 0
        stretches.end += self.spare
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
            self._words(U8)[at >> 3] = [place_of[memory_of(blob)] for blob in blobs]

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


def _vectors(table: type[Table], found: Values, at: Positions) -> _Vectors:
    row = found.row
    if row.kind is Kind.STRING:
        items, lengths = _flat_text(table, row, found.values)
        return _Vectors(at, lengths, items, 4, 1)  # a zero ends every text
    items, lengths = flat_numbers(table, row, found.values)
    return _Vectors(at, lengths, items, max(4, items.dtype.itemsize, row.align), 0)


def _flat_text(
    table: type[Table], row: Field, values: list[str]
) -> tuple[NDArray[np.uint8], Positions]:
    """The bytes of many texts one behind the other, and how many each has."""
    try:
        raw = [value.encode("utf-8", "surrogateescape") for value in values]
    except (AttributeError, UnicodeEncodeError) as error:
        raise WriteError(f"{table.__name__}.{row.name} is not text: {error}") from error
    lengths = lengths_of(raw)
    return np.frombuffer(b"".join(raw), np.uint8), lengths


def _view(table: type[Table], row: Field, value: Any) -> memoryview:
    try:
        view = memoryview(value)
        return view if view.format == "B" and view.ndim == 1 else view.cast("B")
    except TypeError as error:
        raise WriteError(
            f"{table.__name__}.{row.name} must be bytes or a contiguous array: {error}"
        ) from error
