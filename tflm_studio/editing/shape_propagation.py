# SPDX-License-Identifier: Apache-2.0
"""New shapes on their way through a subgraph, operator by operator."""

from __future__ import annotations

import math
from collections import Counter

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.field_values import copied
from tflm_studio.editing.fresh_names import fresh_name, tensor_names
from tflm_studio.editing.located import subgraph_at, tensor_at, tensor_place
from tflm_studio.editing.proposal import Draft
from tflm_studio.editing.renumbering import insert_items
from tflm_studio.editing.restated_shapes import (
    Before,
    Restated,
    carried_output,
    restated,
)
from tflm_studio.editing.shared_buffers import shared_buffers
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import shape_text, short_shape_text
from tflm_studio.model.operators import (
    builtin_code,
    find_tensor,
    is_constant,
    knowledge_of,
    operator_code,
)
from tflm_studio.model.place_names import name_operator, name_tensor
from tflm_studio.model.shape_rules.operands import LARGEST_DIMENSION, Operands, Shape
from tflm_studio.model.shapes import InferredShapes, infer_output_shapes
from tflm_studio.model.tensor_types import checked_value, element_type, encode
from tflm_studio.schema.enums import BuiltinOperator
from tflm_studio.schema.tables import Buffer, Operator, Tensor


class Propagation:
    """Tensors of a subgraph that get new shapes on a draft.

    Args:
        draft: Where the changes are made.
        subgraph_index: Which subgraph.
    """

    def __init__(self, draft: Draft, subgraph_index: int) -> None:
        self._draft = draft
        self._model = draft.model
        self._index = subgraph_index
        self._subgraph = subgraph_at(draft.model, subgraph_index)
        self._old = [list(tensor.shape or []) for tensor in self._subgraph.tensors or []]
        self._changed: set[int] = set()
        self._before: list[InferredShapes] = [
            infer_output_shapes(self._model, self._subgraph, operator)
            for operator in self._subgraph.operators or []
        ]
        self._readers = Counter(
            index
            for operator in self._subgraph.operators or []
            for index in set(operator.inputs or ())
        )
        self._shared = shared_buffers(self._model)

    def reshape(self, tensor_index: int, shape: Shape) -> None:
        """Gives a tensor a shape, and its signature the same; -1 in that stays -1."""
        tensor = tensor_at(self._model, self._index, tensor_index)
        if (tensor.shape or []) == shape:
            return
        place = tensor_place(self._index, tensor_index)
        edits: list[Edit] = [Set((*place, "shape"), shape)]
        signature = tensor.shape_signature
        if signature:
            is_as_long = len(signature) == len(shape)
            made = [
                -1 if size == -1 else now for size, now in zip(signature, shape, strict=False)
            ]
            edits.append(Set((*place, "shape_signature"), made if is_as_long else None))
        self._draft.do(edits)
        self._changed.add(tensor_index)

    def run(self) -> None:
        """Lets all operators follow that read what has changed.

        Raises:
            EditError: One of them cannot work on the new shapes.
        """
        for position, operator in enumerate(self._subgraph.operators or []):
            if not self._changed.isdisjoint(operator.inputs or ()):
                self._follow(position, operator)

    def _follow(self, position: int, operator: Operator) -> None:
        before = self._shapes_before(operator)
        self._follow_states(operator, before)
        op = Operands(self._model, self._subgraph, operator)
        for each in restated(op, before):
            self._restate(position, operator, each)
        inferred = infer_output_shapes(self._model, self._subgraph, operator)
        if inferred.is_impossible:
            self._refuse(position, inferred.reason)
        self._check_rows(position, operator, before)
        shapes = inferred.shapes
        if shapes is None:
            shapes = self._guessed(position, op, before, inferred.reason)
        for tensor_index, shape in zip(operator.outputs or [], shapes, strict=False):
            self._give(position, tensor_index, shape)

    def _refuse(self, position: int, reason: str) -> None:
        """Refuses what an operator cannot do, unless it could not do it before either."""
        name = name_operator(self._model, self._index, position)
        if not self._before[position].is_impossible:
            raise EditError(f"{name} cannot work on the new shape: {reason}.")

    def _guessed(
        self, position: int, op: Operands, before: Before, reason: str
    ) -> list[Shape]:
        """What is told at run time follows the input; what nobody knows stays."""
        name = name_operator(self._model, self._index, position)
        carried = carried_output(op, before)
        outputs = [k for k in op.operator.outputs or [] if find_tensor(self._subgraph, k)]
        if carried is not None and outputs:
            made = f"{name_tensor(self._model, self._index, outputs[0])}"
            self._draft.note(
                f"{name}: {reason}; {made} is taken to be {short_shape_text(carried)}."
            )
            return [carried]
        for tensor_index in outputs:
            made = name_tensor(self._model, self._index, tensor_index)
            self._draft.note(f"{name}: the shape of {made} was left, because {reason}.")
        return []

    def _give(self, position: int, tensor_index: int, shape: Shape) -> None:
        if find_tensor(self._subgraph, tensor_index) is None:
            return
        if math.prod(shape) > LARGEST_DIMENSION:
            name = name_operator(self._model, self._index, position)
            made = name_tensor(self._model, self._index, tensor_index)
            raise EditError(f"{name} would make {made} with too many elements.")
        self.reshape(tensor_index, shape)

    def _shapes_before(self, operator: Operator) -> Before:
        inputs = [self._shape_before(index) for index in operator.inputs or []]
        outputs = [self._shape_before(index) for index in operator.outputs or []]
        return Before(inputs, (outputs[0] if outputs else None) or [])

    def _shape_before(self, tensor_index: int) -> Shape | None:
        return self._old[tensor_index] if 0 <= tensor_index < len(self._old) else None

    # -------------------------------------------------------------- special cares

    def _follow_states(self, operator: Operator, before: Before) -> None:
        """State tensors have the batch of the input first."""
        old = before.inputs[0] if before.inputs else None
        now = find_tensor(self._subgraph, (operator.inputs or [-1])[0])
        known = knowledge_of(self._model, operator)
        axis = int(bool(getattr(operator.builtin_options, "time_major", False)))
        if not old or now is None or len(now.shape or []) != len(old) or axis >= len(old):
            return
        batch = (now.shape or [])[axis]
        for slot, tensor_index in enumerate(operator.inputs or []):
            state = find_tensor(self._subgraph, tensor_index)
            if known.input_role(slot) != "variable" or state is None or not state.shape:
                continue
            if state.shape[0] == old[axis] != batch and not is_constant(
                self._model, self._subgraph, tensor_index
            ):
                self.reshape(tensor_index, [batch, *state.shape[1:]])

    def _check_rows(self, position: int, operator: Operator, before: Before) -> None:
        """Refuses a FULLY_CONNECTED that would take longer rows for more rows."""
        code = operator_code(self._model, operator)
        if code is None or builtin_code(code) != BuiltinOperator.FULLY_CONNECTED:
            return
        old = before.inputs[0] if before.inputs else None
        now = find_tensor(self._subgraph, (operator.inputs or [-1])[0])
        shape = list(now.shape or []) if now is not None else []
        weights = before.inputs[1] if len(before.inputs) > 1 else None
        if not old or not shape or not weights or len(weights) != 2 or weights[1] <= 0:
            return
        depth = weights[1]
        # Rows are as long as the last axis, or as everything behind the batch.
        was_row = old[-1] == depth
        was_flat = math.prod(old[1:]) == depth
        is_row, is_flat = shape[-1] == depth, math.prod(shape[1:]) == depth
        if (was_row or was_flat) and not ((was_row and is_row) or (was_flat and is_flat)):
            self._refuse(
                position,
                f"its weights take {depth} values, the input {short_shape_text(shape)} has "
                "others",
            )

    # -------------------------------------------------------------- constants

    def _restate(self, position: int, operator: Operator, each: Restated) -> None:
        place: Address = ("subgraphs", self._index, "operators", position)
        name = name_operator(self._model, self._index, position)
        if each.position < 0:
            self._draft.do(Set((*place, "builtin_options", "new_shape"), each.new))
            return
        slot = knowledge_of(self._model, operator).input_name(each.position)
        self._draft.note(
            f"{name}: its {slot} {shape_text(each.values)} becomes {shape_text(each.new)}."
        )
        tensor_index = self._own_constant(position, operator, each.position)
        tensor = tensor_at(self._model, self._index, tensor_index)
        kind = element_type(tensor.type)
        data = encode([checked_value(number, kind) for number in each.new], kind)
        self._draft.do(Set(("buffers", tensor.buffer, "data"), data))

    def _own_constant(self, position: int, operator: Operator, slot: int) -> int:
        """The tensor of a constant input, which no other operator reads; a copy if need be."""
        tensor_index = (operator.inputs or [])[slot]
        tensor = tensor_at(self._model, self._index, tensor_index)
        is_alone = self._readers[tensor_index] == 1
        is_alone &= tensor_index not in (self._subgraph.outputs or ())
        if is_alone and tensor.buffer not in self._shared:
            return tensor_index
        buffers = len(self._model.buffers or [])
        self._draft.do(insert_items(self._model, "buffers", buffers, [Buffer()]))
        if is_alone:
            self._draft.do(Set((*tensor_place(self._index, tensor_index), "buffer"), buffers))
            return tensor_index
        copy: Tensor = copied(tensor)
        copy.buffer = buffers
        copy.name = fresh_name(f"{copy.name or 'shape'}_copy", tensor_names(self._subgraph))
        new = len(self._subgraph.tensors or [])
        place = ("subgraphs", self._index)
        self._draft.do(insert_items(self._model, (*place, "tensors"), new, [copy]))
        self._old.append(list(copy.shape or []))
        self._readers[tensor_index] -= 1
        self._readers[new] = 1
        inputs = list(operator.inputs or [])
        inputs[slot] = new
        self._draft.do(Set((*place, "operators", position, "inputs"), inputs))
        return new
