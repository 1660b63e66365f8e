# SPDX-License-Identifier: Apache-2.0
"""Flatbuffer bytes to a model of plain objects."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tflm_studio.formats.archive import files_of, find_archive
from tflm_studio.formats.flatbuffer_scan import Scan
from tflm_studio.formats.host_file import HostFile
from tflm_studio.formats.scan_columns import TypeScan
from tflm_studio.formats.table_types import PARENTS_FIRST
from tflm_studio.formats.unknown_content import settle
from tflm_studio.model.address import format_address
from tflm_studio.model.comparison import PIECE_BYTES
from tflm_studio.model.outside import OUTSIDE, PLACEHOLDER, tables_with_offset
from tflm_studio.schema.structure import Extra, Kind, OpaqueMember, Table
from tflm_studio.schema.tables import Model

# More of them are not told apart, so that no file takes long to open: they stay in place.
MAX_SETTLED = 100_000


class Origin(Extra):
    """Where a model came from: the `extra` of a `Model` that was read.

    Attributes:
        name: What messages call the file.
        data: All bytes of the file, read-only; weights of the model are views of it.
        end: Byte offset behind the flatbuffer and what it keeps outside; what follows is
            `tail`.
        carried: The part of `data` that unknown fields lead into, None if none do.
        missing: Places that state bytes outside the flatbuffer which the file does not have.
        opaque: Places with content that the schema does not know.
        source: The file around the model, None if the file was the flatbuffer itself.
        archive: The archive of associated files at the end, None if there is none.
    """

    __slots__ = ("archive", "carried", "data", "end", "missing", "name", "opaque", "source")

    def __init__(
        self,
        known: Extra | None,
        name: str,
        data: memoryview,
        end: int,
        opaque: tuple[str, ...],
    ) -> None:
        super().__init__(*((known.explicit, known.unknown) if known else ()))
        self.name = name
        self.data = data
        self.end = end
        self.opaque = opaque
        self.carried: memoryview | None = None
        self.missing: tuple[str, ...] = ()
        self.source: HostFile | None = None
        self.archive = find_archive(data, end)

    @property
    def tail(self) -> memoryview:
        """The bytes behind the flatbuffer."""
        return self.data[self.end :]

    @property
    def file_bytes(self) -> bytes | memoryview:
        """The bytes of the file: of the one around the model, if there is one."""
        return self.data if self.source is None else self.source.text

    def is_held_by(self, path: Path) -> bool:
        """Whether a file holds these bytes; reads all of it if the size agrees."""
        try:
            held = memoryview(self.file_bytes)
            if path.stat().st_size != len(held):
                return False
            with path.open("rb") as file:
                return all(
                    file.read(PIECE_BYTES) == held[at : at + PIECE_BYTES]
                    for at in range(0, len(held), PIECE_BYTES)
                )
        except OSError:
            return False

    def offset_of(self, value: Any) -> int | None:
        """Byte offset in the file of bytes that are a view of it, None for any others."""
        if value is None or not memoryview(value).nbytes or not len(self.data):
            return None
        start = np.frombuffer(self.data, np.uint8).ctypes.data
        offset = int(np.frombuffer(value, np.uint8).ctypes.data) - start
        return offset if 0 <= offset < len(self.data) else None


def read_flatbuffer(data: bytes | bytearray | memoryview, name: str = "model") -> Model:
    """Reads a model; vectors of bytes stay views of `data`, which must not change.

    Raises:
        ReadError: The bytes are not a sound TFLite flatbuffer; says where.
    """
    scan = Scan(data, name)
    carried_end = 0
    if 0 < scan.unknown_count <= MAX_SETTLED:
        scan = Scan(data, name, with_coverage=True)
        carried_end = settle(scan)
    with _collector_paused():
        model: Model = _build(scan)
    opaque = tuple(_opaque_places(scan)) if scan.unknown_count else ()
    end, missing = _take_in(model, scan)
    # Writers pad to 16 behind the last object; such zeros belong to the flatbuffer.
    if not any(scan.view[end : end + 16]) and len(scan.view) - end < 16:
        end = len(scan.view)
    origin = Origin(model.extra, name, scan.view, end, opaque)
    origin.missing = tuple(missing)
    if carried_end:
        origin.carried = scan.view[:carried_end]
    model.extra, model.associated_files = origin, files_of(origin.archive)
    return model


def _take_in(model: Model, scan: Scan) -> tuple[int, list[str]]:
    """Gives buffers and operators the bytes they keep outside the flatbuffer.

    Returns:
        Where the last of them end, or the flatbuffer does, and what the file does not have.
    """
    view, end = scan.view, scan.end
    missing: list[str] = []
    for address, table in tables_with_offset(model):
        fields = OUTSIDE[type(table)]
        start = getattr(table, fields.offset.name)
        if getattr(table, fields.data.name) is not None:
            explicit = table.extra.explicit if table.extra else frozenset()
            unknown = table.extra.unknown if table.extra else {}
            table.extra = Extra(explicit | {fields.data.slot}, unknown)
            continue
        stop = start + getattr(table, fields.size.name)
        if stop <= len(view) and start > PLACEHOLDER:
            setattr(table, fields.data.name, view[start:stop])
            end = max(end, stop)
        elif start > PLACEHOLDER:
            missing.append(
                f"{format_address(address)}: states bytes {start:,} to {stop:,} of the file, "
                f"which has {len(view):,}"
            )
    return end, missing


def outside_regions(scan: Scan) -> list[tuple[int, int]]:
    """Start and end of the bytes that a file keeps outside its flatbuffer."""
    regions = []
    for table, fields in OUTSIDE.items():
        if table not in scan.types:
            continue
        rows = (fields.offset, fields.size, fields.data)
        columns = [scan.types[table].columns[row.name] for row in rows]
        for start, size, data in zip(*columns, strict=True):
            if start > PLACEHOLDER and data is None and start + size <= len(scan.view):
                regions.append((start, start + size))
    return regions


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Allocating many objects triggers collections that find nothing (half the time)."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _build(scan: Scan) -> Model:
    objects: dict[type[Table], list[Any]] = {}
    for table in reversed(PARENTS_FIRST):
        found = scan.types.get(table)
        if found is not None:
            objects[table] = _build_type(table, found, objects)
    model = objects[Model][0]
    assert isinstance(model, Model)
    return model


def _build_type(
    table: type[Table], scan: TypeScan, objects: dict[type[Table], list[Any]]
) -> list[Any]:
    columns = [_column(scan, row.name, objects) for row in table.FIELDS]
    return list(map(table, *columns, scan.extras))


def _column(scan: TypeScan, name: str, objects: dict[type[Table], list[Any]]) -> list[Any]:
    links = scan.links.get(name)
    if not links:
        return scan.columns[name]
    column = scan.columns.get(name) or [None] * scan.count
    for child, contribution in links:
        found, start = objects.get(child, []), contribution.start
        rows = contribution.rows.tolist()
        if contribution.ends is None:
            for row, value in zip(rows, found[start : start + len(rows)], strict=True):
                column[row] = value
            continue
        for row, end in zip(rows, (contribution.ends + start).tolist(), strict=True):
            column[row] = found[start:end]
            start = end
    return column


def _opaque_places(scan: Scan) -> Iterator[str]:
    for table, found in scan.types.items():
        for row, extra in enumerate(found.extras):
            if extra and extra.unknown:
                place = scan.address_of(table, row) or "model"
                yield from (f"{place}: unknown field {slot}" for slot in sorted(extra.unknown))
        for field in table.FIELDS:
            if field.kind is Kind.UNION:
                for row, value in enumerate(found.columns[field.name]):
                    if isinstance(value, OpaqueMember) and value.offset is not None:
                        place = scan.address_of(table, row)
                        yield f"{place}.{field.name}: unknown kind {value.number}"
