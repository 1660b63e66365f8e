# SPDX-License-Identifier: Apache-2.0
"""New bytes for the array of a C source that is otherwise left as it is.

Where the number of bytes stays, only the literals of changed bytes are exchanged, in the
spelling of the others. Where it does not, the text between the braces is written anew in its
own style, and the literals that state the array's size: `[300568]`, `model_len = 300568`.
Comments, strings and other numbers are never touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from tflm_studio.formats.c_array_style import array_style
from tflm_studio.formats.c_literal_exchange import exchanged
from tflm_studio.formats.c_source_reader import choose_model_array, find_byte_arrays
from tflm_studio.model.errors import ReadError

C_SUFFIXES = frozenset({".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".ino", ".inc"})
HEADER_SUFFIXES = frozenset({".h", ".hh", ".hpp"})
MAX_HEADER_BYTES = 2**30
MOST_DIGITS = 64  # of a size

# Every quantifier that may meet hostile text keeps what it took: none is tried twice.
_COMMENT_TEXT = rb"//[^\r\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
_STRING_TEXT = rb"|\"(?:[^\"\\\r\n]++|\\.)*+\"?"

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
_INCLUDE = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"([^"\r\n]+)"', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class CSource:
    """The C source that a model was read from: a `HostFile`.

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

    @property
    def notes(self) -> list[str]:
        return []

    def may_be(self, path: Path) -> bool:
        return path.suffix.lower() in C_SUFFIXES

    def with_data(self, data: bytes, path: Path) -> dict[Path, bytes]:
        """The source, and the headers beside it that state the length of the array."""
        files = {path: spliced(self, data)}
        held = self.data_in(_read(path) or b"")
        old = len(self.data if held is None else held)
        for header in headers_beside(path, self.text) if old != len(data) else ():
            text = _read(header) or b""
            new = resized(self, text, old, len(data))
            if new != text:
                files[header] = new
        return files

    def data_in(self, text: bytes) -> bytes | None:
        try:
            return choose_model_array(text, str(self.path), self.symbol).data
        except ReadError:
            return None

    def on(self, text: bytes) -> CSource:
        data = self.data_in(text)
        return self if data is None else replace(self, text=text, data=data)


def headers_beside(path: Path, text: bytes) -> list[Path]:
    """The headers in the folder of a source that it includes, or that are named after it."""
    names = {match[1].decode("utf-8", "surrogateescape") for match in _INCLUDE.finditer(text)}
    wanted = {Path(name).name for name in names}
    wanted |= {path.with_suffix(suffix).name for suffix in HEADER_SUFFIXES}
    found = [path.with_name(name) for name in sorted(wanted) if name not in ("", "..")]
    return [
        each
        for each in found
        if each != path and each.suffix in HEADER_SUFFIXES and each.is_file()
    ]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_HEADER_BYTES else None
    except OSError:
        return None


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
    others = {array.symbol for array in arrays} - {source.symbol}
    blanks = [(each.start, each.end, b" " * (each.end - each.start)) for each in arrays]
    code = _with_changes(source.text, blanks)
    changes += _size_changes(code, source.symbol, others, len(source.data), len(data))
    return _with_changes(source.text, changes)


def resized(source: CSource, text: bytes, old: int, new: int) -> bytes:
    """Another file, such as a header, with a new length where it states that of the array."""
    arrays = find_byte_arrays(source.text, str(source.path))
    others = {array.symbol for array in arrays} - {source.symbol}
    return _with_changes(text, _size_changes(text, source.symbol, others, old, new))


def _with_changes(text: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    pieces, end = [], 0
    for start, stop, piece in sorted(changes):
        pieces += [text[end:start], piece]
        end = stop
    return b"".join([*pieces, text[end:]])


def _size_changes(
    text: bytes, symbol: str, others: set[str], old: int, new: int
) -> list[tuple[int, int, bytes]]:
    if old == new:
        return []
    return [
        (start, end, _spelled(text[start:end], new))
        for start, end in _sizes(text, symbol, others, old)
    ]


def _spelled(literal: bytes, size: int) -> bytes:
    """A size in the notation of another."""
    if literal[:2] not in (b"0x", b"0X"):
        return b"%d" % size
    form = b"%X" if any(letter in literal for letter in b"ABCDEF") else b"%x"
    return literal[:2] + (form % size).rjust(len(literal) - 2, b"0")


def _sizes(text: bytes, symbol: str, others: set[str], old: int) -> Iterator[tuple[int, int]]:
    """Where literals state the size of the array: in its own declaration, and as constants.

    A constant counts if it is called a length or size and named after the array; if none is,
    the only one so called that holds the size and is not named after another array.
    """
    plain = _IGNORED.sub(lambda match: b" " * len(match[0]), text)
    name = re.escape(symbol.encode())
    for pattern in (_BRACKET, _TEMPLATE):
        for match in re.finditer(pattern % name, plain):
            if _value(match[1]) == old:
                yield match.span(1)
    constants = [match for match in _CONSTANT.finditer(plain) if _value(match[2]) == old]
    own = [
        match
        for match in constants
        if _is_named_after(match[1].decode("latin-1").lower(), symbol, others)
    ]
    alien = [o.lower() for o in others]
    strangers = [
        match
        for match in constants
        if not any(match[1].decode("latin-1").lower().startswith(o) for o in alien)
    ]
    chosen = own if own or len(strangers) != 1 else strangers
    yield from (match.span(2) for match in chosen)


def _is_named_after(constant: str, symbol: str, others: set[str]) -> bool:
    """Whether a constant has the array's name in its own, and no longer one of another."""
    stem, *alien = (re.sub(r"^g_|_(data|model)$", "", s).lower() for s in (symbol, *others))
    return stem in constant and not any(
        other in constant and len(other) > len(stem) for other in alien
    )


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
    found = exchanged(text, old, new) if len(old) == len(new) else None
    return array_style(text).body(new) if found is None else found
