# SPDX-License-Identifier: Apache-2.0
"""The columnar pass over a flatbuffer that is also its verifier.

One numpy pass per table type checks every offset of that type and reads its fields as columns,
so the cost per table is a few array operations and no object is made before everything it
needs is known to be sound. It accepts exactly what the C++ `flatbuffers::Verifier` accepts
(flatbuffers/verifier.h, version 25), including its limit of 1,000,000 tables, save for files
whose parts are shared so often that a few bytes would take much time and memory: `SHARED` and
`SHARED_ITEMS` say how often. No file without shared parts comes near.

The object API that flatc generates was the alternative: it follows unverified offsets, takes
seconds for 20,000 operators, and forgets what the schema does not know.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import (
    CheckedBytes,
    Positions,
    bits_of,
    highest,
)
from tflm_studio.formats.scalars import DTYPES
from tflm_studio.formats.scan_columns import (
    Contribution,
    TypeScan,
    is_stated,
    item_places,
    note_extras,
    stated_offsets,
    typed,
    unknown_fields,
    unknown_spans,
)
from tflm_studio.model.errors import ReadError
from tflm_studio.schema.structure import (
    Field,
    Kind,
    OpaqueMember,
    Table,
    UnknownField,
)
from tflm_studio.schema.tables import TABLES, Model

MAX_TABLES = 1_000_000  # flatbuffers/verifier.h, Options.max_tables
SHARED = 2**16  # tables, and unknown fields, in excess of what has bytes of its own
SHARED_ITEMS = 2**20  # the same for numbers in vectors and characters
IDENTIFIER = b"TFL3"
DAMAGED = "The file is damaged or cut short; fetch it again or open another copy."

U1, U2, U4, I4 = (np.dtype(name) for name in ("u1", "<u2", "<u4", "<i4"))

# Tables refer only to those before them in TABLES, so parents come first in this order.
PARENTS_FIRST = tuple(reversed(TABLES.values()))
# How many slots of each table the schema knows; it leaves none out.
KNOWN_SLOTS = {
    table: max((row.slot + 1 for row in table.FIELDS), default=0) for table in PARENTS_FIRST
}


class Scan(CheckedBytes):
    """The verified columns of one flatbuffer.

    Args:
        data: The bytes of the file; never written to.
        name: What messages call the file.
        with_coverage: Whether to note which bytes are in use, for `holes`.

    Attributes:
        unknown_count: How many fields and union members the schema does not know.

    Raises:
        ReadError: The bytes are not a sound TFLite flatbuffer; says where.
    """

    def __init__(
        self,
        data: bytes | bytearray | memoryview,
        name: str,
        *,
        with_coverage: bool = False,
    ) -> None:
        super().__init__(data, with_coverage=with_coverage)
        self.name = name
        self.types: dict[type[Table], TypeScan] = {}
        self.visits = 0
        self.unknown_count = 0
        self._items = 0
        self._unknown_fields = 0
        self._begin()
        for table in PARENTS_FIRST:
            if table in self.types:
                self._scan_type(table, self.types[table])

    def _begin(self) -> None:
        if self.size < 8 or bytes(self.view[4:8]) != IDENTIFIER:
            raise ReadError(
                f"{self.name}: this is not a TFLite model: the bytes 4 to 7 are not 'TFL3'."
            )
        root = int(self.column(U4)[0])
        if root == 0 or root > self.size - 1:
            raise ReadError(
                f"{self.name}: the root offset at byte 0 points to byte {root}, outside the "
                f"{self.size:,} bytes of the file. {DAMAGED}"
            )
        positions = np.array([root], np.int64)
        nowhere = np.zeros(1, np.int64)
        row = Field(name="", slot=0, kind=Kind.TABLE)
        self._add_children(Model, Contribution(Model, row, 0, nowhere, None), positions)

    # ------------------------------------------------------------------ failure

    def address_of(self, table: type[Table], row: int) -> str:
        """Path from the model to a row of a type, such as `subgraphs[0].operators[3]`."""
        for contribution in self.types[table].contributions:
            k = row - contribution.start
            if 0 <= k < len(contribution.rows):
                if not contribution.field.name:
                    return ""
                above = self.address_of(contribution.parent, int(contribution.rows[k]))
                step = contribution.field.name
                if contribution.items is not None:
                    step += f"[{int(contribution.items[k])}]"
                return f"{above}.{step}" if above else step
        return table.__name__

    def _fail(self, table: type[Table], row: int, name: str, what: str, at: int) -> NoReturn:
        place = ".".join(part for part in (self.address_of(table, row), name) if part)
        raise ReadError(f"{self.name}: {place or 'model'}: {what} (byte {at:,}). {DAMAGED}")

    def _require(
        self,
        good: NDArray[np.bool_],
        at: Positions,
        table: type[Table],
        rows: Positions | None,
        name: str,
        what: str,
    ) -> None:
        if not good.all():
            k = int(np.argmin(good))
            row = k if rows is None else int(rows[k])
            self._fail(table, row, name, what, int(at[k]))

    # ------------------------------------------------------------------ one type

    def _add_children(
        self, table: type[Table], contribution: Contribution, positions: Positions
    ) -> None:
        scan = self.types.setdefault(table, TypeScan())
        contribution.start = scan.count
        scan.count += len(positions)
        self._bound_tables(len(positions))
        self.visits += len(positions)
        scan.positions.append(positions)
        scan.contributions.append(contribution)

    def _bound_tables(self, more: int) -> None:
        """Refuses what no reader would visit, before anything is made for it."""
        if self.visits + more > MAX_TABLES:
            raise ReadError(
                f"{self.name}: more than {MAX_TABLES:,} tables are referred to; no reader of "
                "the format accepts this file."
            )
        # A table takes 4 bytes, and so does the offset to it.
        self._bound_sharing(self.visits + more, self.size // 8 + SHARED, "tables")

    def _bound_sharing(self, number: int, limit: int, what: str) -> None:
        if number > limit:
            raise ReadError(
                f"{self.name}: {what} are shared so often that {self.size:,} bytes stand for "
                f"{number:,} of them. {DAMAGED}"
            )

    def _scan_type(self, table: type[Table], scan: TypeScan) -> None:
        at = np.concatenate(scan.positions) if len(scan.positions) > 1 else scan.positions[0]
        scan.extras = [None] * len(at)
        if not len(at):
            scan.columns = {row.name: [] for row in table.FIELDS}
            return
        vtable, size = self._vtables(table, at)
        offsets = self._field_offsets(table, vtable, size)
        stated = np.bitwise_or.reduce(offsets, axis=0).tolist()
        explicit: dict[int, list[int]] = {}
        for row in table.FIELDS:
            if not is_stated(stated, row):
                scan.columns[row.name] = [row.default] * len(at)
            elif row.kind is Kind.SCALAR:
                present = stated_offsets(offsets, row.slot)
                scan.columns[row.name] = self._scalars(table, row, at, present, explicit)
            elif row.kind is Kind.UNION:
                types = stated_offsets(offsets, row.slot - 1)
                self._union(table, scan, row, at, types, stated_offsets(offsets, row.slot))
            else:
                self._offset_field(table, scan, row, at, stated_offsets(offsets, row.slot))
        unknown = self._unknown(table, at, vtable, size)
        self.unknown_count += sum(map(len, unknown.values()))
        note_extras(scan, explicit, unknown)

    def _vtables(self, table: type[Table], at: Positions) -> tuple[Positions, Positions]:
        """Where the vtable of every row is, and its size in bytes."""
        if bits_of(at) & 3 or highest(at) > self.size - 4:
            self._require(at & 3 == 0, at, table, None, "", "the table is not 4-byte aligned")
            inside = at <= self.size - 4
            self._require(inside, at, table, None, "", "the table is outside the file")
        vtable = at - self.column(I4)[at >> 2]
        bits = bits_of(vtable)
        if bits < 0 or bits & 1 or highest(vtable) > self.size - 2:
            good = (vtable & 1 == 0) & (vtable >= 0) & (vtable <= self.size - 2)
            self._require(good, at, table, None, "", "its vtable is outside the file")
        u2 = self.column(U2)
        size = u2[vtable >> 1].astype(np.int64)
        ends = vtable + size
        if bits_of(size) & 1 or highest(ends) > self.size or highest(size) >= self.size:
            good = (size & 1 == 0) & (ends <= self.size) & (size < self.size)
            self._require(
                good, at, table, None, "", "its vtable runs past the end of the file"
            )
        self.cover(vtable, ends)
        is_whole = size >= 4
        inline = np.where(is_whole, u2[(vtable >> 1) + is_whole], 4).astype(np.int64)
        ends = at + inline
        self.cover_up_to(highest(at) + 4, at, 4, begins=True)
        if highest(ends) > self.size:
            sound = ends <= self.size
            self.cover(at[sound], ends[sound])
        else:
            self.cover(at, ends)
        return vtable, size

    def _field_offsets(
        self, table: type[Table], vtable: Positions, size: Positions
    ) -> NDArray[np.uint16]:
        """Offsets of the known fields of every row: shape (rows, slots), 0 where absent."""
        slots = min(KNOWN_SLOTS[table], max(int(size.max(initial=4)) - 4, 0) // 2)
        index = (vtable >> 1).astype(np.int32)[:, None] + np.arange(2, 2 + slots, dtype="i4")
        known = np.arange(4, 4 + 2 * slots, 2) < size[:, None]
        offsets: NDArray[np.uint16] = self.column(U2)[np.where(known, index, 0)]
        return np.where(known, offsets, np.uint16(0))

    def _unknown(
        self, table: type[Table], at: Positions, vtable: Positions, size: Positions
    ) -> dict[int, dict[int, UnknownField]]:
        """Fields in use that the schema does not know, by row and slot."""
        first = KNOWN_SLOTS[table]
        wide = np.flatnonzero(size > 4 + 2 * first)
        if not len(wide):
            return {}
        places, chosen, owner = np.unique(vtable[wide], return_index=True, return_inverse=True)
        ends = places + size[wide[chosen]]
        starts = places + 4 + 2 * first
        self._bound_unknown(int((ends - starts).sum()) // 2)
        u2 = self.column(U2)
        spans = zip((starts >> 1).tolist(), (ends >> 1).tolist(), strict=True)
        slots = [frozenset((np.flatnonzero(u2[a:b]) + first).tolist()) for a, b in spans]
        self._bound_unknown(sum(len(slots[k]) for k in owner.tolist()))
        chosen_spans = [
            unknown_spans(u2, place, fields)
            for place, fields in zip(places.tolist(), slots, strict=True)
        ]
        rows = zip(wide.tolist(), at[wide].tolist(), owner.tolist(), strict=True)
        return {
            row: unknown_fields(self.view, start, chosen_spans[k])
            for row, start, k in rows
            if chosen_spans[k]
        }

    def _bound_unknown(self, more: int) -> None:
        self._unknown_fields += more
        # A field takes a byte of its table or more, and two of a vtable.
        self._bound_sharing(self._unknown_fields, self.size + SHARED, "unknown fields")

    def _scalars(
        self,
        table: type[Table],
        row: Field,
        at: Positions,
        offset: Positions,
        explicit: dict[int, list[int]],
    ) -> list[Any]:
        rows = np.flatnonzero(offset)
        dtype = DTYPES[row.scalar]
        place = at[rows] + offset[rows]
        if row.deprecated:
            # The C++ verifier does not look at deprecated fields: neither may we refuse them.
            good = place & (dtype.itemsize - 1) == 0
            good &= place <= self.size - dtype.itemsize
            rows, place = rows[good], place[good]
        if not len(rows):
            return [row.default] * len(at)
        values = stored = self._read_numbers(table, row, rows, place, dtype)
        if len(rows) < len(at):
            values = np.full(len(at), row.default, dtype)
            values[rows] = stored
        same = rows[stored == dtype.type(row.default or 0)]
        for k in same.tolist():
            explicit.setdefault(k, []).append(row.slot)
        return typed(values, row)

    def _read_numbers(
        self,
        table: type[Table],
        row: Field,
        rows: Positions,
        place: Positions,
        dtype: np.dtype[Any],
    ) -> NDArray[Any]:
        size = dtype.itemsize
        if not len(place):
            return np.zeros(0, dtype)
        top = highest(place) + size
        if bits_of(place) & (size - 1) or top > self.size:
            good = place & (size - 1) == 0
            self._require(good, place, table, rows, row.name, "misaligned value")
            good = place <= self.size - size
            self._require(good, place, table, rows, row.name, "value outside the file")
        self.cover_up_to(top, place, size)
        numbers: NDArray[Any] = self.column(dtype)[place >> (size.bit_length() - 1)]
        return numbers

    def _follow(
        self, table: type[Table], row: Field, rows: Positions, place: Positions
    ) -> Positions:
        """Where the offsets stored at `place` lead; verified to be inside the file."""
        stored = self._read_numbers(table, row, rows, place, U4).astype(np.int64)
        target = place + stored
        if len(stored) and (
            not int(np.minimum.reduce(stored)) or highest(target) > self.size - 1
        ):
            good = (stored > 0) & (target <= self.size - 1)
            what = f"its offset leads outside {self.size:,} bytes"
            self._require(good, place, table, rows, row.name, what)
        return target

    def _offset_field(
        self, table: type[Table], scan: TypeScan, row: Field, at: Positions, offset: Positions
    ) -> None:
        rows = np.flatnonzero(offset)
        if not len(rows):
            scan.columns[row.name] = [None] * len(at)
            return
        try:
            self._referred(table, scan, row, rows, at, offset)
        except ReadError:
            if not row.deprecated:
                raise  # see `_scalars`
            scan.columns[row.name] = [None] * len(at)

    def _referred(
        self,
        table: type[Table],
        scan: TypeScan,
        row: Field,
        rows: Positions,
        at: Positions,
        offset: Positions,
    ) -> None:
        target = self._follow(table, row, rows, at[rows] + offset[rows])
        if row.kind is Kind.TABLE:
            self._link(table, scan, row, row.members[0], rows, None, target)
        elif row.kind is Kind.TABLES:
            self._vector_of_tables(table, scan, row, rows, target, len(at))
        else:
            self._vector_of_values(table, scan, row, rows, target, len(at))

    def _link(
        self,
        table: type[Table],
        scan: TypeScan,
        row: Field,
        child: type[Table],
        rows: Positions,
        items: Positions | None,
        positions: Positions,
    ) -> None:
        contribution = Contribution(table, row, 0, rows, items)
        self._add_children(child, contribution, positions)
        scan.links.setdefault(row.name, []).append((child, contribution))

    def _measure(
        self, table: type[Table], row: Field, rows: Positions, target: Positions, size: int
    ) -> Positions:
        """Lengths of the vectors at `target`, verified to lie inside the file."""
        count = self._read_numbers(table, row, rows, target, U4).astype(np.int64)
        ends = target + (4 + count * size)
        top = highest(ends)
        if top > self.size:
            what = f"its vector runs past the end of the file of {self.size:,} bytes"
            self._require(ends <= self.size, target, table, rows, row.name, what)
        self.cover_up_to(top, target, ends, begins=True)
        return count

    def _vector_of_tables(
        self,
        table: type[Table],
        scan: TypeScan,
        row: Field,
        rows: Positions,
        target: Positions,
        height: int,
    ) -> None:
        count = self._measure(table, row, rows, target, 4)
        self._bound_tables(int(count.sum()))
        places = item_places(target + 4, count, 4)
        positions = places + self.column(U4)[places >> 2]
        owner = np.repeat(np.arange(len(count)), count)
        items = (places - (target + 4)[owner]) >> 2
        self._link(table, scan, row, row.members[0], rows[owner], items, positions)
        starts = np.zeros(height, np.int64)
        lengths = np.full(height, -1, np.int64)
        starts[rows], lengths[rows] = np.cumsum(count) - count, count
        scan.lengths[row.name] = (starts, lengths)

    def _vector_of_values(
        self,
        table: type[Table],
        scan: TypeScan,
        row: Field,
        rows: Positions,
        target: Positions,
        height: int,
    ) -> None:
        size = DTYPES[row.scalar].itemsize if row.kind is Kind.SCALARS else 1
        count = self._measure(table, row, rows, target, size)
        start = target + 4
        if row.kind is Kind.STRING:
            end = start + count
            top = highest(end) + 1
            if top > self.size or bits_of(self.column(U1)[end]):
                good = end < self.size
                good[good] = self.column(U1)[end[good]] == 0
                self._require(good, end, table, rows, row.name, "the string has no end")
            self.cover_up_to(top, end, 1)
        if row.kind is not Kind.BYTES:
            self._items += int(count.sum())
            self._bound_sharing(self._items, self.size + SHARED_ITEMS, "vectors and texts")
        values = self._values(row, start, count)
        column: list[Any] = [None] * height
        if len(rows) == height:
            column = values
        else:
            for k, value in zip(rows.tolist(), values, strict=True):
                column[k] = value
        scan.columns[row.name] = column

    def _values(self, row: Field, start: Positions, count: Positions) -> list[Any]:
        spans = zip(start.tolist(), (start + count).tolist(), strict=True)
        if row.kind is Kind.BYTES:
            return [self.view[a:b] for a, b in spans]
        if row.kind is Kind.STRING:
            raw = self.view
            return [str(raw[a:b], "utf-8", "surrogateescape") for a, b in spans]
        flat = self._gather(DTYPES[row.scalar], start, count)
        values = typed(flat, row)
        ends = np.cumsum(count).tolist()
        return [values[b - n : b] for b, n in zip(ends, count.tolist(), strict=True)]

    def _gather(
        self, dtype: np.dtype[Any], start: Positions, count: Positions
    ) -> NDArray[Any]:
        """The items of many vectors, one behind the other."""
        size = dtype.itemsize
        places = item_places(start, count, size)
        if size <= 4:
            items: NDArray[Any] = self.column(dtype)[places >> (size.bit_length() - 1)]
            return items
        # Vectors of 8-byte items are only known to be 4-byte aligned.
        words = self.column(U4)
        pairs = np.stack([words[places >> 2], words[(places >> 2) + 1]], axis=1)
        return np.ascontiguousarray(pairs).view(dtype).reshape(-1)

    def _union(
        self,
        table: type[Table],
        scan: TypeScan,
        row: Field,
        at: Positions,
        types: Positions,
        offset: Positions,
    ) -> None:
        typed = np.flatnonzero(types)
        numbers = np.zeros(len(at), np.int64)
        numbers[typed] = self._read_numbers(table, row, typed, at[typed] + types[typed], U1)
        rows = np.flatnonzero(offset)
        target = np.full(len(at), -1, np.int64)
        target[rows] = self._follow(table, row, rows, at[rows] + offset[rows])
        column: list[Any] = [None] * len(at)
        known = (target >= 0) & (numbers > 0) & (numbers <= len(row.members))
        for k in np.flatnonzero(~known & ((numbers > 0) | (target >= 0))).tolist():
            place = int(target[k])
            self.unknown_count += place >= 0
            column[k] = OpaqueMember(int(numbers[k]), place if place >= 0 else None)
        scan.columns[row.name] = column
        for number in np.unique(numbers[known]).tolist():
            chosen = np.flatnonzero(known & (numbers == number))
            member = row.members[number - 1]
            self._link(table, scan, row, member, chosen, None, target[chosen])
