# SPDX-License-Identifier: Apache-2.0
"""Subgraphs that begin or end at another operator than before."""

from __future__ import annotations

from tflm_studio.editing.dependencies import Dependencies
from tflm_studio.editing.located import operator_at, subgraph_at
from tflm_studio.editing.operations import check_tensor_indices
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.reduction import reduce_to
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import at_start, name_operator, name_tensor, named_few
from tflm_studio.schema.tables import Model


def truncate_after(model: Model, subgraph_index: int, operator_index: int) -> Proposal:
    """Makes the outputs of an operator those of its subgraph.

    What is not needed to compute them is removed, inputs too. Signatures follow.

    Raises:
        EditError: There is no such operator, it makes no tensor, or its subgraph is run by an
            operator.
    """
    operator = operator_at(model, subgraph_index, operator_index)
    subgraph = subgraph_at(model, subgraph_index)
    text = name_operator(model, subgraph_index, operator_index)
    outputs = list(dict.fromkeys(operator.outputs or []))
    if not outputs:
        raise EditError(f"{at_start(text)} makes no tensor that could be an output.")
    check_tensor_indices(subgraph, outputs, optional=False)
    dependencies = Dependencies(model, subgraph)
    kept = dependencies.needed_for(outputs, subgraph.inputs or [])
    read = {t for k in kept for t in (subgraph.operators or [])[k].inputs or []}
    inputs = [t for t in subgraph.inputs or [] if t in read or t in outputs]
    notes = _gone(model, subgraph_index, "input", set(subgraph.inputs or []) - set(inputs))
    made = reduce_to(model, subgraph_index, kept, inputs, outputs)
    return made.preceded_by(notes).labelled(f"Truncate after {text}")


def truncate_before(
    model: Model, subgraph_index: int, operator_index: int, *, more_inputs: bool = True
) -> Proposal:
    """Makes the inputs that an operator is given at run time those of its subgraph.

    What is not needed from there on is removed; outputs that do not depend on the operator
    are too. Signatures follow.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        operator_index: Where it shall begin.
        more_inputs: Whether tensors that are needed beside those, such as the other branch of
            a residual connection, become inputs as well.

    Raises:
        EditError: There is no such operator, it is given nothing at run time, no output
            depends on it, its subgraph is run by an operator, or more inputs would be needed
            and are not wanted.
    """
    operator = operator_at(model, subgraph_index, operator_index)
    subgraph = subgraph_at(model, subgraph_index)
    text = name_operator(model, subgraph_index, operator_index)
    dependencies = Dependencies(model, subgraph)
    own = [t for t in dict.fromkeys(operator.inputs or []) if dependencies.is_given(t)]
    if not own:
        raise EditError(
            f"{at_start(text)} is given nothing at run time that could be an input."
        )
    behind = {operator_index} | dependencies.fed_by(operator.outputs or [])
    reached = {t for k in behind for t in (subgraph.operators or [])[k].outputs or []}
    outputs = [t for t in subgraph.outputs or [] if t in reached]
    if not outputs:
        raise EditError(f"No output of the subgraph depends on {text}.")
    # What depends on no input, such as weights that are unpacked, need not be given.
    free = set(range(len(subgraph.operators or [])))
    free -= dependencies.fed_by(subgraph.inputs or [])
    kept = dependencies.needed_for(outputs, own, behind | free)
    others = [t for t in dependencies.open_inputs(kept) if t not in own]
    named = named_few([name_tensor(model, subgraph_index, t) for t in others])
    if others and not more_inputs:
        raise EditError(f"What follows {text} needs {named} as well.")
    notes = [f"Needed from there on, and an input as well: {named}."] if others else []
    notes += _gone(model, subgraph_index, "output", set(subgraph.outputs or []) - set(outputs))
    made = reduce_to(model, subgraph_index, kept, [*own, *others], outputs)
    return made.preceded_by(notes).labelled(f"Truncate before {text}")


def _gone(model: Model, subgraph_index: int, kind: str, tensors: set[int]) -> list[str]:
    names = [name_tensor(model, subgraph_index, t) for t in sorted(tensors)]
    return [f"No {kind} any more: {named_few(names)}."] if names else []
