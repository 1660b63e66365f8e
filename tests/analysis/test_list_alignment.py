# SPDX-License-Identifier: Apache-2.0
"""Lists side by side: what came, what went, what stands elsewhere."""

import time
from collections.abc import Hashable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from tflm_studio.analysis.list_alignment import GONE, Alignment, KeyPair, align

Items = Sequence[Hashable | None]


def aligned(first: Items, second: Items, *more: tuple[Items, Items]) -> Alignment:
    levels = [lambda pair=pair: KeyPair(*pair) for pair in ((first, second), *more)]
    return align(len(first), len(second), levels)


def test_an_inserted_item_leaves_those_behind_it_what_they_are() -> None:
    found = aligned("abcdef", "abXcdef")
    assert (found.partners, found.inserted) == ([0, 1, 3, 4, 5, 6], [2])
    assert not found.moved


def test_a_removed_item_has_no_partner() -> None:
    assert aligned("abcdef", "abdef").partners == [0, 1, GONE, 2, 3, 4]


def test_a_moved_item_is_found_elsewhere_and_only_it_counts_as_moved() -> None:
    found = aligned("abcdef", "acdefb")
    assert found.partners == [0, 5, 1, 2, 3, 4]
    assert found.moved == {1}


def test_what_is_left_on_both_sides_was_changed() -> None:
    assert aligned("abc", "aXc").partners == [0, 1, 2]
    assert aligned("abc", "aXYc").partners == [0, GONE, 3]


def test_a_later_level_decides_where_the_first_does_not() -> None:
    found = aligned(["a", "old", "z"], ["a", "more", "new", "z"], ([1, 2, 1], [1, 3, 2, 1]))
    assert (found.partners, found.inserted) == ([0, 2, 3], [1])


def test_items_known_by_nothing_are_paired_by_place_alone() -> None:
    assert aligned([None] * 3, [None] * 3).partners == [0, 1, 2]
    assert aligned([None, "x", None], ["x", None]).partners == [GONE, 0, 1]


def test_an_index_that_is_none_stays_as_it_is() -> None:
    found = aligned("abc", "xabc")
    assert [found.partner(k) for k in (-1, 0, 2, 7)] == [-1, 1, 3, 7]


@given(st.lists(st.sampled_from("abcd") | st.none()), st.lists(st.sampled_from("abcde")))
def test_every_item_has_one_place(first: list[str | None], second: list[str]) -> None:
    found = aligned(first, second)
    partners = [j for j in found.partners if j != GONE]
    assert sorted([*partners, *found.inserted]) == list(range(len(second)))
    assert aligned(second, second).is_plain


def test_lists_of_alike_items_take_no_quadratic_time() -> None:
    start = time.perf_counter()
    aligned(["x", "y"] * 15_000, ["y", "y", "x"] * 10_000)
    assert time.perf_counter() - start < 2


def test_many_small_doubts_are_not_all_cleared_up() -> None:
    """Comparing all with all takes cubic time for what is so much alike."""
    first = [key for k in range(80) for key in (f"a{k}", *"aab" * 80)]
    second = [key for k in range(80) for key in (f"a{k}", *"bba" * 80)]
    start = time.perf_counter()
    found = aligned(first, second)
    assert time.perf_counter() - start < 2
    assert all(
        first[k] == second[k] and found.partners[k] == k for k in range(0, 80 * 241, 241)
    )
