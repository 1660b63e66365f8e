# SPDX-License-Identifier: Apache-2.0
"""Arrays written as files of many kinds, and pictures as .png."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.array_text import c_source
from tflm_studio.formats.atomic_file import write_atomically
from tflm_studio.model.errors import WriteError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.tensor_types import Array, ElementType, encode

LONGEST_NAME = 65_000  # bytes; a .zip file counts them with 16 bits
PNG_SIGN = b"\x89PNG\r\n\x1a\n"


def write_npy(path: Path, values: Array) -> None:
    """Writes one array, exactly.

    Raises:
        WriteError: It holds texts, which the format keeps only as code, or the disk refuses.
    """
    write_atomically(path, [_npy_bytes(path, values)])


def _npy_bytes(path: Path, values: Array) -> bytes:
    if values.dtype == object:
        raise WriteError(f"{path}: texts cannot be written as .npy; use .csv.")
    file = io.BytesIO()
    # Not `ascontiguousarray`, which gives a scalar a dimension.
    np.lib.format.write_array(file, np.asarray(values, order="C"), allow_pickle=False)
    return file.getvalue()


def write_csv(path: Path, values: Array) -> None:
    """Writes an array as lines of its last dimension, in digits that read back exactly.

    Raises:
        WriteError: The disk refuses.
    """
    write_atomically(path, [line.encode() for line in _csv_lines(values)])


def _csv_lines(values: Array) -> Iterable[str]:
    wide = values.reshape(-1, values.shape[-1] if values.ndim and values.shape[-1] else 1)
    if values.dtype == object:
        for row in wide:
            yield ",".join(_quoted(text) for text in row) + "\n"
        return
    one: Any = repr if values.dtype.kind in "fc" else str
    if values.dtype == np.float32:
        one = _shortest
    for row in wide:
        yield ",".join(map(one, row if one is _shortest else row.tolist())) + "\n"


def _shortest(value: Any) -> str:
    return str(value)  # numpy writes a float32 in the fewest digits that read back


def _quoted(text: bytes) -> str:
    shown = text.decode("utf-8", "backslashreplace").replace('"', '""')
    return f'"{shown}"'


def write_txt(path: Path, values: Array) -> None:
    """Writes an array as lines of its last dimension, with blanks between; texts as lines.

    Raises:
        WriteError: The disk refuses.
    """
    if values.dtype == object:
        lines: Iterable[str] = (
            text.decode("utf-8", "backslashreplace") + "\n" for text in values.reshape(-1)
        )
    else:
        lines = (line.replace(",", " ") for line in _csv_lines(values))
    write_atomically(path, [line.encode() for line in lines])


def write_bin(path: Path, values: Array, kind: ElementType | None = None) -> None:
    """Writes the bytes of an array, lowest first.

    Args:
        path: Where.
        values: The array.
        kind: The element type to store it as; that of the array if not given.

    Raises:
        WriteError: It holds texts, or the disk refuses.
    """
    if values.dtype == object:
        raise WriteError(f"{path}: texts have no plain bytes; use .txt or .csv.")
    flat = np.ascontiguousarray(values).reshape(-1)
    little = flat.astype(flat.dtype.newbyteorder("<"), copy=False)
    write_atomically(path, [encode(flat, kind) if kind is not None else little.tobytes()])


def write_c(path: Path, values: Array, symbol: str) -> None:
    """Writes a C source or header with the array as a constant.

    Raises:
        EditError: C has no such values or no such name.
        WriteError: The disk refuses.
    """
    write_atomically(path, [c_source(values, symbol).encode()])


def write_npz(path: Path, arrays: Mapping[str, Array]) -> None:
    """Writes named arrays into one file.

    Raises:
        WriteError: One of them holds texts or has too long a name, or the disk refuses.
    """
    long = next((name for name in arrays if len(name.encode()) > LONGEST_NAME), None)
    if long is not None:
        raise WriteError(f"{path}: '{excerpt(long, 40)}' is too long a name for an archive.")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, values in arrays.items():
            # One date for all: the same weights give the same file.
            entry = zipfile.ZipInfo(f"{name}.npy")
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, _npy_bytes(path, values))
    write_atomically(path, [file.getvalue()])


def write_png(path: Path, rgb: NDArray[np.uint8]) -> None:
    """Writes a picture.

    Args:
        path: Where.
        rgb: Shape (height, width, 3).

    Raises:
        WriteError: The picture is empty, or the disk refuses.
    """
    height, width = rgb.shape[:2]
    if not height or not width:
        raise WriteError(f"{path}: there are no values to draw.")
    # Each line begins with a filter number; 0 leaves the line as it is (PNG 1.2, section 6).
    lines = np.zeros((height, 1 + width * 3), np.uint8)
    lines[:, 1:] = rgb.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b"")
    write_atomically(path, [PNG_SIGN, *(_chunk(*chunk) for chunk in chunks)])


def _chunk(kind: bytes, data: bytes) -> bytes:
    return (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )
