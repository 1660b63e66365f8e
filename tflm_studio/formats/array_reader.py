# SPDX-License-Identifier: Apache-2.0
"""Arrays read from files: .npy, .npz, .csv, .txt and plain bytes. Nothing read runs code."""

from __future__ import annotations

import csv
import io
import lzma
import math
import re
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tflm_studio.model.errors import ReadError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.tensor_types import Array, ElementType, decode

ARRAY_SUFFIXES = (".npy", ".npz", ".csv", ".txt", ".bin")
HEADER_ROOM = 1 << 16  # what a .npy file may take besides its values
MOST_CHARACTERS = 64  # of a number in a text
MOST_ELEMENT_BYTES = 16
LONGEST_QUOTE = 40
LONGEST_REASON = 200

PLAIN_KINDS = "biufcSU"
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

# What numpy, zipfile and csv raise when a file is damaged, or made to do harm.
_DAMAGE = (
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    MemoryError,
    IndexError,
    csv.Error,
    lzma.LZMAError,
    struct.error,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


@contextmanager
def _reading(path: Path, suffix: str) -> Iterator[None]:
    """Turns whatever goes wrong with a file into a sentence about it."""
    try:
        if path.exists() and not path.is_file():
            raise ReadError(f"{path}: is no file.")  # a pipe or a device has no end
        yield
    except ReadError:
        raise
    except _DAMAGE as error:
        told = str(error).rstrip(".")
        reason = told if 0 < len(told) < LONGEST_REASON else "it is damaged"
        raise ReadError(f"{path}: cannot be read as {suffix}: {reason}.") from error


def read_npz(path: Path, expected: Mapping[str, int]) -> dict[str, Array]:
    """Reads named arrays.

    Args:
        path: The file.
        expected: Bytes that each array may take; others are left alone.

    Raises:
        ReadError: The file is no such archive, or an array is larger than it may be.
    """
    found: dict[str, Array] = {}
    with _reading(path, ".npz"), zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = entry.filename.removesuffix(".npy")
            if name not in expected:
                continue
            if entry.file_size > expected[name] + HEADER_ROOM:
                raise ReadError(
                    f"{path}: '{name}' takes {entry.file_size:,} bytes, the model has "
                    f"{expected[name]:,} there."
                )
            found[name] = _from_npy(archive.read(entry))
    return found


def read_array(path: Path, shape: tuple[int, ...], kind: ElementType, name: str = "") -> Array:
    """An array of a file; the suffix says of what form.

    Args:
        path: The file.
        shape: That of the values that are expected; a much larger file is refused.
        kind: What plain bytes and texts stand for.
        name: Which array of a .npz; its only one if there is none of this name.

    Returns:
        The array as it is; numbers of texts and bytes in one dimension. Those of texts have
        two, if there are several in each of several lines, or `shape`, if lines are its rows.

    Raises:
        ReadError: The file cannot be read so, or holds far more than is expected.
    """
    suffix, count = path.suffix.lower(), math.prod(shape)
    if suffix not in ARRAY_SUFFIXES:
        known = " ".join(ARRAY_SUFFIXES)
        raise ReadError(f"{path}: the suffix says how to read it; use one of {known}.")
    is_text = suffix in (".csv", ".txt")
    room = count * (MOST_CHARACTERS if is_text else MOST_ELEMENT_BYTES) + HEADER_ROOM
    with _reading(path, suffix):
        if suffix == ".npz":
            return _from_npz(path, room, name)
        if path.stat().st_size > room:
            raise ReadError(f"{path}: is much larger than {count:,} values take.")
        data = path.read_bytes()
        if suffix == ".npy":
            return _from_npy(data)
        if is_text:
            return _in_rows(_from_text(path, data, kind), shape)
    if kind.bits and kind.nbytes(count) == len(data):
        return decode(data, kind, 0, count)
    if not kind.bits:
        raise ReadError(f"{path}: plain bytes cannot be read as {kind.name}.")
    raise ReadError(
        f"{path}: has {len(data):,} bytes; {count:,} values of {kind.name} take "
        f"{kind.nbytes(count):,}."
    )


def _from_npy(data: bytes) -> Array:
    """The array of a .npy file, a view of its bytes.

    numpy takes the memory that a header asks for before it looks for the values; here they
    have to be there.
    """
    file = io.BytesIO(data)
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"it is of version {version[0]}.{version[1]}, which is for records")
    shape, is_fortran, dtype = _HEADERS[version](file)
    if dtype.kind not in PLAIN_KINDS:
        raise ValueError(f"it holds {excerpt(str(dtype), LONGEST_QUOTE)}, not plain values")
    count, rest = math.prod(shape), len(data) - file.tell()
    if min(shape, default=0) < 0 or count * dtype.itemsize != rest:
        raise ValueError(f"its values do not take the {rest:,} bytes that are there")
    flat = np.frombuffer(data, dtype, count, file.tell())
    return flat.reshape(shape[::-1]).T if is_fortran else flat.reshape(shape)


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


def _in_rows(array: Array, shape: tuple[int, ...]) -> Array:
    """An array whose lines are the last dimension of a shape, in this shape."""
    is_fitting = array.ndim == 2 and array.size == math.prod(shape)
    return array.reshape(shape) if is_fitting and shape[-1:] == array.shape[-1:] else array


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
    flat = _exact([number for row in numbers for number in row])
    widths = {len(row) for row in numbers}
    if len(widths) != 1 or 1 in (len(numbers), *widths):
        return flat
    return flat.reshape(len(numbers), -1)


def _exact(numbers: list[Any]) -> Array:
    """Numbers as an array; numpy makes float64 of those that only uint64 holds, and others."""
    is_whole = all(type(number) is int for number in numbers)
    wide = is_whole and max(numbers, default=0) > np.iinfo(np.int64).max
    is_unsigned = wide and min(numbers) >= 0 and max(numbers) <= np.iinfo(np.uint64).max
    return np.array(numbers, np.uint64 if is_unsigned else None)


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
