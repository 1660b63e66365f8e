# SPDX-License-Identifier: Apache-2.0
"""How large to make `kTensorArenaSize`: head, tail, and what is needed only while loading."""

from __future__ import annotations

from dataclasses import dataclass

from tflm_studio.analysis.arena_buffers import arena_buffers
from tflm_studio.analysis.arena_tail import FIRMWARE, HOST, TailEstimate, estimate_tail
from tflm_studio.analysis.memory_plan import MemoryPlan, place_buffers
from tflm_studio.schema.tables import Model

POINTER_BYTES = 8
MOST_SCRATCH_REQUESTS = 12  # of an operator: room for so many is held while it prepares
REQUEST_BYTES = 16
INFO_BYTES = 32  # of a buffer, while its lifetime is found
PLANNER_BYTES = 40  # of a buffer, while the greedy planner works
UNKNOWN_BYTES = 512  # what a kernel of which nothing is known is thought to keep
TEMPORARY_BYTES = 1024  # tensors that a kernel looks at while it prepares
SHARE = 64  # one part in so many is added
SMALL_UNIT, UNIT, LARGE_UNIT = 256, 1024, 4096  # what a recommendation is rounded up to


@dataclass(frozen=True, slots=True)
class ArenaEstimate:
    """What the arena of a model takes, as far as the model tells.

    Attributes:
        plan: The head.
        tail: The tail on this machine (64-bit), an estimate.
        firmware_tail: The tail on a 32-bit microcontroller, an estimate.
        loading: What it takes while the interpreter plans, an estimate; small models need
            more then than later.
        recommended: A size for `kTensorArenaSize` with some room to spare.
    """

    plan: MemoryPlan
    tail: TailEstimate
    firmware_tail: TailEstimate
    loading: int
    recommended: int

    @property
    def head(self) -> int:
        """Bytes of the head."""
        return self.plan.head

    @property
    def total(self) -> int:
        """Bytes of head and tail on this machine."""
        return self.plan.head + self.tail.total


def estimate_arena(model: Model) -> ArenaEstimate:
    """What the arena of a model takes.

    Raises:
        PlanError: The interpreter would not plan it; says why.
    """
    return complete_estimate(model, place_buffers(arena_buffers(model)))


def complete_estimate(model: Model, plan: MemoryPlan) -> ArenaEstimate:
    """Adds the tail and the recommendation to a plan."""
    tail = estimate_tail(model, plan.buffers, HOST)
    firmware = estimate_tail(model, plan.buffers, FIRMWARE)
    loading = tail.total + _planning_bytes(model, plan)
    return ArenaEstimate(
        plan, tail, firmware, loading, recommend_arena_size(model, plan, tail)
    )


def recommend_arena_size(model: Model, plan: MemoryPlan, tail: TailEstimate) -> int:
    """A rounded size of the arena in which a model loads and runs.

    While it loads, the arena also holds what the planner needs: where that is more than the
    head, it decides.
    """
    unknown = UNKNOWN_BYTES * sum(tail.unknown.values())
    head = max(plan.head, _planning_bytes(model, plan))
    size = tail.total + unknown + head + TEMPORARY_BYTES
    return _rounded(size + size // SHARE)


def _planning_bytes(model: Model, plan: MemoryPlan) -> int:
    """Bytes that are taken, in place of the head, while the interpreter plans."""
    subgraphs = model.subgraphs or []
    tensors = sum(len(each.tensors or []) for each in subgraphs)
    scratch = int((plan.buffers.tensor < 0).sum())
    return (
        REQUEST_BYTES * (MOST_SCRATCH_REQUESTS + scratch)
        + INFO_BYTES * (tensors + scratch)
        + POINTER_BYTES * len(subgraphs)
        + PLANNER_BYTES * len(plan.offset)
    )


def _rounded(size: int) -> int:
    unit = SMALL_UNIT if size < 16 * UNIT else UNIT if size < 256 * UNIT else LARGE_UNIT
    return -(-size // unit) * unit
