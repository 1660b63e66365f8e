# SPDX-License-Identifier: Apache-2.0
"""The literals of a C source that state how many bytes an array has, wherever they stand.

A literal counts for what stands around it: `m[1234]`, `array<uint8_t, 1234> m`,
`m_len = 1234`, `#define N 1234` where the array is `m[N]`, `sizeof(m) == 1234`, and
`{m, 1234}`. Comments, strings and what `#if 0` leaves out are not code.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

MOST_DIGITS = 64  # of a size
_AROUND = 240  # bytes that are looked at before and behind a literal
_MOST_ALIASES = 8  # names that stand for each other

# Every quantifier that may meet hostile text keeps what it took: none is tried twice.
COMMENT = rb"//[^\r\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
STRING = rb"\"(?:[^\"\\\r\n]++|\\.)*+\"?"
_RAW = rb"(?<![A-QS-Za-tv-z0-9_])R\"([^()\\\s\"]{0,16})\((?:[\s\S]*?\)\1\"|[\s\S]*\Z)"
_CHARACTER = rb"(?<!\w)'(?:[^'\\\r\n]|\\.[0-9a-fA-F]{0,8})'"
_IGNORED = re.compile(rb"|".join((_RAW, COMMENT, STRING, _CHARACTER)))
_CONDITION = re.compile(rb"^[ \t]*#[ \t]*(if|el|endif)(\w*)[ \t]*([^\r\n]*)", re.MULTILINE)

_LITERAL = re.compile(
    rb"(?<![\w.'])(0[xX][0-9a-fA-F][0-9a-fA-F']*+|[0-9][0-9']*+)[uUlLzZ]*+(?![\w.])"
)
_CAST = (
    rb"(?:\s|\\\r?\n|\(\s*(?:[\w:]++\s*+)++\)|\w++\s*<[\w:\s]++>\s*\(|U?INT\w*_C\s*\(|\()*+\Z"
)
_NAMED = re.compile(
    rb"(?:#[ \t]*define[ \t]+(\w++)(?=[ \t(\\])|(\w++)\s*+[={](?!=)|[\w>]\s+(\w++)\()" + _CAST
)
_ENDED = re.compile(rb"(?:\s*[)}])*\s*(?:[;,}\]\r\n]|\Z)")
_IS_SIZE = re.compile(rb"(?!.*arena).*(?:len|size)", re.IGNORECASE | re.DOTALL)
_TO_SPACES = bytes(byte if byte in b"\r\n" else ord(" ") for byte in range(256))
_MOST_NAMES = 500  # of other arrays
_ARRAY_NAME = re.compile(rb"(?<!\w)(\w++)\s*+\[")
_WORD = rb"[A-Za-z_]\w*+"


@dataclass(frozen=True, slots=True)
class SizeLiterals:
    """Where a source states the size of an array.

    Attributes:
        spans: Begin and end of each literal, in the order of the text.
        has_extent: Whether one of them gives the name in the array's brackets its value.
    """

    spans: tuple[tuple[int, int], ...]
    has_extent: bool


class _Surroundings(NamedTuple):
    """What stands before or behind a literal that is the size of one array."""

    bracket: re.Pattern[bytes]
    template: re.Pattern[bytes]
    used: re.Pattern[bytes]

    def say_size(self, before: bytes, behind: bytes, *, is_ended: bool) -> bool:
        if self.bracket.search(before) and behind.lstrip()[:1] == b"]":
            return True
        if self.template.match(behind):
            return True
        return is_ended and self.used.search(before) is not None


def _surroundings(symbol: str) -> _Surroundings:
    name = re.escape(symbol.encode())
    compared = rb"\bsizeof\s*\(?\s*" + name + rb"\s*\)?\s*=="
    in_a_list = rb"[{(,]\s*&?\s*" + name + rb"\s*,"
    return _Surroundings(
        bracket=re.compile(rb"(?<!\w)" + name + rb"\s*\[\s*\Z"),
        template=re.compile(rb"\s*>\s*(?:\w+\s+)*" + name + rb"\b"),
        used=re.compile(rb"(?:" + compared + rb"|" + in_a_list + rb")" + _CAST),
    )


def size_literals(
    text: bytes, symbol: str, others: Collection[str], size: int, extent: bytes = b""
) -> SizeLiterals:
    """The literals that state the size of an array.

    A constant counts if the array's brackets name it, or if it is called a length or size and
    named after the array; if there is no such, the only one that is called so and is not named
    after another array.

    Args:
        text: The source, or a header of it. What is between the braces of arrays is blank.
        symbol: The array.
        others: The other arrays.
        size: Its number of bytes.
        extent: What stands in its brackets, see `extent_before`.
    """
    plain = _live(_IGNORED.sub(lambda match: _blank(match[0]), text))
    aliases, surroundings = _aliases(plain, extent), _surroundings(symbol)
    sure: list[tuple[int, int]] = []
    named: list[tuple[bytes, tuple[int, int]]] = []
    has_extent = False
    for match in _LITERAL.finditer(plain):
        if value_of(match[1]) != size:
            continue
        before = plain[max(match.start() - _AROUND, 0) : match.start()]
        behind = plain[match.end() : match.end() + _AROUND]
        is_ended = _ENDED.match(behind) is not None
        if surroundings.say_size(before, behind, is_ended=is_ended):
            sure.append(match.span(1))
        elif is_ended and (found := _NAMED.search(before)) is not None:
            constant = found[1] or found[2] or found[3]
            if constant in aliases:
                sure.append(match.span(1))
                has_extent = True
            elif _IS_SIZE.match(constant):
                named.append((constant, match.span(1)))
    names = islice(
        (match[1].decode("latin-1") for match in _ARRAY_NAME.finditer(plain)), _MOST_NAMES
    )
    known = {*others, *names} - {symbol}
    spans = sorted({*sure, *_chosen(named, symbol, known, is_settled=bool(aliases))})
    return SizeLiterals(tuple(spans), has_extent)


def extent_before(text: bytes, symbol: str, at: int) -> bytes:
    """What stands in the brackets of an array that is opened at a place, if it is no literal.

    Args:
        text: The source.
        symbol: The array.
        at: Where its values begin.
    """
    head = _IGNORED.sub(lambda match: _blank(match[0]), text[max(at - 4096, 0) : at])
    head = re.split(rb"[;}]", head.rstrip(b"{ \t\r\n"))[-1]
    name = re.escape(symbol.encode())
    bracket = re.compile(rb"(?<!\w)" + name + rb"\s*\[([^\]\[{};]{1,200})\]")
    template = re.compile(
        rb",\s*+([^,<>{};\s][^,<>{};]{0,200})>\s*(?:\w+\s+)*" + name + rb"\b"
    )
    match = bracket.search(head) or template.search(head)
    inside = match[1].strip() if match else b""
    return b"" if _LITERAL.fullmatch(inside) else inside


def spelled(literal: bytes, size: int) -> bytes:
    """A size in the notation of another."""
    if literal[:2] not in (b"0x", b"0X"):
        return b"%d" % size
    form = b"%X" if any(letter in literal for letter in b"ABCDEF") else b"%x"
    return literal[:2] + (form % size).rjust(len(literal) - 2, b"0")


def value_of(literal: bytes) -> int:
    """The number of a literal; -1 for one that is larger than any file."""
    digits = literal.replace(b"'", b"").lower()
    if len(digits) > MOST_DIGITS:
        return -1
    if digits.startswith(b"0x"):
        return int(digits, 16)
    is_octal = len(digits) > 1 and digits.startswith(b"0") and not set(digits) & set(b"89")
    return int(digits, 8 if is_octal else 10)


def _blank(text: bytes) -> bytes:
    """Spaces in place of a text, on as many lines."""
    return text.translate(_TO_SPACES)


def _live(plain: bytes) -> bytes:
    """The text with what `#if 0` and the `#else` of `#if 1` leave out as spaces."""
    pieces, end = [], 0
    for start, stop in _dead(plain):
        pieces += [plain[end:start], _blank(plain[start:stop])]
        end = stop
    return b"".join([*pieces, plain[end:]])


def _dead(plain: bytes) -> Iterator[tuple[int, int]]:
    states: list[bytes] = []  # "0" where nothing lives, "1" where the rest will not, "" else
    since = -1
    depth = 0  # of the condition that died
    for match in _CONDITION.finditer(plain):
        kind, rest, argument = match[1], match[2], match[3].strip()
        if kind == b"if":
            word = argument if not rest and argument in (b"0", b"1") else b""
            states.append(word)
            if since < 0 and word == b"0":
                since, depth = match.end(), len(states)
        elif states:
            if since >= 0 and depth == len(states):
                yield since, match.start()
                since = -1
            if kind == b"endif":
                states.pop()
            elif since < 0 and states[-1] == b"1":
                since, depth = match.end(), len(states)
            elif states[-1] == b"0":
                states[-1] = b"1" if rest == b"se" else b""


def _aliases(plain: bytes, extent: bytes) -> set[bytes]:
    """The names that may hold the value of an extent: itself, and what it is defined as."""
    word = re.search(rb"(" + _WORD + rb")\Z", extent)
    if word is None or not re.fullmatch(rb"[\w:\s]+", extent):
        return set()
    found, last = {word[1]}, word[1]
    for _ in range(_MOST_ALIASES):
        defined = re.search(
            rb"(?<!\w)"
            + last
            + rb"(?:\s*[={]\s*|[ \t]+)\(?[ \t]*("
            + _WORD
            + rb")\s*[)};\r\n]",
            plain,
        )
        if defined is None or defined[1] in found:
            break
        last = defined[1]
        found.add(last)
    return found


def _chosen(
    named: list[tuple[bytes, tuple[int, int]]],
    symbol: str,
    others: Collection[str],
    *,
    is_settled: bool,
) -> Iterator[tuple[int, int]]:
    """The constants that state the size, of those that are called so and hold it."""
    stem, *alien_stems = (_stem(name) for name in (symbol, *others))
    longer = [each for each in alien_stems if len(each) > len(stem)]
    alien = tuple(each.lower() for each in others)
    own, strangers = [], []
    for constant, span in named:
        word = constant.decode("latin-1").lower()
        if stem in word and not any(each in word for each in longer):
            own.append(span)
        if not word.startswith(alien):
            strangers.append(span)
    yield from own if own or is_settled or len(strangers) != 1 else strangers


def _stem(name: str) -> str:
    """What the constants of an array have of its name."""
    return re.sub(r"^g_|_(data|model)$", "", name).lower()
