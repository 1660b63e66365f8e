# SPDX-License-Identifier: Apache-2.0
"""Tables as JSON values and back, exactly, driven by the rows of the schema.

A table is an object whose keys are the schema's names. An absent key is an absent field, and
an empty list is not the same; a default stands there only if the file stored it. A union is
`<field>_type`, the name of its member, and `<field>`. Bytes look as the caller decides; for
numbers see `json_numbers`. Bytes of a text that are not UTF-8 are surrogate escapes, as in the
model.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, NoReturn, TypeVar

from tflm_studio.formats.json_numbers import (
    number_from_json,
    number_to_json,
    numbers_from_json,
    numbers_to_json,
    shown,
)
from tflm_studio.formats.json_text import DoubledKey
from tflm_studio.formats.scan_limits import MAX_TABLES
from tflm_studio.model.address import Address, format_address
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.model.outside import lasting_values
from tflm_studio.schema.structure import Extra, Field, Kind, OpaqueMember, Table
from tflm_studio.schema.tables import EVERY_TABLE

BytesLike = bytes | bytearray | memoryview
PutBytes = Callable[[memoryview], object]
GetBytes = Callable[[object], BytesLike]
SomeTable = TypeVar("SomeTable", bound=Table)

_TYPE = "_type"
_NO_MEMBER = "NONE"
_MAX_NAMES = 8  # in a message


class Place(NamedTuple):
    """Where a JSON value stands.

    Attributes:
        file: What messages call the file.
        address: Keys and indices that lead to the value.
    """

    file: str
    address: Address = ()

    def refusal(self, reason: str) -> ReadError:
        """The error that says what is wrong with the value here."""
        address = format_address(self.address)
        return ReadError(": ".join(part for part in (self.file, address, reason) if part))


def table_to_json(table: Table, put_bytes: PutBytes) -> dict[str, object]:
    """A table with everything in it, as values that `json.dumps` takes.

    Args:
        table: What to write; not changed.
        put_bytes: Returns what stands for the bytes of a field; may keep them elsewhere.

    Raises:
        WriteError: A field holds what it cannot hold, or what this schema does not know.
    """
    return _TableWriter(put_bytes).table(table)


def table_from_json(
    cls: type[SomeTable],
    value: object,
    get_bytes: GetBytes,
    place: Place,
    unknown: list[str] | None = None,
    *,
    keep_defaults: bool = True,
) -> SomeTable:
    """The table that a JSON value describes.

    Args:
        cls: The table's class.
        value: What a JSON parser returned.
        get_bytes: Returns the bytes that a value stands for; raises `ReadError` with the mere
            reason if it stands for none.
        place: Where the value stands.
        unknown: Takes the places of keys that the schema does not know; they are not read.
        keep_defaults: Whether a default that is written out is one that the file stores.

    Raises:
        ReadError: The value describes no such table; says where and what can stand there.
    """
    reader = _TableReader(get_bytes, place, [] if unknown is None else unknown, keep_defaults)
    table: SomeTable = reader.table(cls, value)
    return table


class _TableWriter:
    def __init__(self, put_bytes: PutBytes) -> None:
        self.put_bytes = put_bytes
        self.steps: list[str | int] = []

    def table(self, table: Table) -> dict[str, object]:
        explicit = table.extra.explicit if table.extra is not None else frozenset()
        if table.extra is not None and table.extra.unknown:
            self._refuse(
                f"holds field {min(table.extra.unknown)}, which this program does not know "
                "and so cannot write as JSON."
            )
        found: dict[str, object] = {}
        lasting = lasting_values(table)
        for row in table.ROWS:
            value = lasting.get(row.name, getattr(table, row.name))
            if value is row.default and (value is None or row.slot not in explicit):
                continue
            self.steps.append(row.name)
            if row.kind is Kind.SCALAR:
                stated, is_default = self._number(row, value)
                if not is_default or row.slot in explicit:
                    found[row.name] = stated
            elif row.kind is Kind.UNION:
                self._union(found, row, value)
            else:
                found[row.name] = self._field(row, value)
            self.steps.pop()
        return found

    def _refuse(self, reason: str) -> NoReturn:
        raise WriteError(f"{format_address(tuple(self.steps)) or 'model'}: {reason}")

    def _number(self, row: Field, value: object) -> tuple[object, bool]:
        try:
            return number_to_json(row, value)
        except ValueError as error:
            self._refuse(f"{value!r} does not fit the type {row.scalar}: {error}.")

    def _field(self, row: Field, value: Any) -> object:
        if row.kind is Kind.TABLES:
            return [self._item(row, number, item) for number, item in enumerate(value)]
        if row.kind is Kind.SCALARS:
            return self._numbers(row, value)
        if row.kind is Kind.STRING:
            return self._text(value)
        if row.kind is Kind.BYTES:
            return self.put_bytes(self._bytes(value))
        return self._child(row, value)

    def _item(self, row: Field, number: int, item: object) -> dict[str, object]:
        self.steps.append(number)
        made = self._child(row, item)
        self.steps.pop()
        return made

    def _child(self, row: Field, value: object) -> dict[str, object]:
        if not isinstance(value, Table) or type(value) not in row.members:
            self._refuse(f"a {type(value).__name__} cannot stand here.")
        return self.table(value)

    def _union(self, found: dict[str, object], row: Field, value: object) -> None:
        if not isinstance(value, OpaqueMember):
            found[row.name + _TYPE] = type(value).__name__
            found[row.name] = self._child(row, value)
        elif value.offset is None and 0 < value.number < 256:
            # The file names the kind and has no table of it.
            known = value.number <= len(row.members)
            member = row.members[value.number - 1].__name__ if known else value.number
            found[row.name + _TYPE] = member
        else:
            self._refuse(
                f"is of kind {value.number}, which this program does not know and so cannot "
                "write as JSON."
            )

    def _numbers(self, row: Field, values: Any) -> list[Any]:
        try:
            return numbers_to_json(row, values)
        except (TypeError, ValueError) as error:
            self._refuse(f"a value does not fit the type {row.scalar}: {error}.")

    def _text(self, value: object) -> str:
        if not isinstance(value, str):
            self._refuse(f"is a {type(value).__name__}, not text.")
        try:
            value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            self._refuse(f"character {error.start + 1} of the text cannot be stored.")
        return str.__str__(value)  # of a class of its own, as numpy has one

    def _bytes(self, value: Any) -> memoryview:
        try:
            return memoryview(value).cast("B")
        except (TypeError, ValueError) as error:
            self._refuse(f"must be bytes or a contiguous array: {error}.")


class _TableReader:
    def __init__(
        self, get_bytes: GetBytes, place: Place, unknown: list[str], keep_defaults: bool
    ) -> None:
        self.get_bytes = get_bytes
        self.place = place
        self.steps: list[str | int] = []
        self.unknown = unknown
        self.keep_defaults = keep_defaults
        self.tables = 0

    def table(self, cls: type[Table], value: object) -> Any:
        stated = self._object(value, f"an object, a {cls.__name__},")
        rows = _ROWS[cls]
        fields: dict[str, Any] = {}
        explicit: list[int] = []
        for key, item in stated.items():
            row = rows.get(key)
            if row is None:
                self.unknown.append(format_address((*self._address(), _shown_key(key))))
                continue
            if item is None or row.name in fields:
                continue
            self.steps.append(key)
            if row.kind is Kind.UNION:
                fields[row.name] = self._union(row, stated)
            else:
                found = fields[row.name] = self._field(row, item)
                if row.kind is Kind.SCALAR and found == row.default:
                    explicit.append(row.slot)
            self.steps.pop()
        extra = Extra(frozenset(explicit)) if explicit and self.keep_defaults else None
        make: Any = cls
        return make(**fields, extra=extra)

    def _address(self) -> Address:
        return (*self.place.address, *self.steps)

    def _refuse(self, reason: str) -> NoReturn:
        raise Place(self.place.file, self._address()).refusal(reason)

    def _object(self, value: object, wanted: str) -> dict[str, object]:
        self.tables += 1
        self._bound_tables(0)
        if isinstance(value, DoubledKey):
            self._refuse(f"the key {shown(value.key)} stands here twice.")
        if not isinstance(value, dict):
            self._refuse(f"here stands {wanted} not {shown(value)}.")
        return value

    def _bound_tables(self, more: int) -> None:
        if self.tables + more > MAX_TABLES:
            self._refuse(
                f"with these there are more than {MAX_TABLES:,} tables; no reader of the "
                "format accepts so many."
            )

    def _field(self, row: Field, value: object) -> Any:
        if row.kind is Kind.SCALAR:
            return self._number(row, value)
        if row.kind is Kind.STRING:
            return self._text(value)
        if row.kind is Kind.BYTES:
            return self._bytes(value)
        if row.kind is Kind.TABLE:
            return self.table(row.members[0], value)
        if not isinstance(value, list):
            self._refuse(f"here stands a list, not {shown(value)}.")
        if row.kind is Kind.TABLES:
            # Before anything is made for them: a few bytes of text make a table.
            self._bound_tables(len(value))
            return self._items(partial(self.table, row.members[0]), value)
        found = numbers_from_json(row, value)
        return self._items(partial(self._number, row), value) if found is None else found

    def _items(self, read: Callable[[object], Any], values: list[object]) -> list[Any]:
        found = []
        for number, value in enumerate(values):
            self.steps.append(number)
            found.append(read(value))
            self.steps.pop()
        return found

    def _number(self, row: Field, value: object) -> Any:
        try:
            return number_from_json(row, value)
        except ValueError as error:
            self._refuse(str(error))

    def _text(self, value: object) -> str:
        if not isinstance(value, str):
            self._refuse(f"here stands text, not {shown(value)}.")
        try:
            value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError as error:
            self._refuse(f"character {error.start + 1} of the text cannot be stored.")
        return value

    def _bytes(self, value: object) -> BytesLike:
        try:
            return self.get_bytes(value)
        except ReadError as error:
            self._refuse(str(error))

    def _union(self, row: Field, stated: dict[str, object]) -> Any:
        self.steps[-1] = row.name + _TYPE
        number = self._member_number(row, stated.get(row.name + _TYPE))
        self.steps[-1] = row.name
        value = stated.get(row.name)
        if value is None:
            return OpaqueMember(number) if number else None
        if not number:
            self._refuse(f"its kind is not stated; {row.name + _TYPE} has to name it.")
        if number > len(row.members):
            self._refuse(f"this program does not know kind {number} and cannot read it.")
        return self.table(row.members[number - 1], value)

    def _member_number(self, row: Field, kind: object) -> int:
        if kind is None or kind == _NO_MEMBER:
            return 0
        names = [member.__name__ for member in row.members]
        if isinstance(kind, str) and kind in names:
            return names.index(kind) + 1
        if not isinstance(kind, int) or isinstance(kind, bool) or not 0 <= kind < 256:
            some = [*names[:_MAX_NAMES], "..."] if len(names) > _MAX_NAMES else names
            self._refuse(
                f"{shown(kind)} is not a kind of {row.name}; here stands {_NO_MEMBER}, the "
                f"name of a table ({', '.join(some)}), or a number up to 255."
            )
        return kind


def _shown_key(key: str) -> str:
    """A key as an address shows it, which may be any text in a crafted file."""
    return key if key.isidentifier() and len(key) < 80 else shown(key)


# The row that a key belongs to; two keys belong to a union.
_ROWS: dict[type[Table], dict[str, Field]] = {
    table: {row.name: row for row in table.ROWS}
    | {row.name + _TYPE: row for row in table.ROWS if row.kind is Kind.UNION}
    for table in EVERY_TABLE.values()
}
