# SPDX-License-Identifier: Apache-2.0
"""Copies of models that depend on no file any more."""

from __future__ import annotations

from collections.abc import Iterator

from tflm_studio.editing.field_values import copied
from tflm_studio.editing.history import apply_all
from tflm_studio.editing.placement import put_inside
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import name_place, plural
from tflm_studio.schema.structure import Kind, OpaqueMember, Table
from tflm_studio.schema.tables import Model


def private_copy(model: Model) -> Model:
    """A copy of a model that shares nothing that can change; it still belongs to its file.

    Raises:
        EditError: A field holds what it cannot hold.
    """
    made: Model = copied(model)
    return made


def set_free(copy: Model) -> list[str]:
    """Makes a copy independent of the file it came from.

    Args:
        copy: Is changed: bytes behind the flatbuffer come into it, associated files go, and
            so does what the schema does not know.

    Returns:
        A sentence for each thing that went.

    Raises:
        EditError: Options of an operator are of a kind that the schema does not know.
    """
    notes = []
    if copy.associated_files:
        count = plural(len(copy.associated_files), "associated file")
        notes.append(f"{count} stayed behind.")
    copy.associated_files = None
    apply_all(copy, tuple(put_inside(copy)))
    unknown = 0
    for address, table in _tables(copy):
        for row in table.FIELDS:
            if isinstance(getattr(table, row.name), OpaqueMember):
                where = name_place(copy, (*address, row.name))
                raise EditError(
                    f"{where} is of a kind that this schema does not know, and cannot be "
                    "taken to another model."
                )
        unknown += len(table.extra.unknown) if table.extra is not None else 0
        table.extra = None
    if unknown:
        notes.append(f"{plural(unknown, 'field')} of a newer schema stayed behind.")
    return notes


def _tables(table: Table, address: Address = ()) -> Iterator[tuple[Address, Table]]:
    yield address, table
    for row in table.FIELDS:
        if row.kind not in (Kind.TABLE, Kind.TABLES, Kind.UNION):
            continue
        value = getattr(table, row.name)
        if isinstance(value, Table):
            yield from _tables(value, (*address, row.name))
        elif row.kind is Kind.TABLES:
            for index, item in enumerate(value or ()):
                yield from _tables(item, (*address, row.name, index))
