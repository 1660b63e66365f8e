# SPDX-License-Identifier: Apache-2.0
"""An offline memory plan made from the planner's own, moved by hand, checked, removed."""

from __future__ import annotations

from tflm_studio.analysis.arena_buffers import SCRATCH, ArenaBuffers, PlanError, arena_buffers
from tflm_studio.analysis.memory_plan import MemoryPlan, place_buffers, plan_memory
from tflm_studio.analysis.plan_clashes import clashing_rows, plan_clashes
from tflm_studio.editing import metadata_entries
from tflm_studio.editing.located import tensor_at
from tflm_studio.editing.offline_offsets import ALIGNMENT, LARGEST, find_plan, set_offsets
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.offline_plan import OFFLINE_PLAN, PLANNED_ONLINE
from tflm_studio.model.errors import EditError
from tflm_studio.model.metadata_content import find_metadata
from tflm_studio.model.place_names import name_operator, name_tensor
from tflm_studio.schema.tables import Model

MOST_CLASHES = 5


def offline_plan(model: Model) -> Proposal:
    """Writes the places that TFLM's planner would choose into the model, as an offline plan.

    Scratch buffers of kernels stay with the interpreter, as do variables. A plan that the
    model has already is replaced.

    Raises:
        EditError: The interpreter could not plan the model.
    """
    try:
        plan = place_buffers(arena_buffers(model, with_offline_plan=False))
    except PlanError as error:
        raise EditError(str(error)) from None
    if plan.head > LARGEST:
        raise EditError(f"The plan takes {plan.head:,} bytes; offsets have 32 bits.")
    starts = _starts(model)
    offsets = [PLANNED_ONLINE] * starts[-1]
    buffers = plan.buffers
    rows = zip(buffers.subgraph, buffers.tensor, buffers.last, plan.offset, strict=True)
    for subgraph, tensor, last, offset in rows:
        if tensor != SCRATCH and last >= 0:
            offsets[starts[subgraph] + int(tensor)] = int(offset)
    placed = sum(offset != PLANNED_ONLINE for offset in offsets)
    if not placed:
        raise EditError("No tensor of the model has a place in the arena: there is no plan.")
    made = set_offsets(model, offsets)
    note = f"{placed:,} tensors have a place, within {plan.head:,} bytes."
    return made.preceded_by([note]).labelled("Make an offline memory plan")


def remove_offline_plan(model: Model) -> Proposal:
    """Leaves all tensors to the planner of the interpreter.

    Raises:
        EditError: The model has no offline plan.
    """
    index = find_metadata(model, OFFLINE_PLAN)
    if index is None:
        raise EditError("The model has no offline memory plan.")
    return metadata_entries.delete(model, index).labelled("Remove the offline memory plan")


def move_tensor(model: Model, subgraph_index: int, tensor_index: int, offset: int) -> Proposal:
    """Gives a tensor another place in the offline plan of a model.

    Args:
        model: The model.
        subgraph_index: Its subgraph.
        tensor_index: The tensor.
        offset: Bytes from the start of the arena, a multiple of 16; -1 leaves the tensor to
            the interpreter.

    Raises:
        EditError: The model has no plan, the offset is none, or the tensor would lie over
            another one that has a place and is in use at the same time.
    """
    tensor_at(model, subgraph_index, tensor_index)
    plan = find_plan(model)
    if plan is None:
        raise EditError("The model has no offline memory plan; make one first.")
    if offset != PLANNED_ONLINE and (offset % ALIGNMENT or not 0 <= offset <= LARGEST):
        raise EditError(f"{offset} is no place in the arena: take a multiple of {ALIGNMENT}.")
    position = _starts(model)[subgraph_index] + tensor_index
    if plan.offsets[position] == offset:
        return Proposal()
    if offset != PLANNED_ONLINE:
        _check_place(model, subgraph_index, tensor_index, offset)
    offsets = list(plan.offsets)
    offsets[position] = offset
    made = set_offsets(model, offsets, plan.version, plan.subgraph_count)
    name = name_tensor(model, subgraph_index, tensor_index)
    where = "to the interpreter" if offset == PLANNED_ONLINE else f"to {offset:,} in the arena"
    return made.labelled(f"Move {name} {where}")


def offline_problems(model: Model, plan: MemoryPlan | None = None) -> list[str]:
    """What is wrong with the offline plan of a model, a sentence each; none if nothing is.

    Plans of accelerators may put tensors over each other on purpose.

    Args:
        model: The model.
        plan: What `plan_memory` gives for it, if that is known.
    """
    if find_metadata(model, OFFLINE_PLAN) is None:
        return []
    if plan is None:
        try:
            plan = plan_memory(model)
        except PlanError as error:
            return [str(error)]
    buffers = plan.buffers
    found = [
        f"{_name(model, buffers, int(row))} is at {int(buffers.offline[row]):,}, which is no "
        f"multiple of {ALIGNMENT}."
        for row in (buffers.offline % ALIGNMENT).nonzero()[0]
        if buffers.offline[row] >= 0
    ]
    clashes = plan_clashes(plan)
    if clashes is None:
        return [*found, "Too many tensors are in use at once to see whether they clash."]
    found += [
        f"{_name(model, buffers, a)} and {_name(model, buffers, b)} are in use at the same "
        "time, at the same place."
        for a, b in clashes[:MOST_CLASHES]
    ]
    if len(clashes) > MOST_CLASHES:
        found.append(f"Pairs that clash besides these: {len(clashes) - MOST_CLASHES:,}.")
    return found


def _check_place(model: Model, subgraph_index: int, tensor_index: int, offset: int) -> None:
    try:
        buffers = arena_buffers(model)
    except PlanError as error:
        raise EditError(str(error)) from None
    is_it = (buffers.subgraph == subgraph_index) & (buffers.tensor == tensor_index)
    rows = is_it.nonzero()[0]
    if not len(rows):
        return
    offsets = buffers.offline.copy()
    offsets[rows[0]] = offset
    others = clashing_rows(buffers, offsets, int(rows[0]))
    if others:
        name = name_tensor(model, subgraph_index, tensor_index)
        raise EditError(
            f"At {offset:,}, {name} would lie over {_name(model, buffers, others[0])}, which "
            "is in use at the same time; move that one first."
        )


def _name(model: Model, buffers: ArenaBuffers, row: int) -> str:
    subgraph, tensor = int(buffers.subgraph[row]), int(buffers.tensor[row])
    if tensor == SCRATCH:
        operator = int(buffers.operator[row])
        return f"scratch of {name_operator(model, subgraph, operator)}"
    return name_tensor(model, subgraph, tensor)


def _starts(model: Model) -> list[int]:
    """Where the tensors of each subgraph begin in a plan, and how many there are."""
    starts = [0]
    for subgraph in model.subgraphs or []:
        starts.append(starts[-1] + len(subgraph.tensors or []))
    return starts
