# SPDX-License-Identifier: Apache-2.0
"""What can be done to the buffers of a model; `shared_buffers` has what several use."""

from __future__ import annotations

from collections.abc import Iterable

from tflm_studio.editing.bound_metadata import metadata_users
from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.located import buffer_at, bytes_of
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.renumbering import insert_items, remove_items
from tflm_studio.editing.shared_buffers import (
    copy_of,
    detach,
    share,
    share_identical,
    unshare,
    unused_buffers,
)
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import buffer_users, data_bytes
from tflm_studio.model.place_names import name_tensor, name_thing, named_few, plural
from tflm_studio.model.tensor_shapes import needed_bytes
from tflm_studio.schema.tables import Buffer, Model, Tensor

__all__ = [
    "add",
    "delete",
    "detach",
    "duplicate",
    "insert_bytes",
    "remove_bytes",
    "remove_unused",
    "set_data",
    "share",
    "share_identical",
    "unshare",
]

Bytes = bytes | bytearray | memoryview


def add(model: Model, data: Bytes | None = None, index: int | None = None) -> Proposal:
    """A new buffer that nothing uses yet.

    Args:
        model: The model.
        data: Its bytes; None for no data.
        index: Where; None for the end.

    Raises:
        EditError: The index is out of range, or 0.
    """
    place = len(model.buffers or []) if index is None else index
    items = [Buffer(data=data)]
    if not model.buffers and index is None:
        items = [Buffer(), *items]  # buffer 0 stands for no data
    return insert_items(model, "buffers", place, items).labelled("Add a buffer")


def duplicate(model: Model, index: int) -> Proposal:
    """A copy of a buffer, at the end; nothing uses it yet.

    Raises:
        EditError: There is no such buffer.
    """
    copy = copy_of(buffer_at(model, index))
    made = insert_items(model, "buffers", len(model.buffers or []), [copy])
    return made.labelled(f"Duplicate buffer {index}")


def delete(model: Model, indices: Iterable[int]) -> Proposal:
    """Takes buffers away that nothing uses.

    Raises:
        EditError: Something uses one, and is named; or it is buffer 0, or there is none.
    """
    gone = sorted(set(indices))
    label = f"Delete buffer {gone[0]}" if len(gone) == 1 else f"Delete {len(gone):,} buffers"
    return remove_items(model, "buffers", gone).labelled(label)


def remove_unused(model: Model, among: Iterable[int] | None = None) -> Proposal:
    """Takes all buffers away that nothing uses, but for buffer 0. O(model).

    Args:
        model: The model.
        among: Which ones to look at; all if None.
    """
    gone = unused_buffers(model, among)
    if not gone:
        return Proposal(label="Remove unused buffers")
    size = sum(len(bytes_of(model, index)) for index in gone)
    made = remove_items(model, "buffers", gone)
    told = f"{plural(len(gone), 'unused buffer')} with {size:,} bytes removed."
    return Proposal(made.edits, (told, *made.notes), "Remove unused buffers")


def set_data(model: Model, index: int, data: Bytes | None) -> Proposal:
    """Gives a buffer other bytes, of any length.

    Raises:
        EditError: There is no such buffer, or it is buffer 0, which stands for no data.
    """
    label = f"Set the data of buffer {index}"
    return Proposal(tuple(_data_edits(model, index, data)), _told(model, index, data), label)


def insert_bytes(model: Model, index: int, offset: int, data: Bytes) -> Proposal:
    """Puts bytes into a buffer, before the one at `offset`.

    Raises:
        EditError: There is no such buffer, it is buffer 0, or the offset is behind its end.
    """
    old = _checked_bytes(model, index, offset, 0)
    new = b"".join((old[:offset], data, old[offset:]))
    label = f"Insert {plural(len(new) - len(old), 'byte')} into buffer {index}"
    return set_data(model, index, new).labelled(label)


def remove_bytes(model: Model, index: int, offset: int, count: int) -> Proposal:
    """Takes bytes out of a buffer.

    Raises:
        EditError: There is no such buffer, it is buffer 0, or it has no such bytes.
    """
    old = _checked_bytes(model, index, offset, count)
    new = b"".join((old[:offset], old[offset + count :]))
    label = f"Remove {plural(count, 'byte')} from buffer {index}"
    return set_data(model, index, new).labelled(label)


def _checked_bytes(model: Model, index: int, offset: int, count: int) -> memoryview:
    buffer_at(model, index)
    old = bytes_of(model, index)
    if not 0 <= offset <= offset + count <= len(old):
        raise EditError(
            f"Buffer {index} has {len(old):,} bytes; there are none from {offset:,} to "
            f"{offset + count:,}."
        )
    return old


def _data_edits(model: Model, index: int, data: Bytes | None) -> list[Edit]:
    """The edits that give a buffer data; without any it stands nowhere outside.

    Raises:
        EditError: There is no such buffer, or it is buffer 0.
    """
    buffer = buffer_at(model, index)
    if index == 0 and data is not None and data_bytes(data):
        raise EditError("Buffer 0 stands for no data and cannot get any; add another buffer.")
    place: Address = ("buffers", index)
    edits: list[Edit] = [Set((*place, "data"), data)]
    if buffer.offset and not data_bytes(data):
        edits += [Set((*place, "offset"), 0), Set((*place, "size"), 0)]
    return edits


def _told(model: Model, index: int, data: Bytes | None) -> tuple[str, ...]:
    """Who else sees the new bytes, and whose size they do not fit."""
    users = buffer_users(model).get(index, [])
    names = [name_thing(model, user) for user in users] + metadata_users(model, {index})
    notes = []
    if len(names) > 1:
        notes.append(f"Buffer {index} is shared: {named_few(names)} see the new bytes.")
    size = data_bytes(data)
    for address in users:
        needed = needed_bytes(_tensor(model, address)) if address[0] == "subgraphs" else None
        if needed is not None and size not in (0, needed):
            name = name_tensor(model, int(address[1]), int(address[3]))
            notes.append(f"{name} needs {needed:,} bytes, the buffer has {size:,} now.")
    return tuple(notes)


def _tensor(model: Model, address: Address) -> Tensor:
    subgraph = (model.subgraphs or [])[int(address[1])]
    return (subgraph.tensors or [])[int(address[3])]
