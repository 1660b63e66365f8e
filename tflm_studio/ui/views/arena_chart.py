# SPDX-License-Identifier: Apache-2.0
"""The memory plan as a picture: operators across, bytes up, a bar for each buffer."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import (
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
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.place_names import name_operator, name_thing
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.views.arena_geometry import NOTHING, ArenaGeometry
from tflm_studio.ui.views.arena_painter import GAP, ArenaPainter

Role = QPalette.ColorRole
LONGEST_LABEL = 200
SNAP = 16  # offsets are multiples
ZOOM_STEP = 1.25
MOST_ZOOM_PIXELS = 160  # of a scope


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

    def address_of(self, row: int) -> Address:
        """The tensor of a bar, or the operator whose scratch it is."""
        assert self._plan is not None
        buffers = self._plan.buffers
        subgraph, tensor = int(buffers.subgraph[row]), int(buffers.tensor[row])
        if tensor == SCRATCH:
            return ("subgraphs", subgraph, "operators", int(buffers.operator[row]))
        return ("subgraphs", subgraph, "tensors", tensor)

    def _name(self, row: int) -> str:
        assert self._model is not None
        address = self.address_of(row)
        name = name_thing(self._model, address)
        return f"Scratch of {name}" if "operators" in address else name

    def _label(self, row: int) -> str:
        """What is written on a bar: the tensor's number and name."""
        assert self._model is not None
        address = self.address_of(row)
        if "operators" in address:
            return f"scratch {address[-1]}"
        # The plan may be a moment older than the model.
        thing = find_address(self._model, address)
        return f"{address[-1]} {excerpt(getattr(thing, 'name', '') or '', LONGEST_LABEL)}"

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

    def _geometry(self) -> ArenaGeometry | None:
        plan = self._plan
        if plan is None:
            return None
        return ArenaGeometry(
            plan,
            self.fontMetrics().horizontalAdvance(f"{plan.head:,}") + 2 * GAP,
            self.viewport().width(),
            self.viewport().height(),
            self._zoom,
            self.horizontalScrollBar().value(),
        )

    def rect_of(self, row: int) -> QRectF:
        """Where a bar is, in the viewport."""
        geometry = self._geometry()
        return geometry.rect(row) if geometry is not None else QRectF()

    def row_at(self, place: QPointF) -> int:
        """The smallest bar at a place of the viewport, -1 for none."""
        geometry = self._geometry()
        return geometry.row_at(place) if geometry is not None else NOTHING

    def _set_range(self) -> None:
        geometry, bar = self._geometry(), self.horizontalScrollBar()
        if geometry is None:
            bar.setRange(0, 0)
            return
        bar.setRange(0, max(round(geometry.room * (self._zoom - 1)), 0))
        bar.setPageStep(round(geometry.room))
        bar.setSingleStep(max(round(geometry.scope_pixels), 1))

    def zoom_by(self, factor: float, at: float | None = None) -> None:
        """Makes scopes wider or narrower around a place of the viewport."""
        geometry = self._geometry()
        if geometry is None:
            return
        place = at if at is not None else geometry.left + geometry.room / 2
        scope = geometry.scope_at(place)
        most = max(MOST_ZOOM_PIXELS * geometry.scope_count / geometry.room, 1.0)
        self._zoom = min(max(self._zoom * factor, 1.0), most)
        self._set_range()
        pixels = geometry.room * self._zoom / geometry.scope_count
        self.horizontalScrollBar().setValue(round(geometry.left + scope * pixels - place))
        self._redraw()

    def fit(self) -> None:
        """Shows all scopes."""
        self.zoom_by(0)

    # ------------------------------------------------------------------ painting

    def _redraw(self) -> None:
        self._picture = None
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        size, ratio = self.viewport().size(), self.devicePixelRatioF()
        if self._picture is None or self._picture.size() != size * ratio:
            self._picture = QPixmap(size * ratio)
            self._picture.setDevicePixelRatio(ratio)
            self._picture.fill(self.palette().color(Role.Base))
            with QPainter(self._picture) as painter:
                painter.setFont(self.font())
                self._paint(painter, lambda each: each.paint(self._marked_scopes))
        with QPainter(self.viewport()) as painter:
            painter.drawPixmap(0, 0, self._picture)
            if self._hovered != NOTHING:
                self._paint(painter, lambda each: each.paint_outline(self._hovered))

    def _paint(self, painter: QPainter, what: Callable[[ArenaPainter], None]) -> None:
        geometry = self._geometry()
        if geometry is not None:
            palette, label = self.palette(), self._label
            moved = self._selected, self._dragged, self._drag_offset
            what(ArenaPainter(painter, geometry, palette, label, *moved))

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
        geometry = self._geometry()
        assert geometry is not None
        begin = int(geometry.plan.offset[self._dragged])
        wanted = begin + geometry.bytes_of(self._grip - y)
        offset = max(round(wanted / SNAP) * SNAP, 0)
        if offset != self._drag_offset:
            self._drag_offset = offset
            left = round(geometry.rect(self._dragged).left())
            place = self.viewport().mapToGlobal(QPoint(left, round(y)))
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
