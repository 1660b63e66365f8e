# SPDX-License-Identifier: Apache-2.0
"""Damaged and hostile files are refused with a reason, or read and written like any other.

Seeded mutants of small models find what nobody thought of; the crafted files are small ones
that would take all memory if the reader believed them.
"""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import every
from tests.formats.mutants import (
    SOUND,
    mutants,
    shared_numbers,
    shared_vectors,
)
from tests.formats.test_flatbuffer_writer import official_content
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.tail import kept_bytes
from tflm_studio.model.errors import ReadError, WriteError

REAL = (
    "tensorflow__tflite-micro/hello_world_int8.tflite",
    "google-ai-edge__LiteRT/add_quantized.bin",
)

# ------------------------------------------------------------------ mutants


def plain(data: bytes) -> Any:
    """What the official classes read, where a bool of 7 is no other than one of 1."""
    return _with_plain_truths(official_content(data))


def _with_plain_truths(content: Any) -> Any:
    if isinstance(content, list):
        return [_with_plain_truths(item) for item in content]
    if isinstance(content, tuple) and content[0] == "|b1":
        return [bool(value) for value in content[1]]
    if isinstance(content, tuple) and isinstance(content[1], dict):
        return {key: _with_plain_truths(value) for key, value in content[1].items()}
    return content


def outcome(data: bytes, name: str) -> str:
    """What becomes of a file; anything but a refusal by us is an exception of the test."""
    try:
        model = read_flatbuffer(data, name)
    except ReadError as error:
        assert str(error).startswith(name)
        return "refused"
    assert isinstance(model.extra, Origin)
    expected = plain(data)
    try:
        written = lay_out(model, kept_bytes(model.extra)).tobytes()
    except WriteError:
        return "kept"
    assert same_content(read_flatbuffer(written, name), model), name
    assert plain(written) == expected, name
    return "written"


def check_mutants(data: bytes, count: int, seed: int) -> None:
    outcomes = [outcome(mutant, name) for name, mutant in mutants(data, count, seed)]
    # Mutants that are all refused, or all accepted, would test one half of the program only.
    assert "refused" in outcomes
    assert "written" in outcomes


@pytest.mark.parametrize("name", every(2, list(SOUND)))
def test_mutants_of_our_own_models(name: str) -> None:
    data = lay_out(SOUND[name]()).tobytes()
    assert outcome(data, name) == "written"
    check_mutants(data, 140, seed=len(name))


@pytest.mark.parametrize("name", REAL)
def test_mutants_of_real_models(models_folder: Path, name: str) -> None:
    check_mutants((models_folder / name).read_bytes(), 100, seed=7)


# ------------------------------------------------------------------ crafted files


READ_WITH_LITTLE_MEMORY = """
import resource, sys
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.model.errors import ReadError
resource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))
try:
    read_flatbuffer(open(sys.argv[1], "rb").read(), "bomb")
except ReadError as error:
    sys.exit(f"refused: {error}")
"""


@pytest.mark.parametrize("bomb", [shared_vectors, shared_numbers])
def test_a_small_file_cannot_take_all_memory(
    tmp_path: Path, bomb: Callable[[int], bytes]
) -> None:
    data = bomb(20_000)
    assert len(data) < 5_000_000
    (tmp_path / "bomb").write_bytes(data)
    command = [sys.executable, "-c", READ_WITH_LITTLE_MEMORY, str(tmp_path / "bomb")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.startswith("refused: bomb"), done.stderr
    # The same file with few references is sound: it is the number that is refused.
    read_flatbuffer(bomb(10))
