# SPDX-License-Identifier: Apache-2.0
"""Compares the fields of two models, a column of like fields at a time.

One by one, the fields of 20,000 operators and 60,000 tensors take seconds; lists of them are
compared at once, and looked into only where they differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from itertools import islice
from operator import attrgetter
from typing import Any, NamedTuple

from tflm_studio.analysis.aligned_models import AlignedModels, align_items
from tflm_studio.analysis.list_alignment import GONE, Alignment
from tflm_studio.analysis.unequal_values import lasting_column, unequal
from tflm_studio.model.address import Address
from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.model.index_references import INDEX_FIELDS, IndexField, Space
from tflm_studio.model.outside import OUTSIDE
from tflm_studio.schema.structure import NO_SLOT, Field, Kind, OpaqueMember, Table
from tflm_studio.schema.tables import Model

INDICES: dict[tuple[type[Table], str], IndexField] = {
    (field.table, field.name): field for field in INDEX_FIELDS
}
# Lists whose items are compared one by one, because each has tensors of its own.
_WITH_TENSORS = frozenset(("subgraphs", "signature_defs"))

Places = tuple[Address, Address]  # in the first model and in the second
Where = Callable[[int], Places]


class FoundKind(Enum):
    """What a difference is."""

    CHANGED = 0
    REMOVED = 1
    INSERTED = 2
    MOVED = 3


class Found(NamedTuple):
    """A difference before it is put into words.

    Attributes:
        order: What sorts differences within a list.
        kind: What it is.
        first: Where it is in the first model, None if nowhere.
        second: Where it is in the second model, None if nowhere.
        old: What the first model has there.
        new: What the second model has there.
        table: The class with the field.
        row: The field, None if it is no field.
        subgraphs: In whose tensors indices count, in each model.
        near: For what was inserted, a place of the first model nearby.
        slot: The field, if the schema does not know it.
    """

    order: tuple[int, ...]
    kind: FoundKind
    first: Address | None
    second: Address | None
    old: Any
    new: Any
    table: type[Table] = Table
    row: Field | None = None
    subgraphs: tuple[int, int] = (0, 0)
    near: Address = ()
    slot: int | None = None


class _Batch(NamedTuple):
    """Tables of one class, side by side."""

    first: Sequence[Any]
    second: Sequence[Any]
    where: Where
    subgraphs: tuple[int, int] = (-1, -1)

    def below(self, numbers: list[int], name: str) -> Where:
        """Where the values of a field of some of the tables are."""
        where = self.where

        def places(number: int) -> Places:
            first, second = where(numbers[number])
            return (*first, name), (*second, name)

        return places


class Comparison:
    """Compares two models.

    Args:
        first: A model.
        second: Another one.
        limit: How many differences are wanted at most.
    """

    def __init__(self, first: Model, second: Model, limit: int | None = None) -> None:
        self._first, self._second = first, second
        self._limit = limit
        self._aligned = AlignedModels(first, second)

    def found(self) -> Iterator[Found]:
        """All differences, in the order of the first model."""
        root = _Batch([self._first], [self._second], lambda _: ((), ()))
        for position, row in enumerate(Model.ROWS):
            yield from sorted(self._field(root, position, row), key=attrgetter("order"))
        yield from _unknown_fields(root)

    def _tables(self, batch: _Batch) -> list[Found]:
        """Differences of tables of one class, sorted."""
        check_cancelled()
        found: list[Found] = []
        for position, row in enumerate(type(batch.first[0]).ROWS if batch.first else ()):
            found += self._field(batch, position, row)
        found += _unknown_fields(batch)
        found.sort(key=attrgetter("order"))
        return found

    def _field(self, batch: _Batch, position: int, row: Field) -> Iterator[Found]:
        """Differences in a field of several tables, at most as many as are wanted."""
        value = attrgetter(row.name)
        columns = list(map(value, batch.first)), list(map(value, batch.second))
        if row.kind is Kind.TABLES:
            found = self._lists(batch, position, row, *columns)
        elif row.kind in (Kind.TABLE, Kind.UNION):
            nested = self._nested(batch, position, row, *columns)
            found = iter(sorted(nested, key=attrgetter("order")))
        else:
            unequal = self._unequal(batch, row, *columns)
            found = (_changed(batch, k, position, row, *columns) for k in unequal)
        return islice(found, self._limit)

    # ------------------------------------------------------------------ plain fields

    def _unequal(
        self, batch: _Batch, row: Field, first: list[Any], second: list[Any]
    ) -> Iterator[int]:
        """Which of two columns differ."""
        table = type(batch.first[0])
        first = self._translated(table, row, first, batch.subgraphs[0])
        if table in OUTSIDE and row.kind is Kind.SCALAR and (any(first) or any(second)):
            first = lasting_column(batch.first, row, first)
            second = lasting_column(batch.second, row, second)
        return unequal(row, first, second)

    def _translated(
        self, table: type[Table], row: Field, values: list[Any], subgraph_index: int
    ) -> list[Any]:
        """Indices of the first model as those of the same things in the second."""
        field = INDICES.get((table, row.name))
        alignment = self._alignment(field, subgraph_index) if field is not None else None
        if alignment is None or alignment.is_plain:
            return values
        to = alignment.partner
        if row.kind is Kind.SCALARS:
            return [None if v is None else list(map(to, v)) for v in values]
        return list(map(to, values))

    def _alignment(self, field: IndexField, subgraph_index: int) -> Alignment | None:
        if field.space is Space.TENSORS:
            return self._aligned.tensors(subgraph_index)
        return self._aligned.lists.get((field.space.value,))

    # ------------------------------------------------------------------ tables inside

    def _nested(
        self, batch: _Batch, position: int, row: Field, first: list[Any], second: list[Any]
    ) -> Iterator[Found]:
        alike, others = _alike(first, second)
        for k in others:
            if not _same_opaque(first[k], second[k]):
                yield _changed(batch, k, position, row, first, second)
        for numbers in alike:
            inner = _Batch(
                [first[k] for k in numbers],
                [second[k] for k in numbers],
                batch.below(numbers, row.name),
                batch.subgraphs,
            )
            for each in self._tables(inner):
                number, *rest = each.order
                yield each._replace(order=(numbers[number], position, *rest))

    def _lists(
        self, batch: _Batch, position: int, row: Field, first: list[Any], second: list[Any]
    ) -> Iterator[Found]:
        for k, (a, b) in enumerate(zip(first, second, strict=True)):
            if a is b or (not a and not b and (a is None) == (b is None)):
                continue
            if row.slot == NO_SLOT:  # no list of files is the same as an empty one
                a, b = a or [], b or []
            if a is None or b is None:
                yield _changed(batch, k, position, row, first, second)
                continue
            places = batch.below([k], row.name)(0)
            for each in self._items(row.name, a, b, places, batch.subgraphs):
                yield each._replace(order=(k, position, *each.order))

    def _items(
        self,
        name: str,
        first: list[Any],
        second: list[Any],
        places: Places,
        s: tuple[int, int],
    ) -> list[Found]:
        """Differences of two lists, sorted."""
        alignment = self._aligned.lists.get(places[0]) or align_items(first, second)
        here, there = alignment.common
        found = []
        if not alignment.is_plain or alignment.inserted:
            found = _comings_and_goings(alignment, first, second, places)

        def where(k: int) -> Places:
            return (*places[0], here[k]), (*places[1], there[k])

        if name in _WITH_TENSORS:
            batches = [
                _Batch([first[i]], [second[j]], _only(where, k), self._own(name, i, j))
                for k, (i, j) in enumerate(alignment.pairs)
            ]
        else:
            items = [first[i] for i in here], [second[j] for j in there]
            batches = [_Batch(*items, where, s)]
        for start, batch in enumerate(batches):
            for each in self._tables(batch):
                number, *rest = each.order
                found.append(each._replace(order=(here[start + number], 0, *rest)))
        found.sort(key=attrgetter("order"))
        return found[: self._limit]

    def _own(self, name: str, i: int, j: int) -> tuple[int, int]:
        """The subgraphs whose tensors a subgraph or signature names."""
        if name == "subgraphs":
            return i, j
        signatures = (
            (self._first.signature_defs or [])[i],
            (self._second.signature_defs or [])[j],
        )
        return signatures[0].subgraph_index, signatures[1].subgraph_index


def _only(where: Where, k: int) -> Where:
    """The place of the only table of a batch."""
    return lambda _: where(k)


def _alike(first: list[Any], second: list[Any]) -> tuple[list[list[int]], list[int]]:
    """Numbers of the tables of each class on both sides, and of what is something else."""
    kinds, others = list(map(type, first)), list(map(type, second))
    classes = {kind for kind in set(kinds) if issubclass(kind, Table)}
    if len(set(kinds)) == 1 and kinds == others and kinds[0] is not OpaqueMember:
        return ([list(range(len(kinds)))] if classes else []), []
    found: dict[type, list[int]] = {kind: [] for kind in classes}
    rest = []
    for k, (kind, other) in enumerate(zip(kinds, others, strict=True)):
        if kind is other and kind in found:
            found[kind].append(k)
        elif first[k] is not second[k]:
            rest.append(k)
    return list(filter(None, found.values())), rest


def _changed(
    batch: _Batch, k: int, position: int, row: Field, first: list[Any], second: list[Any]
) -> Found:
    places = batch.where(k)
    return Found(
        (k, position),
        FoundKind.CHANGED,
        (*places[0], row.name),
        (*places[1], row.name),
        first[k],
        second[k],
        type(batch.first[0]),
        row,
        batch.subgraphs,
    )


def _comings_and_goings(
    alignment: Alignment, first: list[Any], second: list[Any], places: Places
) -> list[Found]:
    """What was removed, moved and inserted."""
    found = []
    for i, j in enumerate(alignment.partners):
        here, there = (*places[0], i), (*places[1], j)
        if j == GONE:
            found.append(Found((i, 0), FoundKind.REMOVED, here, None, first[i], None))
        elif i in alignment.moved:
            found.append(Found((i, -1), FoundKind.MOVED, here, there, i, j))
    before = _predecessors(alignment, len(second)) if alignment.inserted else []
    for j in alignment.inserted:
        i = before[j]
        near: Address = (*places[0], min(i + 1, len(first) - 1)) if first else places[0]
        order, there = (i, 1, j), (*places[1], j)
        found.append(Found(order, FoundKind.INSERTED, None, there, None, second[j], near=near))
    return found


def _predecessors(alignment: Alignment, count: int) -> list[int]:
    """For each item of the second list, the item of the first that stands before it."""
    before = [-1] * count
    for i, j in alignment.pairs:
        if i not in alignment.moved:
            before[j] = i
    for j in range(1, count):
        before[j] = max(before[j], before[j - 1])
    return before


def _unknown_fields(batch: _Batch) -> Iterator[Found]:
    """Differences in fields that the schema does not know, as far as can be told.

    Where such a field leads depends on the file; only the beginning of it is compared.
    """
    extra = attrgetter("extra")
    if not any(map(extra, batch.first)) and not any(map(extra, batch.second)):
        return
    for k, (a, b) in enumerate(zip(batch.first, batch.second, strict=True)):
        first = a.extra.unknown if a.extra is not None else {}
        second = b.extra.unknown if b.extra is not None else {}
        for slot in sorted({*first, *second}) if first or second else ():
            old, new = (
                None if field is None else field.raw if field.target is None else field.word
                for field in (first.get(slot), second.get(slot))
            )
            if old != new:
                here, there = batch.where(k)
                order, kind = (k, len(type(a).ROWS), slot), FoundKind.CHANGED
                yield Found(order, kind, here, there, old, new, type(a), slot=slot)


def _same_opaque(a: Any, b: Any) -> bool:
    """Whether two members of unknown kinds may be the same, wherever they stand."""
    return isinstance(a, OpaqueMember) and isinstance(b, OpaqueMember) and a.number == b.number
