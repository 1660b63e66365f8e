# SPDX-License-Identifier: Apache-2.0
"""New bytes for the array of a C source that is otherwise left as it is.

Only the text between the braces changes and, if the number of bytes does, every literal that
states it: `[300568]`, `model_len = 300568`. Comments and strings are never touched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tflm_studio.formats.c_source_reader import find_byte_arrays
from tflm_studio.formats.c_source_writer import c_array_body

BYTES_PER_LINE = 12

_TOKEN = re.compile(
    rb"//[^\r\n]*|/\*[\s\S]*?\*/|\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\\\r\n]|\\.)*'"
    rb"|(?<![\w.])(0[xX][0-9a-fA-F]+|[0-9]+)([uUlLzZ]*)(?![\w.])"
)


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
    body = b"\n" + b"".join(c_array_body([data], len(data), BYTES_PER_LINE))
    if b"\r\n" in source.text:
        body = body.replace(b"\n", b"\r\n")
    pieces, end = [], 0
    for array in arrays:
        pieces += [_resized(source.text[end : array.start], source.data, data), body]
        end = array.end
    pieces.append(_resized(source.text[end:], source.data, data))
    return b"".join(pieces)


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
