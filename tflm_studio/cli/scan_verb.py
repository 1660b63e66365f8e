# SPDX-License-Identifier: Apache-2.0
"""`scan`: the models in a firmware image, taken out of it or put back."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tflm_studio.cli.verbs import load_model
from tflm_studio.formats.atomic_file import NewFile, write_all_atomically, write_atomically
from tflm_studio.formats.c_source_splice import C_SUFFIXES
from tflm_studio.formats.file_stamp import is_same_path
from tflm_studio.formats.firmware_image import (
    FoundModel,
    chosen,
    models_in,
    put_back,
    read_image_file,
)
from tflm_studio.formats.model_file import encode
from tflm_studio.model.errors import WriteError

NOTHING_FOUND = 1


def add_scan_verb(verbs: Any) -> None:
    """Declares the verb; `run` is the function that carries it out.

    Args:
        verbs: What `ArgumentParser.add_subparsers` returned.
    """
    parser = verbs.add_parser("scan", help="find the models in a firmware image")
    parser.add_argument("image", metavar="IMAGE", help=".elf, .hex, .uf2, .a, .o, .bin ...")
    parser.add_argument("--extract", metavar="DIR", help="write all models into a folder")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--replace",
        metavar="N=FILE",
        action="append",
        default=[],
        help="put another model at the place of one; N is its number, symbol or address",
    )
    parser.add_argument("-o", "--output", metavar="OUT", help="the image to write")
    parser.set_defaults(run=_scan)


def _scan(arguments: argparse.Namespace) -> int:
    if bool(arguments.replace) != bool(arguments.output):
        raise WriteError("--replace and -o belong together; give both or none.")
    data = read_image_file(arguments.image)
    found = models_in(data, arguments.image)
    if not found:
        hint = " A model in a source is opened, or exported, by the other verbs." * (
            Path(arguments.image).suffix.lower() in C_SUFFIXES
        )
        print(f"{arguments.image}: no TFLite model is in this image.{hint}", file=sys.stderr)
        return NOTHING_FOUND
    if arguments.replace:
        _replace(arguments, data, found)
        return 0
    if arguments.json:
        print(json.dumps([_row(each) for each in found], indent=2))
    else:
        print(_table(found))
    for each in found:
        if each.warning:
            print(f"{arguments.image}: {each.warning}", file=sys.stderr)
    if arguments.extract is not None:
        _extract(found, Path(arguments.extract))
    return 0


def _row(found: FoundModel) -> dict[str, Any]:
    left_out = ("data", "region", "at")
    return {key: value for key, value in asdict(found).items() if key not in left_out}


def _table(found: list[FoundModel]) -> str:
    rows = [("#", "offset", "address", "bytes", "align", "ops", "name", "description")]
    for each in found:
        address = "" if each.address is None else f"{each.address:#010x}"
        name = f"{each.member}:{each.symbol}" if each.member else each.symbol
        numbers = (f"{each.size:,}", str(each.alignment), str(each.operators))
        row = (str(each.number), f"{each.offset:#x}", address, *numbers, name)
        rows.append((*row, each.description))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _extract(found: list[FoundModel], folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(f"{folder}: cannot be made: {error.strerror or error}.") from error
    names = (re.sub(r"[^\w.-]+", "_", each.name) for each in found)
    paths = [folder / f"{number}_{name}.tflite" for number, name in enumerate(names)]
    there = [path for path in paths if path.exists()]
    if there:
        raise WriteError(f"{there[0]}: is there already; name another folder.")
    write_all_atomically(
        *(NewFile(path, [each.data]) for path, each in zip(paths, found, strict=True))
    )
    for path in paths:
        print(path)


def _replace(arguments: argparse.Namespace, data: bytes, found: list[FoundModel]) -> None:
    output = Path(arguments.output)
    inputs = [arguments.image]
    notes: list[str] = []
    for each in arguments.replace:
        choice, _, file = each.partition("=")
        if not file:
            raise WriteError(f"--replace {each}: write it as 0=model.tflite.")
        place = chosen(found, choice, arguments.image)
        model = encode(load_model(file, None)).tobytes()
        written = put_back(data, place, model, arguments.image)
        data = written.data
        inputs.append(file)
        notes += [note for note in written.notes if note not in notes]
    if any(is_same_path(output, Path(each)) for each in inputs):
        raise WriteError(f"{output}: would be replaced by what is made of it; name another.")
    write_atomically(output, [data])
    for note in notes:
        print(f"{output}: {note}", file=sys.stderr)
    print(output)
