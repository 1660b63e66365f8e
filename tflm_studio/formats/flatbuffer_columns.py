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
from tflm_studio.model.errors import WriteError
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
    numbers of all rows.
    """

    objects: list[Any] = field(default_factory=list)
    present: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    scalars: dict[int, NDArray[Any]] = field(default_factory=dict)
    links: list[TableLinks] = field(default_factory=list)
    values: list[Values] = field(default_factory=list)


def take_apart(model: Model) -> dict[type[Table], Columns]:
    """The columns of every type that the model uses, parents before children.

    Raises:
        WriteError: A value cannot be stored in its field.
    """
    found: dict[type[Table], Columns] = {Model: Columns([model])}
    for table in PARENTS_FIRST:
        if table in found:
            _gather(table, found[table], found)
    return {table: found[table] for table in PARENTS_FIRST if table in found}


def numbers(table: type[Table], row: Field, values: list[Any]) -> NDArray[Any]:
    """Values of a field as an array of its type.

    Raises:
        WriteError: A value is no number or out of the field's range.
    """
    dtype = DTYPES[row.scalar]
    try:
        with np.errstate(over="raise"):
            return np.array(values, dtype)
    except (OverflowError, FloatingPointError, TypeError, ValueError) as error:
        raise WriteError(
            f"{table.__name__}.{row.name}: a value does not fit the type {row.scalar}: {error}"
        ) from error


def _gather(table: type[Table], columns: Columns, found: dict[type[Table], Columns]) -> None:
    width = 1 + max((row.slot for row in table.FIELDS), default=-1)
    columns.present = np.zeros((len(columns.objects), width), np.bool_)
    for row in table.FIELDS:
        values = list(map(attrgetter(row.name), columns.objects))
        if row.kind is Kind.SCALAR:
            _gather_scalar(table, columns, row, values)
            continue
        rows = np.array([k for k, v in enumerate(values) if v is not None], np.int64)
        stored = [values[k] for k in rows.tolist()]
        if row.kind is Kind.UNION:
            _gather_union(table, columns, row, rows, stored, found)
            continue
        columns.present[rows, row.slot] = True
        if row.kind is Kind.TABLE:
            columns.links.append(_adopt(table, row, row.members[0], rows, stored, found))
        elif row.kind is Kind.TABLES:
            columns.links.append(_gather_vectors(table, row, rows, stored, found))
        elif stored:
            columns.values.append(Values(row, rows, stored))
    _respect_extras(table, columns)


def _gather_scalar(
    table: type[Table], columns: Columns, row: Field, values: list[Any]
) -> None:
    column = numbers(table, row, values)
    default = np.array([row.default], column.dtype)
    # Compared by bits: -0.0 and the payload of a NaN are values of their own.
    bits = f"u{column.dtype.itemsize}"
    columns.present[:, row.slot] = column.view(bits) != default.view(bits)
    columns.scalars[row.slot] = column


def _adopt(
    table: type[Table],
    row: Field,
    child: type[Table],
    rows: Positions,
    items: list[Any],
    found: dict[type[Table], Columns],
) -> TableLinks:
    wrong = next((item for item in items if type(item) is not child), None)
    if wrong is not None:
        raise WriteError(
            f"{table.__name__}.{row.name} holds a {type(wrong).__name__} where only a "
            f"{child.__name__} can stand."
        )
    children = found.setdefault(child, Columns()).objects
    start = len(children)
    children.extend(items)
    return TableLinks(row.slot, child, rows, start)


def _gather_vectors(
    table: type[Table],
    row: Field,
    rows: Positions,
    vectors: list[Any],
    found: dict[type[Table], Columns],
) -> TableLinks:
    items = [item for vector in vectors for item in vector]
    links = _adopt(table, row, row.members[0], rows, items, found)
    links.counts = np.array([len(vector) for vector in vectors], np.int64)
    return links


def _gather_union(
    table: type[Table],
    columns: Columns,
    row: Field,
    rows: Positions,
    stored: list[Any],
    found: dict[type[Table], Columns],
) -> None:
    types = np.zeros(len(columns.objects), np.uint8)
    groups: dict[type[Table], list[int]] = {}
    for k, value in zip(rows.tolist(), stored, strict=True):
        if isinstance(value, OpaqueMember) and value.offset is None:
            types[k] = value.number
        elif type(value) in row.members:
            types[k] = row.members.index(type(value)) + 1
            groups.setdefault(type(value), []).append(k)
        else:
            raise WriteError(_union_refusal(table, k, row, value))
    columns.scalars[row.slot - 1] = types
    columns.present[:, row.slot - 1] = types != 0
    for child, chosen in groups.items():
        picked = np.array(chosen, np.int64)
        columns.present[picked, row.slot] = True
        items = [getattr(columns.objects[k], row.name) for k in chosen]
        columns.links.append(_adopt(table, row, child, picked, items, found))


def _union_refusal(table: type[Table], k: int, row: Field, value: object) -> str:
    if isinstance(value, OpaqueMember):
        return (
            f"{table.__name__} {k}: its {row.name} is of kind {value.number}, which this "
            "program does not know and so cannot move to another place of the file. Only "
            "changes of values in place can be saved."
        )
    return f"{table.__name__} {k}: {row.name} cannot be a {type(value).__name__}."


def _respect_extras(table: type[Table], columns: Columns) -> None:
    for k, item in enumerate(columns.objects):
        extra = item.extra
        if extra is None:
            continue
        if extra.unknown:
            raise WriteError(
                f"{table.__name__} {k} holds field {min(extra.unknown)}, which this program "
                "does not know and so cannot move to another place of the file. Only changes "
                "of values in place can be saved."
            )
        for slot in extra.explicit:
            columns.present[k, slot] = True
