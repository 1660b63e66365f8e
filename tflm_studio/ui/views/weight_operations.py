# SPDX-License-Identifier: Apache-2.0
"""What can be done to values, as rows of data: the dialog is made from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tflm_studio.analysis.buffer_contents import BufferContents, contents_at
from tflm_studio.editing import weights
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.weight_channels import channel_axis
from tflm_studio.editing.weight_target import Where
from tflm_studio.formats.array_reader import read_array
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError, ReadError
from tflm_studio.model.field_text import parse_whole_number, read_float
from tflm_studio.model.index_text import read_indices
from tflm_studio.model.schema import Model
from tflm_studio.model.tensor_types import format_float

Kind = Literal[
    "real", "whole", "text", "choice", "channels", "reals", "wholes", "file", "tick"
]
SHOWN_SCALES = 64
NUMBER_SUFFIXES = (".npy", ".npz", ".csv", ".txt")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number or choice that an operation asks for.

    Attributes:
        name: Of the argument.
        title: What the form calls it, with its letter.
        kind: How it is entered.
        default: Its text at first.
        choices: What can be chosen.
        hint: What stands in an empty line.
    """

    name: str
    title: str
    kind: Kind = "real"
    default: str = ""
    choices: tuple[str, ...] = ()
    hint: str = ""


Arguments = dict[str, Any]
Make = Callable[..., Proposal]
Defaults = Callable[[BufferContents], dict[str, str]]


@dataclass(frozen=True, slots=True)
class Operation:
    """Something that can be done to values.

    Attributes:
        id: Object name of its line in the list.
        title: What it is called.
        sentence: What it does.
        make: Makes the proposal from model, address and the parameters.
        parameters: What it asks for.
        is_elementwise: Whether it can work on stored numbers, and on chosen values only.
        defaults: Texts that depend on what is there.
    """

    id: str
    title: str
    sentence: str
    make: Make
    parameters: tuple[Parameter, ...] = ()
    is_elementwise: bool = True
    defaults: Defaults | None = None


def read_parameter(parameter: Parameter, text: str) -> Any:
    """What was entered, as the operation takes it.

    Raises:
        EditError: The text is something else.
    """
    title = parameter.title.replace("&", "")
    try:
        return _READERS[parameter.kind](text)
    except (EditError, ValueError) as error:
        raise EditError(f"{title}: {error}") from None


def _list_of(read: Callable[[str], Any], text: str) -> Any:
    found = [read(part) for part in text.replace(",", " ").split()]
    if not found:
        raise EditError("a number is needed.")
    return found


def _file(text: str) -> Any:
    path = Path(text.strip()).expanduser()
    if path.suffix.lower() not in NUMBER_SUFFIXES:
        raise EditError("choose a .npy, .npz, .csv or .txt file.")
    return path


_READERS: dict[Kind, Callable[[str], Any]] = {
    "real": read_float,
    "whole": parse_whole_number,
    "text": str,
    "choice": str,
    "channels": read_indices,
    "reals": partial(_list_of, read_float),
    "wholes": partial(_list_of, parse_whole_number),
    "file": _file,
    "tick": lambda text: text == "1",
}

# ------------------------------------------------------------------ what needs a word more


def _set_channels_to_zero(
    model: Model, address: Address, channels: list[int], axis: str, *, real: bool
) -> Proposal:
    found = channel_axis(model, address) if axis == "of the layer" else int(axis)
    if found is None:
        raise EditError("No layer has this as its filter; choose the axis of the channels.")
    return weights.set_channels_to_zero(model, address, found, channels, real=real)


def _replace_values(
    model: Model, address: Address, path: Path, *, real: bool, where: Where = None
) -> Proposal:
    contents = contents_at(model, address)
    if contents is None:
        raise EditError("There are no values to replace.")
    try:
        array = read_array(path, contents.shape, contents.kind, contents.name)
    except ReadError as error:
        raise EditError(str(error)) from None
    return weights.replace_values(model, address, array, real=real, where=where)


def _quantise(
    model: Model, address: Address, dtype: str, axis: str, *, symmetric: bool, bias: bool
) -> Proposal:
    chosen: Any = {"as the layer expects": "auto", "one scale for all": None}.get(axis, axis)
    if isinstance(chosen, str) and chosen != "auto":
        chosen = int(chosen.removeprefix("along axis "))
    return weights.quantise(model, address, dtype, axis=chosen, symmetric=symmetric, bias=bias)


def _requantise(
    model: Model,
    address: Address,
    scale: list[float],
    zero_point: list[int],
    dtype: str,
    *,
    bias: bool,
) -> Proposal:
    wanted = None if dtype == "as it is" else dtype
    return weights.requantise(model, address, scale, zero_point, dtype=wanted, bias=bias)


def _scales(contents: BufferContents) -> dict[str, str]:
    q = contents.quantization
    if q is None or len(q.scale) > SHOWN_SCALES:
        return {}
    zeros = q.zero_point if (q.zero_point != q.zero_point[0]).any() else q.zero_point[:1]
    return {
        "scale": ", ".join(format_float(np.float32(scale)) for scale in q.scale),
        "zero_point": ", ".join(str(int(zero)) for zero in zeros),
    }


_SEED = Parameter("seed", "S&eed", "whole", "1")
_SHAPE = Parameter("distribution", "&Distribution", "choice", "normal", ("normal", "uniform"))
_AXES = tuple(str(axis) for axis in range(6))
_BIAS = Parameter("bias", "Restate the &bias of the layer", "tick", "1")

OPERATIONS = (
    Operation(
        "scale",
        "Multiply",
        "Multiplies values by a number.",
        weights.scale,
        (Parameter("factor", "&Factor", "real", "1"),),
    ),
    Operation(
        "offset",
        "Add",
        "Adds a number to values.",
        weights.offset,
        (Parameter("amount", "&Amount", "real", "0"),),
    ),
    Operation(
        "clip",
        "Clip",
        "Limits values to a range.",
        weights.clip,
        (Parameter("low", "&Low", "real", "-1"), Parameter("high", "&High", "real", "1")),
    ),
    Operation(
        "round_to_step",
        "Round to a step",
        "Rounds values to multiples of a number: round(w / step) × step.",
        weights.round_to_step,
        (Parameter("step", "&Step", "real", "0.02"),),
    ),
    Operation(
        "prune_below",
        "Prune below a threshold",
        "Sets values to zero whose magnitude is below a threshold.",
        weights.prune_below,
        (Parameter("threshold", "&Threshold", "real", "0.01"),),
    ),
    Operation(
        "prune_percent",
        "Prune by percent",
        "Sets so many percent of the values to zero, the smallest magnitudes first.",
        weights.prune_percent,
        (Parameter("percent", "&Percent", "real", "50"),),
    ),
    Operation(
        "cluster",
        "Cluster",
        "Rounds values to the few that stand best for all of them (k-means).",
        weights.cluster,
        (Parameter("k", "&Values", "whole", "16"),),
    ),
    Operation(
        "add_noise",
        "Add noise",
        "Adds random numbers with a mean of 0, the same ones for the same seed.",
        weights.add_noise,
        (Parameter("std", "Standard de&viation", "real", "0.01"), _SHAPE, _SEED),
    ),
    Operation(
        "randomise",
        "Randomise",
        "Gives values random numbers, the same ones for the same seed.",
        weights.randomise,
        (
            Parameter("mean", "&Mean", "real", "0"),
            Parameter("std", "Standard de&viation", "real", "0.05"),
            _SHAPE,
            _SEED,
        ),
    ),
    Operation(
        "fill",
        "Fill",
        "Gives all values the same number.",
        weights.fill,
        (Parameter("value", "&Value", "real", "0"),),
    ),
    Operation(
        "replace_values",
        "Replace from a file",
        "Gives values the numbers of a .npy, .npz, .csv or .txt file.",
        _replace_values,
        (Parameter("path", "&File", "file", hint="a .npy, .npz, .csv or .txt file"),),
    ),
    Operation(
        "formula",
        "Formula",
        "Gives values what a formula makes of x. There are scale, zero_point, i (flat index), "
        "i0, i1… (indices), pi, e, and functions such as abs, round, clip, where, tanh, mean.",
        weights.formula,
        (Parameter("text", "&x =", "text", "round(x / 0.02) * 0.02"),),
    ),
    Operation(
        "set_channels_to_zero",
        "Set channels to zero",
        "Sets all values of some channels to zero.",
        _set_channels_to_zero,
        (
            Parameter("channels", "&Channels", "channels", "0", hint="such as 0-3, 7"),
            Parameter(
                "axis", "Along a&xis", "choice", "of the layer", ("of the layer", *_AXES)
            ),
        ),
    ),
    Operation(
        "permute_channels",
        "Permute channels",
        "Puts the output channels of the layer in another order; bias, scales and the layers "
        "behind follow, and the model computes the same.",
        lambda model, address, channels: weights.permute_channels(model, address, channels),
        (Parameter("channels", "&Order", "channels", hint="such as 3, 0-2, 4-7"),),
        is_elementwise=False,
        defaults=lambda contents: {"channels": _all_channels(contents)},
    ),
    Operation(
        "delete_channels",
        "Delete channels",
        "Takes output channels of the layer away, with all that belongs to them.",
        lambda model, address, channels: weights.delete_channels(model, address, channels),
        (Parameter("channels", "&Channels", "channels", "0", hint="such as 0-3, 7"),),
        is_elementwise=False,
    ),
    Operation(
        "quantise",
        "Quantise floats",
        "Turns floats into whole numbers as LiteRT's converter does.",
        _quantise,
        (
            Parameter(
                "dtype", "&Type", "choice", "int8", ("int8", "int4", "int2", "int16", "uint8")
            ),
            Parameter(
                "axis",
                "S&cales",
                "choice",
                "as the layer expects",
                (
                    "as the layer expects",
                    "one scale for all",
                    *(f"along axis {axis}" for axis in _AXES),
                ),
            ),
            Parameter("symmetric", "&Symmetric, zero point 0", "tick", "1"),
            _BIAS,
        ),
        is_elementwise=False,
    ),
    Operation(
        "requantise",
        "Requantise",
        "Gives quantised values another scale; their reals stay as near as can be.",
        _requantise,
        (
            Parameter("scale", "&Scale", "reals", "0.01", hint="one, or one for each channel"),
            Parameter("zero_point", "&Zero point", "wholes", "0"),
            Parameter(
                "dtype",
                "&Type",
                "choice",
                "as it is",
                ("as it is", "int8", "int4", "int2", "int16", "int32", "uint8"),
            ),
            _BIAS,
        ),
        is_elementwise=False,
        defaults=_scales,
    ),
    Operation(
        "dequantise",
        "Dequantise",
        "Turns quantised values into the float32 numbers they stand for.",
        weights.dequantise,
        is_elementwise=False,
    ),
    Operation(
        "to_float16",
        "Floats to float16",
        "Rounds floats to float16.",
        weights.to_float16,
        is_elementwise=False,
    ),
    Operation(
        "to_float32",
        "Floats to float32",
        "Widens float16 and the like to float32.",
        weights.to_float32,
        is_elementwise=False,
    ),
)
ONLY_ALL = frozenset(("set_channels_to_zero",))  # elementwise, but chooses by itself


def _all_channels(contents: BufferContents) -> str:
    names = contents.axis_names
    axis = next((k for k, name in enumerate(names) if name in ("out", "channel")), 0)
    size = contents.shape[axis] if contents.shape else 1
    return f"0-{size - 1}" if size > 1 else "0"


def operation_named(name: str) -> Operation:
    """An operation by its id."""
    return next(operation for operation in OPERATIONS if operation.id == name)
