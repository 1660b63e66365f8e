# SPDX-License-Identifier: Apache-2.0
"""What a change of values would do: two histograms over each other, and figures.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import math

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from tflm_studio.editing.value_effects import Effect
from tflm_studio.ui.views.before_after_plot import BeforeAfterPlot

PLOT_PIXELS = 340, 220
FIGURES = ("changed", "saturated", "largest change", "RMS change", "SQNR")
COLUMNS = 3


class EffectView(QWidget):
    """A legend, the plot, and the figures below it.

    Attributes:
        plot: The histograms.
        figures: What the figures show, by title.
    """

    def __init__(self) -> None:
        super().__init__()
        self.plot = BeforeAfterPlot()
        self.plot.setMinimumSize(*PLOT_PIXELS)
        self.figures: dict[str, QLabel] = {}
        self._legend = QLabel()
        self._legend.setObjectName("legend")
        self._legend.setTextFormat(Qt.TextFormat.RichText)
        self.plot.restyled.connect(self._fill_legend)
        self._fill_legend()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._legend)
        column.addWidget(self.plot, 1)
        column.addLayout(self._build_figures())

    def show_effect(self, effect: Effect | None) -> None:
        """Shows figures, or that there are none."""
        texts = dict.fromkeys(FIGURES, "–") if effect is None else _texts(effect)
        for title, text in texts.items():
            self.figures[title].setText(text)

    def _fill_legend(self) -> None:
        quiet, accent = (
            self.palette().color(QPalette.ColorGroup.Active, role).name()
            for role in (QPalette.ColorRole.PlaceholderText, QPalette.ColorRole.Accent)
        )
        self._legend.setText(
            f"<span style='color:{quiet}'>■</span> now &nbsp; "
            f"<span style='color:{accent}'>■</span> afterwards"
        )

    def _build_figures(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(2)
        for place, title in enumerate(FIGURES):
            label, figure = QLabel(title), QLabel("–")
            label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            figure.setObjectName(title.replace(" ", "_"))
            row, column = divmod(place, COLUMNS)
            grid.addWidget(label, 2 * row, column)
            grid.addWidget(figure, 2 * row + 1, column)
            self.figures[title] = figure
        for column in range(COLUMNS):
            grid.setColumnStretch(column, 1)
        return grid


def _texts(effect: Effect) -> dict[str, str]:
    share = 100 * effect.changed / max(effect.count, 1)
    texts = (
        f"{effect.changed:,} ({share:.3g} %)",
        f"{effect.saturated:,}",
        f"{effect.largest:.4g}",
        f"{effect.rms:.4g}",
        f"{effect.sqnr:.1f} dB" if math.isfinite(effect.sqnr) else "–",
    )
    return dict(zip(FIGURES, texts, strict=True))
