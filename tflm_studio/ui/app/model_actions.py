# SPDX-License-Identifier: Apache-2.0
"""The commands for the model, its signatures, metadata and subgraphs."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow

MODEL_MENU = "Model"
SIGNATURES_MENU = "Signatures"
METADATA_MENU = "Metadata entries"
SUBGRAPHS_MENU = "Subgraphs"
MODEL_SUBMENUS = dict.fromkeys((SIGNATURES_MENU, METADATA_MENU, SUBGRAPHS_MENU), MODEL_MENU)


def _row(
    id: str, text: str, menu: str, tip: str, enabled_by: str = "", *, separated: bool = False
) -> ActionRow:
    return ActionRow(id, text, menu, (), tip, enabled_by=enabled_by, separated=separated)


MODEL_ACTIONS = (
    _row(
        "model.ends",
        "Inputs and outputs…",
        MODEL_MENU,
        "Say which tensors the subgraph gets and gives, and in which order",
        "has_subgraph",
    ),
    _row(
        "model.input_shape",
        "Set an input's shape…",
        MODEL_MENU,
        "Give an input another shape; the tensors behind it follow",
        "has_inputs",
    ),
    _row(
        "model.batch",
        "Set the batch…",
        MODEL_MENU,
        "Give the inputs of the model another first dimension",
        "has_main_inputs",
    ),
    _row(
        "signature.add",
        "Add signature…",
        SIGNATURES_MENU,
        "Give a subgraph a name for callers",
        "has_subgraph",
        separated=True,
    ),
    _row(
        "signature.rename",
        "Rename…",
        SIGNATURES_MENU,
        "Give the selected signature another key",
        "has_signature",
    ),
    _row(
        "signature.rebuild",
        "Bring in step",
        SIGNATURES_MENU,
        "Let the selected signature name the inputs and outputs its subgraph has now",
        "has_signature",
    ),
    _row(
        "signature.delete",
        "Delete",
        SIGNATURES_MENU,
        "Delete the selected signature; the subgraph stays",
        "has_signature",
        separated=True,
    ),
    _row("metadata.add", "Add entry…", METADATA_MENU, "Add a metadata entry"),
    _row(
        "metadata.edit",
        "Edit…",
        METADATA_MENU,
        "Change the selected entry as text, in hexadecimal, or as a memory plan",
        "has_entry",
    ),
    _row(
        "metadata.replace",
        "Replace from file…",
        METADATA_MENU,
        "Give the selected entry the bytes of a file",
        "has_entry",
    ),
    _row(
        "metadata.extract",
        "Extract…",
        METADATA_MENU,
        "Write the bytes of the selected entry to a file",
        "has_entry",
    ),
    _row(
        "metadata.delete",
        "Delete",
        METADATA_MENU,
        "Delete the selected entry, and its buffer if nothing else uses it",
        "has_entry",
        separated=True,
    ),
    _row("subgraph.add", "Add subgraph…", SUBGRAPHS_MENU, "Add an empty subgraph"),
    _row(
        "subgraph.duplicate",
        "Duplicate",
        SUBGRAPHS_MENU,
        "Copy the subgraph that is shown; weights are shared",
        "has_subgraph",
    ),
    _row(
        "subgraph.rename",
        "Rename…",
        SUBGRAPHS_MENU,
        "Give the subgraph that is shown another name",
        "has_subgraph",
    ),
    _row(
        "subgraph.move_up",
        "Move up",
        SUBGRAPHS_MENU,
        "Give the subgraph the place before; the first one is run",
        "can_move_subgraph_up",
        separated=True,
    ),
    _row(
        "subgraph.move_down",
        "Move down",
        SUBGRAPHS_MENU,
        "Give the subgraph the place behind",
        "can_move_subgraph_down",
    ),
    _row(
        "subgraph.delete",
        "Delete",
        SUBGRAPHS_MENU,
        "Delete the subgraph that is shown, with its signatures",
        "has_several_subgraphs",
        separated=True,
    ),
)
