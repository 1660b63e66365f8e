# SPDX-License-Identifier: Apache-2.0
"""What an operation is about: subgraphs, tensors and buffers by index, and who uses them."""

from __future__ import annotations

from collections.abc import Sequence

from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.place_names import name_thing
from tflm_studio.schema.tables import Buffer, Model, SubGraph, Tensor

MOST_NAMED = 4
LONGEST_NAME = 64


def subgraph_at(model: Model, subgraph_index: int) -> SubGraph:
    """A subgraph.

    Raises:
        EditError: There is none.
    """
    subgraphs = model.subgraphs or []
    if not 0 <= subgraph_index < len(subgraphs):
        raise EditError(f"There is no subgraph {subgraph_index}.")
    return subgraphs[subgraph_index]


def tensor_at(model: Model, subgraph_index: int, tensor_index: int) -> Tensor:
    """A tensor.

    Raises:
        EditError: There is none.
    """
    tensors = subgraph_at(model, subgraph_index).tensors or []
    if not 0 <= tensor_index < len(tensors):
        raise EditError(
            f"There is no tensor {tensor_index} in subgraph {subgraph_index}; it has "
            f"{len(tensors)}."
        )
    return tensors[tensor_index]


def buffer_at(model: Model, buffer_index: int) -> Buffer:
    """A buffer.

    Raises:
        EditError: There is none.
    """
    buffers = model.buffers or []
    if not 0 <= buffer_index < len(buffers):
        raise EditError(f"There is no buffer {buffer_index}; the model has {len(buffers)}.")
    return buffers[buffer_index]


def bytes_of(model: Model, buffer_index: int) -> memoryview:
    """The bytes of a buffer; none if it has none or does not exist."""
    buffers = model.buffers or []
    data = buffers[buffer_index].data if 0 <= buffer_index < len(buffers) else None
    return (
        memoryview(data).cast("B")
        if data is not None and data_bytes(data)
        else memoryview(b"")
    )


def tensor_place(subgraph_index: int, tensor_index: int) -> Address:
    """The address of a tensor."""
    return ("subgraphs", subgraph_index, "tensors", tensor_index)


def name_tensor(model: Model, subgraph_index: int, tensor_index: int) -> str:
    """A tensor in two or three words."""
    return name_thing(model, tensor_place(subgraph_index, tensor_index))


def name_operator(model: Model, subgraph_index: int, operator_index: int) -> str:
    """An operator in two or three words."""
    return name_thing(model, ("subgraphs", subgraph_index, "operators", operator_index))


def name_tensors(model: Model, subgraph_index: int, indices: Sequence[int]) -> str:
    """One tensor by name, several by their number."""
    if len(indices) == 1:
        return name_tensor(model, subgraph_index, indices[0])
    return f"{len(indices):,} tensors"


def named_few(names: Sequence[str]) -> str:
    """The first few of some names, and how many more there are."""
    more = len(names) - MOST_NAMED
    return f"{'; '.join(names[:MOST_NAMED])}{f' and {more:,} more' * (more > 0)}"


def at_start(name: str) -> str:
    """A name as a sentence begins with it."""
    return name[:1].upper() + name[1:]


def quoted(text: str | None) -> str:
    """A name from a model in quotes, cut."""
    return f"'{excerpt(text or '', LONGEST_NAME)}'"


def makers_of(subgraph: SubGraph, tensor_index: int) -> list[int]:
    """The operators that make a tensor. O(operators)."""
    return [
        k
        for k, operator in enumerate(subgraph.operators or [])
        if tensor_index in (operator.outputs or ())
    ]


def readers_of(subgraph: SubGraph, tensor_index: int) -> list[int]:
    """The operators that read a tensor. O(operators)."""
    return [
        k
        for k, operator in enumerate(subgraph.operators or [])
        if tensor_index in (operator.inputs or ())
    ]
