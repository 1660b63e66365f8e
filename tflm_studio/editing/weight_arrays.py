# SPDX-License-Identifier: Apache-2.0
"""All weights of a model as named arrays, and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from tflm_studio.analysis.tensor_values import values
from tflm_studio.editing.edits import Edit, WriteBytes
from tflm_studio.editing.fitting_values import all_fit
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.address import Address, format_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import data_bytes, data_view
from tflm_studio.model.place_names import plural
from tflm_studio.model.tensor_types import Array, ElementType, element_type, encode
from tflm_studio.schema.tables import Model, Tensor


def weight_places(model: Model) -> dict[str, Address]:
    """The tensors with stored numbers: by name, or by address if the name is not theirs alone.

    O(tensors).
    """
    found = list(_stored(model))
    names = Counter(tensor.name for _, tensor in found)
    names += Counter(format_address(place) for place, _ in found)  # those are taken
    return {
        tensor.name
        if tensor.name and names[tensor.name] == 1 and tensor.name.isprintable()
        else format_address(place): place
        for place, tensor in found
    }


def _stored(model: Model) -> Iterator[tuple[Address, Tensor]]:
    buffers = model.buffers or []
    for s, subgraph in enumerate(model.subgraphs or []):
        for t, tensor in enumerate(subgraph.tensors or []):
            kind = element_type(tensor.type)
            has_data = tensor.buffer < len(buffers) and data_bytes(buffers[tensor.buffer].data)
            if has_data and kind.kind != "opaque":
                yield ("subgraphs", s, "tensors", t), tensor


def export_weights(model: Model) -> tuple[dict[str, Array], list[str]]:
    """The weights of a model by name, and a sentence for each that cannot be told."""
    arrays: dict[str, Array] = {}
    notes = []
    for name, place in weight_places(model).items():
        try:
            arrays[name] = values(model, place)
        except EditError as error:
            notes.append(str(error))
    return arrays, notes


def room_for_weights(model: Model) -> dict[str, int]:
    """How many bytes an array for each of the weights may take, by name. O(weights)."""
    room = {}
    for name, place in weight_places(model).items():
        try:
            # Sixteen bytes for each value: any numpy type of the same shape may stand there.
            room[name] = values(model, place).size * 16
        except EditError:
            room[name] = 0
    return room


def import_weights(model: Model, arrays: Mapping[str, Array]) -> Proposal:
    """Gives tensors the values of the arrays of their names, as one step.

    What equals the values there already is left alone, bit for bit.

    Args:
        model: The model.
        arrays: By the names of `weight_places`.

    Raises:
        EditError: An array has another shape, or values that the type of its tensor cannot
            hold; or nothing in the model is called so.
    """
    places = weight_places(model)
    edits: list[Edit] = []
    given: dict[int, tuple[str, bytes]] = {}
    for name, array in arrays.items():
        if name not in places:
            raise EditError(f"No tensor with stored values is called '{name}'.")
        edits += _changed(model, name, places[name], array, given)
    label = f"Import {plural(len(edits), 'array')} of weights"
    return Proposal(tuple(edits), (), label)


def _changed(
    model: Model, name: str, place: Address, array: Array, given: dict[int, tuple[str, bytes]]
) -> list[Edit]:
    tensor = (model.subgraphs or [])[int(place[1])].tensors[int(place[3])]  # type: ignore[index]
    old = values(model, place)
    if array.shape != old.shape:
        raise EditError(
            f"'{name}' has the shape {array.shape}, its tensor {old.shape}; they must agree."
        )
    if array.dtype == old.dtype and array.tobytes() == old.tobytes():
        return []
    kind = element_type(tensor.type)
    data = encode(_fitting(name, array, kind).reshape(-1), kind)
    buffer = (model.buffers or [])[tensor.buffer]
    before = data_view(buffer.data)
    if tensor.sparsity is not None or len(data) != len(before):
        raise EditError(f"'{name}' is stored in a packed form that cannot be written here.")
    if data == before:
        return []
    other, given_data = given.setdefault(tensor.buffer, (name, data))
    if given_data != data:
        raise EditError(
            f"'{name}' and '{other}' share buffer {tensor.buffer} and cannot be given "
            "different values; give one of them a buffer of its own first."
        )
    if other != name:
        return []
    return [WriteBytes(("buffers", tensor.buffer, "data"), 0, data)]


def _fitting(name: str, array: Array, kind: ElementType) -> Array:
    """The array, if the type can hold its values: whole numbers exactly, reals rounded."""
    wanted = {"integer": "iub", "bool": "b", "float": "fiu", "complex": "cfiu"}[kind.kind]
    if array.dtype.kind not in wanted:
        raise EditError(f"'{name}' holds {array.dtype}, its tensor {kind.name}.")
    if kind.kind == "integer" and array.size:
        low, high = int(array.min()), int(array.max())
        if low < kind.low or high > kind.high:
            raise EditError(
                f"'{name}' holds {low} to {high}; {kind.name} holds {kind.low} to {kind.high}."
            )
    if kind.kind == "float" and not all_fit(kind, array.astype(np.float64)):
        raise EditError(f"'{name}' holds numbers that do not fit {kind.name}.")
    return array
