# SPDX-License-Identifier: Apache-2.0
"""Where two models differ, field by field."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import numpy as np

from tflm_studio.model.address import Address
from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.model.mapped_bytes import release
from tflm_studio.model.outside import lasting_values
from tflm_studio.schema.associated_file import AssociatedFile
from tflm_studio.schema.structure import Field, Kind, Table

PIECE_BYTES = 2**18
RELEASED_BYTES = 2**25  # of a mapped file that were compared leave the memory
SUBGRAPHS = "subgraphs"


def differences(old: Table, new: Table, address: Address = ()) -> Iterator[Address]:
    """Addresses of the fields that differ.

    Where a vector of tables has another length, or a union another kind, the field itself is
    named and nothing below it. Floats are compared by their bits. Where bytes outside the
    flatbuffer stand is no difference: that changes with every file.
    """
    if type(old) is not type(new):
        yield address
        return
    lasting = lasting_values(old), lasting_values(new)
    for row in old.ROWS:
        a, b = getattr(old, row.name), getattr(new, row.name)
        if row.name in lasting[0] and row.name in lasting[1]:
            a, b = lasting[0][row.name], lasting[1][row.name]
        if a is b:
            continue
        place = (*address, row.name)
        if row.kind is Kind.TABLES and a is not None and b is not None and len(a) == len(b):
            for index, (x, y) in enumerate(zip(a, b, strict=True)):
                yield from differences(x, y, (*place, index))
        elif isinstance(a, Table) and isinstance(b, Table):
            yield from differences(a, b, place)
        elif not same_value(row, a, b):
            yield place


def has_same_lists(old: Table, new: Table) -> bool:
    """Whether all lists of tables in the flatbuffer have as many items, two levels deep.

    A small part of the time that `differences` takes; where they have not, no comparison is
    needed to know that nothing can be patched.
    """
    for row in old.FIELDS:
        a, b = getattr(old, row.name), getattr(new, row.name)
        if row.kind is not Kind.TABLES or a is b:
            continue
        if a is None or b is None or len(a) != len(b):
            return False
        if row.name == SUBGRAPHS and not all(map(has_same_lists, a, b)):
            return False
    return True


def same_value(row: Field, a: Any, b: Any) -> bool:
    """Whether two values of a field without tables are the same in a file."""
    if a is None or b is None:
        return a is b
    if row.kind is Kind.BYTES:
        return same_bytes(a, b)
    if row.kind is Kind.SCALARS:
        return len(a) == len(b) and all(map(_same_number, a, b))
    if row.kind is Kind.SCALAR:
        return _same_number(a, b)
    if row.kind is Kind.STRING:
        # Two spellings with surrogate escapes may be the same bytes.
        return a == b or encoded_text(a) == encoded_text(b)
    return bool(a == b)


def same_files(a: list[AssociatedFile] | None, b: list[AssociatedFile] | None) -> bool:
    """Whether two models have the same associated files: names, bytes, order.

    No list is the same as an empty one, and no bytes are the same as none.
    """
    first, second = a or [], b or []
    return len(first) == len(second) and all(map(_same_file, first, second))


def _same_file(a: AssociatedFile, b: AssociatedFile) -> bool:
    first, second = (b"" if file.data is None else file.data for file in (a, b))
    return a.name == b.name and same_bytes(first, second)


def encoded_text(text: str) -> bytes:
    """The bytes of a string as a file holds them."""
    return text.encode("utf-8", "surrogateescape")


def same_bytes(a: Any, b: Any) -> bool:
    """Whether two things with bytes hold the same bytes; costs one pass over both."""
    x, y = np.frombuffer(a, np.uint8), np.frombuffer(b, np.uint8)
    # Piece by piece: comparing at once would need another half a gigabyte for so many bytes.
    if len(x) != len(y):
        return False
    for at in range(0, len(x), PIECE_BYTES):
        check_cancelled()
        if not np.array_equal(x[at : at + PIECE_BYTES], y[at : at + PIECE_BYTES]):
            return False
        done = at + PIECE_BYTES
        if done % RELEASED_BYTES == 0:
            for data in (a, b):
                release(data, done - RELEASED_BYTES, done)
    return True


def _same_number(a: float, b: float) -> bool:
    if isinstance(a, float) or isinstance(b, float):
        return struct.pack("<d", a) == struct.pack("<d", b)
    return a == b
