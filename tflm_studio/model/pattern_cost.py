# SPDX-License-Identifier: Apache-2.0
"""How long a regular expression may take at worst: Python's engine cannot be interrupted.

`(a+)+b` takes a year on forty letters. The ways in which a pattern can be laid over a text
are counted from its parts, and one with too many is refused before it runs.
"""

from __future__ import annotations

import re
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt

MOST_WAYS = 10**9
LONGEST_QUOTE = 64


def safe_pattern(pattern: str, longest: int) -> re.Pattern[str]:
    """A regular expression that comes to an end on texts of some length.

    Args:
        pattern: As a person typed it.
        longest: Characters of the longest text.

    Raises:
        EditError: It is no regular expression, or might take too long.
    """
    quoted = f"'{excerpt(pattern, LONGEST_QUOTE)}'"
    try:
        compiled = re.compile(pattern)
        ways = _ways(parser.parse(pattern), longest) * (longest + 1)
    except (re.error, IndexError, OverflowError, RecursionError) as error:
        raise EditError(
            f"The pattern {quoted} cannot be used: {excerpt(str(error), 120)}."
        ) from None
    if ways > MOST_WAYS:
        raise EditError(
            f"The pattern {quoted} could take too long on a text of {longest:,} characters: "
            "repeat fewer parts, or write ++ and *+ for what need not be tried again."
        )
    return compiled


def _ways(parts: Any, longest: int) -> int:
    """In how many ways parts that follow each other can match, at most."""
    found = 1
    for kind, what in parts:
        found = min(found * _ways_of(str(kind), what, longest), MOST_WAYS + 1)
    return found


def _ways_of(kind: str, what: Any, longest: int) -> int:
    match kind:
        case "MAX_REPEAT" | "MIN_REPEAT":
            least, most, inner = what
            most = min(int(most), max(longest, int(least)))
            each = _ways(inner, longest)
            if each == 1:
                return most - int(least) + 1
            return MOST_WAYS + 1 if most * (each.bit_length() - 1) > 30 else (each + 1) ** most
        case "BRANCH":
            return sum(_ways(branch, longest) for branch in what[1])
        case "SUBPATTERN":
            return _ways(what[-1], longest)
        case "GROUPREF_EXISTS":
            return sum(_ways(branch, longest) for branch in what[1:] if branch is not None)
        case "ASSERT" | "ASSERT_NOT":
            return _ways(what[1], longest)
        case "POSSESSIVE_REPEAT":
            # Not tried again as a whole; what is inside may be, each time.
            return 1 if _ways(what[-1], longest) == 1 else _ways_of("MAX_REPEAT", what, 64)
        case "ATOMIC_GROUP":
            return _ways(what, longest)
    return 1
