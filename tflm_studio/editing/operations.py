# SPDX-License-Identifier: Apache-2.0
"""What people want done, as lists of edits: each function only looks at the model.

Apply the result with `Document.do`.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from tflm_studio.editing.edits import Edit, Set, WriteBytes
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.rewiring import rewired
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import data_bytes, data_view
from tflm_studio.model.operators import (
    NO_TENSOR,
    OperatorKnowledge,
    knowledge_of,
    split_inputs,
)
from tflm_studio.model.quantization import AffineQuantization
from tflm_studio.model.tensor_types import ElementType, checked_value, element_patch
from tflm_studio.schema.tables import Model, SubGraph

Column = Literal["inputs", "outputs", "weights"]
LONGEST_QUOTE = 40


def set_buffer_value(
    model: Model, buffer_index: int, kind: ElementType, index: int, value: Any
) -> list[Edit]:
    """Gives one element of a buffer a value.

    Args:
        model: The model that has the buffer.
        buffer_index: Which of its buffers.
        kind: What the elements of the buffer are taken for.
        index: Flat index of the element.
        value: The stored value, not the real it may stand for.

    Raises:
        EditError: There is no such element, or its type cannot hold the value.
    """
    data = _buffer_bytes(model, buffer_index)
    offset, raw = element_patch(data, kind, index, checked_value(value, kind))
    return [WriteBytes(("buffers", buffer_index, "data"), offset, raw)]


def set_buffer_real(
    model: Model,
    buffer_index: int,
    kind: ElementType,
    quantization: AffineQuantization,
    index: int,
    real: float,
) -> list[Edit]:
    """Gives one element of a buffer the stored value nearest to a real.

    Raises:
        EditError: The type cannot hold the real at this scale.
    """
    stored = quantization.to_stored(real, index, kind)
    return set_buffer_value(model, buffer_index, kind, index, stored)


def _buffer_bytes(model: Model, buffer_index: int) -> memoryview:
    buffers = model.buffers or []
    if not 0 <= buffer_index < len(buffers):
        raise EditError(f"buffers[{buffer_index}]: there are only {len(buffers)} buffers.")
    if not data_bytes(buffers[buffer_index].data):
        raise EditError(f"buffers[{buffer_index}] is empty: it has no values to change.")
    return data_view(buffers[buffer_index].data)


def parse_indices(text: str) -> list[int]:
    """Tensor indices that a person typed, such as `4 7 -1` or `2 (bias 3)`.

    Raises:
        EditError: The text is something else.
    """
    bare = re.sub(r"\(\s*bias\s+([-0-9 ,]*)\)", r" \1", text).strip().strip("[]")
    if bare in ("", "-", "–"):
        return []
    if not re.fullmatch(r"-?[0-9]{1,10}(?:[\s,;]+-?[0-9]{1,10})*[\s,;]*", bare):
        raise EditError(f"'{_cut(text)}' is not a list of tensor indices; write 4 7 -1.")
    return [int(number) for number in re.findall(r"-?[0-9]+", bare)]


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}…"


def set_operator_tensors(
    model: Model, subgraph_index: int, operator_index: int, column: Column, indices: list[int]
) -> Proposal:
    """Wires the inputs, outputs or weights of an operator to other tensors.

    Offsets of an offline memory plan that clash then are given up, and the notes say so.
    The inputs of an operator and its weights stand in one list; those of the other column keep
    their places. Fewer indices than before leave optional inputs out; more go behind the last
    one, if the operator has room for them there.

    Args:
        model: The model that has the operator.
        subgraph_index: Which subgraph.
        operator_index: Which operator of it.
        column: What is given: "weights" means weights, then biases.
        indices: Tensor indices; -1 leaves an optional input out.

    Raises:
        EditError: An index names no tensor, or the operator has no place for so many or needs
            more.
    """
    subgraph, place = _operator_at(model, subgraph_index, operator_index)
    operator = (subgraph.operators or [])[operator_index]
    check_tensor_indices(subgraph, indices, optional=column != "outputs")
    if column == "outputs":
        return rewired(model, [Set((*place, "outputs"), indices)])
    parts = split_inputs(model, subgraph, operator)
    positions = parts.inputs if column == "inputs" else parts.weights + parts.biases
    known = knowledge_of(model, operator)
    merged = _merged(known, list(operator.inputs or []), sorted(positions), indices)
    return rewired(model, [Set((*place, "inputs"), merged)])


def _operator_at(
    model: Model, subgraph_index: int, operator_index: int
) -> tuple[SubGraph, Address]:
    subgraphs = model.subgraphs or []
    place: Address = ("subgraphs", subgraph_index, "operators", operator_index)
    if not 0 <= subgraph_index < len(subgraphs):
        raise EditError(f"There is no subgraph {subgraph_index}.")
    count = len(subgraphs[subgraph_index].operators or [])
    if not 0 <= operator_index < count:
        raise EditError(f"There is no operator {operator_index}; the last is {count - 1}.")
    return subgraphs[subgraph_index], place


def _merged(
    known: OperatorKnowledge, current: list[int], positions: list[int], indices: list[int]
) -> list[int]:
    """The inputs with those at `positions` exchanged; the others keep their places.

    Raises:
        EditError: The others could not keep their places, or a needed input would be gone.
    """
    for position, tensor_index in zip(positions, indices, strict=False):
        current[position] = tensor_index
    return (
        _extended(known, current, positions, indices[len(positions) :])
        if len(indices) >= len(positions)
        else _shortened(known, current, positions[len(indices) :])
    )


def _extended(
    known: OperatorKnowledge, current: list[int], positions: list[int], more: list[int]
) -> list[int]:
    behind = positions[-1] + 1 if positions else len(current)
    is_last = behind == len(current)
    if more and not known.takes_any_number and not is_last:
        raise EditError(
            f"{known.name} takes {len(positions)} tensors here, not "
            f"{len(positions) + len(more)}: more would move {known.input_name(behind)} and "
            "what follows it to other places."
        )
    if not known.takes_any_number and len(current) + len(more) > len(known.inputs):
        raise EditError(f"{known.name} takes {len(known.inputs)} inputs at most.")
    return current[:behind] + more + current[behind:]


def _shortened(known: OperatorKnowledge, current: list[int], gone: list[int]) -> list[int]:
    for position in sorted(gone, reverse=True):
        if known.takes_any_number:
            del current[position]
        elif not known.is_optional(position):
            raise EditError(
                f"{known.name} needs {known.input_name(position)} (input {position}); name a "
                "tensor for it."
            )
        elif position == len(current) - 1:
            del current[position]
        else:
            current[position] = NO_TENSOR
    return current


def check_tensor_indices(subgraph: SubGraph, indices: list[int], *, optional: bool) -> None:
    """Refuses indices that name no tensor.

    Args:
        subgraph: Whose tensors they should name.
        indices: Tensor indices.
        optional: Whether -1 may stand for an input that is left out.

    Raises:
        EditError: Names the first bad index and what is possible.
    """
    count = len(subgraph.tensors or [])
    for tensor_index in indices:
        if tensor_index == NO_TENSOR and optional:
            continue
        if not 0 <= tensor_index < count:
            also = " (or -1 to leave an optional one out)" if optional else ""
            raise EditError(
                f"There is no tensor {tensor_index}; this subgraph has 0 to {count - 1}{also}."
            )


def parse_shape(text: str) -> list[int]:
    """A shape that a person typed: `1x96x96x1`, `1, 96, 96, 1` or `scalar`.

    Raises:
        EditError: The text is no shape.
    """
    bare = text.strip().strip("[]()").strip()
    if bare in ("", "scalar"):
        return []
    parts = re.split(r"\s*[x×X,;]\s*|\s+", bare)
    if not all(re.fullmatch(r"-?[0-9]{1,10}", part) for part in parts):
        raise EditError(f"'{_cut(text)}' is not a shape; write it as 1x96x96x1, or scalar.")
    return [int(part) for part in parts]
