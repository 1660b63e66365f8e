# SPDX-License-Identifier: Apache-2.0
"""Lists of indices as people type them, such as `0-3, 7`."""

from __future__ import annotations

from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt

LONGEST_QUOTE = 40
LONGEST_PART = 20  # characters of a range; none that has a meaning is longer


def read_indices(text: str, what: str = "channel", most: int = 1 << 20) -> list[int]:
    """The indices that a text names, in its order; a range may go down.

    Args:
        text: Such as `0-3, 7`.
        what: What a message calls one of them.
        most: So many may be named.

    Raises:
        EditError: The text is something else, or names more.
    """
    found: list[int] = []
    for part in text.replace(";", ",").replace(",", " ").replace("–", "-").split():
        first, dash, last = part.partition("-")
        is_number = first.isdecimal() and (last.isdecimal() or not dash)
        if not is_number or len(part) > LONGEST_PART:
            shown = excerpt(part, LONGEST_QUOTE)
            raise EditError(f"'{shown}' is no {what}; write them as 0-3, 7.")
        ends = int(first), int(last or first)
        if max(ends) - min(ends) + len(found) >= most:
            raise EditError(f"'{part}' names more than {most:,} {what}s.")
        step = 1 if ends[1] >= ends[0] else -1
        found += range(ends[0], ends[1] + step, step)
    return found
