# SPDX-License-Identifier: Apache-2.0
"""The columnar pass over a flatbuffer that is also its verifier.

The table types are taken in steps, parents first. In each step one numpy pass checks every
offset of all its tables, then their fields are read as columns: the cost per table is a few
array operations, a step costs hardly more than one table type would, and no object is made
before everything it needs is known to be sound. It accepts exactly what the C++
`flatbuffers::Verifier` accepts (flatbuffers/verifier.h, version 25), including its limit of
1,000,000 tables, save for files whose parts are shared so often that a few bytes would take
much time and memory (`scan_limits`). No file without shared parts comes near.

The object API that flatc generates was the alternative: it follows unverified offsets, takes
seconds for 20,000 operators, and forgets what the schema does not know.
"""

from __future__ import annotations

from itertools import accumulate, pairwise, starmap
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import U2, U4, Positions
from tflm_studio.formats.newer_fields import newer_fields
from tflm_studio.formats.scalars import DTYPES
from tflm_studio.formats.scan_columns import (
    WHOLE,
    Contribution,
    Part,
    TypeScan,
    item_places,
    item_size,
    joined,
    note_extras,
    scalars,
    spread,
    typed,
)
from tflm_studio.formats.scan_limits import DAMAGED, Allowance
from tflm_studio.formats.table_types import BY_DEPTH, KNOWN_SLOTS
from tflm_studio.formats.verified_parts import VerifiedParts, stated_fields
from tflm_studio.model.errors import ReadError
from tflm_studio.schema.structure import Field, Kind, OpaqueMember, Table
from tflm_studio.schema.tables import Model

IDENTIFIER = b"TFL3"
FEW = 32  # vectors up to which a look at each is as fast as one at all of them


class Scan(VerifiedParts):
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
        self.unknown_count = 0
        self._allowance = Allowance(name, self.size)
        self._begin()
        for tables in BY_DEPTH:
            self._scan_step([table for table in tables if table in self.types])

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
        self._allowance.take_tables(1)
        whole = Contribution(Model, WHOLE, 0, np.zeros(1, np.int64))
        self._add_children(Model, whole, np.array([root], np.int64))

    # ------------------------------------------------------------------ failure

    def address_of(self, table: type[Table], row: int) -> str:
        """Path from the model to a row of a type, such as `subgraphs[0].operators[3]`."""
        for contribution in reversed(self.types[table].contributions):
            if row >= contribution.start:
                if not contribution.field.name:
                    return ""
                parent, step = contribution.parent_of(row - contribution.start)
                above = self.address_of(contribution.parent, parent)
                return f"{above}.{step}" if above else step
        return table.__name__

    def fail(self, part: Part, k: int, what: str, at: int) -> NoReturn:
        address = self.address_of(part.table, int(part.rows[k]))
        place = ".".join(p for p in (address, part.row.name) if p)
        raise ReadError(f"{self.name}: {place or 'model'}: {what} (byte {at:,}). {DAMAGED}")

    # ------------------------------------------------------------------ one step

    def _add_children(
        self, table: type[Table], contribution: Contribution, positions: Positions
    ) -> None:
        if not len(positions):
            return
        scan = self.types.get(table)
        if scan is None:
            scan = self.types[table] = TypeScan()
        contribution.start = scan.count
        scan.count += len(positions)
        scan.positions.append(positions)
        scan.contributions.append(contribution)

    def _scan_step(self, tables: list[type[Table]]) -> None:
        """Reads all tables of some types, which do not refer to each other."""
        if not tables:
            return
        heads = []
        for table in tables:
            at = joined(self.types[table].positions)
            heads.append(Part(table, WHOLE, np.arange(len(at)), at))
        at = joined([head.places for head in heads])
        vtable, size = self.vtables(heads, at)
        starts = list(accumulate((len(head.rows) for head in heads), initial=0))
        widest = np.maximum.reduceat(size, starts[:-1]).tolist()
        offsets, stated = self.field_offsets(heads, vtable, size, starts[:-1], widest)
        runs = list(starmap(slice, pairwise(starts)))
        fields = [
            stated_fields(head, offsets[:, run], counts)
            for head, run, counts in zip(heads, runs, stated, strict=True)
        ]
        self.read([part for by_slot in fields for part in by_slot.values()])
        for head, by_slot, run, most in zip(heads, fields, runs, widest, strict=True):
            explicit = self._fill(head, by_slot)
            known, unknown = KNOWN_SLOTS[head.table], {}
            if most > 4 + 2 * known:
                here = at[run], vtable[run], size[run], known, self._allowance
                unknown = newer_fields(self.view, self.column(U2), *here)
                self.unknown_count += sum(map(len, unknown.values()))
            note_extras(self.types[head.table], explicit, unknown)

    # ------------------------------------------------------------------ columns

    def _fill(self, head: Part, fields: dict[int, Part]) -> dict[int, list[int]]:
        """Fills the columns of one type; the slots that state a default, by row."""
        scan, height = self.types[head.table], len(head.rows)
        scan.extras = [None] * height
        explicit: dict[int, list[int]] = {}
        for row in head.table.FIELDS:
            part = fields.get(row.slot)
            if row.kind is Kind.UNION:
                self._fill_union(scan, row, height, fields.get(row.slot - 1), part)
            elif part is None or not len(part.rows):
                scan.columns[row.name] = [row.default] * height
            elif row.kind is Kind.SCALAR:
                scan.columns[row.name] = scalars(part, height, explicit)
            elif row.kind is Kind.TABLE:
                self._link(scan, part, row.members[0], part.rows, part.targets)
            elif row.kind is Kind.TABLES:
                self._link_vectors(scan, part)
            else:
                values = self._values(part)
                if len(values) < height:
                    values = spread(part.rows, values, height)
                scan.columns[row.name] = values
        return explicit

    def _link(
        self, scan: TypeScan, part: Part, child: type[Table], rows: Positions, at: Positions
    ) -> None:
        self._allowance.take_tables(len(at))
        contribution = Contribution(part.table, part.row, 0, rows)
        self._add_children(child, contribution, at)
        scan.links.setdefault(part.row.name, []).append((child, contribution))

    def _link_vectors(self, scan: TypeScan, part: Part) -> None:
        (child,) = part.row.members
        self._allowance.take_tables(int(part.counts.sum()))
        places = item_places(part.targets + 4, part.counts, 4)
        contribution = Contribution(part.table, part.row, 0, part.rows, part.counts.cumsum())
        self._add_children(child, contribution, places + self.column(U4)[places >> 2])
        scan.links[part.row.name] = [(child, contribution)]

    def _values(self, part: Part) -> list[Any]:
        row, start, counts = part.row, part.targets + 4, part.counts
        if row.kind is not Kind.BYTES:
            self._allowance.take_items(int(counts.sum()))
        if row.kind is Kind.SCALARS and len(counts) > FEW:
            values = typed(self._gather(DTYPES[row.scalar], start, counts), row)
            ends = counts.cumsum().tolist()
            return [values[b - n : b] for b, n in zip(ends, counts.tolist(), strict=True)]
        size = item_size(row)
        pieces = [
            self.view[a:b]
            for a, b in zip(start.tolist(), (start + counts * size).tolist(), strict=True)
        ]
        if row.kind is Kind.BYTES:
            return pieces
        if row.kind is Kind.STRING:
            return [str(piece, "utf-8", "surrogateescape") for piece in pieces]
        return [typed(np.frombuffer(piece, DTYPES[row.scalar]), row) for piece in pieces]

    def _gather(
        self, dtype: np.dtype[Any], start: Positions, counts: Positions
    ) -> NDArray[Any]:
        """The items of many vectors, one behind the other."""
        size = dtype.itemsize
        places = item_places(start, counts, size)
        if size <= 4:
            items: NDArray[Any] = self.column(dtype)[places >> (size.bit_length() - 1)]
            return items
        # Vectors of 8-byte items are only known to be 4-byte aligned.
        words = self.column(U4)
        pairs = np.stack([words[places >> 2], words[(places >> 2) + 1]], axis=1)
        return np.ascontiguousarray(pairs).view(dtype).reshape(-1)

    def _fill_union(
        self, scan: TypeScan, row: Field, height: int, types: Part | None, values: Part | None
    ) -> None:
        column: list[Any] = [None] * height
        scan.columns[row.name] = column
        if types is None and values is None:
            return
        numbers = np.zeros(height, np.int64)
        targets = np.full(height, -1, np.int64)
        if types is not None:
            numbers[types.rows] = types.stored
        if values is not None:
            targets[values.rows] = values.targets
        known = (targets >= 0) & (numbers > 0) & (numbers <= len(row.members))
        for k in (~known & ((numbers > 0) | (targets >= 0))).nonzero()[0].tolist():
            place = int(targets[k])
            self.unknown_count += place >= 0
            column[k] = OpaqueMember(int(numbers[k]), place if place >= 0 else None)
        if values is not None:
            for number in sorted(set(numbers[known].tolist())):
                rows = (known & (numbers == number)).nonzero()[0]
                self._link(scan, values, row.members[number - 1], rows, targets[rows])
