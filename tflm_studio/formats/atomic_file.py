# SPDX-License-Identifier: Apache-2.0
"""Writing a file so that either the old one or the complete new one is there."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from tflm_studio.formats.snapshot import write_segment
from tflm_studio.model.cancellation import check_cancelled
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

# What people and their programs note about a file, and who else may read it.
KEPT_ATTRIBUTES = ("user.", "system.posix_acl_access")


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file to make or replace.

    Attributes:
        path: Where it goes.
        segments: Its contents in order.
        check: Called with the finished temporary file; what it raises leaves `path` alone.
    """

    path: Path
    segments: Iterable[BytesLike]
    check: Callable[[Path], None] | None = None


def write_atomically(
    path: Path, segments: Iterable[BytesLike], check: Callable[[Path], None] | None = None
) -> None:
    """Writes one file; see `write_all_atomically`."""
    write_all_atomically(NewFile(path, segments, check))


def write_all_atomically(*files: NewFile) -> None:
    """Writes files beside their targets, then puts each in its place in one step.

    All are written and checked before the first is put in its place. Mode, owner and
    attributes of an existing file are kept; a symbolic link stays and its target is replaced.

    Raises:
        WriteError: A file could not be written; old ones are as they were.
    """
    written: list[tuple[Path, Path]] = []
    try:
        for file in files:
            written.append(_write_temporary(file))
            if file.check is not None:
                file.check(written[-1][0])
        _last_look.get()()
        for file, (temporary, target) in zip(files, written, strict=True):
            try:
                os.replace(temporary, target)
            except OSError as error:
                raise WriteError(_explain(file.path, error)) from error
            _sync_folder(target.parent)
    finally:
        for temporary, _ in written:
            with suppress(FileNotFoundError):
                temporary.unlink()


@contextmanager
def looking_before(look: Callable[[], None]) -> Iterator[None]:
    """Has files looked at once more just before they are replaced.

    Args:
        look: What it raises leaves all old files alone. Writing may have taken its time.
    """
    token = _last_look.set(look)
    try:
        yield
    finally:
        _last_look.reset(token)


_last_look: ContextVar[Callable[[], None]] = ContextVar("last_look", default=lambda: None)


@contextmanager
def keeping_backup(path: Path) -> Iterator[None]:
    """Keeps what a file held before beside it, with `.bak` behind its name, if it is replaced.

    If what is done meanwhile fails, an older backup is as it was.

    Raises:
        WriteError: The backup cannot be made.
    """
    try:
        target = _target_of(path)
        backup = target.with_name(f"{target.name}.bak")
        if backup.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        folder = tempfile.TemporaryDirectory(prefix=".backup.", dir=target.parent)
    except OSError as error:
        raise _no_backup(path, error) from error
    with folder as name:
        made = Path(name) / backup.name
        try:
            if target.exists():
                _second_name(target, made)
        except OSError as error:
            raise _no_backup(path, error) from error
        yield
        try:
            if made.exists():
                os.replace(made, backup)
        except OSError as error:
            raise _no_backup(path, error) from error


def _second_name(target: Path, made: Path) -> None:
    try:
        # The file is about to be replaced, not written to: a second name is as good as a copy.
        made.hardlink_to(target)
    except OSError:
        shutil.copy2(target, made)


def _no_backup(path: Path, error: OSError) -> WriteError:
    return WriteError(f"No backup could be kept. {_explain(path, error)}")


def _write_temporary(file: NewFile) -> tuple[Path, Path]:
    """Writes the temporary file; returns its path and that of the file to replace."""
    temporary = None
    try:
        target = _target_of(file.path)
        if target.exists() and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, "is read-only")
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", dir=target.parent)
        temporary = Path(name)
        with open(handle, "wb") as stream:
            for segment in file.segments:
                check_cancelled()
                write_segment(stream, segment)
            stream.flush()
            temporary.chmod(_mode_for(target))
            _take_after(temporary, target)
            os.fsync(stream.fileno())
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise WriteError(_explain(file.path, error)) from error
        raise
    return temporary, target


def _target_of(path: Path) -> Path:
    """The regular file, existing or not, that a path leads to."""
    try:
        target = path.resolve()
    except (RuntimeError, ValueError) as error:  # a loop of links, a NUL in the name
        raise OSError(errno.EINVAL, str(error)) from error
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a folder")
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "this is a device or a pipe, not a file")
    return target


def _mode_for(target: Path) -> int:
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _take_after(temporary: Path, target: Path) -> None:
    """Gives a new file the owner and the attributes of the old one, as far as that is allowed.

    What the system states of the contents, such as a signature, is not true of the new ones.
    """
    if os.name == "nt" or not target.exists():
        return
    old, new = target.stat(), temporary.stat()
    for owner, group in ((-1, old.st_gid), (old.st_uid, -1)):
        if owner not in (-1, new.st_uid) or group not in (-1, new.st_gid):
            with suppress(OSError):
                os.chown(temporary, owner, group)
                temporary.chmod(_mode_for(target))  # another owner may have cost some bits
    if hasattr(os, "listxattr"):
        with suppress(OSError):
            names = [each for each in os.listxattr(target) if each.startswith(KEPT_ATTRIBUTES)]
            for name in names:
                with suppress(OSError):  # one that is refused costs only itself
                    os.setxattr(temporary, name, os.getxattr(target, name))


def _sync_folder(folder: Path) -> None:
    # The file is in its place by now. Systems that cannot sync a folder (Windows, some network
    # shares) say so, which is no failure of the save.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _explain(path: Path, error: OSError) -> str:
    reason = REASONS.get(error.errno or 0, error.strerror or str(error))
    return f"{path}: cannot be saved: {reason}. Nothing was changed; save under another name."
