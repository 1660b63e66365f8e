# SPDX-License-Identifier: Apache-2.0
"""The memory plan as a picture: operators across, bytes up, a bar for each buffer."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from tflm_studio.analysis.arena_buffers import SCRATCH
from tflm_studio.analysis.memory_plan import MemoryPlan
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.place_names import name_operator, name_tensor
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.tool_tips import tool_tip

Role = QPalette.ColorRole
TOP, BOTTOM, RIGHT, GAP = 22, 20, 10, 6
NARROWEST_LABELLED = 46  # pixels: narrower bars bear no name
LOWEST_LABELLED = 14
SNAP = 16  # offsets are multiples
ZOOM_STEP = 1.25
MOST_ZOOM_PIXELS = 160  # of a scope
NOTHING = -1
SHADES = 3
FEWEST_CHARACTERS = 4  # of a name: fewer say nothing


class ArenaChart(QAbstractScrollArea):
    """A bar per buffer, as wide as it is in use, as high as it is large.

    The bars of an offline plan can be dragged up and down. Left and Right go from bar to bar,
    Alt with Up and Down moves a bar of an offline plan, plus, minus and 0 zoom.
    """

    picked = Signal(int)  # row of the plan
    moved = Signal(int, int)  # row, new offset

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("arena_chart")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.setAccessibleName("Memory plan")
        self._model: Model | None = None
        self._plan: MemoryPlan | None = None
        self._zoom = 1.0
        self._picture: QPixmap | None = None
        self._hovered = self._selected = self._dragged = NOTHING
        self._marked_scopes: list[int] = []
        self._grip = 0.0
        self._drag_offset = 0
        self.horizontalScrollBar().valueChanged.connect(self._redraw)

    # ------------------------------------------------------------------ what is shown

    def show_plan(self, model: Model, plan: MemoryPlan | None) -> None:
        """Shows another plan, or none."""
        self._model, self._plan = model, plan
        self._hovered = self._selected = self._dragged = NOTHING
        self._marked_scopes = []
        self._set_range()
        self._redraw()

    @property
    def plan(self) -> MemoryPlan | None:
        """What is shown."""
        return self._plan

    def mark(self, row: int, scopes: list[int]) -> None:
        """Shows which bar and which scopes are selected."""
        if (row, scopes) != (self._selected, self._marked_scopes):
            self._selected, self._marked_scopes = row, scopes
            self._redraw()

    @property
    def selected_row(self) -> int:
        """The bar that is selected, -1 for none."""
        return self._selected

    def describe(self, row: int) -> str:
        """A bar in a few lines."""
        plan, model = self._plan, self._model
        assert plan is not None
        assert model is not None
        buffers = plan.buffers
        first, last = int(buffers.first[row]), int(buffers.last[row])
        offset, size = int(plan.offset[row]), int(buffers.size[row])
        planned = "offline plan" if buffers.offline[row] >= 0 else "planned by the interpreter"
        return "\n".join(
            (
                self._name(row),
                f"{size:,} bytes at {offset:,}, up to {offset + size:,}",
                f"in use {self._scope_name(first)} to {self._scope_name(last)}",
                planned,
            )
        )

    def _name(self, row: int) -> str:
        assert self._plan is not None
        assert self._model is not None
        buffers = self._plan.buffers
        subgraph, tensor = int(buffers.subgraph[row]), int(buffers.tensor[row])
        if tensor == SCRATCH:
            operator = name_operator(self._model, subgraph, int(buffers.operator[row]))
            return f"Scratch of {operator}"
        return name_tensor(self._model, subgraph, tensor)

    def _label(self, row: int) -> str:
        """What is written on a bar: the tensor's number and name."""
        assert self._plan is not None
        assert self._model is not None
        subgraph, tensor = self._plan.buffers.subgraph[row], self._plan.buffers.tensor[row]
        if tensor == SCRATCH:
            return f"scratch {int(self._plan.buffers.operator[row])}"
        name = (self._model.subgraphs or [])[subgraph].tensors[tensor].name or ""
        return f"{int(tensor)} {excerpt(name, SHOWN_NAME_CHARACTERS)}"

    def _scope_name(self, scope: int) -> str:
        assert self._plan is not None
        assert self._model is not None
        if scope < 0:
            return "before the start"
        subgraph, operator = self._plan.buffers.scopes[scope]
        if operator < 0:
            return "the start" if subgraph == 0 else f"the start of subgraph {subgraph}"
        return name_operator(self._model, subgraph, operator)

    # ------------------------------------------------------------------ geometry

    def _left(self) -> int:
        head = self._plan.head if self._plan is not None else 0
        return self.fontMetrics().horizontalAdvance(f"{head:,}") + 2 * GAP

    def _room(self) -> float:
        return max(self.viewport().width() - self._left() - RIGHT, 1)

    def _count(self) -> int:
        return max(len(self._plan.buffers.scopes) if self._plan is not None else 0, 1)

    def _scope_pixels(self) -> float:
        return self._room() * self._zoom / self._count()

    def _x(self, scope: float) -> float:
        return self._left() + scope * self._scope_pixels() - self.horizontalScrollBar().value()

    def _y(self, offset: float) -> float:
        head = max(self._plan.head if self._plan is not None else 0, 1)
        return self._floor() - offset * self._height() / head

    def _floor(self) -> float:
        return self.viewport().height() - BOTTOM

    def _height(self) -> float:
        return max(self.viewport().height() - TOP - BOTTOM, 1)

    def _rect(self, row: int) -> QRectF:
        assert self._plan is not None
        buffers = self._plan.buffers
        offset = self._plan.offset[row] if row != self._dragged else self._drag_offset
        left = self._x(max(int(buffers.first[row]), 0))
        right = self._x(max(int(buffers.last[row]), 0) + 1)
        top, bottom = self._y(int(offset + buffers.size[row])), self._y(int(offset))
        return QRectF(left, top, max(right - left, 1), max(bottom - top, 1))

    def rect_of(self, row: int) -> QRectF:
        """Where a bar is, in the viewport."""
        return self._rect(row)

    def row_at(self, place: QPointF) -> int:
        """The topmost bar at a place of the viewport, -1 for none."""
        plan = self._plan
        if plan is None or not len(plan.offset) or place.x() < self._left():
            return NOTHING
        scope = (place.x() - self._x(0)) / self._scope_pixels()
        offset = (self._floor() - place.y()) * max(plan.head, 1) / self._height()
        buffers = plan.buffers
        hit = (np.maximum(buffers.first, 0) <= scope) & (
            np.maximum(buffers.last, 0) + 1 > scope
        )
        hit &= (plan.offset <= offset) & (plan.offset + buffers.size > offset)
        rows = np.flatnonzero(hit)
        return int(rows[np.argmin(buffers.size[rows])]) if len(rows) else NOTHING

    def _set_range(self) -> None:
        bar = self.horizontalScrollBar()
        bar.setRange(0, max(round(self._room() * (self._zoom - 1)), 0))
        bar.setPageStep(round(self._room()))
        bar.setSingleStep(max(round(self._scope_pixels()), 1))

    def zoom_by(self, factor: float, at: float | None = None) -> None:
        """Makes scopes wider or narrower around a place of the viewport."""
        place = at if at is not None else self._left() + self._room() / 2
        scope = (place - self._x(0)) / self._scope_pixels()
        most = max(MOST_ZOOM_PIXELS * self._count() / self._room(), 1.0)
        self._zoom = min(max(self._zoom * factor, 1.0), most)
        self._set_range()
        wanted = self._left() + scope * self._scope_pixels() - place
        self.horizontalScrollBar().setValue(round(wanted))
        self._redraw()

    def fit(self) -> None:
        """Shows all scopes."""
        self.zoom_by(0)

    # ------------------------------------------------------------------ painting

    def _redraw(self) -> None:
        self._picture = None
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        ratio = self.devicePixelRatioF()
        size = self.viewport().size()
        if self._picture is None or self._picture.size() != size * ratio:
            self._picture = QPixmap(size * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(self.palette().color(Role.Base))
            painter = QPainter(self._picture)
            painter.setFont(self.font())
            self._paint_all(painter)
            painter.end()
        painter = QPainter(self.viewport())
        painter.drawPixmap(0, 0, self._picture)
        if self._plan is not None and self._hovered != NOTHING:
            self._paint_outline(painter, self._hovered)
        painter.end()

    def _paint_all(self, painter: QPainter) -> None:
        plan = self._plan
        if plan is None or not len(plan.offset):
            return
        self._paint_columns(painter)
        clip = QRectF(self._left(), 0, self._room() + 1, self.viewport().height())
        painter.save()
        painter.setClipRect(clip)
        for row in self._visible_rows():
            self._paint_bar(painter, row)
        if self._selected != NOTHING:
            self._paint_bar(painter, self._selected)
            self._paint_outline(painter, self._selected)
        painter.restore()
        self._paint_axes(painter)

    def _visible_rows(self) -> list[int]:
        assert self._plan is not None
        buffers = self._plan.buffers
        begin = self.horizontalScrollBar().value() / self._scope_pixels()
        end = begin + self._room() / self._scope_pixels()
        shown = (np.maximum(buffers.last, 0) + 1 >= begin) & (
            np.maximum(buffers.first, 0) <= end
        )
        rows: list[int] = np.flatnonzero(shown).tolist()
        return rows

    def _paint_columns(self, painter: QPainter) -> None:
        """Shades the scopes at the peak and those of the selected operator."""
        assert self._plan is not None
        low, high = self._left(), self._left() + self._room()
        for role, alpha, scopes in (
            (Role.BrightText, 28, self._plan.peak_scopes),
            (Role.Accent, 46, self._marked_scopes),
        ):
            colour = self.palette().color(role)
            colour.setAlpha(alpha)
            for scope in scopes:
                left, right = max(self._x(scope), low), min(self._x(scope + 1), high)
                if right > left:
                    painter.fillRect(QRectF(left, TOP, right - left, self._height()), colour)

    def _paint_bar(self, painter: QPainter, row: int) -> None:
        assert self._plan is not None
        buffers, rect = self._plan.buffers, self._rect(row)
        is_scratch = buffers.tensor[row] == SCRATCH
        fill = self._fill(row, is_scratch=bool(is_scratch))
        inner = rect.adjusted(0, 0, -1, -1) if rect.width() > 3 and rect.height() > 3 else rect
        painter.fillRect(inner, fill)
        if is_scratch and rect.height() > 4:
            painter.fillRect(inner, Qt.BrushStyle.BDiagPattern)
        if buffers.offline[row] >= 0 and rect.width() > 6:
            edge = QRectF(inner.left(), inner.top(), 2, inner.height())
            painter.fillRect(edge, self.palette().color(Role.Accent))
        if rect.width() >= NARROWEST_LABELLED and rect.height() >= LOWEST_LABELLED:
            self._paint_name(painter, row, inner)

    def _paint_name(self, painter: QPainter, row: int, rect: QRectF) -> None:
        selected = row == self._selected
        painter.setPen(self.palette().color(Role.HighlightedText if selected else Role.Text))
        room = rect.adjusted(5, 0, -3, 0)
        text = self._label(row)
        if self.fontMetrics().horizontalAdvance(text) > room.width():
            # The number alone, or the end of the name: names differ there.
            number, _, name = text.partition(" ")
            left = int(room.width()) - self.fontMetrics().horizontalAdvance(f"{number} ")
            name = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideLeft, left)
            text = f"{number} {name}" if len(name) > FEWEST_CHARACTERS else number
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)

    def _fill(self, row: int, *, is_scratch: bool) -> QColor:
        palette = self.palette()
        if row == self._selected:
            return palette.color(Role.Highlight)
        base, accent = palette.color(Role.Base), palette.color(Role.Accent)
        if is_scratch:
            accent = palette.color(Role.Mid)
        share = 0.22 + 0.13 * (row % SHADES)
        return _between(base, accent, share)

    def _paint_outline(self, painter: QPainter, row: int) -> None:
        painter.save()
        painter.setClipRect(
            QRectF(self._left(), 0, self._room() + 1, self.viewport().height())
        )
        painter.setPen(self.palette().color(Role.Accent))
        painter.drawRect(self._rect(row).adjusted(0, 0, -1, -1))
        painter.restore()

    def _paint_axes(self, painter: QPainter) -> None:
        plan, palette, metrics = self._plan, self.palette(), self.fontMetrics()
        assert plan is not None
        left, right, floor = self._left(), self._left() + self._room(), self._floor()
        painter.setPen(palette.color(Role.PlaceholderText))
        steps = 4 if self._height() > 5 * metrics.height() else 1
        align = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        for k in range(steps + 1):
            offset = plan.head * k // steps
            box = QRectF(
                0, self._y(offset) - metrics.height() / 2, left - GAP, metrics.height()
            )
            painter.drawText(box, align, f"{offset:,}")
        painter.drawLine(QPointF(left, floor), QPointF(right, floor))
        below = QRectF(left, floor + 2, self._room(), BOTTOM - 2)
        count = len(plan.buffers.scopes)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, "start")
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, f"{count - 1:,} steps")
        painter.setPen(palette.color(Role.BrightText))
        top = self._y(plan.head)
        painter.drawLine(QPointF(left, top), QPointF(right, top))
        text = f"peak {plan.head:,}"
        peak = self._x(plan.peak_scopes[0]) if plan.peak_scopes else left
        place = min(max(peak, left), right - metrics.horizontalAdvance(text))
        painter.drawText(QPointF(place, top - 4), text)

    # ------------------------------------------------------------------ events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._set_range()
        self._redraw()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._redraw()

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = self.row_at(QPointF(event.pos()))
            text = tool_tip(self.describe(row)) if row != NOTHING else ""
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        if event.type() == QEvent.Type.Leave:
            self._hover(NOTHING)
        return super().viewportEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        turn = event.angleDelta().y() or event.angleDelta().x()
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(ZOOM_STEP if turn > 0 else 1 / ZOOM_STEP, event.position().x())
        else:
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() - turn)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        row = self.row_at(event.position())
        if row == NOTHING:
            return
        self.picked.emit(row)
        plan = self._plan
        if plan is not None and row < len(plan.offset) and plan.buffers.offline[row] >= 0:
            self._dragged, self._grip = row, event.position().y()
            self._drag_offset = int(plan.offset[row])

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._dragged != NOTHING and self._plan is not None:
            self._drag_to(event.position().y())
        else:
            self._hover(self.row_at(event.position()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row, offset, plan = self._dragged, self._drag_offset, self._plan
        self._dragged = NOTHING
        if row != NOTHING and plan is not None:
            self._redraw()
            if offset != plan.offset[row]:
                self.moved.emit(row, offset)

    def _drag_to(self, y: float) -> None:
        assert self._plan is not None
        begin = int(self._plan.offset[self._dragged])
        by = (self._grip - y) * max(self._plan.head, 1) / self._height()
        offset = max(round((begin + by) / SNAP) * SNAP, 0)
        if offset != self._drag_offset:
            self._drag_offset = offset
            place = self.viewport().mapToGlobal(
                QPoint(round(self._rect(self._dragged).left()), round(y))
            )
            QToolTip.showText(place, f"{offset:,}", self.viewport())
            self._redraw()

    def _hover(self, row: int) -> None:
        if row != self._hovered:
            self._hovered = row
            self.viewport().update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, has_alt = event.key(), event.modifiers() & Qt.KeyboardModifier.AltModifier
        if has_alt and key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._nudge(SNAP if key == Qt.Key.Key_Up else -SNAP)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._step(1 if key == Qt.Key.Key_Right else -1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(ZOOM_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / ZOOM_STEP)
        elif key == Qt.Key.Key_0:
            self.fit()
        else:
            super().keyPressEvent(event)

    def _step(self, by: int) -> None:
        """Picks the next bar, by time and then by place."""
        plan = self._plan
        if plan is None or not len(plan.offset):
            return
        order = np.lexsort((plan.offset, plan.buffers.first))
        here = np.flatnonzero(order == self._selected)
        start = -1 if by > 0 else len(order)
        position = int(here[0]) + by if len(here) else start + by
        if 0 <= position < len(order):
            self.picked.emit(int(order[position]))

    def _nudge(self, by: int) -> None:
        plan, row = self._plan, self._selected
        if plan is not None and row != NOTHING and plan.buffers.offline[row] >= 0:
            offset = int(plan.offset[row]) + by
            if offset >= 0:
                self.moved.emit(row, offset)


def _between(one: QColor, other: QColor, share: float) -> QColor:
    """A colour on the way from one to another."""
    red = one.redF() + (other.redF() - one.redF()) * share
    green = one.greenF() + (other.greenF() - one.greenF()) * share
    blue = one.blueF() + (other.blueF() - one.blueF()) * share
    return QColor.fromRgbF(red, green, blue)
