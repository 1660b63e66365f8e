# SPDX-License-Identifier: Apache-2.0
"""The shape of schema rows: what a field is, and what every table class shares.

The classes and rows themselves are generated into `enums.py` and `tables.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any, ClassVar

NO_SLOT = -1  # the slot of a field that the flatbuffer does not hold


class Kind(Enum):
    """How a field is stored in the table and what its Python value is."""

    SCALAR = "scalar"  # inline number or bool: int, float, bool or an IntEnum member
    STRING = "string"  # str (bytes that are not UTF-8 survive as surrogate escapes) or None
    BYTES = "bytes"  # [ubyte]: bytes-like or None
    SCALARS = "scalars"  # vector of numbers: list or None
    TABLE = "table"  # Table or None
    TABLES = "tables"  # vector of tables: list or None
    UNION = "union"  # Table, OpaqueMember or None; its type field sits in the slot before


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field of a table, as the schema declares it; there is one object for each.

    Attributes:
        name: The schema's name.
        slot: Index in the vtable; for a union the slot of the value (its type is `slot - 1`).
            `NO_SLOT` for what stands outside the flatbuffer.
        kind: How it is stored.
        scalar: Schema name of the number type for `SCALAR` and `SCALARS` ("int", "float"...).
        default: Value when the slot is absent, for `SCALAR`.
        enum: Enumeration of the values, if any; unknown values stay plain `int`.
        members: Classes the value may have: one for `TABLE` and `TABLES`; for `UNION` the
            member of type number `n` at `n - 1`.
        align: `force_align` of a vector's elements in bytes, 0 if the schema sets none.
        deprecated: Marked so by the schema; kept when present, never offered.
        doc: What the field means, for people.
    """

    name: str
    slot: int
    kind: Kind
    scalar: str = ""
    default: int | float | bool | None = None
    enum: type[IntEnum] | None = None
    members: tuple[type[Table], ...] = ()
    align: int = 0
    deprecated: bool = False
    doc: str = ""


@dataclass(slots=True)
class UnknownField:
    """A field of a table in a file that this schema does not know.

    Attributes:
        place: Byte offset of the field in the file.
        raw: Its bytes there, and what stands between it and the next field.
        target: Byte offset in the file of what it leads to; None if it holds a number.
        word: The first 4 bytes of what it leads to.
        is_clear: Whether it is known which of both it is.
    """

    place: int
    raw: bytes
    target: int | None = None
    word: bytes = b""
    is_clear: bool = False


@dataclass(slots=True)
class Extra:
    """What a table of a file says beyond the values of its fields.

    Attributes:
        explicit: Slots that the file stores although they hold the default.
        unknown: Fields that this schema does not know, by slot.
    """

    explicit: frozenset[int] = field(default_factory=frozenset)
    unknown: Mapping[int, UnknownField] = field(default_factory=dict)


class Table:
    """A table of the model: plain attributes named as in the schema.

    Two tables are equal only if they are the same object; compare contents with
    `tflm_studio.model.comparison`.

    Attributes:
        FIELDS: Rows of the fields that the flatbuffer holds.
        BEHIND: Rows of the fields whose values stand behind the flatbuffer.
        ROWS: All of them: what people see, edit and compare.
    """

    __slots__ = ("extra",)

    FIELDS: ClassVar[tuple[Field, ...]] = ()
    BEHIND: ClassVar[tuple[Field, ...]] = ()
    ROWS: ClassVar[tuple[Field, ...]] = ()
    DOC: ClassVar[str] = ""

    extra: Extra | None

    def __init_subclass__(cls) -> None:
        cls.ROWS = cls.FIELDS + cls.BEHIND

    @staticmethod
    def columns(items: Sequence[Any]) -> tuple[list[Any], ...]:
        """The values of many tables of this type, one list for each of `FIELDS`.

        Generated: attributes that are named in the source are read in half the time.
        """
        return ()

    def __repr__(self) -> str:
        parts = (
            f"{row.name}={_brief(value)}"
            for row in self.ROWS
            if (value := getattr(self, row.name)) != row.default
        )
        return f"{type(self).__name__}({', '.join(parts)})"


class OpaqueMember:
    """The value of a union whose member this schema cannot read.

    Attributes:
        number: The member's type number as the file states it.
        offset: Byte offset of the member's table in the file it came from, None if absent.
    """

    __slots__ = ("number", "offset")

    def __init__(self, number: int, offset: int | None = None) -> None:
        self.number = number
        self.offset = offset

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OpaqueMember) and (self.number, self.offset) == (
            other.number,
            other.offset,
        )

    def __hash__(self) -> int:
        return hash((self.number, self.offset))

    def __repr__(self) -> str:
        return f"OpaqueMember(number={self.number}, offset={self.offset})"


def _brief(value: object) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"<{len(value)} bytes>"
    if isinstance(value, list) and len(value) > 8:
        return f"<{len(value)} items>"
    return value.name if isinstance(value, IntEnum) else repr(value)
