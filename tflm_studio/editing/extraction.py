# SPDX-License-Identifier: Apache-2.0
"""Some operators of a model as a model of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tflm_studio.editing.cleaning import remove_unused
from tflm_studio.editing.dependencies import Dependencies
from tflm_studio.editing.freestanding import private_copy, set_free
from tflm_studio.editing.history import apply_all
from tflm_studio.editing.located import operator_at, subgraph_at
from tflm_studio.editing.metadata_entries import MIN_RUNTIME_VERSION
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.reduction import reduce_to
from tflm_studio.editing.renumbering import move_item, remove_items
from tflm_studio.formats.compression_metadata import COMPRESSION
from tflm_studio.formats.control_dependencies import CONTROL_DEPENDENCIES
from tflm_studio.model.calls import called_subgraphs, run_subgraphs
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import name_operator, name_tensor, named_few, quoted
from tflm_studio.schema.tables import Buffer, Model, SubGraph

# What is still true of a part; the two latter follow the renumbering.
_KEPT = frozenset((MIN_RUNTIME_VERSION, COMPRESSION, CONTROL_DEPENDENCIES))


@dataclass(frozen=True, slots=True)
class Extraction:
    """A part of a model.

    Attributes:
        model: A model of its own, which has no file yet.
        notes: A sentence for each thing beyond what was asked for.
    """

    model: Model
    notes: tuple[str, ...]


def extract(model: Model, subgraph_index: int, operator_indices: Iterable[int]) -> Extraction:
    """Makes a model of some operators.

    Tensors that lead into the selection become its inputs, those that lead out of it, or are
    outputs already, its outputs. Weights, quantisation, names, the subgraphs that it runs and
    the signatures of the subgraph come along. The operators keep their order.

    Args:
        model: The model, which stays as it is.
        subgraph_index: Whose operators.
        operator_indices: Which operators.

    Raises:
        EditError: There is no such operator, nothing would come out, or the part cannot stand
            by itself.
    """
    subgraph = subgraph_at(model, subgraph_index)
    chosen = set(operator_indices)
    for index in chosen:
        operator_at(model, subgraph_index, index)
    if not chosen:
        raise EditError("Choose the operators to extract; none is chosen.")
    dependencies = Dependencies(model, subgraph)
    added = dependencies.variable_parts(chosen)
    notes = []
    if added:
        named = [name_operator(model, subgraph_index, index) for index in sorted(added)]
        notes.append(f"Extracted as well, for the variables: {named_few(named)}.")
    chosen |= added
    inputs, outputs = _ends(dependencies, chosen)
    if not outputs:
        raise EditError("The chosen operators make no tensor that could be an output.")
    copy = private_copy(model)
    notes += _without_others(copy, subgraph_index, chosen)
    if subgraph_index:
        _apply(copy, move_item(copy, "subgraphs", subgraph_index, 0))
    notes += _apply(copy, reduce_to(copy, 0, chosen, inputs, outputs))
    _apply(copy, remove_unused(copy))
    notes += set_free(copy)
    copy.buffers = copy.buffers or [Buffer()]
    copy.description = f"Part of {model.description or 'a model'}"
    return Extraction(copy, tuple(dict.fromkeys((*notes, *_ends_notes(copy)))))


def _ends(dependencies: Dependencies, chosen: set[int]) -> tuple[list[int], list[int]]:
    """The inputs and outputs of a selection; those of the whole subgraph stay in order."""
    subgraph, operators = dependencies.subgraph, dependencies.operators
    old_inputs, old_outputs = subgraph.inputs or [], subgraph.outputs or []
    if len(chosen) == len(operators):
        return list(old_inputs), list(old_outputs)
    needed = dependencies.open_inputs(chosen)
    inputs = [t for t in dict.fromkeys(old_inputs) if t in needed]
    inputs += [t for t in needed if t not in inputs]
    made = [t for index in sorted(chosen) for t in operators[index].outputs or []]
    made = [t for t in dict.fromkeys(made) if dependencies.is_given(t)]
    outside = [t for t in made if set(dependencies.users.get(t, ())) - chosen]
    outputs = [t for t in dict.fromkeys(old_outputs) if t in made]
    outputs += [t for t in outside if t not in outputs]
    unread = [t for t in made if not dependencies.users.get(t)]
    return inputs, outputs or unread


def _without_others(copy: Model, subgraph_index: int, chosen: set[int]) -> list[str]:
    """Takes away what belongs to other subgraphs, and metadata that is not true any more."""
    subgraphs = copy.subgraphs or []
    operators = subgraphs[subgraph_index].operators or []
    called = [k for index in chosen for k in called_subgraphs(operators[index])]
    needed = {subgraph_index} | run_subgraphs(copy, called)
    for index, other in enumerate(subgraphs):
        if index not in needed and other.operators:
            place = ("subgraphs", index, "operators")
            _apply(copy, remove_items(copy, place, range(len(other.operators))))
    entries = copy.signature_defs or []
    copy.signature_defs = [e for e in entries if e.subgraph_index == subgraph_index] or None
    dropped = [quoted(e.name) for e in copy.metadata or [] if e.name not in _KEPT]
    copy.metadata = [e for e in copy.metadata or [] if e.name in _KEPT] or None
    copy.metadata_buffer = None
    return [f"Metadata that stayed behind: {named_few(dropped)}."] if dropped else []


def _apply(copy: Model, proposal: Proposal) -> list[str]:
    apply_all(copy, proposal.edits)
    # That the rest is not part of the part goes without saying.
    return [note for note in proposal.notes if not note.endswith(" removed.")]


def _ends_notes(copy: Model) -> list[str]:
    main = (copy.subgraphs or [SubGraph()])[0]
    ends = (("inputs", main.inputs), ("outputs", main.outputs))
    return [
        f"Its {side}: {named_few([name_tensor(copy, 0, t) for t in indices or []]) or 'none'}."
        for side, indices in ends
    ]
