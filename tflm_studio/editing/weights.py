# SPDX-License-Identifier: Apache-2.0
"""What can be done to the values of weights, as one step each; gathered from its modules."""

from __future__ import annotations

from tflm_studio.editing.value_effects import Effect, ValueProposal
from tflm_studio.editing.weight_channels import delete_channels, permute_channels
from tflm_studio.editing.weight_formula import formula
from tflm_studio.editing.weight_noise import add_noise, randomise
from tflm_studio.editing.weight_quantization import (
    dequantise,
    quantise,
    requantise,
    to_float16,
    to_float32,
)
from tflm_studio.editing.weight_values import (
    clip,
    cluster,
    fill,
    offset,
    prune_below,
    prune_percent,
    replace_values,
    round_to_step,
    scale,
    set_channels_to_zero,
)

__all__ = [
    "Effect",
    "ValueProposal",
    "add_noise",
    "clip",
    "cluster",
    "delete_channels",
    "dequantise",
    "fill",
    "formula",
    "offset",
    "permute_channels",
    "prune_below",
    "prune_percent",
    "quantise",
    "randomise",
    "replace_values",
    "requantise",
    "round_to_step",
    "scale",
    "set_channels_to_zero",
    "to_float16",
    "to_float32",
]
