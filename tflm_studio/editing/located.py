# SPDX-License-Identifier: Apache-2.0
"""Things of a model by their index, or a refusal that says which there are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import data_view
from tflm_studio.model.operators import builtin_code, operator_code
from tflm_studio.schema.tables import Buffer, Model, Operator, SubGraph, Tensor


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


def buffer_at(model: Model, index: int) -> Buffer:
    """A buffer; raises EditError if there is none."""
    buffer: Buffer = item_at(model.buffers, index, "buffer")
    return buffer


def bytes_of(model: Model, buffer_index: int) -> memoryview:
    """The bytes of a buffer; none if it has none or does not exist."""
    buffers = model.buffers or []
    data = buffers[buffer_index].data if 0 <= buffer_index < len(buffers) else None
    return data_view(data)


def is_of_kind(model: Model, operator: Operator, *codes: int) -> bool:
    """Whether an operator is of one of some kinds."""
    code = operator_code(model, operator)
    return code is not None and builtin_code(code) in codes


def selected(model: Model, subgraph_index: int, indices: Iterable[int]) -> list[int]:
    """Indices of operators, each once, ascending.

    Raises:
        EditError: There is none, or no such operator.
    """
    wanted = sorted(set(indices))
    subgraph_at(model, subgraph_index)
    if not wanted:
        raise EditError("No operator is chosen.")
    for index in wanted:
        operator_at(model, subgraph_index, index)
    return wanted


def list_place(subgraph_index: int, name: str) -> Address:
    """The address of a list of a subgraph, such as its tensors."""
    return ("subgraphs", subgraph_index, name)


def tensor_place(subgraph_index: int, tensor_index: int) -> Address:
    """The address of a tensor."""
    return ("subgraphs", subgraph_index, "tensors", tensor_index)
