# SPDX-License-Identifier: Apache-2.0
"""Texts of a model as a screen shows them: a name may be megabytes long.

Laying out a text that nobody can read to its end takes a window seconds.
"""

from __future__ import annotations

SHOWN_CHARACTERS = 1_000  # more than the widest cell holds
SHOWN_NAME_CHARACTERS = 200


def excerpt(text: str, most: int = SHOWN_CHARACTERS) -> str:
    """The text, or its two ends if it has more than `most` characters."""
    if len(text) <= most:
        return text
    head = most // 2
    return f"{text[:head]}…{text[head + 1 - most :]}"
