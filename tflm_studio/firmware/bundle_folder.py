# SPDX-License-Identifier: Apache-2.0
"""The folder of a bundle: written whole or not at all, and nobody's files are lost in it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tflm_studio.firmware.bundle import FILES, Bundle
from tflm_studio.firmware.bundle_facts import MADE
from tflm_studio.formats.atomic_file import NewFile, write_all_atomically
from tflm_studio.formats.file_stamp import is_same_path
from tflm_studio.model.errors import WriteError

MARK_BYTES = 4096  # in which a file that we made says so


def write_bundle(
    bundle: Bundle, folder: Path, inputs: Iterable[Path] = (), *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Writes all files of a bundle, or none.

    Args:
        bundle: What to write.
        folder: Where; it is made if it does not exist.
        inputs: Files that the bundle was made from, which must not be replaced.
        overwrite: Whether files that no bundle wrote may be replaced.

    Raises:
        WriteError: A file cannot be written, is one of `inputs`, or would replace one that is
            not of a bundle; all are as they were.
    """
    targets = [(folder / name, data) for name, data in bundle.files]
    foreign = [] if overwrite else foreign_files(folder)
    for path, _ in targets:
        if any(is_same_path(path, each) for each in inputs):
            raise WriteError(
                f"{path}: would be replaced by what is made of it; choose another folder."
            )
        if path.name in foreign:
            raise WriteError(
                f"{path}: was not written by a bundle; choose another folder, or allow that "
                "files are replaced (--overwrite)."
            )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"{folder}: files cannot be written into it: {error.strerror or error}."
        ) from error
    write_all_atomically(*(NewFile(path, [data]) for path, data in targets))
    return tuple(path for path, _ in targets)


def foreign_files(folder: Path) -> list[str]:
    """Names of files in a folder that a bundle would replace, but that none wrote."""
    return [name for name in FILES if (folder / name).exists() and not _is_ours(folder / name)]


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return MADE.encode() in file.read(MARK_BYTES)
    except OSError:
        return False
