# SPDX-License-Identifier: Apache-2.0
"""What makes a model smaller and changes nothing that it computes."""

from __future__ import annotations

from tflm_studio.analysis.unused import unused_at
from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.placement import put_inside
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.renumbering import MANY, remove_items
from tflm_studio.editing.set_each import SetEach
from tflm_studio.model.address import Address, resolve
from tflm_studio.model.index_references import Space, space_of
from tflm_studio.model.place_names import plural, quoted
from tflm_studio.schema.tables import Model, SubGraph


def strip_names(
    model: Model, *, tensors: bool = True, subgraphs: bool = True, keep_ends: bool = True
) -> Proposal:
    """Takes the names of tensors and subgraphs away; nothing in a model refers to them.

    Args:
        model: The model.
        tensors: Whether tensors lose their names.
        subgraphs: Whether subgraphs lose theirs.
        keep_ends: Whether the inputs and outputs of subgraphs and signatures keep theirs.
    """
    edits: list[Edit] = []
    stripped = 0
    for index, subgraph in enumerate(model.subgraphs or []):
        if tensors:
            kept = _ends(model, index, subgraph) if keep_ends else set()
            named = [
                t
                for t, tensor in enumerate(subgraph.tensors or [])
                if tensor.name is not None and t not in kept
            ]
            stripped += len(named)
            edits += _without_names(("subgraphs", index, "tensors"), named)
        if subgraphs and subgraph.name is not None:
            edits.append(Set(("subgraphs", index, "name"), None))
    notes = (f"{plural(stripped, 'tensor')} lost the name.",) if stripped else ()
    return Proposal(tuple(edits), notes, "Strip names")


def remove_unused_tensors(model: Model) -> Proposal:
    """Removes the tensors that nothing names; see `remove_unused`."""
    made = remove_unused(model, buffers=False, operator_codes=False, subgraphs=False)
    return made.labelled("Remove unused tensors")


def remove_unused_subgraphs(model: Model) -> Proposal:
    """Removes the subgraphs that nothing leads to; see `remove_unused`."""
    made = remove_unused(model, tensors=False, buffers=False, operator_codes=False)
    return made.labelled("Remove unused subgraphs")


def remove_unused(
    model: Model,
    *,
    tensors: bool = True,
    buffers: bool = True,
    operator_codes: bool = True,
    subgraphs: bool = True,
) -> Proposal:
    """Removes what nothing uses, starting from the main subgraph and the signatures.

    Operators stay, whether or not anything needs what they make. O(operators + tensors).

    Args:
        model: The model.
        tensors: Whether tensors go that no operator, end or signature names.
        buffers: Whether buffers go that no tensor or metadata names.
        operator_codes: Whether operator codes of no operator go.
        subgraphs: Whether subgraphs go that are never run.
    """
    wanted = {
        Space.SUBGRAPHS: subgraphs,
        Space.TENSORS: tensors,
        Space.OPERATOR_CODES: operator_codes,
        Space.BUFFERS: buffers,
    }
    with Draft(model) as draft:
        sweep(draft, frozenset(space for space, is_wanted in wanted.items() if is_wanted))
        if not draft.has_steps:
            draft.note("Nothing is unused.")
    return draft.proposal("Remove what is unused")


def inline_external(model: Model) -> Proposal:
    """Brings all bytes that stand behind the flatbuffer into it, where TFLM reads them."""
    edits = tuple(put_inside(model))
    notes = () if edits else ("Nothing stands behind the flatbuffer.",)
    return Proposal(edits, notes, "Put all weights inside")


EVERYTHING = frozenset(
    (Space.SUBGRAPHS, Space.TENSORS, Space.OPERATOR_CODES, Space.BUFFERS),
)


def idle_things(model: Model) -> frozenset[int]:
    """The identities of all tables that nothing uses; they hold as long as the tables."""
    return frozenset(
        id(resolve(model, (*place, index)))
        for place in _lists(model)
        for index in unused_at(model, place)
    )


def sweep(
    draft: Draft, spaces: frozenset[Space] = EVERYTHING, spared: frozenset[int] = frozenset()
) -> None:
    """Removes what nothing uses from the model of a draft.

    Args:
        draft: Takes the steps.
        spaces: What may go.
        spared: Identities of tables that stay although nothing uses them.
    """
    model = draft.model
    if Space.SUBGRAPHS in spaces:
        _sweep_list(draft, ("subgraphs",), spared)
    for place in _lists(model)[1:]:
        if space_of(place)[0] in spaces:
            _sweep_list(draft, place, spared)


def _lists(model: Model) -> list[Address]:
    """The lists in the order in which removing from one leaves more unused in the next."""
    return [
        ("subgraphs",),
        *(("subgraphs", s, "tensors") for s in range(len(model.subgraphs or []))),
        ("operator_codes",),
        ("buffers",),
    ]


def _sweep_list(draft: Draft, place: Address, spared: frozenset[int]) -> None:
    model = draft.model
    items = resolve(model, place) or []
    gone = [index for index in unused_at(model, place) if id(items[index]) not in spared]
    if not gone:
        return
    draft.do(remove_items(model, place, gone))
    space, subgraph_index = space_of(place)
    where = ""
    if subgraph_index is not None and len(model.subgraphs or []) > 1:
        where = f" of subgraph {quoted((model.subgraphs or [])[subgraph_index].name)}"
    draft.note(f"{plural(len(gone), f'unused {space.noun}')}{where} removed.")


def _ends(model: Model, index: int, subgraph: SubGraph) -> set[int]:
    found = {*(subgraph.inputs or []), *(subgraph.outputs or [])}
    for entry in model.signature_defs or []:
        if entry.subgraph_index == index:
            found |= {a.tensor_index for a in (*(entry.inputs or []), *(entry.outputs or []))}
    return found


def _without_names(place: Address, items: list[int]) -> list[Edit]:
    if len(items) < MANY:
        return [Set((*place, index, "name"), None) for index in items]
    return [SetEach(place, "name", items, [None] * len(items))]
