# SPDX-License-Identifier: Apache-2.0
"""Operators of a subgraph in another order, everything made before it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tflm_studio.analysis.operator_order import (
    Violation,
    order_of,
    reordered,
    sorted_operators,
    stateful_operators,
    violations,
)
from tflm_studio.editing.located import list_place, selected, subgraph_at
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.renumbering import permute_items
from tflm_studio.formats.control_dependencies import (
    CONTROL_DEPENDENCIES,
    parse_control_dependencies,
)
from tflm_studio.model.errors import EditError, ReadError
from tflm_studio.model.graph import data_bytes, data_view
from tflm_studio.model.place_names import name_operator, name_operators, name_tensor
from tflm_studio.schema.tables import Model, SubGraph

MOST_NAMED = 6
OTHER_STATE = "Operators that use variables run in another order than before."


def move(
    model: Model,
    subgraph_index: int,
    indices: Iterable[int],
    target: int,
    *,
    force: bool = False,
) -> Proposal:
    """Moves operators, as one block in their order. O(operators + tensors).

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        indices: Of the operators.
        target: Index of the first of them afterwards.
        force: Whether operators may come to stand before those that make what they read.

    Raises:
        EditError: There is no such operator or place, or an operator would stand before the
            one that makes what it reads; what is so already is no obstacle.
    """
    chosen = selected(model, subgraph_index, indices)
    subgraph = subgraph_at(model, subgraph_index)
    count = len(subgraph.operators or [])
    if not 0 <= target <= count - len(chosen):
        raise EditError(
            f"There is no place {target} to move to; the last is {count - len(chosen)}."
        )
    moved = set(chosen)
    rest = [k for k in range(count) if k not in moved]
    order = [*rest[:target], *chosen, *rest[target:]]
    label = f"Move {name_operators(model, subgraph_index, chosen)}"
    broken = _new_violations(model, subgraph, order)
    if broken and not force:
        raise EditError(f"{_sentence(model, subgraph_index, broken[0])}.")
    made = permute_items(model, list_place(subgraph_index, "operators"), order)
    notes = [f"{_sentence(model, subgraph_index, one)}." for one in broken[:MOST_NAMED]]
    if len(broken) > MOST_NAMED:
        notes.append(
            f"{len(broken) - MOST_NAMED:,} more tensors are read before they are made."
        )
    state = set(stateful_operators(model, subgraph))
    if [k for k in order if k in state] != sorted(state):
        notes.append(OTHER_STATE)
    return Proposal(made.edits, (*made.notes, *notes), label)


def _new_violations(model: Model, subgraph: SubGraph, order: Sequence[int]) -> list[Violation]:
    """What is read in time now and would not be in another order; by indices of now."""
    operators = subgraph.operators or []
    inputs = [operator.inputs or [] for operator in operators]
    times = order_of(model, subgraph)
    before = {one[:2] for one in violations(times, inputs)}
    times = reordered(times, [operators[k] for k in order])
    after = violations(times, [inputs[k] for k in order])
    found = [Violation(order[one.reader], one.tensor_index, order[one.maker]) for one in after]
    return [one for one in found if one[:2] not in before]


def _sentence(model: Model, subgraph_index: int, broken: Violation) -> str:
    reader = name_operator(model, subgraph_index, broken.reader)
    maker = name_operator(model, subgraph_index, broken.maker)
    tensor = name_tensor(model, subgraph_index, broken.tensor_index)
    return f"{reader} would stand before {maker}, which makes {tensor} that it reads"


def sort_topologically(model: Model, subgraph_index: int) -> Proposal:
    """Puts operators behind those that make what they read. O(n log n).

    Of those that could run, the one that comes first now is next: what is in order stays.

    Args:
        model: The model.
        subgraph_index: Which subgraph.

    Raises:
        EditError: There is no such subgraph, or operators wait for each other in a circle.
    """
    subgraph = subgraph_at(model, subgraph_index)
    label = "Sort operators"
    found = sorted_operators(model, subgraph, _control_dependencies(model, subgraph_index))
    if found.cycle:
        named = [name_operator(model, subgraph_index, k) for k in found.cycle[:MOST_NAMED]]
        more = len(found.cycle) - MOST_NAMED
        raise EditError(
            f"{', '.join(named)}{f' and {more:,} more' * (more > 0)} wait for each other's "
            "outputs in a circle: rewire one of them first."
        )
    made = permute_items(model, list_place(subgraph_index, "operators"), found.order)
    notes = list(made.notes)
    if not made.edits:
        notes.append("The operators are in order already.")
    if not found.keeps_state:
        notes.append(OTHER_STATE)
    notes += _notes_on_loops(model, subgraph_index)
    return Proposal(made.edits, tuple(notes), label)


def _notes_on_loops(model: Model, subgraph_index: int) -> list[str]:
    """What reads its own output is too early in every order."""
    subgraph = subgraph_at(model, subgraph_index)
    made_at = order_of(model, subgraph).made_at
    return [
        f"{name_operator(model, subgraph_index, index)} reads "
        f"{name_tensor(model, subgraph_index, k)}, which only it makes; no order helps."
        for index, operator in enumerate(subgraph.operators or [])
        for k in {*(operator.inputs or [])}.intersection(operator.outputs or [])
        if 0 <= k < len(made_at) and made_at[k] == index
    ][:MOST_NAMED]


def _control_dependencies(model: Model, subgraph_index: int) -> list[tuple[int, int]]:
    """The pairs of operators of which metadata says that the first runs before the second."""
    buffers = model.buffers or []
    for entry in model.metadata or []:
        if entry.name == CONTROL_DEPENDENCIES and entry.buffer < len(buffers):
            data = buffers[entry.buffer].data
            if not data_bytes(data):
                continue
            try:
                pairs = parse_control_dependencies(data_view(data))
            except ReadError:
                continue
            if subgraph_index < len(pairs):
                return [(earlier, later) for earlier, later in pairs[subgraph_index]]
    return []
