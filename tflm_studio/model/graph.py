# SPDX-License-Identifier: Apache-2.0
"""Who makes a tensor, who uses it, and which tensors and entries share a buffer."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from tflm_studio.model.address import Address
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.tables import Model, SubGraph, Tensor

SHOWN_DIMENSIONS = 16


@dataclass(frozen=True, slots=True)
class Wiring:
    """Links between the operators and tensors of one subgraph.

    Attributes:
        makers: Tensor index to the indices of operators that output it.
        users: Tensor index to the indices of operators that read it, each once.
        inputs: Tensors that are inputs of the subgraph.
        outputs: Tensors that are outputs of the subgraph.
    """

    makers: dict[int, list[int]]
    users: dict[int, list[int]]
    inputs: frozenset[int]
    outputs: frozenset[int]


def wiring_of(subgraph: SubGraph) -> Wiring:
    """The links of a subgraph; indices out of range are links like any other. O(operators)."""
    makers: dict[int, list[int]] = defaultdict(list)
    users: dict[int, list[int]] = defaultdict(list)
    for operator_index, operator in enumerate(subgraph.operators or []):
        for tensor_index in dict.fromkeys(operator.outputs or []):
            makers[tensor_index].append(operator_index)
        for tensor_index in dict.fromkeys(operator.inputs or []):
            users[tensor_index].append(operator_index)
    return Wiring(
        dict(makers),
        dict(users),
        frozenset(subgraph.inputs or []),
        frozenset(subgraph.outputs or []),
    )


def buffer_users(model: Model) -> dict[int, list[Address]]:
    """Buffer index to the addresses of tensors and metadata that use it. O(tensors)."""
    users: dict[int, list[Address]] = defaultdict(list)
    for s, subgraph in enumerate(model.subgraphs or []):
        for t, tensor in enumerate(subgraph.tensors or []):
            users[tensor.buffer].append(("subgraphs", s, "tensors", t))
    for m, entry in enumerate(model.metadata or []):
        users[entry.buffer].append(("metadata", m))
    return dict(users)


def data_bytes(value: Any) -> int:
    """Bytes in a [ubyte] field; 0 if absent."""
    return 0 if value is None else memoryview(value).nbytes


def shape_text(shape: list[int] | None, cross: str = "x") -> str:
    """A shape such as "1x96x96x1"; "scalar" for none and for no dimensions."""
    return cross.join(map(str, shape)) if shape else "scalar"


def short_shape_text(shape: list[int] | None) -> str:
    """A shape for people to read; of many dimensions only the first."""
    more = "×…" if len(shape or ()) > SHOWN_DIMENSIONS else ""
    return shape_text((shape or [])[:SHOWN_DIMENSIONS], "×") + more


def tensor_text(subgraph: SubGraph, tensor_index: int) -> str:
    """A tensor in a line: name, shape and type; says so if there is none."""
    if tensor_index == -1:
        return "left out (optional)"
    tensors = subgraph.tensors or []
    if not 0 <= tensor_index < len(tensors):
        return f"no such tensor: this subgraph has {len(tensors)}"
    return describe_tensor(tensors[tensor_index])


def describe_tensor(tensor: Tensor) -> str:
    """Name, shape and type of a tensor in a line."""
    name = excerpt(tensor.name or "unnamed", SHOWN_NAME_CHARACTERS)
    return f"{name}  {short_shape_text(tensor.shape)} {element_type(tensor.type).name}"
