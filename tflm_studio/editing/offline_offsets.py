# SPDX-License-Identifier: Apache-2.0
"""The offline memory plan of a model as a list of offsets, one per tensor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from tflm_studio.editing import metadata_entries
from tflm_studio.editing.bound_metadata import listed
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.offline_plan import (
    OFFLINE_PLAN,
    PLANNED_ONLINE,
    OfflinePlan,
    encode_offline_plan,
    parse_offline_plan,
)
from tflm_studio.model.errors import EditError, ReadError
from tflm_studio.model.metadata_content import find_metadata, metadata_content
from tflm_studio.schema.tables import Model

ALIGNMENT = 16  # the interpreter's; other offsets make it fail
LARGEST = 2**31 - 1


class PlannedTensor(NamedTuple):
    """Where a tensor is in the arena: bytes from its start, -1 if the planner decides."""

    subgraph: int
    tensor: int
    offset: int


def find_plan(model: Model) -> OfflinePlan | None:
    """The plan of a model, None if it has none.

    Raises:
        EditError: It has one that is not for its tensors; says how they differ.
    """
    index = find_metadata(model, OFFLINE_PLAN)
    if index is None:
        return None
    data = metadata_content(model, (model.metadata or [])[index])
    try:
        return parse_offline_plan(data, len(_tensors(model)))
    except ReadError as error:
        raise EditError(
            f"{OFFLINE_PLAN} cannot be read: {error}. Delete it to let the interpreter plan."
        ) from None


def planned_tensors(model: Model) -> list[PlannedTensor]:
    """All tensors with their offsets; none if the model has no plan.

    Raises:
        EditError: As `find_plan`.
    """
    plan = find_plan(model)
    offsets = plan.offsets if plan is not None else ()
    return [
        PlannedTensor(*place, offset)
        for place, offset in zip(_tensors(model), offsets, strict=False)
    ]


def set_offsets(
    model: Model, offsets: list[int], version: int = 1, subgraph_count: int | None = None
) -> Proposal:
    """Gives a model an offline plan, in place of the one it may have.

    Args:
        model: The model.
        offsets: One for each tensor of all subgraphs; -1 leaves a tensor to the interpreter.
        version: What the plan states.
        subgraph_count: What the plan states; the number of subgraphs if not given.

    Raises:
        EditError: There are too few or too many, or one is no offset.
    """
    places = _tensors(model)
    if len(offsets) != len(places):
        raise EditError(
            f"The plan needs {len(places)} offsets, one per tensor, not {len(offsets)}."
        )
    for (subgraph, tensor), offset in zip(places, offsets, strict=True):
        if offset != PLANNED_ONLINE and (offset % ALIGNMENT or not 0 <= offset <= LARGEST):
            raise EditError(
                f"Offset {offset} of tensor {tensor} of subgraph {subgraph} is neither a "
                f"multiple of {ALIGNMENT} nor -1."
            )
    stated = len(model.subgraphs or []) if subgraph_count is None else subgraph_count
    for number in (version, stated):
        if not -LARGEST <= number <= LARGEST:
            raise EditError(f"{number} does not fit into 32 bits.")
    data = encode_offline_plan(OfflinePlan(version, stated, tuple(offsets)))
    index = find_metadata(model, OFFLINE_PLAN)
    made = (
        metadata_entries.add(model, OFFLINE_PLAN, data)
        if index is None
        else metadata_entries.replace(model, index, data)
    )
    return made.labelled("Change the offline memory plan")


def unplan(model: Model, subgraph_index: int, tensors: Iterable[int]) -> Proposal:
    """Leaves tensors that are in use longer than before to the interpreter's planner.

    A plan that is not for the tensors of the model is left alone.
    """
    try:
        plan = find_plan(model)
    except EditError:
        plan = None
    index = find_metadata(model, OFFLINE_PLAN)
    if plan is None or index is None:
        return Proposal()
    wanted = {(subgraph_index, tensor) for tensor in tensors}
    given_up = [
        (position, place[1])
        for position, place in enumerate(_tensors(model))
        if place in wanted and plan.offsets[position] != PLANNED_ONLINE
    ]
    if not given_up:
        return Proposal()
    offsets = list(plan.offsets)
    for position, _ in given_up:
        offsets[position] = PLANNED_ONLINE
    data = encode_offline_plan(replace(plan, offsets=tuple(offsets)))
    made = metadata_entries.replace(model, index, data)
    named = listed("tensor", [tensor for _, tensor in given_up])
    note = f"{OFFLINE_PLAN}: {named} planned online, being in use longer than before."
    return Proposal(made.edits, (*made.notes, note))


def _tensors(model: Model) -> list[tuple[int, int]]:
    """Subgraph and index of all tensors, in the order of the plan."""
    return [
        (s, t)
        for s, subgraph in enumerate(model.subgraphs or [])
        for t in range(len(subgraph.tensors or []))
    ]
