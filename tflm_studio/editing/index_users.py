# SPDX-License-Identifier: Apache-2.0
"""Who refers to items of a list, and whether they could do without."""

from __future__ import annotations

from collections.abc import Iterable

from tflm_studio.editing.bound_metadata import metadata_users
from tflm_studio.editing.index_map import Renumbered
from tflm_studio.model.address import Address, find_address, parse_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.index_references import Column, Reference, Space, references, space_of
from tflm_studio.model.operators import NO_TENSOR, knowledge_of
from tflm_studio.model.place_names import name_place
from tflm_studio.schema.tables import Model, Operator

MOST_USERS_NAMED = 4


def users_of(model: Model, place: Address | str, indices: Iterable[int]) -> list[Address]:
    """The fields that refer to some items of a list, but for those inside of the items.

    Args:
        model: The model.
        place: The list, such as `subgraphs[0].tensors`.
        indices: Of the items.

    Raises:
        EditError: The place is no such list.
    """
    address = parse_address(place) if isinstance(place, str) else place
    space, subgraph_index = space_of(address)
    wanted = set(indices)
    return [
        reference.address
        for reference in references(model, space, subgraph_index)
        if not wanted.isdisjoint(reference.indices)
        and not _leads_into(reference.address, address, wanted)
    ]


def is_inside(column: Column, item: int, place: Address, items: set[int]) -> bool:
    """Whether an item of a column is one of some items of a list, or inside of one."""
    if column.place == place:
        return item in items
    return _leads_into(column.place, place, items)


def _leads_into(address: Address, place: Address, items: set[int]) -> bool:
    depth = len(place)
    return len(address) > depth and address[:depth] == place and address[depth] in items


def check_users(
    model: Model, change: Renumbered, gone: set[int], users: list[Reference]
) -> None:
    """Refuses to remove what is in use.

    Args:
        model: The model.
        change: The removal; with an item to stand in, all is well.
        gone: The removed items.
        users: What refers to them.

    Raises:
        EditError: Names the users, or one that cannot do without.
    """
    needed = metadata_users(model, gone) if change.space is Space.BUFFERS else []
    if change.replacement == NO_TENSOR:
        for user in users:
            _check_can_do_without(model, user, gone)
        if needed:
            raise EditError(f"{needed[0]} cannot be left out.")
    elif change.replacement is None and (users or needed):
        used = {index for user in users for index in user.indices} & gone or gone
        named = [*dict.fromkeys(name_place(model, user.address) for user in users), *needed]
        more = len(named) - MOST_USERS_NAMED
        raise EditError(
            f"{change.space.noun.capitalize()} {min(used)} is still used by "
            f"{'; '.join(named[:MOST_USERS_NAMED])}{f' and {more} more' * (more > 0)}."
        )


def _check_can_do_without(model: Model, user: Reference, gone: set[int]) -> None:
    where = name_place(model, user.address)
    if not user.field.may_be_none:
        raise EditError(f"{where} cannot be left out.")
    owner = find_address(model, user.address[:-1])
    if isinstance(owner, Operator) and user.field.name == "inputs":
        known = knowledge_of(model, owner)
        for position, index in enumerate(user.indices):
            if index in gone and not known.is_optional(position):
                raise EditError(f"{where}: {known.name} needs {known.input_name(position)}.")
