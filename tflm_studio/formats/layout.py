# SPDX-License-Identifier: Apache-2.0
"""The stretches that make up a file: where each stands, and what lies between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from tflm_studio.formats.checked_bytes import Positions
from tflm_studio.formats.head_words import PREFIX

BytesLike = bytes | bytearray | memoryview

# Every vector of bytes starts 16-aligned: `Buffer.data` must (force_align in the schema), and
# flexbuffers in custom options are read in place by kernels that cannot read unaligned words.
BLOB_ALIGN = 16
SMALL = 4096  # bytes up to which a blob is copied rather than written by itself
WHOLE = 2**20  # bytes up to which a file is copied into one piece, which is written faster
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


class Stretches:
    """What is known of a file to be written, until it is joined.

    Args:
        kept: Bytes that stay where they are; nothing else is placed over them.

    Attributes:
        end: Where the last thing that was stacked ends.
    """

    def __init__(self, kept: Sequence[Kept]) -> None:
        self.kept = sorted(kept, key=lambda each: each.at)
        self.chunks: list[tuple[int, BytesLike]] = [(each.at, each.data) for each in self.kept]
        self.end = 0

    def put(self, at: int, data: BytesLike) -> None:
        """Places bytes; where they end does not matter to what is stacked."""
        self.chunks.append((at, data))

    def room_for(self, first: int, nbytes: int) -> int:
        """How far bytes that begin at `first` must be moved to lie over nothing kept."""
        shift = 0
        for each in self.kept:
            if shift + first + nbytes <= each.at:
                break
            shift = up(each.at + len(each.data), BLOB_ALIGN)
        return shift

    def stack(self, blobs: list[memoryview], ahead: int = 0) -> Positions:
        """Places blobs behind everything, each aligned to 16 bytes.

        Args:
            blobs: What to place.
            ahead: `PREFIX` if the length of each stands before it.

        Returns:
            Where each begins, with what stands before it.
        """
        if not blobs:
            return np.zeros(0, np.int64)
        lengths = np.fromiter(map(len, blobs), np.int64, len(blobs))
        starts = self._starts(lengths, ahead)
        places = starts.tolist()
        if ahead and int(lengths.max()) <= SMALL and not self.kept:
            self.chunks.append((places[0], _in_one_piece(starts, lengths, blobs)))
        else:
            for begin, blob in zip(places, blobs, strict=True):
                prefix = len(blob).to_bytes(PREFIX, "little") if ahead else b""
                if len(blob) <= SMALL:
                    self.chunks.append((begin, prefix + blob))
                else:
                    self.chunks += ((begin, prefix), (begin + ahead, blob))
        self.end = up(places[-1] + ahead + int(lengths[-1]), BLOB_ALIGN)
        return starts

    def _starts(self, lengths: Positions, ahead: int) -> Positions:
        """Where blobs begin one behind the other, stepping over the kept bytes."""
        nbytes = lengths + ahead
        nbytes += -nbytes % BLOB_ALIGN
        lead = -ahead % BLOB_ALIGN
        starts: Positions = up(self.end, BLOB_ALIGN) + lead + np.cumsum(nbytes) - nbytes
        for each in self.kept:
            resume = up(each.at + len(each.data), BLOB_ALIGN) + lead
            late = np.flatnonzero(starts + ahead + lengths > each.at)
            if len(late) and starts[late[0]] < resume:
                starts[late[0] :] += resume - starts[late[0]]
        return starts

    def joined(self) -> Layout:
        """The file, with zeros in its gaps."""
        self.chunks.sort(key=itemgetter(0))
        size = max(at + len(data) for at, data in self.chunks)
        if size <= WHOLE:
            whole = bytearray(size)
            for at, data in self.chunks:
                whole[at : at + len(data)] = data
            return Layout(size, [whole])
        segments: list[BytesLike] = []
        end = 0
        for at, data in self.chunks:
            segments += _zeros(at - end)
            segments.append(data)
            end = at + len(data)
        return Layout(size, segments)


def _in_one_piece(starts: Positions, lengths: Positions, blobs: list[memoryview]) -> bytearray:
    """Many small blobs with their lengths, copied: writing each by itself takes longer."""
    offsets = starts - starts[0]
    piece = bytearray(int(offsets[-1] + lengths[-1]) + PREFIX)
    words = np.frombuffer(piece, "<u4", len(piece) // 4)
    words[offsets >> 2] = lengths
    begins = (offsets + PREFIX).tolist()
    for begin, length, blob in zip(begins, lengths.tolist(), blobs, strict=True):
        piece[begin : begin + length] = blob
    return piece


def _zeros(count: int) -> Iterator[BytesLike]:
    """So many zeros in pieces: kept bytes may stand gigabytes behind the rest."""
    while count > 0:
        yield _ZEROS[:count]
        count -= len(_ZEROS)


def memory_of(data: memoryview) -> tuple[int, int]:
    """Where bytes are in memory, and how many."""
    address = np.frombuffer(data, np.uint8).ctypes.data if len(data) else 0
    return int(address), len(data)


def up(value: int, unit: int) -> int:
    """The next multiple of a unit."""
    return value + -value % unit
