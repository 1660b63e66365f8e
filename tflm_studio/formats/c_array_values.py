# SPDX-License-Identifier: Apache-2.0
"""The values between the braces of a C array of bytes."""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

_HEX_CHUNK_BYTES = 256 * 1024
_ELEMENT_CHUNK_BYTES = 1024 * 1024

NUMBER = re.compile(
    rb"\s*+([+-]?)\s*+(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|(0[0-7]*)|([1-9][0-9]*))[uUlLzZ]{0,3}\s*"
)
_LITERAL = re.compile(
    rb"(?<!\w)[0-9][\w']*+"
    rb"|(?:u8|[uUL])?'(?:\\(?:x([0-9a-fA-F]+)|([0-7]{1,3})|(.))|([^'\\\r\n]))'"
)
_ESCAPES = dict(zip(b"abfnrtv0\\'\"?e", b"\a\b\f\n\r\t\v\0\\'\"?\x1b", strict=True))


class BadElementError(Exception):
    """An element of an array that is not a byte; the offset is counted from the brace."""

    def __init__(self, offset: int, reason: str, before: bytes) -> None:
        super().__init__(reason)
        self.offset = offset
        self.before = before


def number_of(match: re.Match[bytes]) -> int:
    """The value of a match of `NUMBER`."""
    sign, hexadecimal, binary, octal, decimal = match.groups()
    digits = hexadecimal or binary or octal or decimal
    base = 16 if hexadecimal else 2 if binary else 8 if octal else 10
    # Python refuses to read very long numbers; any this long is out of every range here.
    significant = digits.lstrip(b"0")[:100] or b"0"
    return -int(significant, base) if sign == b"-" else int(significant, base)


class _Elements(dict[bytes, int]):
    """The byte each spelling of an element stands for, worked out once per spelling."""

    def __missing__(self, element: bytes) -> int:
        match = NUMBER.fullmatch(element)
        value = 256 if match is None else number_of(match)
        if not -128 <= value <= 255:
            raise ValueError
        self[element] = value & 255
        return value & 255


def decode_values(text: bytes) -> bytes:
    """Evaluate the text between the braces of a byte array, comments already blank."""
    plain = _LITERAL.sub(_plain_number, text) if b"'" in text else text
    elements = _Elements()
    decoded = bytearray()
    for start, stop in _element_chunks(plain):
        chunk = plain[start:stop].split(b",")
        if not chunk[-1].strip():
            chunk.pop()
        try:
            decoded += bytes(map(elements.__getitem__, chunk))
        except ValueError:
            _raise_bad_element(text, start, chunk, bytes(decoded), elements)
    return bytes(decoded)


def _element_chunks(text: bytes) -> Iterator[tuple[int, int]]:
    start = 0
    while start < len(text):
        stop = start + _ELEMENT_CHUNK_BYTES
        comma = text.rfind(b",", start, stop) if stop < len(text) else -1
        stop = len(text) if comma < 0 else comma + 1
        yield start, stop
        start = stop


def _raise_bad_element(
    text: bytes, start: int, chunk: list[bytes], before: bytes, elements: _Elements
) -> NoReturn:
    offset = start
    readable = bytearray(before)
    for element in chunk:
        try:
            readable.append(elements[element])
        except ValueError:
            break
        offset += len(element) + 1
    blank = len(element) - len(element.lstrip())
    shown = text[offset : offset + len(element)].strip()[:40].decode("latin-1")
    if not shown:
        reason = "a value is missing between two commas"
    elif NUMBER.fullmatch(element):
        reason = f"value {shown} does not fit a byte (-128 to 255)"
    else:
        reason = f"{shown!r} is not a number"
    raise BadElementError(offset + (blank if shown else 0), reason, bytes(readable))


def _plain_number(match: re.Match[bytes]) -> bytes:
    """Spell a character literal as a number of the same length, so offsets stay true."""
    hexadecimal, octal, escape, character = match.groups()
    if hexadecimal is not None:
        number = b"0x" + hexadecimal
    elif octal is not None:
        number = b"0" + octal
    elif escape is not None:
        number = b"%d" % _ESCAPES[escape] if escape in _ESCAPES else match[0]
    elif character is not None:
        number = b"%d" % character[0]
    else:
        number = match[0].replace(b"'", b"")
    return number.ljust(len(match[0]))


@lru_cache(maxsize=1)
def _hex_pairs() -> NDArray[np.uint16]:
    """The value of the two characters behind `0x`, with 256 for each hex digit among them."""
    table = np.zeros((256, 256), np.uint16)
    digits = {ord(f"{value:x}"): value for value in range(16)}
    digits |= {ord(f"{value:X}"): value for value in range(16)}
    for high, high_value in digits.items():
        table[high, list(b", \t\r\n\v\f}")] = 256 | high_value
        for low, low_value in digits.items():
            table[high, low] = 512 | high_value << 4 | low_value
    return table.reshape(-1)


def decode_hex(source: bytes, start: int, end: int) -> bytes | None:
    """Decode a body of nothing but `0xH` and `0xHH`, or return None for the general way."""
    parts = []
    # A short first try keeps the price of a body of another kind low.
    limit = 1024
    while start < end:
        stop = min(start + limit, end)
        if stop < end:
            stop = source.rfind(b",", start, stop) + 1
        part = _pure_hex_part(source, start, stop) if stop > start else None
        if part is None:
            return None
        parts.append(part)
        start, limit = stop, _HEX_CHUNK_BYTES
    return b"".join(parts)


def _pure_hex_part(source: bytes, start: int, stop: int) -> bytes | None:
    text = np.frombuffer(source, np.uint8, stop - start, start)
    if np.count_nonzero(text < ord("\t")) or np.count_nonzero(text - np.uint8(14) < 18):
        return None
    is_mark, is_comma = (text | 0x20) == ord("x"), text == ord(",")
    marks = np.flatnonzero(is_mark)
    commas = np.count_nonzero(is_comma)
    solid = np.count_nonzero(text > ord(" "))
    if not marks.size:
        return None if solid else b""
    ahead = np.frombuffer(source, np.uint8, min(len(source), stop + 2) - start, start)
    codes = ahead[1:].take(marks, mode="clip").astype(np.uint16) << 8
    codes |= ahead[2:].take(marks, mode="clip")
    values = _hex_pairs().take(codes, mode="clip")
    if not values.min() >> 8 or solid != commas + 2 * marks.size + int((values >> 8).sum()):
        return None
    if marks.size != np.count_nonzero(is_mark[1:] & (text[:-1] == ord("0"))):
        return None
    return values.astype(np.uint8).tobytes() if _one_comma_each(is_mark, is_comma) else None


def _one_comma_each(is_mark: NDArray[np.bool], is_comma: NDArray[np.bool]) -> bool:
    """Whether every mark has a comma two or three places on, but for the last at most."""
    twice = is_comma[1:] & is_comma[:-1]
    attached = is_comma[3:] & (is_mark[:-3] | is_mark[1:-2])
    commas = np.count_nonzero(is_comma)
    if twice.any() or is_comma[:3].any() or np.count_nonzero(attached) != commas:
        return False
    last = is_mark.size - 1 - int(is_mark[::-1].argmax())
    return bool(np.count_nonzero(is_mark) == commas + (not is_comma[last:].any()))
