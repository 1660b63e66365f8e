# SPDX-License-Identifier: Apache-2.0
"""What TFLM's memory planner is asked to place: how large each buffer is, when it is used.

Time is counted in scopes as in micro/micro_allocation_info.cc: scope 0 is the start of the
main subgraph, each operator has a scope, and each subgraph that an operator runs takes one
more, then its own. This module keeps to that file where `analysis.lifetimes` is kinder: a
tensor that is made twice counts from the second time on, one that nobody makes counts from
before the start.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tflm_studio.analysis.kernel_scratch import (
    no_scratch,
    scratch_requests,
    scratch_rule,
)
from tflm_studio.analysis.lifetimes import (
    ARENA_ALIGNMENT,
    MOST_NESTED,
    Flow,
    Ints,
    flow_of,
)
from tflm_studio.formats.offline_plan import (
    OFFLINE_PLAN,
    PLANNED_ONLINE,
    parse_offline_plan,
)
from tflm_studio.model.errors import ReadError, StudioError
from tflm_studio.model.metadata_content import find_metadata, metadata_content
from tflm_studio.model.operators import builtin_code, has_data, operator_name
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Model, Tensor

BEFORE = -1  # the scope of what is never made
SCRATCH = -1  # stands for the tensor of a scratch buffer
START = -1  # stands for the operator of the scope in which a subgraph begins
MOST_BYTES = 2**40
MOST_RUNS = 4  # of each operator on average: subgraphs that run each other may multiply
FEWEST_LIMIT = 20_000
_VAR_HANDLE = int(BuiltinOperator.VAR_HANDLE)


class PlanError(StudioError):
    """Nobody can tell how the interpreter would plan a model; says why."""


class Scope(NamedTuple):
    """A moment of the plan: an operator, or the start of a subgraph (`START`)."""

    subgraph: int
    operator: int


@dataclass(frozen=True, slots=True)
class ArenaBuffers:
    """What has to be placed, a row per buffer: the tensors in order, then scratch buffers.

    Attributes:
        subgraph: Index of its subgraph.
        tensor: Index of the tensor, `SCRATCH` for memory that a kernel asks for.
        operator: The operator whose scratch it is, -1 for tensors.
        size: Bytes, rounded up to 16.
        first: Scope from which on it is in use; `BEFORE` if nobody makes it.
        last: Last scope in which it is in use.
        offline: Offset that an offline plan gives it, -1 if the planner decides.
        scopes: What each scope is.
        variables: Bytes of variable tensors; they stand behind the plan, in the tail.
        unknown: Names of the operators whose scratch buffers are not known.
    """

    subgraph: Ints
    tensor: Ints
    operator: Ints
    size: Ints
    first: Ints
    last: Ints
    offline: Ints
    scopes: tuple[Scope, ...]
    variables: int
    unknown: tuple[str, ...]


def arena_buffers(model: Model, *, with_offline_plan: bool = True) -> ArenaBuffers:
    """What TFLM would have to place for a model. O(operators + tensors).

    Args:
        model: The model.
        with_offline_plan: Whether its offline plan counts, if it has one.

    Raises:
        PlanError: Subgraphs run each other without end, or the offline plan is not for the
            tensors of the model.
    """
    subgraphs = model.subgraphs or []
    flows = [flow_of(model, subgraph) for subgraph in subgraphs]
    offsets = offline_offsets(model) if with_offline_plan else None
    clock = _Clock(flows)
    if flows:
        clock.run(0, ())
    rows, variables = _tensor_rows(model, clock, offsets)
    unknown = _scratch_rows(model, clock, rows)
    table = np.array(rows, np.int64).reshape(len(rows), len(Row._fields))
    subgraph, tensor, operator, size, first, last, offline = table.T.copy()
    return ArenaBuffers(
        subgraph,
        tensor,
        operator,
        size,
        first,
        last,
        offline,
        tuple(clock.scopes),
        variables,
        unknown,
    )


def offline_offsets(model: Model) -> tuple[int, ...] | None:
    """The offsets of the offline plan of a model, None if it has none.

    Raises:
        PlanError: The plan is not for its tensors.
    """
    index = find_metadata(model, OFFLINE_PLAN)
    if index is None:
        return None
    count = sum(len(subgraph.tensors or []) for subgraph in model.subgraphs or [])
    try:
        data = metadata_content(model, (model.metadata or [])[index])
        return parse_offline_plan(data, count).offsets
    except ReadError as error:
        raise PlanError(
            f"The interpreter refuses {OFFLINE_PLAN}: {error}. Remove it or make it anew."
        ) from None


class Row(NamedTuple):
    """A buffer, as in `ArenaBuffers`."""

    subgraph: int
    tensor: int
    operator: int
    size: int
    first: int
    last: int
    offline: int


def _tensor_rows(
    model: Model, clock: _Clock, offsets: tuple[int, ...] | None
) -> tuple[list[Row], int]:
    """The rows of all tensors that get a place, and the bytes of variables that do not."""
    rows: list[Row] = []
    variables, position = 0, 0
    held = _handles(model)
    for s, subgraph in enumerate(model.subgraphs or []):
        for t, tensor in enumerate(subgraph.tensors or []):
            offline = offsets[position] if offsets is not None else PLANNED_ONLINE
            if tensor.is_variable and offline == PLANNED_ONLINE:
                variables += planned_size(tensor)
            elif tensor.is_variable or not (position in held or has_data(model, tensor)):
                size = planned_size(tensor)
                if size:
                    times = clock.first[position], clock.last[position]
                    rows.append(Row(s, t, -1, size, *times, offline))
            position += 1
    return rows, variables


def _handles(model: Model) -> set[int]:
    """The outputs of VAR_HANDLE: their kernel keeps them itself."""
    codes = model.operator_codes or []
    wanted = {k for k, code in enumerate(codes) if builtin_code(code) == _VAR_HANDLE}
    found: set[int] = set()
    start = 0
    for subgraph in (model.subgraphs or []) if wanted else []:
        for operator in subgraph.operators or []:
            if operator.opcode_index in wanted:
                found.update(start + k for k in (operator.outputs or [])[:1] if k >= 0)
        start += len(subgraph.tensors or [])
    return found


def planned_size(tensor: Tensor) -> int:
    """Bytes that the planner reserves for a tensor: a packed type takes a byte per element."""
    count = max(math.prod(tensor.shape or []), 0)
    return rounded_up(count * -(-element_type(tensor.type).bits // 8))


def rounded_up(size: int) -> int:
    """A size as it is reserved."""
    return min(-(-size // ARENA_ALIGNMENT) * ARENA_ALIGNMENT, MOST_BYTES)


def _scratch_rows(model: Model, clock: _Clock, rows: list[Row]) -> tuple[str, ...]:
    """Adds the rows of scratch buffers; returns the operators of which none are known."""
    unknown: dict[str, None] = {}
    rules = [scratch_rule(code) for code in model.operator_codes or []]
    for s, subgraph in enumerate(model.subgraphs or []):
        for o, operator in enumerate(subgraph.operators or []):
            index = operator.opcode_index
            rule = rules[index] if index < len(rules) else None
            if rule is None:
                unknown[operator_name(model, operator)] = None
            elif rule is not no_scratch and (s, o) in clock.runs:
                for size in scratch_requests(rule, subgraph, operator):
                    if size:
                        times = clock.runs[s, o]
                        row = Row(s, SCRATCH, o, rounded_up(size), *times, PLANNED_ONLINE)
                        rows.append(row)
    return tuple(unknown)


class _Clock:
    """Goes through the subgraphs as the planner does and notes when tensors are used.

    Attributes:
        first: Per tensor of all subgraphs, one subgraph behind the other.
        last: Likewise.
        scopes: What each scope is.
        runs: First and last scope of each operator that runs, by subgraph and operator.
    """

    def __init__(self, flows: Sequence[Flow]) -> None:
        counts = [flow.tensor_count for flow in flows]
        self._flows = flows
        self._most = max(FEWEST_LIMIT, MOST_RUNS * sum(len(flow.steps) for flow in flows))
        self._starts = [sum(counts[:k]) for k in range(len(counts))]
        self.first = [BEFORE] * sum(counts)
        self.last = [BEFORE] * sum(counts)
        self.scopes: list[Scope] = []
        self.runs: dict[tuple[int, int], tuple[int, int]] = {}

    def run(self, index: int, callers: tuple[int, ...]) -> None:
        """Goes through a subgraph.

        Raises:
            PlanError: It runs itself, or others so often that nobody can tell.
        """
        if index in callers:
            raise PlanError(
                f"Subgraph {index} runs itself; the interpreter would not come to an end."
            )
        if len(callers) == MOST_NESTED or len(self.scopes) > self._most:
            raise PlanError("Subgraphs run each other too often to plan their memory.")
        flow = self._flows[index]
        self.scopes.append(Scope(index, START))
        self._make(index, flow.inputs)
        self._make(index, flow.outputs)
        for number, step in enumerate(flow.steps):
            begin = len(self.scopes)
            self.scopes.append(Scope(index, number))
            self._make(index, step.outputs)
            for called in step.calls:
                if 0 <= called < len(self._flows):
                    self.run(called, (*callers, index))
            self._use(index, step.inputs)
            self._use(index, step.outputs)
            self.runs[index, number] = begin, len(self.scopes) - 1
        self._use(index, flow.outputs)

    def _make(self, index: int, tensors: Sequence[int]) -> None:
        for place in self._places(index, tensors):
            self.first[place] = self.last[place] = len(self.scopes) - 1

    def _use(self, index: int, tensors: Sequence[int]) -> None:
        for place in self._places(index, tensors):
            self.last[place] = len(self.scopes) - 1

    def _places(self, index: int, tensors: Sequence[int]) -> list[int]:
        """Places in the lists of all tensors; what the subgraph does not have is left out."""
        count, start = self._flows[index].tensor_count, self._starts[index]
        return [start + tensor for tensor in tensors if 0 <= tensor < count]
