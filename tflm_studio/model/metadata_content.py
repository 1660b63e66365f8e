# SPDX-License-Identifier: Apache-2.0
"""Metadata entries by name, and their bytes."""

from __future__ import annotations

from tflm_studio.model.graph import data_view
from tflm_studio.schema.tables import Metadata, Model


def metadata_content(model: Model, entry: Metadata) -> memoryview:
    """The bytes of a metadata entry, none if its buffer has none or does not exist."""
    buffers = model.buffers or []
    if entry.buffer >= len(buffers):
        return memoryview(b"")
    return data_view(buffers[entry.buffer].data)


def find_metadata(model: Model, name: str) -> int | None:
    """Index of the first metadata entry of a name."""
    for index, entry in enumerate(model.metadata or []):
        if entry.name == name:
            return index
    return None
