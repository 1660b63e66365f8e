# SPDX-License-Identifier: Apache-2.0
"""The commands for the values of tensors and buffers."""

from __future__ import annotations

from tflm_studio.ui.app.action_row import ActionRow

VALUES_MENU = "Values"


def _row(
    name: str, text: str, tip: str, enabled_by: str, keys: str = "", *, separated: bool = False
) -> ActionRow:
    return ActionRow(
        f"weights.{name}",
        text,
        VALUES_MENU,
        (keys,) if keys else (),
        tip,
        enabled_by=enabled_by,
        separated=separated,
    )


WEIGHT_ACTIONS = (
    _row(
        "change",
        "Change values…",
        "Scale, clip, round, prune, cluster, fill or compute the values that are shown",
        "has_numbers",
        "Ctrl+Shift+V",
    ),
    _row(
        "formula",
        "Change by a formula…",
        "Give values what a formula makes of them",
        "has_numbers",
    ),
    _row(
        "quantise",
        "Quantise floats…",
        "Turn float weights into int8 and the like, as LiteRT's converter does",
        "has_float_weights",
        separated=True,
    ),
    _row(
        "requantise",
        "Requantise…",
        "Give quantised values another scale, their reals kept as near as can be",
        "has_quantised",
    ),
    _row(
        "dequantise",
        "Dequantise…",
        "Turn quantised values into the float32 numbers they stand for",
        "has_quantised",
    ),
    _row(
        "zero_channels",
        "Set channels to zero…",
        "Set all values of some channels to zero",
        "has_numbers",
        separated=True,
    ),
    _row(
        "permute_channels",
        "Permute channels…",
        "Put the output channels of a layer in another order; the layers behind follow",
        "has_numbers",
    ),
    _row(
        "delete_channels",
        "Delete channels…",
        "Take output channels of a layer away; the layers behind follow",
        "has_numbers",
    ),
)
