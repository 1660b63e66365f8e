# SPDX-License-Identifier: Apache-2.0
"""Tensors that nothing names once their operators are gone, and the buffers of these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tflm_studio.editing.bound_metadata import listed
from tflm_studio.editing.located import list_place, subgraph_at
from tflm_studio.editing.proposal import Draft
from tflm_studio.editing.renumbering import remove_items
from tflm_studio.editing.shared_buffers import unused_buffers
from tflm_studio.model.index_references import Column, Space, index_columns
from tflm_studio.schema.tables import Model, SubGraph


def named_by(subgraph: SubGraph, indices: Iterable[int]) -> set[int]:
    """The tensors that some operators read or make. O(their tensors)."""
    operators, count = subgraph.operators or [], len(subgraph.tensors or [])
    found: set[int] = set()
    for index in indices:
        operator = operators[index]
        for named in (operator.inputs, operator.outputs, operator.intermediates):
            found.update(named or ())
    return {k for k in found if 0 <= k < count}


def made_by(subgraph: SubGraph, indices: Iterable[int]) -> set[int]:
    """The tensors that some operators make. O(their tensors)."""
    operators, count = subgraph.operators or [], len(subgraph.tensors or [])
    made = {k for index in indices for k in operators[index].outputs or []}
    return {k for k in made if 0 <= k < count}


def orphans_among(model: Model, subgraph_index: int, candidates: Iterable[int]) -> set[int]:
    """The tensors that nothing names, and those that only such tensors name.

    Args:
        model: The model.
        subgraph_index: Whose tensors.
        candidates: Those that may go; what their quantization names may go with them.
    """
    held: set[int] = set()
    names: dict[int, set[int]] = defaultdict(set)
    named_in: dict[int, set[int]] = defaultdict(set)
    own = list_place(subgraph_index, "tensors")
    for column in index_columns(model, Space.TENSORS, subgraph_index):
        for item, indices in _named(column):
            if column.place != own:
                held.update(indices)
                continue
            names[item].update(indices)
            for k in indices:
                named_in[k].add(item)
    orphans: set[int] = set()
    waiting = set(candidates) - held
    while True:
        new = {k for k in waiting - orphans if named_in[k] <= orphans | {k}}
        if not new:
            return orphans
        orphans |= new
        count = len(subgraph_at(model, subgraph_index).tensors or [])
        more = {n for k in new for n in names[k] if 0 <= n < count}
        waiting |= more - held


def _named(column: Column) -> Iterable[tuple[int, list[int]]]:
    for item, value in column.values():
        yield item, value if isinstance(value, list) else [value]


def remove_orphans(draft: Draft, subgraph_index: int, candidates: Iterable[int]) -> None:
    """Removes orphans among some tensors, and buffers that only these have.

    Args:
        draft: Of the model, whose operators are gone already.
        subgraph_index: Whose tensors.
        candidates: Their indices of now.
    """
    model = draft.model
    orphans = sorted(orphans_among(model, subgraph_index, candidates))
    if not orphans:
        return
    tensors = subgraph_at(model, subgraph_index).tensors or []
    buffers = {tensors[k].buffer for k in orphans}
    draft.do(remove_items(model, list_place(subgraph_index, "tensors"), orphans))
    unused = unused_buffers(model, buffers)
    if unused:
        draft.do(remove_items(model, "buffers", unused))
    also = f" and {listed('buffer', unused)}" if unused else ""
    draft.note(f"Nothing names {listed('tensor', orphans)}{also} any more: also removed.")
