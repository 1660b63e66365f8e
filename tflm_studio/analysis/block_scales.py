# SPDX-License-Identifier: Apache-2.0
"""Reals of tensors whose scales stand in other tensors, one for each block of elements."""

from __future__ import annotations

import math
from typing import Any, Protocol

import numpy as np

from tflm_studio.model.address import Address, format_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.quantization import BlockQuantization
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
    quantization = block_quantization(model, place, stored.shape, details, values)
    return quantization.to_real(stored.reshape(-1)).reshape(stored.shape)


def block_quantization(
    model: Model, place: Address, shape: tuple[int, ...], details: Any, values: ValuesOf
) -> BlockQuantization:
    """The scales and zero points of the blocks of a tensor.

    Raises:
        EditError: The details are of another kind, or do not fit the tensor.
    """
    name = format_address(place)
    if not isinstance(details, BlockwiseQuantization):
        raise EditError(f"{name}: {type(details).__name__} gives no reals here.")
    sizes = list(details.block_shape or [])
    if not sizes:
        sizes = [1] * (len(shape) - 1) + [details.block_size] * bool(shape)
    if len(sizes) != len(shape) or min(sizes, default=1) < 1:
        raise EditError(f"{name}: its blocks do not fit its shape.")
    wanted = math.prod(-(-size // block) for size, block in zip(shape, sizes, strict=True))

    def of_blocks(tensor_index: int) -> Array:
        if tensor_index == place[3]:
            raise EditError(f"{name}: it is said to hold its own scales.")
        each = values(model, (*place[:3], tensor_index), real=False)
        if each.size != wanted:
            raise EditError(
                f"{name}: tensor {tensor_index} has {each.size:,} numbers for blocks of "
                f"{'×'.join(map(str, sizes))}."
            )
        if each.dtype.kind not in "iuf":
            raise EditError(f"{name}: tensor {tensor_index} holds no numbers.")
        return each.reshape(-1)

    scale = of_blocks(details.scales).astype(np.float64)
    zeros = np.zeros(len(scale), np.int64)
    if details.zero_points != NO_TENSOR:
        with np.errstate(invalid="ignore"):  # a zero point that is no number
            zeros = of_blocks(details.zero_points).astype(np.int64)
    return BlockQuantization(scale, zeros, 1, shape, tuple(sizes))
