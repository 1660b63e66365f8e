# SPDX-License-Identifier: Apache-2.0
"""The checks of a flatbuffer: those of the C++ verifier, on many tables and fields at once.

Each check looks at parts that stand one behind the other, of whatever types and fields they
are, so that its cost does not grow with their number.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import (
    I4,
    U1,
    U2,
    U4,
    U8,
    CheckedBytes,
    Positions,
    bits_of,
    highest,
)
from tflm_studio.formats.scan_columns import Part, item_size, joined, share
from tflm_studio.formats.table_types import KNOWN_SLOTS, SLOTS
from tflm_studio.model.errors import ReadError
from tflm_studio.schema.structure import Kind

_UNSIGNED = {1: U1, 2: U2, 4: U4, 8: U8}
_VECTORS = frozenset((Kind.TABLES, Kind.STRING, Kind.BYTES, Kind.SCALARS))


class VerifiedParts(CheckedBytes):
    """The bytes of a file, of which only what is sound is read."""

    def fail(self, part: Part, k: int, what: str, at: int) -> NoReturn:
        """Refuses the file.

        Args:
            part: What is not sound.
            k: Which of its rows.
            what: What is wrong with it.
            at: The byte where that shows.

        Raises:
            ReadError: Always; says where.
        """
        raise NotImplementedError

    def _require(
        self, good: NDArray[np.bool_], at: Positions, parts: list[Part], what: str
    ) -> None:
        """Refuses the file if anything of some parts, one behind the other, is not good."""
        if good.all():
            return
        first = k = int(np.argmin(good))
        for part in parts:
            if k < len(part.rows):
                self.fail(part, k, what, int(at[first]))
            k -= len(part.rows)

    def vtables(self, heads: list[Part], at: Positions) -> tuple[Positions, Positions]:
        """Where the vtable of every table is, and its size in bytes."""
        if bits_of(at) & 3 or highest(at) > self.size - 4:
            self._require(at & 3 == 0, at, heads, "the table is not 4-byte aligned")
            self._require(at <= self.size - 4, at, heads, "the table is outside the file")
        vtable = at - self.column(I4)[at >> 2]
        bits = bits_of(vtable)
        if bits < 0 or bits & 1 or highest(vtable) > self.size - 2:
            good = (vtable & 1 == 0) & (vtable >= 0) & (vtable <= self.size - 2)
            self._require(good, at, heads, "its vtable is outside the file")
        u2 = self.column(U2)
        size = u2[vtable >> 1].astype(np.int64)
        ends = vtable + size
        top = highest(ends)
        # Only one that begins at byte 0 can be as long as the file.
        if bits_of(size) & 1 or top >= self.size:
            good = (size & 1 == 0) & (ends <= self.size) & (size < self.size)
            self._require(good, at, heads, "its vtable runs past the end of the file")
        self.cover_up_to(top, vtable, ends)
        # A vtable that is too short to state the size of its tables is sound.
        ends = at + np.maximum(u2[(vtable >> 1) + (size >= 4)], 4)
        top = highest(ends)
        if top > self.size:
            ends = np.where(ends <= self.size, ends, at + 4)
            top = highest(ends)
        self.cover_up_to(top, at, ends, begins=True)
        return vtable, size

    def field_offsets(
        self,
        heads: list[Part],
        vtable: Positions,
        size: Positions,
        starts: list[int],
        widest: list[int],
    ) -> tuple[NDArray[np.uint16], list[list[int]]]:
        """Offsets of the known fields of every table, and how many tables state each.

        Returns:
            Shape (slots, tables), 0 where a field is absent; for each type, by slot.
        """
        known = (KNOWN_SLOTS[head.table] for head in heads)
        slots = max(
            min(number, max(most - 4, 0) // 2)
            for number, most in zip(known, widest, strict=True)
        )
        index = (vtable >> 1) + np.arange(2, 2 + slots)[:, None]
        offsets = self.column(U2).take(index, mode="clip")
        offsets *= np.arange(4, 4 + 2 * slots, 2)[:, None] < size
        stated = np.add.reduceat(offsets != 0, starts, axis=1, dtype=np.int64)
        return offsets, stated.T.tolist()

    def read(self, parts: list[Part]) -> None:
        """Reads what the parts store and where it leads; verified to be inside the file."""
        current = [part for part in parts if not part.row.deprecated]
        self._read_current(current)
        if len(current) < len(parts):
            for part in parts:
                if part.row.deprecated:
                    self._read_deprecated(part)

    def _read_deprecated(self, part: Part) -> None:
        """The same for what the C++ verifier does not look at: we may not refuse it either.

        What is not sound is dropped: of numbers, those that are not; of others, all.
        """
        good = (part.places & (part.width - 1) == 0) & (part.places <= self.size - part.width)
        part.rows, part.places = part.rows[good], part.places[good]
        if not len(part.rows):
            return
        try:
            self._read_current([part])
        except ReadError:
            part.rows = part.rows[:0]

    def _read_current(self, parts: list[Part]) -> None:
        for width, dtype in _UNSIGNED.items():
            chosen = [part for part in parts if part.width == width]
            if chosen:
                places = joined([part.places for part in chosen])
                share(chosen, "stored", self._numbers(chosen, places, dtype))
        leading = [part for part in parts if part.leads]
        if leading:
            self._follow(leading)
        vectors = [part for part in leading if part.row.kind in _VECTORS]
        if vectors:
            self._measure(vectors)
        texts = [part for part in vectors if part.row.kind is Kind.STRING]
        if texts:
            self._require_ends(texts)

    def _numbers(
        self, parts: list[Part], places: Positions, dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        size = dtype.itemsize
        top = highest(places) + size
        if bits_of(places) & (size - 1) or top > self.size:
            good = places & (size - 1) == 0
            self._require(good, places, parts, "misaligned value")
            good = places <= self.size - size
            self._require(good, places, parts, "value outside the file")
        self.cover_up_to(top, places, size)
        numbers: NDArray[Any] = self.column(dtype)[places >> (size.bit_length() - 1)]
        return numbers

    def _follow(self, parts: list[Part]) -> None:
        """Where the offsets that are stored lead."""
        places = joined([part.places for part in parts])
        stored = joined([part.stored for part in parts])
        targets = places + stored
        if not int(np.minimum.reduce(stored)) or highest(targets) > self.size - 1:
            good = (stored > 0) & (targets <= self.size - 1)
            what = f"its offset leads outside {self.size:,} bytes"
            self._require(good, places, parts, what)
        share(parts, "targets", targets)

    def _measure(self, parts: list[Part]) -> None:
        """Lengths of the vectors that offsets lead to."""
        targets = joined([part.targets for part in parts])
        counts = self._numbers(parts, targets, U4).astype(np.int64)
        sizes = np.repeat(
            [item_size(part.row) for part in parts], [len(p.rows) for p in parts]
        )
        ends = targets + counts * sizes
        ends += 4
        top = highest(ends)
        if top > self.size:
            what = f"its vector runs past the end of the file of {self.size:,} bytes"
            self._require(ends <= self.size, targets, parts, what)
        self.cover_up_to(top, targets, ends, begins=True)
        share(parts, "counts", counts)

    def _require_ends(self, parts: list[Part]) -> None:
        """Checks that a zero stands behind every text."""
        ends = joined([part.targets + part.counts for part in parts])
        ends += 4
        top = highest(ends) + 1
        if top > self.size or bits_of(self.column(U1)[ends]):
            good = ends < self.size
            good[good] = self.column(U1)[ends[good]] == 0
            self._require(good, ends, parts, "the string has no end")
        self.cover_up_to(top, ends, 1)


def stated_fields(
    head: Part, offsets: NDArray[np.uint16], counts: list[int]
) -> dict[int, Part]:
    """The fields that any table of a type states, by slot."""
    slots, parts = SLOTS[head.table], {}
    for slot, number in enumerate(counts[: len(slots)]):
        if not number:
            continue
        row, width = slots[slot]
        if number == len(head.rows):
            parts[slot] = Part(head.table, row, head.rows, head.places + offsets[slot], width)
        else:
            rows = offsets[slot].nonzero()[0]
            places = head.places[rows] + offsets[slot, rows]
            parts[slot] = Part(head.table, row, rows, places, width)
    return parts
