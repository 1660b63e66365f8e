# SPDX-License-Identifier: Apache-2.0
"""QUANTIZE and DEQUANTIZE operators put behind a tensor."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from tflm_studio.editing.edits import Set
from tflm_studio.editing.field_values import copied
from tflm_studio.editing.fresh_names import fresh_name, tensor_names
from tflm_studio.editing.graph_ends import caller_notes
from tflm_studio.editing.located import subgraph_at, tensor_at
from tflm_studio.editing.operator_codes import find_or_add
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.renumbering import insert_items
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import makers_of, readers_of
from tflm_studio.model.place_names import at_start, name_operator, name_tensor
from tflm_studio.model.quantization import find_quantization
from tflm_studio.model.tensor_types import element_type
from tflm_studio.schema.enums import BuiltinOperator, TensorType
from tflm_studio.schema.tables import (
    Buffer,
    DequantizeOptions,
    Model,
    Operator,
    QuantizationParameters,
    QuantizeOptions,
    Tensor,
)

_QUANTIZABLE = (
    TensorType.INT8,
    TensorType.UINT8,
    TensorType.INT16,
    TensorType.INT32,
)


def insert_quantize(
    model: Model,
    subgraph_index: int,
    tensor_index: int,
    *,
    type: int,
    scale: float,
    zero_point: int,
    users: Collection[int] | None = None,
) -> Proposal:
    """A QUANTIZE right behind the maker of a tensor, and users that read what it makes.

    Behind an input or a constant it stands before the first of these users.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        tensor_index: The tensor, of reals or already quantised.
        type: A value of TensorType: INT8, UINT8, INT16 or INT32.
        scale: Of the new tensor.
        zero_point: Of the new tensor.
        users: Operators by their index of now; None for all, or for the output of the
            subgraph if no operator reads the tensor; none of them for the output only.

    Raises:
        EditError: The numbers are not possible, an operator does not read the tensor, or
            nothing uses it.
    """
    tensor = tensor_at(model, subgraph_index, tensor_index)
    name = name_tensor(model, subgraph_index, tensor_index)
    kind = element_type(type)
    if type not in _QUANTIZABLE:
        raise EditError(
            f"QUANTIZE cannot make {kind.name}; choose int8, uint8, int16 or int32."
        )
    if not 0 < scale < float("inf"):
        raise EditError(f"{scale!r} is no scale; it has to be a number above 0.")
    if not kind.low <= zero_point <= kind.high:
        raise EditError(f"{kind.name} cannot hold the zero point {zero_point}.")
    if tensor.type != TensorType.FLOAT32 and find_quantization(tensor) is None:
        raise EditError(f"{name} holds neither float32 nor quantised numbers.")
    quantization = QuantizationParameters(scale=[scale], zero_point=[zero_point])
    made = _like(model, subgraph_index, tensor, "quantized", type, quantization)
    operator = Operator(builtin_options=QuantizeOptions())
    label = f"Quantise {name} to {kind.name}"
    step = (BuiltinOperator.QUANTIZE, operator, made)
    return _inserted(model, subgraph_index, tensor_index, step, users).labelled(label)


def insert_dequantize(
    model: Model,
    subgraph_index: int,
    tensor_index: int,
    *,
    users: Collection[int] | None = None,
) -> Proposal:
    """A DEQUANTIZE right behind the maker of a tensor, as `insert_quantize`.

    Raises:
        EditError: The tensor is not quantised, an operator does not read it, or nothing uses
            it.
    """
    tensor = tensor_at(model, subgraph_index, tensor_index)
    name = name_tensor(model, subgraph_index, tensor_index)
    if tensor.type != TensorType.FLOAT16 and find_quantization(tensor) is None:
        raise EditError(f"{name} is not quantised; there is nothing to dequantise.")
    made = _like(model, subgraph_index, tensor, "dequantized", TensorType.FLOAT32, None)
    operator = Operator(builtin_options=DequantizeOptions())
    step = (BuiltinOperator.DEQUANTIZE, operator, made)
    made_proposal = _inserted(model, subgraph_index, tensor_index, step, users)
    return made_proposal.labelled(f"Dequantise {name}")


def _like(
    model: Model,
    subgraph_index: int,
    tensor: Tensor,
    suffix: str,
    type: int,
    quantization: QuantizationParameters | None,
) -> Tensor:
    """A tensor of the same shape without data, checked by its fields."""
    made: Tensor = copied(
        Tensor(
            shape=tensor.shape,
            type=type,
            name=fresh_name(
                f"{tensor.name or ''}_{suffix}",
                tensor_names(subgraph_at(model, subgraph_index)),
            ),
            quantization=quantization,
            shape_signature=tensor.shape_signature,
            has_rank=tensor.has_rank,
        )
    )
    return made


def _inserted(
    model: Model,
    subgraph_index: int,
    tensor_index: int,
    step: tuple[BuiltinOperator, Operator, Tensor],
    users: Collection[int] | None,
) -> Proposal:
    code, operator, made = step
    readers, at_output = _chosen(model, subgraph_index, tensor_index, users)
    if tensor_at(model, subgraph_index, tensor_index).is_variable:
        name = name_tensor(model, subgraph_index, tensor_index)
        raise EditError(
            f"{at_start(name)} is a variable that its readers write to; they cannot read a "
            "copy of it."
        )
    place: Any = ("subgraphs", subgraph_index)
    with Draft(model) as draft:
        if not model.buffers or model.buffers[0].data:
            made.buffer = len(model.buffers or [])
            draft.do(insert_items(model, "buffers", made.buffer, [Buffer()]))
        new = len(subgraph_at(model, subgraph_index).tensors or [])
        draft.do(insert_items(model, (*place, "tensors"), new, [made]))
        for reader in readers:
            _reread(draft, (*place, "operators", reader, "inputs"), tensor_index, new)
        if at_output:
            outputs = subgraph_at(model, subgraph_index).outputs or []
            swapped = [new if index == tensor_index else index for index in outputs]
            draft.note(*caller_notes(model, subgraph_index, "outputs"))
            _swap_output(draft, subgraph_index, tensor_index, new, swapped)
        found = find_or_add(model, int(code))
        draft.do(found.proposal)
        operator.opcode_index = found.index
        operator.inputs, operator.outputs = [tensor_index], [new]
        at = _place_behind(model, subgraph_index, tensor_index, readers)
        draft.do(insert_items(model, (*place, "operators"), at, [operator]))
    return draft.proposal()


def _chosen(
    model: Model, subgraph_index: int, tensor_index: int, users: Collection[int] | None
) -> tuple[list[int], bool]:
    """The operators that shall read the new tensor, and whether the output shall be it."""
    subgraph = subgraph_at(model, subgraph_index)
    name = name_tensor(model, subgraph_index, tensor_index)
    readers = readers_of(subgraph, tensor_index)
    wanted = readers if users is None else sorted(set(users))
    for user in wanted:
        if user not in readers:
            if not 0 <= user < len(subgraph.operators or []):
                raise EditError(f"There is no operator {user}.")
            raise EditError(
                f"{name_operator(model, subgraph_index, user)} does not read {name}."
            )
    if not wanted and tensor_index not in (subgraph.outputs or ()):
        raise EditError(f"Nothing uses {name}: no operator reads it and it is no output.")
    return wanted, not wanted


def _reread(draft: Draft, place: Any, old: int, new: int) -> None:
    subgraph = subgraph_at(draft.model, place[1])
    inputs = (subgraph.operators or [])[place[3]].inputs or []
    draft.do(Set(place, [new if index == old else index for index in inputs]))


def _swap_output(
    draft: Draft, subgraph_index: int, old: int, new: int, outputs: list[int]
) -> None:
    """Another tensor in an output: the aliases of signatures stay."""
    for index, signature in enumerate(draft.model.signature_defs or []):
        if signature.subgraph_index != subgraph_index:
            continue
        for position, entry in enumerate(signature.outputs or []):
            if entry.tensor_index == old:
                place = ("signature_defs", index, "outputs", position, "tensor_index")
                draft.do(Set(place, new))
    draft.do(Set(("subgraphs", subgraph_index, "outputs"), outputs))


def _place_behind(
    model: Model, subgraph_index: int, tensor_index: int, readers: list[int]
) -> int:
    """Right behind the maker; before the first user of what no operator makes."""
    subgraph = subgraph_at(model, subgraph_index)
    makers = makers_of(subgraph, tensor_index)
    if makers:
        return makers[-1] + 1
    return readers[0] if readers else len(subgraph.operators or [])
