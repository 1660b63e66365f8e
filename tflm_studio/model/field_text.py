# SPDX-License-Identifier: Apache-2.0
"""Numbers of fields as text that people read and type, exact both ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.tensor_types import format_float
from tflm_studio.schema.structure import Field

LONGEST_QUOTE = 40
FLOATS = frozenset(("float", "double"))
_TRUTHS = {"true": True, "false": False, "1": True, "0": False}


def item_text(row: Field, value: Any) -> str:
    """One number: a float in its shortest exact form, an enumeration value by name."""
    if row.scalar == "bool":
        return "true" if value else "false"
    if row.scalar in FLOATS:
        return format_float(value) if row.scalar == "float" else repr(float(value))
    return value.name if isinstance(value, IntEnum) else str(int(value))


def read_item(row: Field, text: str) -> Any:
    """The number that a text stands for; whether the field can hold it is not checked.

    Raises:
        EditError: The text is no number, or no name of the enumeration.
    """
    bare = text.strip()
    if row.scalar == "bool":
        if bare.lower() not in _TRUTHS:
            raise EditError(f"'{excerpt(bare, LONGEST_QUOTE)}' is neither true nor false.")
        return _TRUTHS[bare.lower()]
    if row.scalar in FLOATS:
        return read_float(bare)
    if row.enum is not None and bare in row.enum.__members__:
        return row.enum[bare]
    return parse_whole_number(bare)


def list_text(row: Field, values: Sequence[Any]) -> str:
    """Numbers with spaces between."""
    return " ".join(item_text(row, value) for value in values)


def read_list(row: Field, text: str) -> list[Any]:
    """Numbers parted by spaces, commas, semicolons or line ends.

    Raises:
        EditError: One of them is no number.
    """
    words = re.split(r"[\s,;]+", text.strip().strip("[]{}"))
    return [read_item(row, word) for word in words if word]


def read_each(read: Callable[[str], Any], text: str) -> list[Any]:
    """Numbers in a text, each read by a function; commas, semicolons or blanks between them.

    Raises:
        EditError: There is none, or one cannot be read.
    """
    found = [read(part) for part in text.replace(";", ",").replace(",", " ").split()]
    if not found:
        raise EditError("a number is needed.")
    return found


def read_float(text: str) -> float:
    """A real number, also with a decimal comma.

    Raises:
        EditError: The text is something else.
    """
    bare = text.strip().replace("\N{MINUS SIGN}", "-")
    try:
        return float(bare.replace(",", "."))
    except ValueError:
        raise EditError(f"'{excerpt(text, LONGEST_QUOTE)}' is not a number.") from None


def parse_whole_number(text: str) -> int:
    """A whole number that a person typed, also as 0x..., 0b... or 0o....

    Raises:
        EditError: The text is something else, or has more digits than any field.
    """
    bare = text.strip().replace("\N{MINUS SIGN}", "-").replace("_", "")
    if re.fullmatch(r"[-+]?[0-9]{1,20}", bare):
        return int(bare)
    if re.fullmatch(r"[-+]?0(?:[xX][0-9a-fA-F]{1,16}|[bB][01]{1,64}|[oO][0-7]{1,22})", bare):
        return int(bare, 0)
    raise EditError(
        f"'{excerpt(text, LONGEST_QUOTE)}' is not a whole number that a field can hold."
    )
