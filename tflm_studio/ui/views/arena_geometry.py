# SPDX-License-Identifier: Apache-2.0
"""Where the buffers of a memory plan are in the picture of it, and what is at a place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF

from tflm_studio.analysis.memory_plan import MemoryPlan

TOP, BOTTOM, RIGHT = 22, 20, 10
NOTHING = -1

Floats = NDArray[np.floating[Any]]


class Edges(NamedTuple):
    """The edges of all bars, in pixels."""

    left: Floats
    right: Floats
    top: Floats
    bottom: Floats


@dataclass(frozen=True, slots=True)
class ArenaGeometry:
    """Scopes across, bytes up.

    Attributes:
        plan: What is shown.
        left: Pixels before the first scope, for the numbers of the axis.
        width: Pixels of the whole viewport.
        height: Likewise.
        zoom: How many times wider than the viewport the picture is.
        scroll: Pixels that it is moved to the left.
    """

    plan: MemoryPlan
    left: float
    width: float
    height: float
    zoom: float = 1.0
    scroll: float = 0.0

    @property
    def room(self) -> float:
        """Pixels for bars, across."""
        return max(self.width - self.left - RIGHT, 1)

    @property
    def rise(self) -> float:
        """Pixels for bars, up."""
        return max(self.height - TOP - BOTTOM, 1)

    @property
    def floor(self) -> float:
        """Where offset 0 is."""
        return self.height - BOTTOM

    @property
    def scope_count(self) -> int:
        """How many scopes there are; one at least."""
        return max(len(self.plan.buffers.scopes), 1)

    @property
    def scope_pixels(self) -> float:
        """How wide a scope is."""
        return self.room * self.zoom / self.scope_count

    @property
    def area(self) -> QRectF:
        """Where bars may be."""
        return QRectF(self.left, 0, self.room + 1, self.height)

    def x(self, scope: float) -> float:
        """Where a scope begins."""
        return self.left + scope * self.scope_pixels - self.scroll

    def y(self, offset: float) -> float:
        """Where an offset is."""
        return self.floor - offset * self.rise / max(self.plan.head, 1)

    def scope_at(self, x: float) -> float:
        """Which scope is at a place."""
        return (x - self.x(0)) / self.scope_pixels

    def bytes_of(self, pixels: float) -> float:
        """How many bytes so many pixels up are."""
        return pixels * max(self.plan.head, 1) / self.rise

    def edges(self) -> Edges:
        """All bars."""
        buffers, offset = self.plan.buffers, self.plan.offset
        left = self.left - self.scroll + np.maximum(buffers.first, 0) * self.scope_pixels
        right = self.left - self.scroll + (np.maximum(buffers.last, 0) + 1) * self.scope_pixels
        scale = self.rise / max(self.plan.head, 1)
        top, bottom = self.floor - (offset + buffers.size) * scale, self.floor - offset * scale
        return Edges(left, np.maximum(right, left + 1), np.minimum(top, bottom - 1), bottom)

    def rect(self, row: int, offset: int | None = None) -> QRectF:
        """A bar, at another offset than its own if one is given."""
        buffers = self.plan.buffers
        begin = int(self.plan.offset[row]) if offset is None else offset
        left = self.x(max(int(buffers.first[row]), 0))
        right = self.x(max(int(buffers.last[row]), 0) + 1)
        top, bottom = self.y(begin + int(buffers.size[row])), self.y(begin)
        return QRectF(left, top, max(right - left, 1), max(bottom - top, 1))

    def row_at(self, place: QPointF) -> int:
        """The smallest bar at a place, -1 for none."""
        if not len(self.plan.offset) or place.x() < self.left:
            return NOTHING
        scope = self.scope_at(place.x())
        offset = self.bytes_of(self.floor - place.y())
        buffers, begin = self.plan.buffers, self.plan.offset
        hit = np.maximum(buffers.first, 0) <= scope
        hit &= np.maximum(buffers.last, 0) + 1 > scope
        hit &= (begin <= offset) & (begin + buffers.size > offset)
        rows = np.flatnonzero(hit)
        return int(rows[np.argmin(buffers.size[rows])]) if len(rows) else NOTHING
