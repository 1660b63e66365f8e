# SPDX-License-Identifier: Apache-2.0
"""Items of any list of tables or numbers: put in, taken out, moved.

Where other places of the model name the items by position, those are renumbered.
"""

from __future__ import annotations

from typing import Any

from tflm_studio.editing import renumbering
from tflm_studio.editing.edits import Insert, Move, Remove, Set
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.address import Address, format_address, resolve
from tflm_studio.model.errors import EditError
from tflm_studio.model.index_references import space_of
from tflm_studio.model.place_names import name_place
from tflm_studio.schema.tables import Model


def insert_item(model: Model, place: Address, index: int, item: Any) -> Proposal:
    """Puts an item into a list, which is made if it is absent.

    Raises:
        EditError: The place is no list, or the index is out of range.
    """
    label = f"{name_place(model, place)}: add item {index}"
    if _is_named_by_others(place):
        return renumbering.insert_items(model, place, index, [item]).labelled(label)
    if resolve(model, place) is None:
        return Proposal((Set(place, [item]),), (), label)
    return _checked(model, Insert(place, index, item), label)


def remove_item(model: Model, place: Address, index: int) -> Proposal:
    """Takes an item out of a list.

    Raises:
        EditError: There is no such item, or something still refers to it.
    """
    label = f"{name_place(model, place)}: remove item {index}"
    if _is_named_by_others(place):
        return renumbering.remove_items(model, place, [index]).labelled(label)
    return _checked(model, Remove(place, index), label)


def move_item(model: Model, place: Address, index: int, target: int) -> Proposal:
    """Moves an item of a list; `target` is its index afterwards.

    Raises:
        EditError: There is no such item or place for it.
    """
    label = f"{name_place(model, place)}: move item {index} to {target}"
    if _is_named_by_others(place):
        return renumbering.move_item(model, place, index, target).labelled(label)
    return _checked(model, Move(place, index, target), label)


def _is_named_by_others(place: Address) -> bool:
    try:
        space_of(place)
    except EditError:
        return False
    return True


def _checked(model: Model, edit: Insert | Remove | Move, label: str) -> Proposal:
    if not isinstance(resolve(model, edit.address), list):
        raise EditError(f"{format_address(edit.address)} is absent: it has no items.")
    edit.check(model)
    return Proposal((edit,), (), label)
