# SPDX-License-Identifier: Apache-2.0
"""`buffer` and `weights`: values of a model as numbers, files and pictures."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tflm_studio.analysis.array_export import EXPORT_SUFFIXES, export_array
from tflm_studio.analysis.array_summary import summarize_array
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.analysis.tensor_values import kind_named, values
from tflm_studio.cli.verbs import FILE_HELP, add_array_option, load_model
from tflm_studio.editing.cell_values import import_array
from tflm_studio.editing.document import Document
from tflm_studio.editing.weight_arrays import (
    export_weights,
    import_weights,
    room_for_weights,
)
from tflm_studio.formats.array_files import write_npz
from tflm_studio.formats.array_reader import ARRAY_SUFFIXES, read_array, read_npz
from tflm_studio.formats.file_stamp import is_same_path
from tflm_studio.model.address import parse_address
from tflm_studio.model.errors import EditError, WriteError
from tflm_studio.model.tensor_types import Array
from tflm_studio.schema.tables import Model


def add_value_verbs(verbs: Any) -> None:
    """Declares the verbs; each sets `run` to the function that carries it out.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    buffer = verbs.add_parser("buffer", help="print or write the values of a tensor or buffer")
    buffer.add_argument("file", metavar="FILE", help=FILE_HELP)
    buffer.add_argument(
        "address", metavar="ADDRESS", help="such as subgraphs[0].tensors[3] or buffers[7]"
    )
    buffer.add_argument("--real", action="store_true", help="the reals quantised values mean")
    buffer.add_argument("--dtype", metavar="TYPE", help="of the elements of a buffer")
    buffer.add_argument("--stats", action="store_true", help="statistics instead of values")
    buffer.add_argument("--json", action="store_true", help="as JSON")
    buffer.add_argument(
        "-o",
        "--output",
        metavar="OUT",
        help=f"the suffix says what: {' '.join(EXPORT_SUFFIXES)}",
    )
    buffer.add_argument(
        "--import",
        dest="source",
        metavar="IN",
        help=f"write a model with these values to OUT; IN: {' '.join(ARRAY_SUFFIXES)}",
    )
    add_array_option(buffer)
    buffer.set_defaults(run=_buffer)
    weights = verbs.add_parser("weights", help="all weights as one .npz file, and back")
    weights.add_argument("file", metavar="FILE", help=FILE_HELP)
    weights.add_argument("-o", "--output", metavar="OUT", required=True)
    weights.add_argument(
        "--import", dest="source", metavar="IN.npz", help="write a model with these weights"
    )
    add_array_option(weights)
    weights.set_defaults(run=_weights)


def _buffer(arguments: argparse.Namespace) -> None:
    if arguments.source is not None:
        _import(arguments)
        return
    model = load_model(arguments.file, arguments.array)
    try:
        found = values(model, arguments.address, real=arguments.real, dtype=arguments.dtype)
    except EditError as error:
        raise EditError(f"{arguments.file}: {error}") from None
    if arguments.output is not None:
        _export(arguments, model, found)
    if arguments.stats:
        summary = summarize_array(found)
        print(json.dumps(summary) if arguments.json else "\n".join(_lines(summary)))
    elif arguments.output is None:
        print(json.dumps(_plain(found)) if arguments.json else np.array2string(found))


def _import(arguments: argparse.Namespace) -> None:
    if arguments.output is None:
        raise EditError("Name the model to write with -o OUT.")
    document = Document.open(arguments.file, arguments.array)
    place = parse_address(arguments.address)
    contents = contents_at(document.model, place)
    if contents is None or contents.data is None:
        raise EditError(f"{arguments.address}: nothing is stored there.")
    if place[0] == "buffers":  # as `values` reads it: bytes, whatever tensor has it
        kind = kind_named(arguments.dtype)
        contents = contents.read_as(kind, 0, (kind.count(len(contents.all_bytes)),))
    elif arguments.dtype is not None:
        raise EditError(f"{arguments.address}: a tensor has a type of its own.")
    contents = contents.decoding() if contents.decoding is not None else contents
    array = read_array(Path(arguments.source), contents.shape, contents.kind, contents.name)
    document.do(import_array(document.model, contents, array, real=arguments.real))
    document.save_as(arguments.output)


def _export(arguments: argparse.Namespace, model: Model, found: Array) -> None:
    path = Path(arguments.output)
    _check_other(path, Path(arguments.file))
    contents = contents_at(model, parse_address(arguments.address))
    is_tensor = contents is not None and parse_address(arguments.address)[0] != "buffers"
    name = contents.name if contents is not None and is_tensor else arguments.address
    is_stored = (
        contents is not None and is_tensor and not arguments.real and not arguments.dtype
    )
    kind = contents.kind if contents is not None and is_stored else None
    export_array(path, found, kind=kind, name=name)


def _check_other(path: Path, source: Path) -> None:
    if path.exists() and is_same_path(path, source):
        raise WriteError(f"{path}: would be replaced by what is made of it; name another OUT.")


def _lines(summary: dict[str, Any]) -> list[str]:
    shape = "x".join(map(str, summary["shape"])) or "scalar"
    numbers = ("count", "min", "max", "mean", "std", "zeros", "unique", "nan", "infinite")
    return [
        f"dtype     {summary['dtype']}",
        f"shape     {shape}",
        *(f"{name:<9} {summary[name]}" for name in numbers if summary[name] is not None),
    ]


def _plain(found: Array) -> Any:
    if found.dtype.kind == "c":
        return [[value.real, value.imag] for value in found.reshape(-1).tolist()]
    if found.dtype == object:
        return [text.decode("utf-8", "backslashreplace") for text in found.reshape(-1)]
    return found.tolist()


def _weights(arguments: argparse.Namespace) -> None:
    if arguments.source is None:
        model = load_model(arguments.file, arguments.array)
        arrays, notes = export_weights(model)
        for note in notes:
            print(f"{arguments.file}: left out: {note}", file=sys.stderr)
        output = Path(arguments.output)
        _check_other(output, Path(arguments.file))
        write_npz(output, arrays)
        return
    document = Document.open(arguments.file, arguments.array)
    room = room_for_weights(document.model)
    source = Path(arguments.source)
    document.do(import_weights(document.model, read_npz(source, room)))
    document.save_as(arguments.output)
