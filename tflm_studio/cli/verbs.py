# SPDX-License-Identifier: Apache-2.0
"""`info` and `convert`: what the command line does without a screen."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from tflm_studio.analysis.summary import describe_model, summarize
from tflm_studio.formats.model_file import (
    C_SUFFIXES,
    FLATBUFFER_SUFFIXES,
    load_model_from_file,
    save_model_to_file,
)
from tflm_studio.model.errors import WriteError


def add_verbs(verbs: Any) -> None:
    """Declares the verbs; each sets `run` to the function that carries it out.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    info = verbs.add_parser("info", help="print what is in a model")
    info.add_argument("file", metavar="FILE", help="a flatbuffer or a C source with a model")
    info.add_argument("--json", action="store_true", help="as JSON")
    add_array_option(info)
    info.set_defaults(run=_info)
    convert = verbs.add_parser("convert", help="convert between .tflite and C sources")
    convert.add_argument("file", metavar="IN", help="a flatbuffer or a C source with a model")
    convert.add_argument(
        "output", metavar="OUT", help=".tflite, or .cc, .c, .h ...: by suffix"
    )
    convert.add_argument("--name", metavar="SYMBOL", help="name of the array in a C source")
    add_array_option(convert)
    convert.set_defaults(run=_convert)


def add_array_option(parser: argparse.ArgumentParser) -> None:
    """Declares the option that chooses among several models of a C source."""
    parser.add_argument(
        "--array", metavar="SYMBOL", help="which array of a C source holds the model"
    )


def print_info(path: str, array: str | None = None) -> None:
    """Prints what is in a model, as text.

    Raises:
        ReadError: The file cannot be read as a model.
    """
    model = load_model_from_file(path, array)
    for line in describe_model(model, Path(path).name):
        print(line)


def _info(arguments: argparse.Namespace) -> None:
    if arguments.json:
        model = load_model_from_file(arguments.file, arguments.array)
        print(json.dumps(summarize(model), indent=2))
    else:
        print_info(arguments.file, arguments.array)


def _convert(arguments: argparse.Namespace) -> None:
    suffix = Path(arguments.output).suffix.lower()
    if suffix not in C_SUFFIXES | FLATBUFFER_SUFFIXES:
        known = " ".join(sorted(FLATBUFFER_SUFFIXES) + sorted(C_SUFFIXES))
        raise WriteError(
            f"{arguments.output}: the suffix says what to write; use one of {known}"
        )
    model = load_model_from_file(arguments.file, arguments.array)
    save_model_to_file(model, arguments.output, arguments.name)
