# SPDX-License-Identifier: Apache-2.0
"""Bytes at an address as the records of an Intel HEX file."""

from __future__ import annotations

from binascii import hexlify
from collections.abc import Iterable, Iterator

import numpy as np

BYTES_PER_RECORD = 16
END_RECORD = b":00000001FF\n"
_BANK = 2**16  # bytes that one extended address reaches


def hex_records(
    segments: Iterable[bytes | bytearray | memoryview], address: int
) -> Iterator[bytes]:
    """Yields the lines of a file, piece by piece.

    Args:
        segments: The bytes, cut anywhere.
        address: Where the first one goes.
    """
    pending, is_first = bytearray(), True
    for segment in segments:
        for start in range(0, len(segment), _BANK):
            pending += memoryview(segment)[start : start + _BANK]
            # No record crosses into the next bank: readers would wrap around.
            while len(pending) >= (room := _BANK - address % _BANK):
                yield _bank(bytes(pending[:room]), address, is_named=is_first)
                del pending[:room]
                address, is_first = address + room, True
    if pending:
        yield _bank(bytes(pending), address, is_named=is_first)
    yield END_RECORD


def _bank(data: bytes, address: int, *, is_named: bool) -> bytes:
    """The records of bytes of one bank."""
    lines = [_record(4, 0, (address // _BANK).to_bytes(2, "big"))] if is_named else []
    whole = len(data) - len(data) % BYTES_PER_RECORD
    if whole:
        lines.append(_full_records(data[:whole], address % _BANK))
    if whole < len(data):
        lines.append(_record(0, (address + whole) % _BANK, data[whole:]))
    return b"".join(lines)


def _full_records(data: bytes, address: int) -> bytes:
    count = len(data) // BYTES_PER_RECORD
    body = np.zeros((count, 4 + BYTES_PER_RECORD + 1), np.uint8)
    addresses = address + np.arange(count) * BYTES_PER_RECORD
    body[:, 0], body[:, 1], body[:, 2] = BYTES_PER_RECORD, addresses >> 8, addresses & 255
    body[:, 4:-1] = np.frombuffer(data, np.uint8).reshape(count, -1)
    body[:, -1] = -body.sum(axis=1, dtype=np.int64) & 255
    digits = np.frombuffer(hexlify(body.tobytes()).upper(), np.uint8).reshape(count, -1)
    lines = np.empty((count, digits.shape[1] + 2), np.uint8)
    lines[:, 0], lines[:, 1:-1], lines[:, -1] = ord(":"), digits, ord("\n")
    return lines.tobytes()


def _record(kind: int, address: int, data: bytes) -> bytes:
    body = bytes([len(data), address >> 8, address & 255, kind]) + data
    return b":%s%02X\n" % (body.hex().upper().encode(), -sum(body) & 255)
