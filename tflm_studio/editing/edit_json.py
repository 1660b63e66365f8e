# SPDX-License-Identifier: Apache-2.0
"""Edits as JSON values, exact to the bit, with their bytes put elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tflm_studio.editing.edits import Edit, Insert, Move, Remove, Set, WriteBytes
from tflm_studio.editing.set_each import SetEach
from tflm_studio.model.address import format_address, parse_address
from tflm_studio.model.errors import EditError
from tflm_studio.schema.structure import Extra, OpaqueMember, Table, UnknownField
from tflm_studio.schema.tables import EVERY_TABLE

Json = Any
PutBytes = Callable[[bytes | bytearray | memoryview], Json]
GetBytes = Callable[[Json], bytes]

_KINDS: dict[str, type[Edit]] = {
    "set": Set,
    "insert": Insert,
    "remove": Remove,
    "move": Move,
    "write": WriteBytes,
    "set each": SetEach,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def edit_to_json(edit: Edit, put: PutBytes) -> dict[str, Json]:
    """An edit as JSON.

    Args:
        edit: The edit.
        put: Puts bytes somewhere and returns a JSON value that stands for them.
    """
    fields: dict[str, Json] = {
        name: value_to_json(getattr(edit, name), put)
        for name in type(edit).__match_args__
        if name != "address"
    }
    return {**fields, "edit": _NAMES[type(edit)], "address": format_address(edit.address)}


def edit_from_json(json: Json, get: GetBytes) -> Edit:
    """The edit that `edit_to_json` wrote.

    Raises:
        EditError: It is none; nothing of what it says has been carried out.
    """
    try:
        kind: Any = _KINDS[json["edit"]]
        names = [name for name in kind.__match_args__ if name != "address"]
        values = [value_from_json(json[name], get) for name in names]
        edit: Edit = kind(parse_address(json["address"]), *values)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise EditError(f"this is not an edit: {str(json)[:80]} ({error!r})") from error
    return edit


def value_to_json(value: Any, put: PutBytes) -> Json:
    """A value of a field as JSON: tables say their class, bytes are put elsewhere."""
    if isinstance(value, Table):
        return _table_to_json(value, put)
    if isinstance(value, OpaqueMember):
        return {"opaque": [value.number, value.offset]}
    if isinstance(value, (bytes, bytearray, memoryview)):
        return {"bytes": put(value)}
    if isinstance(value, list):
        return [value_to_json(item, put) for item in value]
    if isinstance(value, bool) or value is None or isinstance(value, (str, float)):
        return value
    return int(value)


def _table_to_json(table: Table, put: PutBytes) -> dict[str, Json]:
    values = {row.name: getattr(table, row.name) for row in table.ROWS}
    json: dict[str, Json] = {
        "table": type(table).__name__,
        "fields": {name: value_to_json(value, put) for name, value in values.items()},
    }
    if table.extra is not None:
        json["explicit"] = sorted(table.extra.explicit)
        json["unknown"] = {
            slot: [
                field.place,
                field.raw.hex(),
                field.target,
                field.word.hex(),
                field.is_clear,
            ]
            for slot, field in table.extra.unknown.items()
        }
    return json


def value_from_json(json: Json, get: GetBytes) -> Any:
    """The value that `value_to_json` wrote.

    Raises:
        KeyError, TypeError, ValueError: It wrote no such thing.
    """
    if isinstance(json, list):
        return [value_from_json(item, get) for item in json]
    if not isinstance(json, dict):
        return json
    if "bytes" in json:
        return get(json["bytes"])
    if "opaque" in json:
        number, offset = json["opaque"]
        return OpaqueMember(number, offset)
    make: Any = EVERY_TABLE[json["table"]]
    fields = {name: value_from_json(value, get) for name, value in json["fields"].items()}
    extra = None
    if "explicit" in json:
        unknown = {
            int(slot): UnknownField(
                place, bytes.fromhex(raw), target, bytes.fromhex(word), is_clear
            )
            for slot, (place, raw, target, word, is_clear) in json["unknown"].items()
        }
        extra = Extra(frozenset(json["explicit"]), unknown)
    return make(**fields, extra=extra)
