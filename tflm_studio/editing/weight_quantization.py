# SPDX-License-Identifier: Apache-2.0
"""Weights in another type or with another scale, their reals kept as near as possible.

Symmetric quantisation follows LiteRT's converter: int8 uses -127 to 127, the scale is the
largest magnitude by 127 in float32, the zero point 0, halves are rounded away from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tflm_studio.editing.remade_tensors import Remaking
from tflm_studio.editing.restated_biases import bias_notes, restate_biases
from tflm_studio.editing.value_effects import Effect, ValueProposal, effect_of, kind_ends
from tflm_studio.editing.weight_readers import type_notes, wanted_axis
from tflm_studio.editing.weight_target import Weights, half_away, weights_at
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import plural
from tflm_studio.model.quantization import Reals
from tflm_studio.model.tensor_types import ELEMENT_TYPES, Array, ElementType, encode
from tflm_studio.schema.tables import Model, QuantizationParameters

Axis = int | None | Literal["auto"]
SCALE_OF_ZEROS = 1e-6  # of a channel of zeros: any does, but 0 cannot be divided by
INTEGER_TYPES = ("int8", "int4", "int2", "int16", "int32", "uint8")
_CODES = {kind.name: code for code, kind in ELEMENT_TYPES.items()}


def quantise(
    model: Model,
    address: Address | str,
    dtype: str = "int8",
    *,
    axis: Axis = "auto",
    symmetric: bool = True,
    bias: bool = False,
) -> ValueProposal:
    """Turns float weights into whole numbers with scales made from their range.

    Args:
        model: The model.
        address: The tensor.
        dtype: "int8", "int4", "int2" or "int16"; "uint8" if not symmetric.
        axis: Along which dimension each channel has a scale of its own; None for one scale;
            "auto" for what the operator that reads the weights expects: 0 for CONV_2D,
            FULLY_CONNECTED and TRANSPOSE_CONV, 3 for DEPTHWISE_CONV_2D.
        symmetric: Whether the zero point is 0 and the lowest number is not used.
        bias: Whether a quantised bias of the layer follows, to input times filter scale.

    Raises:
        EditError: The tensor holds no floats, or not finite ones, or the type cannot be had.
    """
    weights, place = _tensor(model, address)
    if weights.kind.kind != "float":
        raise EditError(
            f"{weights.name} holds {weights.kind.name}, not floats; use requantise to change "
            "its scale."
        )
    kind = _integer(dtype)
    if symmetric and kind.low >= 0:
        raise EditError(f"{kind.name} has no negative numbers; it cannot be symmetric.")
    wanted = _axis(model, weights, place, axis)
    rows = _rows(_finite_reals(weights), weights.contents.shape, wanted)
    if symmetric:
        scales, zeros = _symmetric(rows, kind)
        stored = _symmetric_stored(rows, kind)
    else:
        scales, zeros = _asymmetric(rows, kind)
        stored = half_away(rows / scales[:, None]) + zeros[:, None]
    made = _Made(kind, stored, scales, zeros, wanted)
    label = f"Quantise {{}} to {dtype}"
    return _requantised(weights, place, rows, made, label, narrow=symmetric, bias=bias)


def requantise(
    model: Model,
    address: Address | str,
    scale: float | Sequence[float],
    zero_point: int | Sequence[int] = 0,
    *,
    dtype: str | None = None,
    axis: Axis = "auto",
    bias: bool = False,
) -> ValueProposal:
    """Gives weights another scale and zero point, and the stored numbers that fit them.

    Args:
        model: The model.
        address: The tensor.
        scale: One for the tensor, or one for each channel.
        zero_point: One for all, or one for each scale.
        dtype: Their type afterwards, such as "int16"; as it is if None, int8 for floats.
        axis: Of the channels, if there are several scales; "auto" for the axis of now, or
            what the operator that reads the weights expects.
        bias: Whether a quantised bias of the layer follows.

    Raises:
        EditError: The numbers do not go together, or not with shape or type of the tensor.
    """
    weights, place = _tensor(model, address)
    is_integer = weights.kind.kind == "integer"
    if is_integer and weights.contents.quantization is None:
        raise EditError(f"{weights.name} has no scale, so its numbers stand for no reals.")
    kind = _integer(dtype or (weights.kind.name if is_integer else "int8"))
    scales = np.atleast_1d(np.asarray(scale, np.float32)).astype(np.float64)
    if not scales.size or not (np.isfinite(scales) & (scales > 0)).all():
        raise EditError(f"{weights.name}: a scale has to be a number above 0.")
    zeros = np.atleast_1d(np.asarray(zero_point, np.int64))
    if len(zeros) not in (1, len(scales)):
        raise EditError(
            f"{weights.name}: {len(scales)} scales and {len(zeros)} zero points differ."
        )
    zeros = np.broadcast_to(zeros, scales.shape)
    bad = zeros[(zeros < kind.low) | (zeros > kind.high)]
    if bad.size:
        raise EditError(f"{weights.name}: {kind.name} cannot hold the zero point {bad[0]}.")
    wanted = _axis_of_scales(model, weights, place, axis, len(scales))
    rows = _rows(_finite_reals(weights), weights.contents.shape, wanted)
    stored: Reals = half_away(rows / scales[:, None]) + zeros[:, None]
    made = _Made(kind, stored, scales, zeros, wanted)
    label = "Requantise {}"
    return _requantised(weights, place, rows, made, label, narrow=False, bias=bias)


def dequantise(model: Model, address: Address | str) -> ValueProposal:
    """Turns quantised weights into the float32 numbers they stand for; the scale goes.

    Raises:
        EditError: The tensor is not quantised.
    """
    weights, place = _tensor(model, address)
    if weights.contents.quantization is None or weights.kind.kind != "integer":
        raise EditError(f"{weights.name} is not quantised; there is nothing to dequantise.")
    return _as_floats(weights, place, "float32", "Dequantise {}")


def to_float16(model: Model, address: Address | str) -> ValueProposal:
    """Rounds float weights to float16; what is too large becomes the largest of them.

    Raises:
        EditError: The tensor holds no floats, or float16 already.
    """
    return _to_float(model, address, "float16")


def to_float32(model: Model, address: Address | str) -> ValueProposal:
    """Widens or rounds float weights to float32.

    Raises:
        EditError: The tensor holds no floats, or float32 already.
    """
    return _to_float(model, address, "float32")


def _to_float(model: Model, address: Address | str, name: str) -> ValueProposal:
    weights, place = _tensor(model, address)
    if weights.kind.kind != "float":
        raise EditError(f"{weights.name} holds {weights.kind.name}; dequantise it instead.")
    if weights.kind.name == name:
        raise EditError(f"{weights.name} holds {name} already.")
    return _as_floats(weights, place, name, f"Turn {{}} into {name}")


def _as_floats(
    weights: Weights, place: tuple[int, int], name: str, label: str
) -> ValueProposal:
    kind = ELEMENT_TYPES[_CODES[name]]
    limit = float(np.finfo(kind.storage).max)
    effect, made = Effect(), []
    for piece in weights.pieces():
        reals = piece.numbers()
        with np.errstate(over="ignore", invalid="ignore"):
            beyond = np.isfinite(reals) & (np.abs(reals) > limit)
            floats = np.where(beyond, np.copysign(limit, reals), reals).astype(kind.storage)
            effect += effect_of(reals, floats, beyond)
        made.append(floats.tobytes())
    remaking = Remaking(weights.model)
    remaking.set_type(place, _CODES[name])
    remaking.set_data(place, b"".join(made))
    if weights.kind.kind == "integer":
        remaking.set_quantization(place, None)
    remaking.notes[:0] = effect.sentences(kind)
    remaking.notes += type_notes(weights.model, *place, _CODES[name])
    if name == "float16":
        remaking.notes.append("Kernels of float32 read it only behind a DEQUANTIZE.")
    return _named(remaking, weights, label, effect)


# ------------------------------------------------------------------ what they share


def _tensor(model: Model, address: Address | str) -> tuple[Weights, tuple[int, int]]:
    weights = weights_at(model, address)
    place = weights.contents.tensor_address
    if place is None:
        raise EditError(f"{weights.name} is that of no tensor; only tensors have types.")
    return weights, (int(place[1]), int(place[3]))


def _integer(name: str) -> ElementType:
    if name not in INTEGER_TYPES:
        names = ", ".join(INTEGER_TYPES)
        raise EditError(f"Weights cannot become '{name}'; there are {names}.")
    return ELEMENT_TYPES[_CODES[name]]


def _finite_reals(weights: Weights) -> Reals:
    reals = weights.numbers().astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(reals))
    if bad.size:
        raise EditError(
            f"{weights.name}: element {bad[0]} is {reals[bad[0]]}, which no whole number can "
            "stand for."
        )
    return reals


def _axis(model: Model, weights: Weights, place: tuple[int, int], axis: Axis) -> int | None:
    if axis is None:
        return None
    if axis == "auto":
        return wanted_axis(model, *place)
    rank = len(weights.contents.shape)
    if not -rank <= axis < rank:
        raise EditError(f"{weights.name} has {rank} dimensions, so no axis {axis}.")
    return axis % rank


def _axis_of_scales(
    model: Model, weights: Weights, place: tuple[int, int], axis: Axis, count: int
) -> int | None:
    if count == 1:
        return None
    known = weights.contents.channel_axis
    wanted = known if axis == "auto" and known is not None else None
    if wanted is None:
        wanted = _axis(model, weights, place, axis)
    shape = weights.contents.shape
    if wanted is None or shape[wanted] != count:
        has = f"axis {wanted} has {shape[wanted]}" if wanted is not None else "name the axis"
        raise EditError(f"{weights.name}: {count} scales need as many channels; {has}.")
    return wanted


def _rows(flat: Reals, shape: Sequence[int], axis: int | None) -> Reals:
    """A row for each scale: the channels along an axis, or all in one."""
    if axis is None:
        return flat.reshape(1, -1)
    channels = np.moveaxis(flat.reshape(shape), axis, 0)
    return channels.reshape(shape[axis], -1)


def _flat(rows: Array, shape: Sequence[int], axis: int | None) -> Array:
    """Takes `_rows` back."""
    if axis is None:
        return rows.reshape(-1)
    rest = [size for k, size in enumerate(shape) if k != axis]
    return np.moveaxis(rows.reshape(shape[axis], *rest), 0, axis).reshape(-1)


class _Made(NamedTuple):
    """New stored numbers and how they stand for reals, in rows with a scale each."""

    kind: ElementType
    stored: Reals
    scales: Reals
    zeros: NDArray[np.int64]
    axis: int | None


def _requantised(
    weights: Weights,
    place: tuple[int, int],
    rows: Reals,
    made: _Made,
    label: str,
    *,
    narrow: bool,
    bias: bool,
) -> ValueProposal:
    kind, shape = made.kind, weights.contents.shape
    low = -kind.high if narrow else kind.low
    kept = np.clip(made.stored, low, kind.high)
    beyond = kept != made.stored
    reals = (kept - made.zeros[:, None]) * made.scales[:, None]
    effect = effect_of(rows.reshape(-1), reals.reshape(-1), beyond.reshape(-1))
    remaking = Remaking(weights.model)
    remaking.set_type(place, _CODES[kind.name])
    remaking.set_data(place, encode(_flat(kept, shape, made.axis).astype(np.int64), kind))
    old = (weights.model.subgraphs or [])[place[0]].tensors[place[1]].quantization  # type: ignore[index]
    quantization = QuantizationParameters(
        scale=made.scales.tolist(),
        zero_point=made.zeros.tolist(),
        quantized_dimension=made.axis or 0,
    )
    if old is None or not _is_same(old, quantization):
        remaking.set_quantization(place, quantization)
    remaking.notes[:0] = _sentences(effect, kind, len(made.scales), made.axis)
    remaking.notes += type_notes(weights.model, *place, _CODES[kind.name])
    if bias:
        restate_biases(remaking, place, made.scales)
    else:
        remaking.notes += bias_notes(weights.model, *place, made.scales)
    return _named(remaking, weights, label, effect)


def _is_same(old: QuantizationParameters, new: QuantizationParameters) -> bool:
    names = ("scale", "zero_point", "quantized_dimension", "details")
    return all(getattr(old, name) == getattr(new, name) for name in names)


def _sentences(effect: Effect, kind: ElementType, scales: int, axis: int | None) -> list[str]:
    along = f"{plural(scales, 'scale')} along axis {axis}" if axis is not None else "one scale"
    apart = "all reals are kept exactly."
    if effect.noise:
        apart = (
            f"reals differ by {effect.largest:.4g} at most (RMS {effect.rms:.4g}, SQNR "
            f"{effect.sqnr:.1f} dB)."
        )
    told = [f"{kind.name} with {along}: {apart}"]
    if effect.saturated:
        told.append(f"{plural(effect.saturated, 'value')} saturated: {kind_ends(kind)}.")
    return told


def _symmetric(table: Reals, kind: ElementType) -> tuple[Reals, NDArray[np.int64]]:
    ranges = np.abs(table.astype(np.float32)).max(axis=1, initial=0)
    scales = (ranges / np.float32(kind.high)).astype(np.float64)
    return np.where(scales > 0, scales, SCALE_OF_ZEROS), np.zeros(len(scales), np.int64)


def _symmetric_stored(table: Reals, kind: ElementType) -> Reals:
    values = table.astype(np.float32)
    ranges = np.abs(values).max(axis=1, initial=0)
    with np.errstate(divide="ignore"):
        inverse = np.where(ranges > 0, np.float32(kind.high) / ranges, np.float32(0))
    return half_away((values * inverse[:, None].astype(np.float32)).astype(np.float64))


def _asymmetric(table: Reals, kind: ElementType) -> tuple[Reals, NDArray[np.int64]]:
    low = np.minimum(table.min(axis=1, initial=0), 0)
    high = np.maximum(table.max(axis=1, initial=0), 0)
    scales = ((high - low) / (kind.high - kind.low)).astype(np.float32).astype(np.float64)
    scales = np.where(scales > 0, scales, SCALE_OF_ZEROS)
    zeros = np.clip(half_away(kind.low - low / scales), kind.low, kind.high)
    return scales, zeros.astype(np.int64)


def _named(remaking: Remaking, weights: Weights, label: str, effect: Effect) -> ValueProposal:
    name = weights.name[:1].lower() + weights.name[1:]
    made = remaking.proposal(label.replace("{}", name))
    return ValueProposal(made.edits, made.notes, made.label, effect)
