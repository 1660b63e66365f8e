# SPDX-License-Identifier: Apache-2.0
"""Our reader decides as the C++ `flatbuffers::Verifier` does, in little time and memory."""

import fcntl
import struct
import subprocess
import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from tests.conftest import ROOT, every
from tests.formats.fuzz import (
    COMPILER,
    Findings,
    all_mutants,
    compile_verifier,
    cpp_verdicts,
    judge,
)
from tests.formats.mutants import (
    overlapping_vectors,
    overlapping_vtables,
    shared_buffers,
    shared_numbers,
    shared_options,
    shared_vectors,
    shared_wide_vtable,
    unknown_fields,
)
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import ReadError
from tflm_studio.schema import tables as t

MUTANTS = 500  # of each seed
BOMBS = (
    *(shared_vectors, shared_wide_vtable, shared_numbers, shared_buffers, shared_options),
    *(overlapping_vectors, overlapping_vtables, unknown_fields),
)
SIZES = (20, 140, 180, 250, 800, 5_000)  # on both sides of each bound


@pytest.fixture(scope="session")
def verifier(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The compiled program; the processes of one session share it."""
    if COMPILER is None:
        pytest.skip("there is no g++")
    folder = tmp_path_factory.getbasetemp()
    folder = folder if worker_id == "master" else folder.parent
    with (folder / "verifier.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program = folder / "verifier"
        return program if program.exists() else compile_verifier(folder)


@pytest.mark.parametrize("seed", range(4))
def test_mutants_get_the_verdict_of_the_cpp_verifier(verifier: Path, seed: int) -> None:
    findings = Findings()
    judge(verifier, list(islice(all_mutants(seed, largest=4_000), MUTANTS)), findings)
    assert not findings.disagreements.keys()
    assert not findings.slow
    assert findings.verdicts.total() == MUTANTS
    # Mutants that are all refused, or all accepted, would test one half of the program only.
    assert findings.verdicts["accepted"] > MUTANTS // 5
    assert findings.verdicts["refused"] > MUTANTS // 5


def with_deprecated(value: bytes) -> bytes:
    """A resizing operator whose deprecated height is where the two bytes of `value` say.

    They stand in its vtable.
    """
    options = t.ResizeBilinearOptions(new_height=0x12345678)
    operator = t.Operator(0, [], [], options)
    model = t.Model(version=3, subgraphs=[t.SubGraph([], [], [], [operator])])
    data = lay_out(model).tobytes()
    at = data.index(struct.pack("<I", 0x12345678))
    table = max(p for p in range(0, at, 4) if _vtable_has(data, p, at - p))
    vtable = table - struct.unpack_from("<i", data, table)[0]
    return data[: vtable + 4] + value + data[vtable + 6 :]


def _vtable_has(data: bytes, table: int, offset: int) -> bool:
    vtable = table - struct.unpack_from("<i", data, table)[0]
    inside = 0 <= vtable <= len(data) - 6
    return inside and struct.unpack_from("<3H", data, vtable)[2] == offset


@pytest.mark.parametrize("place", [4, 5, 60_000])
def test_deprecated_numbers_are_not_looked_at(verifier: Path, place: int) -> None:
    data = with_deprecated(struct.pack("<H", place))
    assert cpp_verdicts(verifier, [data]) == [True]
    (operator,) = read_flatbuffer(data).subgraphs[0].operators
    assert operator.builtin_options.new_height == (0x12345678 if place == 4 else 0)


@pytest.mark.parametrize("bomb", every(3, BOMBS))
def test_sharing_gets_the_verdict_of_the_cpp_verifier_or_is_named(
    verifier: Path, bomb: Callable[[int], bytes]
) -> None:
    findings = Findings()
    judge(verifier, [(f"{bomb.__name__} {size}", bomb(size)) for size in SIZES], findings)
    assert not findings.disagreements.keys()
    assert not findings.slow
    assert findings.verdicts["accepted"]


# Each file is read by a process of its own, which says how many bytes that took at most.
MEMORY_OF_READING = """
import os, resource, sys
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.model.errors import ReadError
def most_taken():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
data = [open(name, "rb").read() for name in sys.argv[1:]]
read_flatbuffer(data[0])
for buffer in data:
    if not os.fork():
        before = most_taken()
        try:
            read_flatbuffer(buffer)
        except ReadError:
            pass
        print(most_taken() - before, flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.mark.parametrize("bomb", every(3, BOMBS))
def test_sharing_takes_little_memory(tmp_path: Path, bomb: Callable[[int], bytes]) -> None:
    paths = [tmp_path / str(size) for size in SIZES]
    for path in paths:
        path.write_bytes(bomb(int(path.name)))
    command = [sys.executable, "-c", MEMORY_OF_READING, *map(str, paths)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    for path, taken in zip(paths, done.stdout.split(), strict=True):
        assert int(taken) < 4 * path.stat().st_size + 64_000_000, path.name


def test_tables_that_are_not_shared_are_read_however_many() -> None:
    buffers = [t.Buffer() for _ in range(80_000)]
    assert len(read_flatbuffer(lay_out(t.Model(buffers=buffers)).tobytes()).buffers) == 80_000


def test_a_bound_of_ours_says_what_is_shared() -> None:
    with pytest.raises(ReadError, match="tables are shared so often"):
        read_flatbuffer(shared_buffers(150_000))
