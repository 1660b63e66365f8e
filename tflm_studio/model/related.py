# SPDX-License-Identifier: Apache-2.0
"""What belongs together: the operators, tensors and buffers that a place has to do with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tflm_studio.model.address import Address, find_address
from tflm_studio.model.graph import Wiring, wiring_of
from tflm_studio.model.operators import find_tensor
from tflm_studio.model.place_names import thing_at
from tflm_studio.schema.tables import Metadata, Model, Operator, SubGraph, Tensor


class Related(NamedTuple):
    """Indices of things that belong to a place; operators and tensors of one subgraph."""

    subgraph_index: int
    operators: frozenset[int]
    tensors: frozenset[int]
    buffers: frozenset[int]


NOTHING: frozenset[int] = frozenset()


def related_to(
    model: Model,
    address: Address,
    subgraph_index: int = 0,
    wiring: Callable[[int], Wiring] | None = None,
) -> Related:
    """What belongs to an operator, tensor, buffer or metadata entry. O(operators).

    Args:
        model: The model.
        address: A place in it.
        subgraph_index: Where to look for the users of a buffer.
        wiring: Gives the wiring of a subgraph that is known already.
    """
    thing = thing_at(address)
    value = find_address(model, thing) if thing else None
    if isinstance(value, (Operator, Tensor)):
        subgraph_index = int(thing[1])
    subgraphs = model.subgraphs or []
    subgraph = subgraphs[subgraph_index] if subgraph_index < len(subgraphs) else SubGraph()

    def links() -> Wiring:
        return wiring(subgraph_index) if wiring is not None else wiring_of(subgraph)

    if isinstance(value, Operator):
        tensors = frozenset(value.inputs or []) | frozenset(value.outputs or [])
        buffers = _buffers_of(subgraph, tensors)
        return Related(subgraph_index, frozenset((int(thing[3]),)), tensors, buffers)
    if isinstance(value, Tensor):
        index = int(thing[3])
        return Related(
            subgraph_index,
            _operators_of(links(), {index}),
            frozenset((index,)),
            frozenset((value.buffer,)),
        )
    if isinstance(value, Metadata):
        return Related(subgraph_index, NOTHING, NOTHING, frozenset((value.buffer,)))
    if thing[:1] == ("buffers",):
        index = int(thing[1])
        tensors = frozenset(
            t for t, tensor in enumerate(subgraph.tensors or []) if tensor.buffer == index
        )
        operators = _operators_of(links(), set(tensors))
        return Related(subgraph_index, operators, tensors, frozenset((index,)))
    return Related(subgraph_index, NOTHING, NOTHING, NOTHING)


def _buffers_of(subgraph: SubGraph, tensors: frozenset[int]) -> frozenset[int]:
    found = (find_tensor(subgraph, index) for index in tensors)
    return frozenset(tensor.buffer for tensor in found if tensor is not None)


def _operators_of(wiring: Wiring, tensors: set[int]) -> frozenset[int]:
    return frozenset(
        operator
        for tensor in tensors
        for operator in (*wiring.makers.of(tensor), *wiring.users.of(tensor))
    )
