# SPDX-License-Identifier: Apache-2.0
"""The commands for changes to the whole graph."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow

MENU = "Surgery"
SURGERY_ACTIONS: tuple[ActionRow, ...] = (
    ActionRow(
        "surgery.truncate_after",
        "Truncate &after the operator…",
        MENU,
        (),
        "Make the outputs of the selected operator those of the subgraph",
        enabled_by="can_cut",
    ),
    ActionRow(
        "surgery.truncate_before",
        "Truncate &before the operator…",
        MENU,
        (),
        "Make the inputs of the selected operator those of the subgraph",
        enabled_by="can_cut",
    ),
    ActionRow(
        "surgery.extract",
        "&Extract the selection as a new model…",
        MENU,
        (),
        "Open the selected operators as a model of their own",
        enabled_by="can_cut",
    ),
    ActionRow(
        "surgery.append",
        "Append a &second model…",
        MENU,
        (),
        "Feed the outputs of this model to another one, and make one model of both",
        enabled_by="has_subgraph",
    ),
    ActionRow(
        "surgery.remove_edge_quantization",
        "Remove &quantisation at the edges…",
        MENU,
        (),
        "Make the integers behind Quantize inputs, and before Dequantize outputs",
        enabled_by="has_subgraph",
        separated=True,
    ),
    ActionRow(
        "surgery.sort_operators",
        "S&ort operators topologically…",
        MENU,
        (),
        "Put each operator behind those that make what it reads",
        enabled_by="has_subgraph",
    ),
    ActionRow(
        "surgery.upgrade_codes",
        "Upgrade &legacy operator codes…",
        MENU,
        (),
        "Write codes of old files, which have only the deprecated field, to both fields",
    ),
    ActionRow(
        "surgery.strip_names",
        "Strip &names…",
        MENU,
        (),
        "Take the names of tensors and subgraphs away",
        separated=True,
    ),
    ActionRow(
        "surgery.remove_unused",
        "Remove what is &unused…",
        MENU,
        (),
        "Remove tensors, buffers, operator codes and subgraphs that nothing uses",
    ),
    ActionRow(
        "surgery.share_buffers",
        "Share &identical buffers…",
        MENU,
        (),
        "Keep one of all buffers with the same bytes",
    ),
    ActionRow(
        "surgery.put_inside",
        "&Put external data inside…",
        MENU,
        (),
        "Bring weights that stand behind the flatbuffer into it, where TFLM reads them",
        enabled_by="has_outside",
    ),
)
