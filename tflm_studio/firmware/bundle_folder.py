# SPDX-License-Identifier: Apache-2.0
"""The folder of a bundle: written whole or not at all, and nobody's files are lost in it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import file_digest
from pathlib import Path

from tflm_studio.firmware.bundle import DIGESTS, FILES, Bundle
from tflm_studio.formats.atomic_file import NewFile, write_all_atomically
from tflm_studio.formats.file_stamp import is_same_path
from tflm_studio.model.errors import WriteError

MOST_DIGEST_BYTES = 4096
_DIGEST = re.compile(r"^([0-9a-f]{64})  ([\w.]+)\r?$", re.MULTILINE)


def write_bundle(
    bundle: Bundle, folder: Path, inputs: Iterable[Path] = (), *, overwrite: bool = False
) -> tuple[Path, ...]:
    """Writes all files of a bundle, or none.

    Args:
        bundle: What to write.
        folder: Where; it is made if it does not exist.
        inputs: Files that the bundle was made from, which must not be replaced.
        overwrite: Whether files that are not as a bundle wrote them may be replaced.

    Raises:
        WriteError: A file cannot be written, is one of `inputs`, or would replace one that is
            not as a bundle wrote it; all are as they were.
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
                f"{path}: is not as a bundle wrote it; choose another folder, or allow that "
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
    """Names of files in a folder that a bundle would replace, and that none wrote so."""
    written = _digests(folder / DIGESTS)
    return [
        name
        for name in FILES
        if (folder / name).exists()
        and (written.get(name) != _digest(folder / name) if name != DIGESTS else not written)
    ]


def _digests(path: Path) -> dict[str, str]:
    """The digests that the last bundle left, by the names of the files."""
    try:
        with path.open("rb") as file:
            text = file.read(MOST_DIGEST_BYTES).decode("ascii", "replace")
    except OSError:
        return {}
    return {match[2]: match[1] for match in _DIGEST.finditer(text)}


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
