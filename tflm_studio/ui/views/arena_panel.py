# SPDX-License-Identifier: Apache-2.0
"""The arena panel: what a model takes in TFLM's memory, and where each buffer is."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from tflm_studio.editing.offline_planning import (
    move_tensor,
    offline_plan,
    remove_offline_plan,
)
from tflm_studio.model.address import Address, find_address
from tflm_studio.ui.models.arena_watch import ArenaWatch
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.arena_chart import ArenaChart
from tflm_studio.ui.views.arena_geometry import NOTHING
from tflm_studio.ui.views.elided_label import ElidedLabel

MARGIN, SPACING = 6, 6


class ArenaPanel(QWidget):
    """Figures, buttons, and the plan as a picture.

    Args:
        session: What is looked at.
        watch: What knows its arena.
    """

    def __init__(
        self, session: Session, watch: ArenaWatch, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("arena_panel")
        self._session, self._watch = session, watch
        self._is_shown = False
        self.figures = ElidedLabel()
        self.figures.setObjectName("arena_figures")
        self.note = ElidedLabel()
        self.note.setObjectName("arena_note")
        self.chart = ArenaChart()
        self.measure = self._button("Meas&ure", "arena_measure", self._measure_or_cancel)
        self.measure.setToolTip("Loads and runs the model in TFLM's interpreter")
        self.make_plan = self._button("Make offline &plan", "arena_make_plan", self._make_plan)
        self.make_plan.setToolTip("Writes these places into the model, to be dragged")
        self.remove_plan = self._button(
            "Remove offline pla&n", "arena_remove_plan", self._remove_plan
        )
        row = QHBoxLayout()
        row.setSpacing(SPACING)
        row.addWidget(self.note, 1)
        for button in (self.measure, self.make_plan, self.remove_plan):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.setSpacing(SPACING)
        column.addWidget(self.figures)
        column.addLayout(row)
        column.addWidget(self.chart, 1)
        self.chart.picked.connect(self._on_picked)
        self.chart.moved.connect(self._on_moved)
        watch.changed.connect(self._refresh)
        session.selection.changed.connect(self._follow)
        self._refresh()

    def _button(self, text: str, name: str, run: object) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(name)
        button.clicked.connect(run)
        return button

    # ------------------------------------------------------------------ news

    def _refresh(self) -> None:
        watch = self._watch
        plan = watch.estimate.plan if watch.estimate is not None else None
        self.figures.say(self._figures_text())
        self.note.say(self._note_text())
        self.measure.setText("&Cancel" if watch.is_measuring else "Meas&ure")
        self._offer_keys()
        self.make_plan.setEnabled(plan is not None)
        self.remove_plan.setEnabled(watch.has_offline_plan)
        if plan is not self.chart.plan:
            self.chart.show_plan(self._session.document.model, plan)
            self._follow(self._session.selection.address)

    def _figures_text(self) -> str:
        estimate = self._watch.estimate
        if estimate is None:
            return "" if self._watch.problem else "Planning…"
        exactness = "" if estimate.plan.is_exact else " (estimate)"
        return (
            f"Recommended arena {estimate.recommended:,} bytes  ·  "
            f"head {estimate.head:,}{exactness}  ·  "
            f"tail {estimate.tail.total:,} (estimate; "
            f"{estimate.firmware_tail.total:,} on 32 bits)  ·  "
            f"total {estimate.total:,} (estimate)"
        )

    def _note_text(self) -> str:
        watch = self._watch
        parts = []
        if watch.is_measuring:
            parts.append("Measuring…")
        if watch.measurement is not None:
            found = watch.measurement
            parts.append(
                f"Measured: head {found.head:,}  ·  tail {found.tail:,}  ·  "
                f"total {found.total:,}"
            )
            parts.append(found.problem)
        parts += [watch.measure_problem, watch.problem, *watch.plan_problems]
        estimate = watch.estimate
        if estimate is not None and estimate.plan.buffers.unknown:
            names = ", ".join(estimate.plan.buffers.unknown)
            parts.append(f"What these kernels need besides is not known: {names}.")
        return "  ".join(part for part in parts if part)

    def _follow(self, address: Address) -> None:
        """Marks the selected tensor, or the steps of the selected operator."""
        plan = self.chart.plan
        if plan is None:
            return
        buffers, row, scopes = plan.buffers, NOTHING, []
        match address:
            case ("subgraphs", int(subgraph), "tensors", int(tensor), *_):
                hits = (buffers.subgraph == subgraph) & (buffers.tensor == tensor)
                found = hits.nonzero()[0]
                row = int(found[0]) if len(found) else NOTHING
            case ("subgraphs", int(subgraph), "operators", int(operator), *_):
                place = (subgraph, operator)
                scopes = [k for k, scope in enumerate(buffers.scopes) if scope == place]
        self.chart.mark(row, scopes)

    # ------------------------------------------------------------------ commands

    def _on_picked(self, row: int) -> None:
        address = self.chart.address_of(row)
        # The plan may be a moment older than the model.
        if find_address(self._session.document.model, address) is not None:
            self._session.selection.select(address)

    def _on_moved(self, row: int, offset: int) -> None:
        model, address = self._session.document.model, self.chart.address_of(row)
        subgraph, tensor = int(address[1]), int(address[3])
        self._session.propose(lambda: move_tensor(model, subgraph, tensor, offset))

    def _measure_or_cancel(self) -> None:
        if self._watch.is_measuring:
            self._watch.stop_measuring()
        else:
            self._watch.measure()

    def _make_plan(self) -> None:
        self._session.propose(lambda: offline_plan(self._session.document.model))

    def _remove_plan(self) -> None:
        self._session.propose(lambda: remove_offline_plan(self._session.document.model))

    def set_shown(self, is_shown: bool) -> None:
        """Tells whether people see it: a panel behind another counts as visible for Qt."""
        self._is_shown = self._watch.is_wanted = is_shown
        self._offer_keys()

    def _offer_keys(self) -> None:
        """Keys must not press buttons that nobody sees."""
        for button in (self.measure, self.make_plan, self.remove_plan):
            keys = QKeySequence.mnemonic(button.text()) if self._is_shown else QKeySequence()
            button.setShortcut(keys)
