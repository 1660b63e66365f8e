# SPDX-License-Identifier: Apache-2.0
"""QUANTIZE behind float inputs and DEQUANTIZE before float outputs, taken away.

Firmware that reads integers from a sensor needs neither them nor the floats between.
"""

from __future__ import annotations

from typing import NamedTuple

from tflm_studio.editing.dependencies import Dependencies
from tflm_studio.editing.located import is_of_kind, subgraph_at
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.reduction import reduce_to
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import find_tensor
from tflm_studio.model.place_names import at_start, name_tensor
from tflm_studio.model.quantization import find_quantization
from tflm_studio.model.tensor_types import element_type, format_float
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import Model, SubGraph

_INTEGERS = frozenset((TensorType.INT8, TensorType.UINT8, TensorType.INT16))


class _Edge(NamedTuple):
    """An operator that goes, the float tensor it has and the integer one."""

    operator: int
    real: int
    stored: int


def remove_edge_quantization(
    model: Model, *, inputs: bool = True, outputs: bool = True, subgraph_index: int = 0
) -> Proposal:
    """Makes the integers behind QUANTIZE inputs, and those before DEQUANTIZE outputs.

    Signatures follow and keep their names. A float input that others read as well stays, as
    does a float output that is also used inside.

    Args:
        model: The model.
        inputs: Whether the inputs are looked at.
        outputs: Whether the outputs are.
        subgraph_index: Which subgraph.

    Raises:
        EditError: There is no such input or output, or an operator runs the subgraph.
    """
    subgraph = subgraph_at(model, subgraph_index)
    dependencies = Dependencies(model, subgraph)
    notes: list[str] = []
    edges = _found_inputs(model, subgraph_index, dependencies, notes) if inputs else []
    if outputs:
        edges += _found_outputs(model, subgraph_index, dependencies, notes)
    if not edges:
        raise EditError(
            "There is no Quantize that alone reads a float input, and no Dequantize that "
            "makes a float output; nothing can be taken away."
        )
    notes += [_quantization_note(model, subgraph, subgraph_index, edge) for edge in edges]
    place = {edge.real: edge.stored for edge in edges}
    kept = set(range(len(dependencies.operators))) - {edge.operator for edge in edges}
    new_inputs = [place.get(t, t) for t in subgraph.inputs or []]
    new_outputs = [place.get(t, t) for t in subgraph.outputs or []]
    made = reduce_to(model, subgraph_index, kept, new_inputs, new_outputs, place)
    return made.preceded_by(notes).labelled("Remove quantization at the edges")


def _found_inputs(
    model: Model, subgraph_index: int, dependencies: Dependencies, notes: list[str]
) -> list[_Edge]:
    subgraph = dependencies.subgraph
    found = []
    for real in dict.fromkeys(subgraph.inputs or []):
        users = list(dict.fromkeys(dependencies.users.get(real, ())))
        edges = [
            _Edge(user, real, (dependencies.operators[user].outputs or [-1])[0])
            for user in users
            if is_of_kind(model, dependencies.operators[user], BuiltinOperator.QUANTIZE)
        ]
        edges = [edge for edge in edges if _fits(subgraph, edge)]
        if not edges:
            continue
        is_alone = len(users) == 1 and real not in (subgraph.outputs or [])
        if is_alone and edges[0].stored not in (subgraph.inputs or []):
            found += edges
        else:
            name = at_start(name_tensor(model, subgraph_index, real))
            notes.append(f"{name} stays float: it is not read by one Quantize alone.")
    return found


def _found_outputs(
    model: Model, subgraph_index: int, dependencies: Dependencies, notes: list[str]
) -> list[_Edge]:
    subgraph = dependencies.subgraph
    found = []
    for real in dict.fromkeys(subgraph.outputs or []):
        makers = dependencies.makers.get(real, [])
        edges = [
            _Edge(maker, real, (dependencies.operators[maker].inputs or [-1])[0])
            for maker in makers
            if is_of_kind(model, dependencies.operators[maker], BuiltinOperator.DEQUANTIZE)
        ]
        edges = [edge for edge in edges if _fits(subgraph, edge)]
        if not edges or not dependencies.is_given(edges[0].stored):
            continue
        if len(makers) == 1 and not dependencies.users.get(real):
            found += edges
        else:
            name = at_start(name_tensor(model, subgraph_index, real))
            notes.append(f"{name} stays float: it is used inside as well.")
    return found


def _fits(subgraph: SubGraph, edge: _Edge) -> bool:
    real, stored = find_tensor(subgraph, edge.real), find_tensor(subgraph, edge.stored)
    return (
        real is not None
        and stored is not None
        and real.type == TensorType.FLOAT32
        and stored.type in _INTEGERS
    )


def _quantization_note(
    model: Model, subgraph: SubGraph, subgraph_index: int, edge: _Edge
) -> str:
    tensor = (subgraph.tensors or [])[edge.stored]
    kind = element_type(tensor.type).name
    new, old = (name_tensor(model, subgraph_index, t) for t in (edge.stored, edge.real))
    text = f"{at_start(new)} ({kind}) takes the place of {old}"
    affine = find_quantization(tensor)
    if affine is None:
        return f"{text}."
    scale = format_float(float(affine.scale[0]))
    return f"{text}: scale {scale}, zero point {int(affine.zero_point[0])}."
