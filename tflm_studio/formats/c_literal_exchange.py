# SPDX-License-Identifier: Apache-2.0
"""Some numbers of a C array exchanged, spelled as the others are; all else stays."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_studio.formats.c_size_literals import COMMENT, STRING

SAMPLE = 4096  # literals that tell how letters are written

_COMMENT = re.compile(COMMENT)
_TOKEN = re.compile(
    COMMENT + rb"|" + STRING + rb"|(?<!\\)'(?:[^'\\\r\n]++|\\.)*+'"
    rb"|(?<![\w.])(0[xX][0-9a-fA-F]+|[0-9]+)([uUlLzZ]*)(?![\w.])"
)
_OCTAL = re.compile(rb"0[0-9]")
_MOST_DIGITS = 3  # of a byte

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]
Chars = NDArray[np.uint8]

_SPACE, _COMMA, _DIGIT, _LETTER, _X, _OTHER = range(6)
_KINDS = np.full(256, _OTHER, np.uint8)
for _kind, _members in (
    (_SPACE, b" \t\r\n\v\f"),
    (_COMMA, b","),
    (_DIGIT, b"0123456789"),
    (_LETTER, b"abcdefABCDEF"),
    (_X, b"xX"),
):
    _KINDS[list(_members)] = _kind


@dataclass(frozen=True, slots=True, eq=False)
class _Literals:
    """Where the numbers of a text are.

    Attributes:
        starts: Begin of each.
        ends: End of each.
        is_hex: Whether they begin with 0x.
        sample: A part of the text that tells how letters are written.
    """

    starts: Places
    ends: Places
    is_hex: Flags
    sample: bytes

    @property
    def hex_form(self) -> bytes:
        """How a byte is written behind 0x."""
        letter = b"X" if any(upper in self.sample for upper in b"ABCDEF") else b"x"
        has_short = bool((self.is_hex & (self.ends - self.starts == len(b"0x0"))).any())
        return b"%" + (b"" if has_short else b"02") + letter


def exchanged(text: bytes, old: bytes, new: bytes) -> bytes | None:
    """The text with the literals of changed bytes exchanged. O(text), at once for all of them.

    Args:
        text: What stands between the braces.
        old: The bytes it states.
        new: As many others.

    Returns:
        None where a byte has no plain literal of its own.
    """
    plain = _without_comments(text) if b"/" in text else text
    found = _even_literals(plain, len(old)) or _literals(text, len(old))
    if found is None:
        return None
    before, after = np.frombuffer(old, np.uint8), np.frombuffer(new, np.uint8)
    return _replaced(text, found, np.flatnonzero(before != after), after)


def _replaced(text: bytes, found: _Literals, changed: Places, after: Chars) -> bytes:
    values, is_hex = after[changed], found.is_hex[changed]
    begins = found.starts[changed] + 2 * is_hex  # behind 0x, which stays
    widths = found.ends[changed] - begins
    digits, counts = _spelled(is_hex, values, found.hex_form)
    raw = np.frombuffer(text, np.uint8)
    moved = np.cumsum(counts - widths)
    if not moved.any():
        made, places = raw.copy(), begins
    else:
        places = begins + np.concatenate(([0], moved[:-1]))
        made = np.empty(len(text) + int(moved[-1]), np.uint8)
        made[_outside(len(made), places, counts)] = raw[_outside(len(text), begins, widths)]
    for column in range(_MOST_DIGITS):
        is_long = counts > column
        made[places[is_long] + column] = digits[is_long, column]
    return made.tobytes()


def _spelled(is_hex: Flags, values: Chars, hex_form: bytes) -> tuple[Chars, Places]:
    """The digits of each number, and how many it has."""
    forms = (b"%d", hex_form)
    spellings = np.array([[form % value for value in range(256)] for form in forms], "S3")
    digits = spellings[is_hex.astype(np.intp), values]
    counts: Places = np.char.str_len(spellings)[is_hex.astype(np.intp), values]
    return digits.view(np.uint8).reshape(-1, _MOST_DIGITS), counts


def _outside(size: int, places: Places, counts: Places) -> Flags:
    """Which of so many characters belong to none of the numbers at some places."""
    found = np.ones(size, bool)
    for column in range(int(counts.max(initial=0))):
        found[places[counts > column] + column] = False
    return found


def _without_comments(text: bytes) -> bytes:
    return _COMMENT.sub(lambda match: b" " * len(match[0]), text)


def _even_literals(text: bytes, count: int) -> _Literals | None:
    """The numbers of a text with nothing but those, each with a comma behind it."""
    raw = np.frombuffer(text, np.uint8)
    kinds = _KINDS[raw]
    if not count or not kinds.size or kinds.max() == _OTHER:
        return None
    edges = np.flatnonzero(np.diff(kinds > _COMMA, prepend=False, append=False))
    starts, ends = edges[::2], edges[1::2]
    commas = np.flatnonzero(kinds == _COMMA)
    if len(starts) != count or len(commas) not in (count - 1, count):
        return None
    inner, last = commas[: count - 1], commas[count - 1 :]
    if (inner < ends[:-1]).any() or (inner > starts[1:]).any() or (last < ends[-1]).any():
        return None
    widths, is_zero = ends - starts, raw[starts] == ord("0")
    is_hex = is_zero & (widths > len("0x")) & (kinds[starts + (widths > 1)] == _X)
    if np.count_nonzero(kinds == _X) != np.count_nonzero(is_hex):
        return None
    if not is_hex.all() and not _are_decimal(
        kinds, starts[~is_hex], ends[~is_hex], is_zero[~is_hex]
    ):
        return None
    sample = text[: int(ends[min(SAMPLE, count) - 1])]
    return _Literals(starts, ends, is_hex, sample)


def _are_decimal(kinds: Chars, starts: Places, ends: Places, is_zero: Flags) -> bool:
    """Whether numbers are decimal: digits only, and no octal ones."""
    letters = np.concatenate(([0], np.cumsum(kinds == _LETTER)))
    has_letters = letters[ends] > letters[starts]
    return not (has_letters | (is_zero & (ends - starts > 1))).any()


def _literals(text: bytes, count: int) -> _Literals | None:
    """The numbers of any text, if each value is one unsigned number."""
    found = [match for match in _TOKEN.finditer(text) if match[1] is not None]
    if len(found) != count or b"-" in _COMMENT.sub(b"", text):
        return None
    if any(_OCTAL.match(match[1]) for match in found):
        return None
    spans = np.array([match.span(1) for match in found], np.int64).reshape(-1, 2)
    is_hex = np.array([match[1][1:2] in (b"x", b"X") for match in found], bool)
    sample = b"".join(match[1][2:] for match in found[:SAMPLE])
    return _Literals(spans[:, 0], spans[:, 1], is_hex, sample)
