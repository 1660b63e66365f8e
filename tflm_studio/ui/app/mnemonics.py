# SPDX-License-Identifier: Apache-2.0
"""The letters that choose the entries of an open menu."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QMenu


def give_letters(menu: QMenu) -> None:
    """Marks a letter in each entry that has none; those that are marked stay."""
    entries = [action for action in menu.actions() if action.text()]
    taken = {letter_of(action.text()) for action in entries}
    for action in entries:
        text = action.text()
        if letter_of(text):
            continue
        place = next((k for k in _places(text) if text[k].lower() not in taken), None)
        if place is not None:
            taken.add(text[place].lower())
            action.setText(f"{text[:place]}&{text[place:]}")


def letter_of(text: str) -> str:
    """The marked letter of a text, "" if it has none."""
    _, mark, rest = text.partition("&")
    return rest[:1].lower() if mark else ""


def _places(text: str) -> Iterator[int]:
    """Where a mark could stand: beginnings of words before letters in them."""
    letters = [k for k, letter in enumerate(text) if letter.isascii() and letter.isalnum()]
    yield from (k for k in letters if k == 0 or text[k - 1] == " ")
    yield from letters
