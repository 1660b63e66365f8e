# SPDX-License-Identifier: Apache-2.0
"""Output channels of layers in another order, or fewer of them, with all that follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from tflm_studio.editing.channel_flow import ChannelFlow, Kept
from tflm_studio.editing.edits import Set
from tflm_studio.editing.located import tensor_at, tensor_place
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.remade_tensors import Remaking
from tflm_studio.editing.weight_readers import Reader, filter_readers
from tflm_studio.editing.weight_target import Piece, Weights, weights_at
from tflm_studio.editing.weight_values import check_channels
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import has_data
from tflm_studio.model.place_names import (
    at_start,
    name_operator,
    name_tensor,
    named_few,
    plural,
)
from tflm_studio.model.tensor_types import Array, encode
from tflm_studio.schema.tables import Model


def permute_channels(model: Model, address: Address | str, order: Sequence[int]) -> Proposal:
    """Puts the output channels of a layer in another order; the model computes the same.

    Bias, scales, the operators behind and the layers that take the channels in follow, and so
    do the layers of another branch that is added. Sums of floats in another order may differ
    in their last bits; quantised ones are the same.

    Args:
        model: The model.
        address: The filter of a CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED or
            TRANSPOSE_CONV.
        order: The channels of now, in the order of afterwards.

    Raises:
        EditError: The order does not name each channel once, or an operator stands in the
            way and is named: an output of the subgraph, what mixes channels.
    """
    weights, reader = _layer_of(model, address)
    count = _channels(weights, reader)
    kept = tuple(int(channel) for channel in order)
    if sorted(kept) != list(range(count)):
        raise EditError(
            f"The order has to name each of the {count} channels of {weights.name} once."
        )
    if kept == tuple(range(count)):
        return Proposal((), ("The channels are in this order already.",), "Permute channels")
    return _followed(weights, reader, kept, f"Permute the channels of {_name(weights)}")


def delete_channels(model: Model, address: Address | str, channels: Iterable[int]) -> Proposal:
    """Takes output channels of a layer away, with all that belongs to them.

    The model computes the same if the channels are zero, bias included.

    Args:
        model: The model.
        address: The filter, as in `permute_channels`.
        channels: Their indices.

    Raises:
        EditError: There is no such channel, none would be left, or an operator stands in the
            way, as in `permute_channels`.
    """
    weights, reader = _layer_of(model, address)
    count = _channels(weights, reader)
    gone = check_channels(channels, count, weights.name)
    if len(gone) == count:
        raise EditError(f"{weights.name} needs a channel; they cannot all be deleted.")
    kept = tuple(channel for channel in range(count) if channel not in set(gone))
    named = f"channel {gone[0]}" if len(gone) == 1 else f"{len(gone):,} channels"
    made = _followed(weights, reader, kept, f"Delete {named} of {_name(weights)}")
    return made.preceded_by(_zero_notes(weights, reader, gone))


def channel_axis(model: Model, address: Address | str) -> int | None:
    """The axis of the output channels of a filter; None if no layer has it as its filter."""
    weights = weights_at(model, address, real=False)
    place = weights.contents.tensor_address
    if place is None:
        return None
    readers = filter_readers(model, int(place[1]), int(place[3]))
    axis = readers[0].layer.channel_axis if readers else None
    return axis if axis is not None and axis < len(weights.contents.shape) else None


def _layer_of(model: Model, address: Address | str) -> tuple[Weights, Reader]:
    weights = weights_at(model, address, real=False)
    place = weights.contents.tensor_address
    if place is None:
        raise EditError(f"{weights.name} is that of no tensor, so it has no channels.")
    readers = filter_readers(model, int(place[1]), int(place[3]))
    if not readers:
        raise EditError(
            f"{weights.name} is the filter of no CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED "
            "or TRANSPOSE_CONV, so it has no output channels."
        )
    if len(readers) > 1:
        names = [name_operator(model, int(place[1]), reader.number) for reader in readers]
        raise EditError(f"{weights.name} is the filter of several layers: {named_few(names)}.")
    return weights, readers[0]


def _channels(weights: Weights, reader: Reader) -> int:
    shape, axis = weights.contents.shape, reader.layer.channel_axis
    if axis >= len(shape):
        raise EditError(f"{weights.name} has {len(shape)} dimensions, so no axis {axis}.")
    return shape[axis]


def _name(weights: Weights) -> str:
    return weights.name[:1].lower() + weights.name[1:]


def _followed(weights: Weights, reader: Reader, kept: Kept, label: str) -> Proposal:
    model, place = weights.model, weights.contents.tensor_address
    assert place is not None
    subgraph_index = int(place[1])
    flow = ChannelFlow(model, subgraph_index)
    flow.start(reader.number, kept)
    remaking = Remaking(model)
    for tensor_index, axes in flow.cuts.items():
        _cut(remaking, (subgraph_index, tensor_index), axes)
    for tensor_index, size in flow.restated.items():
        _restate(remaking, (subgraph_index, tensor_index), size)
    for number, shape in flow.options.items():
        options = ("subgraphs", subgraph_index, "operators", number, "builtin_options")
        remaking.set(Set((*options, "new_shape"), shape))
    names = [name_operator(model, subgraph_index, k) for k in flow.passed]
    if len(names) > 1:
        remaking.notes.append(f"These follow: {named_few(names[1:])}.")
    return remaking.proposal(label)


def _cut(remaking: Remaking, place: tuple[int, int], axes: Mapping[int, Kept]) -> None:
    model = remaking.model
    tensor = tensor_at(model, *place)
    shape = list(tensor.shape or [])
    if tensor.quantization is not None and tensor.quantization.details is not None:
        name = name_tensor(model, *place)
        raise EditError(
            f"{at_start(name)} has scales in another tensor, which cannot follow; quantise it "
            "with a scale for each channel first."
        )
    if has_data(model, tensor):
        weights = weights_at(model, tensor_place(*place), real=False)
        array = _raw(weights)
        for axis, kept in axes.items():
            array = array.take(kept, axis)
        kind = weights.kind
        flat = np.ascontiguousarray(array).reshape(-1)
        remaking.set_data(place, encode(flat, kind) if kind.is_packed else flat.tobytes())
    for axis, kept in axes.items():
        remaking.reorder_channels(place, axis, kept)
        shape[axis] = len(kept)
    remaking.set_shape(place, shape)


def _raw(weights: Weights) -> Array:
    everything = Piece(weights, 0, weights.count, None)
    return everything.raw().reshape(weights.contents.shape)


def _restate(remaking: Remaking, place: tuple[int, int], size: int) -> None:
    weights = weights_at(remaking.model, tensor_place(*place), real=False)
    numbers = _raw(weights).reshape(-1).copy()
    numbers[-1] = size
    remaking.set_data(place, encode(numbers, weights.kind))


def _zero_notes(weights: Weights, reader: Reader, gone: Sequence[int]) -> list[str]:
    """Says whether what goes has an effect."""
    place, bias = weights.contents.tensor_address, reader.input(reader.layer.bias)
    assert place is not None
    numbers = _real_or_stored(weights.model, tensor_place(int(place[1]), int(place[3])))
    rest = tuple(k for k in range(numbers.ndim) if k != reader.layer.channel_axis)
    active = (numbers != 0).any(axis=rest)
    if bias >= 0:
        active = active | (
            _real_or_stored(weights.model, tensor_place(int(place[1]), bias)) != 0
        )
    busy = [channel for channel in gone if active[channel]]
    if not busy:
        return []
    named = (
        f"Channel {busy[0]} is" if len(busy) == 1 else f"{plural(len(busy), 'channel')} are"
    )
    return [f"{named} not zero, so the model will compute something else."]


def _real_or_stored(model: Model, place: Address) -> Array:
    weights = weights_at(model, place)
    return weights.numbers().reshape(weights.contents.shape)
