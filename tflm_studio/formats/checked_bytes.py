# SPDX-License-Identifier: Apache-2.0
"""The bytes of a file as columns of numbers, and which of them something takes up.

Checks of a whole column come in two steps: one reduction that says all is well, as it is in
nearly every file, and a look at each item only if it is not. An OR of all positions shows at
once whether one is negative or not aligned.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_BUFFER_BYTES = 2**31 - 1  # flatbuffers/base.h, FLATBUFFERS_MAX_BUFFER_SIZE

U1, U2, U4, U8, I4 = (np.dtype(name) for name in ("u1", "<u2", "<u4", "<u8", "<i4"))

Positions = NDArray[np.int64]


def bits_of(positions: Positions) -> int:
    """All bits that any of the positions has; negative if one of them is."""
    return int(np.bitwise_or.reduce(positions))


def highest(positions: Positions) -> int:
    """The highest of the positions, of which there must be one."""
    return int(np.maximum.reduce(positions))


class CheckedBytes:
    """The bytes of a file that is checked while it is read.

    Args:
        data: The bytes; never written to.
        with_coverage: Whether to note which bytes are in use, for `holes`.

    Attributes:
        view: All bytes, read-only.
        size: How many of them a flatbuffer can use.
        end: Where the last thing that has been read ends.
    """

    def __init__(
        self, data: bytes | bytearray | memoryview, *, with_coverage: bool = False
    ) -> None:
        self.view = memoryview(data).toreadonly()
        self.size = min(len(self.view), MAX_BUFFER_BYTES)
        self.end = 8
        self._columns: dict[np.dtype[Any], NDArray[Any]] = {}
        self._covered: list[tuple[Positions, Positions]] | None = [] if with_coverage else None
        self._starts: list[Positions] = []

    def column(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """The whole file as an array of `dtype`, cut to whole items."""
        found = self._columns.get(dtype)
        if found is None:
            count = self.size // dtype.itemsize
            found = self._columns[dtype] = np.frombuffer(self.view, dtype, count)
        return found

    def cover(self, starts: Positions, ends: Positions) -> None:
        """Notes bytes that something of the model takes up."""
        if len(ends):
            self.cover_up_to(highest(ends), starts, ends)

    def cover_up_to(
        self, end: int, starts: Positions, ends: Positions | int, *, begins: bool = False
    ) -> None:
        """The same where the highest end is known.

        Args:
            end: The highest end.
            starts: Where the stretches start.
            ends: Where each ends, or how long all are.
            begins: Whether objects begin at the starts, to which offsets may lead.
        """
        self.end = max(self.end, end)
        if self._covered is not None:
            self._covered.append((starts, starts + ends if isinstance(ends, int) else ends))
            if begins:
                self._starts.append(starts)

    def known_starts(self) -> frozenset[int]:
        """Where tables, vectors and texts begin; only with coverage."""
        return frozenset(np.concatenate(self._starts).tolist())

    def holes(self) -> list[tuple[int, int]]:
        """Start and end of the stretches that nothing of the model takes up.

        Only with coverage. What follows the last thing is not among them.
        """
        assert self._covered is not None
        starts, ends = (np.concatenate(part) for part in zip(*self._covered, strict=True))
        order = np.argsort(starts, kind="stable")
        reached = np.maximum.accumulate(np.concatenate([[8], ends[order]]))
        gaps = np.flatnonzero(starts[order] > reached[:-1])
        return list(zip(reached[gaps].tolist(), starts[order][gaps].tolist(), strict=True))
