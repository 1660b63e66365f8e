# SPDX-License-Identifier: Apache-2.0
"""Parts of a buffer along its axes, and which axis tells its channels apart."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.model.quantization import Reals
from tflm_studio.model.tensor_types import Array, decode

Key = tuple[slice | int, ...]
Reader = Callable[[int, int], Array]  # start, count

CHANNEL_NAMES = ("out", "channel", "filter")


def channel_axis(contents: BufferContents) -> int | None:
    """The axis whose indices are channels, None if the values have no more than one each.

    That of the scales, if there is one for each channel; else the one that is named so.
    """
    shape = contents.shape
    axis = contents.channel_axis
    if axis is None:
        named = [a for a, name in enumerate(contents.axis_names) if name in CHANNEL_NAMES]
        axis = named[-1] if named and len(shape) == len(contents.axis_names) else None
    if axis is None or shape[axis] < 2 or contents.count <= shape[axis]:
        return None
    return axis


def value_block(contents: BufferContents, key: Key, *, real: bool = False) -> Array:
    """The values at an index or a slice of each axis, as numpy would give them.

    Args:
        contents: The buffer.
        key: One index or slice for each axis; indices take their axis away.
        real: The reals that quantised values stand for, float64, not what is stored.

    Returns:
        An array of its own or a view. O(its elements).
    """
    q = contents.quantization
    if real and q is not None and q.inner and contents.channel_axis is None:
        return contents.reals_at(_flat_block(contents, key))  # a scale for each block
    stored = _stored_block(contents, key)
    return _to_real(contents, key, stored) if real else stored


def _flat_block(contents: BufferContents, key: Key) -> NDArray[np.int64]:
    shape, flat = contents.shape, np.zeros((), np.int64)
    for axis, part in enumerate(key):
        places = np.arange(shape[axis], dtype=np.int64)[part] * math.prod(shape[axis + 1 :])
        flat = flat[..., None] + places if isinstance(part, slice) else flat + places
    return flat


def _stored_block(contents: BufferContents, key: Key) -> Array:
    kind, shape = contents.kind, contents.shape
    if kind.is_packed:
        return contents.values_at(_flat_block(contents, key))
    raw = np.frombuffer(contents.data or b"", kind.storage, contents.count)
    found: Array = raw.reshape(shape)[key]
    if kind.is_small_float or kind.kind == "bool":
        return decode(found.tobytes(), kind).reshape(found.shape)
    return found


def _to_real(contents: BufferContents, key: Key, stored: Array) -> Reals:
    wide = stored.astype(np.float64)
    q = contents.quantization
    if q is None:
        return wide
    axis = contents.channel_axis
    if not q.inner or axis is None:
        scale, zero = q.scale[0], q.zero_point[0]
    else:
        # Axes behind that of the scales are told apart from it by ones.
        part = key[axis]
        behind = sum(isinstance(each, slice) for each in key[axis + 1 :])
        scale, zero = (
            np.reshape(each[part], (*np.shape(each[part]), *(1,) * behind))
            for each in (q.scale, q.zero_point)
        )
    with np.errstate(all="ignore"):  # a scale may be infinite, or no number
        reals: Reals = (wide - zero) * scale
    return reals


def channel_reader(
    contents: BufferContents, axis: int, channel: int, *, real: bool = False
) -> tuple[Reader, int]:
    """What reads consecutive values of one channel, and how many it has. O(1).

    Args:
        contents: The buffer.
        axis: The axis of the channels.
        channel: An index along it.
        real: Read the reals that quantised values stand for, not what is stored.
    """
    size, inner = contents.shape[axis], math.prod(contents.shape[axis + 1 :])
    total = contents.count // size
    run = contents.reals if real else contents.values
    pick = contents.reals_at if real else contents.values_at

    def read(start: int, count: int) -> Array:
        count = max(0, min(count, total - start))
        if total == inner:
            return run(channel * inner + start, count)
        block, within = np.divmod(np.arange(start, start + count), inner)
        return pick((block * size + channel) * inner + within)

    return read, total


def spread(count: int, most: int, wanted: int | None = None) -> list[int]:
    """At most so many of `count` indices, evenly over all of them, with the wanted one.

    Args:
        count: How many there are.
        most: How many to choose, at least 1.
        wanted: One that must be among them, None for no such wish.
    """
    if count <= most:
        return list(range(count))
    chosen = [int(place) for place in np.linspace(0, count - 1, most)]
    if wanted is not None and 0 <= wanted < count and wanted not in chosen:
        nearest = min(range(most), key=lambda number: abs(chosen[number] - wanted))
        chosen[nearest] = wanted
    return chosen
