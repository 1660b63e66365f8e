# SPDX-License-Identifier: Apache-2.0
"""Tool tips that say what a model says, letter by letter, and no more than a screen holds."""

from __future__ import annotations

from html import escape

from tflm_studio.model.excerpts import excerpt

MOST_CHARACTERS = 2_000
MOST_LINES = 40


def tool_tip(text: str) -> str:
    """A text as a tool tip; Qt would take a name such as `<b>` for markup."""
    lines = text.split("\n", MOST_LINES)
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = ["…"]
    shown = excerpt("\n".join(lines), MOST_CHARACTERS)
    if "<" not in shown:
        return shown
    return f'<p style="white-space:pre-wrap">{escape(shown)}</p>'
