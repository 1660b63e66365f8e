# SPDX-License-Identifier: Apache-2.0
"""A model written in one of the forms that a firmware takes, or a look at what would be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path

from tflm_studio.firmware.hex_records import hex_records
from tflm_studio.firmware.source_facts import Body, Facts, FileText
from tflm_studio.firmware.source_options import (
    TFLM_ALIGNMENT,
    Provenance,
    SourceOptions,
    comment_of,
    licence_comment,
    provenance_lines,
)
from tflm_studio.firmware.source_styles import SourceStyle, style_named
from tflm_studio.formats.atomic_file import NewFile, write_all_atomically
from tflm_studio.formats.c_source_reader import choose_model_array
from tflm_studio.formats.c_source_writer import c_array_body, check_size
from tflm_studio.formats.file_stamp import is_same_path
from tflm_studio.formats.layout import BytesLike, Layout
from tflm_studio.formats.model_file import encode
from tflm_studio.model.errors import EditError, WriteError
from tflm_studio.schema.tables import Model

PREVIEW_LINES = 4  # at the begin of the bytes
ALSO = {  # other suffixes that the same kind of file goes by
    ".cc": (".cc", ".cpp", ".cxx"),
    ".h": (".h", ".hh", ".hpp"),
    ".S": (".S", ".s"),
    ".hex": (".hex", ".ihex", ".ihx"),
    ".bin": (".bin", ".tflite"),
}
_HEX_END = 2**32


@dataclass(frozen=True, slots=True)
class Export:
    """An export that is ready to be written or shown.

    Attributes:
        style: Its form.
        paths: The files, in the order of the style's suffixes.
        symbol: The name of the array.
        notes: What may go wrong with it.
    """

    style: SourceStyle
    paths: tuple[Path, ...]
    symbol: str
    notes: tuple[str, ...]
    layout: Layout
    options: SourceOptions
    texts: tuple[FileText, ...]


def planned_export(
    layout: Layout,
    style: SourceStyle,
    output: Path,
    options: SourceOptions,
    model_name: str = "",
) -> Export:
    """What an export writes, checked; nothing is written yet.

    Args:
        layout: The bytes of the model.
        style: The form.
        output: One of its files; the others stand beside it.
        options: How it looks.
        model_name: File name that the symbol is made from if none is chosen; that of the
            output if not given.

    Raises:
        EditError: An option or the name of the file does not fit the style.
        WriteError: C cannot hold so many bytes.
    """
    _check_options(style, options)
    paths = export_paths(style, output)
    if "symbol" in style.uses or style.name == "hex":
        check_size(layout.size)
    if style.name == "hex" and options.address + layout.size > _HEX_END:
        raise EditError(
            f"address {options.address:#x}: {layout.size:,} bytes from there end behind the 4 "
            "GiB that a hex file can tell apart; choose a lower one."
        )
    symbol = options.symbol or style.symbol(model_name or output.name)
    lines: list[str] = []
    if options.provenance is not None:
        digest = options.provenance.sha256 or digest_of(layout.segments)
        lines = provenance_lines(options.provenance, layout.size, digest)
    top = "\n".join(filter(None, [licence_comment(options.licence), comment_of(lines)]))
    facts = Facts(
        symbol,
        f"{symbol}{style.length}",
        layout.size,
        tuple(path.name for path in paths),
        options,
        f"{top}\n" if top else "",
    )
    notes = _notes(style, options)
    return Export(style, paths, symbol, notes, layout, options, style.texts(facts))


def export_model(
    model: Model,
    output: str | Path,
    style: str = "tflm",
    options: SourceOptions | None = None,
    source: str = "",
) -> tuple[Path, ...]:
    """Writes a model in a form for a firmware: what `planned_export` and `write_export` do.

    Args:
        model: The model.
        output: One of the files; the others stand beside it.
        style: Name of the form, one of `STYLES`.
        options: How it looks.
        source: File name of the model, which the symbol and a comment are made from.

    Returns:
        What was written.

    Raises:
        EditError: There is no such style, or an option does not fit it.
        WriteError: A file cannot be written.
    """
    form, path = style_named(style), Path(output)
    if options is None:
        options = SourceOptions(provenance=default_provenance(form, source or path.name))
    return write_export(planned_export(encode(model), form, path, options, source))


def export_paths(style: SourceStyle, output: Path) -> tuple[Path, ...]:
    """The files that an export writes.

    Raises:
        EditError: The suffix is none of the style's.
    """
    if set(output.name) & set('"\\*?') or not output.name.isprintable():
        raise EditError(f"'{output.name}' cannot be the name of a source.")
    groups = [ALSO.get(suffix, (suffix,)) for suffix in style.suffixes]
    for index, group in enumerate(groups):
        if output.suffix in group:
            others = (output.with_suffix(suffix) for suffix in style.suffixes)
            return tuple(output if k == index else path for k, path in enumerate(others))
    known = " or ".join(style.suffixes)
    raise EditError(f"{output}: style '{style.name}' writes {known}; name such a file.")


def write_export(export: Export, inputs: Iterable[Path] = ()) -> tuple[Path, ...]:
    """Writes all files of an export, or none.

    Args:
        export: What to write.
        inputs: Files that it was made from, which must not be replaced.

    Returns:
        What was written: not a file of `inputs` that holds just these bytes already.

    Raises:
        WriteError: A file cannot be written, or is one of `inputs`; all are as they were.
    """
    files, written = [], []
    for path, text in zip(export.paths, export.texts, strict=True):
        if any(is_same_path(path, each) for each in inputs):
            if text.body is Body.RAW and not text.head and _holds(path, export.layout):
                continue  # what .incbin takes in is there already
            raise WriteError(
                f"{path}: would be replaced by what is made of it; name another output."
            )
        check = partial(_check_array, path, export) if text.body is Body.ARRAY else None
        files.append(NewFile(path, _chunks(text, export), check))
        written.append(path)
    write_all_atomically(*files)
    return tuple(written)


def contents(export: Export) -> list[tuple[str, bytes]]:
    """The files' names and what they hold, all of it in memory."""
    return [
        (path.name, b"".join(_chunks(text, export)))
        for path, text in zip(export.paths, export.texts, strict=True)
    ]


def preview(export: Export) -> list[tuple[str, str]]:
    """The files' names and texts, shortened where the bytes are, however many there are."""
    return [
        (path.name, _short_text(text, export))
        for path, text in zip(export.paths, export.texts, strict=True)
    ]


def default_provenance(style: SourceStyle, source: str) -> Provenance | None:
    """What a style says of a model unless told otherwise."""
    return Provenance(source) if style.tells else None


def _check_options(style: SourceStyle, options: SourceOptions) -> None:
    plain = SourceOptions()
    for name in ("namespace", "section", "licence", "provenance", "address", "symbol"):
        if name not in style.uses and getattr(options, name) != getattr(plain, name):
            raise EditError(f"style '{style.name}' takes no {name}; leave it out.")


def _notes(style: SourceStyle, options: SourceOptions) -> tuple[str, ...]:
    if style.name == "hex" and options.address % TFLM_ALIGNMENT:
        return (
            f"The address {options.address:#x} is no multiple of {TFLM_ALIGNMENT}: TFLM reads "
            "weights where they stand, and is slow or ends in a hard fault there.",
        )
    return options.notes if "alignment" in style.uses and style.name != "hex" else ()


def _chunks(text: FileText, export: Export) -> Iterator[BytesLike]:
    layout, options = export.layout, export.options
    if text.head:
        yield text.head.encode()
    if text.body is Body.ARRAY:
        yield from c_array_body(
            layout.segments, layout.size, options.bytes_per_line, options.form
        )
    elif text.body is Body.RAW:
        yield from layout.segments
    elif text.body is Body.HEX:
        yield from hex_records(layout.segments, options.address)
    if text.end:
        yield text.end.encode()


def _short_text(text: FileText, export: Export) -> str:
    options, size = export.options, export.layout.size
    first = _first_bytes(export.layout, PREVIEW_LINES * options.bytes_per_line)
    body = ""
    if text.body is Body.ARRAY:
        lines = c_array_body([first], len(first), options.bytes_per_line, options.form)
        body = b"".join(lines).decode()
        if size > len(first):
            body = f"{body[:-1]},\n  … {size - len(first):,} more bytes …\n"
    elif text.body is Body.HEX:
        first = first[: PREVIEW_LINES * 16]
        records = b"".join(hex_records([first], options.address)).decode().splitlines()
        more = [f"… {size - len(first):,} more bytes …"] if size > len(first) else []
        body = "\n".join([*records[:-1], *more, records[-1], ""])
    elif text.body is Body.RAW:
        body = f"… the {size:,} bytes of the model …\n"
    return f"{text.head}{body}{text.end}"


def _first_bytes(layout: Layout, count: int) -> bytes:
    found = b""
    for segment in layout.segments:
        found += bytes(memoryview(segment)[: count - len(found)])
        if len(found) == count:
            break
    return found


def digest_of(segments: Iterable[BytesLike]) -> str:
    """The SHA-256 of some bytes, in hex."""
    digest = sha256()
    for segment in segments:
        digest.update(segment)
    return digest.hexdigest()


def _holds(path: Path, layout: Layout) -> bool:
    try:
        return path.stat().st_size == layout.size and path.read_bytes() == layout.tobytes()
    except OSError:
        return False


def _check_array(path: Path, export: Export, written: Path) -> None:
    array = choose_model_array(written.read_bytes(), str(path), export.symbol)
    if sha256(array.data).hexdigest() != digest_of(export.layout.segments):
        raise WriteError(f"{path}: was not saved: the array reads back differently.")
