# SPDX-License-Identifier: Apache-2.0
"""What TFLM's recording allocator says of a model's arena, asked in a process of its own."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.model.errors import StudioError
from tflm_studio.runtime.arena_worker import ALLOCATED, INVOKED, NO_PACKAGE, REFUSED

WORKER = Path(__file__).with_name("arena_worker.py")
FIRST_ARENA = 2**20
MOST_ARENA = 2**30
LARGER = 8  # each try takes so many times the arena of the one before
SECONDS = 60.0
MEMORY = 6 * 2**30  # of the process: address space, much of it never touched
ASK_SECONDS = 0.05

_TOTALS = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_SECTION = re.compile(
    r"'([^'\n]+)' used (\d+) bytes with alignment overhead \(requested (\d+) bytes"
    r"(?: for (\d+) ([^)\n]*))?\)"
)
_TOO_SMALL = re.compile(
    r"failed to resize buffer|failed to allocate (?:tail )?memory|arena size is too small"
    r"|too many buffers|requested:? \d+, available|failed to allocate persistent",
    re.IGNORECASE,
)
_NOISE = re.compile(r"^(INFO|WARNING|W0000|I0000)|RecordingMicroAllocator|^$")


class MeasureError(StudioError):
    """The interpreter could not tell what a model needs; says why."""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the arena, as the recording allocator lists it.

    Attributes:
        name: The allocator's own name for it.
        used: Bytes, with what alignment takes.
        requested: Bytes that were asked for.
        count: How many things are in it; 0 if it does not say.
    """

    name: str
    used: int
    requested: int
    count: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """The arena of a model in the interpreter of this machine (64-bit).

    Attributes:
        total: Bytes in use: head and tail.
        head: Tensors and scratch buffers, planned over each other.
        tail: What stays for as long as the interpreter lives.
        sections: Parts, mostly of the tail.
        arena_size: The arena that it was measured in.
        problem: What came of running it with zeros as inputs; "" if it ran.
    """

    total: int
    head: int
    tail: int
    sections: tuple[Section, ...]
    arena_size: int
    problem: str = ""


def measure_arena(
    data: bytes | bytearray | memoryview,
    first_size: int = FIRST_ARENA,
    *,
    largest_size: int = MOST_ARENA,
    seconds: float = SECONDS,
) -> Measurement:
    """Loads a model into TFLM's interpreter and reads what its recording allocator says.

    Args:
        data: The flatbuffer of a model.
        first_size: Bytes of the arena to try first; larger ones follow if it is too small.
        largest_size: Where to stop.
        seconds: How long each try may take.

    Raises:
        MeasureError: The interpreter refuses the model, crashes, takes too long, or is not
            installed; one sentence says which.
        CancelledError: The answer is no longer wanted.
    """
    with tempfile.TemporaryDirectory(prefix="tflm-studio-") as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(data)
        size = min(first_size, largest_size)
        while True:
            found = _attempt(path, size, seconds)
            if found is not None:
                return found
            if size >= largest_size:
                raise MeasureError(
                    f"The model does not fit into an arena of {size:,} bytes, the largest "
                    "that is tried."
                )
            size = min(size * LARGER, largest_size)


def fits(data: bytes | bytearray | memoryview, size: int, seconds: float = SECONDS) -> bool:
    """Whether a model loads and runs in an arena of exactly this size.

    Raises:
        MeasureError: It does not for another reason.
    """
    try:
        return not measure_arena(data, size, largest_size=size, seconds=seconds).problem
    except MeasureError as error:
        if "does not fit" in str(error):
            return False
        raise


def _attempt(path: Path, size: int, seconds: float) -> Measurement | None:
    """One try; None if the arena is too small."""
    output, errors, code = _run(path, size, seconds)
    is_allocated = ALLOCATED in output
    if code == NO_PACKAGE:
        raise MeasureError(
            "The package tflite-micro is not installed; "
            "`pip install tflm-studio[run]` brings it, where it is available."
        )
    if not is_allocated and _TOO_SMALL.search(errors):
        return None
    if not is_allocated:
        raise MeasureError(_sentence(errors, code, "TFLM's interpreter"))
    found = parse_allocations(errors)
    if found is None:
        raise MeasureError("The recording allocator of TFLM gave no figures.")
    total, head, tail, sections = found
    problem = "" if INVOKED in output else _sentence(errors, code, "Running it")
    return Measurement(total, head, tail, sections, size, problem)


def _run(path: Path, size: int, seconds: float) -> tuple[str, str, int]:
    """Output, errors and exit code of the worker."""
    command = [sys.executable, "-P", str(WORKER), str(path), str(size), str(size + MEMORY)]
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors
        ) as run,
    ):
        try:
            _wait(run, seconds)
        finally:
            run.kill()
            run.wait()
        texts = []
        for stream in (output, errors):
            stream.seek(0)
            texts.append(stream.read(MOST_TEXT).decode("utf-8", "replace"))
        return texts[0], texts[1], run.returncode


MOST_TEXT = 2**20


def _wait(run: subprocess.Popen[bytes], seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            run.wait(ASK_SECONDS)
        except subprocess.TimeoutExpired:
            check_cancelled()
            if time.monotonic() > end:
                raise MeasureError(
                    f"TFLM's interpreter was still busy after {seconds:g} seconds; it was "
                    "ended."
                ) from None
        else:
            return


def parse_allocations(text: str) -> tuple[int, int, int, tuple[Section, ...]] | None:
    """Total, head, tail and sections of what the recording allocator prints, None if none."""
    totals = {name: int(number) for name, number in _TOTALS.findall(text)}
    if len(totals) != 3:
        return None
    sections = tuple(
        Section(name, int(used), int(requested), int(count or 0))
        for name, used, requested, count, _ in _SECTION.findall(text)
    )
    return totals["total"], totals["head"], totals["tail"], sections


def _sentence(errors: str, code: int, who: str) -> str:
    """What went wrong, in one sentence."""
    lines = [line.strip() for line in errors.splitlines() if not _NOISE.search(line.strip())]
    said = "; ".join(dict.fromkeys(line.rstrip(".") for line in lines))[:300]
    if code == REFUSED:
        verb = "refuses the model" if who.startswith("TFLM") else "failed"
        return f"{who} {verb}: {said}." if said else f"{who} {verb}."
    ended = f"crashed (signal {-code})" if code < 0 else f"ended with code {code}"
    return f"{who} {ended}{f': {said}' if said else ''}."
