# SPDX-License-Identifier: Apache-2.0
"""TFLM Studio: look at, change and save TensorFlow Lite Micro models."""

from tflm_studio.analysis.reach import reach_of
from tflm_studio.analysis.tensor_values import values
from tflm_studio.editing import (
    associated_files,
    buffers,
    detaching,
    edits,
    graph_ends,
    input_shapes,
    metadata_entries,
    offline_offsets,
    operations,
    operator_codes,
    operators,
    placement,
    previews,
    renumbering,
    signatures,
    subgraphs,
    surgeries,
    tensors,
    weights,
)
from tflm_studio.editing.document import Document
from tflm_studio.editing.proposal import Draft, Proposal
from tflm_studio.formats.loose_files import extract_all, extract_file
from tflm_studio.formats.model_file import load_model_from_file, save_model_to_file
from tflm_studio.model.errors import (
    EditError,
    FileChangedError,
    ReadError,
    StudioError,
    WriteError,
)

__all__ = [
    "Document",
    "Draft",
    "EditError",
    "FileChangedError",
    "Proposal",
    "ReadError",
    "StudioError",
    "WriteError",
    "associated_files",
    "buffers",
    "detaching",
    "edits",
    "extract_all",
    "extract_file",
    "graph_ends",
    "input_shapes",
    "load_model_from_file",
    "metadata_entries",
    "offline_offsets",
    "operations",
    "operator_codes",
    "operators",
    "placement",
    "previews",
    "reach_of",
    "renumbering",
    "save_model_to_file",
    "signatures",
    "subgraphs",
    "surgeries",
    "tensors",
    "values",
    "weights",
]
