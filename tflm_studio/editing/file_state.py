# SPDX-License-Identifier: Apache-2.0
"""What the file of a document says where the document says something else by now.

The history knows the way from the present state to the one in the file: what undoes the steps
since, or redoes those taken back. A table is followed along this way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tflm_studio.editing.edits import Edit, Insert, Move, Remove, Set, WriteBytes
from tflm_studio.editing.history import History
from tflm_studio.editing.set_each import SetEach
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.comparison import differences, same_value
from tflm_studio.model.graph import data_bytes
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import Model

MOST_COMPARED_BYTES = 2**16  # more are taken for changed once they were set


@dataclass(slots=True)
class FileState:
    """How a table differs from what the file has.

    Attributes:
        values: For each field that differs as a whole, what the file has.
        inside: Fields that differ somewhere inside.
        is_new: Whether the file has no such table.
    """

    values: dict[str, Any] = field(default_factory=dict)
    inside: set[str] = field(default_factory=set)
    is_new: bool = False


def file_state(model: Model, history: History, address: Address) -> FileState:
    """How the table at an address differs from the file. O(edits since the last save).

    Nothing is said to differ if the history no longer reaches the state in the file.
    """
    table = find_address(model, address)
    way = _way_to_file(history)
    if not isinstance(table, Table) or way is None:
        return FileState()
    trace = _Trace(table, address)
    for edit in way:
        trace.follow(edit)
        if trace.state.is_new:
            return trace.state
    state = trace.state
    for row in table.ROWS:
        if row.name in state.values and _is_as_in_file(
            row, getattr(table, row.name), state.values[row.name]
        ):
            del state.values[row.name]
    state.inside -= state.values.keys()
    return state


def _way_to_file(history: History) -> Iterator[Edit] | None:
    clean = history.clean_position
    if clean is None:
        return None
    done = reversed(history.steps[clean : history.position])
    undone = history.steps[history.position : clean]
    back = (edit for step in done for edit in reversed(step.inverses))
    return back if clean <= history.position else (e for step in undone for e in step.edits)


class _Trace:
    """One table on the way to the file: where it stands, and which fields changed on it."""

    def __init__(self, table: Table, address: Address) -> None:
        self.table, self.address = table, address
        self.state = FileState()

    def follow(self, edit: Edit) -> None:
        """Takes one edit of the way."""
        place, own = edit.address, len(self.address)
        if place[:own] == self.address and len(place) > own:
            self._change_field(edit, str(place[own]), place[own + 1 :])
        elif self.address[: len(place)] == place:
            self._change_above(edit, self.address[len(place) :])

    def _change_field(self, edit: Edit, name: str, rest: Address) -> None:
        state = self.state
        if isinstance(edit, Set) and not rest:
            state.values[name] = edit.value
            state.inside.discard(name)
            return
        value: Any = state.values.get(name, getattr(self.table, name, None))
        if isinstance(edit, WriteBytes) or not _is_plain_list(value):
            state.inside.add(name)
            return
        state.values[name] = _applied(edit, rest, value)

    def _change_above(self, edit: Edit, inner: Address) -> None:
        if isinstance(edit, Set):
            self._replace(_inside(edit.value, inner))
        elif isinstance(edit, SetEach):
            if len(inner) == 1 and inner[0] in edit.items:
                self.state.values[edit.field] = edit.values[edit.items.index(int(inner[0]))]
        elif inner and isinstance(inner[0], int):
            self._shift(edit, inner[0], len(edit.address))

    def _replace(self, value: Any) -> None:
        if type(value) is not type(self.table):
            self.state.is_new = True
            return
        self.state.values = {row.name: getattr(value, row.name) for row in value.ROWS}
        self.state.inside.clear()

    def _shift(self, edit: Edit, index: int, step: int) -> None:
        if isinstance(edit, Remove) and edit.index == index:
            self.state.is_new = True
        elif isinstance(edit, Remove):
            index -= edit.index < index
        elif isinstance(edit, Insert):
            index += edit.index <= index
        elif isinstance(edit, Move) and edit.index == index:
            index = edit.target
        elif isinstance(edit, Move):
            index += (edit.target <= index) - (edit.index <= index)
        self.address = (*self.address[:step], index, *self.address[step + 1 :])


def _inside(value: Any, inner: Address) -> Any:
    for step in inner:
        if isinstance(step, int):
            known = isinstance(value, list) and step < len(value)
            value = value[step] if known else None
        else:
            value = getattr(value, step, None)
    return value


def _is_plain_list(value: Any) -> bool:
    return isinstance(value, list) and not any(isinstance(item, Table) for item in value)


def _applied(edit: Edit, rest: Address, value: list[Any]) -> list[Any]:
    """A list of numbers after an edit to it or to one of them."""
    items = list(value)
    if isinstance(edit, Set):
        items[int(rest[0])] = edit.value
    elif isinstance(edit, Insert):
        items.insert(edit.index, edit.item)
    elif isinstance(edit, Remove):
        del items[edit.index]
    elif isinstance(edit, Move):
        items.insert(edit.target, items.pop(edit.index))
    return items


def _is_as_in_file(row: Field, now: Any, before: Any) -> bool:
    if (
        row.kind is Kind.BYTES
        and max(data_bytes(now), data_bytes(before)) > MOST_COMPARED_BYTES
    ):
        return now is before
    if isinstance(now, Table) and isinstance(before, Table):
        return not any(differences(now, before))
    if row.kind is Kind.TABLES and now and before and len(now) == len(before):
        return not any(any(differences(a, b)) for a, b in zip(now, before, strict=True))
    return same_value(row, now, before)
