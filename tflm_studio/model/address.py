# SPDX-License-Identifier: Apache-2.0
"""Addresses: how a place in a model is written, such as `subgraphs[0].operators[3].inputs`.

An address is a tuple of field names and indices. Its text form is what edits, messages, the
command line and the recovery journal show.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from tflm_studio.model.errors import EditError
from tflm_studio.schema.structure import Field, Table
from tflm_studio.schema.tables import EVERY_TABLE, Model

Address = tuple[str | int, ...]

_STEP = re.compile(r"\.?([A-Za-z_][A-Za-z0-9_]*)|\[([0-9]{1,10})\]")


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address:
    """The steps of an address; the empty text is the model itself.

    Raises:
        EditError: The text is not an address.
    """
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (at == 0) != (text[at] not in ".["):
            raise EditError(
                f"'{text}' is not an address: character {at + 1} cannot be read. An address "
                "looks like subgraphs[0].operators[3].builtin_options.stride_w"
            )
        name, index = match.groups()
        steps.append(name if name is not None else int(index))
        at = match.end()
    return tuple(steps)


def format_address(address: Address) -> str:
    """The text form of an address."""
    text = ""
    for step in address:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def find_field(table: type[Table], name: str) -> Field | None:
    """The row of a field, or None if the table has no such field."""
    return _ROWS.get((table, name))


_ROWS: dict[tuple[type[Table], str], Field] = {
    (table, row.name): row for table in EVERY_TABLE.values() for row in table.ROWS
}


def resolve(model: Model, address: Address) -> Any:
    """The value at an address.

    Raises:
        EditError: There is nothing at this place; says how far the address leads.
    """
    value: Any = model
    for depth, step in enumerate(address):
        # As few calls as can be: renumbering resolves tens of thousands of addresses.
        if isinstance(step, int):
            if value.__class__ is not list or not 0 <= step < len(value):
                raise EditError(_nothing_there(address, depth, value))
            value = value[step]
        elif (value.__class__, step) in _ROWS:
            value = getattr(value, step)
        else:
            raise EditError(_nothing_there(address, depth, value))
    return value


def find_address(model: Model, address: Address) -> Any:
    """The value at an address, None if there is nothing."""
    try:
        return resolve(model, address)
    except EditError:
        return None


def _nothing_there(address: Address, depth: int, value: Any) -> str:
    whole, step = format_address(address), address[depth]
    above = format_address(address[:depth]) or "the model"
    if value is None:
        return f"{whole}: {above} is absent."
    if isinstance(step, int) and isinstance(value, list):
        return f"{whole}: {above} has {len(value)} items, so index {step} is out of range."
    if isinstance(step, str) and isinstance(value, Table):
        return f"{whole}: {type(value).__name__} has no field '{step}'."
    return f"{whole}: {above} has nothing called '{step}'."


def parent_and_field(model: Model, address: Address) -> tuple[Table, Field]:
    """The table that holds the field an address ends with, and the field's row.

    Raises:
        EditError: The address does not end with a field of a table.
    """
    if not address or not isinstance(address[-1], str):
        raise EditError(f"'{format_address(address)}' does not name a field of a table.")
    parent = resolve(model, address[:-1])
    row = find_field(type(parent), address[-1]) if isinstance(parent, Table) else None
    if row is None:
        raise EditError(_nothing_there(address, len(address) - 1, parent))
    return parent, row
