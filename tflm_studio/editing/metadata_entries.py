# SPDX-License-Identifier: Apache-2.0
"""Metadata entries: a name, and bytes in a buffer."""

from __future__ import annotations

from tflm_studio.analysis.compressed_tensors import table_buffers
from tflm_studio.editing.edits import Edit, Insert, Remove, Set
from tflm_studio.editing.located import item_at
from tflm_studio.editing.placement import put_inside
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.renumbering import insert_items, remove_items
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import buffer_users
from tflm_studio.model.metadata_content import metadata_content
from tflm_studio.model.place_names import quoted
from tflm_studio.schema.tables import Buffer, Metadata, Model

MIN_RUNTIME_VERSION = "min_runtime_version"
VERSION_BYTES = 16  # of which the last is 0: LiteRT reads it as a C string


def add(model: Model, name: str, data: bytes) -> Proposal:
    """Adds an entry with a buffer of its own.

    Raises:
        EditError: There is an entry of this name, or the name is empty.
    """
    _check_name(model, name)
    with Draft(model) as draft:
        entry = Metadata(name, _add_buffer(draft, data))
        edit: Edit = Set(("metadata",), [entry])
        if model.metadata is not None:
            edit = Insert(("metadata",), len(model.metadata), entry)
        draft.do(edit)
    return draft.proposal(f"Add metadata {quoted(name)}")


def replace(model: Model, index: int, data: bytes) -> Proposal:
    """Gives an entry other bytes.

    A buffer that others use as well stays as it is: the entry gets one of its own.

    Raises:
        EditError: There is no such entry.
    """
    entry = _entry_at(model, index)
    with Draft(model) as draft:
        if _is_alone(model, index):
            draft.do(put_inside(model, [("buffers", entry.buffer)]))
            draft.do(Set(("buffers", entry.buffer, "data"), data))
        else:
            had = "others use the one it had"
            if not 0 < entry.buffer < len(model.buffers or []):
                had = f"buffer {entry.buffer} is not one for data"
            draft.note(f"The entry gets a buffer of its own; {had}.")
            draft.do(Set(("metadata", index, "buffer"), _add_buffer(draft, data)))
    return draft.proposal(f"Replace metadata {quoted(entry.name)}")


def rename(model: Model, index: int, name: str) -> Proposal:
    """Gives an entry another name, by which tools find it.

    Raises:
        EditError: There is no such entry, or another one has the name.
    """
    old = _entry_at(model, index).name
    if old == name:
        return Proposal()
    _check_name(model, name)
    edit = Set(("metadata", index, "name"), name)
    return Proposal((edit,), label=f"Rename metadata {quoted(old)} to {quoted(name)}")


def delete(model: Model, index: int) -> Proposal:
    """Removes an entry, and its buffer if nothing else uses it.

    Raises:
        EditError: There is no such entry.
    """
    entry = _entry_at(model, index)
    is_alone = _is_alone(model, index)
    with Draft(model) as draft:
        draft.do(Remove(("metadata",), index))
        if is_alone:
            draft.do(remove_items(model, "buffers", [entry.buffer]))
        else:
            draft.note(f"Buffer {entry.buffer} stays; it is not used by this entry alone.")
    return draft.proposal(f"Delete metadata {quoted(entry.name)}")


def extract(model: Model, index: int) -> bytes:
    """The bytes of an entry.

    Raises:
        EditError: There is no such entry, or its buffer does not exist.
    """
    entry = _entry_at(model, index)
    item_at(model.buffers, entry.buffer, "buffer")
    return bytes(metadata_content(model, entry))


def text_of(model: Model, index: int) -> str:
    """The text that an entry holds, without the zeros behind it.

    Raises:
        EditError: There is no such entry, or its bytes are no text.
    """
    name, data = quoted(_entry_at(model, index).name), extract(model, index)
    try:
        text = data.rstrip(b"\0").decode("utf-8")
    except UnicodeDecodeError as error:
        raise EditError(
            f"Metadata {name} is not text: byte {error.start} cannot be read as UTF-8."
        ) from None
    if "\0" in text:
        raise EditError(f"Metadata {name} is not text: byte {text.index(chr(0))} is zero.")
    return text


def edit_as_text(model: Model, index: int, text: str) -> Proposal:
    """Gives an entry that holds text another one; the length of `min_runtime_version` stays.

    Raises:
        EditError: There is no such entry, what it holds is no text, or the new one cannot be
            stored or is too long.
    """
    text_of(model, index)
    return replace(model, index, encoded(_entry_at(model, index).name or "", text))


def encoded(name: str, text: str) -> bytes:
    """Text as an entry of a name holds it.

    Raises:
        EditError: It cannot be stored, or is too long.
    """
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise EditError(f"Character {error.start + 1} of the text cannot be stored.") from None
    if name != MIN_RUNTIME_VERSION:
        return data
    if len(data) >= VERSION_BYTES:
        raise EditError(
            f"Metadata {MIN_RUNTIME_VERSION} holds {VERSION_BYTES - 1} bytes at most, such as "
            "1.14.0."
        )
    return data.ljust(VERSION_BYTES, b"\0")


def _entry_at(model: Model, index: int) -> Metadata:
    entry: Metadata = item_at(model.metadata, index, "metadata entry")
    return entry


def _check_name(model: Model, name: str) -> None:
    if not name:
        raise EditError("A metadata entry needs a name; tools find it by that.")
    if any(entry.name == name for entry in model.metadata or []):
        raise EditError(f"There is metadata {quoted(name)} already; replace its bytes.")


def _is_alone(model: Model, index: int) -> bool:
    """Whether nothing but an entry uses its buffer, which exists and is not the first."""
    buffer = (model.metadata or [])[index].buffer
    place: Address = ("metadata", index)
    return (
        0 < buffer < len(model.buffers or [])
        and buffer_users(model).get(buffer) == [place]
        and buffer not in (model.metadata_buffer or ())
        and buffer not in table_buffers(model)
    )


def _add_buffer(draft: Draft, data: bytes) -> int:
    """Adds a buffer at the end, behind the one that stands for no data."""
    model = draft.model
    new = [Buffer(data=data)] if model.buffers else [Buffer(), Buffer(data=data)]
    draft.do(insert_items(model, "buffers", len(model.buffers or []), new))
    return len(model.buffers or []) - 1
