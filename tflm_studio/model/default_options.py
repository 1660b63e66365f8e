# SPDX-License-Identifier: Apache-2.0
"""The options that a new operator starts with.

They are the schema's defaults, but for those with which no kernel would run: the schema says 0
for what is never 0 in a sound model, such as a stride.
"""

from __future__ import annotations

from typing import Any

from tflm_studio.model.operator_kinds import OperatorKind
from tflm_studio.schema import tables as t
from tflm_studio.schema.enums import LSHProjectionType, TensorType
from tflm_studio.schema.structure import Table

_STRIDES = {"stride_h": 1, "stride_w": 1}

# What differs from the schema's default, and why.
_SENSIBLE: dict[type[Table], dict[str, Any]] = {
    # A window that does not move never ends.
    t.Conv2DOptions: _STRIDES,
    t.TransposeConvOptions: _STRIDES,
    t.Conv3DOptions: {**_STRIDES, "stride_d": 1},
    # As many output channels as input channels.
    t.DepthwiseConv2DOptions: {**_STRIDES, "depth_multiplier": 1},
    # A window of no size has no maximum and no mean.
    t.Pool2DOptions: {**_STRIDES, "filter_height": 1, "filter_width": 1},
    # A beta of 0 makes every output the same.
    t.SoftmaxOptions: {"beta": 1.0},
    # What TensorFlow starts with; 0 divides by 0.
    t.LocalResponseNormalizationOptions: {"radius": 5, "bias": 1.0, "alpha": 1.0, "beta": 0.5},
    t.SVDFOptions: {"rank": 1},
    # A block of 1 leaves everything where it is; one of 0 is divided by.
    t.SpaceToDepthOptions: {"block_size": 1},
    t.DepthToSpaceOptions: {"block_size": 1},
    # These have to agree with the number of tensors, of which there is at least one.
    t.SplitOptions: {"num_splits": 1},
    t.SplitVOptions: {"num_splits": 1},
    t.UnpackOptions: {"num": 1},
    t.PackOptions: {"values_count": 1},
    t.SkipGramOptions: {"ngram_size": 1},
    t.ConcatEmbeddingsOptions: {"num_channels": 1},
    t.FakeQuantOptions: {"num_bits": 8},
    t.LSHProjectionOptions: {"type": LSHProjectionType.SPARSE},
    # TensorFlow puts the new axis last.
    t.OneHotOptions: {"axis": -1},
    # An index or a size is no float, which type 0 is.
    t.ArgMaxOptions: {"output_type": TensorType.INT32},
    t.ArgMinOptions: {"output_type": TensorType.INT32},
    t.ShapeOptions: {"out_type": TensorType.INT32},
    # One of the two pairs of types that there is a kernel for.
    t.HashtableOptions: {"key_dtype": TensorType.INT64, "value_dtype": TensorType.STRING},
}


def default_options(kind: OperatorKind) -> Table | None:
    """A new table of options for a kind of operator, None if it has none."""
    if kind.options is None:
        return None
    make: Any = kind.options
    options: Table = make(**_SENSIBLE.get(kind.options, {}))
    return options
