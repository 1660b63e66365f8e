# SPDX-License-Identifier: Apache-2.0
"""Some numbers of a C array exchanged, spelled as the others are; all else stays."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from tflm_studio.formats.c_size_literals import COMMENT, STRING

SAMPLE = 4096  # literals that tell how letters are written

_COMMENT = re.compile(COMMENT)
_TOKEN = re.compile(
    COMMENT + rb"|" + STRING + rb"|(?<!\\)'(?:[^'\\\r\n]++|\\.)*+'"
    rb"|(?<![\w.])(0[xX][0-9a-fA-F]+|[0-9]+)([uUlLzZ]*)(?![\w.])"
)
_OCTAL = re.compile(rb"0[0-9]")
# Nothing but numbers with commas between them, as tools write them.
_EVEN = re.compile(rb"\s*+(?:(?:0[xX][0-9a-fA-F]++|[1-9][0-9]*+|0)\s*+(?:,\s*+|\Z))*+")

Span = tuple[int, int]


def exchanged(text: bytes, old: bytes, new: bytes) -> bytes | None:
    """The text with the literals of changed bytes exchanged.

    Args:
        text: What stands between the braces.
        old: The bytes it states.
        new: As many others.

    Returns:
        None where a byte has no plain literal of its own.
    """
    before, after = np.frombuffer(old, np.uint8), np.frombuffer(new, np.uint8)
    changed = np.flatnonzero(before != after)
    found = _even_spans(text, len(old), changed)
    if found is None:
        found = _spans(text, len(old), changed)
    if found is None:
        return None
    spans, sample, has_short = found
    form = b"%02X" if any(letter in sample for letter in b"ABCDEF") else b"%02x"
    if has_short:
        form = form.replace(b"02", b"")
    pieces, end = [], 0
    for (start, stop), value in zip(spans, after[changed].tolist(), strict=True):
        literal = text[start:stop]
        prefix = literal[:2] if literal[1:2] in (b"x", b"X") else b""
        pieces += [text[end:start], prefix, (form if prefix else b"%d") % value]
        end = stop
    return b"".join([*pieces, text[end:]])


def _even_spans(
    text: bytes, count: int, changed: Iterable[int]
) -> tuple[list[Span], bytes, bool] | None:
    """Where the changed literals are, if there is nothing but numbers; does not read all."""
    if not _EVEN.fullmatch(text):
        return None
    ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord(","))
    starts = np.concatenate(([0], ends + 1))
    ends = np.append(ends, len(text))
    if not text[starts[-1] :].strip():
        starts, ends = starts[:-1], ends[:-1]
    if len(starts) != count:
        return None
    spans = []
    for each in changed:
        start, end = int(starts[each]), int(ends[each])
        piece = text[start:end]
        left = len(piece) - len(piece.lstrip())
        spans.append((start + left, start + len(piece.rstrip())))
    sample = text[: int(ends[min(SAMPLE, count) - 1])] if count else b""
    has_short = re.search(rb"0[xX][0-9a-fA-F](?![0-9a-fA-F])", text) is not None
    return spans, sample, has_short


def _spans(
    text: bytes, count: int, changed: Iterable[int]
) -> tuple[list[Span], bytes, bool] | None:
    """Where the changed literals are, if each value is one unsigned number."""
    literals = [match for match in _TOKEN.finditer(text) if match[1] is not None]
    if len(literals) != count or b"-" in _COMMENT.sub(b"", text):
        return None
    if any(_OCTAL.match(literal[1]) for literal in literals):
        return None
    sample = b"".join(match[1][2:] for match in literals[:SAMPLE])
    has_short = any(len(match[1]) == 3 and match[1][1:2] in b"xX" for match in literals)
    return [literals[each].span(1) for each in changed], sample, has_short
