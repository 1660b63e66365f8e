# SPDX-License-Identifier: Apache-2.0
"""Arrays as text and as files, and back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tflm_studio.analysis.array_export import EXPORT_SUFFIXES, export_array
from tflm_studio.formats.array_reader import read_array
from tflm_studio.formats.array_text import c_source, c_text, numpy_text, tabbed_text
from tflm_studio.model.errors import EditError, ReadError, WriteError
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.schema.enums import TensorType

ARRAYS = [
    np.arange(-20, 20, dtype=np.int8).reshape(2, 20),
    np.array([0, 2**64 - 1], np.uint64),
    np.array([-(2**63), 2**63 - 1], np.int64),
    np.float32([[0.1, -0.0, 1e-30], [3e38, np.inf, np.nan]]),
    np.array([1 / 3, 1e300]),
    np.array([True, False]),
    np.array(7, np.int16),
    np.zeros((2, 0), np.float32),
    np.array([1 + 2j, -0.5j], np.complex64),
    np.array([b"a\"'\\\n", "zwölf".encode(), b""], object),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_numpy_text_gives_the_array(array: np.ndarray) -> None:
    found = eval(numpy_text(array), {"np": np})
    assert found.dtype == array.dtype
    assert found.shape == array.shape
    assert found.tolist() == array.tolist() or found.tobytes() == array.tobytes()


def test_tabs_and_the_fewest_digits() -> None:
    assert tabbed_text(ARRAYS[3]) == "0.1\t-0\t1e-30\n3e+38\tinf\tnan"
    assert tabbed_text(np.array([True, False])) == "true\tfalse"
    assert tabbed_text(np.array([b"a", b"\xff"], object)) == "a\t\\xff"


def test_c_text() -> None:
    text = c_text(np.array([[1, -2], [3, 4]], np.int8), "g_w")
    assert text == "const int8_t g_w[2][2] = {{1, -2},\n {3, 4}};\n"
    assert "const float g_w = 0.5f;" in c_text(np.float32(0.5).reshape(()), "g_w")
    assert '"a?"' not in c_text(np.array([b"a?"], object), "g_w")
    for array, reason in (
        (ARRAYS[7], "no empty arrays"),
        (ARRAYS[8], "no constants of complex"),
    ):
        with pytest.raises(EditError, match=reason):
            c_text(array, "g_w")


@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_a_compiler_takes_c_sources(tmp_path: Path) -> None:
    fitting = [array for array in ARRAYS if array.size and array.dtype.kind != "c"]
    source = "".join(c_source(array, f"g_{k}") for k, array in enumerate(fitting))
    (tmp_path / "w.c").write_text(source)
    command = ["cc", "-std=c11", "-Wall", "-Werror", "-fsyntax-only", str(tmp_path / "w.c")]
    subprocess.run(command, check=True)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".csv", ".txt", ".bin"])
@pytest.mark.parametrize(
    "code", [TensorType.INT4, TensorType.INT64, TensorType.FLOAT32, TensorType.BOOL]
)
def test_files_read_back_as_they_were_written(tmp_path: Path, suffix: str, code: int) -> None:
    kind, random = ELEMENT_TYPES[code], np.random.default_rng(7)
    array = {
        TensorType.INT4: random.integers(-8, 8, (3, 5)).astype(np.int8),
        TensorType.INT64: random.integers(-(2**63), 2**63, (3, 5)),
        TensorType.FLOAT32: np.float32([[1e-30, 0.1], [-np.inf, 3e38]]),
        TensorType.BOOL: random.integers(0, 2, (3, 5)).astype(bool),
    }[TensorType(code)]
    path = tmp_path / f"w{suffix}"
    export_array(path, array, kind=kind, name="w")
    found = read_array(path, array.shape, kind, "w")
    assert found.reshape(-1).astype(array.dtype).tolist() == array.reshape(-1).tolist()
    assert suffix == ".bin" or found.shape == array.shape


def test_texts_as_files(tmp_path: Path) -> None:
    kind, texts = ELEMENT_TYPES[TensorType.STRING], np.array([b"a, b", b'"c"', b"d"], object)
    for suffix in (".csv", ".txt"):
        export_array(tmp_path / f"t{suffix}", texts)
        assert read_array(tmp_path / f"t{suffix}", (3,), kind).tolist() == texts.tolist()
    with pytest.raises(WriteError, match="texts have no plain bytes"):
        export_array(tmp_path / "t.bin", texts)


def test_every_suffix_is_written_and_others_are_refused(tmp_path: Path) -> None:
    for suffix in EXPORT_SUFFIXES:
        export_array(tmp_path / f"w{suffix}", ARRAYS[0])
        assert (tmp_path / f"w{suffix}").stat().st_size
    with pytest.raises(WriteError, match=r"use one of \.npy"):
        export_array(tmp_path / "w.jpg", ARRAYS[0])


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("w.jpg", b"", "use one of"),
        ("w.npy", b"no array", "cannot be read as .npy"),
        ("w.npz", b"no archive", "cannot be read as .npz"),
        ("w.csv", b"1,2\n3,x", "'x' is not a number"),
        ("w.bin", bytes(5), "has 5 bytes; 6 values of int8 take 6"),
        ("w.txt", b"1 " * 60_000, "much larger"),
        ("none.csv", None, "cannot be read as .csv"),
    ],
)
def test_files_that_do_not_fit(
    tmp_path: Path, name: str, data: bytes | None, reason: str
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    with pytest.raises(ReadError, match=reason):
        read_array(tmp_path / name, (6,), ELEMENT_TYPES[TensorType.INT8])
