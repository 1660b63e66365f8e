# SPDX-License-Identifier: Apache-2.0
"""The tensors that TFLM decompresses with a table, as the metadata of a model says."""

from __future__ import annotations

from tflm_studio.formats.compression_metadata import (
    COMPRESSION,
    Compression,
    parse_compression,
)
from tflm_studio.model.errors import ReadError
from tflm_studio.model.metadata_content import find_metadata, metadata_content
from tflm_studio.schema.tables import Model


def find_compression(model: Model) -> Compression | None:
    """What COMPRESSION_METADATA says, None if there is none or it cannot be read."""
    index = find_metadata(model, COMPRESSION)
    if index is None:
        return None
    try:
        return parse_compression(metadata_content(model, (model.metadata or [])[index]))
    except ReadError:
        return None


def table_buffers(model: Model) -> set[int]:
    """The buffers that hold the tables of compressed tensors."""
    compression = find_compression(model)
    luts = compression.subgraphs if compression is not None else ()
    return {lut.value_buffer for part in luts for lut in part}
