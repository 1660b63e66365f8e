# SPDX-License-Identifier: Apache-2.0
"""A model taken apart into columns per table type: the mirror of the columnar scan."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from functools import cache
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.checked_bytes import Positions
from tflm_studio.formats.number_columns import flat_numbers, lengths_of, numbers
from tflm_studio.formats.scalars import DTYPES
from tflm_studio.formats.table_types import KNOWN_SLOTS, PARENTS_FIRST
from tflm_studio.formats.unknown_content import WIDEST
from tflm_studio.model.comparison import same_files, same_value
from tflm_studio.model.errors import WriteError
from tflm_studio.model.outside import OUTSIDE, PLACEHOLDER, is_outside
from tflm_studio.schema.structure import Field, Kind, OpaqueMember, Table, UnknownField
from tflm_studio.schema.tables import Model

_FLOATS = frozenset(("float", "double"))


@dataclass(slots=True)
class TableLinks:
    """A field that refers to tables: rows of the parent to a run of rows of the child.

    For a vector of tables `counts` says how many children each row has.
    """

    slot: int
    child: type[Table]
    rows: Positions
    start: int
    counts: Positions | None = None


@dataclass(slots=True)
class Values:
    """A field that refers to vectors or strings: rows and their values."""

    row: Field
    rows: Positions
    values: list[Any]


@dataclass(slots=True)
class Carried:
    """A field that leads to content of the old file: rows and byte offsets in that."""

    slot: int
    rows: list[int]
    targets: list[int]


@dataclass(slots=True)
class Columns:
    """All tables of one type.

    `present[k, slot]` says whether row `k` stores the slot; `scalars[slot]` holds the inline
    numbers of all rows; `outside` are bytes that stand behind the flatbuffer, and `carried`
    what leads to content that the schema does not know.
    """

    objects: list[Any]
    slots: InitVar[int]
    present: NDArray[np.bool_] = field(init=False)
    scalars: dict[int, NDArray[Any]] = field(default_factory=dict)
    links: list[TableLinks] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)
    outside: Values | None = None
    carried: list[Carried] = field(default_factory=list)

    def __post_init__(self, slots: int) -> None:
        self.present = np.zeros((len(self.objects), slots), np.bool_)


def take_apart(
    model: Model, *, strict: bool = True, carries: bool = False
) -> dict[type[Table], Columns]:
    """The columns of every type that the model uses, parents before children.

    Args:
        model: What to take apart; not changed.
        strict: Refuse what cannot be moved to another place of a file; for comparing, False.
        carries: Whether the old content that unknown fields lead to is carried along.

    Raises:
        WriteError: A value cannot be stored in its field.
    """
    return _Gatherer(model, strict, carries).found


class _Gatherer:
    def __init__(self, model: Model, strict: bool, carries: bool) -> None:
        self.strict = strict
        self.carries = carries
        self.found: dict[type[Table], Columns] = {}
        self.waiting: dict[type[Table], list[Any]] = {Model: [model]}
        for table in PARENTS_FIRST:
            objects = self.waiting.pop(table, None)
            if objects:
                self.found[table] = Columns(objects, KNOWN_SLOTS[table])
                self._gather(table, self.found[table])

    def _gather(self, table: type[Table], columns: Columns) -> None:
        everyone = np.arange(len(columns.objects))
        moved = _outside_fields(table, columns)
        read = table.columns(columns.objects)
        for row, values in zip(table.FIELDS, read, strict=True):
            for k, value in moved.get(row.name, ()):
                values[k] = value
            if row.kind is Kind.SCALAR:
                _gather_scalar(table, columns, row, values)
                continue
            rows = [k for k, value in enumerate(values) if value is not None]
            if len(rows) == len(values):
                self._gather_references(table, columns, row, everyone, values)
            elif rows:
                stored, some = [values[k] for k in rows], np.array(rows, np.int64)
                self._gather_references(table, columns, row, some, stored)
            elif row.kind is Kind.UNION:
                columns.scalars[row.slot - 1] = np.zeros(len(values), np.uint8)
        self._respect_extras(table, columns)

    def _gather_references(
        self,
        table: type[Table],
        columns: Columns,
        row: Field,
        rows: Positions,
        stored: list[Any],
    ) -> None:
        if row.kind is Kind.UNION:
            self._gather_union(table, columns, row, rows, stored)
            return
        _note_present(columns, rows, row.slot)
        if row.kind is Kind.TABLE:
            columns.links.append(self._adopt(table, row, row.members[0], rows, stored))
        elif row.kind is Kind.TABLES:
            columns.links.append(self._gather_vectors(table, row, rows, stored))
        else:
            columns.values.append(Values(row, rows, stored))

    def _adopt(
        self,
        table: type[Table],
        row: Field,
        child: type[Table],
        rows: Positions,
        items: list[Any],
    ) -> TableLinks:
        if not set(map(type, items)) <= {child}:
            wrong = next(item for item in items if type(item) is not child)
            raise WriteError(
                f"{table.__name__}.{row.name} holds a {type(wrong).__name__} where only a "
                f"{child.__name__} can stand."
            )
        children = self.waiting.setdefault(child, [])
        start = len(children)
        children.extend(items)
        return TableLinks(row.slot, child, rows, start)

    def _gather_vectors(
        self, table: type[Table], row: Field, rows: Positions, vectors: list[Any]
    ) -> TableLinks:
        items = [item for vector in vectors for item in vector]
        links = self._adopt(table, row, row.members[0], rows, items)
        links.counts = lengths_of(vectors)
        return links

    def _gather_union(
        self,
        table: type[Table],
        columns: Columns,
        row: Field,
        rows: Positions,
        stored: list[Any],
    ) -> None:
        number_of = _member_numbers(row)
        groups: dict[type[Table], tuple[list[int], list[Any]]] = {}
        numbers = []
        opaque: dict[int, int | None] = {}
        for k, value in zip(rows.tolist(), stored, strict=True):
            member = type(value)
            if member in number_of:
                numbers.append(number_of[member])
                chosen, items = groups.setdefault(member, ([], []))
                chosen.append(k)
                items.append(value)
            elif isinstance(value, OpaqueMember) and self._may_write(value):
                numbers.append(value.number)
                opaque[k] = value.offset
            else:
                raise WriteError(_union_refusal(table, k, row, value))
        types = columns.scalars[row.slot - 1] = np.zeros(len(columns.objects), np.uint8)
        types[rows] = numbers
        columns.present[:, row.slot - 1] = types != 0
        _note_present(columns, rows, row.slot)
        if opaque:
            leading = {k: place for k, place in opaque.items() if place is not None}
            columns.present[list(opaque.keys() - leading.keys()), row.slot] = False
            if leading:
                carried = Carried(row.slot, list(leading), list(leading.values()))
                columns.carried.append(carried)
        for child, (chosen, items) in groups.items():
            picked = np.array(chosen, np.int64)
            columns.links.append(self._adopt(table, row, child, picked, items))

    def _may_write(self, member: OpaqueMember) -> bool:
        return not self.strict or self.carries or member.offset is None

    def _may_move(self, found: UnknownField) -> bool:
        return found.is_clear and (self.carries or found.target is None)

    def _respect_extras(self, table: type[Table], columns: Columns) -> None:
        unknown: dict[int, dict[int, UnknownField]] = {}
        extras = list(map(attrgetter("extra"), columns.objects))
        if extras.count(None) == len(extras):
            return
        for k, extra in enumerate(extras):
            if extra is None:
                continue
            for slot, found in extra.unknown.items():
                if self.strict and not self._may_move(found):
                    raise WriteError(_unknown_refusal(table, k, slot))
                unknown.setdefault(slot, {})[k] = found
            for slot in extra.explicit & columns.scalars.keys():
                columns.present[k, slot] = True
        if unknown:
            _gather_unknown(columns, unknown)


def _outside_fields(table: type[Table], columns: Columns) -> dict[str, list[tuple[int, Any]]]:
    """What fields say instead, by row, where the bytes of a table stand outside.

    The place is a placeholder: it is known when everything is laid out.
    """
    fields = OUTSIDE.get(table)
    if fields is None or not any(map(attrgetter(fields.offset.name), columns.objects)):
        return {}
    rows = [k for k, item in enumerate(columns.objects) if is_outside(item)]
    data = [getattr(columns.objects[k], fields.data.name) for k in rows]
    if rows:
        columns.outside = Values(fields.data, np.array(rows, np.int64), data)
    sizes = [memoryview(item).nbytes for item in data]
    return {
        fields.data.name: [(k, None) for k in rows],
        fields.offset.name: [(k, PLACEHOLDER) for k in rows],
        fields.size.name: list(zip(rows, sizes, strict=True)),
    }


def _note_present(columns: Columns, rows: Positions, slot: int) -> None:
    """Notes that rows store a slot; naming none of all is much faster than naming all."""
    if len(rows) == len(columns.objects):
        columns.present[:, slot] = True
    else:
        columns.present[rows, slot] = True


@cache
def _member_numbers(row: Field) -> dict[type[Table], int]:
    return {member: k for k, member in enumerate(row.members, 1)}


def _gather_unknown(columns: Columns, unknown: dict[int, dict[int, UnknownField]]) -> None:
    """Fields that the schema does not know, as 8-byte numbers or as what leads somewhere."""
    height, width = columns.present.shape
    present = np.zeros((height, max(width, max(unknown) + 1)), np.bool_)
    present[:, :width] = columns.present
    columns.present = present
    for slot, fields in sorted(unknown.items()):
        present[list(fields), slot] = True
        values = np.zeros(height, np.uint64)
        leading = {k: found.target for k, found in fields.items() if found.target is not None}
        if leading:
            columns.carried.append(Carried(slot, list(leading), list(leading.values())))
        for k, found in fields.items():
            # Where an offset leads is another place in every file; what stands there is not.
            raw = found.word if k in leading else found.raw
            values[k] = int.from_bytes(raw[:WIDEST], "little")
        columns.scalars[slot] = values


def _gather_scalar(
    table: type[Table], columns: Columns, row: Field, values: list[Any]
) -> None:
    if row.scalar not in _FLOATS and values.count(row.default) == len(values):
        # Nearly all fields of nearly all tables; equal floats may have other bits.
        column = np.zeros(len(values), DTYPES[row.scalar])
        if row.default:
            column.fill(row.default)
        columns.scalars[row.slot] = column
        return
    column = columns.scalars[row.slot] = numbers(table, row, values)
    if row.scalar in _FLOATS:
        # Compared by bits: -0.0 and the payload of a NaN are values of their own.
        bits = f"u{column.dtype.itemsize}"
        default = np.array([row.default], column.dtype)
        columns.present[:, row.slot] = column.view(bits) != default.view(bits)
    else:
        # numpy takes five times as long to compare with a member of an enumeration.
        columns.present[:, row.slot] = column != int(row.default or 0)


def _unknown_refusal(table: type[Table], k: int, slot: int) -> str:
    return (
        f"{table.__name__} {k} holds field {slot}, which this program does not know and so "
        "cannot move to another place of the file. Only changes of values in place can be "
        "saved."
    )


def _union_refusal(table: type[Table], k: int, row: Field, value: object) -> str:
    if isinstance(value, OpaqueMember):
        return (
            f"{table.__name__} {k}: its {row.name} is of kind {value.number}, which this "
            "program does not know and so cannot move to another place of the file. Only "
            "changes of values in place can be saved."
        )
    return f"{table.__name__} {k}: {row.name} cannot be a {type(value).__name__}."


def same_content(a: Model, b: Model) -> bool:
    """Whether two models write the same content: fields, presence, order, files, bit for bit.

    Costs about as much as writing both; weights that are one piece of memory are not compared.

    Raises:
        WriteError: One of the models holds a value that cannot be stored.
    """
    if not same_files(a.associated_files, b.associated_files):
        return False
    first, second = take_apart(a, strict=False), take_apart(b, strict=False)
    return first.keys() == second.keys() and all(
        _same_columns(table, first[table], second[table]) for table in first
    )


def _same_columns(table: type[Table], a: Columns, b: Columns) -> bool:
    return (
        np.array_equal(a.present, b.present)
        and a.scalars.keys() == b.scalars.keys()
        and all(a.scalars[slot].tobytes() == b.scalars[slot].tobytes() for slot in a.scalars)
        and len(a.links) == len(b.links)
        and all(map(_same_links, a.links, b.links))
        and len(a.values) == len(b.values)
        and all(_same_values(table, x, y) for x, y in zip(a.values, b.values, strict=True))
        and _same_outside(table, a.outside, b.outside)
        and [(c.slot, c.rows) for c in a.carried] == [(c.slot, c.rows) for c in b.carried]
    )


def _same_outside(table: type[Table], a: Values | None, b: Values | None) -> bool:
    return a is b if a is None or b is None else _same_values(table, a, b)


def _same_links(a: TableLinks, b: TableLinks) -> bool:
    return (
        (a.slot, a.child, a.start) == (b.slot, b.child, b.start)
        and np.array_equal(a.rows, b.rows)
        and (a.counts is None) == (b.counts is None)
        and (a.counts is None or b.counts is None or np.array_equal(a.counts, b.counts))
    )


def _same_values(table: type[Table], a: Values, b: Values) -> bool:
    if a.row is not b.row or not np.array_equal(a.rows, b.rows):
        return False
    if a.row.scalar in ("float", "double"):
        return _same_floats(table, a, b)
    if a.row.kind is not Kind.BYTES and a.values == b.values:
        return True
    return all(same_value(a.row, x, y) for x, y in zip(a.values, b.values, strict=True))


def _same_floats(table: type[Table], a: Values, b: Values) -> bool:
    """Compares as stored: the field may round, and equality takes -0.0 for 0.0."""
    (flat_a, lengths_a), (flat_b, lengths_b) = (
        flat_numbers(table, v.row, v.values) for v in (a, b)
    )
    return np.array_equal(lengths_a, lengths_b) and flat_a.tobytes() == flat_b.tobytes()
