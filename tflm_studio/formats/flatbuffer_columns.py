# SPDX-License-Identifier: Apache-2.0
"""A model taken apart into columns per table type: the mirror of the columnar scan."""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.flatbuffer_scan import PARENTS_FIRST
from tflm_studio.formats.scalars import DTYPES
from tflm_studio.model.comparison import same_files, same_value
from tflm_studio.model.errors import WriteError
from tflm_studio.model.outside import OUTSIDE, PLACEHOLDER, is_outside
from tflm_studio.schema.structure import Field, Kind, OpaqueMember, Table
from tflm_studio.schema.tables import Model

Positions = NDArray[np.int64]


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
class Columns:
    """All tables of one type.

    `present[k, slot]` says whether row `k` stores the slot; `scalars[slot]` holds the inline
    numbers of all rows; `outside` are bytes that stand behind the flatbuffer.
    """

    objects: list[Any] = field(default_factory=list)
    present: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    scalars: dict[int, NDArray[Any]] = field(default_factory=dict)
    links: list[TableLinks] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)
    outside: Values | None = None


def take_apart(model: Model, *, strict: bool = True) -> dict[type[Table], Columns]:
    """The columns of every type that the model uses, parents before children.

    Args:
        model: What to take apart; not changed.
        strict: Refuse what cannot be moved to another place of a file; for comparing, False.

    Raises:
        WriteError: A value cannot be stored in its field.
    """
    return _Gatherer(model, strict).found


def numbers(table: type[Table], row: Field, values: list[Any]) -> NDArray[Any]:
    """Values of a field as an array of its type.

    Raises:
        WriteError: A value is no number or out of the field's range.
    """
    dtype = DTYPES[row.scalar]
    if dtype.kind in "iu" and any(issubclass(t, float) for t in set(map(type, values))):
        # numpy would cut the fraction off without a word.
        raise WriteError(
            f"{table.__name__}.{row.name}: a value is no whole number, as {row.scalar} needs."
        )
    try:
        with np.errstate(over="raise"):
            return np.array(values, dtype)
    except (OverflowError, FloatingPointError, TypeError, ValueError) as error:
        raise WriteError(
            f"{table.__name__}.{row.name}: a value does not fit the type {row.scalar}: {error}"
        ) from error


class _Gatherer:
    def __init__(self, model: Model, strict: bool) -> None:
        self.strict = strict
        self.found: dict[type[Table], Columns] = {table: Columns() for table in PARENTS_FIRST}
        self.found[Model].objects.append(model)
        for table, columns in self.found.items():
            if columns.objects:
                self._gather(table, columns)
        self.found = {table: part for table, part in self.found.items() if part.objects}

    def _gather(self, table: type[Table], columns: Columns) -> None:
        width = 1 + max((row.slot for row in table.FIELDS), default=-1)
        columns.present = np.zeros((len(columns.objects), width), np.bool_)
        moved = _outside_fields(table, columns)
        for row in table.FIELDS:
            values = list(map(attrgetter(row.name), columns.objects))
            for k, value in moved.get(row.name, ()):
                values[k] = value
            if row.kind is Kind.SCALAR:
                _gather_scalar(table, columns, row, values)
                continue
            rows = np.array([k for k, v in enumerate(values) if v is not None], np.int64)
            stored = [values[k] for k in rows.tolist()]
            if row.kind is Kind.UNION:
                self._gather_union(table, columns, row, rows, stored)
                continue
            columns.present[rows, row.slot] = True
            if row.kind is Kind.TABLE:
                columns.links.append(self._adopt(table, row, row.members[0], rows, stored))
            elif row.kind is Kind.TABLES:
                columns.links.append(self._gather_vectors(table, row, rows, stored))
            elif stored:
                columns.values.append(Values(row, rows, stored))
        self._respect_extras(table, columns)

    def _adopt(
        self,
        table: type[Table],
        row: Field,
        child: type[Table],
        rows: Positions,
        items: list[Any],
    ) -> TableLinks:
        wrong = next((item for item in items if type(item) is not child), None)
        if wrong is not None:
            raise WriteError(
                f"{table.__name__}.{row.name} holds a {type(wrong).__name__} where only a "
                f"{child.__name__} can stand."
            )
        children = self.found[child].objects
        start = len(children)
        children.extend(items)
        return TableLinks(row.slot, child, rows, start)

    def _gather_vectors(
        self, table: type[Table], row: Field, rows: Positions, vectors: list[Any]
    ) -> TableLinks:
        items = [item for vector in vectors for item in vector]
        links = self._adopt(table, row, row.members[0], rows, items)
        links.counts = np.array([len(vector) for vector in vectors], np.int64)
        return links

    def _gather_union(
        self,
        table: type[Table],
        columns: Columns,
        row: Field,
        rows: Positions,
        stored: list[Any],
    ) -> None:
        types = np.zeros(len(columns.objects), np.uint8)
        groups: dict[type[Table], list[int]] = {}
        opaque = []
        for k, value in zip(rows.tolist(), stored, strict=True):
            if isinstance(value, OpaqueMember) and not (self.strict and value.offset):
                types[k] = value.number
                opaque.append(k)
            elif type(value) in row.members:
                types[k] = row.members.index(type(value)) + 1
                groups.setdefault(type(value), []).append(k)
            else:
                raise WriteError(_union_refusal(table, k, row, value))
        columns.scalars[row.slot - 1] = types
        columns.present[:, row.slot - 1] = types != 0
        if not self.strict:
            members = [getattr(columns.objects[k], row.name) for k in opaque]
            columns.values.append(Values(row, np.array(opaque, np.int64), members))
        for child, chosen in groups.items():
            picked = np.array(chosen, np.int64)
            columns.present[picked, row.slot] = True
            items = [getattr(columns.objects[k], row.name) for k in chosen]
            columns.links.append(self._adopt(table, row, child, picked, items))

    def _respect_extras(self, table: type[Table], columns: Columns) -> None:
        for k, item in enumerate(columns.objects):
            extra = item.extra
            if extra is None:
                continue
            if extra.unknown and self.strict:
                raise WriteError(
                    f"{table.__name__} {k} holds field {min(extra.unknown)}, which this "
                    "program does not know and so cannot move to another place of the file. "
                    "Only changes of values in place can be saved."
                )
            for slot in extra.explicit & columns.scalars.keys():
                columns.present[k, slot] = True


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


def _gather_scalar(
    table: type[Table], columns: Columns, row: Field, values: list[Any]
) -> None:
    column = numbers(table, row, values)
    default = np.array([row.default], column.dtype)
    # Compared by bits: -0.0 and the payload of a NaN are values of their own.
    bits = f"u{column.dtype.itemsize}"
    columns.present[:, row.slot] = column.view(bits) != default.view(bits)
    columns.scalars[row.slot] = column


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
    if a.values == b.values and a.row.kind is not Kind.BYTES:
        return True
    return all(same_value(a.row, x, y) for x, y in zip(a.values, b.values, strict=True))


def _same_floats(table: type[Table], a: Values, b: Values) -> bool:
    """Compares as stored: the field may round, and equality takes -0.0 for 0.0."""
    flat_a, flat_b = ([item for value in v.values for item in value] for v in (a, b))
    stored_a, stored_b = numbers(table, a.row, flat_a), numbers(table, b.row, flat_b)
    same_lengths = list(map(len, a.values)) == list(map(len, b.values))
    return same_lengths and stored_a.tobytes() == stored_b.tobytes()
