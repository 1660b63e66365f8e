# SPDX-License-Identifier: Apache-2.0
"""What an image puts into the memory of a device, and where that stands in its file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

MOST_ALIGNED = 4096


@dataclass(frozen=True, slots=True)
class Region:
    """A stretch of memory without a gap.

    Attributes:
        data: Its bytes.
        address: Where the device has the first one; None if the file does not say.
    """

    data: bytes
    address: int | None = None


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name that the linker or the compiler gave to bytes of a file.

    Attributes:
        name: As a person wrote it.
        start: Byte offset in the file.
        size: How many bytes it stands for; 0 if not known.
    """

    name: str
    start: int
    size: int


class Image(ABC):
    """The contents of an image.

    Attributes:
        kind: What messages call it.
        regions: What it puts where.
    """

    kind: str
    regions: Sequence[Region]

    @abstractmethod
    def file_offset(self, region: int, at: int) -> int:
        """Where in the file the byte `at` of a region begins."""

    @abstractmethod
    def patched(self, region: int, at: int, data: bytes) -> bytes:
        """The file with other bytes in a region, its checksums made anew."""

    def address(self, region: int, at: int) -> int | None:
        """Where the device has a byte, None if the file does not say."""
        start = self.regions[region].address
        return None if start is None else start + at

    def alignment(self, region: int, at: int) -> int:
        """What the address of a byte is a multiple of, as far as that is known."""
        return power_of_two(self.address(region, at) or at)

    def symbol_at(self, region: int, at: int) -> Symbol | None:
        """What begins at a byte, if the file says so."""
        return None

    def member_at(self, region: int, at: int) -> str:
        """The file of an archive that a byte belongs to."""
        return ""

    def notes(self, region: int, at: int) -> list[str]:
        """What is stale once the byte has changed and is not made anew."""
        return []


def power_of_two(address: int) -> int:
    """The largest power of two that an address is a multiple of."""
    return min(address & -address, MOST_ALIGNED) if address else MOST_ALIGNED


class Piece(NamedTuple):
    """Bytes that one record or block of a file puts somewhere.

    Attributes:
        address: Where the first one goes.
        data: The bytes.
        start: Where the record begins in the file.
        end: Where it ends.
    """

    address: int
    data: bytes
    start: int
    end: int


Rewrite = Callable[[bytes, int, bytes], bytes]


class PieceImage(Image):
    """An image whose file has an address for every few bytes.

    Args:
        kind: What messages call it.
        text: The file.
        pieces: Its records, in any order.
        rewrite: Gives the text of a record in which bytes from a place on are others.
    """

    def __init__(
        self, kind: str, text: bytes, pieces: Sequence[Piece], rewrite: Rewrite
    ) -> None:
        self.kind, self._text, self._rewrite = kind, text, rewrite
        self._runs: list[list[Piece]] = []
        end = -1
        for piece in sorted(pieces, key=itemgetter(0)):
            if piece.address != end:
                self._runs.append([])
            self._runs[-1].append(piece)
            end = piece.address + len(piece.data)
        self.regions = [
            Region(b"".join(piece.data for piece in run), run[0].address) for run in self._runs
        ]
        self._starts = [
            list(accumulate((len(piece.data) for piece in run), initial=0))
            for run in self._runs
        ]

    def file_offset(self, region: int, at: int) -> int:
        return self._runs[region][bisect_right(self._starts[region], at) - 1].start

    def patched(self, region: int, at: int, data: bytes) -> bytes:
        text, starts, run = bytearray(self._text), self._starts[region], self._runs[region]
        end = at + len(data)
        first = bisect_right(starts, at) - 1
        for piece, start in zip(run[first:], starts[first:], strict=False):
            if start >= end:
                break
            low, high = max(at, start), min(end, start + len(piece.data))
            new = data[low - at : high - at]
            if new != piece.data[low - start : high - start]:
                record = self._text[piece.start : piece.end]
                text[piece.start : piece.end] = self._rewrite(record, low - start, new)
        return bytes(text)
