# SPDX-License-Identifier: Apache-2.0
"""Files of arrays that are made to do harm: one sentence, no memory, no other exception."""

from __future__ import annotations

import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import every
from tflm_studio.formats.array_files import write_npz
from tflm_studio.formats.array_reader import read_array, read_npz
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.schema.enums import TensorType

FLOAT32 = ELEMENT_TYPES[TensorType.FLOAT32]


def npy(shape: str, descr: str = "'<f4'", data: bytes = b"", version: int = 1) -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode() + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(head))
    return b"\x93NUMPY" + bytes([version, 0]) + size + head + data


HOSTILE = {
    "4 TiB": npy(f"({2**40},)"),
    "4 GiB": npy(f"({2**30},)"),
    "product of 2**64": npy(f"({2**32}, {2**32})"),
    "below 0": npy("(-1,)"),
    "code": npy("(1,)", "'|O'", b"cos\nsystem\n(S'true'\ntR."),
    "records": npy("(2,)", "[('a', '<i4'), ('b', '<f4')]", bytes(16)),
    "nothing": npy("(10,)", "'|V0'"),
    "brackets": npy("(" * 5000),
    "signs": npy("(" + "-" * 9000 + "1,)"),
    "100 dimensions": npy("(" + "1," * 100 + ")", data=bytes(4)),
    "wide texts": npy("(1,)", "'<U1000000000'"),
    "short": npy("(9,)", data=bytes(4)),
    "long": npy("(1,)", data=bytes(8)),
    "version 3": npy("(1,)", data=bytes(4), version=3),
    "other": b"no array",
}


@pytest.mark.parametrize("name", every(2, sorted(HOSTILE)))
def test_headers_cannot_ask_for_memory_or_code(tmp_path: Path, name: str) -> None:
    plain, archive = tmp_path / "w.npy", tmp_path / "w.npz"
    plain.write_bytes(HOSTILE[name])
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("w.npy", HOSTILE[name])
    for read in (
        lambda: read_array(plain, (12,), FLOAT32),
        lambda: read_array(archive, (12,), FLOAT32),
        lambda: read_npz(archive, {"w": 192}),
    ):
        with pytest.raises(ReadError, match="cannot be read as"):
            read()


@pytest.mark.parametrize(("encrypted", "method"), [(1, 0), (0, 99), (0, 12), (0, 14)])
def test_archives_that_zipfile_does_not_read(
    tmp_path: Path, encrypted: int, method: int
) -> None:
    path = tmp_path / "w.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("w.npy", npy("(1,)", data=bytes(4)))
    raw = bytearray(path.read_bytes())
    directory = raw.find(b"PK\1\2")
    for at in (6, directory + 8):
        raw[at] |= encrypted
        raw[at + 2] = method
    path.write_bytes(raw)
    with pytest.raises(ReadError, match=r"w\.npz: cannot be read"):
        read_npz(path, {"w": 192})
    with pytest.raises(ReadError, match=r"w\.npz: cannot be read"):
        read_array(path, (1,), FLOAT32)


def test_what_has_no_end_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "w.npy")
    os.symlink("/dev/zero", tmp_path / "w.bin")
    for name in ("w.npy", "w.bin"):
        with pytest.raises(ReadError, match="is no file"):
            read_array(tmp_path / name, (1,), FLOAT32)


def test_a_text_that_csv_refuses(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text("a" * 200_000)
    with pytest.raises(ReadError, match="field larger"):
        read_array(tmp_path / "w.csv", (9999,), ELEMENT_TYPES[TensorType.STRING])


def test_whole_numbers_of_texts_stay_exact(tmp_path: Path) -> None:
    (tmp_path / "w.csv").write_text(f"1\n{2**63 + 5}\n")
    found = read_array(tmp_path / "w.csv", (2,), ELEMENT_TYPES[TensorType.UINT64])
    assert found.tolist() == [1, 2**63 + 5]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", ">i8", "?", "<c8", "S3", "<U2"])
def test_plain_arrays_are_read_as_numpy_reads_them(
    tmp_path: Path, dtype: str, order: str
) -> None:
    for shape in ((2, 3, 2), (), (0, 3)):
        array = np.asarray(np.arange(np.prod(shape, dtype=int)).reshape(shape), order=order)  # type: ignore[call-overload]
        np.save(tmp_path / "w.npy", array.astype(dtype))
        found = read_array(tmp_path / "w.npy", shape, FLOAT32)
        assert (found.shape, found.dtype) == (shape, np.dtype(dtype))
        assert np.array_equal(found, np.load(tmp_path / "w.npy"))


def test_a_name_that_no_archive_holds_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match="too long a name"):
        write_npz(tmp_path / "w.npz", {"a" * 70_000: np.zeros(1)})
