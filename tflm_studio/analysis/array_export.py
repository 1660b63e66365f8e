# SPDX-License-Identifier: Apache-2.0
"""An array written as whatever the suffix of the file says."""

from __future__ import annotations

from pathlib import Path

from tflm_studio.analysis.array_picture import array_picture
from tflm_studio.formats.array_files import (
    write_bin,
    write_c,
    write_csv,
    write_npy,
    write_npz,
    write_png,
    write_txt,
)
from tflm_studio.formats.c_source_writer import symbol_for
from tflm_studio.model.errors import WriteError
from tflm_studio.model.tensor_types import Array, ElementType

C_SUFFIXES = (".c", ".h", ".cc", ".cpp")
EXPORT_SUFFIXES = (".npy", ".npz", ".csv", ".txt", ".bin", ".png", *C_SUFFIXES)


def export_array(
    path: Path, values: Array, *, kind: ElementType | None = None, name: str = "values"
) -> None:
    """Writes an array to a file.

    Args:
        path: Where; its suffix is one of `EXPORT_SUFFIXES`.
        values: The array.
        kind: What plain bytes are written as; the type of the array if not given.
        name: Of the array in a .npz, and made into a name for C.

    Raises:
        WriteError: The suffix is unknown, the format has no such values, or the disk refuses.
        EditError: A picture or C cannot show such values.
    """
    suffix = path.suffix.lower()
    if suffix not in EXPORT_SUFFIXES:
        known = " ".join(EXPORT_SUFFIXES)
        raise WriteError(f"{path}: the suffix says what to write; use one of {known}")
    if suffix == ".npy":
        write_npy(path, values)
    elif suffix == ".npz":
        write_npz(path, {name: values})
    elif suffix == ".csv":
        write_csv(path, values)
    elif suffix == ".txt":
        write_txt(path, values)
    elif suffix == ".bin":
        write_bin(path, values, kind)
    elif suffix == ".png":
        write_png(path, array_picture(values))
    else:
        write_c(path, values, symbol_for(name))
