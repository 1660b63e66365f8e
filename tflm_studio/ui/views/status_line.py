# SPDX-License-Identifier: Apache-2.0
"""The line at the bottom of a window: facts of the model, its arena, what is selected."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QStatusBar

from tflm_studio.analysis.facts import ModelFacts
from tflm_studio.ui.models.arena_watch import ArenaWatch
from tflm_studio.ui.models.tool_tips import tool_tip

INDENT = 18


class StatusLine(QStatusBar):
    """Says what the model is, how much memory it takes and what is selected.

    Args:
        arena_watch: The estimate of the arena.

    Attributes:
        place_label: What is selected.
    """

    def __init__(self, arena_watch: ArenaWatch) -> None:
        super().__init__()
        self._arena_watch = arena_watch
        self._facts_label, self.arena_label, self.place_label = QLabel(), QLabel(), QLabel()
        self.arena_label.setObjectName("arena_label")
        self.arena_label.setIndent(INDENT)
        for label in (self._facts_label, self.arena_label, self.place_label):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.addWidget(self._facts_label)
        self.addWidget(self.arena_label)
        self.addPermanentWidget(self.place_label)
        arena_watch.changed.connect(self._show_arena)

    def show_facts(self, facts: ModelFacts) -> None:
        """Says what the model is."""
        self._facts_label.setText(facts.describe())
        self._facts_label.setToolTip(tool_tip(facts.name_kinds()))

    def _show_arena(self) -> None:
        estimate = self._arena_watch.estimate
        if estimate is None:
            text, tip = "", ""
        else:
            text = f"arena ≈ {estimate.recommended / 1024:,.1f} KiB"
            bytes_text = f"{estimate.recommended:,} bytes"
            tip = f"A kTensorArenaSize of {bytes_text} is recommended (estimate)"
        self.arena_label.setText(text)
        self.arena_label.setToolTip(tip)
