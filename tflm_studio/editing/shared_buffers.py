# SPDX-License-Identifier: Apache-2.0
"""Buffers that several tensors or metadata entries use: put together and taken apart."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from tflm_studio.analysis.compressed_tensors import table_buffers
from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.located import buffer_at, bytes_of, tensor_at, tensor_place
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.renumbering import insert_items, remove_items
from tflm_studio.model.address import Address, format_address, resolve
from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.model.comparison import same_bytes
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import buffer_users, data_bytes
from tflm_studio.model.index_references import Space, references
from tflm_studio.model.outside import PLACEHOLDER, is_outside
from tflm_studio.model.place_names import name_tensor, name_thing, plural
from tflm_studio.schema.tables import Buffer, Metadata, Model, Tensor

PIECE_BYTES = 2**20


def share(
    model: Model, tensors: Sequence[tuple[int, int]], *, force: bool = False
) -> Proposal:
    """Lets tensors use the buffer of the first one; the others stay, perhaps unused.

    Args:
        model: The model.
        tensors: Pairs of a subgraph index and a tensor index.
        force: Whether tensors with other bytes get those of the first.

    Raises:
        EditError: There is no such tensor, or its bytes are others.
    """
    if len(tensors) < 2:
        raise EditError("Choose two tensors or more that are to share a buffer.")
    target = tensor_at(model, *tensors[0]).buffer
    buffer_at(model, target)
    edits: list[Edit] = []
    for subgraph_index, tensor_index in tensors[1:]:
        source = tensor_at(model, subgraph_index, tensor_index).buffer
        if source == target:
            continue
        if not force and not same_bytes(bytes_of(model, source), bytes_of(model, target)):
            raise EditError(
                f"{name_tensor(model, subgraph_index, tensor_index)} has other bytes than "
                f"{name_tensor(model, *tensors[0])}; they cannot share a buffer."
            )
        edits.append(Set((*tensor_place(subgraph_index, tensor_index), "buffer"), target))
    return Proposal(tuple(edits), label=f"Let {len(tensors)} tensors share buffer {target}")


def unshare(model: Model, address: Address) -> Proposal:
    """Gives a tensor or a metadata entry a buffer of its own, with a copy of the bytes.

    Args:
        model: The model.
        address: Of the tensor or the entry.

    Raises:
        EditError: It is something else, has no buffer, or has its buffer for itself.
    """
    user = resolve(model, address)
    if not isinstance(user, (Tensor, Metadata)):
        raise EditError(f"{format_address(address)} is neither a tensor nor metadata.")
    if not is_shared(model, user.buffer):
        raise EditError(f"{name_thing(model, address)} has its buffer for itself already.")
    with Draft(model) as draft:
        buffer = buffer_at(model, user.buffer)
        draft.do(insert_items(model, "buffers", len(model.buffers or []), [copy_of(buffer)]))
        draft.do(Set((*address, "buffer"), len(model.buffers or []) - 1))
    return draft.proposal(f"A buffer of its own for {name_thing(model, address)}")


def detach(model: Model, subgraph_index: int, tensor_index: int) -> Proposal:
    """Gives a tensor a buffer of its own, with a copy of the bytes.

    Raises:
        EditError: There is no such tensor or buffer, or it has its buffer for itself.
    """
    tensor_at(model, subgraph_index, tensor_index)
    return unshare(model, tensor_place(subgraph_index, tensor_index))


def copy_of(buffer: Buffer) -> Buffer:
    """A buffer with the same bytes, which stand outside of the flatbuffer if they did."""
    if not is_outside(buffer):
        return Buffer(data=buffer.data)
    return Buffer(data=buffer.data, offset=PLACEHOLDER, size=data_bytes(buffer.data))


def shared_buffers(model: Model) -> set[int]:
    """The buffers that are for more than one user; buffer 0 is for all. O(model)."""
    users = Counter({index: len(by) for index, by in buffer_users(model).items()})
    users.update(table_buffers(model))
    users.update(set(model.metadata_buffer or ()) - set(_of_metadata(model)))
    return {0} | {index for index, count in users.items() if count > 1}


def _of_metadata(model: Model) -> list[int]:
    return [entry.buffer for entry in model.metadata or []]


def is_shared(model: Model, buffer_index: int) -> bool:
    """Whether a buffer is for more than one user; buffer 0 is for all. O(model)."""
    return buffer_index in shared_buffers(model)


def unused_buffers(model: Model, among: Iterable[int] | None = None) -> list[int]:
    """Buffers that nothing refers to, without buffer 0. O(model).

    Args:
        model: The model.
        among: Which ones to look at; all if None.
    """
    used = {0}
    for reference in references(model, Space.BUFFERS):
        used.update(reference.indices)
    count = len(model.buffers or [])
    wanted = range(count) if among is None else among
    unused = {index for index in wanted if 0 <= index < count} - used
    return sorted(unused - table_buffers(model))


def share_identical(model: Model) -> Proposal:
    """Keeps one of all buffers with the same bytes. O(bytes), in pieces.

    Buffer 0, buffers without data, tables of compressed tensors and the buffers of variables
    stay as they are.
    """
    twins = _twins(model)
    label = "Share identical buffers"
    if not twins:
        return Proposal(label=label)
    edits: list[Edit] = [
        Set((*address, "buffer"), twins[index])
        for index, users in buffer_users(model).items()
        if index in twins
        for address in users
    ]
    with Draft(model) as draft:
        draft.do(edits)
        gone = unused_buffers(model, twins)
        size = sum(len(bytes_of(model, index)) for index in gone)
        draft.note(f"{plural(len(gone), 'buffer')} with {size:,} bytes removed.")
        draft.do(remove_items(model, "buffers", gone))
    return draft.proposal(label)


def _twins(model: Model) -> dict[int, int]:
    """Buffer index to that of an earlier one with the same bytes."""
    buffers = model.buffers or []
    used_as_variable, tables = _buffers_of_variables(model), table_buffers(model)
    by_size: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for index, buffer in enumerate(buffers):
        size = data_bytes(buffer.data)
        if index and size and index not in used_as_variable:
            by_size[size, is_outside(buffer)].append(index)
    found: dict[int, int] = {}
    for group in by_size.values():
        first: dict[bytes, int] = {}
        for index in group if len(group) > 1 else ():
            kept = first.setdefault(_digest(bytes_of(model, index)), index)
            if kept != index and index not in tables:
                found[index] = kept
    return found


def _buffers_of_variables(model: Model) -> set[int]:
    return {
        tensor.buffer
        for subgraph in model.subgraphs or []
        for tensor in subgraph.tensors or []
        if tensor.is_variable
    }


def _digest(data: memoryview) -> bytes:
    digest = hashlib.blake2b(digest_size=32)
    for start in range(0, len(data), PIECE_BYTES):
        check_cancelled()
        digest.update(data[start : start + PIECE_BYTES])
    return digest.digest()
