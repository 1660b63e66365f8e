# SPDX-License-Identifier: Apache-2.0
"""TFLM Studio: look at, change and save TensorFlow Lite Micro models."""

from tflm_studio.editing import edits, operations, renumbering
from tflm_studio.editing.document import Document
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
    "EditError",
    "FileChangedError",
    "ReadError",
    "StudioError",
    "WriteError",
    "edits",
    "load_model_from_file",
    "operations",
    "renumbering",
    "save_model_to_file",
]
