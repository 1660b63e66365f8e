# SPDX-License-Identifier: Apache-2.0
"""A model as the text of a C array, valid as C11 and as C++11 to C++17 alike."""

import re
from binascii import hexlify
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tflm_studio.model.errors import EditError, WriteError

Segment = bytes | bytearray | memoryview

_BLOCK_BYTES = 64 * 1024
_INDENT = 2
_MAX_ALIGNMENT = 4096
_MAX_BYTES_PER_LINE = 1024
_MAX_SIZE = 2**32 - 1

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FILE_SUFFIX = re.compile(
    r"\.(tflite|tfl|lite|fb|bin|json|h|hh|hpp|hxx|c|cc|cpp|cxx|ino|s)\Z", re.IGNORECASE
)
_KEYWORDS = frozenset(
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char char8_t"
    " char16_t char32_t class co_await co_return co_yield compl concept const const_cast"
    " consteval constexpr constinit continue decltype default delete do double dynamic_cast"
    " else enum explicit export extern false float for friend goto if inline int long mutable"
    " namespace new noexcept not not_eq nullptr operator or or_eq private protected public"
    " register reinterpret_cast requires restrict return short signed sizeof static"
    " static_assert static_cast struct switch template this thread_local throw true try"
    " typedef typeid typename typeof typeof_unqual union unsigned using virtual void volatile"
    " wchar_t while xor xor_eq main std"
    " _Alignas _Alignof _Atomic _Bool _Complex _Generic _Imaginary _Noreturn _Static_assert"
    " _Thread_local NULL EOF assert errno stdin stdout stderr linux unix i386 PROGMEM ALIGN"
    " size_t ptrdiff_t int8_t uint8_t int16_t uint16_t int32_t uint32_t int64_t"
    " uint64_t".split()
)

_SOURCE_TOP = """\
/* A TensorFlow Lite model of {size} bytes. Made by TFLM Studio. */
#ifndef __cplusplus
#include <stdalign.h>
#endif
{declarations}
alignas({alignment}) const unsigned char {symbol}[] = {{
"""
_SOURCE_END = """\
}};
const unsigned int {symbol}_len = {size};
"""
_DECLARATIONS = """\
#ifdef __cplusplus
extern "C" {{
#endif

extern const unsigned char {symbol}[];
extern const unsigned int {symbol}_len;

#ifdef __cplusplus
}}
#endif
"""
_HEADER = """\
/* A TensorFlow Lite model of {size} bytes. Made by TFLM Studio. */
#ifndef {guard}
#define {guard}

{declarations}
#endif /* {guard} */
"""


class NumberForm(Enum):
    """How the bytes of an array are spelled; each is as wide for every byte."""

    LOWER = "0x0f"
    UPPER = "0x0F"
    DECIMAL = "15"


def symbol_for(file_name: str, prefix: str = "g_") -> str:
    """Return a C identifier for a model file: `my-model.v2.tflite` gives `g_my_model_v2`."""
    stem = _FILE_SUFFIX.sub("", re.split(r"[/\\]", file_name)[-1])
    words = re.sub(r"[^A-Za-z0-9]+", "_", stem).strip("_") or "model"
    symbol = words if words.startswith(prefix) else prefix + words
    if symbol in _KEYWORDS or not _IDENTIFIER.fullmatch(symbol):
        symbol = f"model_{words}"
    return symbol


def check_symbol(symbol: str) -> str:
    """Return `symbol` when C and C++ both take it as a name.

    Raises:
        EditError: it is not an identifier, or a keyword.
    """
    if not _IDENTIFIER.fullmatch(symbol):
        reason = "use letters, digits and underscores only, and do not start with a digit"
    elif symbol in _KEYWORDS:
        reason = "C or C++ gives this word a meaning of its own"
    else:
        return symbol
    raise EditError(f"{symbol!r} cannot be the name of a C array: {reason}; try another name")


@dataclass(frozen=True, slots=True)
class CSourceStyle:
    """How the text of a C array looks.

    Attributes:
        symbol: the array's name; the size constant adds `_len` to it.
        alignment: what the array's address is a multiple of, a power of two.
        bytes_per_line: how many bytes stand on one line.
        header_name: the header the source includes; None declares the names in place.

    Raises:
        EditError: one of them cannot be used.
    """

    symbol: str
    alignment: int = 16
    bytes_per_line: int = 12
    header_name: str | None = None

    def __post_init__(self) -> None:
        check_symbol(self.symbol)
        if self.alignment.bit_count() != 1 or not 1 <= self.alignment <= _MAX_ALIGNMENT:
            raise EditError(
                f"alignment {self.alignment}: choose a power of two up to {_MAX_ALIGNMENT}"
            )
        if not 1 <= self.bytes_per_line <= _MAX_BYTES_PER_LINE:
            raise EditError(
                f"{self.bytes_per_line} bytes per line: choose 1 to {_MAX_BYTES_PER_LINE}"
            )
        if self.header_name is not None and not _is_header_name(self.header_name):
            raise EditError(
                f"{self.header_name!r} cannot be the name of a header:"
                " leave out quotes, backslashes and control characters"
            )


def c_source_chunks(
    segments: Iterable[Segment], size: int, style: CSourceStyle
) -> Iterator[bytes]:
    """Yield the source text piece by piece; memory stays below a few hundred KiB.

    Args:
        segments: the model's bytes, cut anywhere.
        size: their total length.
        style: the names and the look of the text.

    Raises:
        WriteError: C cannot hold an array of that size, or the segments do not add up to it.
    """
    check_size(size)
    fields = {"symbol": style.symbol, "size": size, "alignment": style.alignment}
    declarations = (
        f'#include "{style.header_name}"\n'
        if style.header_name is not None
        else "\n" + _DECLARATIONS.format(**fields)
    )
    yield _SOURCE_TOP.format(declarations=declarations, **fields).encode()
    yield from c_array_body(segments, size, style.bytes_per_line)
    yield _SOURCE_END.format(**fields).encode()


def c_header(size: int, style: CSourceStyle) -> bytes:
    """Return the header that declares the array and its size constant.

    Raises:
        WriteError: C cannot hold an array of that size.
    """
    check_size(size)
    name = style.header_name if style.header_name is not None else f"{style.symbol}.h"
    declarations = _DECLARATIONS.format(symbol=style.symbol)
    return _HEADER.format(size=size, guard=guard_for(name), declarations=declarations).encode()


def check_size(size: int) -> None:
    """Refuses what C cannot hold in an array.

    Raises:
        WriteError: It is empty or too large.
    """
    if not 0 < size <= _MAX_SIZE:
        raise WriteError(f"a C array can hold 1 to {_MAX_SIZE} bytes, not {size}")


def _is_header_name(name: str) -> bool:
    return bool(name.strip()) and name.isprintable() and not set(name) & set('"\\')


def guard_for(header_name: str) -> str:
    """The macro that keeps a header from being taken in twice."""
    words = re.sub(r"[^A-Za-z0-9]+", "_", header_name).strip("_").upper() or "MODEL_H"
    return f"MODEL_{words}_" if words[0].isdigit() else f"{words}_"


def c_array_body(
    segments: Iterable[Segment],
    size: int,
    bytes_per_line: int,
    form: NumberForm = NumberForm.LOWER,
) -> Iterator[bytes]:
    """Yield the lines between the braces, piece by piece.

    Raises:
        WriteError: the segments do not add up to `size` bytes.
    """
    rows = _BLOCK_BYTES // bytes_per_line
    canvas = np.tile(_blank_line(bytes_per_line, form), (rows, 1))
    written = 0
    for block in _blocks(segments, rows * bytes_per_line):
        written += len(block)
        whole = len(block) // bytes_per_line
        rest = block[whole * bytes_per_line :]
        text = _spell(block[: whole * bytes_per_line], canvas[:whole], form) if whole else b""
        if rest:
            text += _spell(rest, _blank_line(len(rest), form), form)
        # The last value has no comma, so that C90 tools and `xxd -i` agree with the text.
        yield text if written < size else text[:-2] + b"\n"
        if written > size:
            break
    if written != size:
        raise WriteError(
            f"the model holds {written} bytes or more where {size} were announced"
        )


def _blocks(segments: Iterable[Segment], length: int) -> Iterator[bytes]:
    """Cut the segments anew, into blocks of one length and a rest."""
    pending = bytearray()
    for segment in segments:
        view = memoryview(segment)
        flat = view.cast("B") if view.nbytes else memoryview(b"")
        taken = 0
        while taken < len(flat):
            step = min(length - len(pending), len(flat) - taken)
            pending += flat[taken : taken + step]
            taken += step
            if len(pending) == length:
                yield bytes(pending)
                pending.clear()
    if pending:
        yield bytes(pending)


def _blank_line(row_bytes: int, form: NumberForm) -> NDArray[np.uint8]:
    item = "..." if form is NumberForm.DECIMAL else "0x.."
    line = (" " * _INDENT + ", ".join([item] * row_bytes) + ",\n").encode()
    return np.frombuffer(line, np.uint8).reshape(1, -1).copy()


def _spell(block: bytes, canvas: NDArray[np.uint8], form: NumberForm) -> bytes:
    """Write the digits of a block into lines that hold everything else already."""
    digits: NDArray[np.generic]
    if form is NumberForm.DECIMAL:
        digits, before = _decimals()[np.frombuffer(block, np.uint8)], ""
    else:
        text = hexlify(block) if form is NumberForm.LOWER else hexlify(block).upper()
        digits, before = np.frombuffer(text, np.uint16), "0x"
    rows = digits.reshape(len(canvas), -1)
    step = (canvas.strides[0], len(before) + digits.itemsize + len(", "))
    places = np.ndarray(rows.shape, digits.dtype, canvas, _INDENT + len(before), step)
    places[...] = rows
    return canvas.tobytes()


@lru_cache(maxsize=1)
def _decimals() -> NDArray[np.void]:
    """The three characters of every byte."""
    return np.frombuffer(b"".join(b"%3d" % byte for byte in range(256)), np.dtype("V3"))
