# SPDX-License-Identifier: Apache-2.0
"""TFLM's planner once more, a buffer at a time and without any trick, to compare with."""

from __future__ import annotations

from typing import NamedTuple


class Wanted(NamedTuple):
    size: int
    first: int
    last: int
    offline: int = -1


def sorted_as_bubbles(wanted: list[Wanted], ids: list[int]) -> list[int]:
    """A list filled from behind, then sorted by swapping neighbours."""
    ids = list(reversed(ids))
    is_sorted = False
    while not is_sorted:
        is_sorted = True
        for k in range(1, len(ids)):
            if wanted[ids[k - 1]].size < wanted[ids[k]].size:
                ids[k - 1], ids[k] = ids[k], ids[k - 1]
                is_sorted = False
    return ids


def slow_plan(wanted: list[Wanted]) -> list[int]:
    """The offset of each buffer."""
    offline = [k for k, each in enumerate(wanted) if each.offline != -1]
    online = [k for k, each in enumerate(wanted) if each.offline == -1]
    offsets = [each.offline for each in wanted]
    placed: list[int] = []
    for k in [*offline, *sorted_as_bubbles(wanted, online)]:
        if wanted[k].offline == -1:
            offsets[k] = lowest_gap(wanted, offsets, placed, k)
        placed.append(k)
        placed.sort(key=lambda each: offsets[each])
    return offsets


def lowest_gap(wanted: list[Wanted], offsets: list[int], placed: list[int], k: int) -> int:
    candidate = 0
    for other in placed:
        is_apart = wanted[other].first > wanted[k].last or wanted[k].first > wanted[other].last
        if is_apart:
            continue
        if offsets[other] - candidate >= wanted[k].size:
            break
        candidate = max(candidate, offsets[other] + wanted[other].size)
    return candidate
