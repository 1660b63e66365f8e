# SPDX-License-Identifier: Apache-2.0
"""Which rows people get for what they type."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tflm_studio.analysis.row_query import folded, parse_query

TITLES = ("#", "Name", "Shape", "Type", "Quantisation", "Buffer", "Made by", "Used by")
CELLS = (
    ("0", "input", "1×96×96×1", "int8", "0.5 (−128)", "0", "", "0"),
    ("1", "Conv2D/weights", "3×3×1×8", "int8", "8 scales", "12", "", "0"),
    ("2", "conv_bias", "8", "int32", "", "13", "", "0 13"),
    ("3", "relu6 out", "1×48×48×8", "uint8", "0.25 (0)", "0", "0", "1"),
    ("12", "StatefulPartitionedCall:0", "1×10", "float32", "", "112", "113", ""),
)
SIZES = (9216, 72, 32, 18432, 40)


class Table:
    """Rows without a model."""

    def text(self, row: int) -> str:
        return folded("\n".join(CELLS[row]))

    def cell(self, row: int, column: int) -> str:
        return folded(CELLS[row][column])

    def index(self, row: int) -> int:
        return int(CELLS[row][0])

    def size(self, row: int) -> int:
        return SIZES[row]

    def types(self, row: int) -> frozenset[str]:
        return frozenset([CELLS[row][3]])


def found(text: str) -> list[int]:
    query = parse_query(text, TITLES, ("Size",), "tensors")
    assert not query.problem, query.problem
    return [row for row in range(len(CELLS)) if query.fits(Table(), row)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("   ", [0, 1, 2, 3, 4]),
        ("conv", [1, 2]),
        ("CONV weights", [1]),
        ("weights conv", [1]),
        ('"relu6 out"', [3]),
        ('"out relu6"', []),
        ('"relu6 o', [3]),
        ("int8", [0, 1]),
        ("uint8", [3]),
        ('"int8"', [0, 1, 3]),
        ("int", [0, 1, 2, 3]),
        (">1k", [0, 3]),
        ("<=40", [2, 4]),
        ("=72", [1]),
        ("=72b", [1]),
        ("!=72", [0, 2, 3, 4]),
        (">=9KB", [0, 3]),
        (">9kib", [3]),
        (">0.01M", [3]),
        (">", [0, 1, 2, 3, 4]),
        (">50 <100", [1]),
        ("size:>1k", [0, 3]),
        ("size:72", [1]),
        ("12", [4]),
        ("9" * 5000, []),
        (">" + "9" * 5000, []),
        ("#12", [4]),
        ("#1 #3", [1, 3]),
        ("#1-3", [1, 2, 3]),
        ("#0,2", [0, 2]),
        ("-#0-3", [4]),
        ("#:2", [2]),
        ("index:>2", [3, 4]),
        ("name:conv", [1, 2]),
        ("n:conv", [1, 2]),
        ("name:=conv_bias", [2]),
        ("name:=conv", []),
        ('name:"relu6 o"', [3]),
        ("name:", [0, 1, 2, 3, 4]),
        ("shape:1x1", []),
        ("shape:1x10", [4]),
        ("shape:96×96", [0]),
        ("sh:=8", [1, 2, 3]),
        ("buffer:12", [1]),
        ("buffer:>12", [2, 4]),
        ("buffer:>1k", [0, 3]),
        ("used:13", [2]),
        ("usedby:13", [2]),
        ("made:113", [4]),
        ("made:13", []),
        ("type:int8", [0, 1]),
        ("type:int", [0, 1, 2, 3]),
        ("type:=int", []),
        ("quant:-128", [0]),
        ("quant:>0.3", [0, 1]),
        ("-128", [0]),
        ("-conv", [0, 3, 4]),
        ("-type:int8", [2, 3, 4]),
        ("->1k", [1, 2, 4]),
        ("-", [0, 1, 2, 3, 4]),
        ("conv -int32 <1k", [1]),
        ("StatefulPartitionedCall:0", [4]),
        ("tensor 12", [4]),
        ("Input tensor 3 lacks data", [3]),
        ("Tensor 2 is invalidly specified in schema.", [2]),
        ("Node number 1 (CONV_2D) failed to prepare.", [0, 1, 2, 3, 4]),
        ("ſtraße", []),
    ],
)
def test_rows(text: str, rows: list[int]) -> None:
    assert found(text) == rows


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("kind:input", "There is no column 'kind' here."),
        ("kind:", "There is no column 'kind' here."),
        ("by:x", "'by:' may be made by or used by."),
        (">abc", "'abc' is no size; write >1k, <16KB or =1024."),
        ("buffer:>x", "'x' is no size; write >1k, <16KB or =1024."),
        ("#:a", "'a' is not an index; write #12 or #3-7."),
    ],
)
def test_a_wrong_query_says_why_and_shows_all(text: str, problem: str) -> None:
    query = parse_query(f"conv {text}", TITLES, (), "tensors")
    assert query.problem == problem
    assert all(query.fits(Table(), row) for row in range(len(CELLS)))


def test_types_are_words_where_there_are_none() -> None:
    query = parse_query("int8", ("Name", "Size"))
    table = Table()
    assert [row for row in range(5) if query.fits(table, row)] == [0, 1, 3]


def test_operators_are_found_by_the_name_in_a_message() -> None:
    named = parse_query(
        "Encountered unresolved custom op: conv_bias.", TITLES, (), "operators"
    )
    assert [row for row in range(5) if named.fits(Table(), row)] == [2]


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from('ab1 "-#:<>=!,.kKbxé\n×') | st.characters(), max_size=24))
def test_anything_can_be_typed(text: str) -> None:
    query = parse_query(text, TITLES, ("Size",), "tensors")
    for row in range(len(CELLS)):
        assert query.fits(Table(), row) in (True, False)
