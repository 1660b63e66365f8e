# SPDX-License-Identifier: Apache-2.0

import csv
from pathlib import Path

import pytest

from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.model.errors import ReadError


def test_every_real_model_is_read_or_refused_with_its_name(models_folder: Path) -> None:
    with (models_folder / "manifest.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] != "c-array"]
    for row in rows:
        data = (models_folder / row["path"]).read_bytes()
        try:
            model = read_flatbuffer(data, row["path"])
        except ReadError as error:
            assert row["kind"] == "corrupt"
            assert row["path"] in str(error)
        else:
            operators = sum(len(s.operators or []) for s in model.subgraphs or [])
            tensors = sum(len(s.tensors or []) for s in model.subgraphs or [])
            if row["operators"]:
                assert (operators, tensors) == (int(row["operators"]), int(row["tensors"]))


@pytest.mark.parametrize(
    "data", [b"", b"x", b"\0" * 40, b"\x10\0\0\0TFL3", b"\xff" * 4 + b"TFL3" * 9]
)
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ReadError, match=r"odd\.tflite"):
        read_flatbuffer(data, "odd.tflite")
