# SPDX-License-Identifier: Apache-2.0
"""What our exports say of a model at the head of a source, brought up to date.

Only comments in the very form that we write count, and only where they state the size and the
digest of the bytes that go, at the beginning of a line: all others are somebody else's.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from codecs import BOM_UTF8
from collections.abc import Sequence
from hashlib import sha256

MARK = b"Made by TFLM Studio."
_BLOCK = re.compile(
    rb"/\*(?P<end>\r?\n)"
    rb" \* Model: [^\r\n]*, (?P<size>[0-9]{1,10}) bytes(?P=end)"
    rb" \* SHA-256: (?P<digest>[0-9a-f]{64})(?P=end)"
    rb"(?: \* Date: [^\r\n]*(?P=end))?"
    rb" \* Made by TFLM Studio\.(?P=end) \*/"
)
_LINE = re.compile(
    rb"/\* A TensorFlow Lite model of (?P<size>[0-9]{1,10}) bytes\. Made by TFLM Studio\. \*/"
)
_LONGEST = 1024  # of such a comment, before its mark

Change = tuple[int, int, bytes]


def restated(
    text: bytes, old: bytes, new: bytes, arrays: Sequence[tuple[int, int, bool]] = ()
) -> list[Change]:
    """What to exchange in a source so that its comments tell of other bytes.

    Args:
        text: The source, or a header of it.
        old: The bytes of the model that goes.
        new: Those that come.
        arrays: Begin and end of those of the text, ascending, and whether the model stands
            there. A comment tells of the array behind it.
    """
    found: list[Change] = []
    starts = [start for start, *_ in arrays]
    at = text.find(MARK)
    while at >= 0:
        k = bisect_right(starts, at)
        is_inside = k > 0 and at < arrays[k - 1][1]
        if not is_inside and (k == len(arrays) or arrays[k][2]):
            found += _restated(text, at, old, new)
        at = text.find(MARK, at + len(MARK))
    return found


def _restated(text: bytes, at: int, old: bytes, new: bytes) -> list[Change]:
    """What to exchange in the comment whose mark stands at a place."""
    begin = text.rfind(b"/*", max(at - _LONGEST, 0), at)
    match = _BLOCK.match(text, begin) or _LINE.match(text, begin) if begin >= 0 else None
    if match is None or match.end() < at or int(match["size"]) != len(old):
        return []
    before = text[max(begin - len(BOM_UTF8), 0) : begin]
    if before not in (b"", BOM_UTF8) and not before.endswith(b"\n"):
        return []  # in a string, or commented out
    changes = [(*match.span("size"), b"%d" % len(new))]
    if match.re is _BLOCK:
        if match["digest"] != _digest(old):
            return []
        changes.append((*match.span("digest"), _digest(new)))
    return changes


def _digest(data: bytes) -> bytes:
    return sha256(data).hexdigest().encode()
