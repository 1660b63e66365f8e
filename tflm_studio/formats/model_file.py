# SPDX-License-Identifier: Apache-2.0
"""Models from files and to files, whatever kind of file it is."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path

from tflm_studio.formats.atomic_file import NewFile, write_all_atomically, write_atomically
from tflm_studio.formats.c_source_reader import choose_model_array
from tflm_studio.formats.c_source_splice import C_SUFFIXES, HEADER_SUFFIXES, CSource
from tflm_studio.formats.c_source_writer import (
    CSourceStyle,
    c_header,
    c_source_chunks,
    check_symbol,
    symbol_for,
)
from tflm_studio.formats.file_bytes import read_bytes
from tflm_studio.formats.file_kinds import HEAD_BYTES, is_json, may_be_image
from tflm_studio.formats.file_stamp import is_same_path
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.flatbuffer_patch import Misfit, patched
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.flatbuffer_scan import IDENTIFIER
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.host_file import HostFile
from tflm_studio.formats.image_host import model_of_image
from tflm_studio.formats.layout import BLOB_ALIGN, Layout
from tflm_studio.formats.model_json import (
    JsonOrigin,
    read_model_json,
    write_model_json,
)
from tflm_studio.formats.tail import (
    in_flatbuffer,
    kept_bytes,
    with_archive,
    with_changed_files,
)
from tflm_studio.model.address import Address, format_address
from tflm_studio.model.comparison import differences, has_same_lists
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.schema.tables import Model

FLATBUFFER_SUFFIXES = frozenset({".tflite", ".tfl", ".lite", ".fb", ".bin"})
JSON_SUFFIXES = frozenset({".json"})
MOST_SPARE = 1024  # bytes by which content is shifted that unknown fields lead to
UNKNOWN_PLACE = (
    "in what the schema does not know; only changes of values in place can be saved."
)

PathLike = str | os.PathLike[str]


def load_model_from_file(path: PathLike, symbol: str | None = None) -> Model:
    """Reads a model from a flatbuffer, from a byte array in a C source, or from JSON.

    Args:
        path: The file; its kind is seen from the content, not from the suffix.
        symbol: Which array of a C source to read when several hold a model.

    Raises:
        ReadError: The file cannot be read as a model; says why and where.
    """
    path = Path(path)
    return read_model(read_bytes(path, symbol), str(path), symbol)


def read_model(data: bytes | memoryview, name: str, symbol: str | None = None) -> Model:
    """Reads a model from the bytes of a file; see `load_model_from_file`."""
    if data[4:8] == IDENTIFIER and symbol is not None:
        raise ReadError(
            f"{name}: this is a flatbuffer, not a C source, so it has no array '{symbol}'. "
            "Leave the name out."
        )
    if data[4:8] == IDENTIFIER:
        return read_flatbuffer(data, name)
    head, data = bytes(data[:HEAD_BYTES]), bytes(data)
    if may_be_image(head):
        model = model_of_image(data, name, symbol)
        if model is not None:
            return model
    if is_json(head, name, symbol):
        return read_model_json(data, name)
    array = choose_model_array(data, name, symbol)
    model = read_flatbuffer(array.data, f"{name}: {array.symbol}")
    if isinstance(model.extra, Origin):
        model.extra.source = CSource(Path(name), data, array.symbol, array.data)
    return model


def save_model_to_file(
    model: Model,
    path: PathLike,
    symbol: str | None = None,
    *,
    changed: Collection[Address] | None = None,
) -> None:
    """Writes a model as a flatbuffer, a C source with a header beside it, or JSON, by suffix.

    A model that was read and not changed since gives the bytes it was read from.

    Args:
        model: What to write; not changed.
        path: The file to make or replace.
        symbol: Name of the array in a C source; made from the file name if not given.
        changed: Addresses of fields that may differ from the file the model was read from, if
            that is known: saves reading it again.

    Raises:
        WriteError: The model cannot be written; the file is as it was.
        EditError: `symbol` is not a C identifier.
    """
    path = Path(path)
    if path.suffix.lower() in JSON_SUFFIXES:
        _write_json(path, model)
    elif path.suffix.lower() in C_SUFFIXES:
        _write_fitting(model, changed, partial(_write_c_source, path, model, symbol))
    else:
        _write_fitting(model, changed, partial(_write_flatbuffer, path, model))


def save_in_place(
    model: Model, path: PathLike, *, changed: Collection[Address] | None = None
) -> None:
    """Writes a model in the form of the file it was read from.

    A C source is written back as that source, with only the array's bytes and size changed,
    JSON as JSON and a flatbuffer as a flatbuffer whatever its suffix; for another file than
    that, the suffix decides as in `save_model_to_file`.

    Raises:
        WriteError: The model cannot be written; the file is as it was.
    """
    path = Path(path)
    is_own = _is_origin(model, path)
    if isinstance(model.extra, JsonOrigin) and is_own:
        _write_json(path, model)
        return
    source = model.extra.source if isinstance(model.extra, Origin) else None
    if source is None and is_own:
        _write_fitting(model, changed, partial(_write_flatbuffer, path, model))
        return
    if source is None or not (is_own or source.may_be(path)):
        save_model_to_file(model, path, changed=changed)
        return
    _write_fitting(model, changed, partial(_write_into_host, path, model, source))


def _write_into_host(path: Path, model: Model, source: HostFile, layout: Layout) -> None:
    files = source.with_data(layout.tobytes(), path)
    check = partial(_compare, path=path, model=model, host=source)
    write_all_atomically(
        *(
            NewFile(each, [text], check if each == path else None)
            for each, text in files.items()
        )
    )


def files_written(model: Model, path: Path) -> tuple[Path, ...]:
    """The files that `save_in_place` writes for a path; the first holds the model."""
    source = model.extra.source if isinstance(model.extra, Origin) else None
    is_export = path.suffix.lower() in C_SUFFIXES and not (source and source.may_be(path))
    return export_files(path) if is_export and not _is_origin(model, path) else (path,)


def _is_origin(model: Model, path: Path) -> bool:
    """Whether a path leads to the file that a model was read from."""
    origin = model.extra
    if not isinstance(origin, Origin):
        return False
    return is_same_path(path, origin.source.path if origin.source else Path(origin.name))


def encode(model: Model, changed: Collection[Address] | None = None) -> Layout:
    """The file of a model, with the smallest change to the bytes it was read from.

    Args:
        model: What to write.
        changed: Addresses that may differ from the file; None if not known.

    Raises:
        WriteError: The model cannot be written.
    """
    for layout in layouts(model, changed):
        if _reads_back(layout, model):
            return layout
    raise _NotReadBackError("the model would read back differently from what it is.")


def layouts(model: Model, changed: Collection[Address] | None) -> Iterator[Layout]:
    """What may be written, the smallest change first; each is made when it is asked for.

    Bytes may be shared between tables, so that what is patched for one changes the other: all
    but the last layout must be read back and compared.
    """
    origin = model.extra
    if not isinstance(origin, Origin):
        yield with_archive(model, lay_out(model))
        return
    places = None if changed is None else in_flatbuffer(changed)
    layout = Misfit.UNCLEAR if places is None else patched(model, origin.data, places)
    if layout is Misfit.UNCLEAR:
        # What was changed may have been changed back, so the file itself is asked.
        original = read_flatbuffer(origin.data, origin.name)
        if same_content(original, model):
            layout = patched(model, origin.data, [])
        elif has_same_lists(original, model):
            places = in_flatbuffer(differences(original, model))
            layout = patched(model, origin.data, places)
    if isinstance(layout, Layout):
        yield with_changed_files(model, origin, layout)
    kept = kept_bytes(origin)
    # By chance an unknown number may look as if it led into what is carried along; it does so
    # no more if that stands elsewhere.
    for spare in range(0, MOST_SPARE if origin.carried is not None else 1, BLOB_ALIGN):
        yield with_archive(model, lay_out(model, kept, origin.carried, spare))


class _NotReadBackError(WriteError):
    """What was written is not the model."""


def _write_fitting(
    model: Model,
    changed: Collection[Address] | None,
    write: Callable[[Layout], None],
) -> None:
    """Writes the smallest change that reads back as the model."""
    refusal: _NotReadBackError | None = None
    for layout in layouts(model, changed):
        try:
            write(layout)
        except _NotReadBackError as error:
            refusal = error
        else:
            return
    assert refusal is not None
    raise refusal


def _write_flatbuffer(path: Path, model: Model, layout: Layout) -> None:
    check = partial(_compare, path=path, model=model)
    write_atomically(path, layout.segments, check)


def _write_json(path: Path, model: Model) -> None:
    check = partial(_compare, path=path, model=model)
    write_atomically(path, write_model_json(model), check)


def export_files(path: Path) -> tuple[Path, Path]:
    """The source and the header that an export to a path writes."""
    if path.suffix.lower() in HEADER_SUFFIXES:
        return path.with_suffix(".cc"), path
    return path, path.with_suffix(".h")


def _write_c_source(path: Path, model: Model, symbol: str | None, layout: Layout) -> None:
    name = check_symbol(symbol) if symbol else symbol_for(path.name)
    source, header = export_files(path)
    style = CSourceStyle(symbol=name, header_name=header.name)
    chunks = c_source_chunks(layout.segments, layout.size, style)
    check = partial(_compare, path=source, model=model)
    write_all_atomically(
        NewFile(source, chunks, check), NewFile(header, [c_header(layout.size, style)])
    )


def _compare(written: Path, path: Path, model: Model, host: HostFile | None = None) -> None:
    try:
        held = None if host is None else host.data_in(written.read_bytes())
        again = (
            read_model(_mapped(written), str(path))
            if held is None
            else read_flatbuffer(held, str(path))
        )
    except ReadError as error:
        raise _NotReadBackError(
            f"{path}: was not saved: what was written cannot be read back: {error}"
        ) from error
    if not same_content(again, model):
        place = next(differences(model, again), None)
        where = UNKNOWN_PLACE if place is None else f"at {format_address(place)}."
        raise _NotReadBackError(
            f"{path}: was not saved: what was written reads back differently {where}"
        )


def _mapped(path: Path) -> bytes | memoryview:
    """The bytes of a file of ours; those of a flatbuffer need not be in memory."""
    with path.open("rb") as file:
        if file.read(8)[4:] != IDENTIFIER:
            return path.read_bytes()
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _reads_back(layout: Layout, model: Model) -> bool:
    try:
        return same_content(read_flatbuffer(layout.tobytes()), model)
    except ReadError:
        # What was patched is part of the structure as well.
        return False
