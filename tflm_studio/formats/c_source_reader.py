# SPDX-License-Identifier: Apache-2.0
"""The byte arrays of a C, C++ or Arduino source, and the one among them that is a model.

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

from tflm_studio.formats.c_array_values import (
    NUMBER,
    BadElementError,
    decode_hex,
    decode_values,
    number_of,
)
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

_TEXT_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_C_TOKENS = re.compile(
    rb"^[ \t]*#[ \t]*include[ \t]*[<\"]"
    rb"|^[ \t]*#(?:define|if|ifdef|ifndef|pragma)[ \t]+\w"
    rb"|\]\s*+(?:\w++\s*+)*+=?\s*+\{|\barray\s*+<[^<>;]*+>\s*+\w++\s*+=?\s*+\{"
    rb"|\b(?:const|constexpr|inline|static|extern|alignas\s*+\([^)]{0,200}\))\s+"
    rb"(?:const|constexpr|inline|static|unsigned|signed|char|int|void|std::\w+|u?int\d+_t)\b"
    rb"|\bunsigned\s+(?:char|int)\b|\bextern\s*\"C\"|\bnamespace(?:\s+\w+)?\s*\{",
    re.MULTILINE,
)


class SeveralModelsError(ReadError):
    """A source holds several models and nothing says which is meant.

    Attributes:
        symbols: the names of the arrays that hold a model, in file order.
        labels: what a person chooses from, one for each of them.
    """

    def __init__(
        self, message: str, symbols: tuple[str, ...], labels: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.symbols = symbols
        self.labels = labels or symbols


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


def find_byte_arrays(source: bytes, name: str) -> list[ByteArray]:
    """Return every readable byte array of a source, in file order.

    An array that cannot be evaluated (its values are names, say) is left out, unless its
    first bytes say that it is a model.

    Raises:
        ReadError: the source is not text, an array is never closed, or a model is damaged.
    """
    scanner = _scan(source, name)
    for problem in scanner.problems:
        if problem.is_model:
            raise ReadError(problem.message)
    return scanner.arrays


def choose_model_array(source: bytes, name: str, symbol: str | None = None) -> ByteArray:
    """Return the array of a source that holds a model: the only one, or the one named.

    Raises:
        SeveralModelsError: several arrays hold a model and `symbol` does not decide.
        ReadError: there is no such array, or it is damaged.
    """
    scanner = _scan(source, name)
    for problem in scanner.problems:
        if problem.symbol == symbol or (symbol is None and problem.is_model):
            raise ReadError(problem.message)
    named = [array for array in scanner.arrays if symbol in (None, array.symbol)]
    models = [array for array in named if array.holds_model]
    if not models:
        raise ReadError(_why_no_model(scanner, name, symbol, named))
    if any(
        model.data != models[0].data or model.symbol != models[0].symbol for model in models
    ):
        raise _several_models(models, name)
    return models[0]


def looks_like_c_source(head: bytes) -> bool:
    """Whether the first bytes of a file are C text: a cheap guess, not a promise."""
    if _TEXT_CONTROL.search(head):
        return False
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith((b"//", b"/*")) or _C_TOKENS.search(text) is not None


class _Problem(NamedTuple):
    symbol: str
    message: str
    is_model: bool


class _Declarator(NamedTuple):
    symbol: str
    at: int
    size: int | None
    is_byte_type: bool
    words: frozenset[bytes]


class _Condition(NamedTuple):
    at: int
    always: bool


class _Token(NamedTuple):
    text: bytes
    at: int


def _scan(source: bytes, name: str) -> "_Scanner":
    if b"\0" in source:
        raise ReadError(
            f"{name}: this is not a C source but binary data, or text in UTF-16;"
            " save the text as UTF-8 and open it again"
        )
    scanner = _Scanner(source, name)
    scanner.run()
    return scanner


def _why_no_model(
    scanner: "_Scanner", name: str, symbol: str | None, named: list[ByteArray]
) -> str:
    if named:
        sizes = ", ".join(f"{each.symbol} ({len(each.data)} bytes)" for each in named[:20])
        return (
            f"{name}: no array holds a model ({MODEL_IDENTIFIER.decode()} at byte 4);"
            f" found {sizes}; open the source that contains the model's bytes"
        )
    if symbol is not None and scanner.arrays:
        known = ", ".join(array.symbol for array in scanner.arrays[:20])
        return f"{name}: there is no byte array {symbol!r}; choose one of {known}"
    if scanner.problems:
        return scanner.problems[0].message
    if scanner.declared:
        return (
            f"{name}: {', '.join(scanner.declared[:20])} is only declared here;"
            " open the source file that defines the bytes"
        )
    return f"{name}: no brace-initialised byte array found; is this the file with the model?"


def _several_models(models: list[ByteArray], name: str) -> SeveralModelsError:
    listed = ", ".join(f"{m.symbol} ({len(m.data)} bytes, line {m.line})" for m in models)
    symbols = tuple(model.symbol for model in models)
    advice = (
        "name the array you want"
        if len(set(symbols)) == len(symbols)
        else "arrays that share a name cannot be told apart: remove or rename all but one"
    )
    return SeveralModelsError(
        f"{name}: several arrays hold a model: {listed}; {advice}", symbols
    )


class _Scanner:
    """One walk over a source, from one significant character to the next."""

    def __init__(self, source: bytes, name: str) -> None:
        self.arrays: list[ByteArray] = []
        self.problems: list[_Problem] = []
        self.declared: list[str] = []
        self._source = source
        self._name = name
        self._blanks: list[tuple[int, int]] = []
        self._conditions: list[_Condition] = []
        self._boundary = 0
        self._array: _Declarator | None = None
        self._start = 0
        self._depth = 0
        self._directive_problem: tuple[int, str] | None = None
        self._carried: frozenset[bytes] = frozenset()
        self._next_close = -1
        self._padding_left = min(_MAX_PADDING_RATIO * len(source), _MAX_ARRAY_BYTES)
        self._counted = (0, 1)

    def run(self) -> None:
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
        if (
            self._source.find(b"[", head_start, at)
            < 0
            > self._source.find(b"<", head_start, at)
        ):
            return at + 1
        array = _declarator(self._text(head_start, at), head_start, self._carried)
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
            declared = _declarator(self._text(head_start, at), head_start, frozenset())
            if declared is not None and declared.is_byte_type:
                self.declared.append(declared.symbol)
        self._forget_array(at + 1)
        return at + 1

    _STEPS: ClassVar[dict[bytes, Callable[["_Scanner", int], int]]] = {
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

    def _leave_unclosed(self, array: _Declarator) -> None:
        if array.is_byte_type:
            raise ReadError(
                f"{self._name}, line {self._line(array.at)}: the array {array.symbol} is"
                " opened here and never closed; the file may have been cut short, get it again"
            )

    def _finish(self, array: _Declarator, data: bytes, start: int, end: int) -> None:
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

    def _report(self, array: _Declarator, at: int, reason: str, before: bytes) -> None:
        if array.is_byte_type:
            message = f"{self._name}, line {self._line(at)}: array {array.symbol}: {reason}"
            is_model = before[4:8] == MODEL_IDENTIFIER
            self.problems.append(_Problem(array.symbol, message, is_model))

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


def _declarator(head: bytes, offset: int, carried: frozenset[bytes]) -> _Declarator | None:
    """Read what stands before a brace (or a semicolon) as the declaration of an array."""
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
    return _Declarator(
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
