# SPDX-License-Identifier: Apache-2.0
"""Which items of two lists are the same one, by what they are known by.

A line-by-line comparison as of texts takes quadratic time where many items look alike; here
the ends and what is known only once are matched first, and only what is left between.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cached_property
from typing import NamedTuple

GONE = -2  # the partner of an item that has none; -1 stands for no tensor
MOST_PAIRS = 2**16  # of items between the same two, up to which all are compared with all
MOST_PAIRS_IN_ALL = 2**20
MOST_ROUNDS = 8

Keys = Sequence[Hashable | None]  # None: known by nothing, the same as no other


class KeyPair(NamedTuple):
    """What the items of two lists are known by."""

    first: Keys
    second: Keys


@dataclass(frozen=True)
class Alignment:
    """Two lists side by side.

    Attributes:
        partners: For each item of the first list its index in the second, or `GONE`.
        moved: Items of the first list that stand elsewhere in the second.
        inserted: Items of the second list that the first has not.
    """

    partners: list[int]
    moved: frozenset[int]
    inserted: list[int]

    @cached_property
    def is_plain(self) -> bool:
        """Whether each item of the first list has the same index in the second."""
        return self.partners == list(range(len(self.partners)))

    @cached_property
    def common(self) -> tuple[Sequence[int], Sequence[int]]:
        """The indices of what is in both lists, in the order of the first."""
        if self.is_plain:
            return range(len(self.partners)), range(len(self.partners))
        first = [i for i, j in enumerate(self.partners) if j != GONE]
        return first, [self.partners[i] for i in first]

    @property
    def pairs(self) -> Iterator[tuple[int, int]]:
        """The indices of what is in both lists, side by side."""
        return zip(*self.common, strict=True)

    def partner(self, index: int) -> int:
        """The index in the second list; what is no index of the first stays as it is."""
        return self.partners[index] if 0 <= index < len(self.partners) else index


def side_by_side(first_count: int, second_count: int) -> Alignment:
    """Two lists whose items are known by their places alone."""
    common = min(first_count, second_count)
    gone = [GONE] * (first_count - common)
    return Alignment([*range(common), *gone], frozenset(), [*range(common, second_count)])


def align(
    first_count: int, second_count: int, levels: Sequence[Callable[[], KeyPair]]
) -> Alignment:
    """Finds the same items of two lists. O(n log n).

    Args:
        first_count: Items of the first list.
        second_count: Items of the second list.
        levels: Give what items are known by, the surest first, and are asked as far as it is
            needed; by the first, items are also found at another place of the list.
    """
    surest = levels[0]()
    if surest.first == surest.second and None not in surest.first:
        return side_by_side(first_count, second_count)
    partners = [GONE] * first_count
    gaps = _match_all([_Gap(0, first_count, 0, second_count)], surest, partners)
    for level in levels[1:]:
        if any(gap.is_doubtful for gap in gaps):
            gaps = _match_all(gaps, level(), partners)
    moved = _match_moved(surest, partners)
    taken = {j for j in partners if j != GONE}
    for gap in gaps:
        _match_places(gap, partners, taken)
    inserted = [j for j in range(second_count) if j not in taken]
    return Alignment(partners, moved, inserted)


class _Gap(NamedTuple):
    """Neighbours in both lists that have no partners yet."""

    i: int
    i_end: int
    j: int
    j_end: int

    @property
    def is_open(self) -> bool:
        return self.i < self.i_end and self.j < self.j_end

    @property
    def is_doubtful(self) -> bool:
        """Whether it is not clear which of both belong together."""
        return (self.i_end - self.i, self.j_end - self.j) != (1, 1)


def _match_all(gaps: list[_Gap], keys: KeyPair, partners: list[int]) -> list[_Gap]:
    """Finds partners within gaps; returns what is left of them."""
    parts = [part for gap in gaps for part in _match_clear(gap, keys, partners)]
    most = min(MOST_PAIRS, MOST_PAIRS_IN_ALL // max(len(parts), 1))
    return [left for part in parts for left in _match_alike(part, keys, partners, most)]


def _match_clear(gap: _Gap, keys: KeyPair, partners: list[int]) -> Iterator[_Gap]:
    """Finds partners at the ends of a gap and around what occurs once; yields what is left."""
    waiting = [(gap, 0)]
    while waiting:
        whole, round_number = waiting.pop()
        part = _match_ends(whole, keys, partners)
        if not part.is_open:
            continue
        anchors = _anchors(part, keys) if round_number < MOST_ROUNDS else []
        if not anchors:
            yield part
            continue
        i, j = part.i, part.j
        for x, y in [*anchors, (part.i_end, part.j_end)]:
            waiting.append((_Gap(i, x, j, y), round_number + 1))
            if x < part.i_end:
                partners[x] = y
            i, j = x + 1, y + 1


def _match_ends(gap: _Gap, keys: KeyPair, partners: list[int]) -> _Gap:
    i, i_end, j, j_end = gap
    first, second = keys
    while i < i_end and j < j_end and first[i] is not None and first[i] == second[j]:
        partners[i] = j
        i, j = i + 1, j + 1
    while i < i_end and j < j_end:
        if first[i_end - 1] is None or first[i_end - 1] != second[j_end - 1]:
            break
        i_end, j_end = i_end - 1, j_end - 1
        partners[i_end] = j_end
    return _Gap(i, i_end, j, j_end)


def _anchors(gap: _Gap, keys: KeyPair) -> list[tuple[int, int]]:
    """What occurs once in both lists: as many as can be without crossing."""
    first, second = keys.first[gap.i : gap.i_end], keys.second[gap.j : gap.j_end]
    counts = Counter(first), Counter(second)
    places = {key: j for j, key in enumerate(second, gap.j) if counts[1][key] == 1}
    once = [
        (i, places[key])
        for i, key in enumerate(first, gap.i)
        if key is not None and counts[0][key] == 1 and key in places
    ]
    return _longest_rise(once)


def _longest_rise(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest chain of pairs whose second numbers rise as the first do."""
    ends: list[int] = []  # for each length, the smallest second number a chain ends with
    last: list[int] = []  # which pair that is
    before: list[int] = []
    for number, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(last[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        last[length : length + 1] = [number]
    chain, at = [], last[-1] if last else -1
    while at >= 0:
        chain.append(pairs[at])
        at = before[at]
    return chain[::-1]


def _match_alike(gap: _Gap, keys: KeyPair, partners: list[int], most: int) -> Iterator[_Gap]:
    """Compares all with all where these are few, as texts are compared."""
    if (gap.i_end - gap.i) * (gap.j_end - gap.j) > most:
        yield gap
        return
    # What is known by nothing must not be the same as another such thing.
    first = [
        (key, 0) if key is not None else (i, 1)
        for i, key in _part(keys.first, gap.i, gap.i_end)
    ]
    second = [
        (key, 0) if key is not None else (j, 2)
        for j, key in _part(keys.second, gap.j, gap.j_end)
    ]
    i, j = gap.i, gap.j
    for x, y, size in SequenceMatcher(
        None, first, second, autojunk=False
    ).get_matching_blocks():
        left = _Gap(i, gap.i + x, j, gap.j + y)
        if left.is_open:
            yield left
        for step in range(size):
            partners[gap.i + x + step] = gap.j + y + step
        i, j = gap.i + x + size, gap.j + y + size


def _part(keys: Keys, start: int, end: int) -> Iterator[tuple[int, Hashable | None]]:
    return enumerate(keys[start:end], start)


def _match_moved(keys: KeyPair, partners: list[int]) -> frozenset[int]:
    """Finds what stands at another place of the second list, where that is clear."""
    taken = set(partners)
    first = [i for i, j in enumerate(partners) if j == GONE and keys.first[i] is not None]
    second = [j for j, key in enumerate(keys.second) if j not in taken and key is not None]
    counts = Counter(keys.first[i] for i in first), Counter(keys.second[j] for j in second)
    places = {keys.second[j]: j for j in second if counts[1][keys.second[j]] == 1}
    moved = [i for i in first if counts[0][keys.first[i]] == 1 and keys.first[i] in places]
    for i in moved:
        partners[i] = places[keys.first[i]]
    return frozenset(moved)


def _match_places(gap: _Gap, partners: list[int], taken: set[int]) -> None:
    """What is left of as many things on both sides was changed, not exchanged."""
    first = [i for i in range(gap.i, gap.i_end) if partners[i] == GONE]
    second = [j for j in range(gap.j, gap.j_end) if j not in taken]
    if len(first) == len(second):
        for i, j in zip(first, second, strict=True):
            partners[i] = j
            taken.add(j)
