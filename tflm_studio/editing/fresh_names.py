# SPDX-License-Identifier: Apache-2.0
"""Names that are not taken yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tflm_studio.schema.tables import SubGraph


class FreeNames:
    """Names that nothing has, one after the other.

    Args:
        taken: The names that there are.
    """

    def __init__(self, taken: Iterable[str | None]) -> None:
        self._taken = set(taken)
        self._last: dict[str, int] = {}

    def take(self, wanted: str) -> str:
        """The wanted name, with a number behind it if it is taken; taken from now on."""
        name, number = wanted, self._last.get(wanted, 0)
        while name in self._taken:
            number += 1
            name = f"{wanted}_{number}"
        self._last[wanted] = number
        self._taken.add(name)
        return name


def fresh_name(wanted: str, taken: Collection[str | None]) -> str:
    """The wanted name, with the first free number behind it if it is taken."""
    return FreeNames(taken).take(wanted)


def tensor_names(subgraph: SubGraph) -> set[str | None]:
    """The names that the tensors of a subgraph have."""
    return {tensor.name for tensor in subgraph.tensors or []}
