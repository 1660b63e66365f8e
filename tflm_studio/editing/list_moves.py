# SPDX-License-Identifier: Apache-2.0
"""The fewest moves that bring a list into another order.

The longest run of items that are in order already stays; each of the others moves once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence


def moves_to(order: Sequence[int]) -> list[tuple[int, int]]:
    """Moves, each an index and the one afterwards, to be done one after the other.

    Args:
        order: The indices of now, in the order of afterwards. O(n log n) for those between the
            first and the last that do not stay what they are.
    """
    start, end = 0, len(order)
    while start < end and order[start] == start:
        start += 1
    while end > start and order[end - 1] == end - 1:
        end -= 1
    within = _moves_to([index - start for index in order[start:end]])
    return [(index + start, target + start) for index, target in within]


def _moves_to(order: Sequence[int]) -> list[tuple[int, int]]:
    staying = longest_rising(order)
    rest = set(staying)
    new_of = {old: new for new, old in enumerate(order)}
    waiting = _Count(len(order), (k for k in range(len(order)) if k not in rest))
    settled = _Count(len(order), (new_of[k] for k in staying))
    moves = []
    anchor = -1  # the last staying item before the one that moves
    for new, old in enumerate(order):
        if old in rest:
            anchor = old
            continue
        waiting.change(old, -1)
        # Settled items stand right behind the staying one they follow, before those that wait.
        behind = bisect_right(staying, old)
        next_settled = new_of[staying[behind]] if behind < len(staying) else len(order)
        index = settled.below(next_settled) + waiting.below(old)
        moves.append((index, new + waiting.below(anchor + 1)))
        settled.change(new, 1)
    return [(index, target) for index, target in moves if index != target]


def longest_rising(numbers: Sequence[int]) -> list[int]:
    """The longest part of different numbers that rises, not necessarily of neighbours."""
    tails: list[int] = []  # the smallest last number of a rising part of each length
    before: dict[int, int] = {}
    for number in numbers:
        length = bisect_left(tails, number)
        if length:
            before[number] = tails[length - 1]
        tails[length : length + 1] = [number]
    found = tails[-1:]
    while found and found[-1] in before:
        found.append(before[found[-1]])
    return found[::-1]


class _Count:
    """How many of some places below another are taken: a Fenwick tree."""

    def __init__(self, size: int, taken: Iterable[int]) -> None:
        self._sums = [0] * (size + 1)
        for place in taken:
            self.change(place, 1)

    def change(self, place: int, by: int) -> None:
        place += 1
        while place < len(self._sums):
            self._sums[place] += by
            place += place & -place

    def below(self, place: int) -> int:
        total = 0
        while place > 0:
            total += self._sums[place]
            place &= place - 1
        return total
