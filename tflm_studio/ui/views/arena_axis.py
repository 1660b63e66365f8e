# SPDX-License-Identifier: Apache-2.0
"""Which scopes of a memory plan have a label below the picture of it, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import QRectF

from tflm_studio.ui.views.arena_geometry import BOTTOM, ArenaGeometry

GAP = 8  # pixels between labels
STRIDES = (1, 2, 5)  # and ten times, hundred times as many


def scope_labels(
    geometry: ArenaGeometry, width_of: Callable[[str], float]
) -> Iterator[tuple[QRectF, str]]:
    """The numbers of operators, as many as there is room for, and where the start is.

    Args:
        geometry: Of the picture.
        width_of: Pixels that a text takes.
    """
    scopes = geometry.plan.buffers.scopes
    widest = width_of(str(max((scope.operator for scope in scopes), default=0)))
    stride = _stride((widest + GAP) / geometry.scope_pixels)
    left, right = geometry.left, geometry.left + geometry.room
    first = max(int(geometry.scope_at(left)), 0)
    last = min(int(geometry.scope_at(right)) + 1, len(scopes))
    free_from = left
    for number in range(first, last):
        operator = scopes[number].operator
        if operator > 0 and operator % stride:
            continue
        text = "start" if operator < 0 else str(operator)
        wide = width_of(text)
        begin = geometry.x(number + 0.5) - wide / 2
        if number == 0 and not geometry.scroll:
            begin = max(begin, left)  # what it begins with is always said
        if begin >= free_from and begin + wide <= right + GAP:
            yield QRectF(begin, geometry.floor + 2, wide + 1, BOTTOM - 2), text
            free_from = begin + wide + GAP


def _stride(least: float) -> int:
    """The smallest round number that is not below another."""
    power = 1
    while True:
        for step in STRIDES:
            if step * power >= least:
                return step * power
        power *= 10
