# SPDX-License-Identifier: Apache-2.0
"""A buffer or operator code of its own for what shares one, so that a change stays there."""

from __future__ import annotations

from tflm_studio.editing.edits import Set
from tflm_studio.editing.field_values import copied
from tflm_studio.editing.located import item_at, operator_at, tensor_at
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.renumbering import insert_items
from tflm_studio.editing.shared_buffers import is_shared
from tflm_studio.model.place_names import name_operator, name_tensor
from tflm_studio.schema.tables import Buffer, Model, OperatorCode


def detach_buffer(model: Model, subgraph_index: int, tensor_index: int) -> Proposal:
    """Gives a tensor a buffer of its own with the bytes it has now.

    Nothing happens if it has one already.

    Raises:
        EditError: There is no such tensor, or its buffer does not exist.
    """
    tensor = tensor_at(model, subgraph_index, tensor_index)
    buffer: Buffer = item_at(model.buffers, tensor.buffer, "buffer")
    if not is_shared(model, tensor.buffer):
        return Proposal()
    count = len(model.buffers or [])
    with Draft(model) as draft:
        draft.do(insert_items(model, "buffers", count, [_copy_inside(buffer)]))
        place = ("subgraphs", subgraph_index, "tensors", tensor_index, "buffer")
        draft.do(Set(place, count))
    name = name_tensor(model, subgraph_index, tensor_index)
    return draft.proposal(f"A buffer of its own for {name}")


def detach_operator_code(model: Model, subgraph_index: int, operator_index: int) -> Proposal:
    """Gives an operator an operator code of its own, the same as it has now.

    Nothing happens if it has one already.

    Raises:
        EditError: There is no such operator, or its operator code does not exist.
    """
    operator = operator_at(model, subgraph_index, operator_index)
    code: OperatorCode = item_at(model.operator_codes, operator.opcode_index, "operator code")
    sharing = sum(
        other.opcode_index == operator.opcode_index
        for subgraph in model.subgraphs or []
        for other in subgraph.operators or []
    )
    if sharing == 1:
        return Proposal()
    count = len(model.operator_codes or [])
    with Draft(model) as draft:
        draft.do(insert_items(model, "operator_codes", count, [code]))
        place = ("subgraphs", subgraph_index, "operators", operator_index, "opcode_index")
        draft.do(Set(place, count))
    name = name_operator(model, subgraph_index, operator_index)
    return draft.proposal(f"An operator code of its own for {name}")


def _copy_inside(buffer: Buffer) -> Buffer:
    """A copy whose bytes stand inside of the flatbuffer."""
    made: Buffer = copied(buffer)
    if made.data is not None:
        made.offset = made.size = 0
    made.extra = None
    return made
