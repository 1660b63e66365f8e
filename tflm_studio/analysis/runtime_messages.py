# SPDX-License-Identifier: Apache-2.0
"""What an error message of TFLM or TFLite speaks of: an operator, a tensor, a buffer."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_DIGITS = 10
LONGEST_MESSAGE = 100_000


@dataclass(frozen=True, slots=True)
class NamedPlace:
    """A thing as messages name it.

    Attributes:
        kind: The list it stands in: "operators", "tensors" or "buffers".
        index: Its place in the list; None if the message names operators only by their kind.
        name: What kind of operator the message says it is, such as "CONV_2D"; "" if it does
            not say.
    """

    kind: str
    index: int | None
    name: str = ""


_NUMBER = rf"(?P<index>[0-9]{{1,{MOST_DIGITS}}})"
# The first that fits counts: a log often names the tensors of the operator that failed, too.
_MESSAGES = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        # Node number 12 (CONV_2D) failed to prepare.
        ("operators", rf"\bnode number {_NUMBER} \((?P<name>[^)]*)\)"),
        # Node CONV_2D (number 12f) failed to prepare with status 1
        ("operators", rf"\bnode (?P<name>\S+) \(number {_NUMBER}f?\)"),
        # Node 12 (CONV_2D) invocation failed with status 1
        ("operators", rf"\bnode {_NUMBER} \((?P<name>[^)]*)\)"),
        # Didn't find op for builtin opcode 'CONV_2D' version '3'
        ("operators", r"\bop for builtin opcode '(?P<name>\w+)'"),
        # Failed to get registration from op code CONV_2D
        ("operators", r"\bregistration from op code (?P<name>\w+)"),
        # Encountered unresolved custom op: Foo.
        ("operators", r"\bunresolved custom op: (?P<name>\S*\w)"),
        # Input tensor 34 lacks data; Tensor 34 is invalidly specified in schema.
        (
            "tensors",
            rf"\btensor {_NUMBER} (?:lacks|is|has|was|does|could|cannot|can't|failed|needs)\b",
        ),
        # Invalid tensor index 34 in inputs. What is "not in [0, 3)" counts inputs.
        ("tensors", rf"\btensor index {_NUMBER}\b(?! \(not in)"),
    )
)
_KINDS = {
    "node": "operators",
    "operator": "operators",
    "op": "operators",
    "tensor": "tensors",
    "buffer": "buffers",
}
_BARE = re.compile(rf"({'|'.join(_KINDS)})\s*#?\s*([0-9]{{1,{MOST_DIGITS}}})", re.IGNORECASE)


def find_named_place(text: str) -> NamedPlace | None:
    """The thing that a message, or words such as `tensor 34`, name; None if they name none."""
    bare = _BARE.fullmatch(text.strip())
    if bare is not None:
        return NamedPlace(_KINDS[bare[1].lower()], int(bare[2]))
    for kind, pattern in _MESSAGES:
        match = pattern.search(text, 0, LONGEST_MESSAGE)
        if match is not None:
            found = match.groupdict()
            index = found.get("index")
            return NamedPlace(
                kind, int(index) if index is not None else None, found.get("name") or ""
            )
    return None
