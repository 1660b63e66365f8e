# SPDX-License-Identifier: Apache-2.0
"""The models among bytes, found by their identifier and proven by their structure."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from tflm_studio.formats.flatbuffer_reader import outside_regions
from tflm_studio.formats.flatbuffer_scan import IDENTIFIER, Scan
from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.model.errors import ReadError
from tflm_studio.schema.tables import Model, Operator, SubGraph

MODEL_VERSIONS = range(1, 4)
MOST_CANDIDATES = 10_000  # that are looked into: no blob takes long
_ZIP_BEGIN, _ZIP_END = b"PK\3\4", b"PK\5\6"
_ZIP_END_FIELDS = struct.Struct("<4s4H2IH")
_PADDING = 16


class Embedded(NamedTuple):
    """A model among other bytes.

    Attributes:
        at: Where it begins.
        size: How many bytes the flatbuffer uses, with what it keeps outside and its archive.
        description: What it says of itself.
        subgraphs: How many it has.
        operators: How many they have together.
    """

    at: int
    size: int
    description: str
    subgraphs: int
    operators: int


def embedded_models(data: bytes) -> Iterator[Embedded]:
    """Yields the models in some bytes; those inside of others are parts of these."""
    position, tries = 0, 0
    while (found := data.find(IDENTIFIER, position)) >= 0 and tries < MOST_CANDIDATES:
        position, at = found + 1, found - len(IDENTIFIER)
        if at < 0 or not _may_begin(data, at):
            continue
        check_cancelled()
        tries += 1
        model = model_at(data, at)
        if model is not None:
            yield model
            position = at + model.size


def model_at(data: bytes, at: int) -> Embedded | None:
    """The model that begins at a place; None if none does."""
    try:
        scan = Scan(memoryview(data)[at:], "model")
    except ReadError:
        return None
    columns = scan.types[Model].columns
    counts = {table: found.count for table, found in scan.types.items()}
    if columns["version"][0] not in MODEL_VERSIONS or not counts.get(SubGraph):
        return None
    end = max([scan.end, *(stop for _, stop in outside_regions(scan))])
    return Embedded(
        at,
        _with_archive(data, at, at + end),
        columns["description"][0] or "",
        counts[SubGraph],
        counts.get(Operator, 0),
    )


def _may_begin(data: bytes, at: int) -> bool:
    """A cheap look at the root table: nearly all identifiers in code and texts fail it."""
    (root,) = struct.unpack_from("<I", data, at)
    table = at + root
    if not 8 <= root <= len(data) - at - 4 or root % 4:
        return False
    vtable = table - struct.unpack_from("<i", data, table)[0]
    if not at + 8 <= vtable <= len(data) - 4 or (vtable - at) % 2:
        return False
    size, inline = struct.unpack_from("<2H", data, vtable)
    return bool(size >= 6 and size % 2 == 0 and inline >= 4)


def _with_archive(data: bytes, at: int, end: int) -> int:
    """The size with the zip archive that follows at once, if one does."""
    start = data.find(_ZIP_BEGIN, end, end + _PADDING + len(_ZIP_BEGIN))
    if start < 0 or any(data[end:start]):
        return end - at
    position = start
    while (found := data.find(_ZIP_END, position)) >= 0:
        position = found + 1
        if found + _ZIP_END_FIELDS.size > len(data):
            break
        *_, directory, offset, comment = _ZIP_END_FIELDS.unpack_from(data, found)
        # The offsets of an archive behind a model count from the model or from itself.
        if found - directory - offset in (at, start):
            return min(found + _ZIP_END_FIELDS.size + int(comment), len(data)) - at
    return end - at
