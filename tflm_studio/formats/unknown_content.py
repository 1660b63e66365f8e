# SPDX-License-Identifier: Apache-2.0
"""Fields that the schema does not know: whether they hold a number or lead to something.

A file of a newer schema has fields of which only the bytes in the table are seen. To write the
table at another place, a number is copied, but an offset must lead to the same content again.
Which of both it is shows in the tables that state the field: an offset is a multiple of 4 that
leads to a vector, text or table which nothing known refers to. One table where it cannot be
one decides for all. Where nobody can say, such a table is only written where it stands.

What offsets lead to is part of the old flatbuffer, which is carried along in one piece: all
offsets in it count from where they stand.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from enum import Enum

from tflm_studio.formats.flatbuffer_scan import Scan
from tflm_studio.schema.structure import OpaqueMember, Table, UnknownField

WIDEST = 8  # bytes of a number


class _Sign(Enum):
    NUMBER = "cannot be an offset: no object can begin where it leads"
    OFFSET = "leads to content that nothing known refers to"
    UNLIKELY = "leads between known content to what is no object"
    EITHER = "may be a number, or lead to something known as well, or to an empty vector"


def settle(scan: Scan) -> int:
    """Finds out what the unknown fields of a scan with coverage are, and notes it in them.

    Returns:
        Where the content that they lead to ends, as far as that can be told: the end of the
        flatbuffer, or of the file if they lead behind what is known. 0 if none leads anywhere.
    """
    ground = _Ground(scan)
    targets = list(_opaque_targets(scan))
    for table in scan.types:
        for fields in _alike(scan, table):
            targets += _settle_alike(ground, fields)
    if not targets:
        return 0
    return scan.size if max(targets) >= scan.end else scan.end


def _opaque_targets(scan: Scan) -> Iterator[int]:
    """Where union members of unknown kind stand."""
    for table, found in scan.types.items():
        for row in table.FIELDS:
            if row.members:
                for value in found.columns.get(row.name, ()):
                    if isinstance(value, OpaqueMember) and value.offset is not None:
                        yield value.offset


def _alike(scan: Scan, table: type[Table]) -> list[list[UnknownField]]:
    """The unknown fields of a table type, those of the same slot together."""
    by_slot: dict[int, list[UnknownField]] = {}
    for extra in scan.types[table].extras:
        for slot, field in extra.unknown.items() if extra else ():
            by_slot.setdefault(slot, []).append(field)
    return list(by_slot.values())


def _settle_alike(ground: _Ground, fields: list[UnknownField]) -> list[int]:
    signs = {ground.sign_of(field) for field in fields}
    is_number = _Sign.NUMBER in signs or signs <= {_Sign.UNLIKELY}
    is_offset = not is_number and _Sign.OFFSET in signs and _Sign.UNLIKELY not in signs
    targets = []
    for field in fields:
        field.is_clear = (is_number or is_offset) and not any(field.raw[WIDEST:])
        target = _target(field)
        if is_offset and field.is_clear and target is not None:
            field.target, field.word = target, ground.word(target)
            targets.append(target)
    return targets


def _target(field: UnknownField) -> int | None:
    """Where the field leads if it is an offset, None if it cannot be one."""
    if field.place % 4 or len(field.raw) < 4 or any(field.raw[4:]):
        return None
    distance = int.from_bytes(field.raw[:4], "little")
    target = field.place + distance
    return target if 0 < distance < 2**31 and not target % 4 else None


class _Ground:
    """What stands where in a file: known content, and holes between."""

    def __init__(self, scan: Scan) -> None:
        self.view, self.size = scan.view, scan.size
        holes = [*scan.holes(), (scan.end, scan.size)]
        self.starts = [start for start, _ in holes]
        self.ends = [end for _, end in holes]
        self.known = scan.known_starts()

    def word(self, at: int) -> bytes:
        return bytes(self.view[at : at + 4])

    def sign_of(self, field: UnknownField) -> _Sign:
        target = _target(field)
        if target is None or target > self.size - 4:
            return _Sign.NUMBER
        if target in self.known:
            return _Sign.EITHER
        hole = bisect_right(self.starts, target) - 1
        if hole < 0 or target + 4 > self.ends[hole]:
            return _Sign.NUMBER
        if not any(self.word(target)):
            return _Sign.EITHER  # an empty vector, or the padding between two objects
        end = self.ends[hole]
        is_sound = self._is_vector(target, end) or self._is_table(target, end)
        return _Sign.OFFSET if is_sound else _Sign.UNLIKELY

    def _is_vector(self, at: int, end: int) -> bool:
        return int.from_bytes(self.word(at), "little") <= end - at - 4

    def _is_table(self, at: int, end: int) -> bool:
        vtable = at - int.from_bytes(self.word(at), "little", signed=True)
        if vtable % 2 or not 8 <= vtable <= self.size - 4:
            return False
        size, inline = struct.unpack_from("<2H", self.view, vtable)
        return bool(size >= 4 and size % 2 == 0 and inline >= 4 and at + inline <= end)
