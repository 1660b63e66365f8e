# SPDX-License-Identifier: Apache-2.0
"""The way the values of a C array are written down, learned from one and used for others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tflm_studio.formats.c_source_writer import c_array_body

BYTES_PER_LINE = 12  # where the source has no lines to go by
MOST_PER_LINE = 64
SAMPLE_BYTES = 2**15  # of the text that are looked at
TAIL_BYTES = 4096

_COMMENT = rb"//[^\r\n]*+|/\*(?:[^*]++|\*(?!/))*+(?:\*/|\Z)"
_VALUE = re.compile(
    _COMMENT + rb"|(?:(-)[ \t]*)?(?<![\w.])(0[xX][0-9a-fA-F]+|[0-9]+)([uUlLzZ]*)(?![\w.])"
)
_COMMENT_OR_VALUE = re.compile(_COMMENT + rb"|(?:-[ \t]*)?(?<![\w.])\w+(?![\w.])")
_NOT_PLAIN = re.compile(rb"[^\s,]")
_GAP = re.compile(rb"\s*,\s*")
_BREAK = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class ArrayStyle:
    """How values are written.

    Attributes:
        spellings: The text of each byte.
        lead: What stands before the first value.
        separator: What stands between two values on a line.
        line_break: What stands between two lines, comma and indentation included.
        per_line: How many values a line has; 0 for all on one.
        tail: What stands behind the last value.
    """

    spellings: tuple[bytes, ...]
    lead: bytes
    separator: bytes
    line_break: bytes
    per_line: int
    tail: bytes

    def body(self, data: bytes) -> bytes:
        """The text between the braces for other bytes."""
        if self == _own_style(self.per_line):
            return b"\n" + b"".join(c_array_body([data], len(data), self.per_line))
        step = self.per_line or max(len(data), 1)
        even = len(data) // step * step if len(set(map(len, self.spellings))) == 1 else 0
        lines = [self._even_lines(data[:even], step)] if even else []
        spelled = [self.spellings[byte] for byte in data[even:]]
        lines += [
            self.separator.join(spelled[k : k + step]) for k in range(0, len(spelled), step)
        ]
        return self.lead + self.line_break.join(lines) + self.tail

    def _even_lines(self, data: bytes, step: int) -> bytes:
        """Full lines of numbers that are all as wide: their places are known beforehand."""
        width = len(self.spellings[0])
        line = self.separator.join([b" " * width] * step) + self.line_break
        canvas = np.tile(np.frombuffer(line, np.uint8), (len(data) // step, 1))
        numbers = np.array(self.spellings)[np.frombuffer(data, np.uint8)]
        strides = (len(line), width + len(self.separator))
        np.ndarray((len(canvas), step), numbers.dtype, canvas, 0, strides)[...] = (
            numbers.reshape(-1, step)
        )
        return canvas.tobytes()[: -len(self.line_break)]


def array_style(text: bytes) -> ArrayStyle:
    """The style of the text between the braces of an array of bytes."""
    sample = text[:SAMPLE_BYTES]
    if len(sample) < len(text):
        sample = sample[: sample.rfind(b",") + 1]  # no number is cut in two
    values = _values(sample)
    if len(values) < 2 or _NOT_PLAIN.search(_COMMENT_OR_VALUE.sub(b"", sample)):
        return _own_style(BYTES_PER_LINE, b"\r\n" if b"\r\n" in text else b"\n")
    gaps = [text[one.end() : other.start()] for one, other in pairwise(values)]
    breaks = [gap for gap in gaps if _BREAK.search(gap)]
    inside = [gap for gap in gaps if not _BREAK.search(gap)]
    per_line = _per_line(gaps) if breaks else 0
    return ArrayStyle(
        _spellings(values),
        text[: values[0].start()],
        _usual(inside, b", "),
        _usual(breaks, b",\n  "),
        per_line,
        _tail(text),
    )


def _values(text: bytes) -> list[re.Match[bytes]]:
    return [match for match in _VALUE.finditer(text) if match[2] is not None]


def _usual(gaps: Sequence[bytes], otherwise: bytes) -> bytes:
    """The gap found most often; those with comments in them do not count."""
    counts = Counter(gap for gap in gaps if _GAP.fullmatch(gap))
    return counts.most_common(1)[0][0] if counts else otherwise


def _per_line(gaps: Sequence[bytes]) -> int:
    counts: Counter[int] = Counter()
    run = 1
    for gap in gaps:
        if _BREAK.search(gap):
            counts[run] += 1
            run = 1
        else:
            run += 1
    return min(counts.most_common(1)[0][0], MOST_PER_LINE)


def _spellings(values: Sequence[re.Match[bytes]]) -> tuple[bytes, ...]:
    suffixes = {match[3] for match in values}
    suffix = suffixes.pop() if len(suffixes) == 1 else b""
    if any(match[1] for match in values):  # int8_t: 255 would not fit
        return tuple(b"%d" % (byte - 256 if byte > 127 else byte) for byte in range(256))
    hexadecimal = [match[2] for match in values if match[2][1:2] in (b"x", b"X")]
    if 2 * len(hexadecimal) < len(values):
        return tuple(b"%d%s" % (byte, suffix) for byte in range(256))
    digits = b"".join(each[2:] for each in hexadecimal)
    form = b"%X" if re.search(rb"[A-F]", digits) else b"%x"
    if all(len(each) > 3 for each in hexadecimal):
        form = b"%02" + form[1:]
    prefix = hexadecimal[0][:2]
    return tuple(prefix + form % byte + suffix for byte in range(256))


def _tail(text: bytes) -> bytes:
    """What stands behind the last value of the whole text."""
    begin = max(len(text) - TAIL_BYTES, 0)
    # A comment may have begun before, so only a part that ends in plain text is looked at.
    values = _values(text[begin:])
    return text[begin + values[-1].end() :] if values else b"\n"


def _own_style(per_line: int, end: bytes = b"\n") -> ArrayStyle:
    """How an array is written that has no style of its own."""
    spellings = tuple(b"0x%02x" % byte for byte in range(256))
    return ArrayStyle(spellings, end + b"  ", b", ", b"," + end + b"  ", max(per_line, 1), end)
