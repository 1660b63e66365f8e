# SPDX-License-Identifier: Apache-2.0
"""The small language in which people say which rows of a table they want to see.

conv relu            both words, in any order; "two words" in quotes stand together
int8                 rows of this element type: not uint8
>1k <16KB >=2M =1024 by size of their data in bytes; k is 1,024
12, #12, #3-7        the row with this index; a number alone means an index
inputs:34 name:conv  what a column says; any unambiguous beginning of its title will do
shape:=1x10          a cell that says just this
buffer:>12           by a number in a cell
-word -type:int8     not these
Node number 12 (CONV_2D) failed to prepare.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tflm_studio.analysis.runtime_messages import NamedPlace, find_named_place
from tflm_studio.model.tensor_types import ELEMENT_TYPES

TYPE, SIZE = "Type", "Size"
LONGEST_QUOTE = 40

_TYPE_NAMES = frozenset(kind.name for kind in ELEMENT_TYPES.values())
# Types without a number in their name, such as "string", are words like any other.
_TYPE_WORDS = frozenset(name for name in _TYPE_NAMES if any(map(str.isdigit, name)))
_COMPARISONS = {
    ">=": operator.ge,
    "<=": operator.le,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_CHUNK = re.compile(r'(?:[^\s"]|"[^"]*"?)+')
_NEGATIVE = re.compile(r"-[0-9.]+")
_KEYED = re.compile(r'([^\s":<>=!]+):(.*)', re.DOTALL)
_COMPARISON = re.compile(r"(>=|<=|!=|>|<|=)(.*)", re.DOTALL)
_AMOUNT = re.compile(r"(-?[0-9][0-9,_]*(?:\.[0-9]+)?(?:e[-+]?[0-9]{1,3})?)([kmg]?(?:i?b)?)")
_INDEX = re.compile(r"\s*[0-9]{1,10}\s*")
_RANGES = re.compile(r"[0-9]{1,10}(?:-[0-9]{1,10})?(?:,[0-9]{1,10}(?:-[0-9]{1,10})?)*,?")
_NUMBERS = re.compile(r"-?[0-9][0-9,]*(?:\.[0-9]+)?(?:e[-+]?[0-9]{1,3})?")
_WHOLE_NUMBERS = re.compile(r"-?[0-9]+(?:[x ,][0-9]+)*")


class Rows(Protocol):
    """What a query asks of a table; texts are `folded`."""

    def text(self, row: int) -> str:
        """All cells of a row, one a line."""

    def cell(self, row: int, column: int) -> str:
        """What a cell says; several lines if it has several names."""

    def index(self, row: int) -> int:
        """The index that the row shows."""

    def size(self, row: int) -> int:
        """Bytes of its data."""

    def types(self, row: int) -> frozenset[str]:
        """Names of its element types."""


Test = Callable[[Rows, int], bool]


@dataclass(frozen=True, slots=True)
class RowQuery:
    """What rows of a table are wanted.

    Attributes:
        tests: Each must hold.
        problem: Why the text could not be understood; "" if it could. Then all rows fit.
        place: The thing that an error message names, if that is what the text is.
    """

    tests: tuple[Test, ...] = ()
    problem: str = ""
    place: NamedPlace | None = None

    def fits(self, rows: Rows, row: int) -> bool:
        """Whether a row is wanted."""
        for test in self.tests:  # noqa: SIM110 (asked for each of 20,000 rows at each key)
            if not test(rows, row):
                return False
        return True


class _WrongQueryError(ValueError):
    pass


def folded(text: str) -> str:
    """A text as queries compare it: neither case nor kind of cross and minus matter."""
    return text.casefold().replace("×", "x").replace("−", "-")


def parse_query(
    text: str, titles: Sequence[str], also: Sequence[str] = (), kind: str = ""
) -> RowQuery:
    """The query that a person typed.

    Args:
        text: What was typed; half of it may be missing still.
        titles: The columns of the table.
        also: What is asked for as if it were a column: "Type", "Size".
        kind: The list whose rows they are, such as "tensors".
    """
    place = find_named_place(text)
    if place is not None:
        name = titles.index("Name") if "Name" in titles else -1
        tests = (_is_place(place, name),) if place.kind == kind else ()
        return RowQuery(tests, place=place)
    if _INDEX.fullmatch(text):
        return RowQuery((_has_index(text.strip()),))
    try:
        return RowQuery(tuple(_Parser([*titles], [*also]).tests(text)))
    except _WrongQueryError as error:
        return RowQuery(problem=str(error))


class _Parser:
    """Makes tests for a table with these columns."""

    def __init__(self, titles: list[str], also: list[str]) -> None:
        self._titles = titles
        self._keys = [folded(title) for title in dict.fromkeys([*titles, *also])]
        self._knows_types = TYPE in titles or TYPE in also

    def tests(self, text: str) -> Iterable[Test]:
        wanted: list[str] = []
        for chunk in _CHUNK.findall(text):
            is_out = chunk[0] == "-" and _NEGATIVE.fullmatch(chunk) is None
            word = chunk[1:] if is_out else chunk
            if _is_index(word) and not is_out:
                wanted.append(word)  # of several indices, any will do
                continue
            test = self._test(word)
            if test is not None:
                yield _not(test) if is_out else test
        if wanted:
            yield _has_index(",".join(wanted))

    def _test(self, word: str) -> Test | None:
        """The test for one word; None as long as it says nothing."""
        keyed = _KEYED.fullmatch(word)
        if keyed is not None:
            key = self._key(*keyed.groups())
            if key is not None:
                return self._column_test(key, keyed[2])
        compared = _COMPARISON.fullmatch(word)
        if compared is not None:
            return _compares_size(compared[1], compared[2])
        if _is_index(word):
            return _has_index(word)
        sought = folded(word)
        if self._knows_types and sought in _TYPE_WORDS:
            return _of_type(sought)
        return _contains(_unquoted(sought))

    def _key(self, typed: str, value: str) -> str | None:
        """The title that is meant; None if the word only looks as if it named a column."""
        bare = folded(typed).replace(" ", "")
        if bare in ("index", "#") and not {"#", "index"}.isdisjoint(self._keys):
            return "index"
        squeezed = {key: key.replace(" ", "") for key in self._keys}
        fitting = [key for key, short in squeezed.items() if short == bare]
        fitting = fitting or [k for k, short in squeezed.items() if short.startswith(bare)]
        fitting = fitting or [
            key for key in self._keys if any(w.startswith(bare) for w in key.split()[1:])
        ]
        if len(fitting) == 1:
            return fitting[0]
        if not typed.isalpha() or value.isdecimal():
            return None  # names of tensors such as StatefulPartitionedCall:0
        if fitting:
            raise _WrongQueryError(f"'{_cut(typed)}:' may be {' or '.join(fitting)}.")
        raise _WrongQueryError(f"There is no column '{_cut(typed)}' here.")

    def _column_test(self, key: str, value: str) -> Test | None:
        sought = folded(value)
        compared = _COMPARISON.fullmatch(sought)
        if key == folded(SIZE):
            sign, amount = compared.groups() if compared else ("=", sought)
            return _compares_size(sign, amount)
        if key == "index":
            return _has_index(sought) if _RANGES.fullmatch(sought) else self._index_test(value)
        if key == folded(TYPE) and self._knows_types:
            return _of_type_like(_unquoted(sought.removeprefix("=")), exact=sought[:1] == "=")
        column = [folded(title) for title in self._titles].index(key)
        if compared is not None:
            return _compares_cell(column, *compared.groups())
        if sought[:1] != '"' and _WHOLE_NUMBERS.fullmatch(sought):
            return _has_number(column, sought)
        return _cell_contains(column, _unquoted(sought))

    def _index_test(self, value: str) -> Test | None:
        compared = _COMPARISON.fullmatch(value)
        if compared is None:
            if not value:
                return None
            raise _WrongQueryError(f"'{_cut(value)}' is not an index; write #12 or #3-7.")
        compare, amount = _COMPARISONS[compared[1]], _amount(compared[2])
        if amount is None:
            return None
        number = amount[0]
        return lambda rows, row: compare(rows.index(row), number)


def _is_index(word: str) -> bool:
    return word[:1] == "#" and _RANGES.fullmatch(word[1:]) is not None


def _not(test: Test) -> Test:
    return lambda rows, row: not test(rows, row)


def _contains(text: str) -> Test | None:
    return (lambda rows, row: text in rows.text(row)) if text else None


def _cell_contains(column: int, text: str) -> Test | None:
    return (lambda rows, row: text in rows.cell(row, column)) if text else None


def _cell_is(column: int, text: str) -> Test:
    return lambda rows, row: text in rows.cell(row, column).split("\n")


def _has_number(column: int, text: str) -> Test:
    """Tests for a number, or several in a row, that stand for themselves: 34 is not in 134."""
    search = re.compile(rf"(?<![-0-9.]){re.escape(text)}(?![0-9.])").search
    return lambda rows, row: search(rows.cell(row, column)) is not None


def _of_type(name: str) -> Test:
    return lambda rows, row: name in rows.types(row)


def _of_type_like(text: str, *, exact: bool) -> Test | None:
    if not text:
        return None
    if exact or text in _TYPE_NAMES:
        return _of_type(text)
    return lambda rows, row: any(text in name for name in rows.types(row))


def _has_index(text: str) -> Test:
    """Tests for one of some indices, such as `#12` or `#3-7,9`."""
    spans = []
    for part in filter(None, text.replace("#", "").split(",")):
        first, _, last = part.partition("-")
        spans.append((int(first), int(last or first)))
    return lambda rows, row: any(low <= rows.index(row) <= high for low, high in spans)


def _is_place(place: NamedPlace, name_column: int) -> Test:
    if place.index is not None:
        wanted = place.index
        return lambda rows, row: rows.index(row) == wanted
    return _cell_is(name_column, folded(place.name))


def _compares_size(sign: str, text: str) -> Test | None:
    found = _amount(text)
    if found is None:
        return None
    compare, number = _COMPARISONS[sign], found[0]
    return lambda rows, row: compare(rows.size(row), number)


def _compares_cell(column: int, sign: str, text: str) -> Test | None:
    """Compares numbers of a cell; with a unit of bytes, the size of the row's data."""
    text = _unquoted(text)
    if sign == "=" and text and _AMOUNT.fullmatch(text) is None:
        return _cell_is(column, text)
    found = _amount(text)
    if found is None:
        return None
    number, unit = found
    if unit:
        return _compares_size(sign, text)
    compare = _COMPARISONS[sign]
    return lambda rows, row: any(
        compare(float(each.replace(",", "")), number)
        for each in _NUMBERS.findall(rows.cell(row, column))
    )


def _amount(text: str) -> tuple[float, str] | None:
    """A number and its unit; None for nothing."""
    if not text:
        return None
    match = _AMOUNT.fullmatch(folded(text))
    if match is None:
        raise _WrongQueryError(f"'{_cut(text)}' is no size; write >1k, <16KB or =1024.")
    number, unit = match.groups()
    return float(re.sub("[,_]", "", number)) * _UNITS[unit[:1]], unit


def _unquoted(text: str) -> str:
    return text.replace('"', "")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"
