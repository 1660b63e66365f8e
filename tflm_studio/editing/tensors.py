# SPDX-License-Identifier: Apache-2.0
"""What can be done to the tensors of a subgraph: they come, go, and become one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from tflm_studio.editing.buffers import remove_unused
from tflm_studio.editing.compressed_entries import compress_alike
from tflm_studio.editing.edits import Set
from tflm_studio.editing.field_values import copied
from tflm_studio.editing.fresh_names import FreeNames, tensor_names
from tflm_studio.editing.located import subgraph_at, tensor_at, tensor_place
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.editing.quantize_steps import insert_dequantize, insert_quantize
from tflm_studio.editing.renumbering import insert_items, remove_items
from tflm_studio.editing.shared_buffers import copy_of
from tflm_studio.editing.tensor_kinds import (
    make_activation,
    make_constant,
    make_variable,
    set_quantization,
    set_type,
)
from tflm_studio.editing.tensor_merging import merge
from tflm_studio.editing.tensor_names import preview_rename, rename, rename_by_pattern
from tflm_studio.editing.tensor_users import check_replacement, leave_out, replace_ends
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import has_data
from tflm_studio.model.place_names import name_tensors, quoted
from tflm_studio.schema.tables import Buffer, Model, QuantizationParameters, Tensor

__all__ = [
    "add",
    "delete",
    "duplicate",
    "insert_dequantize",
    "insert_quantize",
    "make_activation",
    "make_constant",
    "make_variable",
    "merge",
    "preview_rename",
    "rename",
    "rename_by_pattern",
    "set_quantization",
    "set_type",
    "use_buffer",
]


def add(
    model: Model,
    subgraph_index: int,
    index: int | None = None,
    *,
    name: str,
    shape: Sequence[int],
    type: int,
    buffer: int = 0,
    quantization: QuantizationParameters | None = None,
) -> Proposal:
    """A new tensor that nothing uses yet.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        index: Where; None for the end.
        name: Its name, which no other tensor has; "" for none.
        shape: Its dimensions, none of them below 0.
        type: A value of TensorType.
        buffer: Its buffer; 0 for no data.
        quantization: How its numbers stand for reals.

    Raises:
        EditError: A value is not possible; says which.
    """
    subgraph = subgraph_at(model, subgraph_index)
    if name and any(tensor.name == name for tensor in subgraph.tensors or []):
        raise EditError(f"There is a tensor called {quoted(name)} already.")
    if any(size < 0 for size in shape):
        raise EditError("A dimension of a tensor cannot be below 0.")
    if not 0 <= buffer < max(1, len(model.buffers or [])):
        raise EditError(
            f"There is no buffer {buffer}; the model has {len(model.buffers or [])}."
        )
    # The field checks what it can hold, and knows the names of types.
    tensor = copied(
        Tensor(
            shape=list(shape),
            type=type,
            buffer=buffer,
            name=name,
            quantization=quantization,
        )
    )
    place = len(subgraph.tensors or []) if index is None else index
    made = insert_items(model, ("subgraphs", subgraph_index, "tensors"), place, [tensor])
    return made.labelled(f"Add tensor {quoted(name)}" if name else "Add a tensor")


def duplicate(
    model: Model, subgraph_index: int, indices: Iterable[int], *, with_data: bool = True
) -> Proposal:
    """Copies of tensors, at the end; nothing uses them yet.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        indices: Of the tensors.
        with_data: Whether constants get a buffer of their own; else they share the old one.

    Raises:
        EditError: There is no such tensor.
    """
    chosen = list(dict.fromkeys(indices))
    place = ("subgraphs", subgraph_index, "tensors")
    label = f"Duplicate {name_tensors(model, subgraph_index, chosen)}"
    buffers, twins, copies = model.buffers or [], list[Buffer](), list[Tensor]()
    subgraph = subgraph_at(model, subgraph_index)
    names, count = FreeNames(tensor_names(subgraph)), len(subgraph.tensors or [])
    for index in chosen:
        copy: Tensor = copied(tensor_at(model, subgraph_index, index))
        if copy.name:
            copy.name = names.take(f"{copy.name}_copy")
        if with_data and has_data(model, copy):
            twins.append(copy_of(buffers[copy.buffer]))
            copy.buffer = len(buffers) + len(twins) - 1
        copies.append(copy)
    with Draft(model) as draft:
        if twins:
            draft.do(insert_items(model, "buffers", len(buffers), twins))
        draft.do(insert_items(model, place, count, copies))
        compress_alike(draft, subgraph_index, {count + k: old for k, old in enumerate(chosen)})
    return draft.proposal(label)


def delete(
    model: Model,
    subgraph_index: int,
    indices: Iterable[int],
    *,
    users: Literal["refuse", "leave_out"] | int = "refuse",
    remove_buffers: bool = False,
) -> Proposal:
    """Takes tensors away.

    Args:
        model: The model.
        subgraph_index: Which subgraph.
        indices: Of the tensors.
        users: "refuse" if something uses one; "leave_out" takes it from optional inputs of
            operators, from inputs and outputs of the subgraph and from signatures; an index
            is that of the tensor its readers get instead.
        remove_buffers: Whether buffers that nothing uses afterwards go as well.

    Raises:
        EditError: Something uses a tensor, or needs it, and is named; or there is none.
    """
    wanted = frozenset(indices)
    gone = sorted(wanted)
    for index in gone:
        tensor_at(model, subgraph_index, index)
    label = f"Delete {name_tensors(model, subgraph_index, gone)}"
    buffers = {tensor_at(model, subgraph_index, index).buffer for index in gone}
    replacement: int | None = users if isinstance(users, int) else None
    with Draft(model) as draft:
        if users == "leave_out":
            leave_out(draft, subgraph_index, wanted)
        elif replacement is not None:
            check_replacement(model, subgraph_index, wanted, replacement)
            replace_ends(draft, subgraph_index, wanted, replacement)
        place = ("subgraphs", subgraph_index, "tensors")
        draft.do(remove_items(model, place, gone, replacement))
        if remove_buffers:
            draft.do(remove_unused(model, buffers))
    return draft.proposal(label)


def use_buffer(model: Model, subgraph_index: int, tensor_index: int, buffer: int) -> Proposal:
    """Lets a tensor use another buffer.

    Raises:
        EditError: There is no such tensor or buffer.
    """
    tensor_at(model, subgraph_index, tensor_index)
    if not 0 <= buffer < len(model.buffers or []):
        raise EditError(
            f"There is no buffer {buffer}; the model has {len(model.buffers or [])}."
        )
    edit = Set((*tensor_place(subgraph_index, tensor_index), "buffer"), buffer)
    return Proposal((edit,), label=f"Let tensor {tensor_index} use buffer {buffer}")
