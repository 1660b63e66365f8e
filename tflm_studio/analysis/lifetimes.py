# SPDX-License-Identifier: Apache-2.0
"""When each tensor is in use, and which of them would lie over each other in the arena.

Time is counted as TFLM's planner counts it: 0 is the start of the main subgraph, every
operator takes a step, and every subgraph that IF, WHILE or CALL_ONCE runs takes another, then
its own (tflite-micro, micro/micro_allocation_info.cc). A tensor that is used twice is taken to
be in use in between as well, which that file does not do for subgraphs that are called twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tflm_studio.model.operators import builtin_code, has_data, operator_code
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model, Operator, SubGraph, Tensor

ARENA_ALIGNMENT = 16
UNUSED = -1
MOST_STEPS = 500_000  # subgraphs that call each other may multiply
MOST_NESTED = 100
MOST_PAIRS = 20_000_000

Ints = NDArray[np.int64]
Pairs = tuple[Ints, Ints]

# The options that name subgraphs to run, in the order the planner follows them.
_CALLS: dict[int, tuple[str, ...]] = {
    BuiltinOperator.IF: ("then_subgraph_index", "else_subgraph_index"),
    BuiltinOperator.WHILE: ("cond_subgraph_index", "body_subgraph_index"),
    BuiltinOperator.CALL_ONCE: ("init_subgraph_index",),
}


class Step(NamedTuple):
    """What an operator has to do with memory: tensors and subgraphs by index."""

    inputs: Sequence[int]
    outputs: Sequence[int]
    calls: tuple[int, ...] = ()


@dataclass(slots=True)
class Flow:
    """What a subgraph has to do with memory.

    Attributes:
        tensor_count: How many tensors it has.
        inputs: Its inputs.
        outputs: Its outputs.
        steps: One per operator.
    """

    tensor_count: int
    inputs: Sequence[int]
    outputs: Sequence[int]
    steps: list[Step]


class Lifetimes(NamedTuple):
    """First and last step at which each tensor is in use, `UNUSED` for never."""

    first: Ints
    last: Ints


def flow_of(model: Model, subgraph: SubGraph) -> Flow:
    """The flow of a subgraph. O(operators)."""
    return Flow(
        len(subgraph.tensors or []),
        subgraph.inputs or [],
        subgraph.outputs or [],
        [step_of(model, operator) for operator in subgraph.operators or []],
    )


def step_of(model: Model, operator: Operator) -> Step:
    """The step of an operator."""
    code = operator_code(model, operator)
    names = _CALLS.get(builtin_code(code), ()) if code is not None else ()
    calls = tuple(getattr(operator.builtin_options, name, -1) for name in names)
    return Step(operator.inputs or [], operator.outputs or [], calls)


def find_lifetimes(flows: Sequence[Flow]) -> Lifetimes | None:
    """When each tensor is in use.

    Returns:
        The tensors of all subgraphs, one subgraph behind the other; None if subgraphs call
        themselves or each other so often that it cannot be told.
    """
    clock = _Clock(flows)
    return Lifetimes(clock.first, clock.last) if not flows or clock.run(0, ()) else None


class _Clock:
    def __init__(self, flows: Sequence[Flow]) -> None:
        counts = [flow.tensor_count for flow in flows]
        self.flows = flows
        self.offsets = [sum(counts[:k]) for k in range(len(counts))]
        self.first = np.full(sum(counts), UNUSED, np.int64)
        self.last = np.full(sum(counts), UNUSED, np.int64)
        self.now = 0
        self.unmade_outputs: dict[int, Sequence[int]] = {}

    def run(self, index: int, callers: tuple[int, ...]) -> bool:
        if index in callers or len(callers) == MOST_NESTED:
            return False
        flow = self.flows[index]
        self.use(index, flow.inputs)
        # Outputs that an operator makes are in use from then on.
        self.use(index, self.unmade(index))
        for step in flow.steps:
            self.now += 1
            self.use(index, step.outputs)
            for called in step.calls:
                self.now += 1
                if 0 <= called < len(self.flows) and not self.run(called, (*callers, index)):
                    return False
            self.use(index, step.inputs)
            self.use(index, step.outputs)
            if self.now > MOST_STEPS:
                return False
        self.use(index, flow.outputs)
        return True

    def unmade(self, index: int) -> Sequence[int]:
        """The outputs of a subgraph that none of its operators makes."""
        if index not in self.unmade_outputs:
            flow = self.flows[index]
            wanted = set(flow.outputs)
            for step in flow.steps:
                wanted.difference_update(step.outputs)
            self.unmade_outputs[index] = tuple(wanted)
        return self.unmade_outputs[index]

    def use(self, index: int, tensors: Sequence[int]) -> None:
        count, offset = self.flows[index].tensor_count, self.offsets[index]
        for tensor in tensors:
            if 0 <= tensor < count:
                if self.first[offset + tensor] == UNUSED:
                    self.first[offset + tensor] = self.now
                self.last[offset + tensor] = self.now


def arena_bytes(model: Model, tensor: Tensor) -> int:
    """Bytes that the planner reserves for a tensor; 0 for constants and variables.

    A packed type takes a byte per element there (micro/memory_helpers.cc).
    """
    if tensor.is_variable or has_data(model, tensor):
        return 0
    count = math.prod(tensor.shape or [])
    size = max(count, 0) * -(-element_type(tensor.type).bits // 8)
    return min(-(-size // ARENA_ALIGNMENT) * ARENA_ALIGNMENT, 2**40)


def overlapping(offsets: Ints, sizes: Ints, lifetimes: Lifetimes) -> Pairs | None:
    """The pairs of tensors that lie over each other while both are in use.

    Args:
        offsets: Where each tensor is in the arena; negative if that is not known.
        sizes: Bytes of each.
        lifetimes: When each is in use.

    Returns:
        Two arrays of indices; in each pair the one that is in use first comes first. None if
        there are too many pairs to look at.
    """
    known = np.flatnonzero((offsets >= 0) & (sizes > 0) & (lifetimes.last >= 0))
    known = known[np.argsort(lifetimes.first[known], kind="stable")]
    first, last = lifetimes.first[known], lifetimes.last[known]
    ends = np.searchsorted(first, last, side="right")
    if int((ends - np.arange(len(known)) - 1).sum()) > MOST_PAIRS:
        return None
    low, high = offsets[known], offsets[known] + sizes[known]
    found: list[tuple[Any, Any]] = []
    for k, end in enumerate(ends):
        meets = (low[k + 1 : end] < high[k]) & (high[k + 1 : end] > low[k])
        others = known[k + 1 : end][meets]
        if len(others):
            found.append((np.full(len(others), known[k]), others))
    if not found:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    return np.concatenate([a for a, _ in found]), np.concatenate([b for _, b in found])


def meet_in_time(lifetimes: Lifetimes, pairs: Pairs) -> NDArray[np.bool_]:
    """Which pairs of tensors are in use at the same time."""
    a, b = pairs
    found: NDArray[np.bool_] = (lifetimes.first[a] <= lifetimes.last[b]) & (
        lifetimes.first[b] <= lifetimes.last[a]
    )
    return found & (lifetimes.last[a] >= 0) & (lifetimes.last[b] >= 0)
