# SPDX-License-Identifier: Apache-2.0
"""The bytes of a file that a person names: read, or mapped from a copy if they are many."""

from __future__ import annotations

import errno
import stat
from pathlib import Path

from tflm_studio.formats.file_kinds import HEAD_BYTES, is_json, may_be_image
from tflm_studio.formats.file_stamp import stamp_from, stamp_of
from tflm_studio.formats.firmware_image import MAX_IMAGE_BYTES
from tflm_studio.formats.flatbuffer_scan import IDENTIFIER
from tflm_studio.formats.snapshot import snapshot_folder, take_snapshot
from tflm_studio.model.errors import ReadError

MAX_FILE_BYTES = 2**36
MAPPED_BYTES = 2**24  # smaller files are read faster than they are copied and mapped


def read_bytes(path: Path, symbol: str | None) -> bytes | memoryview:
    """The bytes of a file that may hold a model.

    Args:
        path: The file.
        symbol: Which array of a C source is meant, if one is.

    Raises:
        ReadError: It cannot be read, or is large and no kind of model.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise ReadError(f"{path}: this is a device or a pipe; name a file.")
        if status.st_size > MAX_FILE_BYTES:
            raise ReadError(f"{path}: the file is larger than any model this program reads.")
        is_large = status.st_size >= MAPPED_BYTES
        is_mapped = is_large and _is_flatbuffer(path, symbol)
        data = memoryview(take_snapshot(path)) if is_mapped else path.read_bytes()
        stamp = stamp_of(path)
        if stamp is None or not stamp.is_same_writing(stamp_from(status)):
            raise ReadError(
                f"{path}: another program is writing this file; open it again once it is done."
            )
        return data
    except ReadError:
        raise
    except OSError as error:
        raise ReadError(_why_not_read(path, error)) from error
    except ValueError as error:
        raise ReadError(f"{str(path)!r} is not the name of a file: {error}.") from error


def _is_flatbuffer(path: Path, symbol: str | None) -> bool:
    """Whether a large file is one; what is no kind of model is refused before it is read."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    if head[4:8] == IDENTIFIER:
        return True
    if not may_be_image(head) or path.stat().st_size > MAX_IMAGE_BYTES:
        is_json(head, str(path), symbol)
    return False


def _why_not_read(path: Path, error: OSError) -> str:
    if isinstance(error, IsADirectoryError):
        return f"{path}: this is a folder; name a file in it."
    if isinstance(error, FileNotFoundError):
        return f"{path}: there is no such file."
    if isinstance(error, PermissionError):
        return f"{path}: you may not read this file; check its permissions."
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return (
            f"{path}: a large file is copied before it is opened, and there is no room for "
            f"that in {snapshot_folder()}; free some, or set XDG_CACHE_HOME to another disk."
        )
    return f"{path}: cannot be read: {error.strerror or error}."
