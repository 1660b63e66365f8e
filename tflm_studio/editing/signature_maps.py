# SPDX-License-Identifier: Apache-2.0
"""The names that signatures give to inputs and outputs of a subgraph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from tflm_studio.editing.edits import Edit, Insert, Remove, Set
from tflm_studio.editing.fresh_names import FreeNames
from tflm_studio.model.address import Address
from tflm_studio.model.place_names import name_thing, quoted
from tflm_studio.schema.tables import Model, TensorMap

SIDES: tuple[Literal["inputs", "outputs"], ...] = ("inputs", "outputs")


def maps_of(
    model: Model, subgraph_index: int, side: Literal["inputs", "outputs"]
) -> Iterator[tuple[Address, list[TensorMap] | None]]:
    """The maps of all signatures of a subgraph, with their addresses."""
    for index, signature in enumerate(model.signature_defs or []):
        if signature.subgraph_index == subgraph_index:
            yield ("signature_defs", index, side), getattr(signature, side)


def map_edits(
    model: Model,
    subgraph_index: int,
    place: Address,
    entries: list[TensorMap] | None,
    old: Sequence[int],
    new: Sequence[int],
) -> tuple[list[Edit], list[str]]:
    """The edits that let a map name the new tensors, and what they do.

    Args:
        model: The model.
        subgraph_index: Whose tensors.
        place: Of the map.
        entries: What it holds.
        old: The inputs or outputs of before.
        new: Those of afterwards.
    """
    where = name_thing(model, place[:2])
    gone = set(old) - set(new)
    listed = entries or []
    kept = [entry for entry in listed if entry.tensor_index not in gone]
    edits: list[Edit] = [
        Remove(place, position)
        for position in reversed(range(len(listed)))
        if listed[position].tensor_index in gone
    ]
    notes = [
        f"{where}: {quoted(entry.name)} was removed from its {place[-1]}."
        for entry in listed
        if entry.tensor_index in gone
    ]
    added = _new_entries(model, subgraph_index, kept, old, new)
    notes += [
        f"{where}: {quoted(entry.name)} was added to its {place[-1]}." for entry in added
    ]
    if entries is None and added:
        return [Set(place, added)], notes
    edits += [Insert(place, len(kept) + k, entry) for k, entry in enumerate(added)]
    return edits, notes


def _new_entries(
    model: Model,
    subgraph_index: int,
    kept: list[TensorMap],
    old: Sequence[int],
    new: Sequence[int],
) -> list[TensorMap]:
    tensors = (model.subgraphs or [])[subgraph_index].tensors or []
    known = {entry.tensor_index for entry in kept} | set(old)
    names = FreeNames(entry.name for entry in kept)
    added = []
    for index in dict.fromkeys(new):
        if index not in known and 0 <= index < len(tensors):
            name = names.take(tensors[index].name or f"tensor_{index}")
            added.append(TensorMap(name, index))
    return added


def alias_edits(
    model: Model, subgraph_index: int, renamed: Mapping[int, tuple[str, str]]
) -> tuple[list[Edit], list[str]]:
    """Lets aliases that were the name of a tensor, or its stem before ':', follow it.

    Args:
        model: The model.
        subgraph_index: Whose tensors.
        renamed: Tensor index to its old and its new name.
    """
    edits: list[Edit] = []
    notes = []
    for side in SIDES:
        for place, entries in maps_of(model, subgraph_index, side):
            wanted = _wanted_aliases(entries or [], renamed)
            taken = {entry.name for k, entry in enumerate(entries or []) if k not in wanted}
            for position, (old, alias) in wanted.items():
                where = name_thing(model, place[:2])
                if alias in taken:
                    notes.append(
                        f"{where}: the alias {quoted(old)} stays, because {quoted(alias)} "
                        "is taken."
                    )
                    continue
                taken.add(alias)
                edits.append(Set((*place, position, "name"), alias))
                notes.append(f"{where}: the alias {quoted(old)} becomes {quoted(alias)}.")
    return edits, notes


def _wanted_aliases(
    entries: list[TensorMap], renamed: Mapping[int, tuple[str, str]]
) -> dict[int, tuple[str, str]]:
    """Position of an entry to its alias of now and the one that it should get."""
    wanted = {}
    for position, entry in enumerate(entries):
        old, new = renamed.get(entry.tensor_index, ("", ""))
        if not entry.name or not new:
            continue
        if entry.name == old:
            wanted[position] = (old, new)
        elif entry.name == _stem(old) and _stem(new) not in ("", entry.name):
            wanted[position] = (entry.name, _stem(new))
    return wanted


def _stem(name: str) -> str:
    return name.partition(":")[0]
