# SPDX-License-Identifier: Apache-2.0
"""`export`: a model in the form that a firmware takes."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tflm_studio.cli.verbs import FILE_HELP, add_array_option, load_model
from tflm_studio.firmware.source_export import planned_export, write_export
from tflm_studio.firmware.source_options import (
    GUARDS,
    SIZE_TYPES,
    TFLM_ALIGNMENT,
    Provenance,
    SourceOptions,
)
from tflm_studio.firmware.source_styles import STYLES, style_named
from tflm_studio.formats.c_source_writer import NumberForm
from tflm_studio.formats.model_file import encode
from tflm_studio.model.errors import ReadError, WriteError

FORMS = {"lower": NumberForm.LOWER, "upper": NumberForm.UPPER, "decimal": NumberForm.DECIMAL}


def add_export_verb(verbs: Any) -> None:
    """Declares the verb; `run` is the function that carries it out.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    parser = verbs.add_parser("export", help="write a model in a form for a firmware")
    parser.add_argument("file", metavar="FILE", nargs="?", help=FILE_HELP)
    parser.add_argument("-o", "--output", metavar="OUT", help="the source to write")
    names = ", ".join(style.name for style in STYLES)
    parser.add_argument("--style", default="tflm", metavar="NAME", help=f"one of {names}")
    parser.add_argument("--list-styles", action="store_true", help="say what each writes")
    parser.add_argument("--symbol", default="", metavar="NAME", help="name of the array")
    parser.add_argument("--align", type=_number, default=TFLM_ALIGNMENT, metavar="BYTES")
    parser.add_argument("--bytes-per-line", type=_number, default=12, metavar="COUNT")
    parser.add_argument("--form", choices=FORMS, default="lower", help="of the numbers")
    parser.add_argument("--size-type", choices=SIZE_TYPES, default="unsigned int")
    parser.add_argument("--guard", choices=GUARDS, default="ifndef", help="of headers")
    parser.add_argument("--namespace", default="", metavar="NAME", help="such as app::models")
    parser.add_argument("--section", default="", metavar="NAME", help="for the linker")
    parser.add_argument("--licence", metavar="FILE", help="text for a comment at the head")
    parser.add_argument(
        "--provenance",
        action=argparse.BooleanOptionalAction,
        help="say where the model came from, with its SHA-256 (not for xxd, bin and hex)",
    )
    parser.add_argument("--date", action="store_true", help="say when, too")
    parser.add_argument("--address", type=_number, default=0, help="for hex, such as 0x10000")
    add_array_option(parser)
    parser.set_defaults(run=_export)


def _number(text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no number such as 16 or 0x10") from None


def _export(arguments: argparse.Namespace) -> None:
    if arguments.list_styles:
        for style in STYLES:
            print(f"{style.name:<13}{' '.join(style.suffixes):<17}{style.about}")
        return
    if arguments.file is None or arguments.output is None:
        raise WriteError("export needs FILE and -o OUT, or --list-styles.")
    style, source = style_named(arguments.style), Path(arguments.file)
    model = load_model(arguments.file, arguments.array)
    tells = style.tells if arguments.provenance is None else arguments.provenance
    if arguments.date and not tells:
        raise WriteError("--date is a part of --provenance; give both or none.")
    date = datetime.now(UTC).date().isoformat() if arguments.date else ""
    options = SourceOptions(
        symbol=arguments.symbol,
        alignment=arguments.align,
        bytes_per_line=arguments.bytes_per_line,
        form=FORMS[arguments.form],
        size_type=arguments.size_type,
        guard=arguments.guard,
        namespace=arguments.namespace,
        section=arguments.section,
        licence=_licence(arguments.licence),
        provenance=Provenance(source.name, date=date) if tells else None,
        address=arguments.address,
    )
    export = planned_export(encode(model), style, Path(arguments.output), options, source.name)
    for note in export.notes:
        print(f"{arguments.output}: {note}", file=sys.stderr)
    for path in write_export(export, [source]):
        print(path)


def _licence(path: str | None) -> str:
    if path is None:
        return ""
    try:
        return Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"{path}: the licence text cannot be read: {error}.") from error
