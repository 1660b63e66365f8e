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
from typing import Any, Literal

import numpy as np

from tflm_studio.editing.changed_values import Change, changed
from tflm_studio.editing.clusters import centres_of
from tflm_studio.editing.value_effects import ValueProposal
from tflm_studio.editing.weight_target import Piece, Weights, Where, weights_at
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import plural
from tflm_studio.model.tensor_types import Array
from tflm_studio.schema.tables import Model

Distribution = Literal["normal", "uniform"]
DISTRIBUTIONS: tuple[Distribution, ...] = ("normal", "uniform")
Place = Address | str


def scale(
    model: Model, address: Place, factor: float, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Multiplies values by a number.

    Raises:
        EditError: The values cannot be changed, or the number is not finite.
    """
    by = _number(factor, "factor")
    weights = weights_at(model, address, real=real, where=where)
    return _done(weights, lambda x, _: x * by, f"Multiply {{}} by {factor:g}", by_value=True)


def offset(
    model: Model, address: Place, amount: float, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Adds a number to values.

    Raises:
        EditError: The values cannot be changed, or the number is not finite.
    """
    more = _number(amount, "amount")
    weights = weights_at(model, address, real=real, where=where)
    return _done(weights, lambda x, _: x + more, f"Add {amount:g} to {{}}", by_value=True)


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
    ends = _number(low, "lower end"), _number(high, "upper end")
    if ends[0] > ends[1]:
        raise EditError(f"The lower end {low:g} is above the upper end {high:g}.")
    weights = weights_at(model, address, real=real, where=where)
    return _done(
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
    width = _number(step, "step")
    if width <= 0:
        raise EditError("The step has to be above 0.")
    weights = weights_at(model, address, real=real, where=where)

    def rounded(x: Array, _: Piece) -> Array:
        if x.dtype == object:
            return np.array([_multiple(each, width) for each in x.tolist()], object)
        return np.round(x / width) * width

    return _done(weights, rounded, f"Round {{}} to steps of {step:g}", by_value=True)


def _multiple(number: int, step: float) -> float:
    """The nearest multiple; exactly, if the step is a whole number."""
    if not isinstance(step, int):
        return round(number / step) * step
    quotient, rest = divmod(number, step)
    return (quotient + (2 * rest > step or (2 * rest == step and quotient % 2 == 1))) * step


def prune_below(
    model: Model, address: Place, threshold: float, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Sets values to zero whose magnitude is below a threshold.

    Raises:
        EditError: The values cannot be changed, or the threshold is below 0.
    """
    least = _number(threshold, "threshold")
    if least < 0:
        raise EditError("The threshold cannot be below 0.")
    weights = weights_at(model, address, real=real, where=where)
    label = f"Prune {{}} below {threshold:g}"
    return _done(weights, lambda x, _: np.where(np.abs(x) < least, 0, x), label, by_value=True)


def prune_percent(
    model: Model, address: Place, percent: float, *, real: bool = True, where: Where = None
) -> ValueProposal:
    """Sets those values to zero that have the smallest magnitudes, so many percent of all.

    Of equal magnitudes the first go. O(n), with about 16 bytes for each value.

    Raises:
        EditError: The values cannot be changed, or it is no percentage.
    """
    share = _number(percent, "percentage")
    if not 0 <= share <= 100:
        raise EditError("The percentage has to be from 0 to 100.")
    weights = weights_at(model, address, real=real, where=where)
    gone = _smallest(weights, math.floor(weights.count * share / 100 + 1e-9))
    label = f"Prune {percent:g} % of {{}}"
    return _done(weights, lambda x, p: np.where(gone[p.start : p.stop], 0, x), label)


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
    return _done(weights, zeroed, f"Set {named} of {{}} to zero")


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


def add_noise(
    model: Model,
    address: Place,
    seed: int,
    std: float,
    *,
    distribution: Distribution = "normal",
    real: bool = True,
    where: Where = None,
) -> ValueProposal:
    """Adds random numbers with a mean of 0, the same ones for the same seed.

    Args:
        model: The model.
        address: The tensor.
        seed: Of `numpy.random.default_rng`.
        std: Standard deviation of the noise.
        distribution: "normal" or "uniform".
        real: As in this module.
        where: As in this module.

    Raises:
        EditError: The values cannot be changed, or an argument is not possible.
    """
    width = _number(std, "standard deviation")
    draws = _Draws(seed, distribution, 0.0, width)
    weights = weights_at(model, address, real=real, where=where)
    label = f"Add noise of {std:g} to {{}}"
    return _done(weights, lambda x, p: x + draws.next(p.stop - p.start), label)


def randomise(
    model: Model,
    address: Place,
    seed: int,
    mean: float = 0.0,
    std: float = 0.05,
    *,
    distribution: Distribution = "normal",
    real: bool = True,
    where: Where = None,
) -> ValueProposal:
    """Gives values random numbers, the same ones for the same seed.

    Args:
        model: The model.
        address: The tensor.
        seed: Of `numpy.random.default_rng`.
        mean: Mean of the numbers.
        std: Their standard deviation; uniform ones reach the square root of 3 times as far.
        distribution: "normal" or "uniform".
        real: As in this module.
        where: As in this module.

    Raises:
        EditError: The values cannot be changed, or an argument is not possible.
    """
    draws = _Draws(seed, distribution, _number(mean, "mean"), _number(std, "deviation"))
    weights = weights_at(model, address, real=real, where=where)
    return _done(weights, lambda _, p: draws.next(p.stop - p.start), "Randomise {}")


class _Draws:
    """Random numbers, piece by piece the same as all at once."""

    def __init__(self, seed: int, distribution: Distribution, mean: float, std: float) -> None:
        if seed < 0:
            raise EditError("The seed has to be a whole number from 0 on.")
        if std < 0:
            raise EditError("The standard deviation cannot be below 0.")
        if distribution not in DISTRIBUTIONS:
            raise EditError(f"'{distribution}' is no distribution; write normal or uniform.")
        self._random = np.random.default_rng(int(seed))
        self._is_normal = distribution == "normal"
        self._mean, self._std = mean, std

    def next(self, count: int) -> Array:
        if self._is_normal:
            return self._random.normal(self._mean, self._std, count)
        reach = self._std * math.sqrt(3)
        return self._random.uniform(self._mean - reach, self._mean + reach, count)


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
    return _done(
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
    found = np.asarray(array)
    if found.dtype.kind not in "biuf" and found.dtype != object:
        raise EditError(f"The array holds {found.dtype}, not plain numbers.")
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

    return _done(weights, replaced, "Replace {}")


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
    centres = centres_of(weights.numbers().astype(np.float64), int(k))
    if not centres.size:
        return ValueProposal((), ("There are no finite values to cluster.",))
    borders = (centres[1:] + centres[:-1]) / 2

    def clustered(x: Array, _: Piece) -> Array:
        plain = x.astype(np.float64)
        nearest = centres[np.searchsorted(borders, plain, side="right")]
        return np.where(np.isfinite(plain), nearest, plain)

    return _done(
        weights, clustered, f"Cluster {{}} to {plural(int(k), 'value')}", by_value=True
    )


def _done(
    weights: Weights, change: Change, label: str, *, by_value: bool = False
) -> ValueProposal:
    name = weights.name[:1].lower() + weights.name[1:]
    if weights.where is not None:
        name = f"{plural(weights.count, 'value')} of {name}"
    return changed(weights, change, label.replace("{}", name), by_value=by_value)


def _number(value: float, what: str) -> float:
    """A whole number as one, so that wide integers are computed exactly."""
    if not math.isfinite(value):
        raise EditError(f"The {what} has to be a finite number, not {value!r}.")
    return int(value) if float(value).is_integer() or isinstance(value, int) else float(value)


def _fitting(weights: Weights, value: float) -> float:
    if weights.kind.kind == "float":
        return value
    if not math.isfinite(value):
        raise EditError(f"{weights.kind.name} cannot hold {value!r}; give a finite number.")
    return _number(value, "value")


def _is_wide(numbers: Array) -> bool:
    return numbers.dtype == object
