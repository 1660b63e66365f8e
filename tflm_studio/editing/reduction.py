# SPDX-License-Identifier: Apache-2.0
"""A subgraph cut down to some of its operators, with other inputs and outputs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from tflm_studio.editing.cleaning import idle_things, sweep
from tflm_studio.editing.edits import Set
from tflm_studio.editing.offline_offsets import unplan
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.renumbering import remove_items
from tflm_studio.editing.signatures import rebuild_all
from tflm_studio.editing.subgraphs import callers_of
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import plural
from tflm_studio.schema.tables import Model


def reduce_to(
    model: Model,
    subgraph_index: int,
    kept: Collection[int],
    inputs: Sequence[int],
    outputs: Sequence[int],
    replaced: Mapping[int, int] | None = None,
) -> Proposal:
    """Removes the other operators, and what nothing uses without them.

    Signatures follow. What nothing used before stays.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        kept: The operators that stay.
        inputs: Its inputs afterwards, by their indices of now.
        outputs: Its outputs afterwards.
        replaced: Tensors whose names in signatures others take over.

    Raises:
        EditError: An operator runs the subgraph and counts on its inputs and outputs; or a
            new input or output is no tensor.
    """
    with Draft(model) as draft:
        idle = idle_things(model)
        set_ends(draft, subgraph_index, inputs, outputs, replaced)
        subgraph = (model.subgraphs or [])[subgraph_index]
        gone = [k for k in range(len(subgraph.operators or [])) if k not in kept]
        if gone:
            draft.do(remove_items(model, ("subgraphs", subgraph_index, "operators"), gone))
            draft.note(f"{plural(len(gone), 'operator')} removed.")
        sweep(draft, spared=idle)
    return draft.proposal()


def set_ends(
    draft: Draft,
    subgraph_index: int,
    inputs: Sequence[int],
    outputs: Sequence[int],
    replaced: Mapping[int, int] | None = None,
) -> None:
    """Gives a subgraph other inputs and outputs; signatures and an offline plan follow.

    Raises:
        EditError: As `reduce_to`.
    """
    model = draft.model
    subgraph = (model.subgraphs or [])[subgraph_index]
    before = {"inputs": subgraph.inputs or [], "outputs": subgraph.outputs or []}
    after = {"inputs": list(inputs), "outputs": list(outputs)}
    changed = [side for side in after if before[side] != after[side]]
    if not changed:
        return
    callers = callers_of(model, subgraph_index)
    if callers:
        raise EditError(
            f"Subgraph {subgraph_index} is run by {callers}, which counts on its inputs and "
            "outputs; they cannot change."
        )
    old = {*before["inputs"], *before["outputs"]}
    fresh = {*after["inputs"], *after["outputs"]} - old
    draft.do(unplan(model, subgraph_index, fresh))
    for side in changed:
        draft.do(Set(("subgraphs", subgraph_index, side), after[side]))
    draft.do(rebuild_all(model, subgraph_index, replaced))
