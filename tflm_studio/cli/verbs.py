# SPDX-License-Identifier: Apache-2.0
"""`info`, `convert` and `files`: what the command line does without a screen."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tflm_studio.analysis.summary import describe_model, summarize
from tflm_studio.editing.associated_files import archive_problem
from tflm_studio.formats.c_source_splice import C_SUFFIXES
from tflm_studio.formats.loose_files import extract_all
from tflm_studio.formats.model_file import (
    FLATBUFFER_SUFFIXES,
    JSON_SUFFIXES,
    export_files,
    load_model_from_file,
    save_model_to_file,
)
from tflm_studio.formats.model_json import JsonOrigin
from tflm_studio.model.errors import ReadError, WriteError
from tflm_studio.model.graph import data_bytes
from tflm_studio.schema.tables import Model

FILE_HELP = "a flatbuffer, a C source or firmware image with a model, or JSON"


def add_verbs(verbs: Any) -> None:
    """Declares the verbs; each sets `run` to the function that carries it out.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    info = verbs.add_parser("info", help="print what is in a model")
    info.add_argument("file", metavar="FILE", help=FILE_HELP)
    info.add_argument("--json", action="store_true", help="as JSON")
    add_array_option(info)
    info.set_defaults(run=_info)
    convert = verbs.add_parser("convert", help="convert between .tflite, C sources and JSON")
    convert.add_argument("file", metavar="IN", help=FILE_HELP)
    convert.add_argument(
        "output", metavar="OUT", help=".tflite, or .cc, .c, .h ..., or .json: by suffix"
    )
    convert.add_argument("--name", metavar="SYMBOL", help="name of the array in a C source")
    add_array_option(convert)
    convert.set_defaults(run=_convert)
    files = verbs.add_parser("files", help="list or extract the files behind a model")
    files.add_argument("file", metavar="FILE", help=FILE_HELP)
    files.add_argument("--extract", metavar="DIR", help="write all of them into a folder")
    files.add_argument(
        "--overwrite", action="store_true", help="replace files that are there already"
    )
    add_array_option(files)
    files.set_defaults(run=_files)


def add_array_option(parser: argparse.ArgumentParser, dest: str = "array") -> None:
    """Declares the option that chooses among several models of one file."""
    parser.add_argument(
        "--array",
        dest=dest,
        metavar="SYMBOL",
        help="which array of a source, or model of an image",
    )


def info_lines(path: str, array: str | None = None) -> list[str]:
    """What is in a model, as lines of text.

    Raises:
        ReadError: The file cannot be read as a model.
    """
    return list(describe_model(load_model(path, array), Path(path).name))


def _info(arguments: argparse.Namespace) -> None:
    if arguments.json:
        model = load_model(arguments.file, arguments.array)
        print(json.dumps(summarize(model), indent=2))
    else:
        print("\n".join(info_lines(arguments.file, arguments.array)))


def _convert(arguments: argparse.Namespace) -> None:
    suffix = Path(arguments.output).suffix.lower()
    groups = (FLATBUFFER_SUFFIXES, C_SUFFIXES, JSON_SUFFIXES)
    if not any(suffix in group for group in groups):
        known = " ".join(suffix for group in groups for suffix in sorted(group))
        raise WriteError(
            f"{arguments.output}: the suffix says what to write; use one of {known}"
        )
    model = load_model(arguments.file, arguments.array)
    output, source = Path(arguments.output), Path(arguments.file)
    written = export_files(output) if suffix in C_SUFFIXES else (output,)
    if any(each.exists() and each.samefile(source) for each in written):
        raise WriteError(
            f"{source}: would be replaced by what is made of it; name another OUT."
        )
    save_model_to_file(model, output, arguments.name)


def _files(arguments: argparse.Namespace) -> None:
    model = load_model(arguments.file, arguments.array)
    problem = archive_problem(model)
    if problem:
        raise ReadError(
            f"{arguments.file}: the archive behind the model cannot be taken apart, because "
            f"{problem}."
        )
    files = model.associated_files or []
    if arguments.extract is None:
        for file in files:
            print(f"{data_bytes(file.data):>12,}  {file.name}")
    else:
        for path in extract_all(files, arguments.extract, overwrite=arguments.overwrite):
            print(path)


def load_model(path: str, array: str | None) -> Model:
    """A model from a file; warnings go to stderr."""
    model = load_model_from_file(path, array)
    for warning in model.extra.warnings if isinstance(model.extra, JsonOrigin) else ():
        print(f"{path}: {warning}", file=sys.stderr)
    return model
