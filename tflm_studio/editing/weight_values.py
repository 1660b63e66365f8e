# SPDX-License-Identifier: Apache-2.0
"""Arithmetic on weights: each number by itself, or by what it is among the others.

All operations take the same three arguments beside their own. `address` is a tensor such as
`subgraphs[0].tensors[3]`, or a buffer. `real` says whether they work on the reals that
quantised numbers stand for (they are quantised again) or on the stored numbers. `where`
chooses some elements by a mask of the tensor's shape or by flat indices; all of them if None.
Results are rounded to the nearest stored number, and saturate.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.editing.changed_values import Change, changed
from tflm_studio.editing.clusters import centres_among
from tflm_studio.editing.value_effects import ValueProposal
from tflm_studio.editing.weight_target import Piece, Weights, Where, weights_at
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import plural
from tflm_studio.model.tensor_types import Array
from tflm_studio.schema.tables import Model

Place = Address | str


def scale(
    model: Model, address: Place, factor: float, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Multiplies values by a number.

    Raises:
        EditError: The values cannot be changed, or the number is not finite.
    """
    by = finite_number(factor, "factor")
    weights = weights_at(model, address, real=real, where=where)
    return applied(weights, lambda x, _: x * by, f"Multiply {{}} by {factor:g}", by_value=True)


def offset(
    model: Model, address: Place, amount: float, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Adds a number to values.

    Raises:
        EditError: The values cannot be changed, or the number is not finite.
    """
    more = finite_number(amount, "amount")
    weights = weights_at(model, address, real=real, where=where)
    return applied(weights, lambda x, _: x + more, f"Add {amount:g} to {{}}", by_value=True)


def clip(
    model: Model,
    address: Place,
    low: float,
    high: float,
    *,
    real: bool = True,
    where: Where = None,
) -> ValueProposal:
    """Limits values to a range.

    Raises:
        EditError: The values cannot be changed, or the range is none.
    """
    ends = finite_number(low, "lower end"), finite_number(high, "upper end")
    if ends[0] > ends[1]:
        raise EditError(f"The lower end {low:g} is above the upper end {high:g}.")
    weights = weights_at(model, address, real=real, where=where)
    return applied(
        weights,
        lambda x, _: np.clip(x, *ends),
        f"Clip {{}} to {low:g}…{high:g}",
        by_value=True,
    )


def round_to_step(
    model: Model, address: Place, step: float, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Rounds values to multiples of a number: `round(w / step) * step`, halves to even.

    Raises:
        EditError: The values cannot be changed, or the step is not above 0.
    """
    width = finite_number(step, "step")
    if width <= 0:
        raise EditError("The step has to be above 0.")
    weights = weights_at(model, address, real=real, where=where)

    def rounded(x: Array, _: Piece) -> Array:
        if x.dtype == object:
            return np.array([_multiple(each, width) for each in x.tolist()], object)
        return np.round(x / width) * width

    return applied(weights, rounded, f"Round {{}} to steps of {step:g}", by_value=True)


def _multiple(number: int, step: float) -> float:
    """The nearest multiple; exactly, if the step is a whole number."""
    if not isinstance(step, int):
        steps = number / step
        # A step that is so small has a multiple wherever a number is.
        return round(steps) * step if math.isfinite(steps) else number
    quotient, rest = divmod(number, step)
    return (quotient + (2 * rest > step or (2 * rest == step and quotient % 2 == 1))) * step


def prune_below(
    model: Model, address: Place, threshold: float, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Sets values to zero whose magnitude is below a threshold.

    Raises:
        EditError: The values cannot be changed, or the threshold is below 0.
    """
    least = finite_number(threshold, "threshold")
    if least < 0:
        raise EditError("The threshold cannot be below 0.")
    weights = weights_at(model, address, real=real, where=where)
    label = f"Prune {{}} below {threshold:g}"
    return applied(
        weights, lambda x, _: np.where(np.abs(x) < least, 0, x), label, by_value=True
    )


def prune_percent(
    model: Model, address: Place, percent: float, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Sets those values to zero that have the smallest magnitudes, so many percent of all.

    Of equal magnitudes the first go. O(n), with about 16 bytes for each value.

    Raises:
        EditError: The values cannot be changed, or it is no percentage.
    """
    share = finite_number(percent, "percentage")
    if not 0 <= share <= 100:
        raise EditError("The percentage has to be from 0 to 100.")
    weights = weights_at(model, address, real=real, where=where)
    gone = _smallest(weights, math.floor(weights.count * share / 100 + 1e-9))
    label = f"Prune {percent:g} % of {{}}"
    return applied(weights, lambda x, p: np.where(gone[p.start : p.stop], 0, x), label)


def _smallest(weights: Weights, count: int) -> Array:
    sizes: Array = np.abs(weights.numbers()).astype(np.float64)
    sizes[np.isnan(sizes)] = math.inf
    if not count:
        return np.zeros(len(sizes), bool)
    limit = np.partition(sizes, count - 1)[count - 1]
    gone: Array = sizes < limit
    equal = np.flatnonzero(sizes == limit)
    gone[equal[: count - int(gone.sum())]] = True
    return gone


def set_channels_to_zero(
    model: Model, address: Place, axis: int, channels: Iterable[int], *, real: bool = True
) -> ValueProposal:
    """Sets all values of some channels to zero.

    Args:
        model: The model.
        address: The tensor.
        axis: Along which dimension the channels follow each other; counted from the back if
            below 0.
        channels: Their indices.
        real: Whether zero is the real, which is stored as the zero point.

    Raises:
        EditError: The values cannot be changed, or there is no such axis or channel.
    """
    weights = weights_at(model, address, real=real)
    shape = weights.contents.shape
    if not -len(shape) <= axis < len(shape):
        raise EditError(f"{weights.name} has {len(shape)} dimensions, so no axis {axis}.")
    axis %= len(shape)
    chosen = check_channels(channels, shape[axis], weights.name)
    inner = math.prod(shape[axis + 1 :])
    is_chosen = np.zeros(shape[axis], bool)
    is_chosen[chosen] = True

    def zeroed(x: Array, piece: Piece) -> Array:
        return np.where(is_chosen[piece.flat // inner % shape[axis]], 0, x)

    named = f"channel {chosen[0]}" if len(chosen) == 1 else f"{len(chosen):,} channels"
    return applied(weights, zeroed, f"Set {named} of {{}} to zero")


def check_channels(channels: Iterable[int], count: int, name: str) -> list[int]:
    """Channels, each once, ascending.

    Raises:
        EditError: There are none, or there is no such channel.
    """
    chosen = sorted({int(channel) for channel in channels})
    if not chosen:
        raise EditError("No channel is chosen; name some, such as 0-3, 7.")
    bad = next((c for c in (chosen[0], chosen[-1]) if not 0 <= c < count), None)
    if bad is not None:
        raise EditError(f"{name} has no channel {bad}; the last is {count - 1}.")
    return chosen


def fill(
    model: Model, address: Place, value: float, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Gives all chosen values the same number; floats may be NaN or infinite.

    Raises:
        EditError: The values cannot be changed, or the type cannot hold the number at all.
    """
    weights = weights_at(model, address, real=real, where=where)
    number = _fitting(weights, value)
    label = f"Fill {{}} with {value:g}"
    return applied(
        weights,
        lambda x, _: np.full(x.shape, number, object if _is_wide(x) else None),
        label,
        by_value=True,
    )


def replace_values(
    model: Model,
    address: Place,
    array: Array | Sequence[Any],
    *,
    real: bool = True,
    where: Where = None,
) -> ValueProposal:
    """Gives values those of an array.

    Args:
        model: The model.
        address: The tensor.
        array: As many numbers as are chosen; with the shape of the tensor if all are.
        real: As in this module.
        where: As in this module.

    Raises:
        EditError: The values cannot be changed, or the array holds others or other many.
    """
    weights = weights_at(model, address, real=real, where=where)
    found = _plain_array(array)
    shape = weights.contents.shape if where is None else (weights.count,)
    if found.size != weights.count or (found.ndim > 1 and found.shape != shape):
        raise EditError(
            f"The array has the shape {found.shape}, {weights.name} takes {shape}; they must "
            "agree."
        )
    flat = found.reshape(-1)

    def replaced(x: Array, piece: Piece) -> Array:
        part: Array = flat[piece.start : piece.stop]
        return part.astype(object) if _is_wide(x) else part.astype(np.float64)

    return applied(weights, replaced, "Replace {}")


def _plain_array(array: Array | Sequence[Any]) -> Array:
    try:
        found = np.asarray(array)
    except ValueError:
        raise EditError("The array has rows of different lengths.") from None
    is_plain = found.dtype.kind in "biuf"
    if found.dtype == object:  # whole numbers that no type of numpy holds
        is_plain = all(isinstance(number, (int, float, np.number)) for number in found.flat)
    if not is_plain:
        raise EditError(f"The array holds {found.dtype}, not plain numbers.")
    return found


def cluster(
    model: Model, address: Place, k: int, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Rounds values to the `k` numbers that are nearest to all of them (k-means).

    Few distinct values (512) are clustered exactly, more by Lloyd's steps from quantiles on.

    Raises:
        EditError: The values cannot be changed, or `k` is not above 0.
    """
    if k < 1:
        raise EditError("There has to be 1 cluster or more.")
    weights = weights_at(model, address, real=real, where=where)
    centres = centres_among(_finite_reals(weights), int(k))
    if not centres.size:
        return ValueProposal((), ("There are no finite values to cluster.",))
    borders = (centres[1:] + centres[:-1]) / 2

    def clustered(x: Array, _: Piece) -> Array:
        plain = x.astype(np.float64)
        nearest = centres[np.searchsorted(borders, plain, side="right")]
        return np.where(np.isfinite(plain), nearest, plain)

    return applied(
        weights, clustered, f"Cluster {{}} to {plural(int(k), 'value')}", by_value=True
    )


def _finite_reals(weights: Weights) -> NDArray[np.float64]:
    """All chosen numbers that are finite; takes no more memory than they do."""
    found, count = np.empty(weights.count), 0
    for piece in weights.pieces():
        reals = piece.numbers().astype(np.float64)
        reals = reals[np.isfinite(reals)]
        found[count : count + len(reals)] = reals
        count += len(reals)
    return found[:count]


def applied(
    weights: Weights, change: Change, label: str, *, by_value: bool = False
) -> ValueProposal:
    """A change of chosen numbers.

    Args:
        weights: What is changed.
        change: The new numbers for some, from those of now.
        label: What the history calls it, with {} for the name.
        by_value: Whether equal numbers become equal ones.
    """
    name = weights.name[:1].lower() + weights.name[1:]
    if weights.where is not None:
        name = f"{plural(weights.count, 'value')} of {name}"
    return changed(weights, change, label.replace("{}", name), by_value=by_value)


def finite_number(value: float, what: str) -> float:
    """A number; a whole one as int, so that wide integers are computed exactly.

    Raises:
        EditError: It is not finite; `what` says in the message what it is.
    """
    if not math.isfinite(value):
        raise EditError(f"The {what} has to be a finite number, not {value!r}.")
    return int(value) if float(value).is_integer() or isinstance(value, int) else float(value)


def _fitting(weights: Weights, value: float) -> float:
    if weights.kind.kind == "float":
        return value
    if not math.isfinite(value):
        raise EditError(f"{weights.kind.name} cannot hold {value!r}; give a finite number.")
    return finite_number(value, "value")


def _is_wide(numbers: Array) -> bool:
    return numbers.dtype == object
