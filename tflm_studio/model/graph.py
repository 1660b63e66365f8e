# SPDX-License-Identifier: Apache-2.0
"""Who makes a tensor, who uses it, and which tensors and entries share a buffer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tflm_studio.model.address import Address
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.tables import Model, SubGraph, Tensor

SHOWN_DIMENSIONS = 16


class Links:
    """Tensor index to the indices of operators that name it.

    Two sorted arrays: a dictionary of lists for 20,000 operators takes ten times as long.

    Args:
        named: The tensor indices that each operator names.
    """

    def __init__(self, named: Sequence[list[int]]) -> None:
        counts = np.fromiter(map(len, named), np.int64, len(named))
        flat: list[int] = []
        for indices in named:
            flat += indices  # twice as fast as one array from all the lists
        tensors = np.array(flat, np.int64)
        order = np.argsort(tensors, kind="stable")
        self._tensors = tensors[order]
        self._operators = np.repeat(np.arange(len(named)), counts)[order]

    def of(self, tensor_index: int) -> list[int]:
        """Operators that name a tensor, each once, in order."""
        first, last = self._tensors.searchsorted([tensor_index, tensor_index + 1])
        return list(dict.fromkeys(self._operators[first:last].tolist()))


@dataclass(frozen=True, slots=True)
class Wiring:
    """Links between the operators and tensors of one subgraph.

    Attributes:
        makers: Tensor index to the operators that output it.
        users: Tensor index to the operators that read it.
        inputs: Tensors that are inputs of the subgraph.
        outputs: Tensors that are outputs of the subgraph.
    """

    makers: Links
    users: Links
    inputs: frozenset[int]
    outputs: frozenset[int]


def wiring_of(subgraph: SubGraph) -> Wiring:
    """The links of a subgraph; indices out of range are links like any other. O(operators)."""
    operators = subgraph.operators or []
    return Wiring(
        Links([operator.outputs or [] for operator in operators]),
        Links([operator.inputs or [] for operator in operators]),
        frozenset(subgraph.inputs or []),
        frozenset(subgraph.outputs or []),
    )


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


def data_view(value: Any) -> memoryview:
    """The bytes in a [ubyte] field, which may be an array of anything; none if absent."""
    return memoryview(value).cast("B") if data_bytes(value) else memoryview(b"")


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
