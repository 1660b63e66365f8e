# SPDX-License-Identifier: Apache-2.0
"""Arrays read from files: .npy, .npz, .csv, .txt and plain bytes. Nothing read runs code."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from pathlib import Path

import numpy as np

from tflm_studio.formats.array_files import HEADER_ROOM
from tflm_studio.model.errors import ReadError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.tensor_types import Array, ElementType, decode

ARRAY_SUFFIXES = (".npy", ".npz", ".csv", ".txt", ".bin")
MOST_CHARACTERS = 64  # of a number in a text
MOST_ELEMENT_BYTES = 16
LONGEST_QUOTE = 40


def read_array(path: Path, count: int, kind: ElementType, name: str = "") -> Array:
    """An array of a file; the suffix says of what form.

    Args:
        path: The file.
        count: How many values are expected; a much larger file is refused.
        kind: What plain bytes and texts stand for.
        name: Which array of a .npz; its only one if there is none of this name.

    Returns:
        The array as it is; numbers of texts and bytes in one dimension (those of texts in two,
        if there are several in each of several lines).

    Raises:
        ReadError: The file cannot be read so, or holds far more than is expected.
    """
    suffix = path.suffix.lower()
    if suffix not in ARRAY_SUFFIXES:
        known = " ".join(ARRAY_SUFFIXES)
        raise ReadError(f"{path}: the suffix says how to read it; use one of {known}.")
    is_text = suffix in (".csv", ".txt")
    room = count * (MOST_CHARACTERS if is_text else MOST_ELEMENT_BYTES) + HEADER_ROOM
    try:
        if suffix == ".npz":
            return _from_npz(path, room, name)
        if path.stat().st_size > room:
            raise ReadError(f"{path}: is much larger than {count:,} values take.")
        data = path.read_bytes()
        if suffix == ".npy":
            return _from_npy(data)
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ReadError(f"{path}: cannot be read as {suffix}: {error}.") from error
    if is_text:
        return _from_text(path, data, kind)
    if kind.bits and kind.nbytes(count) == len(data):
        return decode(data, kind, 0, count)
    if not kind.bits:
        raise ReadError(f"{path}: plain bytes cannot be read as {kind.name}.")
    raise ReadError(
        f"{path}: has {len(data):,} bytes; {count:,} values of {kind.name} take "
        f"{kind.nbytes(count):,}."
    )


def _from_npy(data: bytes) -> Array:
    array: Array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    return array


def _from_npz(path: Path, room: int, name: str) -> Array:
    with zipfile.ZipFile(path) as archive:
        entries = {e.filename.removesuffix(".npy"): e for e in archive.infolist()}
        entry = entries.get(name) or (
            next(iter(entries.values())) if len(entries) == 1 else None
        )
        if entry is None:
            shown = excerpt(name, LONGEST_QUOTE)
            raise ReadError(
                f"{path}: none of its {len(entries):,} arrays is called '{shown}'."
            )
        if entry.file_size > room:
            raise ReadError(f"{path}: '{entry.filename}' is much larger than is expected.")
        return _from_npy(archive.read(entry))


def _from_text(path: Path, data: bytes, kind: ElementType) -> Array:
    text = data.decode("utf-8", "replace").lstrip("\ufeff")
    if kind.name == "string":
        lines = csv.reader(io.StringIO(text)) if path.suffix.lower() == ".csv" else None
        cells = text.splitlines() if lines is None else [c for row in lines for c in row]
        return np.array([cell.encode() for cell in cells], object)
    rows = [
        [cell for cell in re.split(r"[,;\s]+", line.strip()) if cell]
        for line in text.splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    try:
        numbers = [[_number(cell, kind) for cell in row] for row in rows]
    except ValueError as error:
        raise ReadError(f"{path}: {error}.") from None
    widths = {len(row) for row in numbers}
    if len(widths) > 1:
        flat = [number for row in numbers for number in row]
        return np.array(flat)
    array = np.array(numbers)
    return array.reshape(-1) if 1 in array.shape else array


def _number(cell: str, kind: ElementType) -> int | float | complex:
    lower = cell.lower()
    if lower in ("true", "false"):
        return lower == "true"
    try:
        if kind.kind == "complex":
            return complex(cell)
        if kind.kind == "integer" and re.fullmatch(r"[-+]?\d+", cell):
            return int(cell)
        return float(cell)
    except ValueError:
        raise ValueError(f"'{excerpt(cell, LONGEST_QUOTE)}' is not a number") from None
