# SPDX-License-Identifier: Apache-2.0
"""What people want done to the associated files of a model, as lists of edits.

Apply the result with `Document.do`. `formats.loose_files` reads files from a disk and writes
them to one.
"""

from __future__ import annotations

from tflm_studio.editing.edits import Edit, Insert, Remove, Set
from tflm_studio.formats.archive import LARGEST_BYTES, MOST_FILES, name_problem
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import data_bytes
from tflm_studio.schema.associated_file import ASSOCIATED_FILES, AssociatedFile
from tflm_studio.schema.tables import Model

BytesLike = bytes | bytearray | memoryview

PLACE: Address = (ASSOCIATED_FILES.name,)


def archive_problem(model: Model) -> str:
    """Why the archive behind a model cannot be taken apart; "" if it can, or there is none."""
    origin = model.extra
    archive = origin.archive if isinstance(origin, Origin) else None
    return archive.problem if archive is not None else ""


def find_file(model: Model, name: str) -> int | None:
    """The index of the file with a name, None if there is none."""
    files = model.associated_files or []
    return next((k for k, file in enumerate(files) if file.name == name), None)


def add_file(model: Model, name: str, data: BytesLike) -> list[Edit]:
    """Adds a file behind the others; the first makes an archive when the model is saved.

    Args:
        model: The model that gets it.
        name: Its name in the archive; folders are parted by slashes.
        data: What it holds.

    Raises:
        EditError: The name is taken or cannot be one, the archive cannot be taken apart, or
            it would be too large.
    """
    _check_archive(model)
    _check_name(model, name)
    _check_size(model, name, data_bytes(data))
    file = AssociatedFile(name, data)
    files = model.associated_files
    if files is None:
        return [Set(PLACE, [file])]
    if len(files) >= MOST_FILES:
        raise EditError(f"{name}: an archive holds {MOST_FILES:,} files at most.")
    return [Insert(PLACE, len(files), file)]


def replace_file(model: Model, index: int, data: BytesLike) -> list[Edit]:
    """Gives a file other contents; its name stays.

    Raises:
        EditError: There is no such file, or the archive would be too large.
    """
    file = _file_at(model, index)
    _check_size(model, file.name or "", data_bytes(data) - data_bytes(file.data))
    return [Set((*PLACE, index, "data"), data)]


def rename_file(model: Model, index: int, name: str) -> list[Edit]:
    """Gives a file another name; metadata that refer to it by the old one are not changed.

    Raises:
        EditError: There is no such file, or the name is taken or cannot be one.
    """
    if _file_at(model, index).name == name:
        return []
    _check_name(model, name)
    return [Set((*PLACE, index, "name"), name)]


def remove_file(model: Model, index: int) -> list[Edit]:
    """Takes a file out; with the last one the archive goes when the model is saved.

    Raises:
        EditError: There is no such file.
    """
    _file_at(model, index)
    return [Remove(PLACE, index)]


def _file_at(model: Model, index: int) -> AssociatedFile:
    files = model.associated_files or []
    if not 0 <= index < len(files):
        count = f"the last is {len(files) - 1}" if files else "the model has none"
        raise EditError(f"There is no associated file {index}; {count}.")
    return files[index]


def _check_archive(model: Model) -> None:
    problem = archive_problem(model)
    if problem:
        raise EditError(
            f"No file can be added to the archive behind the model, because {problem}. "
            "Repair it with a zip program, or take it off the model, and open the model again."
        )


def _check_name(model: Model, name: str) -> None:
    problem = name_problem(name)
    if not problem and name.endswith("/"):
        problem = "a name that ends with a slash is one of a folder."
    if problem:
        raise EditError(f"'{name}' cannot be the name of a file: {problem}")
    taken = find_file(model, name)
    if taken is not None:
        raise EditError(
            f"There is a file '{name}' already (associated file {taken}); replace that one, "
            "or choose another name."
        )


def _check_size(model: Model, name: str, more: int) -> None:
    total = more + sum(data_bytes(file.data) for file in model.associated_files or [])
    if total > LARGEST_BYTES:
        raise EditError(
            f"{name}: with it the associated files would have {total:,} bytes; an archive may "
            f"hold {LARGEST_BYTES:,}. Choose a smaller file."
        )
