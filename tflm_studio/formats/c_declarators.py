# SPDX-License-Identifier: Apache-2.0
"""Declarations of arrays in a C source, read from what stands before a brace or a semicolon.

Only as much of C is known as tells an array of bytes from a function, a class or an
expression: attributes and macros are dropped, and the words left say whether an element is a
byte.
"""

import re
from typing import NamedTuple

from tflm_studio.formats.c_array_values import NUMBER, number_of

_HEAD_TOKEN = re.compile(
    rb"\"(?:[^\"\\]|\\.)*+\"|[A-Za-z_$][\w$]*|[0-9][\w.']*|::|\[\[|\]\]|\S", re.DOTALL
)
_WORD = re.compile(rb"[A-Za-z_$][\w$]*")
_BYTE_TYPES = frozenset(
    b"uint8_t int8_t uint_least8_t int_least8_t uint_fast8_t int_fast8_t char char8_t byte"
    b" u8 s8 i8 uint8 int8 uchar UINT8 INT8 UCHAR CHAR BYTE prog_uchar prog_char prog_uint8_t"
    b" prog_int8_t".split()
)
_OTHER_WORDS = frozenset(
    b"short int long float double bool _Bool unsigned signed wchar_t char16_t char32_t size_t"
    b" half word string String return goto new delete else case throw typedef using"
    b" operator".split()
)
_OTHER_TYPE = re.compile(rb"(?:prog_)?u?int(?:_least|_fast)?(?:16|32|64|128|ptr|max)(?:_t)?")


class Declarator(NamedTuple):
    """The declaration of an array.

    Attributes:
        symbol: Its C identifier.
        at: Where the identifier stands in the source.
        size: The number of elements, if a literal states it.
        is_byte_type: Whether an element is known to be a byte.
        words: The words before the symbol.
    """

    symbol: str
    at: int
    size: int | None
    is_byte_type: bool
    words: frozenset[bytes]


class _Token(NamedTuple):
    text: bytes
    at: int


def read_declarator(head: bytes, offset: int, carried: frozenset[bytes]) -> Declarator | None:
    """Reads the declaration of an array; None if it is none.

    Args:
        head: The text before the brace, comments and directives as spaces.
        offset: Where it begins in the source.
        carried: Words of the declaration that a comma goes on with.
    """
    text = re.sub(rb"\\\r?\n", lambda splice: b" " * len(splice[0]), head)
    found = [_Token(match[0], match.start()) for match in _HEAD_TOKEN.finditer(text)]
    tokens = _without_attributes(found)
    if tokens and tokens[-1].text == b"=":
        tokens.pop()
    parts = _std_array_parts(tokens) or _bracket_parts(tokens)
    if parts is None:
        return None
    before, symbol, size = parts
    words = frozenset(token.text for token in before if _WORD.fullmatch(token.text))
    if before and before[0].text == b",":
        words |= carried
    is_byte_type = not words.isdisjoint(_BYTE_TYPES)
    other = not words.isdisjoint(_OTHER_WORDS) or any(map(_OTHER_TYPE.fullmatch, words))
    if not words or (other and not is_byte_type) or symbol.text in _BYTE_TYPES | _OTHER_WORDS:
        return None
    if any(token.text in b"*&" for token in before):
        return None
    return Declarator(
        symbol.text.decode("ascii"),
        offset + symbol.at,
        _literal_size(size),
        is_byte_type,
        words,
    )


def _without_attributes(tokens: list[_Token]) -> list[_Token]:
    """Drop `name(...)` and `[[...]]`; a bare group is kept as one token, `()`."""
    kept: list[_Token] = []
    depth = 0
    for token in tokens:
        if token.text in (b"(", b"[["):
            if depth == 0 and token.text == b"(":
                if kept and _WORD.fullmatch(kept[-1].text):
                    kept.pop()
                else:
                    kept.append(_Token(b"()", token.at))
            depth += 1
        elif token.text in (b")", b"]]") and depth:
            depth -= 1
        elif depth == 0:
            kept.append(token)
    return kept


_Parts = tuple[list[_Token], _Token, list[_Token]]


def _bracket_parts(tokens: list[_Token]) -> _Parts | None:
    """Split `type symbol[size] MACRO` into what precedes the symbol, the symbol, the size."""
    end = len(tokens)
    while end and _WORD.fullmatch(tokens[end - 1].text):
        end -= 1
    start = end - 1
    while start > 0 and tokens[start].text not in b"[;,":
        start -= 1
    if start < 1 or tokens[end - 1].text != b"]" or tokens[start].text != b"[":
        return None
    if not _WORD.fullmatch(tokens[start - 1].text):
        return None
    return tokens[: start - 1], tokens[start - 1], tokens[start + 1 : end - 1]


def _std_array_parts(tokens: list[_Token]) -> _Parts | None:
    """Split `std::array<type, size> symbol` the same way."""
    texts = [token.text for token in tokens]
    if b"array" not in texts or b">" not in texts:
        return None
    start, close = texts.index(b"array"), len(texts) - 1 - texts[::-1].index(b">")
    names = [token for token in tokens[close + 1 :] if _WORD.fullmatch(token.text)]
    if texts[start + 1 : start + 2] != [b"<"] or len(names) != len(tokens) - close - 1:
        return None
    plain = [token for token in names if not token.text.isupper()] or names
    if not plain or b"," not in texts[start:close]:
        return None
    comma = close - 1 - texts[start:close][::-1].index(b",")
    return tokens[start + 2 : comma], plain[-1], tokens[comma + 1 : close]


def _literal_size(tokens: list[_Token]) -> int | None:
    if len(tokens) != 1:
        return None
    match = NUMBER.fullmatch(tokens[0].text.replace(b"'", b""))
    return None if match is None else number_of(match)
