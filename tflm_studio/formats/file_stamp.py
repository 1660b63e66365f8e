# SPDX-License-Identifier: Apache-2.0
"""Noticing that another program has changed a file, also by putting a new one in its place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple


class FileStamp(NamedTuple):
    """What a change of a file leaves different.

    Attributes:
        device: The disk.
        inode: The file on it.
        size: Its bytes.
        time_ns: When it was written to; programs may set that back.
        touched_ns: When anything about it was changed, its mode or its name as well.
    """

    device: int
    inode: int
    size: int
    time_ns: int
    touched_ns: int

    def is_same_writing(self, other: FileStamp) -> bool:
        """Whether nobody has written since, as far as the file says so itself."""
        return self[:-1] == other[:-1]


def stamp_from(status: os.stat_result) -> FileStamp:
    """The stamp of a file that `os.stat` described."""
    return FileStamp(
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def stamp_of(path: Path) -> FileStamp | None:
    """The stamp of a file as it is now, None if there is none."""
    try:
        return stamp_from(path.stat())
    except OSError:
        return None


def is_same_path(a: Path, b: Path) -> bool:
    """Whether two paths lead to the same place, however they are spelled."""
    try:
        return a == b or os.path.realpath(a) == os.path.realpath(b)
    except (OSError, ValueError):
        return False
