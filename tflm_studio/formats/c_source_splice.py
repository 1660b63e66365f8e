# SPDX-License-Identifier: Apache-2.0
"""New bytes for the array of a C source that is otherwise left as it is.

Where the number of bytes stays, only the literals of changed bytes are exchanged, in the
spelling of the others. Where it does not, the text between the braces is written anew in its
own style, and the literals that state the array's size: `[300568]`, `model_len = 300568`.
Comments, strings and other numbers are never touched, save for the comment in which our own
exports state size and digest of the model.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tflm_studio.formats.c_array_style import array_style
from tflm_studio.formats.c_literal_exchange import exchanged
from tflm_studio.formats.c_size_literals import extent_before, size_literals, spelled
from tflm_studio.formats.c_source_reader import choose_model_array, find_byte_arrays
from tflm_studio.formats.c_source_scanner import ByteArray
from tflm_studio.formats.provenance_comment import restated
from tflm_studio.model.errors import ReadError, WriteError

C_SUFFIXES = frozenset({".c", ".cc", ".cpp", ".cxx", ".h", ".hh", ".hpp", ".ino", ".inc"})
HEADER_SUFFIXES = frozenset({".h", ".hh", ".hpp"})
MAX_HEADER_BYTES = 2**30


_INCLUDE = re.compile(rb'#[ \t]*include[ \t]*"([^"\r\n]+)"')
_MOST_INDENT = 200
_BLANK = b" " * 512  # in place of a long array: more than is looked at around a size


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
        """The source, and the headers beside it that state the length of the array.

        Raises:
            WriteError: The array has a size that cannot be brought up to date.
        """
        place = _place(self)
        source = _spliced(self, place, data)
        files, is_settled = {path: source.text}, source.is_settled
        there = _read(path) or b""
        held = self.data if there == self.text else self.data_in(there)
        old = self.data if held is None else held
        for header in headers_beside(path, self.text) if old != data else ():
            text = _read(header) or b""
            if self.data_in(text) is not None:
                continue  # it has a model of its own, whose length it states
            resized = _resized(self.symbol, place, text, old, data)
            is_settled |= resized.is_settled
            if resized.text != text:
                files[header] = resized.text
        if len(data) != len(self.data) and place.extent and not is_settled:
            raise WriteError(
                f"{path}: the model now has {len(data):,} bytes, and where the size "
                f"'{place.extent.decode('latin-1')}' of {self.symbol} is given could not be "
                f"found. Write {self.symbol}[] in the source and open it again, or save the "
                "model under another name."
            )
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
    names = {
        match[1].decode("utf-8", "surrogateescape")
        for match in _INCLUDE.finditer(text)
        if _begins_line(text, match.start())
    }
    wanted = {Path(name).name for name in names}
    wanted |= {path.with_suffix(suffix).name for suffix in HEADER_SUFFIXES}
    found = [path.with_name(name) for name in sorted(wanted) if name not in ("", "..")]
    return [
        each
        for each in found
        if each != path and each.suffix in HEADER_SUFFIXES and each.is_file()
    ]


def _begins_line(text: bytes, at: int) -> bool:
    before = text[max(at - _MOST_INDENT, 0) : at].rstrip(b" \t")
    return before[-1:] in (b"", b"\n")


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes() if path.stat().st_size <= MAX_HEADER_BYTES else None
    except OSError:
        return None


def spliced(source: CSource, data: bytes) -> bytes:
    """The source with other bytes in its array; the text itself if they are the same."""
    return _spliced(source, _place(source), data).text


class _Place(NamedTuple):
    """Where a model stands in its source.

    Attributes:
        arrays: All arrays.
        others: Their names, but for that of the model.
        extent: What stands in the brackets of the model's if it is no literal.
    """

    arrays: list[ByteArray]
    others: set[str]
    extent: bytes


class _Resized(NamedTuple):
    """A text with other sizes.

    Attributes:
        text: All of it.
        is_settled: Whether it gives the size that the array's brackets name.
    """

    text: bytes
    is_settled: bool


def _place(source: CSource) -> _Place:
    arrays = find_byte_arrays(source.text, str(source.path))
    own = [each for each in arrays if each.symbol == source.symbol]
    extents = [extent_before(source.text, each.symbol, each.start) for each in own]
    others = {each.symbol for each in arrays} - {source.symbol}
    return _Place(arrays, others, next(filter(None, extents), b""))


def _spliced(source: CSource, place: _Place, data: bytes) -> _Resized:
    if data == source.data:
        return _Resized(source.text, True)
    text = source.text
    changes = [
        (array.start, array.end, _body(text[array.start : array.end], array.data, data))
        for array in place.arrays
        if array.symbol == source.symbol and array.data == source.data
    ]
    code, back = _without_arrays(text, place.arrays)
    found, is_settled = _size_changes(source.symbol, place, code, len(source.data), len(data))
    sizes = [(back(start), back(end), piece) for start, end, piece in found]
    own = {start for start, *_ in changes}
    spans = [(each.start, each.end, each.start in own) for each in place.arrays]
    told = restated(text, source.data, data, spans)
    return _Resized(_with_changes(text, [*changes, *sizes, *told]), is_settled)


def _without_arrays(
    text: bytes, arrays: list[ByteArray]
) -> tuple[bytes, Callable[[int], int]]:
    """The text with a few blanks for each array, and where a place in it is in the text."""
    blanks = sorted((each.start, each.end, _BLANK[: each.end - each.start]) for each in arrays)
    begins, missing = [], [0]
    for start, end, blank in blanks:
        begins.append(start - missing[-1] + 1)
        missing.append(missing[-1] + end - start - len(blank))
    code = _with_changes(text, blanks)
    return code, lambda at: at + missing[bisect_right(begins, at)]


def _resized(symbol: str, place: _Place, text: bytes, old: bytes, new: bytes) -> _Resized:
    """Another file, such as a header, with a new length where it states that of the array."""
    sizes, is_settled = _size_changes(symbol, place, text, len(old), len(new))
    return _Resized(_with_changes(text, [*sizes, *restated(text, old, new)]), is_settled)


def _with_changes(text: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    pieces, end = [], 0
    for start, stop, piece in sorted(changes):
        pieces += [text[end:start], piece]
        end = stop
    return b"".join([*pieces, text[end:]])


def _size_changes(
    symbol: str, place: _Place, text: bytes, old: int, new: int
) -> tuple[list[tuple[int, int, bytes]], bool]:
    if old == new:
        return [], True
    found = size_literals(text, symbol, place.others, old, place.extent)
    changes = [(start, end, spelled(text[start:end], new)) for start, end in found.spans]
    return changes, found.has_extent


def _body(text: bytes, old: bytes, new: bytes) -> bytes:
    """The text between the braces: changed values alone where that is possible."""
    found = exchanged(text, old, new) if len(old) == len(new) else None
    return array_style(text).body(new) if found is None else found
