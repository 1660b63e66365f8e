# SPDX-License-Identifier: Apache-2.0
"""Buffers of a memory plan that lie over each other while both are in use."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tflm_studio.analysis.arena_buffers import ArenaBuffers
from tflm_studio.analysis.lifetimes import Ints, Lifetimes, overlapping
from tflm_studio.analysis.memory_plan import MemoryPlan


class Clash(NamedTuple):
    """Two buffers, as rows of `ArenaBuffers`; the one that is in use first comes first."""

    first: int
    second: int


def plan_clashes(plan: MemoryPlan) -> list[Clash] | None:
    """What clashes in a plan: only buffers with an offline offset can.

    Returns:
        The clashes; None if there are too many buffers in use at once to tell.
    """
    buffers = plan.buffers
    if not (buffers.offline >= 0).any():
        return []
    # What nobody makes has no step of its own; overlapping() leaves out what is never used.
    times = Lifetimes(buffers.first + 1, buffers.last + 1)
    found = overlapping(plan.offset, buffers.size, times)
    if found is None:
        return None
    return [Clash(int(a), int(b)) for a, b in zip(*found, strict=True)]


def clashing_rows(buffers: ArenaBuffers, offset: Ints, row: int) -> list[int]:
    """The offline buffers that one buffer would lie over, were all at these offsets."""
    low, high = offset[row], offset[row] + buffers.size[row]
    meets = (buffers.first <= buffers.last[row]) & (buffers.last >= buffers.first[row])
    meets &= (offset < high) & (offset + buffers.size > low) & (buffers.offline >= 0)
    meets[row] = False
    found: list[int] = np.flatnonzero(meets).tolist()
    return found
