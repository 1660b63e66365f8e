# SPDX-License-Identifier: Apache-2.0
"""New bytes for the array of a C source that is otherwise left as it is.

Where the number of bytes stays, only the literals of changed bytes are exchanged, in the
spelling of the others. Where it does not, the text between the braces is written anew, and
the literals that state the array's size: `[300568]`, `model_len = 300568`. Comments, strings
and other numbers are never touched.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tflm_studio.formats.c_source_reader import find_byte_arrays
from tflm_studio.formats.c_source_writer import c_array_body

BYTES_PER_LINE = 12  # where the source has no lines to go by
MOST_PER_LINE = 64
MOST_DIGITS = 64  # of a size

# Every quantifier that may meet hostile text keeps what it took: none is tried twice.
_COMMENT_TEXT = rb"//[^\r\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
_STRING_TEXT = rb"|\"(?:[^\"\\\r\n]++|\\.)*+\"?"
_TOKEN = re.compile(
    _COMMENT_TEXT + _STRING_TEXT + rb"|(?<!\\)'(?:[^'\\\r\n]++|\\.)*+'"
    rb"|(?<![\w.])(0[xX][0-9a-fA-F]+|[0-9]+)([uUlLzZ]*)(?![\w.])"
)

# Comments and strings, which never state a size that counts.
_IGNORED = re.compile(_COMMENT_TEXT + _STRING_TEXT)
_NUMBER = rb"(0[xX][0-9a-fA-F][0-9a-fA-F']*+|[0-9][0-9']*+)[uUlLzZ]*+"
_BRACKET = rb"\b%s\s*\[\s*" + _NUMBER + rb"\s*\]"
_TEMPLATE = rb",\s*" + _NUMBER + rb"\s*>\s*(?:\w+\s+)*%s\b"
_CONSTANT = re.compile(
    rb"(?<!\w)(?!\w*?(?i:arena))(?=\w*?(?i:len|size))(\w++)(?:\s*+[={(]\s*+|[ \t]++)"
    + _NUMBER
    + rb"(?=\s*[;})\r\n]|\s*$)"
)
_COMMENT = re.compile(_COMMENT_TEXT)


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
    arrays = find_byte_arrays(source.text, str(source.path))
    changes = [
        (array.start, array.end, _body(source.text[array.start : array.end], array.data, data))
        for array in arrays
        if array.symbol == source.symbol and array.data == source.data
    ]
    if len(data) != len(source.data):
        others = {array.symbol for array in arrays} - {source.symbol}
        size = b"%d" % len(data)
        changes += [(*span, size) for span in _sizes(source, others)]
    pieces, end = [], 0
    for start, stop, text in sorted(changes):
        pieces += [source.text[end:start], text]
        end = stop
    return b"".join([*pieces, source.text[end:]])


def _sizes(source: CSource, others: set[str]) -> Iterator[tuple[int, int]]:
    """Where literals state the size of the array: in its own declaration, and as constants.

    A constant counts if it is called a length or size and named after the array; if none is,
    the only one so called that holds the size and is not named after another array.
    """
    plain, old = (
        _IGNORED.sub(lambda match: b" " * len(match[0]), source.text),
        len(source.data),
    )
    name = re.escape(source.symbol.encode())
    for pattern in (_BRACKET, _TEMPLATE):
        for match in re.finditer(pattern % name, plain):
            if _value(match[1]) == old:
                yield match.span(1)
    constants = [match for match in _CONSTANT.finditer(plain) if _value(match[2]) == old]
    stem = re.sub(r"^g_|_(data|model)$", "", source.symbol).lower()
    own = [match for match in constants if stem in match[1].decode("latin-1").lower()]
    alien = [o.lower() for o in others]
    strangers = [
        match
        for match in constants
        if not any(match[1].decode("latin-1").lower().startswith(o) for o in alien)
    ]
    chosen = own if own or len(strangers) != 1 else strangers
    yield from (match.span(2) for match in chosen)


def _value(literal: bytes) -> int:
    """The number of a literal; -1 for one that is larger than any file."""
    digits = literal.replace(b"'", b"").lower()
    if len(digits) > MOST_DIGITS:
        return -1
    if digits.startswith(b"0x"):
        return int(digits, 16)
    is_octal = len(digits) > 1 and digits.startswith(b"0") and not set(digits) & set(b"89")
    return int(digits, 8 if is_octal else 10)


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
