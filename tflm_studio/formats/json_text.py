# SPDX-License-Identifier: Apache-2.0
r"""JSON text: parsed so that every fault is placed, printed so that people can read it.

What flatc prints without being JSON is understood as well: keys without quotes, `inf` and
`nan`, and `\xff` for bytes of a text that are not UTF-8.
"""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator
from json.encoder import encode_basestring
from typing import Any

from tflm_studio.model.errors import ReadError

MAX_TEXT_BYTES = 2**31
WIDTH = 96

_BASE64_CHUNK_BYTES = 3 * 2**16  # a multiple of 3: pieces of base64 can be put in a row
_CONSTANTS = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
_WORDS = {"true": "true", "false": "false", "null": "null"} | {
    sign + word: f'"{"-" if sign == "-" and word[0] == "i" else ""}{word[:3]}"'
    for sign in ("", "+", "-")
    for word in ("inf", "infinity", "nan")
}
_STRING_OR_WORD = re.compile(
    r"\"[^\"\\]*+(?:\\[\s\S][^\"\\]*+)*+\"?|(?<![\w.])[+-]?[A-Za-z_]\w*+"
)
_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|[\s\S])")
_ATOMS: dict[type, Callable[[Any], str]] = {
    str: encode_basestring,
    int: repr,
    float: repr,
    bool: {False: "false", True: "true"}.__getitem__,
}


class DoubledKey(dict[str, object]):
    """An object that states a key twice, so that nobody knows which is meant."""

    key = ""


class HugeNumber:
    """A whole number of more digits than Python reads; no field holds such a one."""

    def __repr__(self) -> str:
        return "a number of thousands of digits"


class EncodedBytes:
    """Bytes that are printed as `{"base64": "..."}`, a piece at a time."""

    def __init__(self, data: memoryview) -> None:
        self.data = data

    def pieces(self) -> Iterator[bytes]:
        """The text, in order."""
        yield b'{"base64": "'
        for start in range(0, len(self.data), _BASE64_CHUNK_BYTES):
            chunk = self.data[start : start + _BASE64_CHUNK_BYTES]
            yield binascii.b2a_base64(chunk, newline=False)
        yield b'"}'


def parsed(data: bytes, name: str) -> object:
    """The value that JSON text stands for.

    Args:
        data: The text; bytes that are not UTF-8 become surrogate escapes.
        name: What messages call the file.

    Raises:
        ReadError: The text is no JSON; says in which line.
    """
    if len(data) > MAX_TEXT_BYTES:
        raise ReadError(f"{name}: {len(data):,} bytes of JSON are more than any model takes.")
    text = data.decode("utf-8-sig", "surrogateescape")
    try:
        return _loads(text)
    except json.JSONDecodeError as error:
        return _parsed_loosely(text, name, error)
    except RecursionError:
        raise _too_deep(name) from None


def printed(value: object) -> Iterator[bytes]:
    """The text of a value made of JSON values and `EncodedBytes`, in pieces.

    What fits into a line stands in a line; numbers fill lines.
    """
    pieces: list[str | EncodedBytes] = []
    _put(pieces, value, 0, 0)
    pieces.append("\n")
    return _joined(pieces)


# ---------------------------------------------------------------------- parsing


def _loads(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_CONSTANTS.get)
    except json.JSONDecodeError:
        raise
    except ValueError:
        # Python refuses to read very long numbers. Read as what they are, they are refused
        # at their place.
        return json.loads(
            text, object_pairs_hook=_object, parse_constant=_CONSTANTS.get, parse_int=_integer
        )


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    doubled = DoubledKey(made)
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            doubled.key = key
        seen.add(key)
    return doubled


def _integer(digits: str) -> object:
    try:
        return int(digits)
    except ValueError:
        return HugeNumber()


def _parsed_loosely(text: str, name: str, first: json.JSONDecodeError) -> object:
    try:
        return _loads(_STRING_OR_WORD.sub(_strict, text))
    except json.JSONDecodeError as second:
        # Columns of the changed text are not those of the file; lines are.
        column = f", column {first.colno}" if second.lineno <= first.lineno else ""
        error = first if column else second
        raise ReadError(
            f"{name}: line {error.lineno}{column}: this is not JSON: {error.msg}. The file is "
            "damaged or cut short, or was changed by hand."
        ) from None
    except RecursionError:
        raise _too_deep(name) from None


def _too_deep(name: str) -> ReadError:
    return ReadError(
        f"{name}: the JSON is nested far deeper than a model can be; the file is damaged."
    )


def _strict(match: re.Match[str]) -> str:
    token = match[0]
    if token.startswith('"'):
        return _ESCAPE.sub(_unicode_escape, token) if "\\x" in token else token
    return _WORDS.get(token) or (f'"{token}"' if token[0] not in "+-" else token)


def _unicode_escape(match: re.Match[str]) -> str:
    if match[1] is None:
        return match[0]
    return f"\\u{'dc' if match[1] >= '8' else '00'}{match[1]}"


# ---------------------------------------------------------------------- printing


def _put(pieces: list[str | EncodedBytes], value: object, indent: int, before: int) -> None:
    """Prints a value that starts at column `indent + before`."""
    # A comma may follow.
    short = _in_one_line(value, WIDTH - indent - before - 1)
    if short is not None:
        pieces.append(short)
    elif isinstance(value, dict):
        _put_object(pieces, value, indent + 2)
    elif isinstance(value, list):
        _put_list(pieces, value, indent + 2)
    else:
        pieces.append(value if isinstance(value, EncodedBytes) else _atom(value))


def _put_object(
    pieces: list[str | EncodedBytes], value: dict[str, object], indent: int
) -> None:
    separator = "{\n"
    for key, item in value.items():
        start = f"{encode_basestring(key)}: "
        pieces.append(f"{separator}{' ' * indent}{start}")
        _put(pieces, item, indent, len(start))
        separator = ",\n"
    pieces.append(f"\n{' ' * (indent - 2)}}}")


def _put_list(pieces: list[str | EncodedBytes], value: list[object], indent: int) -> None:
    if not any(isinstance(item, (dict, list, EncodedBytes)) for item in value):
        lines = _filled(list(map(_atom, value)), WIDTH - indent)
        margin = f"\n{' ' * indent}"
        pieces.append(f"[{margin}{margin.join(lines)}\n{' ' * (indent - 2)}]")
        return
    separator = "[\n"
    for item in value:
        pieces.append(f"{separator}{' ' * indent}")
        _put(pieces, item, indent, 0)
        separator = ",\n"
    pieces.append(f"\n{' ' * (indent - 2)}]")


def _filled(texts: list[str], width: int) -> list[str]:
    """Lines with as many items as they hold."""
    lines: list[str] = []
    line: list[str] = []
    room = width
    for number, text in enumerate(texts, 1):
        item = f"{text}," if number < len(texts) else text
        if line and room < len(item):
            lines.append(" ".join(line))
            line, room = [], width
        line.append(item)
        room -= len(item) + 1
    return [*lines, " ".join(line)]


def _in_one_line(value: object, room: int) -> str | None:
    """The text of a value, None if it is longer than `room`."""
    if isinstance(value, EncodedBytes):
        return None
    if isinstance(value, dict):
        items = ((f"{encode_basestring(key)}: ", item) for key, item in value.items())
        return _items_in_one_line(items, room, "{}")
    if isinstance(value, list):
        return _items_in_one_line((("", item) for item in value), room, "[]")
    text = _atom(value)
    return text if len(text) <= room else None


def _items_in_one_line(
    items: Iterable[tuple[str, object]], room: int, brackets: str
) -> str | None:
    texts: list[str] = []
    room -= 2
    for start, item in items:
        room -= len(start)
        text = _in_one_line(item, room)
        if text is None:
            return None
        texts.append(start + text)
        room -= len(text) + 2
    return f"{brackets[0]}{', '.join(texts)}{brackets[1]}"


def _atom(value: object) -> str:
    return _ATOMS[type(value)](value)


def _joined(pieces: list[str | EncodedBytes]) -> Iterator[bytes]:
    """The pieces as bytes, short ones put together."""
    ready: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            ready.append(piece)
            continue
        yield _utf8(ready)
        ready.clear()
        yield from piece.pieces()
    yield _utf8(ready)


def _utf8(texts: list[str]) -> bytes:
    # A surrogate escape is no character; written as an escape of JSON, it stays one.
    return "".join(texts).encode("utf-8", "backslashreplace")
