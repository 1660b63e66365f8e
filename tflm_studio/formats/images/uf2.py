# SPDX-License-Identifier: Apache-2.0
"""UF2: blocks of 512 bytes, each with an address, that a device takes in as a drive.

The layout is Microsoft's (github.com/microsoft/uf2). No kept library reads it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from hashlib import md5

from tflm_studio.formats.images.memory import Piece, PieceImage

BLOCK_BYTES = 512
_HEAD = struct.Struct("<8I")  # two magics, flags, address, count, number, blocks, family
_MAGICS = struct.pack("<2I", 0x0A324655, 0x9E5D5157)
_END = struct.pack("<I", 0x0AB16F30)
_MOST_DATA = 476
_NOT_FLASH, _IS_FILE, _HAS_MD5 = 0x1, 0x1000, 0x4000
_MD5 = struct.Struct("<2I16s")  # address, count, digest
_MD5_AT = _HEAD.size + _MOST_DATA - _MD5.size


def looks_like_uf2(head: bytes) -> bool:
    """Whether a file that begins so is UF2."""
    return head[:8] == _MAGICS


class Uf2Image(PieceImage):
    """A UF2 file; the MD5 sums that it may state are made anew."""

    def __init__(self, text: bytes) -> None:
        super().__init__("UF2", text, list(_pieces(text)), _rewritten)

    def patched(self, region: int, at: int, data: bytes) -> bytes:
        text = super().patched(region, at, data)
        return _with_sums(text) if text != self._text else text


def _pieces(text: bytes) -> Iterator[Piece]:
    for start in range(0, len(text) - BLOCK_BYTES + 1, BLOCK_BYTES):
        if text[start : start + 8] != _MAGICS:
            continue
        _, _, flags, address, count, *_ = _HEAD.unpack_from(text, start)
        if flags & (_NOT_FLASH | _IS_FILE) or not 0 < count <= _MOST_DATA:
            continue
        data = text[start + _HEAD.size : start + _HEAD.size + count]
        yield Piece(address, data, start, start + BLOCK_BYTES)


def _rewritten(block: bytes, at: int, data: bytes) -> bytes:
    start = _HEAD.size + at
    return block[:start] + data + block[start + len(data) :]


def _with_sums(text: bytes) -> bytes:
    """The file with the MD5 sums of its regions made anew."""
    pieces = list(_pieces(text))
    new = bytearray(text)
    sums: dict[tuple[int, int], bytes] = {}
    for piece in pieces:
        if not struct.unpack_from("<I", text, piece.start + 8)[0] & _HAS_MD5:
            continue
        start, count, _ = _MD5.unpack_from(text, piece.start + _MD5_AT)
        if (start, count) not in sums:
            held = sorted(
                (p.address, p.data) for p in pieces if start <= p.address < start + count
            )
            joined = b"".join(data for _, data in held)[:count]
            sums[start, count] = md5(joined, usedforsecurity=False).digest()
        _MD5.pack_into(new, piece.start + _MD5_AT, start, count, sums[start, count])
    return bytes(new)
