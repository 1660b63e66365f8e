# SPDX-License-Identifier: Apache-2.0
"""TFLM Studio: look at, change and save TensorFlow Lite Micro models."""

from tflm_studio.editing import associated_files, edits, operations, placement, renumbering
from tflm_studio.editing.document import Document
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
    "EditError",
    "FileChangedError",
    "ReadError",
    "StudioError",
    "WriteError",
    "associated_files",
    "edits",
    "extract_all",
    "extract_file",
    "load_model_from_file",
    "operations",
    "placement",
    "renumbering",
    "save_model_to_file",
]
