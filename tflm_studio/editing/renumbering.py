# SPDX-License-Identifier: Apache-2.0
"""Items that come, go or move in a list others refer to by position, as lists of edits.

The lists are those of `model.index_references.Space`. Whatever names an item goes on naming
the same item; what names nothing, such as an index past the end, goes on naming nothing.
Metadata that holds indices is rewritten or dropped (`editing.bound_metadata`), and the result
says which. The functions only look at the model; `Document.do` applies the edits as one step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tflm_studio.editing.edits import Edit, Insert, Move, Remove, Set
from tflm_studio.editing.field_values import scalar_range
from tflm_studio.editing.index_map import GONE, IndexMap, Renumbered, Replacement
from tflm_studio.editing.index_users import check_users, is_inside
from tflm_studio.editing.list_moves import moves_to
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.renumbered_metadata import (
    BUFFER_DATA,
    FieldKey,
    Values,
    update_metadata,
)
from tflm_studio.editing.set_each import SetEach
from tflm_studio.model.address import Address, parse_address, resolve
from tflm_studio.model.errors import EditError
from tflm_studio.model.index_references import (
    Column,
    Reference,
    Space,
    index_columns,
    space_of,
)
from tflm_studio.model.operators import NO_TENSOR
from tflm_studio.schema.structure import Table
from tflm_studio.schema.tables import Model, SubGraph

MANY = 32  # fields from which on one edit for all is worth more than narrow ones


def insert_items(
    model: Model, place: Address | str, index: int, items: Sequence[Table]
) -> Proposal:
    """Puts items into a list, before the one that has `index` now.

    The indices inside the items are those of afterwards. O(operators + tensors).

    Args:
        model: The model.
        place: The list, such as `subgraphs[0].tensors`, `subgraphs[0].operators`, `buffers`,
            `operator_codes`, `subgraphs`.
        index: Where; the size of the list puts them at its end.
        items: Tables of the right class.

    Raises:
        EditError: The place is no such list, the index is out of range, or buffer 0, which
            stands for no data, would not be the first any more.
    """
    return insert_each(model, place, [index] * len(items), items)


def insert_each(
    model: Model, place: Address | str, indices: Sequence[int], items: Sequence[Table]
) -> Proposal:
    """Puts items into a list, each before the one that has its index now.

    Args:
        model: The model.
        place: The list, as in `insert_items`.
        indices: Where each goes, in ascending order.
        items: Tables of the right class; they keep their order.

    Raises:
        EditError: As `insert_items`.
    """
    address, space, subgraph_index, old = _list_at(model, place)
    count = len(old or [])
    for index in indices:
        if not 0 <= index <= count:
            raise EditError(f"Index {index} is out of range 0 to {count}.")
    if space is Space.BUFFERS and 0 in indices and count:
        raise EditError("Buffer 0 stands for no data; nothing can be put before it.")
    mapped = IndexMap.inserting(count, indices)
    change = Renumbered(space, subgraph_index, mapped, None, tuple(items))
    edits: list[Edit] = [
        Insert(address, index + position, item)
        for position, (index, item) in enumerate(zip(indices, items, strict=True))
    ]
    if old is None:
        edits = [Set(address, list(items))]
    return _renumbering(model, address, change, edits)


def remove_items(
    model: Model,
    place: Address | str,
    indices: Iterable[int],
    replacement: Replacement = None,
) -> Proposal:
    """Takes items out of a list.

    What only other removed items refer to is no obstacle. O(operators + tensors).

    Args:
        model: The model.
        place: The list, as in `insert_items`.
        indices: Of the items.
        replacement: What the users of the items get instead: another item by its index of
            now, or -1 for nothing where that is possible; None refuses if there are users. A
            mapping has one for each removed item.

    Raises:
        EditError: Something still refers to an item, and is named; or the place, an index or
            the replacement is not possible.
    """
    address, space, subgraph_index, items = _list_at(model, place)
    removed = sorted(set(indices))
    count = len(items or [])
    for index in removed:
        if not 0 <= index < count:
            raise EditError(f"There is no {space.noun} {index}; the last is {count - 1}.")
    if space is Space.BUFFERS and removed[:1] == [0]:
        raise EditError("Buffer 0 stands for no data and cannot be removed.")
    if space is Space.SUBGRAPHS and len(removed) == count > 0:
        raise EditError("A model needs a subgraph; the last one cannot be removed.")
    mapped = IndexMap.removing(count, removed)
    change = Renumbered(space, subgraph_index, mapped, _stand_in(space, mapped, replacement))
    edits = [Remove(address, index) for index in reversed(removed)]
    return _renumbering(model, address, change, edits)


def move_item(model: Model, place: Address | str, index: int, target: int) -> Proposal:
    """Moves an item of a list; `target` is its index afterwards. O(operators + tensors).

    Moving an operator does not check that what it reads is made before it.

    Args:
        model: The model.
        place: The list, as in `insert_items`.
        index: Of the item now.
        target: Of the item afterwards.

    Raises:
        EditError: The place is no such list, an index is out of range, or buffer 0, which
            stands for no data, would move.
    """
    address, space, subgraph_index, items = _list_at(model, place)
    count = len(items or [])
    for number in (index, target):
        if not 0 <= number < count:
            raise EditError(f"There is no {space.noun} {number}; the last is {count - 1}.")
    if index == target:
        return Proposal(())
    if space is Space.BUFFERS and 0 in (index, target):
        raise EditError("Buffer 0 stands for no data and has to stay the first.")
    change = Renumbered(space, subgraph_index, IndexMap.moving(count, index, target))
    return _renumbering(model, address, change, [Move(address, index, target)])


def permute_items(model: Model, place: Address | str, order: Sequence[int]) -> Proposal:
    """Puts all items of a list in another order. O(operators + tensors).

    Only the items that have to move do, so that whoever follows one goes on following it.

    Args:
        model: The model.
        place: The list, as in `insert_items`.
        order: The indices of now, in the order of afterwards.

    Raises:
        EditError: The place is no such list, the order does not name each item once, or buffer
            0, which stands for no data, would move.
    """
    address, space, subgraph_index, items = _list_at(model, place)
    count = len(items or [])
    if sorted(order) != list(range(count)):
        raise EditError(f"The new order has to name each of the {count} items once.")
    if space is Space.BUFFERS and order and order[0] != 0:
        raise EditError("Buffer 0 stands for no data and has to stay the first.")
    mapped = IndexMap.permuting(order)
    if not mapped.changes:
        return Proposal()
    edits = [Move(address, index, target) for index, target in moves_to(order)]
    return _renumbering(model, address, Renumbered(space, subgraph_index, mapped), edits)


# ------------------------------------------------------------------ the list


def _list_at(
    model: Model, place: Address | str
) -> tuple[Address, Space, int | None, list[Table] | None]:
    address = parse_address(place) if isinstance(place, str) else place
    space, subgraph_index = space_of(address)
    return address, space, subgraph_index, resolve(model, address)


def _stand_in(space: Space, indices: IndexMap, replacement: Replacement) -> Replacement:
    """The new index of a replacement, or of each of them."""
    if isinstance(replacement, Mapping):
        missing = [old for old, new in enumerate(indices.new_of) if new == GONE]
        if set(missing) != set(replacement):
            raise EditError(f"A replacement is needed for each {space.noun} that is removed.")
        return {old: _new_index(space, indices, new) for old, new in replacement.items()}
    if replacement is None or replacement == NO_TENSOR:
        return replacement
    return _new_index(space, indices, replacement)


def _new_index(space: Space, indices: IndexMap, replacement: int) -> int:
    new = indices(replacement) if 0 <= replacement < indices.old_count else GONE
    if new == GONE:
        raise EditError(f"There will be no {space.noun} {replacement} to stand in.")
    return new


# ------------------------------------------------------------------ the edits


def _renumbering(
    model: Model, place: Address, change: Renumbered, structural: Sequence[Edit]
) -> Proposal:
    """References at the addresses of now, then the list, then what metadata needs."""
    values = _new_references(model, place, change)
    notes = _note_on_main(model, change)
    behind: list[Edit] = []
    update_metadata(model, change, values, behind, notes)
    sets = [edit for key, new in values.items() for edit in _sets(key, new)]
    return Proposal((*sets, *structural, *behind), tuple(notes))


def _new_references(
    model: Model, place: Address, change: Renumbered
) -> dict[FieldKey, Values]:
    """The fields that change, with what they hold afterwards."""
    new_of = change.indices.new_of
    gone = {old for old, new in enumerate(new_of) if new == GONE} if GONE in new_of else set()
    must_ask = bool(gone) and change.replacement in (None, NO_TENSOR)
    final = change.final
    found: dict[FieldKey, Values] = {}
    users: list[Reference] = []
    for column in index_columns(model, change.space, change.subgraph_index):
        if not column.may_reach(final.first):
            continue
        new = _new_values(column, final)
        if gone:
            new = {k: v for k, v in new.items() if not is_inside(column, k, place, gone)}
        if must_ask:
            users += _users(column, new, gone)
        if new:
            found[column.place, column.tail, column.field.name] = new
    check_users(model, change, gone, users)
    return found


def _users(column: Column, changed: Values, gone: set[int]) -> list[Reference]:
    """The fields that refer to removed items; they are among those that change."""
    found = (
        Reference(column.address_of(item), column.field, value)
        for item, value in column.values()
        if item in changed
    )
    return [reference for reference in found if not gone.isdisjoint(reference.indices)]


def _new_values(column: Column, final: IndexMap) -> Values:
    largest = (scalar_range(column.field.row) or (0, 0))[1]
    new: Values = {}
    for item, value in column.values():
        if isinstance(value, list):
            indices = final.mapped(value, largest)
            if indices is not value and indices != value:
                new[item] = indices
        elif value >= final.first and (index := final(value, largest)) != value:
            new[item] = index
    return new


def _sets(key: FieldKey, values: Values) -> list[Edit]:
    """An edit for each field, or one for all."""
    place, tail, name = key
    if len(values) < MANY or tail or key == BUFFER_DATA:
        return [
            Set((*place, item, *tail, name) if place else (name,), value)
            for item, value in values.items()
        ]
    items = sorted(values)
    return [SetEach(place, name, items, [values[item] for item in items])]


def _note_on_main(model: Model, change: Renumbered) -> list[str]:
    """Whether another subgraph than before is the one that is run."""
    if change.space is not Space.SUBGRAPHS or not model.subgraphs:
        return []
    main = change.indices.old_of()[:1]
    if main in ([], [0]):
        return []
    now: object = change.added[0] if main == [-1] else model.subgraphs[main[0]]
    name = now.name if isinstance(now, SubGraph) and now.name else "unnamed"
    return [f"Subgraph '{name}' becomes the main one, which is the one that is run."]
