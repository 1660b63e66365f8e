# SPDX-License-Identifier: Apache-2.0
"""Reals of tensors whose scales stand in other tensors, one for each block of elements."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from tflm_studio.model.address import Address, format_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import Array
from tflm_studio.schema.tables import BlockwiseQuantization, Model

NO_TENSOR = -1


class ValuesOf(Protocol):
    """`tensor_values.values`, which this module cannot import."""

    def __call__(self, model: Model, address: Address, *, real: bool) -> Array: ...


def block_reals(
    model: Model, place: Address, stored: Array, details: Any, values: ValuesOf
) -> Array:
    """What the stored values of a blockwise quantised tensor stand for, float64.

    A real is `(stored - zero_point) * scale` with the scale and the zero point of its block
    (schema.fbs, BlockwiseQuantization).

    Args:
        model: The model.
        place: The tensor.
        stored: Its values, in its shape.
        details: Of its quantisation.
        values: Gives the values of the tensors with scales and zero points.

    Raises:
        EditError: The details are of another kind, or do not fit the tensor.
    """
    name = format_address(place)
    if not isinstance(details, BlockwiseQuantization):
        raise EditError(f"{name}: {type(details).__name__} gives no reals here.")
    sizes = list(details.block_shape or [])
    if not sizes:
        sizes = [1] * (stored.ndim - 1) + [details.block_size] * (stored.ndim > 0)
    if len(sizes) != stored.ndim or min(sizes, default=1) < 1:
        raise EditError(f"{name}: its blocks do not fit its shape.")

    def spread(tensor_index: int) -> Array:
        if tensor_index == place[3]:
            raise EditError(f"{name}: it is said to hold its own scales.")
        each = values(model, (*place[:3], tensor_index), real=False).astype(np.float64)
        wanted = tuple(
            -(-size // block) for size, block in zip(stored.shape, sizes, strict=True)
        )
        if each.size != np.prod(wanted, dtype=np.int64):
            raise EditError(
                f"{name}: tensor {tensor_index} has {each.size:,} numbers for blocks of "
                f"{'×'.join(map(str, sizes))}."
            )
        each = each.reshape(wanted)
        for axis, block in enumerate(sizes):
            each = np.repeat(each, block, axis)
        return each[tuple(slice(size) for size in stored.shape)]

    reals = stored.astype(np.float64)
    if details.zero_points != NO_TENSOR:
        reals = reals - spread(details.zero_points)
    return reals * spread(details.scales)
