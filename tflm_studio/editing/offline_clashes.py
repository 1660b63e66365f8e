# SPDX-License-Identifier: Apache-2.0
"""Which offsets of an offline memory plan a change of the operators makes wrong.

The interpreter takes the offsets of a plan as they are, even if two tensors that are in use at
the same time lie over each other. Some plans want that: those of Vela put the inputs and
outputs of an accelerator into its scratch tensor. So only pairs that did not meet before
count, and of such a pair the tensor that shares memory with nobody else gives its offset up;
the interpreter then finds another place for it, around the offsets that are left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tflm_studio.analysis.lifetimes import (
    Flow,
    Ints,
    Lifetimes,
    Pairs,
    Step,
    arena_bytes,
    find_lifetimes,
    flow_of,
    meet_in_time,
    overlapping,
    step_of,
)
from tflm_studio.editing.index_map import GONE, Renumbered, arranged
from tflm_studio.model.errors import ReadError
from tflm_studio.model.index_references import Space
from tflm_studio.schema.tables import Model, Operator, SubGraph


def unplanned_by(model: Model, change: Renumbered, offsets: Sequence[int]) -> dict[int, str]:
    """The tensors whose offsets a change makes wrong.

    Args:
        model: The model before the change.
        change: What is done to it.
        offsets: Of all tensors, subgraph by subgraph.

    Returns:
        The position in `offsets` of each that has to be given up, and a text why.

    Raises:
        ReadError: The plan has to be dropped; says why.
    """
    if max(offsets, default=-1) < 0 or not _moves_lifetimes(change):
        return {}
    flows = [flow_of(model, subgraph) for subgraph in model.subgraphs or []]
    before = find_lifetimes(flows)
    return unplanned_between(
        model, offsets, before, _lifetimes_after(model, change, flows, before)
    )


def unplanned_between(
    model: Model, offsets: Sequence[int], before: Lifetimes | None, after: Lifetimes | None
) -> dict[int, str]:
    """The same for tensors that are in use at other times than before.

    Args:
        model: The model, with the tensors that `offsets` are of.
        offsets: Of all tensors, subgraph by subgraph.
        before: When they were in use; None if that cannot be told.
        after: When they are in use now.

    Raises:
        ReadError: The plan has to be dropped; says why.
    """
    placed = np.array(offsets, np.int64)
    if not (placed >= 0).any():
        return {}
    if before is None or after is None:
        raise ReadError(
            "subgraphs call each other so often that nobody can tell what is in use when"
        )
    sizes = _sizes(model, placed)
    new = overlapping(placed, sizes, after)
    old = overlapping(placed, sizes, before)
    if new is None or old is None:
        raise ReadError("it has too many tensors in use at once to see whether it still fits")
    fresh = ~meet_in_time(before, new)
    shared = {int(k) for side in old for k in side}
    return _given_up(model, (new[0][fresh], new[1][fresh]), shared)


def _moves_lifetimes(change: Renumbered) -> bool:
    """Whether operators run in another order, or use other tensors."""
    if change.space is Space.TENSORS:
        return change.replacement is not None
    return change.space in (Space.OPERATORS, Space.SUBGRAPHS)


def _sizes(model: Model, placed: Ints) -> Ints:
    sizes, at = np.zeros(len(placed), np.int64), 0
    for subgraph in model.subgraphs or []:
        for tensor in subgraph.tensors or []:
            if placed[at] >= 0:
                sizes[at] = arena_bytes(model, tensor)
            at += 1
    return sizes


def _given_up(model: Model, pairs: Pairs, shared: set[int]) -> dict[int, str]:
    """Which tensor of each pair gives its offset up; those in many pairs come first."""
    clashes = np.bincount(np.concatenate(pairs), minlength=1)
    worst_first = np.argsort(-np.maximum(clashes[pairs[0]], clashes[pairs[1]]), kind="stable")
    given_up: dict[int, str] = {}
    for k in worst_first:
        earlier, later = int(pairs[0][k]), int(pairs[1][k])
        if earlier in given_up or later in given_up:
            continue
        if later in shared and earlier in shared:
            raise ReadError(
                f"{_name(model, earlier)} and {_name(model, later)} would be in use at the "
                "same time, at the same place, and both share memory on purpose; the plan has "
                "to be made anew"
            )
        takes_earlier = later in shared or clashes[earlier] > clashes[later]
        takes_earlier &= earlier not in shared
        loser, other = (earlier, later) if takes_earlier else (later, earlier)
        given_up[loser] = (
            f"offset of {_name(model, loser)} removed: it would be in use at the same time as "
            f"{_name(model, other)}, at the same place"
        )
    return given_up


def _name(model: Model, position: int) -> str:
    subgraphs = model.subgraphs or []
    for index, subgraph in enumerate(subgraphs):
        count = len(subgraph.tensors or [])
        if position < count:
            where = f" of subgraph {index}" if len(subgraphs) > 1 else ""
            return f"tensor {position}{where}"
        position -= count
    raise AssertionError("no such tensor")


# ------------------------------------------------------------------ afterwards


def _lifetimes_after(
    model: Model, change: Renumbered, flows: list[Flow], before: Lifetimes | None
) -> Lifetimes | None:
    """When the tensors of now are in use after the change, in their order of now."""
    if change.space is Space.TENSORS:
        return before and _merged(change, flows, before)
    if change.space is Space.OPERATORS:
        s = change.subgraph_index or 0
        added = [step_of(model, k) for k in change.added if isinstance(k, Operator)]
        flows = list(flows)
        steps = arranged(change, flows[s].steps, added)
        flows[s] = Flow(flows[s].tensor_count, flows[s].inputs, flows[s].outputs, steps)
        return find_lifetimes(flows)
    return _with_other_subgraphs(model, change, flows)


def _merged(change: Renumbered, flows: list[Flow], before: Lifetimes) -> Lifetimes:
    """What used removed tensors uses the one that stands in for them."""
    first, last = before.first.copy(), before.last.copy()
    s = change.subgraph_index or 0
    start = sum(flow.tensor_count for flow in flows[:s])
    new_of = change.indices.new_of
    old_of = change.indices.old_of()
    gone = [old for old, new in enumerate(new_of) if new == GONE]
    stand_ins = change.final.new_of
    for old in gone:
        stand_in = stand_ins[old]
        if stand_in >= 0 and last[start + old] >= 0:
            r, k = start + old_of[stand_in], start + old
            first[r] = min(first[r], first[k]) if last[r] >= 0 else first[k]
            last[r] = max(last[r], last[k])
    gone_at = np.array(gone, np.int64) + start
    first[gone_at] = last[gone_at] = -1
    return Lifetimes(first, last)


def _with_other_subgraphs(
    model: Model, change: Renumbered, flows: list[Flow]
) -> Lifetimes | None:
    added = [flow_of(model, k) for k in change.added if isinstance(k, SubGraph)]
    kept = [
        Flow(flow.tensor_count, flow.inputs, flow.outputs, _recalled(change, flow.steps))
        for flow in flows
    ]
    flows_after = arranged(change, kept, added)
    found = find_lifetimes(flows_after)
    if found is None:
        return None
    total = sum(flow.tensor_count for flow in flows)
    first, last = np.full(total, -1, np.int64), np.full(total, -1, np.int64)
    starts_before = np.cumsum([0, *(flow.tensor_count for flow in flows)])
    starts_after = np.cumsum([0, *(flow.tensor_count for flow in flows_after)])
    for old, new in enumerate(change.indices.new_of):
        if new != GONE:
            count = flows[old].tensor_count
            there, here = int(starts_after[new]), int(starts_before[old])
            first[here : here + count] = found.first[there : there + count]
            last[here : here + count] = found.last[there : there + count]
    return Lifetimes(first, last)


def _recalled(change: Renumbered, steps: list[Step]) -> list[Step]:
    final = change.final
    return [
        step._replace(calls=tuple(map(final, step.calls))) if step.calls else step
        for step in steps
    ]
