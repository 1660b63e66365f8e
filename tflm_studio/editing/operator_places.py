# SPDX-License-Identifier: Apache-2.0
"""The operators and tensors that people choose: whether they exist, what they are called."""

from __future__ import annotations

from collections.abc import Iterable

from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import name_thing, plural
from tflm_studio.schema.tables import Model, SubGraph

MOST_NOTES = 8


def list_place(subgraph_index: int, name: str) -> Address:
    """The address of a list of a subgraph, such as its tensors."""
    return ("subgraphs", subgraph_index, name)


def subgraph_at(model: Model, subgraph_index: int) -> SubGraph:
    """A subgraph of the model.

    Raises:
        EditError: There is none of this index.
    """
    subgraphs = model.subgraphs or []
    if not 0 <= subgraph_index < len(subgraphs):
        raise EditError(
            f"There is no subgraph {subgraph_index}; the model has {len(subgraphs)}."
        )
    return subgraphs[subgraph_index]


def selected(model: Model, subgraph_index: int, indices: Iterable[int]) -> list[int]:
    """Indices of operators, each once, ascending.

    Raises:
        EditError: There is none, or no such operator.
    """
    count = len(subgraph_at(model, subgraph_index).operators or [])
    wanted = sorted(set(indices))
    if not wanted:
        raise EditError("No operator is chosen.")
    for index in wanted:
        if not 0 <= index < count:
            raise EditError(f"There is no operator {index}; the subgraph has {count}.")
    return wanted


def operator_title(model: Model, subgraph_index: int, index: int) -> str:
    """An operator in a message, such as "Conv2D 2"."""
    return name_thing(model, (*list_place(subgraph_index, "operators"), index))


def tensor_title(model: Model, subgraph_index: int, index: int) -> str:
    """A tensor in a message, such as "tensor 7 input"."""
    return name_thing(model, (*list_place(subgraph_index, "tensors"), index))


def operators_title(model: Model, subgraph_index: int, indices: list[int]) -> str:
    """What a label calls some operators: the only one by name, several by their number."""
    if len(indices) == 1:
        return operator_title(model, subgraph_index, indices[0])
    return plural(len(indices), "operator")


def cut_notes(notes: list[str]) -> list[str]:
    """The first of many notes, and how many more there are."""
    if len(notes) <= MOST_NOTES:
        return notes
    return [*notes[:MOST_NOTES], f"{len(notes) - MOST_NOTES:,} more notes of this kind."]
