# SPDX-License-Identifier: Apache-2.0
"""Bytes outside the flatbuffer: what must stay at its place, what is a zip archive.

Vendor payloads and weights outside the flatbuffer are addressed by absolute offsets, so they
may not move. An archive of associated files is found from its end and its entries count from
the start of the file, so it must stay last, and its offsets change with the model's size. Its
files are part of the model (`archive`); one that cannot be taken apart moves as it is.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Iterator

import numpy as np

from tflm_studio.formats.archive import archive_bytes, files_of
from tflm_studio.formats.flatbuffer_reader import Origin, outside_regions
from tflm_studio.formats.flatbuffer_scan import Scan
from tflm_studio.formats.layout import BytesLike, Kept, Layout
from tflm_studio.model.address import Address
from tflm_studio.model.comparison import PIECE_BYTES, same_files
from tflm_studio.model.errors import WriteError
from tflm_studio.schema.associated_file import ASSOCIATED_FILES
from tflm_studio.schema.tables import Model

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

    Raises:
        WriteError: They cannot stay, because unknown fields have the old flatbuffer moved.
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
    payload = payload_of(origin)
    # Where weights stand behind it, the tail has been found as a hole already.
    is_found = any(start <= origin.end < end for start, end in holes)
    if origin.carried is not None:
        # What unknown fields lead to moves with the flatbuffer.
        kept = [each for each in kept if each.at >= len(origin.carried)]
        is_found |= len(origin.carried) > origin.end
    if payload and not is_found:
        # Something may be written behind it; it must then be found again as a hole.
        more = (
            bytes(SMALLEST_PAYLOAD - len(payload)) if len(payload) < SMALLEST_PAYLOAD else b""
        )
        kept.append(Kept(origin.end, memoryview(bytes(payload) + more) if more else payload))
    if origin.carried is not None and kept:
        # Once saved, nobody could tell the payload from what is carried along.
        raise WriteError(
            f"{origin.name}: fields of a newer schema lead into the file, and "
            f"{len(kept[0].data):,} bytes at byte {kept[0].at:,} stand outside the "
            "flatbuffer, where others may refer to them by their place. Both cannot be kept "
            "when the model is laid out anew: only changes of values in place can be saved."
        )
    return kept


def payload_of(origin: Origin) -> memoryview:
    """What stands behind the flatbuffer and is no archive."""
    if origin.archive is None:
        return origin.tail
    between = origin.tail[: max(0, origin.archive.start - origin.end)]
    return between if _any(between) else between[:0]


def _any(data: memoryview) -> bool:
    """Whether there is anything but zeros in bytes, of which there may be gigabytes."""
    array = np.frombuffer(data, np.uint8)
    return any(array[at : at + PIECE_BYTES].any() for at in range(0, len(array), PIECE_BYTES))


def kept_behind(origin: Origin) -> int:
    """How many bytes behind the flatbuffer stay as they are: all but files that are known."""
    archive = origin.archive
    return len(origin.tail if archive is not None and archive.problem else payload_of(origin))


def in_flatbuffer(changed: Iterable[Address]) -> list[Address]:
    """Those of the changed places that the flatbuffer holds."""
    return [address for address in changed if address[:1] != (ASSOCIATED_FILES.name,)]


def with_archive(model: Model, layout: Layout) -> Layout:
    """The file of a newly laid out model, with the archive of its files at its end.

    Raises:
        WriteError: The archive is damaged, or a file cannot be in it.
    """
    origin = model.extra if isinstance(model.extra, Origin) else None
    archive = origin.archive if origin is not None else None
    if origin is not None and archive is not None and archive.problem:
        _refuse_files(model, origin)
        return _followed(layout, _moved(origin, layout.size))
    files = model.associated_files or []
    return _followed(layout, archive_bytes(files, archive, layout.size))


def with_changed_files(model: Model, origin: Origin, layout: Layout) -> Layout:
    """The bytes of a file with values put into them, and the files of the model as they are.

    Args:
        model: The model that has the files.
        origin: The file.
        layout: All bytes of the file, with the old archive.

    Raises:
        WriteError: A file cannot be in an archive, or the old one cannot be taken apart.
    """
    archive = origin.archive
    if same_files(model.associated_files, files_of(archive)):
        return layout
    _refuse_files(model, origin)
    end = archive.start if archive is not None else layout.size
    shortened = Layout(end, list(_first_bytes(layout, end)))
    return _followed(shortened, archive_bytes(model.associated_files or [], archive, end))


def _refuse_files(model: Model, origin: Origin) -> None:
    if origin.archive is not None and origin.archive.problem and model.associated_files:
        raise WriteError(
            f"{origin.name}: no files can be added to the archive behind the model, because "
            f"{origin.archive.problem}. Take them out of the model again to save it."
        )


def _first_bytes(layout: Layout, count: int) -> Iterator[BytesLike]:
    for segment in layout.segments:
        yield memoryview(segment)[: max(count, 0)]
        count -= len(segment)


def _followed(layout: Layout, raw: bytes) -> Layout:
    return Layout(layout.size + len(raw), [*layout.segments, raw]) if raw else layout


def _moved(origin: Origin, base: int) -> bytes:
    """The archive as it must stand at byte `base`: the same bytes, its offsets changed.

    Entries are not unpacked: a damaged one stays as it is, and a bomb does not go off.
    """
    begin = origin.archive.start if origin.archive is not None else origin.end
    tail, shift = bytearray(origin.data[begin:]), base - begin
    try:
        with zipfile.ZipFile(io.BytesIO(origin.data)) as archive:
            entries, start = archive.infolist(), archive.start_dir - begin
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
