# SPDX-License-Identifier: Apache-2.0
"""Old indices to new ones, for a list that gains, loses or moves items."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

from tflm_studio.model.index_references import Space

Part = TypeVar("Part")

GONE = -2  # never a sound index: -1 stands for an optional tensor left out
# What stands in for removed items: one index for all, one for each, or nothing known.
Replacement = int | Mapping[int, int] | None


@dataclass(frozen=True, slots=True)
class IndexMap:
    """Where each item of a list goes.

    Attributes:
        new_of: For each old index the new one, or `GONE`.
        new_count: Items afterwards.
        first: The smallest old index that does not stay what it is.
    """

    new_of: list[int]
    new_count: int
    first: int

    @classmethod
    def inserting(cls, count: int, indices: Sequence[int]) -> IndexMap:
        """New items, each before the one that has its index now; ascending."""
        new_of: list[int] = []
        for added, end in enumerate((*indices, count)):
            new_of += range(len(new_of) + added, end + added)
        return cls(new_of, count + len(indices), min(indices, default=count))

    @classmethod
    def removing(cls, count: int, removed: Iterable[int]) -> IndexMap:
        """Some items go."""
        gone = set(removed)
        new_of, at = [], 0
        for old in range(count):
            new_of.append(GONE if old in gone else at)
            at += old not in gone
        return cls(new_of, at, min(gone, default=count))

    @classmethod
    def moving(cls, count: int, index: int, target: int) -> IndexMap:
        """One item goes to where `target` is its index afterwards."""
        order = list(range(count))
        order.insert(target, order.pop(index))
        return cls.permuting(order)

    @classmethod
    def permuting(cls, order: Sequence[int]) -> IndexMap:
        """The same items in another order, which names them by their indices of now."""
        new_of, first = [0] * len(order), len(order)
        for new, old in enumerate(order):
            new_of[old] = new
            if new != old and new < first:
                first = new
        return cls(new_of, len(order), first)

    @property
    def old_count(self) -> int:
        """Items before."""
        return len(self.new_of)

    @property
    def changes(self) -> bool:
        """Whether any index becomes another."""
        return self.first < self.old_count or self.new_count != self.old_count

    def __call__(self, index: int, largest: int = 2**32 - 1) -> int:
        """The new index.

        An index past the end names nothing and has to go on naming nothing: it moves with the
        end of the list as long as the field can hold it.

        Args:
            index: The old one.
            largest: What the field can hold.
        """
        if index < self.first:
            return index
        if index < self.old_count:
            return self.new_of[index]
        shifted = index + self.new_count - self.old_count
        return shifted if shifted <= largest else index

    def mapped(self, indices: list[int], largest: int) -> list[int]:
        """The new index of each; the list itself if none changes."""
        top = max(indices, default=-1)
        if top < self.first:
            return indices
        if top >= self.old_count:
            return [self(index, largest) for index in indices]
        first, new_of = self.first, self.new_of
        return [index if index < first else new_of[index] for index in indices]

    def with_stand_in(self, replacement: Replacement) -> IndexMap:
        """The same, but what referred to removed items refers to a new index."""
        if replacement is None:
            return self
        if not isinstance(replacement, int):
            new_of = list(self.new_of)
            for old, new in replacement.items():
                new_of[old] = new
            return replace(self, new_of=new_of)
        new_of = [replacement if new == GONE else new for new in self.new_of]
        return replace(self, new_of=new_of)

    def old_of(self) -> list[int]:
        """For each new index the old one, -1 for new items."""
        found = [-1] * self.new_count
        for old, new in enumerate(self.new_of):
            if new != GONE:
                found[new] = old
        return found


class Renumbered(NamedTuple):
    """A change of the indices of one space.

    Attributes:
        space: Which indices.
        subgraph_index: Whose, for tensors and operators.
        indices: Old to new.
        replacement: What stands in for removed items, as a new index, or as such an index for
            each of them by its old one; -1 for nothing, None if nothing names them.
        added: The new items.
    """

    space: Space
    subgraph_index: int | None
    indices: IndexMap
    replacement: Replacement = None
    added: tuple[object, ...] = ()

    @property
    def final(self) -> IndexMap:
        """Old to new, with the replacement for removed items."""
        return self.indices.with_stand_in(self.replacement)


def arranged(change: Renumbered, parts: Sequence[Part], added: Iterable[Part]) -> list[Part]:
    """What belongs to the items of a list, in their new order; new items bring their own."""
    fresh = iter(added)
    return [parts[old] if old >= 0 else next(fresh) for old in change.indices.old_of()]
