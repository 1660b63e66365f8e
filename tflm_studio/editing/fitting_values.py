# SPDX-License-Identifier: Apache-2.0
"""Whether numbers from outside fit the elements of a buffer, and how they are stored."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.editing.weight_target import half_away
from tflm_studio.model.errors import EditError
from tflm_studio.model.tensor_types import Array, ElementType

Indices = NDArray[np.int64]


def cell_name(contents: BufferContents, flat: int) -> str:
    """An element as people find it, such as "[0, 2, 1]"."""
    where = np.unravel_index(flat, contents.shape) if contents.shape else ()
    return f"[{', '.join(str(int(index)) for index in where)}]"


def check_editable(contents: BufferContents) -> None:
    """Looks whether single values can be changed.

    Raises:
        EditError: They cannot; says why.
    """
    if contents.read_only:
        raise EditError(contents.read_only)
    if not contents.is_editable:
        raise EditError(f"Elements of type {contents.kind.name} cannot be changed one by one.")


def all_fit(kind: ElementType, numbers: Array) -> bool:
    """Whether a type can hold float64 numbers; reals are rounded, but do not become others."""
    if kind.kind == "float":
        finite = np.isfinite(numbers)
        with np.errstate(over="ignore", invalid="ignore"):
            stored = numbers.astype(kind.storage).astype(np.float64)
        # A type without infinities makes NaN of them.
        is_kept = (finite <= np.isfinite(stored)) & (np.isnan(numbers) == np.isnan(stored))
        return bool(is_kept.all())
    is_whole = np.isfinite(numbers) & (numbers == np.floor(numbers))
    # Not "<= high": as float64 the highest of 64 bits is one more.
    inside = (numbers >= kind.low) & (numbers < kind.high + 1)
    return bool((is_whole & inside).all())


def whole_dtype(kind: ElementType) -> type[np.integer[Any]]:
    """What holds all whole numbers of a type exactly."""
    return np.uint64 if kind.high > np.iinfo(np.int64).max else np.int64


def quantised(contents: BufferContents, indices: Indices, reals: Array) -> Array:
    """What stands for reals at flat indices, whether or not the type can hold it."""
    q = contents.quantization
    assert q is not None
    channel = q.channel(indices)
    with np.errstate(all="ignore"):
        stored: Array = half_away(reals / q.scale[channel]) + q.zero_point[channel]
    return stored


def storable(contents: BufferContents, flat: Array, *, real: bool) -> Array:
    """What is to be stored for the numbers of an array.

    Args:
        contents: Where they go.
        flat: One number for each element.
        real: Whether they are the reals that quantised values stand for.

    Raises:
        EditError: They are of another type, or one does not fit, which is named.
    """
    kind = contents.kind
    wanted = (
        "fiub" if real or kind.kind == "float" else {"complex": "cfiub"}.get(kind.kind, "iufb")
    )
    if flat.dtype.kind not in wanted:
        raise EditError(f"The file holds {flat.dtype}, here is {kind.name}.")
    if kind.kind in ("bool", "complex") and not real:
        return flat.astype(bool) if kind.kind == "bool" else flat
    if flat.dtype.kind in "iub" and not real and kind.kind == "integer":
        bad = np.flatnonzero((flat < kind.low) | (flat > kind.high))
    else:
        numbers = flat.astype(np.float64)
        if real:
            every = np.arange(len(flat), dtype=np.int64)
            numbers = quantised(contents, every, numbers)
        bad = np.array([], np.int64) if all_fit(kind, numbers) else _unfit(kind, numbers)
        if kind.kind == "integer" and not len(bad):
            return numbers.astype(whole_dtype(kind))
    if len(bad):
        index = int(bad[0])
        raise EditError(
            f"{cell_name(contents, index)}: {flat[index]} does not fit "
            f"{kind.name}{_holds(kind)}."
        )
    return flat


def _holds(kind: ElementType) -> str:
    if kind.kind != "integer":
        return ""
    return f", which holds whole numbers from {kind.low} to {kind.high}"


def _unfit(kind: ElementType, numbers: Array) -> Indices:
    """The first element that does not fit."""
    low, high = 0, len(numbers)
    while high - low > 1:
        middle = (low + high) // 2
        if all_fit(kind, numbers[low:middle]):
            low = middle
        else:
            high = middle
    return np.array([low])
