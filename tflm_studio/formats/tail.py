# SPDX-License-Identifier: Apache-2.0
"""Bytes outside the flatbuffer: what must stay at its place, what is a zip archive.

Vendor payloads and weights outside the flatbuffer are addressed by absolute offsets, so they
may not move. An archive of associated files is found from its end and its entries count from
the start of the file, so it must stay last, and its offsets change with the model's size.
"""

from __future__ import annotations

import io
import struct
import zipfile

import numpy as np

from tflm_studio.formats.flatbuffer_reader import Origin, outside_regions
from tflm_studio.formats.flatbuffer_scan import Scan
from tflm_studio.formats.layout import Kept, Layout
from tflm_studio.model.comparison import PIECE_BYTES
from tflm_studio.model.errors import WriteError

# An unused vtable or name is smaller, a program for an accelerator is not.
SMALLEST_PAYLOAD = 32

# Layout of the records: APPNOTE.TXT of PKWARE, sections 4.3.12 and 4.3.16.
_DIRECTORY_BYTES = 46
_DIRECTORY_LENGTHS = struct.Struct("<3H")  # of name, extra field and comment
_OFFSET = struct.Struct("<I")
_END = b"PK\5\6"
_ZIP64 = 0xFFFFFFFF


def kept_bytes(origin: Origin) -> list[Kept]:
    """The bytes that must stay where they are: those that no part of the flatbuffer uses.

    They may stand behind the flatbuffer, or, once weights have been written behind them, in
    the middle of it. Padding is not among them, nor are small remains of other writers.
    """
    scan = Scan(origin.data, origin.name, with_coverage=True)
    outside = np.array(outside_regions(scan), np.int64).reshape(-1, 2)
    scan.cover(outside[:, 0], outside[:, 1])
    holes = scan.holes()
    kept = [
        Kept(start, origin.data[start:end])
        for start, end in holes
        if end - start >= SMALLEST_PAYLOAD and _any(origin.data[start:end])
    ]
    # Where weights stand behind it, the tail has been found as a hole already.
    is_found = any(start <= origin.end < end for start, end in holes)
    if origin.carried is not None:
        # What unknown fields lead to moves with the flatbuffer.
        kept = [each for each in kept if each.at >= len(origin.carried)]
        is_found |= len(origin.carried) > origin.end
    if origin.tail and not is_found and not is_archive(origin.tail):
        kept.append(Kept(origin.end, origin.tail))
    return kept


def _any(data: memoryview) -> bool:
    """Whether there is anything but zeros in bytes, of which there may be gigabytes."""
    array = np.frombuffer(data, np.uint8)
    return any(array[at : at + PIECE_BYTES].any() for at in range(0, len(array), PIECE_BYTES))


def with_archive(origin: Origin, layout: Layout) -> Layout:
    """The file with the archive of the original at its end, if there was one.

    Raises:
        WriteError: The archive is damaged.
    """
    if not is_archive(origin.tail):
        return layout
    raw = _moved(origin, layout.size)
    return Layout(layout.size + len(raw), [*layout.segments, raw])


def is_archive(data: memoryview) -> bool:
    """Whether bytes are a zip archive, perhaps with others before it."""
    return len(data) > 0 and zipfile.is_zipfile(io.BytesIO(data))


def _moved(origin: Origin, base: int) -> bytes:
    """The archive as it must stand at byte `base`: the same bytes, its offsets changed.

    Entries are not unpacked: a damaged one stays as it is, and a bomb does not go off.
    """
    tail, shift = bytearray(origin.tail), base - origin.end
    try:
        with zipfile.ZipFile(io.BytesIO(origin.data)) as archive:
            entries, start = archive.infolist(), archive.start_dir - origin.end
        at = start
        for entry in entries:
            lengths = _DIRECTORY_LENGTHS.unpack_from(tail, at + 28)
            _patch(tail, at + 42, entry.header_offset + shift)
            at += _DIRECTORY_BYTES + sum(lengths)
        _patch(tail, tail.index(_END, at) + 16, start + base)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise WriteError(
            f"{origin.name}: the archive behind the model cannot be read ({error}), so it "
            "cannot be moved to the end of the changed model."
        ) from error
    return bytes(tail)


def _patch(tail: bytearray, at: int, offset: int) -> None:
    (old,) = _OFFSET.unpack_from(tail, at)
    if max(old, offset) >= _ZIP64:
        raise ValueError("it is of the ZIP64 kind or would have to be")
    _OFFSET.pack_into(tail, at, offset)
