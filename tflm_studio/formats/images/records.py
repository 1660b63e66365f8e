# SPDX-License-Identifier: Apache-2.0
"""Intel HEX and Motorola S-records: lines of hex digits with an address and a checksum.

The kept libraries (bincopy, intelhex) forget which line a byte came from, so they could only
write the whole file anew. Here the lines that do not change stay as they are.
"""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Iterator
from typing import NoReturn

from tflm_studio.formats.images.memory import Piece, PieceImage
from tflm_studio.model.errors import ReadError

_HEX_LINE = re.compile(rb"^[ \t]*:([0-9A-Fa-f]+)", re.MULTILINE)
_SREC_LINE = re.compile(rb"^[ \t]*S([0-9])([0-9A-Fa-f]+)", re.MULTILINE)
_HEX_START = re.compile(rb"(?:\s|[#;/][^\n]*\n)*:[0-9A-Fa-f]{10}")
_SREC_START = re.compile(rb"\s*(S[0-3](?:[0-9A-Fa-f]{2}){4,})[ \t]*(?:\r|\n|\Z)")
_HEX_DATA, _HEX_END, _HEX_SEGMENT, _HEX_LINEAR = 0, 1, 2, 4
_SREC_ADDRESS_BYTES = {b"1": 2, b"2": 3, b"3": 4}


def looks_like_hex(head: bytes) -> bool:
    """Whether a file that begins so is Intel HEX."""
    return _HEX_START.match(head) is not None


def looks_like_srec(head: bytes) -> bool:
    """Whether a file that begins so has S-records."""
    match = _SREC_START.match(head)
    body = unhexlify(match[1][2:]) if match is not None else b""
    return bool(body) and len(body) == body[0] + 1 and sum(body) & 255 == 255


def hex_image(text: bytes, name: str) -> PieceImage:
    """Reads Intel HEX.

    Raises:
        ReadError: A record is damaged; says in which line.
    """
    return PieceImage("Intel HEX", text, list(_hex_pieces(text, name)), _hex_rewritten)


def srec_image(text: bytes, name: str) -> PieceImage:
    """Reads Motorola S-records.

    Raises:
        ReadError: A record is damaged; says in which line.
    """
    return PieceImage("S-record", text, list(_srec_pieces(text, name)), _srec_rewritten)


def _hex_pieces(text: bytes, name: str) -> Iterator[Piece]:
    base = 0
    for match in _HEX_LINE.finditer(text):
        body = _bytes(match[1], text, match.start(), name)
        if len(body) < 5 or len(body) != body[0] + 5 or sum(body) & 255:
            _refuse(text, match.start(), name)
        kind = body[3]
        if kind == _HEX_DATA:
            address = base + (body[1] << 8 | body[2])
            yield Piece(address, body[4:-1], match.start(1), match.end(1))
        elif kind == _HEX_END:
            return
        elif kind in (_HEX_SEGMENT, _HEX_LINEAR) and len(body) == 7:
            base = (body[4] << 8 | body[5]) << (4 if kind == _HEX_SEGMENT else 16)


def _srec_pieces(text: bytes, name: str) -> Iterator[Piece]:
    for match in _SREC_LINE.finditer(text):
        body = _bytes(match[2], text, match.start(), name)
        if not body or len(body) != body[0] + 1 or sum(body) & 255 != 255:
            _refuse(text, match.start(), name)
        width = _SREC_ADDRESS_BYTES.get(match[1])
        if width is not None and len(body) >= width + 2:
            address = int.from_bytes(body[1 : 1 + width], "big")
            yield Piece(address, body[1 + width : -1], match.start(1), match.end(2))


def _bytes(digits: bytes, text: bytes, at: int, name: str) -> bytes:
    if len(digits) % 2:
        _refuse(text, at, name)
    return unhexlify(digits)


def _refuse(text: bytes, at: int, name: str) -> NoReturn:
    line = text.count(b"\n", 0, at) + 1
    raise ReadError(
        f"{name}, line {line}: the record is damaged: its length or checksum is wrong. Get "
        "the file again."
    )


def _hex_rewritten(record: bytes, at: int, data: bytes) -> bytes:
    body = bytearray.fromhex(record.decode())
    body[4 + at : 4 + at + len(data)] = data
    body[-1] = -sum(body[:-1]) & 255
    return _spelled(body, record)


def _srec_rewritten(record: bytes, at: int, data: bytes) -> bytes:
    body = bytearray.fromhex(record[1:].decode())
    start = 1 + _SREC_ADDRESS_BYTES[record[:1]] + at
    body[start : start + len(data)] = data
    body[-1] = ~sum(body[:-1]) & 255
    return record[:1] + _spelled(body, record)


def _spelled(body: bytearray, record: bytes) -> bytes:
    """Hex digits in the case of a record; upper, as usual, if it has no letters."""
    digits = body.hex()
    return (digits if re.search(rb"[a-f]", record) else digits.upper()).encode()
