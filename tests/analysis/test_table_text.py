# SPDX-License-Identifier: Apache-2.0
"""Tables as people paste them elsewhere."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tflm_studio.analysis.table_text import (
    as_aligned_text,
    as_markdown,
    as_tab_separated,
    parse_tab_separated,
)

TITLES = ("#", "Name", "Shape")
ROWS = (("0", "conv|relu_1", "1×96×96×1"), ("12", "線形", ""))


def test_markdown() -> None:
    assert as_markdown(TITLES, ROWS, {0}).splitlines() == [
        r"|   # | Name         | Shape     |",
        r"| --: | ------------ | --------- |",
        r"|   0 | conv\|relu_1 | 1×96×96×1 |",
        r"|  12 | 線形         |           |",
    ]


def test_aligned_text() -> None:
    assert as_aligned_text(TITLES, ROWS, {0}).splitlines() == [
        " #  Name         Shape",
        "--  -----------  ---------",
        " 0  conv|relu_1  1×96×96×1",
        "12  線形",
    ]


def test_a_table_without_rows_has_its_header() -> None:
    assert as_markdown(("a", "b"), ()).splitlines() == ["| a   | b   |", "| --- | --- |"]
    assert as_aligned_text(("a", "b"), ()).splitlines() == ["a  b", "-  -"]


def test_line_ends_stay_in_their_cell() -> None:
    rows = [["a\nb", "c"]]
    assert as_tab_separated(rows) == '"a\nb"\tc'
    assert as_markdown(("x", "y"), rows).splitlines()[2] == "| a b | c   |"
    assert as_aligned_text(("x", "y"), rows).splitlines()[2] == "a b  c"


def test_what_spreadsheets_copy() -> None:
    assert parse_tab_separated("") == []
    assert parse_tab_separated("1 2") == [["1 2"]]
    assert parse_tab_separated("1\t2\r\n3\t4\r\n") == [["1", "2"], ["3", "4"]]
    assert parse_tab_separated('"a\tb"\t"say ""x"""') == [["a\tb", 'say "x"']]
    assert parse_tab_separated('"open\tb') == [['"open', "b"]]
    assert parse_tab_separated('5" wide\t') == [['5" wide', ""]]


CELLS = st.text(st.sampled_from('ab"\t\n ×'), max_size=6)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS).map(list), min_size=1))
def test_there_and_back(rows: list[list[str]]) -> None:
    text = as_tab_separated(rows)
    if text and not text.endswith("\n"):
        assert parse_tab_separated(text) == rows
