# SPDX-License-Identifier: Apache-2.0
"""Bytes that a table keeps behind the flatbuffer instead of in a vector.

Models over 2 GB have their weights and large custom options there, by place and size in the
file (`Buffer.offset`, `Operator.large_custom_options_offset` in schema.fbs). A table with such
bytes shows them in its `data` like any other; what makes them stand outside is an offset that
is not 0. Where that is, is decided when the model is written. LiteRT reads them; TFLM does not
look there and would work with memory that nobody has filled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tflm_studio.model.address import Address
from tflm_studio.schema.structure import Field, Table
from tflm_studio.schema.tables import Buffer, Model, Operator

PLACEHOLDER = 1  # what writers put down before they know the place; no bytes stand there


@dataclass(frozen=True, slots=True)
class OutsideFields:
    """The fields of a table that say where its bytes are."""

    data: Field
    offset: Field
    size: Field


def _fields(table: type[Table], *names: str) -> OutsideFields:
    rows = {row.name: row for row in table.FIELDS}
    return OutsideFields(*(rows[name] for name in names))


OUTSIDE: dict[type[Table], OutsideFields] = {
    Buffer: _fields(Buffer, "data", "offset", "size"),
    Operator: _fields(
        Operator,
        "custom_options",
        "large_custom_options_offset",
        "large_custom_options_size",
    ),
}


def is_outside(table: Table) -> bool:
    """Whether the bytes of a buffer or operator stand behind the flatbuffer."""
    fields = OUTSIDE[type(table)]
    return (
        getattr(table, fields.offset.name) > 0
        and getattr(table, fields.data.name) is not None
        and not is_pinned(table)
    )


def lasting_values(table: Table) -> dict[str, int]:
    """What fields of a table with bytes outside say whatever file it stands in, by name."""
    fields = OUTSIDE.get(type(table))
    if fields is None or not is_outside(table):
        return {}
    size = memoryview(getattr(table, fields.data.name)).nbytes
    return {fields.offset.name: PLACEHOLDER, fields.size.name: size}


def is_pinned(table: Table) -> bool:
    """Whether a file states both: then the vector counts, and the offset means nothing."""
    return table.extra is not None and OUTSIDE[type(table)].data.slot in table.extra.explicit


def tables_with_offset(model: Model) -> Iterator[tuple[Address, Any]]:
    """Buffers and operators that state an offset, with their addresses: hardly ever any."""
    # Without counting along it takes a third of the time, and is asked after every edit.
    buffers = model.buffers or []
    if [buffer for buffer in buffers if buffer.offset]:
        yield from ((("buffers", k), each) for k, each in enumerate(buffers) if each.offset)
    for s, subgraph in enumerate(model.subgraphs or []):
        operators = subgraph.operators or []
        stating = [each for each in operators if each.large_custom_options_offset]
        for k, each in enumerate(operators) if stating else ():
            if each.large_custom_options_offset:
                yield ("subgraphs", s, "operators", k), each


def has_outside(model: Model) -> bool:
    """Whether bytes of any buffer or operator stand behind the flatbuffer."""
    return any(is_outside(table) for _, table in tables_with_offset(model))


def outside_places(model: Model) -> list[Address]:
    """Addresses of the buffers and operators whose bytes stand behind the flatbuffer."""
    return [address for address, table in tables_with_offset(model) if is_outside(table)]
