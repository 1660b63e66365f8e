# SPDX-License-Identifier: Apache-2.0
"""Weights in another type or with another scale, their reals kept as near as possible.

Symmetric quantisation follows LiteRT's converter: int8 uses -127 to 127, the scale is the
largest magnitude by 127 in float32, the zero point 0, halves are rounded away from zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from tflm_studio.editing.integer_grids import (
    Grid,
    asymmetric_grid,
    quantised,
    symmetric_grid,
)
from tflm_studio.editing.located import tensor_at
from tflm_studio.editing.remade_tensors import Remaking
from tflm_studio.editing.restated_biases import bias_notes, restate_biases
from tflm_studio.editing.value_effects import Effect, ValueProposal, effect_of, kind_ends
from tflm_studio.editing.weight_readers import type_notes, wanted_axis
from tflm_studio.editing.weight_target import Weights, weights_at
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import plural
from tflm_studio.model.tensor_types import ELEMENT_TYPES, ElementType
from tflm_studio.schema.tables import Model, QuantizationParameters

Axis = int | None | Literal["auto"]
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
    make = symmetric_grid if symmetric else asymmetric_grid
    grid = make(weights, kind, wanted)
    return _requantised(weights, place, grid, f"Quantise {{}} to {dtype}", bias=bias)


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
    with np.errstate(over="ignore"):
        scales = np.atleast_1d(np.asarray(scale, np.float32)).astype(np.float64)
    if not scales.size or not (np.isfinite(scales) & (scales > 0)).all():
        raise EditError(f"{weights.name}: a scale has to be a number above 0.")
    given = np.atleast_1d(np.asarray(zero_point, object)).tolist()
    bad = next((z for z in given if z != z // 1 or not kind.low <= z <= kind.high), None)
    if bad is not None:
        raise EditError(f"{weights.name}: {kind.name} cannot hold the zero point {bad}.")
    zeros = np.array(given, np.int64)
    if len(zeros) not in (1, len(scales)):
        raise EditError(
            f"{weights.name}: {len(scales)} scales and {len(zeros)} zero points differ."
        )
    zeros = np.broadcast_to(zeros, scales.shape)
    wanted = _axis_of_scales(model, weights, place, axis, len(scales))
    grid = Grid(kind, scales, zeros, wanted, kind.low)
    return _requantised(weights, place, grid, "Requantise {}", bias=bias)


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


def _requantised(
    weights: Weights, place: tuple[int, int], grid: Grid, label: str, *, bias: bool
) -> ValueProposal:
    data, effect = quantised(weights, grid)
    remaking = Remaking(weights.model)
    remaking.set_type(place, _CODES[grid.kind.name])
    remaking.set_data(place, data)
    old = tensor_at(weights.model, *place).quantization
    quantization = QuantizationParameters(
        scale=grid.scales.tolist(),
        zero_point=grid.zeros.tolist(),
        quantized_dimension=grid.axis or 0,
    )
    if old is None or not _is_same(old, quantization):
        remaking.set_quantization(place, quantization)
    remaking.notes[:0] = _sentences(effect, grid)
    remaking.notes += type_notes(weights.model, *place, _CODES[grid.kind.name])
    if bias:
        restate_biases(remaking, place, grid.scales)
    else:
        remaking.notes += bias_notes(weights.model, *place, grid.scales)
    return _named(remaking, weights, label, effect)


def _is_same(old: QuantizationParameters, new: QuantizationParameters) -> bool:
    names = ("scale", "zero_point", "quantized_dimension", "details")
    return all(getattr(old, name) == getattr(new, name) for name in names)


def _sentences(effect: Effect, grid: Grid) -> list[str]:
    along = "one scale"
    if grid.axis is not None:
        along = f"{plural(len(grid.scales), 'scale')} along axis {grid.axis}"
    apart = "all reals are kept exactly."
    if effect.noise:
        apart = (
            f"reals differ by {effect.largest:.4g} at most (RMS {effect.rms:.4g}, SQNR "
            f"{effect.sqnr:.1f} dB)."
        )
    told = [f"{grid.kind.name} with {along}: {apart}"]
    if effect.saturated:
        told.append(f"{plural(effect.saturated, 'value')} saturated: {kind_ends(grid.kind)}.")
    return told


def _named(remaking: Remaking, weights: Weights, label: str, effect: Effect) -> ValueProposal:
    name = weights.name[:1].lower() + weights.name[1:]
    made = remaking.proposal(label.replace("{}", name))
    return ValueProposal(made.edits, made.notes, made.label, effect)
