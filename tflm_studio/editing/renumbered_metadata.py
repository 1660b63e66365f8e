# SPDX-License-Identifier: Apache-2.0
"""What metadata needs when indices change, as edits beside those of the references."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tflm_studio.editing.bound_metadata import (
    MetadataUpdate,
    metadata_updates,
    metadata_users,
)
from tflm_studio.editing.edits import Edit, Insert, Remove
from tflm_studio.editing.index_map import Renumbered
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.graph import buffer_users, data_bytes
from tflm_studio.model.index_references import Space
from tflm_studio.schema.tables import Buffer, Model

# For a field of the items of a list: place and tail as in `Column`, and the name.
FieldKey = tuple[Address, tuple[str, ...], str]
# What some items get there.
Values = dict[int, Any]

_METADATA_BUFFER: FieldKey = (("metadata",), (), "buffer")
BUFFER_DATA: FieldKey = (("buffers",), (), "data")


def update_metadata(
    model: Model,
    change: Renumbered,
    values: dict[FieldKey, Values],
    behind: list[Edit],
    notes: list[str],
) -> None:
    """Adds what the metadata needs.

    Args:
        model: The model before the change.
        change: What is done to it.
        values: The fields that get new values before the list changes; added to.
        behind: The edits that follow; added to.
        notes: What became of the metadata; added to.
    """
    count = len(model.buffers or [])
    if change.space is Space.BUFFERS:
        count = change.indices.new_count
    place_updates(model, metadata_updates(model, change), count, values, behind, notes)


def place_updates(
    model: Model,
    updates: Iterable[MetadataUpdate],
    count: int,
    values: dict[FieldKey, Values],
    behind: list[Edit],
    notes: list[str],
) -> None:
    """Says where the new bytes of metadata go.

    Args:
        model: The model before the change.
        updates: What becomes of the entries.
        count: How many buffers there are then.
        values: The fields that get new values before the list changes; added to.
        behind: The edits that follow; added to.
        notes: What became of the metadata; added to.
    """
    users = None
    dropped: list[int] = []
    for index, data, said in updates:
        users = buffer_users(model) if users is None else users
        notes += said
        buffer_index = (model.metadata or [])[index].buffer
        is_alone = (
            buffer_index > 0
            and users.get(buffer_index) == [("metadata", index)]
            and not metadata_users(model, {buffer_index})
        )
        place: Address = ("buffers", buffer_index, "data")
        if data is None:
            dropped.append(index)
            values.get(_METADATA_BUFFER, {}).pop(index, None)
            # Nothing reads the bytes any more; the buffer stays, so that others keep theirs.
            if is_alone and data_bytes(find_address(model, place)):
                values.setdefault(BUFFER_DATA, {})[buffer_index] = None
        elif is_alone:
            values.setdefault(BUFFER_DATA, {})[buffer_index] = data
        else:
            # Others use the buffer, and go on with the bytes that it has.
            values.setdefault(_METADATA_BUFFER, {})[index] = count
            behind.append(Insert(("buffers",), count, Buffer(data=data)))
            count += 1
    behind += [Remove(("metadata",), index) for index in reversed(dropped)]
