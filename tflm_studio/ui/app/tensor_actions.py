# SPDX-License-Identifier: Apache-2.0
"""The commands for tensors, and for what they are to the subgraph."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow, Keys

TENSOR_MENU = "Tensor"
KIND_MENU = "Kind"
TENSOR_ENDS_MENU = "Input or output"
STEP_MENU = "Quantize step"
TENSOR_BUFFER_MENU = "Its buffer"
TENSOR_SUBMENUS = dict.fromkeys(
    (KIND_MENU, TENSOR_ENDS_MENU, STEP_MENU, TENSOR_BUFFER_MENU), TENSOR_MENU
)


def _row(
    name: str,
    text: str,
    menu: str,
    tip: str,
    enabled_by: str = "has_tensor",
    keys: tuple[Keys | str, ...] = (),
    *,
    separated: bool = False,
) -> ActionRow:
    return ActionRow(
        f"tensor.{name}", text, menu, keys, tip, enabled_by=enabled_by, separated=separated
    )


TENSOR_ACTIONS = (
    _row("add", "Add…", TENSOR_MENU, "Add a tensor that nothing uses yet", "has_subgraph"),
    _row(
        "duplicate",
        "Duplicate",
        TENSOR_MENU,
        "Copy the selected tensors; constants get a buffer of their own",
        keys=("Ctrl+D",),
    ),
    _row(
        "duplicate_sharing",
        "Duplicate, sharing the data",
        TENSOR_MENU,
        "Copy the selected tensors; constants use the same buffer",
    ),
    _row(
        "delete",
        "Delete…",
        TENSOR_MENU,
        "Delete the selected tensors; asks what their users shall do without them",
        keys=(Keys.Delete,),
    ),
    _row(
        "merge",
        "Merge selected into the current one",
        TENSOR_MENU,
        "Let users of the other selected tensors use the current one",
        "has_tensors",
        separated=True,
    ),
    _row("rename", "Rename…", TENSOR_MENU, "Give tensors other names, several by a pattern"),
    _row(
        "make_constant",
        "Make a constant",
        KIND_MENU,
        "Give the tensor data of its own, zeros at first",
        separated=True,
    ),
    _row(
        "make_variable",
        "Make a variable",
        KIND_MENU,
        "Let the tensor keep its values between runs",
    ),
    _row(
        "make_activation",
        "Make an activation",
        KIND_MENU,
        "Let the tensor get its values in each run; its data is dropped",
    ),
    _row(
        "make_input",
        "Make an input",
        TENSOR_ENDS_MENU,
        "Add the tensor to the inputs of its subgraph",
        "is_no_input",
    ),
    _row(
        "make_output",
        "Make an output",
        TENSOR_ENDS_MENU,
        "Add the tensor to the outputs of its subgraph",
        "is_no_output",
    ),
    _row(
        "remove_input",
        "Remove from inputs",
        TENSOR_ENDS_MENU,
        "Take the tensor out of the inputs of its subgraph",
        "is_input",
        separated=True,
    ),
    _row(
        "remove_output",
        "Remove from outputs",
        TENSOR_ENDS_MENU,
        "Take the tensor out of the outputs of its subgraph",
        "is_output",
    ),
    _row(
        "insert_quantize",
        "Insert Quantize…",
        STEP_MENU,
        "Put a QUANTIZE behind the tensor",
    ),
    _row(
        "insert_dequantize",
        "Insert Dequantize…",
        STEP_MENU,
        "Put a DEQUANTIZE behind the tensor",
    ),
    _row("use_buffer", "Use buffer…", TENSOR_BUFFER_MENU, "Let the tensor use another buffer"),
    _row(
        "share_buffer",
        "Share the buffer of…",
        TENSOR_BUFFER_MENU,
        "Let the selected tensors use the buffer of another one",
    ),
    _row(
        "own_buffer",
        "Give a buffer of its own",
        TENSOR_BUFFER_MENU,
        "Copy the data into a buffer that nothing else uses",
    ),
)
