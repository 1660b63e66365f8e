# SPDX-License-Identifier: Apache-2.0
"""Where TFLM's greedy planner puts every buffer in the arena, and what its head then takes.

Buffers of an offline plan come first, as they stand; then the others, the largest first, each
at the lowest gap between those that are in use at the same time
(micro/memory_planner/greedy_memory_planner.cc).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tflm_studio.analysis.arena_buffers import START, ArenaBuffers, Scope, arena_buffers
from tflm_studio.analysis.lifetimes import Ints
from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.schema.tables import Model

ASK_EVERY = 256


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """The head of the arena.

    Attributes:
        buffers: What is placed, and when each is in use.
        offset: Where each is, in bytes from the start of the arena.
        head: Bytes that all together take.
        needed: Bytes that are in use at once at most: no plan can do with less.
        peak_scopes: Scopes in which a buffer that reaches the head is in use.
    """

    buffers: ArenaBuffers
    offset: Ints
    head: int
    needed: int
    peak_scopes: tuple[int, ...]

    @property
    def peak_operators(self) -> tuple[Scope, ...]:
        """The operators at the peak, each once."""
        scopes = self.buffers.scopes
        places = dict.fromkeys(scopes[k] for k in self.peak_scopes)
        return tuple(place for place in places if place.operator != START)

    @property
    def is_exact(self) -> bool:
        """Whether the scratch buffers of all operators are known."""
        return not self.buffers.unknown


def plan_memory(model: Model) -> MemoryPlan:
    """The head of the arena of a model, as TFLM's reference kernels would have it.

    Raises:
        PlanError: The interpreter would not plan it; says why.
    """
    return place_buffers(arena_buffers(model))


def place_buffers(buffers: ArenaBuffers) -> MemoryPlan:
    """Places buffers. O(buffers²) in the worst case, each step on whole arrays.

    Raises:
        CancelledError: The plan is no longer wanted.
    """
    offset = _greedy(buffers)
    ends = offset + buffers.size
    head = int(ends.max(initial=0))
    count = len(buffers.scopes)
    return MemoryPlan(
        buffers, offset, head, _most_at_once(buffers), _peak(buffers, ends, count)
    )


def _greedy(buffers: ArenaBuffers) -> Ints:
    size, first, last = buffers.size, buffers.first, buffers.last
    offline = np.flatnonzero(buffers.offline >= 0)
    online = np.flatnonzero(buffers.offline < 0)
    # Of equal ones the last comes first: the planner fills its list from behind.
    online = online[np.lexsort((-online, -size[online]))]
    order = np.concatenate([offline, online])
    offset = np.where(buffers.offline >= 0, buffers.offline, 0)
    # The same in the order of placing, so that what is placed already is a slice.
    firsts, lasts, begins = first[order], last[order], offset[order]
    ends = begins + size[order]
    for k in range(len(offline), len(order)):
        if k % ASK_EVERY == 0:
            check_cancelled()
        meets = np.flatnonzero((firsts[:k] <= lasts[k]) & (lasts[:k] >= firsts[k]))
        begin = _lowest_gap(begins[meets], ends[meets], int(ends[k]))
        begins[k] = begin
        ends[k] += begin
    offset[order] = begins
    return offset


def _lowest_gap(begins: Ints, ends: Ints, wanted: int) -> int:
    """The first place of `wanted` bytes that none of some buffers covers."""
    if not len(begins):
        return 0
    by_offset = np.argsort(begins, kind="stable")
    floor = np.maximum.accumulate(ends[by_offset])
    gaps = begins[by_offset]
    gaps[1:] -= floor[:-1]
    fits = gaps >= wanted
    found = int(fits.argmax())
    if not fits[found]:
        return int(floor[-1])
    return int(floor[found - 1]) if found else 0


def _most_at_once(buffers: ArenaBuffers) -> int:
    steps = np.zeros(len(buffers.scopes) + 2, np.int64)
    np.add.at(steps, buffers.first + 1, buffers.size)
    np.add.at(steps, buffers.last + 2, -buffers.size)
    return int(np.cumsum(steps).max(initial=0))


def _peak(buffers: ArenaBuffers, ends: Ints, count: int) -> tuple[int, ...]:
    """The scopes at which the head is as large as it gets."""
    marks = np.zeros(count + 1, np.int64)
    for k in np.flatnonzero(ends == ends.max(initial=-1)):
        marks[max(int(buffers.first[k]), 0)] += 1
        marks[max(int(buffers.last[k]), 0) + 1] -= 1
    return tuple(np.flatnonzero(np.cumsum(marks)[:-1] > 0).tolist()) if count else ()
