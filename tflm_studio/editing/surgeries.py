# SPDX-License-Identifier: Apache-2.0
"""All changes of whole graphs in one place: what to cut, strip, take out and join."""

from tflm_studio.editing.cleaning import (
    inline_external,
    remove_unused,
    remove_unused_subgraphs,
    remove_unused_tensors,
    strip_names,
)
from tflm_studio.editing.edge_quantization import remove_edge_quantization
from tflm_studio.editing.extraction import Extraction, extract
from tflm_studio.editing.joining import append_model
from tflm_studio.editing.truncation import truncate_after, truncate_before

__all__ = [
    "Extraction",
    "append_model",
    "extract",
    "inline_external",
    "remove_edge_quantization",
    "remove_unused",
    "remove_unused_subgraphs",
    "remove_unused_tensors",
    "strip_names",
    "truncate_after",
    "truncate_before",
]
