# SPDX-License-Identifier: Apache-2.0
"""Lines through the values of a buffer or of its channels, and what is seen of them.

Drawing every point of a large buffer takes seconds, so a line is the lowest and the highest
value of each pixel column: exact extremes, no more points than pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.envelopes import Envelope, Overview, Reader, envelope, overview, wide
from tflm_studio.analysis.value_blocks import channel_axis, channel_reader
from tflm_studio.analysis.value_curves import Curve, energy_curve, sorted_curve, sum_curve

READ_EACH_TIME = 1 << 18  # elements; more are read once, in a thread


class Trace(NamedTuple):
    """A line to draw: values in order, or a curve made of them.

    Attributes:
        channel: Whose values, None for all.
        length: How many positions it has.
        read: Its values, if every position has one.
        curve: Its points, if they are fewer.
        overview: The extremes of its values, if they are many.
    """

    channel: int | None
    length: int
    read: Reader | None
    curve: Curve | None
    overview: Overview | None

    def seen(self, low: float, high: float, most: int) -> Envelope:
        """What there is to see from one position to another, in so many points."""
        if self.curve is not None:
            return _part_seen(self.curve, low, high, most)
        assert self.read is not None
        start = min(max(math.floor(low), 0), self.length)
        stop = max(min(math.ceil(high) + 1, self.length), start)
        if self.overview is not None and stop - start > READ_EACH_TIME:
            return self.overview.envelope(start, stop, most)
        return envelope(self.read, start, stop, most=most)

    def height_at(self, position: int) -> float | None:
        """How high the line is at a position, None where it is not."""
        if self.curve is not None:
            if not len(self.curve.x):
                return None
            return float(np.interp(position, self.curve.x, self.curve.y))
        if self.read is None or not 0 <= position < self.length:
            return None
        return float(wide(self.read(position, 1))[0])


def value_traces(
    contents: BufferContents,
    channels: Sequence[int | None],
    order: str,
    *,
    real: bool,
    center: float,
    cancelled: Callable[[], bool],
) -> list[Trace]:
    """The lines of some channels; all values are read but for a line through all of them.

    Args:
        contents: The buffer.
        channels: Which channels; None for all values.
        order: "stored" for values as they are, "sorted", "sum" or "energy".
        real: Show the reals that quantised values stand for, not what is stored.
        center: The value that has no energy.
        cancelled: Asked now and then.

    Raises:
        MeasuringCancelledError: `cancelled` said so.
    """
    found = []
    for channel in channels:
        read, count = _reader(contents, channel, real)
        curve = None
        if order == "sorted":
            curve = sorted_curve(read, count, cancelled)
        elif order == "sum":
            curve = sum_curve(read, count, cancelled)
        elif order == "energy":
            curve = energy_curve(read, count, center, cancelled)
        is_long = curve is None and count > READ_EACH_TIME
        extremes = overview(read, count, cancelled) if is_long else None
        found.append(Trace(channel, count, read if curve is None else None, curve, extremes))
    return found


def _reader(contents: BufferContents, channel: int | None, real: bool) -> tuple[Reader, int]:
    if channel is None:
        return (contents.reals if real else contents.values), contents.count
    axis = channel_axis(contents)
    assert axis is not None
    return channel_reader(contents, axis, channel, real=real)


def _part_seen(curve: Curve, low: float, high: float, most: int) -> Envelope:
    """The points of a curve in view, and one more on each side."""
    first = max(int(np.searchsorted(curve.x, low)) - 1, 0)
    last = min(int(np.searchsorted(curve.x, high)) + 1, len(curve.x))
    x, y = curve.x[first:last], curve.y[first:last]
    line = envelope(lambda start, count: y[start : start + count], 0, len(y), most=most)
    if len(line.x) == len(x):
        return Envelope(x, y)
    return Envelope(np.interp(line.x, np.arange(len(x)), x), line.y)
