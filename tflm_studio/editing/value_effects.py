# SPDX-License-Identifier: Apache-2.0
"""How far values change, in figures and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.array_comparison import decibels
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.weight_target import Flags
from tflm_studio.model.place_names import plural
from tflm_studio.model.tensor_types import Array, ElementType


@dataclass(frozen=True, slots=True)
class Effect:
    """How far values change.

    Attributes:
        count: How many values were looked at.
        changed: How many differ afterwards.
        saturated: How many lie beyond what the type can hold, and got its end.
        not_finite: How many are NaN or infinite afterwards.
        largest: The largest difference of a value before and after.
        noise: Sum of the squares of the differences.
        signal: Sum of the squares of the values before.
        distance: Sum of the magnitudes of the differences.
    """

    count: int = 0
    changed: int = 0
    saturated: int = 0
    not_finite: int = 0
    largest: float = 0.0
    noise: float = 0.0
    signal: float = 0.0
    distance: float = 0.0

    def __add__(self, other: Effect) -> Effect:
        return Effect(
            self.count + other.count,
            self.changed + other.changed,
            self.saturated + other.saturated,
            self.not_finite + other.not_finite,
            max(self.largest, other.largest),
            self.noise + other.noise,
            self.signal + other.signal,
            self.distance + other.distance,
        )

    @property
    def mean(self) -> float:
        """Mean magnitude of the differences."""
        return self.distance / self.count if self.count else 0.0

    @property
    def rms(self) -> float:
        """Root of the mean square of the differences."""
        return math.sqrt(self.noise / self.count) if self.count else 0.0

    @property
    def sqnr(self) -> float:
        """Signal to noise in decibels; infinite if nothing changes."""
        if self.noise and not self.signal:
            return -math.inf
        return decibels(self.signal, self.noise)

    def sentences(self, kind: ElementType) -> list[str]:
        """What people want to know of it."""
        if not self.changed:
            return [f"None of {plural(self.count, 'value')} changes."]
        verb = "changes" if self.changed == 1 else "change"
        told = [
            f"{self.changed:,} of {plural(self.count, 'value')} {verb}, by {self.largest:.4g} "
            f"at most (RMS {self.rms:.4g})."
        ]
        if self.saturated:
            told.append(f"{plural(self.saturated, 'value')} saturated: {kind_ends(kind)}.")
        if self.not_finite:
            told.append(f"{plural(self.not_finite, 'value')} not finite.")
        return told


@dataclass(frozen=True, slots=True)
class ValueProposal(Proposal):
    """A proposal that changes values.

    Attributes:
        effect: How far they change.
    """

    effect: Effect = Effect()


def kind_ends(kind: ElementType) -> str:
    """What a type can hold, in words."""
    if kind.kind == "float":
        return f"{kind.name} cannot hold them"
    return f"{kind.name} holds {kind.low:,} to {kind.high:,}"


def effect_of(
    old: Array, new: Array, beyond: Flags, counts: NDArray[np.int64] | None = None
) -> Effect:
    """How far values differ; what is not finite on either side counts as no difference.

    Args:
        old: Numbers before.
        new: Numbers afterwards.
        beyond: Which of them the type could not hold.
        counts: How often each occurs; once if None.
    """
    before, after = old.astype(np.float64), new.astype(np.float64)
    times = np.ones(len(before), np.int64) if counts is None else counts
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(np.isfinite(before) & np.isfinite(after), np.abs(after - before), 0)
        squares = np.square(np.where(np.isfinite(before), before, 0))
        noise = float((np.square(apart) * times).sum())
        signal = float((squares * times).sum())
        distance = float((apart * times).sum())
    return Effect(
        count=int(times.sum()),
        changed=int(times[~same].sum()),
        saturated=int(times[beyond].sum()),
        not_finite=int(times[~np.isfinite(after)].sum()),
        largest=float(apart.max(initial=0.0)),
        noise=noise,
        signal=signal,
        distance=distance,
    )
