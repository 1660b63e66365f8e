# SPDX-License-Identifier: Apache-2.0
"""The five edits that change a model (`set_each` has a sixth, for very many items at once).

Everything larger is a list of them.

An edit is a value: it can be checked against a model without changing it, applied (which
returns its inverse), shown, counted and written as JSON. `Document.do` is what applies edits
while a document is open.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from tflm_studio.editing.field_values import checked, checked_item, cost_bytes, frozen
from tflm_studio.formats.snapshot import is_writable, writable
from tflm_studio.model.address import (
    Address,
    format_address,
    parent_and_field,
    parse_address,
    resolve,
)
from tflm_studio.model.comparison import same_bytes
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import name_place, plural
from tflm_studio.model.tensor_types import format_float
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import Model

LONGEST_TEXT = 48  # of a value in a label


@dataclass(frozen=True, slots=True)
class Edit(ABC):
    """One change at one address.

    Attributes:
        address: The place, as steps or as text such as `subgraphs[0].operators[3].inputs`.
    """

    address: Address

    def __post_init__(self) -> None:
        if isinstance(self.address, str):
            object.__setattr__(self, "address", parse_address(self.address))

    @abstractmethod
    def check(self, model: Model) -> None:
        """Refuses an edit that cannot be applied.

        Raises:
            EditError: Says the place and the reason; the model is as it was.
        """

    @abstractmethod
    def apply(self, model: Model) -> Edit:
        """Changes the model and returns the edit that takes it back.

        Raises:
            EditError: As `check`; the model is as it was.
        """

    def put_back(self, model: Model) -> None:
        """Applies an inverse that nobody else holds, unchecked: its tables go to the model."""
        self.apply(model)

    @abstractmethod
    def describe(self, model: Model) -> str:
        """What the edit does, for the history; the model is the one before it."""

    @property
    def cost_bytes(self) -> int:
        """About how much memory the edit takes."""
        return 128

    def changes(self, model: Model) -> bool:
        """Whether the model would differ afterwards."""
        return True

    @property
    def keeps_places(self) -> bool:
        """Whether every table stands at the same address afterwards."""
        return False

    @property
    def place(self) -> str:
        """The address as text."""
        return format_address(self.address)


@dataclass(frozen=True, slots=True)
class Set(Edit):
    """Gives a field, or one item of a list, a value; None makes an optional field absent."""

    value: Any

    def __post_init__(self) -> None:
        super(Set, self).__post_init__()
        object.__setattr__(self, "value", frozen(self.value))

    def _checked(self, model: Model) -> Any:
        return self._parent_and_checked(model)[1]

    def _parent_and_checked(self, model: Model) -> tuple[Any, Any]:
        """What holds the place, and the value as it will be kept there."""
        parent: Any
        if self.address and isinstance(self.address[-1], int):
            row, check = _vector_row(model, self.address[:-1]), checked_item
            resolve(model, self.address)
            parent = resolve(model, self.address[:-1])
        else:
            parent, row = parent_and_field(model, self.address)
            check = checked
        try:
            return parent, check(row, self.value)
        except EditError as error:
            raise EditError(f"{self.place}: {error}") from None

    def check(self, model: Model) -> None:
        self._checked(model)

    def changes(self, model: Model) -> bool:
        new, old = self._checked(model), resolve(model, self.address)
        if _holds_tables(new) or _holds_tables(old):
            return True
        if isinstance(new, (bytes, memoryview)) and old is not None:
            return not same_bytes(old, new)
        # 0.0 and -0.0 are different bits, and a NaN equals nothing.
        return type(new) is not type(old) or repr(new) != repr(old)

    def apply(self, model: Model) -> Edit:
        parent, value = self._parent_and_checked(model)
        step = self.address[-1]
        if isinstance(step, int):
            old, parent[step] = parent[step], value
        else:
            old = getattr(parent, step)
            setattr(parent, step, value)
        return inverse(Set, self.address, old)

    def describe(self, model: Model) -> str:
        old, new = resolve(model, self.address), self._checked(model)
        where = name_place(model, self.address)
        changed = _only_difference(old, new)
        if changed is not None:
            where, old, new = f"{where}[{changed}]", old[changed], new[changed]
        return f"{where} {brief_value(old)} → {brief_value(new)}"

    @property
    def keeps_places(self) -> bool:
        return not _holds_tables(self.value)

    @property
    def cost_bytes(self) -> int:
        return 128 + cost_bytes(self.value)


@dataclass(frozen=True, slots=True)
class Insert(Edit):
    """Puts an item into the list at the address, before the item that has `index` now."""

    index: int
    item: Any

    def __post_init__(self) -> None:
        super(Insert, self).__post_init__()
        object.__setattr__(self, "item", frozen(self.item))

    def check(self, model: Model) -> None:
        self._list_and_checked(model)

    def _list_and_checked(self, model: Model) -> tuple[list[Any], Any]:
        """The list, and the item as it will be kept there."""
        items = _items(self, model)
        try:
            item = checked_item(_vector_row(model, self.address), self.item)
        except EditError as error:
            raise EditError(f"{self.place}: {error}") from None
        _check_index(self, self.index, len(items) + 1)
        return items, item

    def apply(self, model: Model) -> Edit:
        items, item = self._list_and_checked(model)
        items.insert(self.index, item)
        return Remove(self.address, self.index)

    def put_back(self, model: Model) -> None:
        _items(self, model).insert(self.index, self.item)

    def describe(self, model: Model) -> str:
        place, item = name_place(model, self.address), brief_value(self.item)
        return f"{place}: insert {item} at {self.index}"

    @property
    def cost_bytes(self) -> int:
        return 128 + cost_bytes(self.item)


@dataclass(frozen=True, slots=True)
class Remove(Edit):
    """Takes an item out of the list at the address."""

    index: int

    def check(self, model: Model) -> None:
        self._checked_list(model)

    def _checked_list(self, model: Model) -> list[Any]:
        items = _items(self, model)
        _check_index(self, self.index, len(items))
        return items

    def apply(self, model: Model) -> Edit:
        items = self._checked_list(model)
        return inverse(Insert, self.address, self.index, items.pop(self.index))

    def describe(self, model: Model) -> str:
        return f"{name_place(model, self.address)}: remove item {self.index}"


@dataclass(frozen=True, slots=True)
class Move(Edit):
    """Moves an item of the list at the address; `target` is its index afterwards."""

    index: int
    target: int

    def check(self, model: Model) -> None:
        size = len(_items(self, model))
        _check_index(self, self.index, size)
        _check_index(self, self.target, size)

    def changes(self, model: Model) -> bool:
        return self.index != self.target

    def apply(self, model: Model) -> Edit:
        self.check(model)
        items = _items(self, model)
        items.insert(self.target, items.pop(self.index))
        return Move(self.address, self.target, self.index)

    def describe(self, model: Model) -> str:
        return f"{name_place(model, self.address)}: move item {self.index} to {self.target}"


@dataclass(frozen=True, slots=True)
class WriteBytes(Edit):
    """Overwrites bytes of the [ubyte] field at the address; its length stays."""

    offset: int
    data: bytes

    def __post_init__(self) -> None:
        super(WriteBytes, self).__post_init__()
        object.__setattr__(self, "data", bytes(self.data))

    def check(self, model: Model) -> None:
        _, row = parent_and_field(model, self.address)
        value = resolve(model, self.address)
        if row.kind is not Kind.BYTES or value is None:
            raise EditError(f"{self.place}: there are no bytes to overwrite.")
        size = memoryview(value).nbytes
        if not 0 <= self.offset <= size - len(self.data):
            raise EditError(
                f"{self.place}: {len(self.data)} bytes at byte {self.offset} run past the end "
                f"of the {size} bytes there."
            )

    def changes(self, model: Model) -> bool:
        return self._old(model) != self.data

    def _old(self, model: Model) -> bytes:
        self.check(model)
        view = memoryview(resolve(model, self.address)).cast("B")
        return bytes(view[self.offset : self.offset + len(self.data)])

    def apply(self, model: Model) -> Edit:
        old = self._old(model)
        parent, row = parent_and_field(model, self.address)
        value = getattr(parent, row.name)
        if not is_writable(value):
            # The first write takes the bytes out of the file they are a view of.
            value = writable(value)
            setattr(parent, row.name, value)
        value[self.offset : self.offset + len(self.data)] = self.data
        return WriteBytes(self.address, self.offset, old)

    def describe(self, model: Model) -> str:
        count = len(self.data)
        place = f"{name_place(model, self.address)}:"
        if count == 1:
            old = self._old(model)
            return f"{place} byte {self.offset} {old[0]:#04x} → {self.data[0]:#04x}"
        return f"{place} {count} bytes at byte {self.offset}"

    @property
    def keeps_places(self) -> bool:
        return True

    @property
    def cost_bytes(self) -> int:
        return 128 + len(self.data)


def inverse(kind: type[Edit], address: Address, *values: Any) -> Edit:
    """An inverse edit: takes over what the model gave up, which nobody else can change."""
    edit = object.__new__(kind)
    for name, value in zip(kind.__match_args__, (address, *values), strict=True):
        object.__setattr__(edit, name, value)
    return edit


def _vector_row(model: Model, address: Address) -> Field:
    return _parent_and_vector_row(model, address)[1]


def _parent_and_vector_row(model: Model, address: Address) -> tuple[Table, Field]:
    parent, row = parent_and_field(model, address)
    if row.kind not in (Kind.TABLES, Kind.SCALARS):
        raise EditError(f"{format_address(address)} is not a list.")
    return parent, row


def _items(edit: Edit, model: Model) -> list[Any]:
    parent, row = _parent_and_vector_row(model, edit.address)
    items = getattr(parent, row.name)
    if items is None:
        raise EditError(f"{edit.place} is absent; set it to an empty list first.")
    assert isinstance(items, list)
    return items


def _check_index(edit: Edit, index: int, size: int) -> None:
    if not 0 <= index < size:
        raise EditError(f"{edit.place}: index {index} is out of range 0 to {size - 1}.")


def _holds_tables(value: Any) -> bool:
    return isinstance(value, Table) or (
        isinstance(value, list) and any(isinstance(item, Table) for item in value)
    )


def _only_difference(old: Any, new: Any) -> int | None:
    """The one index at which two lists of numbers differ, None if it is not one."""
    if not (isinstance(old, list) and isinstance(new, list)) or len(old) != len(new):
        return None
    differing = [k for k, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    known = len(differing) == 1 and not isinstance(old[differing[0]], Table)
    return differing[0] if known else None


def brief_value(value: Any) -> str:
    """A value in a few characters, for labels and menus."""
    if value is None:
        return "absent"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{len(value)} bytes"
    if isinstance(value, Table):
        return type(value).__name__
    if isinstance(value, list) and (
        len(value) > 8 or any(isinstance(v, Table) for v in value)
    ):
        return plural(len(value), "item")
    if isinstance(value, float):
        return format_float(value) if value == np.float32(value) else repr(value)
    name = getattr(value, "name", None)
    text = name if isinstance(name, str) else repr(value)
    return text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]}…"
