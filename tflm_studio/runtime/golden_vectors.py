# SPDX-License-Identifier: Apache-2.0
"""What a reference interpreter makes of chosen inputs, asked in a process of its own."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tflm_studio.model.errors import StudioError
from tflm_studio.model.tensor_types import Array
from tflm_studio.runtime.arena_measurement import (
    FIRST_ARENA,
    INTERPRETER,
    LARGER,
    MOST_ARENA,
    NOT_INSTALLED,
    TOO_SMALL,
    parse_allocations,
)
from tflm_studio.runtime.golden_inputs import End, seeded_inputs, zero_inputs
from tflm_studio.runtime.golden_worker import ALLOCATED, DONE, LITERT, MICRO, NO_PACKAGE
from tflm_studio.runtime.worker_process import (
    MEMORY,
    SECONDS,
    MeasureError,
    WorkerRun,
    failure_sentence,
    run_worker,
)

WORKER = Path(__file__).with_name("golden_worker.py")
LITERT_NAME = "LiteRT's interpreter"
_VERSION = re.compile(r"@version (\S+)")


@dataclass(frozen=True, slots=True, eq=False)  # arrays do not compare to a truth value
class GoldenCase:
    """Inputs, and what came out.

    Attributes:
        title: What the inputs are.
        seed: What they follow from; None if all mean 0.
        inputs: Arrays in the shapes of the model's inputs.
        outputs: Likewise.
    """

    title: str
    seed: int | None
    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class GoldenVectors:
    """Some cases that one interpreter ran.

    Attributes:
        engine: `MICRO` or `LITERT`, the package.
        version: Of the package.
        cases: Each ran in an interpreter of its own.
        arena_used: Bytes of the arena that TFLM used on this 64-bit machine; 0 if not known.
        arena_size: Bytes of the arena that it ran in; 0 if not known.
        notes: What else to know, such as why another interpreter ran them.
    """

    engine: str
    version: str
    cases: tuple[GoldenCase, ...]
    arena_used: int = 0
    arena_size: int = 0
    notes: tuple[str, ...] = ()


def golden_cases(ends: Sequence[End], seed: int, count: int = 3) -> tuple[GoldenCase, ...]:
    """Cases to run: all zeros, then random ones.

    Args:
        ends: The inputs of the model.
        seed: What the random ones follow from.
        count: How many in all; one is enough without inputs.
    """
    cases = [GoldenCase("zeros", None, zero_inputs(ends))]
    for number in range(1, count if ends else 1):
        each = (seed + number) & 0xFFFFFFFF
        cases.append(GoldenCase(f"random, seed {each}", each, seeded_inputs(ends, each)))
    return tuple(cases)


def golden_vectors(
    data: bytes,
    cases: Sequence[GoldenCase],
    first_arena: int = FIRST_ARENA,
    *,
    engines: Sequence[str] = (MICRO, LITERT),
    seconds: float = SECONDS,
) -> GoldenVectors:
    """Runs a model on the inputs of some cases.

    Args:
        data: The flatbuffer of a model.
        cases: Their outputs are not looked at.
        first_arena: Bytes of the arena to try first; larger ones follow if it is too small.
        engines: Interpreters to try, in this order.
        seconds: How long each try may take.

    Raises:
        MeasureError: None of them could run it; says why, of each.
        CancelledError: The answer is no longer wanted.
    """
    problems: list[str] = []
    with tempfile.TemporaryDirectory(prefix="tflm-studio-") as folder:
        place = Path(folder)
        (place / "model.tflite").write_bytes(data)
        _save_inputs(place / "inputs.npz", cases)
        for engine in engines:
            try:
                found = _run_engine(engine, place, cases, first_arena, seconds)
            except MeasureError as error:
                problems.append(str(error))
            else:
                return replace(found, notes=tuple(problems))
    raise MeasureError(" ".join(problems))


def _save_inputs(path: Path, cases: Sequence[GoldenCase]) -> None:
    arrays = {f"{k}_{n}": a for k, case in enumerate(cases) for n, a in enumerate(case.inputs)}
    np.savez(path, cases=np.array(len(cases)), **arrays)  # type: ignore[arg-type]


def _run_engine(
    engine: str, place: Path, cases: Sequence[GoldenCase], arena: int, seconds: float
) -> GoldenVectors:
    if engine == LITERT:
        run = _attempt(LITERT, place, 0, seconds)
        return _result(LITERT, run, place, cases, 0)
    arena = min(arena, MOST_ARENA)
    while True:
        run = _attempt(MICRO, place, arena, seconds)
        is_too_small = ALLOCATED not in run.output and TOO_SMALL.search(run.errors)
        if not is_too_small or arena >= MOST_ARENA:
            return _result(MICRO, run, place, cases, arena)
        arena = min(max(arena * LARGER, FIRST_ARENA), MOST_ARENA)


def _attempt(engine: str, place: Path, arena: int, seconds: float) -> WorkerRun:
    paths = [str(place / name) for name in ("model.tflite", "inputs.npz", "outputs.npz")]
    who = INTERPRETER if engine == MICRO else LITERT_NAME
    return run_worker(
        [str(WORKER), engine, *paths, str(arena), str(arena + MEMORY)], seconds, who
    )


def _result(
    engine: str, run: WorkerRun, place: Path, cases: Sequence[GoldenCase], arena: int
) -> GoldenVectors:
    if run.code == NO_PACKAGE:
        without = "The package ai-edge-litert is not installed."
        raise MeasureError(NOT_INSTALLED if engine == MICRO else without)
    if DONE not in run.output:
        who = INTERPRETER if engine == MICRO else LITERT_NAME
        raise MeasureError(failure_sentence(run.errors, run.code, who))
    known = parse_allocations(run.errors)
    version = _VERSION.search(run.output)
    used = known[0] if known else 0
    found = _with_outputs(place / "outputs.npz", cases)
    return GoldenVectors(engine, version.group(1) if version else "", found, used, arena)


def _with_outputs(path: Path, cases: Sequence[GoldenCase]) -> tuple[GoldenCase, ...]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError) as error:
        raise StudioError(f"What the interpreter made cannot be read: {error}.") from error
    return tuple(
        GoldenCase(
            case.title,
            case.seed,
            case.inputs,
            tuple(found[f"{k}_{n}"] for n in range(len(found)) if f"{k}_{n}" in found),
        )
        for k, case in enumerate(cases)
    )
