# SPDX-License-Identifier: Apache-2.0
"""New bytes for the array of a C source that is otherwise left as it is.

Where the number of bytes stays, only the literals of changed bytes are exchanged, in the
spelling of the others. Where it does not, the text between the braces is written anew, and
every literal around it that states the size: `[300568]`, `model_len = 300568`. Comments and
strings around the array are never touched.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tflm_studio.formats.c_source_reader import find_byte_arrays
from tflm_studio.formats.c_source_writer import c_array_body

BYTES_PER_LINE = 12  # where the source has no lines to go by
MOST_PER_LINE = 64

_TOKEN = re.compile(
    rb"//[^\r\n]*|/\*[\s\S]*?\*/|\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\\\r\n]|\\.)*'"
    rb"|(?<![\w.])(0[xX][0-9a-fA-F]+|[0-9]+)([uUlLzZ]*)(?![\w.])"
)

_COMMENT = re.compile(rb"//[^\r\n]*|/\*[\s\S]*?\*/")


@dataclass(frozen=True, slots=True)
class CSource:
    """The C source that a model was read from.

    Attributes:
        path: The file; what it was when it was read is in `text`.
        text: All of it.
        symbol: The array that holds the model.
        data: The bytes of the array.
    """

    path: Path
    text: bytes
    symbol: str
    data: bytes


def spliced(source: CSource, data: bytes) -> bytes:
    """The source with other bytes in its array; the text itself if they are the same."""
    if data == source.data:
        return source.text
    arrays = [
        array
        for array in find_byte_arrays(source.text, str(source.path))
        if array.symbol == source.symbol and array.data == source.data
    ]
    pieces, end = [], 0
    for array in arrays:
        pieces.append(_resized(source.text[end : array.start], source.data, data))
        pieces.append(_body(source.text[array.start : array.end], source.data, data))
        end = array.end
    pieces.append(_resized(source.text[end:], source.data, data))
    return b"".join(pieces)


def _body(text: bytes, old: bytes, new: bytes) -> bytes:
    """The text between the braces: changed values alone where that is possible."""
    literals = [match for match in _TOKEN.finditer(text) if match[1] is not None]
    if len(old) == len(new) == len(literals) and _is_plain(text, literals):
        return _exchanged(text, literals, old, new)
    lines = text.split(b"\n")
    counts = Counter(line.count(b",") for line in lines if line.count(b",") > 1)
    usual = counts.most_common(1)[0][0] if len(counts) and len(lines) > 2 else BYTES_PER_LINE
    body = b"\n" + b"".join(c_array_body([new], len(new), min(usual, MOST_PER_LINE)))
    return body.replace(b"\n", b"\r\n") if b"\r\n" in text else body


def _is_plain(text: bytes, literals: list[re.Match[bytes]]) -> bool:
    """Whether every value is one unsigned decimal or hexadecimal literal."""
    octal = re.compile(rb"0[0-9]")
    if any(octal.match(literal[1]) for literal in literals):
        return False
    return b"-" not in _COMMENT.sub(b"", text)


def _exchanged(text: bytes, literals: list[re.Match[bytes]], old: bytes, new: bytes) -> bytes:
    """The text with the literals of changed bytes exchanged, spelled as the others are."""
    digits = b"".join(match[1][2:] for match in literals[:4096])
    form = b"%02X" if any(letter in digits for letter in b"ABCDEF") else b"%02x"
    if any(len(match[1]) == 3 and match[1][1:2] in b"xX" for match in literals):
        form = form.replace(b"02", b"")
    pieces, end = [], 0
    for match, before, after in zip(literals, old, new, strict=True):
        if before != after:
            prefix = match[1][:2] if match[1][1:2] in (b"x", b"X") else b""
            pieces += [text[end : match.start(1)], prefix, (form if prefix else b"%d") % after]
            end = match.end(1)
    return b"".join([*pieces, text[end:]])


def _resized(text: bytes, old: bytes, new: bytes) -> bytes:
    """The text around an array with its size changed wherever a literal states it."""
    if len(old) == len(new):
        return text

    def replace(match: re.Match[bytes]) -> bytes:
        digits, suffix = match.groups()
        if digits is None or int(digits, 16 if b"x" in digits.lower() else 10) != len(old):
            return match[0]
        return (b"%d" % len(new)) + suffix

    return _TOKEN.sub(replace, text)
