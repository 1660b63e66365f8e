# SPDX-License-Identifier: Apache-2.0
"""Whether each operator of a subgraph runs behind those that make what it reads.

Constants, variables and inputs of the subgraph have a value from the start. Of several
operators that make the same tensor the first one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tflm_studio.model.operators import builtin_code, find_tensor, has_data
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import Model, Operator, SubGraph, Tensor

NEVER = -1
Ints = NDArray[np.int64]
# These may change state that nothing they name shows.
_STATEFUL = (TensorType.RESOURCE, TensorType.VARIANT)  # looked up once: that is slow
_CALLING = frozenset((BuiltinOperator.CALL_ONCE, BuiltinOperator.IF, BuiltinOperator.WHILE))


class Violation(NamedTuple):
    """A tensor that is read before it is made.

    Attributes:
        reader: The operator that reads it.
        tensor_index: The tensor.
        maker: The operator that makes it first, at the same place or later.
        cycle: The operators that wait for each other, so that no order helps; mostly empty.
    """

    reader: int
    tensor_index: int
    maker: int
    cycle: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class OperatorOrder:
    """When the tensors of a subgraph are made and read, to be asked many times.

    Attributes:
        made_at: For each tensor the first operator that makes it, `NEVER` if it has a value
            from the start or nobody makes it.
        read_at: For each tensor the first operator that reads it, `NEVER` if nobody does or it
            has a value from the start.
    """

    made_at: Ints
    read_at: Ints

    def breaks_order(self, operator_index: int, tensor_index: int) -> bool:
        """Whether an operator at this place would read the tensor before it is made."""
        return _at(self.made_at, tensor_index) >= operator_index

    def breaks_as_output(self, operator_index: int, tensor_index: int) -> bool:
        """Whether an operator at this place would make first what is read earlier."""
        read, made = _at(self.read_at, tensor_index), _at(self.made_at, tensor_index)
        return NEVER < read <= operator_index and not NEVER < made < read


def _at(places: Ints, tensor_index: int) -> int:
    return int(places[tensor_index]) if 0 <= tensor_index < len(places) else NEVER


def order_of(model: Model, subgraph: SubGraph) -> OperatorOrder:
    """When the tensors of a subgraph are made and read. O(operators)."""
    order = _times(subgraph.operators or [], len(subgraph.tensors or []))
    given = _with_a_value(model, subgraph)
    order.made_at[given] = order.read_at[given] = NEVER
    return order


def first_makers(
    model: Model, subgraph: SubGraph, tensor_indices: Iterable[int]
) -> dict[int, int]:
    """What `made_at` of `order_of` says of a few tensors, without those that are `NEVER` made.

    Args:
        model: The model.
        subgraph: Whose tensors.
        tensor_indices: Which of them.
    """
    given = set(subgraph.inputs or [])
    wanted = {
        k
        for k in tensor_indices
        if (tensor := find_tensor(subgraph, k)) is not None
        and not (k in given or tensor.is_variable or has_data(model, tensor))
    }
    found: dict[int, int] = {}
    for index, operator in enumerate(subgraph.operators or []):
        for k in wanted.intersection(operator.outputs or ()):
            found.setdefault(k, index)
    return found


def reordered(order: OperatorOrder, operators: Sequence[Operator]) -> OperatorOrder:
    """The same for the same operators in another sequence. O(operators)."""
    found = _times(operators, len(order.made_at))
    found.made_at[order.made_at == NEVER] = NEVER
    found.read_at[order.read_at == NEVER] = NEVER
    return found


def _times(operators: Sequence[Operator], count: int) -> OperatorOrder:
    return OperatorOrder(
        _first(_flat([operator.outputs or [] for operator in operators], count), count),
        _first(_flat([operator.inputs or [] for operator in operators], count), count),
    )


def _flat(named: Sequence[Sequence[int]], count: int) -> tuple[Ints, Ints]:
    """Which operator names which tensor, for the tensors that there are."""
    counts = np.fromiter(map(len, named), np.int64, len(named))
    tensors = np.fromiter(chain.from_iterable(named), np.int64, int(counts.sum()))
    operators = np.repeat(np.arange(len(named)), counts)
    exists = (tensors >= 0) & (tensors < count)
    return operators[exists], tensors[exists]


def _first(named: tuple[Ints, Ints], count: int) -> Ints:
    """The first operator that names each tensor."""
    operators, tensors = named
    found = np.full(count, NEVER, np.int64)
    # Of several values for one place numpy keeps the last.
    found[tensors[::-1]] = operators[::-1]
    return found


def _with_a_value(model: Model, subgraph: SubGraph) -> list[int]:
    """The tensors that have a value before any operator runs."""
    tensors = subgraph.tensors or []
    filled = {
        k
        for k, buffer in enumerate(model.buffers or [])
        if buffer.data is not None and len(buffer.data)
    }
    given = [k for k in subgraph.inputs or [] if 0 <= k < len(tensors)]
    given += [k for k, t in enumerate(tensors) if t.buffer in filled or t.is_variable]
    return given


def check_order(model: Model, subgraph_index: int) -> list[Violation]:
    """What is read before it is made, in the order of the readers. O(operators).

    Args:
        model: The model.
        subgraph_index: Which subgraph.
    """
    subgraph = (model.subgraphs or [])[subgraph_index]
    operators = subgraph.operators or []
    found = violations(order_of(model, subgraph), [op.inputs or [] for op in operators])
    if not found:
        return []
    cycle_of = {k: cycle for cycle in _cycles(_makers(model, subgraph)) for k in cycle}
    return [
        violation._replace(cycle=cycle_of[violation.reader])
        if cycle_of.get(violation.reader, ()) == cycle_of.get(violation.maker)
        else violation
        for violation in found
    ]


def violations(order: OperatorOrder, inputs: Sequence[Sequence[int]]) -> list[Violation]:
    """What operators with these inputs read before it is made; cycles are not looked for."""
    readers, tensors = _flat(inputs, len(order.made_at))
    makers = order.made_at[tensors]
    early = np.flatnonzero(makers >= readers)
    found = zip(
        readers[early].tolist(), tensors[early].tolist(), makers[early].tolist(), strict=False
    )
    return [Violation(*one) for one in dict.fromkeys(found)]


# ------------------------------------------------------------------ another order


class Sorted(NamedTuple):
    """Operators in an order in which everything is made before it is read.

    Attributes:
        order: Their indices of now; empty if there is no such order.
        cycle: Then, some that wait for each other.
        keeps_state: Whether those that change variables run in the order they had.
    """

    order: list[int]
    cycle: tuple[int, ...] = ()
    keeps_state: bool = True


def sorted_operators(
    model: Model, subgraph: SubGraph, pairs: Iterable[tuple[int, int]] = ()
) -> Sorted:
    """The operators so that none reads before something is made, otherwise as they are.

    Operators that touch variables or resources keep their order among each other if that is
    possible. An operator that reads what only it makes is taken as it is.

    Args:
        model: The model.
        subgraph: Whose operators.
        pairs: More operators of which the first has to run before the second, if possible.
    """
    makers = _makers(model, subgraph)
    for reader, before in enumerate(makers):
        before.discard(reader)
    count = len(makers)
    wanted = [set(before) for before in makers]
    state = stateful_operators(model, subgraph)
    for earlier, later in [*pairwise(state), *pairs]:
        if 0 <= earlier < count and 0 <= later < count and earlier != later:
            wanted[later].add(earlier)
    order = _earliest_first(wanted)
    if len(order) == count:
        return Sorted(order)
    order = _earliest_first(makers)
    if len(order) == count:
        return Sorted(order, keeps_state=False)
    return Sorted([], _cycles(makers)[0])


def _makers(model: Model, subgraph: SubGraph) -> list[set[int]]:
    """For each operator those that have to run before it."""
    operators = subgraph.operators or []
    made_at = order_of(model, subgraph).made_at.tolist()
    count = len(made_at)
    found = [
        {made_at[k] for k in operator.inputs or [] if 0 <= k < count and made_at[k] != NEVER}
        for operator in operators
    ]
    _add_rewrites(operators, made_at, found)
    return found


def _add_rewrites(
    operators: Sequence[Operator], made_at: list[int], before: list[set[int]]
) -> None:
    """Of a tensor that gets a value again, each reader goes on reading the value it read."""
    again = {
        k
        for index, operator in enumerate(operators)
        for k in operator.outputs or []
        if 0 <= k < len(made_at) and made_at[k] != index
    }
    last: dict[int, int] = {}
    readers: dict[int, list[int]] = {k: [] for k in again}
    for index, operator in enumerate(operators if again else ()):
        for k in again.intersection(operator.inputs or []):
            before[index] |= {last[k]} if k in last else set()
            readers[k].append(index)
        for k in again.intersection(operator.outputs or []):
            if k in last or made_at[k] == NEVER:
                earlier = {*readers[k], *([last[k]] if k in last else [])}
                before[index] |= earlier - {index}
                readers[k] = []
            last[k] = index


def stateful_operators(model: Model, subgraph: SubGraph) -> list[int]:
    """The operators that may change or read state, in their order."""
    tensors: list[Tensor] = subgraph.tensors or []
    has_state = {
        k for k, tensor in enumerate(tensors) if tensor.is_variable or tensor.type in _STATEFUL
    }
    codes = (model.operator_codes or []) if has_state or len(model.subgraphs or []) > 1 else []
    calling = {k for k, code in enumerate(codes) if builtin_code(code) in _CALLING}
    if not has_state and not calling:
        return []
    return [
        index
        for index, operator in enumerate(subgraph.operators or [])
        if operator.opcode_index in calling or not has_state.isdisjoint(operator.inputs or [])
    ]


def _earliest_first(before: list[set[int]]) -> list[int]:
    """All that can run, each time the one that comes first now; fewer if some wait forever."""
    behind: list[list[int]] = [[] for _ in before]
    for later, earlier in enumerate(before):
        for k in earlier:
            behind[k].append(later)
    waits_for = [len(earlier) for earlier in before]
    ready = [k for k, count in enumerate(waits_for) if count == 0]
    heapify(ready)
    order = []
    while ready:
        first = heappop(ready)
        order.append(first)
        for later in behind[first]:
            waits_for[later] -= 1
            if waits_for[later] == 0:
                heappush(ready, later)
    return order


def _cycles(before: list[set[int]]) -> list[tuple[int, ...]]:
    """Groups of operators that wait for each other, or for themselves (Tarjan)."""
    found: list[tuple[int, ...]] = []
    number: dict[int, int] = {}
    lowest: dict[int, int] = {}
    open_ones: dict[int, None] = {}
    for start in range(len(before)):
        path = [] if start in number else [(start, iter(sorted(before[start])))]
        while path:
            index, others = path[-1]
            if index not in number:
                number[index] = lowest[index] = len(number)
                open_ones[index] = None
            following = next(others, None)
            if following is None:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[index])
                if lowest[index] == number[index]:
                    group = _closed(open_ones, index)
                    if len(group) > 1 or index in before[index]:
                        found.append(group)
            elif following not in number:
                path.append((following, iter(sorted(before[following]))))
            elif following in open_ones:
                lowest[index] = min(lowest[index], number[following])
    return found


def _closed(open_ones: dict[int, None], index: int) -> tuple[int, ...]:
    """Takes what was opened since the index, and the index itself."""
    group = []
    while index in open_ones:
        group.append(open_ones.popitem()[0])
    return tuple(sorted(group))
