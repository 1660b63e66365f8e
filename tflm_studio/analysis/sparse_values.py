# SPDX-License-Identifier: Apache-2.0
"""Sparse tensors made dense.

A sparse tensor stores its values along levels: dimensions in `traversal_order`, then blocks.
A dense level has all its indices; a SPARSE_CSR level lists those that are there, in segments,
one for each entry of the level above (schema.fbs, SparsityParameters).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import count_text
from tflm_studio.model.tensor_types import Array
from tflm_studio.schema.enums import DimensionType
from tflm_studio.schema.tables import DimensionMetadata, SparsityParameters

MOST_ELEMENTS = 2**31
Indices = NDArray[np.int64]


def densified(
    stored: Array, shape: tuple[int, ...], sparsity: SparsityParameters, place: str
) -> Array:
    """All values of a sparse tensor, zeros where nothing is stored.

    Args:
        stored: The values that are stored, one-dimensional.
        shape: Of the tensor.
        sparsity: How they are laid out.
        place: What messages call the tensor.

    Raises:
        EditError: The layout makes no sense.
    """
    if math.prod(shape) > MOST_ELEMENTS:
        raise EditError(
            f"{place}: made dense it has {count_text(math.prod(shape))} values, too many."
        )
    try:
        coordinates = _coordinates(len(stored), shape, sparsity)
    except (ValueError, IndexError) as error:
        raise EditError(f"{place}: its sparsity makes no sense: {error}.") from None
    dense: Array = np.zeros(shape, stored.dtype)
    if coordinates:
        dense[tuple(coordinates)] = stored
    return dense


def _coordinates(count: int, shape: tuple[int, ...], sparsity: SparsityParameters) -> Any:
    """For each dimension of the tensor the index of each stored value."""
    order = list(sparsity.traversal_order or [])
    blocks = list(sparsity.block_map or [])
    levels = sparsity.dim_metadata or []
    rank = len(shape)
    if sorted(order) != list(range(len(levels))) or len(levels) != rank + len(blocks):
        raise ValueError("the traversal order does not name each level once")
    if not all(0 <= dimension < rank for dimension in blocks):
        raise ValueError("a block is of a dimension that is not there")
    entries = np.zeros(1, np.int64)
    found: list[Indices] = []
    for level in levels:
        entries, parents, indices = _step(entries, level, count)
        found = [each[parents] for each in found]
        found.append(indices)
    if len(entries) != count:
        raise ValueError(f"it tells the places of {len(entries):,} of {count:,} values")
    by_level = {order[k]: found[k] for k in range(len(order))}
    coordinates = [by_level[dimension] for dimension in range(rank)]
    for number, dimension in enumerate(blocks):
        size = levels[order.index(rank + number)].dense_size
        coordinates[dimension] = coordinates[dimension] * size + by_level[rank + number]
    for dimension, size in enumerate(shape):
        each = coordinates[dimension]
        if len(each) and not 0 <= int(each.min()) <= int(each.max()) < size:
            raise ValueError(f"an index of dimension {dimension} is not below {size:,}")
    return coordinates


def _step(
    entries: Indices, level: DimensionMetadata, most: int
) -> tuple[Indices, Indices, Indices]:
    """One level further: the entries of it, the entry above each, and the index of each."""
    if level.format == DimensionType.DENSE:
        size = level.dense_size
        if size < 0 or size * len(entries) > most:
            raise ValueError(f"a dense level of {size:,} has no room in {most:,} values")
        parents = np.repeat(np.arange(len(entries)), size)
        indices = np.tile(np.arange(size), len(entries))
        return entries[parents] * size + indices, parents, indices
    segments, listed = _numbers(level.array_segments), _numbers(level.array_indices)
    first, last = segments[entries], segments[entries + 1]
    sizes = last - first
    if len(sizes) and (sizes.min() < 0 or first.min() < 0 or last.max() > len(listed)):
        raise ValueError("a segment lies outside the indices")
    if int(sizes.sum()) > most:
        raise ValueError(f"there are more entries than {most:,} values")
    parents = np.repeat(np.arange(len(entries)), sizes)
    starts = np.repeat(first - np.cumsum(sizes) + sizes, sizes)
    reached = np.arange(len(parents)) + starts
    return reached, parents, listed[reached]


def _numbers(vector: Any) -> Indices:
    held = getattr(vector, "values", None)
    if held is None:
        raise ValueError("a sparse level has no segments or no indices")
    if isinstance(held, list):
        return np.array(held, np.int64)
    return np.frombuffer(held, np.uint8).astype(np.int64)
