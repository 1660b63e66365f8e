# SPDX-License-Identifier: Apache-2.0
"""A walk over a C, C++ or Arduino source that finds its arrays of bytes.

This is a scanner, not a compiler: it knows comments, literals, directives and braces well
enough never to take one for another, and looks at what stands before a brace to tell an
array of bytes from a function. Macros are not expanded. Stripping comments by a pattern
first was rejected: it copies the whole text, and a comment can hold anything.
"""

import re
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from tflm_studio.formats.c_array_values import BadElementError, decode_hex, decode_values
from tflm_studio.formats.c_declarators import Declarator, read_declarator
from tflm_studio.model.errors import ReadError

MODEL_IDENTIFIER = b"TFL3"

_MAX_ARRAY_BYTES = 2**31 - 1
_MAX_PADDING_RATIO = 64
_MAX_HEAD_BYTES = 4096

_EVENT = re.compile(rb"[/\"'#{};]")
_LINE_COMMENT = re.compile(rb"//[^\\\r\n]*+(?:\\(?:\r\n|[\s\S]|\Z)[^\\\r\n]*+)*+")
_STRING = re.compile(rb"\"[^\"\\\r\n]*+(?:\\(?:\r\n|[\s\S]|\Z)[^\"\\\r\n]*+)*+\"?")
_CHARACTER = re.compile(rb"'[^'\\\r\n]*+(?:\\[\s\S][^'\\\r\n]*+)*+'?")
_RAW_PREFIX = re.compile(rb"(?:^|\W)(?:u8|[uUL])?R\Z")
_RAW_STRING = re.compile(rb"\"([^()\\\s]{0,16})\(")
_INSIDE_NUMBER = re.compile(rb"(?:^|[^\w'])[0-9][\w']*\Z")
_DIRECTIVE = re.compile(
    rb"#(?:[^\\\r\n/\"]++|\\(?:\r\n|[\s\S])|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
    rb"|//[^\\\r\n]*+|\"(?:[^\"\\\r\n]|\\.)*+\"|[/\"\\])*+"
)
_DIRECTIVE_PARTS = re.compile(rb"#[ \t]*(\w*)[ \t]*([^\r\n/]*)")
_CONDITIONAL = re.compile(
    rb"^[ \t]*#[ \t]*(if(?:n?def)?|elif(?:n?def)?|else|endif)\b", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class ByteArray:
    """One brace-initialised array of bytes in a source.

    Attributes:
        symbol: its C identifier.
        data: the bytes, with the zeros C adds when a larger size is declared.
        line: the line of its declaration, counted from 1.
        start: byte offset in the source of the text behind the opening brace.
        end: byte offset in the source of the closing brace.
    """

    symbol: str
    data: bytes
    line: int
    start: int
    end: int

    @property
    def holds_model(self) -> bool:
        """Whether the bytes carry the file identifier of a TensorFlow Lite model."""
        return self.data[4:8] == MODEL_IDENTIFIER


class Problem(NamedTuple):
    """An array of bytes that cannot be read, and whether it seems to be a model."""

    symbol: str
    message: str
    is_model: bool


class _Condition(NamedTuple):
    at: int
    always: bool


class CSourceScanner:
    """One walk over a source, from one significant character to the next.

    Args:
        source: The text.
        name: What messages call it.

    Attributes:
        arrays: Those that can be read, in file order.
        problems: Those of bytes that cannot be.
        declared: Names of arrays of bytes that are declared and not defined.
    """

    def __init__(self, source: bytes, name: str) -> None:
        self.arrays: list[ByteArray] = []
        self.problems: list[Problem] = []
        self.declared: list[str] = []
        self._source = source
        self._name = name
        self._blanks: list[tuple[int, int]] = []
        self._conditions: list[_Condition] = []
        self._boundary = 0
        self._array: Declarator | None = None
        self._start = 0
        self._depth = 0
        self._directive_problem: tuple[int, str] | None = None
        self._carried: frozenset[bytes] = frozenset()
        self._next_close = -1
        self._padding_left = min(_MAX_PADDING_RATIO * len(source), _MAX_ARRAY_BYTES)
        self._counted = (0, 1)

    def run(self) -> None:
        """Walks from the beginning to the end.

        Raises:
            ReadError: An array of bytes is never closed.
        """
        position = 0
        while (event := _EVENT.search(self._source, position)) is not None:
            position = self._STEPS[event.group()](self, event.start())
        if self._array is not None:
            self._leave_unclosed(self._array)

    def _slash(self, at: int) -> int:
        following = self._source[at + 1 : at + 2]
        if following == b"*":
            close = self._source.find(b"*/", at + 2)
            return self._blank(at, len(self._source) if close < 0 else close + 2)
        comment = _LINE_COMMENT.match(self._source, at)
        return at + 1 if comment is None else self._blank(at, comment.end())

    def _string(self, at: int) -> int:
        raw = _RAW_STRING.match(self._source, at)
        if raw is not None and _RAW_PREFIX.search(self._source[max(at - 4, 0) : at]):
            close = self._source.find(b")" + raw[1] + b'"', raw.end())
            return len(self._source) if close < 0 else close + len(raw[1]) + 2
        return _end_of(_STRING, self._source, at)

    def _character(self, at: int) -> int:
        if _INSIDE_NUMBER.search(self._source[max(at - 64, 0) : at]):
            return at + 1
        return _end_of(_CHARACTER, self._source, at)

    def _directive(self, at: int) -> int:
        before = self._source[max(at - 200, 0) : at].removeprefix(b"\xef\xbb\xbf")
        if before.rstrip(b" \t") and before.rstrip(b" \t")[-1:] not in b"\r\n":
            return at + 1
        end = self._blank(at, _end_of(_DIRECTIVE, self._source, at))
        parts = _DIRECTIVE_PARTS.match(self._source, at)
        word, argument = parts.groups() if parts else (b"", b"")
        if word in (b"if", b"ifdef", b"ifndef"):
            return self._enter_condition(at, end, argument.strip() if word == b"if" else b"")
        if word.startswith(b"el") and self._conditions:
            condition = self._conditions[-1]
            inside = self._array is not None and condition.at < self._start
            return self._skip_branch(end, to_else=False) if condition.always or inside else end
        if word == b"endif" and self._conditions:
            self._conditions.pop()
        if word in (b"include", b"embed"):
            self._note_directive(at, "the bytes are in another file, which is included here")
        return end

    def _enter_condition(self, at: int, end: int, argument: bytes) -> int:
        always = argument in (b"1", b"true")
        self._conditions.append(_Condition(at, always))
        if argument in (b"0", b"false"):
            return self._skip_branch(end, to_else=True)
        if not always:
            self._note_directive(at, "a condition (#if) decides which bytes are in the array")
        return end

    def _note_directive(self, at: int, reason: str) -> None:
        if self._array is not None and self._directive_problem is None:
            self._directive_problem = (at, reason)

    def _skip_branch(self, at: int, *, to_else: bool) -> int:
        depth = 0
        for match in _CONDITIONAL.finditer(self._source, at):
            if match[1].startswith(b"if"):
                depth += 1
            elif depth == 0 and (to_else or match[1] == b"endif"):
                # A branch after a dead one is live, so its own #else must not be skipped to.
                next_line = _end_of(
                    _DIRECTIVE, self._source, self._source.index(b"#", match.start())
                )
                if match[1] == b"endif":
                    self._conditions.pop()
                return self._blank(at, next_line)
            elif match[1] == b"endif":
                depth -= 1
        return self._blank(at, len(self._source))

    def _open(self, at: int) -> int:
        if self._array is not None:
            self._depth += 1
            return at + 1
        head_start = max(self._boundary, at - _MAX_HEAD_BYTES)
        self._boundary = at + 1
        found = (self._source.find(mark, head_start, at) for mark in (b"[", b"<"))
        if all(place < 0 for place in found):
            return at + 1
        array = read_declarator(self._text(head_start, at), head_start, self._carried)
        if array is None:
            return at + 1
        self._start = at + 1
        if self._next_close <= at:
            close = self._source.find(b"}", at)
            self._next_close = len(self._source) if close < 0 else close
        close = self._next_close
        data = decode_hex(self._source, at + 1, close) if close < len(self._source) else None
        if data is not None:
            self._finish(array, data, at + 1, close)
            return close + 1
        self._array = array
        return at + 1

    def _close(self, at: int) -> int:
        if self._array is None:
            self._boundary = at + 1
            return at + 1
        if self._depth:
            self._depth -= 1
            return at + 1
        array, start, end = self._array, self._start, at
        text = self._text(start, end)
        if text.lstrip()[:1] == b"{" and text.rstrip(b", \t\r\n")[-1:] == b"}":
            start, end = start + text.index(b"{") + 1, start + text.rindex(b"}")
            text = self._text(start, end)
        problem = self._directive_problem
        try:
            data = decode_values(text)
            if problem is None:
                self._finish(array, data, start, end)
            else:
                self._report(array, problem[0], problem[1], data)
        except BadElementError as error:
            self._report(array, start + error.offset, str(error), error.before)
        self._forget_array(at + 1)
        return at + 1

    def _end_statement(self, at: int) -> int:
        if self._array is not None:
            self._leave_unclosed(self._array)
        elif self._source.find(b"[", self._boundary, at) >= 0:
            head_start = max(self._boundary, at - _MAX_HEAD_BYTES)
            declared = read_declarator(self._text(head_start, at), head_start, frozenset())
            if declared is not None and declared.is_byte_type:
                self.declared.append(declared.symbol)
        self._forget_array(at + 1)
        return at + 1

    _STEPS: ClassVar[dict[bytes, Callable[["CSourceScanner", int], int]]] = {
        b"/": _slash,
        b'"': _string,
        b"'": _character,
        b"#": _directive,
        b"{": _open,
        b"}": _close,
        b";": _end_statement,
    }

    def _forget_array(self, boundary: int) -> None:
        self._carried = frozenset() if self._array is None else self._array.words
        self._array, self._directive_problem = None, None
        self._depth, self._boundary = 0, boundary

    def _leave_unclosed(self, array: Declarator) -> None:
        if array.is_byte_type:
            raise ReadError(
                f"{self._name}, line {self._line(array.at)}: the array {array.symbol} is"
                " opened here and never closed; the file may have been cut short, get it again"
            )

    def _finish(self, array: Declarator, data: bytes, start: int, end: int) -> None:
        missing = 0 if array.size is None else array.size - len(data)
        if missing < 0:
            reason = f"{len(data)} values do not fit the declared size of {array.size}"
            self._report(array, array.at, reason, data)
        elif missing > self._padding_left:
            reason = f"the declared size of {array.size} is out of proportion to the file"
            self._report(array, array.at, reason, data)
        else:
            self._padding_left -= missing
            padded = data + bytes(missing) if missing else data
            line = self._line(array.at)
            self.arrays.append(ByteArray(array.symbol, padded, line, start, end))
        self._carried, self._boundary = array.words, end + 1

    def _report(self, array: Declarator, at: int, reason: str, before: bytes) -> None:
        if array.is_byte_type:
            message = f"{self._name}, line {self._line(at)}: array {array.symbol}: {reason}"
            is_model = before[4:8] == MODEL_IDENTIFIER
            self.problems.append(Problem(array.symbol, message, is_model))

    def _blank(self, start: int, end: int) -> int:
        self._blanks.append((start, end))
        return end

    def _text(self, start: int, end: int) -> bytes:
        """Return a stretch of the source with comments and directives as spaces."""
        first = bisect_left(self._blanks, start, key=lambda blank: blank[1])
        last = bisect_left(self._blanks, end, key=lambda blank: blank[0])
        if first >= last:
            return self._source[start:end]
        text = bytearray(self._source[start:end])
        for blank_start, blank_end in self._blanks[first:last]:
            low, high = max(blank_start, start) - start, min(blank_end, end) - start
            text[low:high] = b" " * (high - low)
        return bytes(text)

    def _line(self, at: int) -> int:
        counted, line = self._counted if self._counted[0] <= at else (0, 1)
        line += self._source.count(b"\n", counted, at)
        self._counted = (at, line)
        return line


def _end_of(pattern: re.Pattern[bytes], source: bytes, at: int) -> int:
    match = pattern.match(source, at)
    return at + 1 if match is None else max(match.end(), at + 1)
