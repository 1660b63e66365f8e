# SPDX-License-Identifier: Apache-2.0
"""Associated files as files of their own: read from a disk, and extracted to one.

Names in an archive are whatever its maker wrote. Only those that stay inside the chosen folder
on every system are written, and links in that folder do not lead out of it either.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from tflm_studio.formats.archive import LARGEST_BYTES, name_problem
from tflm_studio.formats.atomic_file import NewFile, write_all_atomically, write_atomically
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.schema.associated_file import AssociatedFile

PathLike = str | os.PathLike[str]

# What Windows takes for a device, a stream or a drive, or cannot store at the end of a name:
# learn.microsoft.com/windows/win32/fileio/naming-a-file.
_BAD_CHARACTERS = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_UNNAMED = "file"
_LONGEST_PART, _LONGEST_PATH = 255, 1024  # bytes; systems allow 255 and 4,096 for all


def read_loose_file(path: PathLike) -> bytes:
    """The bytes of a file that is to become an associated one.

    Raises:
        ReadError: It cannot be read, is no file, or is too large for an archive.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file():
            raise ReadError(f"{path}: this is a folder or a device; name a file.")
        size = path.stat().st_size
        if size > LARGEST_BYTES:
            raise ReadError(
                f"{path}: has {size:,} bytes; an archive of associated files may hold "
                f"{LARGEST_BYTES:,}. Choose a smaller file."
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise ReadError(f"{path}: there is no such file.") from None
    except OSError as error:
        raise ReadError(f"{path}: cannot be read: {error.strerror or error}.") from error


def loose_name(name: str | None) -> str:
    """The last part of a file's name, with what no system can store replaced."""
    last = PurePosixPath((name or "").replace("\\", "/")).name
    cleaned = _BAD_CHARACTERS.sub("_", last).rstrip(". ")
    return cleaned if cleaned and not _DEVICES.fullmatch(cleaned) else f"{_UNNAMED}_{cleaned}"


def extract_file(file: AssociatedFile, path: PathLike) -> None:
    """Writes what an associated file holds to a file that the caller has chosen.

    Raises:
        WriteError: The file could not be written; an old one is as it was.
    """
    write_atomically(Path(path), [_contents(file)])


def extract_all(
    files: Sequence[AssociatedFile], folder: PathLike, *, overwrite: bool = False
) -> list[Path]:
    """Writes associated files into a folder, under their names; returns the paths.

    All names are checked before the first file is written; folders in them are made.

    Args:
        files: What to write.
        folder: Where; it is made if it does not exist.
        overwrite: Whether files that are there may be replaced.

    Raises:
        WriteError: A name would lead out of the folder, two files would be one, a file exists,
            or one cannot be written; says which.
    """
    targets = extraction_targets(files, folder)
    try:
        existing = [path for path in targets if path.exists()]
        if existing and not overwrite:
            raise WriteError(
                f"{existing[0]}: this file exists already; choose an empty folder, or allow "
                "that files are replaced (--overwrite)."
            )
        for path in targets:
            path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"{folder}: files cannot be written into it: {error.strerror or error}."
        ) from error
    contents = [_contents(file) for file in files if not _is_folder(file)]
    write_all_atomically(
        *(NewFile(path, [data]) for path, data in zip(targets, contents, strict=True))
    )
    return targets


def extraction_targets(files: Sequence[AssociatedFile], folder: PathLike) -> list[Path]:
    """Where `extract_all` would write; folders of an archive are none of the files.

    Raises:
        WriteError: As `extract_all`, save that files may exist.
    """
    root = Path(folder)
    targets: dict[str, Path] = {}
    for file in files:
        if _is_folder(file):
            continue
        path = root.joinpath(*_safe_parts(file))
        if not _is_inside(path, root):
            raise WriteError(
                f"'{file.name}' was not extracted: a link in {root} leads it out of there. "
                "Choose another folder."
            )
        # Many disks do not tell large from small letters.
        key = path.as_posix().casefold()
        if key in targets:
            raise WriteError(
                f"'{file.name}' was not extracted: another file would have the same place on "
                "some systems. Rename it, or extract it alone."
            )
        targets[key] = path
    return list(targets.values())


def _safe_parts(file: AssociatedFile) -> list[str]:
    name = file.name or ""
    parts = name.split("/")
    if (
        name_problem(name)
        or len(name.encode()) > _LONGEST_PATH
        or not all(map(_is_safe, parts))
    ):
        raise WriteError(
            f"'{name[:_LONGEST_PART]}' was not extracted: its name could lead out of the "
            "folder, or is not one that every system can store. Rename it, or extract it "
            "alone."
        )
    return parts


def _is_safe(part: str) -> bool:
    return not (
        part in ("", ".", "..")
        or part[-1] in ". "
        or len(part.encode()) > _LONGEST_PART
        or _DEVICES.fullmatch(part)
        or _BAD_CHARACTERS.search(part)
    )


def _is_inside(path: Path, root: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # a loop of links
        return False


def _is_folder(file: AssociatedFile) -> bool:
    return (file.name or "").endswith("/") and not _contents(file)


def _contents(file: AssociatedFile) -> memoryview:
    return memoryview(b"" if file.data is None else file.data).cast("B")
