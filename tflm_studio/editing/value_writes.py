# SPDX-License-Identifier: Apache-2.0
"""Stored numbers as few bytes at few places."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.model.tensor_types import Array, ElementType, encode

EDIT_BYTES = 128  # what an edit costs beside its bytes: writing fewer of those is no gain
Write = tuple[int, bytes]  # where, and what


def dense_write(start: int, raw: Array, differs: NDArray[np.bool_]) -> Write | None:
    """One write of consecutive numbers, if most of them are others.

    Args:
        start: Index of the first in the buffer.
        raw: What is to be stored, of a type that fills whole bytes.
        differs: Which of them are others than those of now.
    """
    count = int(np.count_nonzero(differs))
    if not count:
        return None
    first, stop = int(differs.argmax()), len(differs) - int(differs[::-1].argmax())
    if 2 * count < stop - first:
        return None
    size = raw.dtype.itemsize
    return (start + first) * size, raw[first:stop].tobytes()


def writes_of(
    contents: BufferContents, flat: NDArray[np.int64], raw: Array, most: int
) -> list[Write]:
    """Where which bytes go; small gaps between elements are written over.

    Args:
        contents: What is there now.
        flat: Elements by ascending index, one or more.
        raw: What is to be stored in them.
        most: So many writes at most.
    """
    kind = contents.kind
    per_byte = 8 // kind.bits if kind.is_packed else 1
    size = max(1, kind.bits // 8)
    gaps = (flat[1:] // per_byte - flat[:-1] // per_byte - 1) * size
    cuts = np.flatnonzero(gaps > EDIT_BYTES) + 1
    if len(cuts) >= most:
        widest = np.argpartition(-gaps[cuts - 1], most - 1)[: most - 1]
        cuts = np.sort(cuts[widest])
    data = contents.data or b""
    found = []
    for first, stop in zip([0, *cuts.tolist()], [*cuts.tolist(), len(flat)], strict=True):
        start, end = int(flat[first]), int(flat[stop - 1]) + 1
        found.append(_span(data, kind, start, end, flat[first:stop], raw[first:stop]))
    return found


def _span(
    data: bytes | memoryview,
    kind: ElementType,
    start: int,
    end: int,
    flat: NDArray[np.int64],
    raw: Array,
) -> tuple[int, bytes]:
    if not kind.is_packed:
        size = kind.bits // 8
        span = np.frombuffer(data, kind.storage, end - start, start * size).copy()
        span[flat - start] = raw
        return start * size, span.tobytes()
    per_byte = 8 // kind.bits
    first, stop = start // per_byte, -(-end // per_byte)
    # All bits of the bytes, so that those behind the last element stay.
    filled = np.frombuffer(data, np.uint8, stop - first, first)
    shifts = np.arange(0, 8, kind.bits, dtype=np.uint8)
    slots = ((filled[:, None] >> shifts) & ((1 << kind.bits) - 1)).reshape(-1)
    slots[flat - first * per_byte] = raw.astype(np.int64) & ((1 << kind.bits) - 1)
    return first, encode(slots, kind)


def joined(writes: Iterable[Write]) -> list[Write]:
    """Writes that follow each other as one."""
    found: list[tuple[int, list[bytes]]] = []
    end = -1
    for offset, data in writes:
        if offset == end:
            found[-1][1].append(data)
        else:
            found.append((offset, [data]))
        end = offset + len(data)
    return [(offset, b"".join(parts)) for offset, parts in found]
