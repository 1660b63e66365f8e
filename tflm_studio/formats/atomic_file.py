# SPDX-License-Identifier: Apache-2.0
"""Writing a file so that either the old one or the complete new one is there."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from tflm_studio.model.errors import WriteError

BytesLike = bytes | bytearray | memoryview

REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your quota on this disk is used up",
    errno.EFBIG: "the file is larger than this disk or its limit allows",
    errno.EACCES: "you may not write there",
    errno.EPERM: "you may not write there",
    errno.EROFS: "this disk is read-only",
    errno.ENOENT: "the folder does not exist",
    errno.EISDIR: "this is a folder",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.ENAMETOOLONG: "the name is too long",
}


def write_atomically(
    path: Path, segments: Iterable[BytesLike], check: Callable[[Path], None] | None = None
) -> None:
    """Writes a file beside the target, then puts it in its place in one step.

    The mode of an existing file is kept; a symbolic link stays and its target is replaced.

    Args:
        path: The file to make or replace.
        segments: Its contents in order.
        check: Called with the finished temporary file; what it raises leaves `path` alone.

    Raises:
        WriteError: The file could not be written; an old one is as it was.
    """
    target = path.resolve()
    temporary = None
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "is read-only")
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        temporary = Path(name)
        with open(handle, "wb") as file:
            file.writelines(segments)
            file.flush()
            os.fchmod(file.fileno(), _mode_for(target))
            os.fsync(file.fileno())
        if check is not None:
            check(temporary)
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as error:
        raise WriteError(_explain(path, error)) from error
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                temporary.unlink()


def _mode_for(target: Path) -> int:
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _explain(path: Path, error: OSError) -> str:
    reason = REASONS.get(error.errno or 0, error.strerror or str(error))
    return f"{path}: cannot be saved: {reason}. Nothing was changed; save under another name."
