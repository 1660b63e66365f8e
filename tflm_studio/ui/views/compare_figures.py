# SPDX-License-Identifier: Apache-2.0
"""The figures of a comparison in a column."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QFrame, QLabel, QScrollArea, QWidget

from tflm_studio.analysis.array_comparison import Comparison
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.statistics_strip import StatisticsStrip, muted_label

FIGURES = (
    "changed|largest|where|here|there|mean|mean absolute|RMS|SQNR|not finite|compared"
).split("|")


class CompareFigures(QScrollArea):
    """A line for each figure."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("compare_figures")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFixedWidth(StatisticsStrip.WIDTH)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        self._form = QFormLayout(body)
        self._form.setContentsMargins(12, 6, 8, 6)
        self._form.setVerticalSpacing(3)
        self._form.setHorizontalSpacing(14)
        self.figures = {name: QLabel() for name in FIGURES}
        for name, figure in self.figures.items():
            figure.setObjectName(f"compare_{name}")
            figure.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._form.addRow(muted_label(name), figure)
        self.setWidget(body)
        self.clear()

    def clear(self) -> None:
        """Shows nothing."""
        self._show({})

    def show_comparison(
        self, found: Comparison, grid: ValueGrid, theirs: BufferContents
    ) -> None:
        """Shows the figures of a comparison."""
        share = 100 * found.changed / max(found.count, 1)
        texts = {
            "changed": f"{found.changed:,} of {found.count:,} ({share:.3g} %)",
            "compared": "real values" if grid.is_real else "stored values",
        }
        if found.largest_at is not None:
            flat = found.largest_at
            texts |= {
                "largest": f"{found.largest:.6g}",
                "where": ", ".join(map(str, grid.indices(flat))) or "the value",
                "here": grid.text(flat),
                "there": reference_text(theirs, flat, is_real=grid.is_real),
                "mean": f"{found.mean:.5g}",
                "mean absolute": f"{found.mean_absolute:.5g}",
                "RMS": f"{found.rms:.5g}",
                "SQNR": f"{found.sqnr:.2f} dB" if math.isfinite(found.sqnr) else "",
            }
        if found.special:
            texts["not finite"] = f"{found.special:,} pairs"
        self._show(texts)

    def _show(self, texts: dict[str, str]) -> None:
        for name, figure in self.figures.items():
            figure.setText(texts.get(name, ""))
            self._form.setRowVisible(figure, bool(texts.get(name)))


def reference_text(theirs: BufferContents, flat: int, *, is_real: bool) -> str:
    """A value that others are compared with."""
    return ValueGrid(theirs, is_real).text(flat)
