# SPDX-License-Identifier: Apache-2.0
"""Times of tasks that take turns, so that a busy machine slows all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

Task = Callable[[], object]

MIN_ROUNDS, MAX_ROUNDS = 3, 15


@dataclass(frozen=True, slots=True)
class Limit:
    """What a task should reach beside its reference.

    Attributes:
        faster: At least this many times as fast.
        within: At most this many times as long.
        seconds: At most this long, where a ratio says little.
    """

    faster: float = 0.0
    within: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        if self.faster:
            return f">= {self.faster:g}x as fast"
        if self.within:
            return f"<= {self.within:g}x the time"
        return f"<= {self.seconds * 1000:g} ms" if self.seconds else "none yet"

    def verdict(self, ours: float, reference: float | None) -> str:
        """Whether it is reached; empty if there is nothing to reach."""
        if self.seconds:
            reached = ours <= self.seconds
        elif reference is None or not (self.faster or self.within):
            return ""
        elif self.faster:
            reached = ours * self.faster <= reference
        else:
            reached = ours <= self.within * reference
        return "met" if reached else "MISSED"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A task of ours beside one of somebody else, if there is one."""

    what: str
    ours: Task
    reference_name: str = ""
    reference: Task | None = None
    limit: Limit = Limit()


def medians(tasks: Sequence[Task], budget_seconds: float) -> list[float]:
    """Median seconds of each task, run in turns after one round that does not count.

    The garbage of one task is collected outside the clock, so that none pays for another.
    """
    times: list[list[float]] = [[] for _ in tasks]
    begin = time.perf_counter()
    for number in range(MAX_ROUNDS + 1):
        # Who begins changes: the first of a round finds the caches in another state.
        order = list(range(len(tasks)))[:: 1 if number % 2 else -1]
        for index in order:
            gc.collect()
            start = time.perf_counter()
            tasks[index]()
            took = time.perf_counter() - start
            if number:
                times[index].append(took)
        spent = time.perf_counter() - begin
        if number >= MIN_ROUNDS and spent > budget_seconds:
            break
    return [median(found) for found in times]
