# SPDX-License-Identifier: Apache-2.0
"""Where buffers and large custom options stand: inside the flatbuffer or behind it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.model.address import Address, format_address, resolve
from tflm_studio.model.errors import EditError
from tflm_studio.model.outside import (
    OUTSIDE,
    PLACEHOLDER,
    is_outside,
    is_pinned,
    outside_places,
)
from tflm_studio.schema.tables import Model


def put_inside(model: Model, places: Iterable[Address] | None = None) -> list[Edit]:
    """Brings bytes that stand behind the flatbuffer into it, where TFLM reads them.

    Args:
        model: The model that has them.
        places: Addresses of buffers and operators; all that keep bytes outside if not given.

    Raises:
        EditError: A place is neither a buffer nor an operator.
    """
    edits: list[Edit] = []
    for address in outside_places(model) if places is None else places:
        table, fields = _table_at(model, address)
        if is_outside(table):
            edits += [
                Set((*address, fields.offset.name), 0),
                Set((*address, fields.size.name), 0),
            ]
    return edits


def put_outside(model: Model, places: Iterable[Address]) -> list[Edit]:
    """Lets bytes stand behind the flatbuffer, which cannot be larger than 2 GB.

    TFLM does not read them there.

    Args:
        model: The model that has them.
        places: Addresses of buffers and operators.

    Raises:
        EditError: A place is neither a buffer nor an operator, has no bytes, or states both
            bytes and an offset, so that readers would go on to use the bytes.
    """
    edits: list[Edit] = []
    for address in places:
        table, fields = _table_at(model, address)
        data = getattr(table, fields.data.name)
        if data is None:
            raise EditError(f"{format_address(address)}: there are no bytes to move.")
        if is_pinned(table):
            raise EditError(
                f"{format_address(address)}: the file states both bytes and an offset here; "
                "readers use the bytes, so they stay where they are."
            )
        if not is_outside(table):
            edits += [
                Set((*address, fields.offset.name), PLACEHOLDER),
                Set((*address, fields.size.name), memoryview(data).nbytes),
            ]
    return edits


def _table_at(model: Model, address: Address) -> tuple[Any, Any]:
    table = resolve(model, address)
    fields = OUTSIDE.get(type(table))
    if fields is None:
        raise EditError(f"{format_address(address)} is neither a buffer nor an operator.")
    return table, fields
