# SPDX-License-Identifier: Apache-2.0
"""The figures of a comparison in a column."""

from __future__ import annotations

import math

from tflm_studio.analysis.array_comparison import Comparison
from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.views.figure_column import FigureColumn

FIGURES = (
    "changed|largest|where|here|there|mean|mean absolute|RMS|SQNR|not finite|compared"
).split("|")


class CompareFigures(FigureColumn):
    """A line for each figure of a comparison."""

    def __init__(self) -> None:
        super().__init__("compare_figures", FIGURES, "compare_")
        self.clear()

    def clear(self) -> None:
        """Shows nothing."""
        self.show_texts({})

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
        self.show_texts(texts)


def reference_text(theirs: BufferContents, flat: int, *, is_real: bool) -> str:
    """A value that others are compared with."""
    return ValueGrid(theirs, is_real).text(flat)
