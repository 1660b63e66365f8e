# SPDX-License-Identifier: Apache-2.0
"""Things of a model by their index, or a refusal that says which there are."""

from __future__ import annotations

from typing import Any

from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.operators import builtin_code, operator_code
from tflm_studio.model.place_names import name_thing
from tflm_studio.schema.tables import Model, Operator, SubGraph, Tensor

LONGEST_NAME = 40


def item_at(items: list[Any] | None, index: int, noun: str) -> Any:
    """An item of a list.

    Raises:
        EditError: There is none with this index.
    """
    count = len(items or [])
    if not 0 <= index < count:
        last = f"the last is {count - 1}" if count else "there are none"
        raise EditError(f"There is no {noun} {index}; {last}.")
    return (items or [])[index]


def subgraph_at(model: Model, index: int) -> SubGraph:
    """A subgraph; raises EditError if there is none."""
    subgraph: SubGraph = item_at(model.subgraphs, index, "subgraph")
    return subgraph


def operator_at(model: Model, subgraph_index: int, index: int) -> Operator:
    """An operator of a subgraph; raises EditError if there is none."""
    subgraph = subgraph_at(model, subgraph_index)
    operator: Operator = item_at(subgraph.operators, index, "operator")
    return operator


def tensor_at(model: Model, subgraph_index: int, index: int) -> Tensor:
    """A tensor of a subgraph; raises EditError if there is none."""
    tensor: Tensor = item_at(subgraph_at(model, subgraph_index).tensors, index, "tensor")
    return tensor


def operator_text(model: Model, subgraph_index: int, index: int) -> str:
    """What messages call an operator."""
    return name_thing(model, ("subgraphs", subgraph_index, "operators", index))


def tensor_text(model: Model, subgraph_index: int, index: int) -> str:
    """What messages call a tensor."""
    return name_thing(model, ("subgraphs", subgraph_index, "tensors", index))


def is_of_kind(model: Model, operator: Operator, *codes: int) -> bool:
    """Whether an operator is of one of some kinds."""
    code = operator_code(model, operator)
    return code is not None and builtin_code(code) in codes


def quoted(text: str | None) -> str:
    """A name in quotes, cut if it is long; says so if there is none."""
    return f"'{excerpt(text, LONGEST_NAME)}'" if text else "unnamed"


def listing(names: list[str], most: int = 4) -> str:
    """Names with commas, the first few of many."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def sentence(text: str) -> str:
    """A text with a capital letter in front."""
    return text[:1].upper() + text[1:]
