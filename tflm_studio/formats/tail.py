# SPDX-License-Identifier: Apache-2.0
"""The bytes behind the flatbuffer: what must stay at its place, what is a zip archive.

Vendor payloads and weights outside the flatbuffer are addressed by absolute offsets, so they
may not move. An archive of associated files is found from its end and its entries count from
the start of the file, so it must stay last and be written anew when the model's size changes.
"""

from __future__ import annotations

import io
import zipfile

from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.formats.flatbuffer_writer import Kept, Layout
from tflm_studio.model.errors import WriteError


def kept_bytes(origin: Origin) -> Kept | None:
    """The bytes that must stay where they are, None if there are none."""
    if not origin.tail or _is_archive(origin):
        return None
    return Kept(origin.end, origin.tail)


def with_archive(origin: Origin, layout: Layout) -> Layout:
    """The file with the archive of the original at its end, if there was one.

    Raises:
        WriteError: The archive is damaged.
    """
    if not origin.tail or not _is_archive(origin):
        return layout
    raw = _rewritten(origin, layout.size)
    return Layout(layout.size + len(raw), [*layout.segments, raw])


def _is_archive(origin: Origin) -> bool:
    return zipfile.is_zipfile(io.BytesIO(origin.tail))


class _Shifted(io.BytesIO):
    """A file that counts from `base`, so that entries are addressed from the model's start."""

    def __init__(self, base: int) -> None:
        super().__init__()
        self.base = base

    def tell(self) -> int:
        return self.base + super().tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        shift = self.base if whence == io.SEEK_SET else 0
        return self.base + super().seek(offset - shift, whence)


def _rewritten(origin: Origin, base: int) -> bytes:
    target = _Shifted(base)
    try:
        with (
            zipfile.ZipFile(io.BytesIO(origin.data)) as source,
            zipfile.ZipFile(target, "w") as archive,
        ):
            archive.comment = source.comment
            for entry in source.infolist():
                archive.writestr(entry, source.read(entry), entry.compress_type)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError) as error:
        raise WriteError(
            f"{origin.name}: the archive behind the model cannot be read ({error}), so it "
            "cannot be moved to the end of the changed model."
        ) from error
    return target.getvalue()
