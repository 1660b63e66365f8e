# SPDX-License-Identifier: Apache-2.0
"""Paints a memory plan: bars, the peak, the axes; very many bars as one image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPalette

from tflm_studio.analysis.arena_buffers import SCRATCH
from tflm_studio.ui.views.arena_axis import scope_labels
from tflm_studio.ui.views.arena_geometry import NOTHING, TOP, ArenaGeometry, Edges

Role = QPalette.ColorRole
GAP = 6
NARROWEST_LABELLED = 46  # pixels: narrower bars bear no name
LOWEST_LABELLED = 14
FEWEST_CHARACTERS = 4  # of a name: fewer say nothing
MOST_BARS = 2000  # more are painted as one image
SHADES = 3
LIGHTEST, STEP = 0.22, 0.13  # shares of the accent colour
AXIS_STEPS = 4


@dataclass(frozen=True, slots=True)
class ArenaPainter:
    """Paints a plan.

    Attributes:
        painter: What it is painted with.
        geometry: Where things are.
        palette: The colours.
        label: The text of a bar.
        selected: The bar that is selected, -1 for none.
        dragged: The bar that is being dragged, -1 for none.
        dragged_to: Where it is now.
    """

    painter: QPainter
    geometry: ArenaGeometry
    palette: QPalette
    label: Callable[[int], str]
    selected: int = NOTHING
    dragged: int = NOTHING
    dragged_to: int = 0

    def paint(self, marked_scopes: Sequence[int]) -> None:
        """Paints all of it."""
        geometry = self.geometry
        if not len(geometry.plan.offset):
            return
        self._shade(geometry.plan.peak_scopes, Role.BrightText, 28)
        self._shade(marked_scopes, Role.Accent, 46)
        self.painter.save()
        self.painter.setClipRect(geometry.area)
        self._paint_bars()
        self.painter.restore()
        self._paint_axes()

    def paint_outline(self, row: int) -> None:
        """Paints a line around a bar."""
        self.painter.save()
        self.painter.setClipRect(self.geometry.area)
        self.painter.setPen(self.palette.color(Role.Accent))
        self.painter.drawRect(self._rect(row).adjusted(0, 0, -1, -1))
        self.painter.restore()

    def _rect(self, row: int) -> QRectF:
        return self.geometry.rect(row, self.dragged_to if row == self.dragged else None)

    def _shade(self, scopes: Sequence[int], role: QPalette.ColorRole, alpha: int) -> None:
        """Shades some scopes, those that follow each other in one piece."""
        colour = self.palette.color(role)
        colour.setAlpha(alpha)
        geometry = self.geometry
        low, high = geometry.left, geometry.left + geometry.room
        for first, last in _runs(scopes):
            left, right = max(geometry.x(first), low), min(geometry.x(last + 1), high)
            if right > left:
                box = QRectF(left, TOP, right - left, geometry.rise)
                self.painter.fillRect(box, colour)

    # ------------------------------------------------------------------ bars

    def _paint_bars(self) -> None:
        geometry = self.geometry
        edges = geometry.edges()
        is_seen = (edges.right >= geometry.left) & (
            edges.left <= geometry.left + geometry.room
        )
        rows = np.flatnonzero(is_seen)
        if len(rows) > MOST_BARS:
            self._paint_image(Edges(*(side[rows] for side in edges)))
        else:
            fills = self._fills()
            for row in rows.tolist():
                if row not in (self.selected, self.dragged):
                    self._paint_bar(row, fills)
        for row in {self.selected, self.dragged} - {NOTHING}:
            self._paint_bar(row, self._fills())
            self.paint_outline(row)

    def _fills(self) -> list[QColor]:
        """A colour for each shade, then those of scratch buffers."""
        base = self.palette.color(Role.Base)
        shares = [LIGHTEST + STEP * k for k in range(SHADES)]
        return [
            _between(base, self.palette.color(role), share)
            for role in (Role.Accent, Role.Mid)
            for share in shares
        ]

    def _paint_bar(self, row: int, fills: list[QColor]) -> None:
        buffers, rect = self.geometry.plan.buffers, self._rect(row)
        is_scratch = bool(buffers.tensor[row] == SCRATCH)
        fill = fills[row % SHADES + (SHADES if is_scratch else 0)]
        if row == self.selected:
            fill = self.palette.color(Role.Highlight)
        inner = rect.adjusted(0, 0, -1, -1) if rect.width() > 3 and rect.height() > 3 else rect
        self.painter.fillRect(inner, fill)
        if buffers.offline[row] >= 0 and rect.width() > GAP:
            edge = QRectF(inner.left(), inner.top(), 2, inner.height())
            self.painter.fillRect(edge, self.palette.color(Role.Accent))
        if rect.width() >= NARROWEST_LABELLED and rect.height() >= LOWEST_LABELLED:
            self._paint_label(row, inner)

    def _paint_label(self, row: int, rect: QRectF) -> None:
        metrics = self.painter.fontMetrics()
        role = Role.HighlightedText if row == self.selected else Role.Text
        self.painter.setPen(self.palette.color(role))
        room = rect.adjusted(5, 0, -3, 0)
        text = _fitting(self.label(row), metrics, int(room.width()))
        self.painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_image(self, edges: Edges) -> None:
        """All bars in one colour: what covers a pixel is summed up from their corners."""
        width, height = int(self.geometry.width), int(self.geometry.height)
        left = np.clip(np.floor(edges.left), 0, width).astype(np.int64)
        right = np.clip(np.ceil(edges.right), 0, width).astype(np.int64)
        top = np.clip(np.floor(edges.top), 0, height).astype(np.int64)
        bottom = np.clip(np.ceil(edges.bottom), 0, height).astype(np.int64)
        corners = np.zeros((height + 1, width + 1), np.int32)
        for y, x, count in ((top, left, 1), (top, right, -1), (bottom, left, -1)):
            np.add.at(corners, (y, x), count)
        np.add.at(corners, (bottom, right), 1)
        covered = corners.cumsum(0).cumsum(1)[:height, :width] > 0
        colour = _between(
            self.palette.color(Role.Base), self.palette.color(Role.Accent), LIGHTEST + 2 * STEP
        )
        pixels = np.where(covered, np.uint32(colour.rgba()), np.uint32(0)).astype(np.uint32)
        image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32)
        self.painter.drawImage(0, 0, image)

    # ------------------------------------------------------------------ axes

    def _paint_axes(self) -> None:
        painter, geometry, metrics = self.painter, self.geometry, self.painter.fontMetrics()
        plan = geometry.plan
        left, right = geometry.left, geometry.left + geometry.room
        painter.setPen(self.palette.color(Role.PlaceholderText))
        steps = AXIS_STEPS if geometry.rise > (AXIS_STEPS + 1) * metrics.height() else 1
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for k in range(steps + 1):
            offset = plan.head * k // steps
            top = geometry.y(offset) - metrics.height() / 2
            box = QRectF(0, top, left - GAP, metrics.height())
            painter.drawText(box, align, f"{offset:,}")
        painter.drawLine(QPointF(left, geometry.floor), QPointF(right, geometry.floor))
        self._paint_scopes()
        self._paint_peak(left, right)

    def _paint_scopes(self) -> None:
        width_of = self.painter.fontMetrics().horizontalAdvance
        for box, text in scope_labels(self.geometry, width_of):
            self.painter.drawText(box, Qt.AlignmentFlag.AlignLeft, text)

    def _paint_peak(self, left: float, right: float) -> None:
        painter, geometry = self.painter, self.geometry
        plan = geometry.plan
        painter.setPen(self.palette.color(Role.BrightText))
        top = geometry.y(plan.head)
        painter.drawLine(QPointF(left, top), QPointF(right, top))
        text = f"peak {plan.head:,}"
        wanted = geometry.x(plan.peak_scopes[0]) if plan.peak_scopes else left
        latest = right - painter.fontMetrics().horizontalAdvance(text)
        painter.drawText(QPointF(max(min(wanted, latest), left), top - 4), text)


def _fitting(text: str, metrics: QFontMetrics, room: int) -> str:
    """A number and a name: the end of the name if there is no room, as names differ there."""
    if metrics.horizontalAdvance(text) <= room:
        return text
    number, _, name = text.partition(" ")
    left = room - metrics.horizontalAdvance(f"{number} ")
    name = metrics.elidedText(name, Qt.TextElideMode.ElideLeft, left)
    if len(name) > FEWEST_CHARACTERS:
        return f"{number} {name}"
    return number if metrics.horizontalAdvance(number) <= room else ""


def _runs(scopes: Sequence[int]) -> list[tuple[int, int]]:
    """Ascending numbers as first and last of those that follow each other."""
    runs: list[tuple[int, int]] = []
    for scope in scopes:
        if runs and scope == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], scope
        else:
            runs.append((scope, scope))
    return runs


def _between(one: QColor, other: QColor, share: float) -> QColor:
    """A colour on the way from one to another."""
    red = one.redF() + (other.redF() - one.redF()) * share
    green = one.greenF() + (other.greenF() - one.greenF()) * share
    blue = one.blueF() + (other.blueF() - one.blueF()) * share
    return QColor.fromRgbF(red, green, blue)
