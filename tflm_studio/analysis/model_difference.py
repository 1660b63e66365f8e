# SPDX-License-Identifier: Apache-2.0
"""What differs between two models, thing by thing and field by field.

Things are found by what they are (`aligned_models`), not by their numbers; numbers that name
the same thing in both models are no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from functools import partial
from itertools import islice
from typing import Any

from tflm_studio.analysis.difference_text import (
    ABSENT,
    Texts,
    bytes_texts,
    index_text,
    item_summary,
    list_texts,
    value_text,
)
from tflm_studio.analysis.field_comparison import INDICES, Comparison, Found, FoundKind
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.formats.tail import kept_bytes, payload_of
from tflm_studio.model.address import Address, format_address
from tflm_studio.model.comparison import same_bytes
from tflm_studio.model.errors import WriteError
from tflm_studio.model.field_text import item_text
from tflm_studio.model.index_references import IndexField
from tflm_studio.model.place_names import plural
from tflm_studio.schema.structure import Field, Kind
from tflm_studio.schema.tables import Model

BEHIND = "bytes outside the flatbuffer"


class DifferenceKind(Enum):
    """What became of a place from the first model to the second."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    MOVED = "moved"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between two models.

    Attributes:
        kind: What became of it, from the first model to the second.
        first: Its address in the first model; None for what was inserted.
        second: Its address in the second model; None for what was removed.
        old: What the first model has there, in words.
        new: What the second model has there, in words.
        note: What there is to say about both, such as how many bytes differ.
        near: A place of the first model: the same, or what stands where something came.
    """

    kind: DifferenceKind
    first: Address | None
    second: Address | None
    old: str
    new: str
    note: str = ""
    near: Address = ()

    @property
    def address(self) -> str:
        """Where it is, as text: in the first model, or in the second if it is only there."""
        place = self.second if self.first is None else self.first
        return format_address(place or ()) or "model"

    def describe(self) -> str:
        """The difference in a line."""
        if self.kind is DifferenceKind.REMOVED:
            return f"{self.address}: removed: {self.old}"
        if self.kind is DifferenceKind.INSERTED:
            return f"{self.address}: inserted: {self.new}"
        note = f" ({self.note})" if self.note else ""
        moved = "moved: " if self.kind is DifferenceKind.MOVED else ""
        return f"{self.address}: {moved}{self.old} → {self.new}{note}"

    def as_json(self) -> dict[str, str | None]:
        """The difference as plain values."""
        places = self.first, self.second
        first, second = (None if at is None else format_address(at) for at in places)
        return {
            "kind": self.kind.value,
            "first": first,
            "second": second,
            "old": self.old,
            "new": self.new,
            "note": self.note,
        }


def differences(first: Model, second: Model, limit: int | None = None) -> Iterator[Difference]:
    """What differs between two models, in the order of the first.

    Things of both models are the same one if they have the same name, make the same tensor or
    hold the same bytes; others are removed or inserted. An index that names the same thing in
    both is no difference, nor is how the files are laid out: at which byte something stands,
    and whether a value is stored or left to be the default.

    Args:
        first: A model.
        second: Another one.
        limit: The most that are wanted.
    """
    found = Comparison(first, second, limit).found()
    every = (_in_words(first, second, each) for each in found)
    yield from islice(_with_outside(first, second, every), limit)


def _in_words(first: Model, second: Model, found: Found) -> Difference:
    kind, texts = DifferenceKind[found.kind.name], Texts("", "")
    if found.kind is FoundKind.REMOVED:
        texts = Texts(item_summary(first, found.first or (), found.old), "")
    elif found.kind is FoundKind.INSERTED:
        texts = Texts("", item_summary(second, found.second or (), found.new))
    elif found.kind is FoundKind.MOVED:
        texts = Texts(f"at {found.old}", f"at {found.new}")
    elif found.slot is not None:
        note = f"slot {found.slot}, which the schema does not know"
        texts = bytes_texts(found.old, found.new)._replace(note=note)
    elif found.row is not None:
        texts = _field_texts(first, second, found, found.row)
    near = found.near if found.first is None else found.first
    return Difference(kind, found.first, found.second, *texts, near=near)


def _field_texts(first: Model, second: Model, found: Found, row: Field) -> Texts:
    values = found.old, found.new
    if row.kind is Kind.BYTES:
        return bytes_texts(*values)
    texts = [
        partial(_item_text, model, row, INDICES.get((found.table, row.name)), subgraph_index)
        for model, subgraph_index in zip((first, second), found.subgraphs, strict=True)
    ]
    if row.kind is Kind.SCALARS:
        return list_texts(*values, texts)
    return Texts(*(text(value) for text, value in zip(texts, values, strict=True)))


def _item_text(
    model: Model, row: Field, field: IndexField | None, subgraph_index: int, value: Any
) -> str:
    """A value of a field, or one number of its list."""
    if field is not None:
        return index_text(model, field, subgraph_index, value)
    return item_text(row, value) if row.kind is Kind.SCALARS else value_text(row, value)


def _with_outside(
    first: Model, second: Model, found: Iterator[Difference]
) -> Iterator[Difference]:
    yield from found
    payloads = [_payload(model) for model in (first, second)]
    if same_bytes(*payloads):
        return
    # What stands behind one flatbuffer may stand in the middle of another, at the same place.
    old, new = (_kept(model) for model in (first, second))
    if old != new:
        shown = [sum(len(data) for _, data in kept) for kept in (old, new)]
        before, after = (plural(size, "byte") if size else ABSENT for size in shown)
        yield Difference(DifferenceKind.CHANGED, (), (), before, after, BEHIND)


def _payload(model: Model) -> Any:
    origin = model.extra
    return payload_of(origin) if isinstance(origin, Origin) else b""


def _kept(model: Model) -> list[tuple[int, bytes]]:
    """Bytes outside the flatbuffer with their places, without the padding around them."""
    origin = model.extra
    if not isinstance(origin, Origin):
        return []
    try:
        kept = [(each.at, bytes(each.data)) for each in kept_bytes(origin)]
    except WriteError:  # it could not be laid out anew, but it can be looked at
        kept = [(origin.end, bytes(payload_of(origin)))]
    found = []
    for at, data in kept:
        bare = data.lstrip(b"\0")
        found.append((at + len(data) - len(bare), bare.rstrip(b"\0")))
    return found
