# SPDX-License-Identifier: Apache-2.0
"""What the files of a bundle are written from."""

from __future__ import annotations

from dataclasses import dataclass

from tflm_studio.firmware.labels import LabelList
from tflm_studio.firmware.resolver import Registration
from tflm_studio.model.excerpts import excerpt
from tflm_studio.runtime.golden_inputs import End
from tflm_studio.runtime.golden_vectors import GoldenVectors

NAME_CHARACTERS = 64
MADE = "Made by TFLM Studio"


@dataclass(frozen=True, slots=True)
class ArenaFacts:
    """How large the arena is made, and why.

    Attributes:
        size: Bytes.
        head: Of the tensors and scratch buffers, planned over each other.
        is_exact: Whether the scratch buffers of all operators are known.
        firmware_tail: What stays on a 32-bit microcontroller, an estimate.
        measured: Bytes that TFLM used on this 64-bit machine; 0 if it was not asked.
        ran_in: Bytes of the arena in which the vectors ran; 0 if they did not.
    """

    size: int
    head: int
    is_exact: bool
    firmware_tail: int
    measured: int = 0
    ran_in: int = 0

    @property
    def lines(self) -> list[str]:
        """Where the size comes from, in sentences."""
        sure = (
            "planned as TFLM does" if self.is_exact else "at least: not all scratch is known"
        )
        lines = [
            f"Tensors take {self.head:,} bytes ({sure}), what the interpreter keeps about",
            f"{self.firmware_tail:,} bytes on a 32-bit target (an estimate). There is room",
            "for loading and for a 64-bit host; rounded up.",
        ]
        if self.measured:
            lines.append(f"Measured on a 64-bit host: {self.measured:,} bytes in use.")
        if self.ran_in and self.ran_in <= self.size:
            lines.append("The golden vectors ran in an arena of this size there.")
        return lines


@dataclass(frozen=True, slots=True, eq=False)
class BundleFacts:
    """What is known of the model and chosen about its bundle.

    Attributes:
        title: Name of the model's file.
        name: What targets of the build are called.
        symbol: The array with the model.
        namespace: What all names stand in; none if empty.
        size: Bytes of the model.
        sha256: Their digest, in hex.
        inputs: Of the main subgraph.
        outputs: Likewise.
        arena: How large it is made.
        operators: What is registered.
        labels: Names of classes.
        resources: How many resource variables the interpreter keeps.
        vectors: What the test compares with; None if there are none.
        reason: Why there are none.
    """

    title: str
    name: str
    symbol: str
    namespace: str
    size: int
    sha256: str
    inputs: tuple[End, ...]
    outputs: tuple[End, ...]
    arena: ArenaFacts
    operators: tuple[Registration, ...]
    labels: tuple[LabelList, ...]
    resources: int
    vectors: GoldenVectors | None
    reason: str

    @property
    def prefix(self) -> str:
        """What stands before the names outside the namespace."""
        return f"{self.namespace}::" if self.namespace else ""

    @property
    def missing(self) -> list[str]:
        """Operators that TFLM lacks."""
        return [
            excerpt(each.name, NAME_CHARACTERS) for each in self.operators if each.is_missing
        ]

    @property
    def own(self) -> list[str]:
        """Custom operators whose kernels have to be written."""
        return [excerpt(each.name, NAME_CHARACTERS) for each in self.operators if each.is_own]
