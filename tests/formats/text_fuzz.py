# SPDX-License-Identifier: Apache-2.0
"""Mutants of C sources and JSON files: what is refused, what is accepted, and at what price.

A mutant is refused with a `ReadError`, or read; what is read must be saved and read back as
the same model. No call may take a second for a file of the size of the samples, nor more
memory than four times the file and 64 MB.
"""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tflm_studio.formats.c_source_reader import (
    choose_model_array,
    find_byte_arrays,
    looks_like_c_source,
)
from tflm_studio.formats.c_source_splice import spliced
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.model_file import layouts, read_model
from tflm_studio.formats.model_json import (
    looks_like_model_json,
    read_model_json,
    write_model_json,
)
from tflm_studio.model.errors import ReadError, StudioError, WriteError
from tflm_studio.schema.tables import Model

SLOW = 1.0  # seconds, for a file of 100 KB or less
MEMORY = 64_000_000  # bytes besides four times the file
HEAD = 65_536
STATUS = Path("/proc/self/status")
NAME = "mutant"


@dataclass(slots=True)
class TextFindings:
    """What came of many mutants, by name.

    Attributes:
        judged: How many there were.
        verdicts: How many were refused, accepted, or something worse.
        faults: Mutants on which a rule was broken.
        slowest: Seconds of the slowest call, and the mutant.
        most_memory: Bytes that a mutant took at most.
    """

    judged: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    faults: dict[str, bytes] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")
    most_memory: int = 0

    def add_fault(self, name: str, kind: str, text: str, data: bytes) -> None:
        self.verdicts[kind] += 1
        self.faults[f"{name}: {kind}: {text}"] = data


class BrokenRuleError(Exception):
    """What was accepted is not saved as it was read."""


def judge_texts(
    check: Callable[[bytes], str], named: list[tuple[str, bytes]], found: TextFindings
) -> None:
    """Adds what comes of the mutants."""
    for name, data in named:
        found.judged += 1
        before = reset_peak()
        start = time.thread_time()
        try:
            found.verdicts[check(data)] += 1
        except Exception as error:
            found.add_fault(name, type(error).__name__, repr(error)[:300], data)
        seconds = time.thread_time() - start
        taken = peak_bytes() - before
        found.slowest = max(found.slowest, (seconds, name))
        found.most_memory = max(found.most_memory, taken)
        if seconds > SLOW * max(1, len(data) / 100_000):
            found.add_fault(name, "slow", f"{seconds:.2f} s", data)
        if taken > 4 * len(data) + MEMORY:
            found.add_fault(name, "memory", f"{taken:,} bytes", data)


def reset_peak() -> int:
    """Bytes in memory now, from which on the highest number counts anew."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return peak_bytes()
    except OSError:
        return 0  # not Linux: memory is not judged


def peak_bytes() -> int:
    """Bytes in memory at most since the last reset; 0 where that cannot be told."""
    if not STATUS.exists():
        return 0
    (line,) = (line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    return 1024 * int(line.split()[1])


# ------------------------------------------------------------------ C


def check_c(data: bytes) -> str:
    """What becomes of a C source; raises if that breaks a rule."""
    looks_like_c_source(data[:HEAD])
    try:
        find_byte_arrays(data, NAME)
    except ReadError as error:
        _check_message(error)
    try:
        array = choose_model_array(data, NAME)
        model = read_model(data, NAME, array.symbol)
    except ReadError as error:
        _check_message(error)
        return "refused"
    _save_c(model, data)
    model.description = "a longer description, so that all has to move " * 3
    try:
        _save_c(model, None)
    except WriteError as error:
        # What the schema does not know can only stay where it is.
        if "does not know" not in str(error):
            raise
    return "accepted"


def _save_c(model: Model, expected: bytes | None) -> None:
    """Splices a model into its source and reads it back, as saving does."""
    origin = model.extra
    assert isinstance(origin, Origin)
    assert origin.source is not None
    for layout in layouts(model, None):
        written = spliced(origin.source, layout.tobytes())
        try:
            again = read_model(written, NAME, origin.source.symbol)
        except ReadError:
            continue
        if same_content(again, model):
            if expected not in (None, written):
                raise BrokenRuleError("an unchanged source was written differently")
            return
    raise BrokenRuleError("the source cannot be saved")


# ------------------------------------------------------------------ JSON


def check_json(data: bytes) -> str:
    """What becomes of a JSON file; raises if that breaks a rule."""
    looks_like_model_json(data[:HEAD])
    try:
        model = read_model_json(data, NAME)
    except ReadError as error:
        _check_message(error)
        return "refused"
    written = b"".join(write_model_json(model))
    again = read_model_json(written, NAME)
    if not same_content(again, model):
        raise BrokenRuleError("what was written reads back differently")
    if b"".join(write_model_json(again)) != written:
        raise BrokenRuleError("what is read back is written differently")
    assert isinstance(model.extra, Origin)
    if not same_content(read_flatbuffer(model.extra.data), model):
        raise BrokenRuleError("the flatbuffer made of it is another model")
    return "accepted"


def _check_message(error: StudioError) -> None:
    text = str(error)
    if not text.startswith(NAME) or len(text) > 2_000:
        raise BrokenRuleError(f"a message says too much or not where: {text[:200]}")


CHECKS = {"c": check_c, "json": check_json}
