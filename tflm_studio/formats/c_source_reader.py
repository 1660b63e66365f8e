# SPDX-License-Identifier: Apache-2.0
"""The byte arrays of a C, C++ or Arduino source, and the one among them that is a model."""

import re

from tflm_studio.formats.c_source_scanner import MODEL_IDENTIFIER, ByteArray, CSourceScanner
from tflm_studio.model.errors import ReadError

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


def _scan(source: bytes, name: str) -> CSourceScanner:
    if b"\0" in source:
        raise ReadError(
            f"{name}: this is not a C source but binary data, or text in UTF-16;"
            " save the text as UTF-8 and open it again"
        )
    scanner = CSourceScanner(source, name)
    scanner.run()
    return scanner


def _why_no_model(
    scanner: CSourceScanner, name: str, symbol: str | None, named: list[ByteArray]
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
