# SPDX-License-Identifier: Apache-2.0
"""What stands behind a place reads another tensor: an operator comes between two others."""

from __future__ import annotations

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.located import list_place, subgraph_at
from tflm_studio.editing.proposal import Draft
from tflm_studio.editing.rewiring import rewired
from tflm_studio.model.place_names import at_start, name_tensor, plural
from tflm_studio.schema.tables import Model, SubGraph


def redirect_behind(
    draft: Draft, model: Model, subgraph_index: int, index: int, old: int, new: int
) -> None:
    """Makes what read a tensor read another one, from the operators behind one on.

    Operators before it keep what they read; outputs of the subgraph and of signatures follow
    under the names that they have. O(operators).

    Args:
        draft: It gets the edits, and a note on what reads the other tensor.
        model: The model of the draft.
        subgraph_index: Which subgraph.
        index: Of the operator that makes the new tensor.
        old: The tensor that was read.
        new: The tensor in its place.
    """
    subgraph = subgraph_at(model, subgraph_index)
    readers = _reader_edits(subgraph, subgraph_index, index, old, new)
    ends = _end_edits(model, subgraph_index, old, new)
    if readers:
        draft.do(rewired(model, readers))
    if ends:
        draft.do(ends)
    who = [plural(len(readers), "operator")] if readers else []
    who += ["the output of the subgraph"] if ends else []
    if who:
        verb = "take" if len(readers) > 1 or len(who) > 1 else "takes"
        put, was = (name_tensor(model, subgraph_index, k) for k in (new, old))
        draft.note(f"{at_start(' and '.join(who))} {verb} {put} in place of {was}.")


def _reader_edits(
    subgraph: SubGraph, subgraph_index: int, index: int, old: int, new: int
) -> list[Edit]:
    operators = list_place(subgraph_index, "operators")
    return [
        Set((*operators, k, "inputs"), [new if t == old else t for t in operator.inputs or []])
        for k, operator in enumerate(subgraph.operators or [])
        if k > index and old in (operator.inputs or [])
    ]


def _end_edits(model: Model, subgraph_index: int, old: int, new: int) -> list[Edit]:
    outputs = subgraph_at(model, subgraph_index).outputs or []
    if old not in outputs:
        return []
    renamed = [new if t == old else t for t in outputs]
    edits: list[Edit] = [Set(("subgraphs", subgraph_index, "outputs"), renamed)]
    for s, signature in enumerate(model.signature_defs or []):
        if signature.subgraph_index == subgraph_index:
            edits += [
                Set(("signature_defs", s, "outputs", k, "tensor_index"), new)
                for k, entry in enumerate(signature.outputs or [])
                if entry.tensor_index == old
            ]
    return edits
