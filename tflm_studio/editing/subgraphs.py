# SPDX-License-Identifier: Apache-2.0
"""Subgraphs that come, go and move; the first one is the one that is run."""

from __future__ import annotations

from tflm_studio.analysis.compressed_tensors import find_compression
from tflm_studio.editing import metadata_entries
from tflm_studio.editing.edits import Remove, Set
from tflm_studio.editing.field_values import copied
from tflm_studio.editing.fresh_names import fresh_name
from tflm_studio.editing.index_users import users_of
from tflm_studio.editing.located import subgraph_at
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.renumbering import insert_items, move_item, remove_items
from tflm_studio.editing.signatures import signatures_of
from tflm_studio.formats.compression_metadata import COMPRESSION, encode_compression
from tflm_studio.model.errors import EditError
from tflm_studio.model.metadata_content import find_metadata
from tflm_studio.model.place_names import name_thing, named_few, quoted, thing_at
from tflm_studio.schema.tables import Buffer, Model, SubGraph


def add(model: Model, name: str) -> Proposal:
    """Adds an empty subgraph behind the others."""
    new = SubGraph(tensors=[], inputs=[], outputs=[], operators=[], name=name)
    made = insert_items(model, "subgraphs", len(model.subgraphs or []), [new])
    return made.labelled(f"Add subgraph {quoted(name)}")


def duplicate(model: Model, index: int) -> Proposal:
    """Adds a copy of a subgraph behind the others.

    The copy runs the same subgraphs and has the same weights; its variables are its own. It
    has no signature.

    Raises:
        EditError: There is no such subgraph.
    """
    original = subgraph_at(model, index)
    names = {subgraph.name for subgraph in model.subgraphs or []}
    with Draft(model) as draft:
        copy: SubGraph = copied(original)
        copy.name = fresh_name(f"{original.name or 'subgraph'}_copy", names)
        _give_own_variables(draft, copy)
        draft.do(insert_items(model, "subgraphs", len(model.subgraphs or []), [copy]))
        _compress_alike(draft, index)
        if signatures_of(model, index):
            draft.note("The copy has no signature; signatures still name the original.")
    return draft.proposal(f"Duplicate subgraph {index} as {quoted(copy.name)}")


def delete(model: Model, index: int) -> Proposal:
    """Removes a subgraph that no operator runs, with its signatures.

    What only it used, such as buffers, stays; see `cleaning.remove_unused`.

    Raises:
        EditError: There is no such subgraph, it is the last one, or operators run it.
    """
    name = quoted(subgraph_at(model, index).name)
    if len(model.subgraphs or []) == 1:
        raise EditError("A model needs a subgraph; the last one cannot be deleted.")
    callers = callers_of(model, index)
    if callers:
        raise EditError(f"Subgraph {index} is run by {callers}; delete or change that first.")
    with Draft(model) as draft:
        for signature in reversed(signatures_of(model, index)):
            key = quoted((model.signature_defs or [])[signature].signature_key)
            draft.do(Remove(("signature_defs",), signature))
            draft.note(f"Signature {key} goes with its subgraph.")
        draft.do(remove_items(model, "subgraphs", [index]))
    return draft.proposal(f"Delete subgraph {index} {name}")


def rename(model: Model, index: int, name: str | None) -> Proposal:
    """Gives a subgraph another name; nothing refers to it by that.

    Raises:
        EditError: There is no such subgraph.
    """
    old = subgraph_at(model, index).name
    if old == name:
        return Proposal()
    label = f"Rename subgraph {index} {quoted(old)} to {quoted(name)}"
    return Proposal((Set(("subgraphs", index, "name"), name),), label=label)


def move(model: Model, index: int, target: int) -> Proposal:
    """Moves a subgraph; `target` is its index afterwards. The first one is run.

    Raises:
        EditError: An index is out of range.
    """
    made = move_item(model, "subgraphs", index, target)
    return made.labelled(f"Move subgraph {index} to {target}")


def callers_of(model: Model, index: int) -> str:
    """The operators of other subgraphs that run one, in words; the empty text for none."""
    users = (thing_at(address) for address in users_of(model, "subgraphs", [index]))
    places = dict.fromkeys(place for place in users if place[0] == "subgraphs")
    return named_few([name_thing(model, place) for place in places])


def _give_own_variables(draft: Draft, copy: SubGraph) -> None:
    """Gives each variable of a subgraph that is not part of the model yet a new buffer."""
    model = draft.model
    own = [tensor for tensor in copy.tensors or [] if tensor.is_variable and tensor.buffer > 0]
    if own:
        count = len(model.buffers or [])
        draft.do(insert_items(model, "buffers", count, [Buffer() for _ in own]))
        for number, tensor in enumerate(own):
            tensor.buffer = count + number


def _compress_alike(draft: Draft, index: int) -> None:
    """Says of the last subgraph that its tensors are compressed as those of another are."""
    model = draft.model
    compression, entry = find_compression(model), find_metadata(model, COMPRESSION)
    if compression is None or entry is None:
        return
    parts = list(compression.subgraphs)
    count = len(model.subgraphs or [])
    if index < len(parts) and parts[index]:
        parts += [()] * (count - len(parts))
        parts[-1] = parts[index]
        data = encode_compression(compression._replace(subgraphs=tuple(parts)))
        draft.do(metadata_entries.replace(model, entry, data))
