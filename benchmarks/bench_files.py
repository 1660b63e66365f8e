# SPDX-License-Identifier: Apache-2.0
"""Opening, saving, C export and C import of one file, each beside a reference.

The goals are for the work itself: bytes to model, model to bytes. What a save adds for safety
(reading back, fsync, rename) is a row of its own, for which no goal is set.
"""

from __future__ import annotations

import mmap
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as official

from benchmarks.interleaved import Comparison, Limit, Task
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import WriteBytes
from tflm_studio.formats.c_source_writer import CSourceStyle, c_source_chunks
from tflm_studio.formats.flatbuffer_reader import read_flatbuffer
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.model_file import (
    layouts,
    load_model_from_file,
    save_model_to_file,
)
from tflm_studio.formats.snapshot import write_segment
from tflm_studio.model.address import Address
from tflm_studio.schema.tables import Model

# Reading 1.2 GB of C text with a regular expression needs 15 GB of memory.
MAX_IMPORT_BYTES = 20_000_000

FASTER_OPEN = {"sample": Limit(), "operators": Limit(faster=25), "weights": Limit(within=1)}
IN_PLACE = {"weights": Limit(within=1.3)}
LAID_OUT = {"sample": Limit(), "operators": Limit(faster=10), "weights": Limit(faster=8)}
EXPORTED = {"weights": Limit(faster=8), "sample": Limit(), "person_detect": Limit()}


def comparisons(name: str, path: Path, folder: Path) -> Iterator[Comparison]:
    """Everything that is measured on one file; results go into `folder`."""
    yield from _opening(name, path)
    yield from _saving(name, path, folder)
    yield from _c_source(name, path, folder)


def start_up() -> Comparison:
    """Importing the package in a fresh interpreter, beside what it cannot do without."""
    return Comparison(
        "import tflm_studio",
        _importing("tflm_studio"),
        "import numpy",
        _importing("numpy"),
    )


def _importing(module: str) -> Task:
    command = [sys.executable, "-c", f"import {module}"]
    root = Path(__file__).resolve().parents[1]
    return lambda: subprocess.run(command, cwd=root, check=True)


# ------------------------------------------------------------------ opening


def _opening(name: str, path: Path) -> Iterator[Comparison]:
    limit = FASTER_OPEN.get(name, Limit(faster=4))

    def mapped() -> Model:
        return read_flatbuffer(memoryview(_map(path)), name)

    def theirs() -> official.ModelT:
        return official.ModelT.InitFromPackedBuf(_map(path), 0)

    yield Comparison("open, mapped", mapped, "ModelT, mapped", theirs, limit)
    yield Comparison(
        "open, as the program does",
        lambda: load_model_from_file(path),
        "ModelT, read",
        lambda: official.ModelT.InitFromPackedBuf(path.read_bytes(), 0),
    )


def _map(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


# ------------------------------------------------------------------ saving


def _saving(name: str, path: Path, folder: Path) -> Iterator[Comparison]:
    out, copy = folder / "out.tflite", folder / "copy.tflite"
    in_place = IN_PLACE.get(name, Limit(within=2))

    def copying() -> None:
        copy.unlink(missing_ok=True)
        shutil.copyfile(path, copy)

    unchanged = load_model_from_file(path)
    one_weight, weight = _one_weight_changed(path)
    renamed = load_model_from_file(path)
    renamed.description = "a longer description than the one before"
    cases: dict[str, tuple[Model, tuple[Address, ...]]] = {
        "save, unchanged": (unchanged, ()),
        "save, one weight": (one_weight, (weight,)),
    }
    for what, (model, changed) in cases.items():
        yield Comparison(what, _writing(model, changed, out), "copyfile", copying, in_place)
    yield Comparison(
        "save, one weight, as the program does",
        lambda: save_model_to_file(one_weight, out, changed=(weight,)),
        "copyfile",
        copying,
    )
    yield Comparison(
        "save, laid out anew",
        lambda: _write(out, lay_out(renamed).segments),
        "ModelT.Pack",
        _packing(path, copy),
        LAID_OUT.get(name, Limit(faster=4)),
    )
    yield Comparison(
        "save, renamed, as the program does",
        lambda: save_model_to_file(renamed, out),
        "copyfile",
        copying,
    )


def _one_weight_changed(path: Path) -> tuple[Model, Address]:
    document = Document.open(path)
    buffers = document.model.buffers or []
    index = max(range(len(buffers)), key=lambda k: len(buffers[k].data or b""))
    middle = len(buffers[index].data or b"") // 2
    document.do(WriteBytes(("buffers", index, "data"), middle, b"\1"))
    document.do(WriteBytes(("buffers", index, "data"), middle, b"\2"))
    return document.model, ("buffers", index, "data")


def _writing(model: Model, changed: tuple[Address, ...], path: Path) -> Task:
    return lambda: _write(path, next(layouts(model, changed)).segments)


def _write(path: Path, segments: list[bytes | bytearray | memoryview]) -> None:
    path.unlink(missing_ok=True)  # a save writes a new file and replaces the old one
    with path.open("wb") as file:
        for segment in segments:
            write_segment(file, segment)


def _packing(path: Path, target: Path) -> Task:
    model = official.ModelT.InitFromPackedBuf(_map(path), 0)

    def pack() -> None:
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        target.unlink(missing_ok=True)
        target.write_bytes(builder.Output())

    return pack


# ------------------------------------------------------------------ C sources


def _c_source(name: str, path: Path, folder: Path) -> Iterator[Comparison]:
    source, text = folder / "model.cc", folder / "reference.h"
    data = path.read_bytes()
    style = CSourceStyle("g_model")

    def export() -> None:
        with source.open("wb") as file:
            file.writelines(c_source_chunks([data], len(data), style))

    xxd = shutil.which("xxd")

    def dump() -> None:
        subprocess.run([str(xxd), "-i", str(path), str(text)], check=True)

    def join() -> None:
        text.write_text(", ".join(f"0x{value:02x}" for value in data))

    yield Comparison(
        "C export",
        export,
        "xxd -i" if xxd else "hex join",
        dump if xxd else join,
        EXPORTED.get(name, Limit(faster=8)),
    )
    if len(data) > MAX_IMPORT_BYTES:
        return
    export()
    assert load_model_from_file(source).version is not None

    def findall() -> bytes:
        words = re.findall(rb"0x([0-9a-fA-F]+)", source.read_bytes())
        return bytes(int(word, 16) for word in words)

    limit = Limit(faster=15) if name == "mobilenet_v2" else Limit()
    yield Comparison(
        "C import", lambda: load_model_from_file(source), "re.findall and int", findall, limit
    )
