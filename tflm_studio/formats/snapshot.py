# SPDX-License-Identifier: Apache-2.0
"""A large file as it was when it was opened: mapped, not read.

The mapping is of a private copy, because another program may cut the file or write into it
while it is open here; a mapping of the file itself would then show other bytes, or end this
process. The system makes the copy (`copy_file_range`), which on some file systems shares the
blocks. The copy has no name, so nothing is left of it when the process ends, however it ends.
"""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
import weakref
from contextlib import suppress
from io import BufferedWriter
from pathlib import Path

import numpy as np
import platformdirs

from tflm_studio.model.cancellation import check_cancelled

BytesLike = bytes | bytearray | memoryview

SMALLEST = 2**20  # bytes for which a page is worth more than a copy
_STEP = 2**25  # bytes that one call of the system copies
_SHIFTED_STEP = 2**18  # bytes that are copied at once by way of memory
# What systems say that cannot copy between these two files.
_CANNOT = frozenset(
    (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM)
)


class Snapshot(mmap.mmap):
    """The mapped private copy of a file.

    Attributes:
        handle: Its file descriptor, open as long as the mapping is in use.
    """

    handle: int


class PrivatePages(mmap.mmap):
    """A stretch of a snapshot that can be written to: pages are copied as that happens."""


def take_snapshot(path: Path) -> Snapshot:
    """Maps a private copy of a file, which must not be empty.

    Raises:
        OSError: The file cannot be read, or the copy cannot be written.
    """
    # Windows lets nobody cut a file that is mapped, and has no files without a name.
    handle = os.open(path, os.O_RDONLY) if os.name == "nt" else _private_copy(path)
    try:
        snapshot = Snapshot(handle, 0, access=mmap.ACCESS_READ)
    except BaseException:
        os.close(handle)
        raise
    snapshot.handle = handle
    weakref.finalize(snapshot, os.close, handle)
    return snapshot


def _private_copy(path: Path) -> int:
    copy = _nameless_file()
    try:
        with path.open("rb", buffering=0) as file:
            _copy_sparse(file.fileno(), copy, os.fstat(file.fileno()).st_size)
    except BaseException:
        os.close(copy)
        raise
    return copy


def snapshot_folder() -> Path:
    """Where private copies are made; it stays empty to the eye.

    The cache folder, or that for temporary files where nobody can write to the cache.
    """
    folder = platformdirs.user_cache_path("tflm-studio")
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    usable = os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)
    return folder if usable else Path(tempfile.gettempdir())


def _nameless_file() -> int:
    handle, name = tempfile.mkstemp(dir=snapshot_folder())
    os.unlink(name)
    return handle


def _copy_sparse(source: int, target: int, size: int) -> None:
    """Copies a file, leaving out the holes it has on the disk."""
    os.ftruncate(target, size)
    at = 0
    while at < size:
        try:
            at = os.lseek(source, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:  # nothing but a hole is left
                return
            end = size  # this system knows no holes
        else:
            end = os.lseek(source, at, os.SEEK_HOLE)
        _copy_range(source, target, at, end)
        at = end


def _copy_range(source: int, target: int, at: int, end: int) -> None:
    while at < end:
        check_cancelled()
        count = min(end - at, _STEP)
        done = _copied_by_system(source, target, count, at, at)
        if done is None:
            done = os.pwrite(target, os.pread(source, min(count, SMALLEST), at), at)
        if not done:
            raise OSError(errno.EIO, "the file was cut while it was read")
        at += done


def _copied_by_system(
    source: int, target: int, count: int, at: int, to: int | None = None
) -> int | None:
    """How many bytes the system copied, None if it cannot between these files."""
    if not hasattr(os, "copy_file_range"):
        return None
    try:
        return os.copy_file_range(source, target, count, at, to)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return None


def snapshot_of(data: BytesLike) -> tuple[Snapshot, int] | None:
    """The snapshot that bytes are a piece of, and where they start in it; None for others."""
    if not isinstance(data, memoryview) or not isinstance(data.obj, Snapshot):
        return None
    return data.obj, _address(data) - _address(memoryview(data.obj))


def _address(data: memoryview) -> int:
    return int(np.frombuffer(data, np.uint8).ctypes.data)


def is_writable(data: object) -> bool:
    """Whether bytes are of the kind that `writable` makes."""
    return isinstance(data, bytearray) or (
        isinstance(data, memoryview) and isinstance(data.obj, PrivatePages)
    )


def writable(data: BytesLike) -> bytearray | memoryview:
    """The same bytes, free to be changed: of a snapshot only what is written to is copied."""
    found = snapshot_of(data) if len(data) >= SMALLEST else None
    if found is None:
        return bytearray(data)
    snapshot, start = found
    ahead = start % mmap.ALLOCATIONGRANULARITY
    try:
        pages = PrivatePages(
            snapshot.handle, ahead + len(data), access=mmap.ACCESS_COPY, offset=start - ahead
        )
    except OSError:
        # Every mapping takes a file descriptor, of which there may be no more.
        return bytearray(data)
    return memoryview(pages)[ahead:]


def write_segment(stream: BufferedWriter, segment: BytesLike) -> None:
    """Writes bytes at the end of a file; large ones of a snapshot are copied by the system.

    Raises:
        OSError: The disk is full, or fails.
    """
    found = snapshot_of(segment) if len(segment) >= SMALLEST else None
    if found is None:
        stream.write(segment)
        return
    snapshot, start = found
    stream.flush()
    if hasattr(os, "preadv") and (stream.tell() - start) % mmap.PAGESIZE:
        _copy_shifted(snapshot.handle, start, len(segment), stream.fileno())
        return
    done = 0
    while done < len(segment):
        check_cancelled()
        count = min(len(segment) - done, _STEP)
        copied = _copied_by_system(snapshot.handle, stream.fileno(), count, start + done)
        if not copied:
            stream.write(segment[done:])
            return
        done += copied


def _copy_shifted(source: int, start: int, count: int, target: int) -> None:
    """Copies bytes to where pages begin at others of them.

    The system would copy each page in two pieces; whole pages of the target, by way of memory
    that the processor has at hand, take four fifths of that time.
    """
    room = memoryview(bytearray(_SHIFTED_STEP))
    ahead = os.lseek(target, 0, os.SEEK_CUR) % mmap.PAGESIZE
    while count:
        check_cancelled()
        piece = room[: min(count, _SHIFTED_STEP - ahead)]
        read = os.preadv(source, [piece], start)
        if not read:
            raise OSError(errno.EIO, "the private copy of the file is shorter than it was")
        written = os.write(target, piece[:read])
        start, count, ahead = start + written, count - written, 0
