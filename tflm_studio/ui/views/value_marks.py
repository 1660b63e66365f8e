# SPDX-License-Identifier: Apache-2.0
"""Lines at values of a plot, with labels that keep clear of one another and of the edges.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPalette, QPen
from PySide6.QtWidgets import QWidget

from tflm_studio.ui.views.plot import Plot

Paint = QPalette.ColorRole
Line = Qt.PenStyle

GAP = 4.0  # pixels between a line and its label


class Mark(NamedTuple):
    """A value to point out."""

    value: float
    text: str
    line: Qt.PenStyle = Line.SolidLine


class Label(NamedTuple):
    """Where the text of a mark goes, in pixels."""

    rect: QRectF
    text: str


def merged(marks: Iterable[Mark]) -> list[Mark]:
    """Marks in ascending order, those of one value as one."""
    found: list[Mark] = []
    for mark in sorted(marks, key=lambda each: each.value):
        if found and found[-1].value == mark.value:
            found[-1] = found[-1]._replace(text=f"{found[-1].text} · {mark.text}")
        else:
            found.append(mark)
    return found


def placed(
    places: Sequence[float],
    texts: Sequence[str],
    widths: Sequence[float],
    room: QRectF,
    row: float,
) -> list[Label]:
    """Labels in rows from the top, beside their lines, none over another.

    Args:
        places: Of the lines, in pixels from the left, ascending.
        texts: What each label says.
        widths: How wide each is.
        room: Where labels may be.
        row: Height of a row.
    """
    labels: list[Label] = []
    for place, text, width in zip(places, texts, widths, strict=True):
        right = min(place + GAP, room.right() - width)
        left = max(place - GAP - width, room.left())
        # Where it fits on its own side first; lines of others are crossed only if need be.
        sides = (right, left) if place + GAP + width <= room.right() else (left, right)
        labels.append(Label(_free_rect(sides, width, room, row, places, labels), text))
    return labels


def _free_rect(
    sides: Sequence[float],
    width: float,
    room: QRectF,
    row: float,
    places: Sequence[float],
    labels: Sequence[Label],
) -> QRectF:
    rects = (
        QRectF(side, room.top() + number * row, width, row - 1)
        for number in range(len(places) + 1)
        for side in sides
    )
    taken = [label.rect.adjusted(-GAP, 0, GAP, 0) for label in labels]
    free = [rect for rect in rects if not any(rect.intersects(each) for each in taken)]
    return min(free, key=lambda rect: (_crossed(rect, places), rect.top()))


def _crossed(rect: QRectF, places: Sequence[float]) -> int:
    return sum(rect.left() < place < rect.right() for place in places)


class ValueMarks(pg.GraphicsObject):  # type: ignore[misc]  # pyqtgraph is not typed
    """Vertical lines with labels at the top of a plot."""

    def __init__(self, plot: Plot) -> None:
        super().__init__()
        self._plot = plot
        self._box = plot.getViewBox()
        self._marks: list[Mark] = []
        self.setParentItem(self._box)
        self.setZValue(1000)
        self._box.sigResized.connect(self._on_box_changed)
        self._box.sigRangeChanged.connect(self._on_box_changed)

    def show_marks(self, marks: Iterable[Mark]) -> None:
        """Shows other marks."""
        self._marks = merged(marks)
        self.update()

    @property
    def height(self) -> float:
        """How much of the top the labels take, in pixels."""
        labels = self._labels(self._visible())
        return max((label.rect.bottom() for label in labels), default=0.0) + 2 * GAP

    def boundingRect(self) -> QRectF:
        return QRectF(self._box.rect())

    def paint(self, painter: QPainter, option: Any, widget: QWidget | None = None) -> None:
        visible, room = self._visible(), self.boundingRect()
        labels = self._labels(visible)
        for place, mark in visible:
            pen = QPen(self._plot.colour(Paint.Text, 0.65), 1, mark.line)
            pen.setCosmetic(True)
            painter.setPen(pen)
            painter.drawLine(QPointF(place, room.top()), QPointF(place, room.bottom()))
        painter.setFont(self._plot.font())
        for label in labels:
            painter.fillRect(label.rect, self._plot.colour(Paint.Base, 0.85))
            painter.setPen(self._plot.colour(Paint.Text))
            painter.drawText(label.rect, int(Qt.AlignmentFlag.AlignCenter), label.text)

    def _visible(self) -> list[tuple[float, Mark]]:
        low, high = self._box.viewRange()[0]
        width = self._box.rect().width()
        if not high > low:
            return []
        return [
            ((mark.value - low) / (high - low) * width, mark)
            for mark in self._marks
            if low <= mark.value <= high
        ]

    def _labels(self, visible: Sequence[tuple[float, Mark]]) -> list[Label]:
        metrics = QFontMetricsF(self._plot.font())
        texts = [mark.text for _, mark in visible]
        widths = [metrics.horizontalAdvance(text) + 6 for text in texts]
        room = self.boundingRect().adjusted(1, 2, -1, 0)
        return placed(
            [place for place, _ in visible], texts, widths, room, metrics.height() + 2
        )

    def _on_box_changed(self) -> None:
        self.prepareGeometryChange()
        self.update()
