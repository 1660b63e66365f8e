# SPDX-License-Identifier: Apache-2.0
"""What nothing in a model uses: subgraphs, tensors, operator codes, buffers.

Each list is asked for by itself: a buffer that only an unused tensor names is in use until
that tensor is gone.
"""

from __future__ import annotations

from collections import defaultdict

from tflm_studio.analysis.compressed_tensors import table_buffers
from tflm_studio.model.address import Address, resolve
from tflm_studio.model.calls import run_subgraphs
from tflm_studio.model.errors import EditError
from tflm_studio.model.index_references import Space, index_columns
from tflm_studio.schema.tables import Model


def unused_subgraphs(model: Model) -> list[int]:
    """Subgraphs that neither the main one nor a signature leads to. O(operators)."""
    used = run_subgraphs(model)
    return [index for index in range(len(model.subgraphs or [])) if index not in used]


def unused_tensors(model: Model, subgraph_index: int) -> list[int]:
    """Tensors that no operator, end or signature of their subgraph names. O(operators)."""
    used: set[int] = set()
    scales: dict[int, list[int]] = defaultdict(list)
    for column in index_columns(model, Space.TENSORS, subgraph_index):
        for item, value in column.values():
            indices = value if isinstance(value, list) else [value]
            if column.place[-1:] == ("tensors",):
                scales[item] += indices
            else:
                used.update(indices)
    waiting = [index for index in scales if index in used]
    while waiting:
        for index in scales.pop(waiting.pop(), ()):
            used.add(index)
            waiting.append(index)
    tensors = (model.subgraphs or [])[subgraph_index].tensors or []
    return [index for index in range(len(tensors)) if index not in used]


def unused_operator_codes(model: Model) -> list[int]:
    """Operator codes of no operator. O(operators)."""
    used = {
        operator.opcode_index
        for subgraph in model.subgraphs or []
        for operator in subgraph.operators or []
    }
    return [index for index in range(len(model.operator_codes or [])) if index not in used]


def unused_buffers(model: Model) -> list[int]:
    """Buffers that nothing names but for buffer 0, which stands for no data. O(tensors)."""
    used = {0, *table_buffers(model)}
    for column in index_columns(model, Space.BUFFERS):
        for _, value in column.values():
            used.update(value if isinstance(value, list) else (value,))
    return [index for index in range(len(model.buffers or [])) if index not in used]


def unused_at(model: Model, place: Address) -> list[int]:
    """The unused items of the list at a place.

    Args:
        model: The model.
        place: Such as `("buffers",)` or `("subgraphs", 0, "tensors")`.

    Raises:
        EditError: The place is no such list.
    """
    match place:
        case ("subgraphs",):
            return unused_subgraphs(model)
        case ("operator_codes",):
            return unused_operator_codes(model)
        case ("buffers",):
            return unused_buffers(model)
        case ("subgraphs", int(index), "tensors"):
            resolve(model, place)
            return unused_tensors(model, index)
    raise EditError("Only lists of subgraphs, tensors, buffers and operator codes have users.")
