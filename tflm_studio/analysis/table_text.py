# SPDX-License-Identifier: Apache-2.0
"""Rows of cells as text: for spreadsheets, for Markdown, for reading; and back."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from unicodedata import combining, east_asian_width

Rows = Sequence[Sequence[str]]
GAP = "  "
_NEEDS_QUOTES = re.compile(r'[\t\n\r]|^"')
# Underscores within a word are no markup.
_MARKUP = re.compile(r"[\\|`*<\[]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_QUOTED_CELL = re.compile(r'"((?:[^"]|"")*)"(?=\t|\r?\n|\Z)')
_BARE_CELL = re.compile(r"[^\t\n]*")


def as_tab_separated(rows: Rows) -> str:
    """Lines of cells parted by tabs, as spreadsheets take them.

    Args:
        rows: Cells; those with tabs or line ends get quotes around them.
    """
    return "\n".join("\t".join(map(_quoted, row)) for row in rows)


def parse_tab_separated(text: str) -> list[list[str]]:
    """The rows of cells that a spreadsheet copied; no rows for no text."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    rows: list[list[str]] = [[]] if text else []
    at = 0
    while text and at <= len(text):
        quoted = _QUOTED_CELL.match(text, at)
        match = quoted or _BARE_CELL.match(text, at)
        assert match is not None  # a bare cell may be empty
        rows[-1].append(quoted[1].replace('""', '"') if quoted else match[0])
        at = match.end()
        if text[at : at + 1] == "\n":
            rows.append([])
        at += 1
    return rows


def as_markdown(titles: Sequence[str], rows: Rows, numbers: Collection[int] = ()) -> str:
    """A table in Markdown, as GitHub shows it.

    Args:
        titles: The header row.
        rows: Cells, as many in each row as there are titles.
        numbers: Which columns stand on the right.
    """
    table = [[_for_markdown(cell) for cell in row] for row in (titles, *rows)]
    widths = [max(3, width) for width in _widths(table)]
    rule = [
        "-" * (width - 1) + ":" if column in numbers else "-" * width
        for column, width in enumerate(widths)
    ]
    lines = [_padded(row, widths, numbers) for row in table]
    lines.insert(1, rule)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_aligned_text(titles: Sequence[str], rows: Rows, numbers: Collection[int] = ()) -> str:
    """A table in columns of spaces, for fonts whose characters are equally wide.

    Args:
        titles: The header row.
        rows: Cells, as many in each row as there are titles.
        numbers: Which columns stand on the right.
    """
    table = [[_in_one_line(cell) for cell in row] for row in (titles, *rows)]
    widths = _widths(table)
    lines = [_padded(row, widths, numbers) for row in table]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(GAP.join(line).rstrip() for line in lines)


def _quoted(cell: str) -> str:
    if _NEEDS_QUOTES.search(cell) is None:
        return cell
    escaped = cell.replace('"', '""')
    return f'"{escaped}"'


def _in_one_line(cell: str) -> str:
    return " ".join(cell.split()) if not cell.isprintable() else cell


def _for_markdown(cell: str) -> str:
    return _MARKUP.sub(r"\\\g<0>", _in_one_line(cell))


def _widths(table: Rows) -> list[int]:
    return [max(map(_width, column)) for column in zip(*table, strict=True)]


def _padded(row: Sequence[str], widths: list[int], numbers: Collection[int]) -> list[str]:
    spaces = [" " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)]
    return [
        space + cell if column in numbers else cell + space
        for column, (cell, space) in enumerate(zip(row, spaces, strict=True))
    ]


def _width(text: str) -> int:
    """Places that a text takes in a font of equally wide characters."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
