# SPDX-License-Identifier: Apache-2.0
"""Outputs whose shape no longer follows from the options and inputs of their operator."""

from __future__ import annotations

from tflm_studio.editing.located import selected, subgraph_at
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.shape_propagation import Propagation
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import find_tensor
from tflm_studio.model.place_names import name_operator
from tflm_studio.model.shape_rules.operands import Shape
from tflm_studio.model.shapes import infer_output_shapes
from tflm_studio.schema.tables import Model, Operator, SubGraph, Tensor


def shapes_to_fit(model: Model, subgraph: SubGraph, operator: Operator) -> dict[int, Shape]:
    """Outputs that are stored with another shape than follows, and which that would be.

    Args:
        model: The model; only looked at.
        subgraph: The subgraph of the operator.
        operator: The operator; it may be senseless.
    """
    follows = infer_output_shapes(model, subgraph, operator).shapes or []
    found = {}
    for index, shape in zip(operator.outputs or [], follows, strict=False):
        tensor = find_tensor(subgraph, index)
        if tensor is not None and not _fits(tensor, shape):
            found[index] = shape
    return found


def _fits(tensor: Tensor, shape: Shape) -> bool:
    """Whether a tensor has a shape; sizes known at run time only are stored as anything."""
    stored, signature = list(tensor.shape or []), list(tensor.shape_signature or [])
    if len(signature) == len(stored) == len(shape):
        sizes = zip(stored, shape, signature, strict=True)
        return all(was == size or open_size == -1 for was, size, open_size in sizes)
    return -1 in signature or stored == shape


def fit_outputs(model: Model, subgraph_index: int, operator_index: int) -> Proposal:
    """Gives the outputs of an operator the shape that follows, and what is behind them too.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        operator_index: Which operator.

    Raises:
        EditError: There is no such operator, its outputs fit, or an operator behind it cannot
            work on the new shapes.
    """
    selected(model, subgraph_index, [operator_index])
    subgraph = subgraph_at(model, subgraph_index)
    name = name_operator(model, subgraph_index, operator_index)
    shapes = shapes_to_fit(model, subgraph, (subgraph.operators or [])[operator_index])
    if not shapes:
        raise EditError(f"The outputs of {name} have the shape that follows already.")
    with Draft(model) as draft:
        propagation = Propagation(draft, subgraph_index)
        for index, shape in shapes.items():
            propagation.reshape(index, shape)
        propagation.run()
    return draft.proposal(f"Fit the shapes behind {name}")
