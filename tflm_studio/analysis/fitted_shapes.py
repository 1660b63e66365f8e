# SPDX-License-Identifier: Apache-2.0
"""Shapes that bytes are read in: that of the tensor if it fits them, else a list."""

from __future__ import annotations

import math

from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.place_names import count_text
from tflm_studio.model.tensor_types import ElementType

MOST_DIMENSIONS = 32  # what costs time for each of them does so for every element


def fitted_shape(
    declared: tuple[int, ...] | None, kind: ElementType, nbytes: int
) -> tuple[tuple[int, ...], str]:
    """The shape to read so many bytes in, and what does not fit, for people.

    Args:
        declared: What the tensor states; None if no tensor does.
        kind: What an element is.
        nbytes: How many bytes there are.
    """
    count = kind.count(nbytes) if kind.bits else nbytes
    if declared is None:
        return (count,), ""
    if not kind.bits:
        return (count,), f"Elements of type {kind.name} have no fixed size: shown as bytes."
    if len(declared) > MOST_DIMENSIONS:
        return (count,), f"A shape of {len(declared):,} dimensions: shown without the shape."
    needed = math.prod(declared)
    if min(declared, default=0) >= 0 and kind.nbytes(needed) == nbytes:
        return declared, ""
    if min(declared, default=0) < 0:
        note = f"The shape {times_text(declared)} is no size: shown without the shape."
        return (count,), note
    return (count,), (
        f"The shape {times_text(declared)} takes {count_text(kind.nbytes(needed))} bytes as "
        f"{kind.name}, the buffer has {nbytes:,}: shown without the shape."
    )


def check_room(shape: tuple[int, ...], kind: ElementType, room: int) -> str:
    """Says what a shape leaves over of so many bytes; empty for nothing.

    Raises:
        EditError: They are too few for the shape.
    """
    if not kind.bits:
        raise EditError(f"Elements of type {kind.name} have no fixed size and take no shape.")
    if len(shape) > MOST_DIMENSIONS or min(shape, default=1) < 1:
        raise EditError(f"The shape {times_text(shape)} is no size.")
    needed = kind.nbytes(math.prod(shape))
    if needed > room:
        raise EditError(
            f"The shape {times_text(shape)} takes {count_text(needed)} bytes as {kind.name}; "
            f"from there on the buffer has {room:,}."
        )
    return "" if needed == room else f"Of {room:,} bytes {needed:,} are shown."


def times_text(shape: tuple[int, ...]) -> str:
    """A shape in the notation of people, such as 3×4."""
    return excerpt("×".join(map(str, shape)), SHOWN_NAME_CHARACTERS) or "scalar"
