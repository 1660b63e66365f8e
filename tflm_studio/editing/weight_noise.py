# SPDX-License-Identifier: Apache-2.0
"""Random numbers for weights, the same ones for the same seed.

Arguments are those of `weight_values`.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from tflm_studio.editing.value_effects import ValueProposal
from tflm_studio.editing.weight_target import Where, weights_at
from tflm_studio.editing.weight_values import Place, applied, finite_number
from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import Array
from tflm_studio.schema.tables import Model

Distribution = Literal["normal", "uniform"]
LARGEST = 1e307  # the width of a range has to fit float64
DISTRIBUTIONS: tuple[Distribution, ...] = ("normal", "uniform")


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
        real: As in `weight_values`.
        where: As in `weight_values`.

    Raises:
        EditError: The values cannot be changed, or an argument is not possible.
    """
    width = finite_number(std, "standard deviation")
    draws = _Draws(seed, distribution, 0.0, width)
    weights = weights_at(model, address, real=real, where=where)
    label = f"Add noise of {std:g} to {{}}"
    return applied(weights, lambda x, p: x + draws.next(p.stop - p.start), label)


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
        real: As in `weight_values`.
        where: As in `weight_values`.

    Raises:
        EditError: The values cannot be changed, or an argument is not possible.
    """
    draws = _Draws(
        seed, distribution, finite_number(mean, "mean"), finite_number(std, "deviation")
    )
    weights = weights_at(model, address, real=real, where=where)
    return applied(weights, lambda _, p: draws.next(p.stop - p.start), "Randomise {}")


class _Draws:
    """Random numbers, piece by piece the same as all at once."""

    def __init__(self, seed: int, distribution: Distribution, mean: float, std: float) -> None:
        if seed < 0:
            raise EditError("The seed has to be a whole number from 0 on.")
        if std < 0:
            raise EditError("The standard deviation cannot be below 0.")
        if abs(mean) + 2 * std > LARGEST:
            raise EditError(f"The numbers have to stay below {LARGEST:g}.")
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
