# SPDX-License-Identifier: Apache-2.0
"""What is written into the head of a file: numbers at many places, all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import U1, U2, U4, U8, Positions
from tflm_studio.formats.scan_columns import item_places, joined

_UNSIGNED = {1: U1, 2: U2, 4: U4, 8: U8}
PREFIX = 4  # bytes of the length before a vector


class HeadWords:
    """Numbers and where they go, collected by their width."""

    def __init__(self) -> None:
        self.numbers: dict[int, list[tuple[Positions, NDArray[Any]]]] = {}
        self.vectors: dict[int, list[tuple[Positions, Positions, NDArray[Any]]]] = {}

    def put(self, places: Positions, numbers: NDArray[Any]) -> None:
        """Numbers of any type, each at a multiple of its width."""
        width = numbers.dtype.itemsize
        self._put(width, places, numbers.view(_UNSIGNED[width]))

    def put_offsets(self, places: Positions, targets: Positions) -> None:
        """Offsets that lead from places to others."""
        self._put(4, places, (targets - places).astype(U4))

    def put_vtables(self, places: Positions, vtables: Positions | int) -> None:
        """How far before each table its vtable stands."""
        self._put(4, places, (places - vtables).astype(U4))

    def put_lengths(self, places: Positions, lengths: Positions) -> None:
        """The lengths of vectors, which stand before their items."""
        self._put(4, places, lengths.astype(U4))

    def _put(self, width: int, places: Positions, words: NDArray[Any]) -> None:
        self.numbers.setdefault(width, []).append((places, words))

    def put_items(self, starts: Positions, lengths: Positions, items: NDArray[Any]) -> None:
        """The items of many vectors, one behind the other, each behind its length."""
        width = items.dtype.itemsize
        group = starts, lengths, items.view(_UNSIGNED[width])
        self.vectors.setdefault(width, []).append(group)

    def write(self, head: bytearray) -> None:
        """Writes everything; later numbers over earlier ones at the same place."""
        for width, vectors in self.vectors.items():
            starts, lengths, items = (joined(each) for each in zip(*vectors, strict=True))
            self.put(item_places(starts + PREFIX, lengths, width), items)
        for width, pairs in self.numbers.items():
            words = np.frombuffer(head, _UNSIGNED[width], len(head) // width)
            places, numbers = (joined(each) for each in zip(*pairs, strict=True))
            words[places >> (width.bit_length() - 1)] = numbers
