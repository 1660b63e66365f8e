# SPDX-License-Identifier: Apache-2.0
"""What the bytes and the values of a buffer are like, in a column of figures."""

from __future__ import annotations

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.model.quantization import BlockQuantization
from tflm_studio.ui.views.figure_column import FigureColumn


class StatisticsStrip(FigureColumn):
    """What the bytes and the values of a buffer are like."""

    def __init__(self) -> None:
        super().__init__("statistics", _FIGURES)

    def show_statistics(self, contents: BufferContents, statistics: Statistics | None) -> None:
        """Shows the figures of a buffer; those of its values only if they are measured."""
        texts = _storage_figures(contents)
        if statistics is not None:
            texts |= _figures(statistics)
        elif contents.texts is None:
            texts["min / max"] = "measuring…"
        if contents.quantization is None:
            texts.pop("saturated", None)
        self.show_texts(texts)


_FIGURES = (
    "shape|axes|type|bytes|as opened|min / max|mean / std|zeros|saturated|not finite|scale|"
    "zero point"
).split("|")


def _storage_figures(contents: BufferContents) -> dict[str, str]:
    axis, start, q = contents.channel_axis, contents.file_offset, contents.quantization
    texts = {
        "shape": "×".join(map(str, contents.shape)) or "scalar",
        "type": contents.kind.name
        + (f", per channel (dim {axis})" if axis is not None else ""),
        "bytes": f"{len(contents.all_bytes):,}",
    }
    if len(contents.shape) > 1:
        texts["axes"] = ", ".join(contents.axis_names)
    if start is not None:
        texts["bytes"] += f", {start % 16} mod 16" if start % 16 else ", 16-aligned"
        texts["as opened"] = f"at {start:#x}"
    if isinstance(q, BlockQuantization):
        texts["type"] += f", blocks of {'×'.join(map(str, q.blocks))}"
    if q is not None:
        texts["scale"] = _span(q.scale.min(), q.scale.max())
        texts["zero point"] = _span(q.zero_point.min(), q.zero_point.max())
    return texts


def _figures(statistics: Statistics) -> dict[str, str]:
    count, low, high = statistics.count, statistics.low, statistics.high
    texts = {"zeros": f"{100 * statistics.zeros / max(count, 1):.1f} %"}
    if low is not None and high is not None:
        digits = "," if isinstance(low, int) else ".5g"
        texts["min / max"] = f"{low:{digits}} / {high:{digits}}"
        texts["mean / std"] = f"{statistics.mean:.4g} / {statistics.std:.4g}"
    if statistics.saturated is not None:
        texts["saturated"] = f"{100 * statistics.saturated / max(count, 1):.1f} %"
    if statistics.nan or statistics.infinite:
        texts["not finite"] = f"{statistics.nan:,} NaN, {statistics.infinite:,} infinite"
    return texts


def _span(low: float, high: float) -> str:
    return f"{low:.4g}" if low == high else f"{low:.4g} … {high:.4g}"
