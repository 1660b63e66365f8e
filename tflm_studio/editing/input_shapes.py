# SPDX-License-Identifier: Apache-2.0
"""Inputs of another shape, and everything behind them that follows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tflm_studio.editing.graph_ends import caller_notes
from tflm_studio.editing.located import subgraph_at, tensor_at
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.shape_propagation import Propagation
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import short_shape_text
from tflm_studio.model.place_names import at_start, name_tensor
from tflm_studio.model.shape_rules.operands import LARGEST_DIMENSION, Shape
from tflm_studio.schema.tables import Model


def set_input_shape(
    model: Model, subgraph_index: int, tensor_index: int, shape: Sequence[int]
) -> Proposal:
    """Gives an input another shape, and the tensors behind it those that follow.

    RESHAPE and its like are told the new sizes. What follows from no rule is left, and told.
    O(operators²) at worst, if many constants have to be copied.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        tensor_index: An input of it.
        shape: Its new dimensions, all above 0.

    Raises:
        EditError: The tensor is no input, the shape is not possible, or an operator cannot
            work on it, for instance because its weights do not fit.
    """
    name = name_tensor(model, subgraph_index, tensor_index)
    label = f"Set the shape of {name} to {short_shape_text(list(shape))}"
    return _with_shapes(model, subgraph_index, {tensor_index: list(shape)}).labelled(label)


def set_batch(model: Model, batch: int) -> Proposal:
    """Gives the inputs of the main subgraph another first dimension.

    Inputs with fewer than two dimensions, and those whose first dimension is another than
    that of the first input, have no batch and stay.

    Args:
        model: The model.
        batch: The new first dimension, above 0.

    Raises:
        EditError: As `set_input_shape`; or no input has a batch.
    """
    subgraph = subgraph_at(model, 0)
    shapes = {
        index: list(tensor_at(model, 0, index).shape or [])
        for index in dict.fromkeys(subgraph.inputs or [])
    }
    batched = {index: shape for index, shape in shapes.items() if len(shape) >= 2}
    old = next(iter(batched.values()), [0])[0]
    batched = {index: shape for index, shape in batched.items() if shape[0] == old}
    if not batched:
        raise EditError("No input has a batch: none has two dimensions or more.")
    notes = [
        f"Input {name_tensor(model, 0, index)} ({short_shape_text(shape)}) was left."
        for index, shape in shapes.items()
        if index not in batched
    ]
    wanted = {index: [batch, *shape[1:]] for index, shape in batched.items()}
    made = _with_shapes(model, 0, wanted)
    return Proposal(made.edits, (*notes, *made.notes), f"Set the batch to {batch}")


def _with_shapes(model: Model, subgraph_index: int, shapes: Mapping[int, Shape]) -> Proposal:
    subgraph = subgraph_at(model, subgraph_index)
    for index, shape in shapes.items():
        tensor_at(model, subgraph_index, index)
        name = at_start(name_tensor(model, subgraph_index, index))
        if index not in (subgraph.inputs or ()):
            raise EditError(f"{name} is no input of the subgraph.")
        if any(size < 1 for size in shape):
            raise EditError(f"{name}: every dimension has to be above 0.")
        if max(shape, default=1) > LARGEST_DIMENSION or math.prod(shape) > LARGEST_DIMENSION:
            raise EditError(f"{name} would have too many elements.")
    with Draft(model) as draft:
        propagation = Propagation(draft, subgraph_index)
        for index, shape in shapes.items():
            propagation.reshape(index, shape)
        propagation.run()
        draft.note(*caller_notes(model, subgraph_index, "inputs"))
    return draft.proposal()
