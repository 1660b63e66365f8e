# SPDX-License-Identifier: Apache-2.0
"""Inputs and outputs of a subgraph: which tensors, and in which order.

Signatures of the subgraph are kept in step.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.located import subgraph_at, tensor_at
from tflm_studio.editing.proposal import Proposal, cut_notes
from tflm_studio.editing.signature_maps import map_edits, maps_of
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import Wiring, wiring_of
from tflm_studio.model.index_references import Space, references
from tflm_studio.model.operators import find_tensor, has_data
from tflm_studio.model.place_names import (
    at_start,
    name_operator,
    name_tensor,
    name_thing,
    named_few,
)
from tflm_studio.schema.tables import Model

Side = Literal["inputs", "outputs"]


def set_inputs(model: Model, subgraph_index: int, indices: Sequence[int]) -> Proposal:
    """Makes these tensors the inputs of a subgraph, in this order.

    Raises:
        EditError: There is no such tensor, one is named twice, or a new one is made by an
            operator, has data, or is a variable.
    """
    return _set_ends(model, subgraph_index, "inputs", indices)


def set_outputs(model: Model, subgraph_index: int, indices: Sequence[int]) -> Proposal:
    """Makes these tensors the outputs of a subgraph, in this order.

    Raises:
        EditError: There is no such tensor, or one is named twice.
    """
    return _set_ends(model, subgraph_index, "outputs", indices)


def make_input(
    model: Model, subgraph_index: int, tensor_index: int, position: int | None = None
) -> Proposal:
    """Adds a tensor to the inputs of a subgraph.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        tensor_index: Which tensor.
        position: Where; None for behind the last.

    Raises:
        EditError: As `set_inputs`; or it is one already, or the position is out of range.
    """
    return _added(model, subgraph_index, "inputs", tensor_index, position)


def make_output(
    model: Model, subgraph_index: int, tensor_index: int, position: int | None = None
) -> Proposal:
    """Adds a tensor to the outputs of a subgraph; see `make_input`.

    Raises:
        EditError: It is one already, there is none, or the position is out of range.
    """
    return _added(model, subgraph_index, "outputs", tensor_index, position)


def remove_input(model: Model, subgraph_index: int, tensor_index: int) -> Proposal:
    """Takes a tensor out of the inputs of a subgraph.

    Raises:
        EditError: It is none of them.
    """
    return _removed(model, subgraph_index, "inputs", tensor_index)


def remove_output(model: Model, subgraph_index: int, tensor_index: int) -> Proposal:
    """Takes a tensor out of the outputs of a subgraph.

    Raises:
        EditError: It is none of them.
    """
    return _removed(model, subgraph_index, "outputs", tensor_index)


def move_input(model: Model, subgraph_index: int, position: int, target: int) -> Proposal:
    """Moves an input; `target` is its position afterwards.

    Raises:
        EditError: A position is out of range.
    """
    return _moved(model, subgraph_index, "inputs", position, target)


def move_output(model: Model, subgraph_index: int, position: int, target: int) -> Proposal:
    """Moves an output; `target` is its position afterwards.

    Raises:
        EditError: A position is out of range.
    """
    return _moved(model, subgraph_index, "outputs", position, target)


# ------------------------------------------------------------------ one more, one less


def _added(
    model: Model, subgraph_index: int, side: Side, tensor_index: int, position: int | None
) -> Proposal:
    old = _ends(model, subgraph_index, side)
    name = name_tensor(model, subgraph_index, tensor_index)
    place = len(old) if position is None else position
    if tensor_index in old:
        raise EditError(f"{at_start(name)} is among the {side} already.")
    if not 0 <= place <= len(old):
        raise EditError(f"There is no position {place} among {len(old)} {side}.")
    made = _set_ends(model, subgraph_index, side, [*old[:place], tensor_index, *old[place:]])
    return made.labelled(f"Make {name} an {side[:-1]}")


def _removed(model: Model, subgraph_index: int, side: Side, tensor_index: int) -> Proposal:
    old = _ends(model, subgraph_index, side)
    name = name_tensor(model, subgraph_index, tensor_index)
    if tensor_index not in old:
        raise EditError(f"{at_start(name)} is not among the {side}.")
    left = [index for index in old if index != tensor_index]
    made = _set_ends(model, subgraph_index, side, left)
    return made.labelled(f"Remove {name} from the {side}")


def _moved(
    model: Model, subgraph_index: int, side: Side, position: int, target: int
) -> Proposal:
    items = list(_ends(model, subgraph_index, side))
    for place in (position, target):
        if not 0 <= place < len(items):
            raise EditError(f"There is no position {place} among {len(items)} {side}.")
    items.insert(target, items.pop(position))
    made = _set_ends(model, subgraph_index, side, items)
    return made.labelled(f"Move {side[:-1]} {position} to {target}")


def _ends(model: Model, subgraph_index: int, side: Side) -> list[int]:
    return getattr(subgraph_at(model, subgraph_index), side) or []


# ------------------------------------------------------------------ the list


def _set_ends(
    model: Model, subgraph_index: int, side: Side, indices: Sequence[int]
) -> Proposal:
    old, new = _ends(model, subgraph_index, side), list(indices)
    _check(model, subgraph_index, side, old, new)
    label = f"Set the {side} of subgraph {subgraph_index}"
    if new == old:
        return Proposal(label=label)
    edits: list[Edit] = [Set(("subgraphs", subgraph_index, side), new)]
    notes = _told(model, subgraph_index, side, old, new)
    for place, entries in maps_of(model, subgraph_index, side):
        more, said = map_edits(model, subgraph_index, place, entries, old, new)
        edits += more
        notes += said
    return Proposal(tuple(edits), tuple(notes), label)


def _check(
    model: Model, subgraph_index: int, side: Side, old: list[int], new: list[int]
) -> None:
    # What is there already in a senseless model stays.
    there = set(old)
    fresh = dict.fromkeys(index for index in new if index not in there)
    wiring = wiring_of(subgraph_at(model, subgraph_index))
    for index in fresh:
        tensor_at(model, subgraph_index, index)
        if side == "inputs":
            _check_input(model, subgraph_index, wiring, index)
    before, after = Counter(old), Counter(new)
    twice = next((index for index in after if after[index] > max(1, before[index])), None)
    if twice is not None:
        name = at_start(name_tensor(model, subgraph_index, twice))
        raise EditError(f"{name} is named twice among the {side}.")


def _check_input(model: Model, subgraph_index: int, wiring: Wiring, tensor_index: int) -> None:
    tensor = tensor_at(model, subgraph_index, tensor_index)
    name = at_start(name_tensor(model, subgraph_index, tensor_index))
    makers = wiring.makers.of(tensor_index)
    if makers:
        maker = name_operator(model, subgraph_index, makers[0])
        raise EditError(f"{name} cannot be an input: {maker} makes it.")
    if has_data(model, tensor) or tensor.is_variable:
        what = "is a variable" if tensor.is_variable else "has data"
        raise EditError(f"{name} cannot be an input: it {what}; make it an activation first.")


def _told(
    model: Model, subgraph_index: int, side: Side, old: list[int], new: list[int]
) -> list[str]:
    check = _unfed if side == "inputs" else _unmade
    changed = set(old) - set(new) if side == "inputs" else set(new) - set(old)
    wiring = wiring_of(subgraph_at(model, subgraph_index))
    notes = [check(model, subgraph_index, wiring, index) for index in sorted(changed)]
    return cut_notes([note for note in notes if note]) + caller_notes(
        model, subgraph_index, side
    )


def _unfed(model: Model, subgraph_index: int, wiring: Wiring, tensor_index: int) -> str:
    """Who reads a tensor that is no input any more and that nobody makes."""
    tensor = find_tensor(subgraph_at(model, subgraph_index), tensor_index)
    readers = wiring.users.of(tensor_index)
    if tensor is None or not readers:
        return ""
    if wiring.makers.of(tensor_index) or has_data(model, tensor):
        return ""
    names = named_few([name_operator(model, subgraph_index, reader) for reader in readers])
    name = at_start(name_tensor(model, subgraph_index, tensor_index))
    return f"{name} is read by {names}, but nothing gives it values any more."


def _unmade(model: Model, subgraph_index: int, wiring: Wiring, tensor_index: int) -> str:
    """Whether nothing gives a new output values."""
    tensor = tensor_at(model, subgraph_index, tensor_index)
    is_given = (
        tensor_index in wiring.inputs
        or tensor.is_variable
        or has_data(model, tensor)
        or wiring.makers.of(tensor_index)
    )
    name = at_start(name_tensor(model, subgraph_index, tensor_index))
    return "" if is_given else f"{name} is an output, but nothing gives it values."


def caller_notes(model: Model, subgraph_index: int, side: Side) -> list[str]:
    """A sentence for each operator that calls a subgraph, whose ends it takes by position."""
    callers = dict.fromkeys(
        name_thing(model, reference.address[:4])
        for reference in references(model, Space.SUBGRAPHS)
        if subgraph_index in reference.indices and reference.address[0] == "subgraphs"
    )
    return [
        f"{at_start(name)} calls this subgraph: its tensors have to match the new {side}, one "
        "by one."
        for name in callers
    ]
