# SPDX-License-Identifier: Apache-2.0
"""What reference interpreters make of models."""

import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.schema.tables import Model

WORKER = Path(__file__).with_name("interpreter_worker.py")


class Run(NamedTuple):
    """What went into a model, what came out, and the tensors that were asked for."""

    inputs: list[Any]
    outputs: list[Any]
    tensors: list[Any]


class Job(NamedTuple):
    """A model to run with inputs, or with some made from a seed."""

    model: Model | bytes
    given: int | list[Any] = 1
    tensors: tuple[int, ...] = ()
    engine: str = "micro"


def run_jobs(jobs: list[Job]) -> list[Run | None]:
    """Runs models one after the other; None for one that is refused or kills the program."""
    found: list[Run | None] = []
    while len(found) < len(jobs):
        found += _results(jobs[len(found) :])
        if len(found) < len(jobs):
            found.append(None)
    return found


def _results(jobs: list[Job]) -> list[Run | None]:
    """The results up to the first model that kills its interpreter."""
    plain = [(j.engine, _bytes_of(j.model), j.given, list(j.tensors)) for j in jobs]
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder) / "jobs", Path(folder) / "results"
        asked.write_bytes(pickle.dumps(plain))
        command = [sys.executable, str(WORKER), str(asked), str(told)]
        subprocess.run(command, capture_output=True, timeout=120, check=False)
        results = pickle.loads(told.read_bytes()) if told.exists() else []
    return [Run(*result) if result is not None else None for result in results]


def _bytes_of(model: Model | bytes) -> bytes:
    return model if isinstance(model, bytes) else lay_out(model).tobytes()
