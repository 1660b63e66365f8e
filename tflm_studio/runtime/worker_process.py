# SPDX-License-Identifier: Apache-2.0
"""A worker of ours in a process of its own: with limits, and a sentence if it fails."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from typing import NamedTuple

from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.model.errors import StudioError
from tflm_studio.runtime.arena_worker import REFUSED

SECONDS = 60.0
MEMORY = 6 * 2**30  # of the process: address space, much of it never touched
ASK_SECONDS = 0.05
MOST_TEXT = 2**20

_NOISE = re.compile(r"^(INFO|WARNING|W0000|I0000)|RecordingMicroAllocator|^$")


class MeasureError(StudioError):
    """An interpreter could not tell what was asked; says why."""


class WorkerRun(NamedTuple):
    """What a worker left behind."""

    output: str
    errors: str
    code: int


def run_worker(arguments: Sequence[str], seconds: float, who: str) -> WorkerRun:
    """Runs a Python program to its end.

    Args:
        arguments: The program and its arguments.
        seconds: How long it may take.
        who: Names the interpreter that runs in it, for the message.

    Raises:
        MeasureError: It took too long and was ended.
        CancelledError: The answer is no longer wanted.
    """
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            [sys.executable, "-P", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        ) as run,
    ):
        try:
            _wait(run, seconds, who)
        finally:
            run.kill()
            run.wait()
        texts = []
        for stream in (output, errors):
            stream.seek(0)
            texts.append(stream.read(MOST_TEXT).decode("utf-8", "replace"))
        return WorkerRun(texts[0], texts[1], run.returncode)


def _wait(run: subprocess.Popen[bytes], seconds: float, who: str) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            run.wait(ASK_SECONDS)
        except subprocess.TimeoutExpired:
            check_cancelled()
            if time.monotonic() > end:
                raise MeasureError(
                    f"{who} was still busy after {seconds:g} seconds; it was ended."
                ) from None
        else:
            return


def failure_sentence(errors: str, code: int, who: str, *, is_interpreter: bool = True) -> str:
    """What went wrong, in one sentence.

    Args:
        errors: What the worker said.
        code: How it ended.
        who: The interpreter, or what it was doing.
        is_interpreter: Which of the two.
    """
    lines = [line.strip() for line in errors.splitlines() if not _NOISE.search(line.strip())]
    said = "; ".join(dict.fromkeys(line.rstrip(".") for line in lines))[:300]
    if code == REFUSED:
        verb = "refuses the model" if is_interpreter else "failed"
        return f"{who} {verb}: {said}." if said else f"{who} {verb}."
    ended = f"crashed (signal {-code})" if code < 0 else f"ended with code {code}"
    return f"{who} {ended}{f': {said}' if said else ''}."
