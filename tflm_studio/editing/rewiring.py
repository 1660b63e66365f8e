# SPDX-License-Identifier: Apache-2.0
"""Operators that name other tensors, and the offline memory plan that has to fit then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tflm_studio.analysis.lifetimes import Lifetimes, find_lifetimes, flow_of
from tflm_studio.editing.bound_metadata import MetadataUpdate, entry_data
from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.offline_clashes import unplanned_between
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.renumbered_metadata import FieldKey, Values, place_updates
from tflm_studio.formats.offline_plan import (
    OFFLINE_PLAN,
    PLANNED_ONLINE,
    encode_offline_plan,
    parse_offline_plan,
)
from tflm_studio.model.errors import ReadError
from tflm_studio.schema.tables import Model


def rewired(model: Model, edits: Sequence[Edit]) -> Proposal:
    """Edits that rewire operators, and what an offline memory plan needs then.

    Tensors that are in use longer than before may lie over others: such offsets are given up.
    O(operators) if there is a plan.

    Args:
        model: The model.
        edits: To the inputs and outputs of operators.

    Raises:
        EditError: An edit is refused.
    """
    if not any(entry.name == OFFLINE_PLAN for entry in model.metadata or []):
        return Proposal(tuple(edits))
    label = edits[0].describe(model) if len(edits) == 1 else ""
    values: dict[FieldKey, Values] = {}
    behind: list[Edit] = []
    notes: list[str] = []
    before = _lifetimes(model)
    with Draft(model) as draft:
        draft.do(edits)
        updates = _plan_updates(model, before, _lifetimes(model))
        place_updates(model, updates, len(model.buffers or []), values, behind, notes)
        sets = [
            Set((*place, item, *tail, name), value)
            for (place, tail, name), items in values.items()
            for item, value in items.items()
        ]
        draft.do([*sets, *behind])
        has_more = bool(sets or behind)
    draft.note(*notes)
    return draft.proposal(label if has_more else "")


def _lifetimes(model: Model) -> Lifetimes | None:
    return find_lifetimes([flow_of(model, subgraph) for subgraph in model.subgraphs or []])


def _plan_updates(
    model: Model, before: Lifetimes | None, after: Lifetimes | None
) -> Iterator[MetadataUpdate]:
    count = sum(len(subgraph.tensors or []) for subgraph in model.subgraphs or [])
    for index, entry in enumerate(model.metadata or []):
        if entry.name != OFFLINE_PLAN:
            continue
        try:
            plan = parse_offline_plan(entry_data(model, entry), count)
        except ReadError:
            # It was none before, either.
            continue
        try:
            unplanned = unplanned_between(model, plan.offsets, before, after)
        except ReadError as error:
            yield MetadataUpdate(index, None, [f"{OFFLINE_PLAN} was dropped: {error}."])
            continue
        if unplanned:
            offsets = [
                PLANNED_ONLINE if k in unplanned else offset
                for k, offset in enumerate(plan.offsets)
            ]
            data = encode_offline_plan(replace(plan, offsets=tuple(offsets)))
            notes = [f"{OFFLINE_PLAN}: {why}." for why in unplanned.values()]
            yield MetadataUpdate(index, data, notes)
