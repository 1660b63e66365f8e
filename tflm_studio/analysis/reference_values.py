# SPDX-License-Identifier: Apache-2.0
"""What a buffer can be compared with: the file, other tensors, other models, arrays."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.coded_tensors import coded_form
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.formats.array_reader import ARRAY_SUFFIXES, read_array
from tflm_studio.formats.flatbuffer_reader import Origin, read_flatbuffer
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.tensor_types import ELEMENT_TYPES, element_type
from tflm_studio.schema.tables import Model

KINDS = ("integer", "float", "bool")


def original_model(model: Model) -> Model:
    """The model as its file had it.

    Raises:
        EditError: It was not read from a file.
        ReadError: The bytes it was read from can no longer be read.
    """
    origin = model.extra
    if not isinstance(origin, Origin):
        raise EditError("This model was not opened from a file; compare it with another.")
    return read_flatbuffer(origin.data, origin.name)


def same_contents(other: Model, contents: BufferContents) -> BufferContents:
    """What another model has in place of these contents: by name, or at the same place.

    Raises:
        EditError: There is nothing like it.
    """
    place: Address = contents.tensor_address or ("buffers", contents.buffer_index)
    if contents.tensor_address is None:
        return read_contents(other, place)
    named = [
        ("subgraphs", s, "tensors", t)
        for s, subgraph in enumerate(other.subgraphs or [])
        for t, tensor in enumerate(subgraph.tensors or [])
        if (tensor.name or "unnamed") == contents.name
    ]
    if place in named or not named:
        if not named:
            raise EditError(f"There is no tensor '{contents.name}' to compare with.")
        return read_contents(other, place)
    return read_contents(other, named[0])


def read_contents(model: Model, place: Address) -> BufferContents:
    """The contents at a place, decoded.

    Raises:
        EditError: Nothing is stored there, or it cannot be decoded.
    """
    found = contents_at(model, place)
    if found is None or found.data is None:
        raise EditError("There are no values to compare with: nothing is stored there.")
    return found.decoding() if found.decoding is not None else found


def comparable_tensors(model: Model, contents: BufferContents) -> dict[str, Address]:
    """Other tensors with stored numbers, as many as here, by what people call them."""
    found: dict[str, Address] = {}
    buffers = model.buffers or []
    for s, subgraph in enumerate(model.subgraphs or []):
        for t, tensor in enumerate(subgraph.tensors or []):
            place: Address = ("subgraphs", s, "tensors", t)
            count = math.prod(tensor.shape or ())
            if count != contents.count or element_type(tensor.type).kind not in KINDS:
                continue
            has_data = tensor.buffer < len(buffers) and data_bytes(buffers[tensor.buffer].data)
            is_here = place == contents.tensor_address
            if not is_here and (has_data or coded_form(model, place, tensor) is not None):
                where = f"{s}/{t}" if s else f"{t}"
                found[f"{where}  {tensor.name or 'unnamed'}"] = place
    return found


def file_contents(path: Path, contents: BufferContents) -> BufferContents:
    """What a file holds in place of these contents: an array, or a model with the tensor.

    Raises:
        EditError: There is nothing like it in the file.
        ReadError: The file cannot be read.
    """
    if path.suffix.lower() not in ARRAY_SUFFIXES:
        return same_contents(load_model_from_file(path), contents)
    array = read_array(path, contents.shape, contents.kind, contents.name)
    if array.dtype.kind not in "biuf":
        raise EditError(f"{path.name} holds {array.dtype}; only numbers can be compared.")
    kind = next(kind for kind in ELEMENT_TYPES.values() if kind.name == "float64")
    known = {k.storage: k for k in ELEMENT_TYPES.values() if k.kind != "opaque"}
    wide = array.astype(np.float64)
    if array.dtype in known:
        kind, wide = known[array.dtype], np.ascontiguousarray(array)
    return replace(
        contents,
        data=memoryview(wide.tobytes()),
        kind=kind,
        shape=array.shape,
        quantization=None,
        name=path.name,
        place=path.name,
        stored=None,
        texts=None,
        first_byte=0,
        file_offset=None,
    )


def check_same_shape(ours: BufferContents, theirs: BufferContents) -> None:
    """Refuses values that do not stand in pairs.

    Raises:
        EditError: Says both shapes.
    """
    is_flat = 1 in (len(ours.shape), len(theirs.shape))
    if ours.count != theirs.count or (ours.shape != theirs.shape and not is_flat):
        raise EditError(
            f"The shapes differ: {_times(ours.shape)} here, {_times(theirs.shape)} there."
        )
    if theirs.kind.kind not in KINDS:
        raise EditError(f"Values of type {theirs.kind.name} cannot be compared.")


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "scalar"
