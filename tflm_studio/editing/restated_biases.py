# SPDX-License-Identifier: Apache-2.0
"""Quantised biases, whose scale has to be that of the input times that of the filter."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tflm_studio.editing.located import subgraph_at
from tflm_studio.editing.remade_tensors import Remaking
from tflm_studio.editing.value_effects import kind_ends
from tflm_studio.editing.weight_readers import filter_readers
from tflm_studio.editing.weight_target import half_away, weights_at
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import find_tensor, has_data
from tflm_studio.model.place_names import at_start, name_operator, name_tensor, plural
from tflm_studio.model.quantization import Reals, find_quantization
from tflm_studio.model.tensor_types import element_type, encode
from tflm_studio.schema.tables import Model, QuantizationParameters, Tensor


def bias_notes(
    model: Model, subgraph_index: int, tensor_index: int, scales: Reals
) -> list[str]:
    """A sentence for each bias that does not fit other scales of a filter."""
    notes = []
    for reader, bias, wanted in _biases(model, subgraph_index, tensor_index, scales):
        tensor = subgraph_at(model, subgraph_index).tensors[bias]  # type: ignore[index]
        known = find_quantization(tensor)
        if known is None or not _agrees(known.scale, wanted):
            notes.append(
                f"{name_operator(model, subgraph_index, reader)}: its bias "
                f"{name_tensor(model, subgraph_index, bias)} is not touched, its scale should "
                "be that of the input times that of the filter."
            )
    return notes


def restate_biases(remaking: Remaking, place: tuple[int, int], scales: Reals) -> None:
    """Gives the biases of the layers of a filter the scales that fit it.

    Raises:
        EditError: A bias cannot be changed.
    """
    model = remaking.model
    for reader, bias, wanted in _biases(model, *place, scales):
        if _is_stated(model, place[0], bias, wanted):
            continue
        weights = weights_at(model, ("subgraphs", place[0], "tensors", bias))
        name = at_start(name_tensor(model, place[0], bias))
        kind = weights.kind
        if weights.contents.quantization is None:
            remaking.notes.append(f"{name} has no scales that fit it; it is not touched.")
            continue
        reals = weights.numbers().astype(np.float64)
        if len(wanted) not in (1, len(reals)):
            layer = name_operator(model, place[0], reader)
            raise EditError(
                f"{name} has {plural(len(reals), 'value')}, the filter of {layer} "
                f"{plural(len(wanted), 'channel')}; the bias cannot follow."
            )
        stored = half_away(reals / wanted)
        kept = np.clip(stored, kind.low, kind.high)
        remaking.set_data((place[0], bias), encode(_whole(kept), kind))
        made = QuantizationParameters(
            scale=wanted.tolist(), zero_point=[0] * len(wanted), quantized_dimension=0
        )
        remaking.set_quantization((place[0], bias), made)
        remaking.notes.append(f"{name} is restated with the scale of input times filter.")
        beyond = int((kept != stored).sum())
        if beyond:
            remaking.notes.append(
                f"{name}: {plural(beyond, 'value')} saturated: {kind_ends(kind)}."
            )


def _biases(
    model: Model, subgraph_index: int, tensor_index: int, scales: Reals
) -> Iterator[tuple[int, int, Reals]]:
    """Layer, bias and its scales, wherever both input and bias are quantised."""
    subgraph = subgraph_at(model, subgraph_index)
    for reader in filter_readers(model, subgraph_index, tensor_index):
        values = find_tensor(subgraph, reader.input(reader.layer.values))
        bias = reader.input(reader.layer.bias)
        tensor = find_tensor(subgraph, bias)
        known = find_quantization(values) if values is not None else None
        if known is None or tensor is None or not _is_quantised(model, tensor):
            continue
        product = (known.scale[:1] * scales).astype(np.float32).astype(np.float64)
        yield reader.number, bias, product


def _is_quantised(model: Model, tensor: Tensor) -> bool:
    return has_data(model, tensor) and element_type(tensor.type).kind == "integer"


def _is_stated(model: Model, subgraph_index: int, bias: int, wanted: Reals) -> bool:
    tensor = (subgraph_at(model, subgraph_index).tensors or [])[bias]
    known = find_quantization(tensor)
    return known is not None and np.array_equal(known.scale, wanted)


def _agrees(scale: Reals, wanted: Reals) -> bool:
    if len(scale) not in (1, len(wanted)) and len(wanted) != 1:
        return False
    return bool(np.allclose(scale, wanted, rtol=1e-3, atol=0))


def _whole(numbers: Reals) -> Reals:
    """Numbers that int64 can take over; its largest is none of float64."""
    return np.clip(numbers, -(2.0**63), np.nextafter(2.0**63, 0))
