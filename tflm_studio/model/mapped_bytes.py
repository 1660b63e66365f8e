# SPDX-License-Identifier: Apache-2.0
"""Bytes of a mapped file, which need not stay in memory: the system can read them again."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np


def release(data: Any, start: int, stop: int) -> None:
    """Gives the memory of a stretch of bytes back, if it holds a file that is only read.

    What is read there later is the same. Anything else, such as pages that a program has
    written to, stays as it is.

    Args:
        data: Anything with bytes.
        start: The first of them.
        stop: Where the stretch ends.
    """
    view = memoryview(data)
    mapping = view.obj
    if not hasattr(mmap, "MADV_DONTNEED") or not isinstance(mapping, mmap.mmap):
        return
    whole = memoryview(mapping)
    if not whole.readonly:  # a view of it may be, and its pages are changed all the same
        return
    ahead = _address(view) - _address(whole)
    first = -(-(ahead + start) // mmap.PAGESIZE) * mmap.PAGESIZE
    last = (ahead + stop) // mmap.PAGESIZE * mmap.PAGESIZE
    if first < last:
        mapping.madvise(mmap.MADV_DONTNEED, first, last - first)


def _address(data: memoryview) -> int:
    return int(np.frombuffer(data, np.uint8).ctypes.data)
