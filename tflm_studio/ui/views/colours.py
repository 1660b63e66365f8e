# SPDX-License-Identifier: Apache-2.0
"""Colours that are not in the palette: a chip for each family of operators."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPixmap

# For light and dark backgrounds. Names stand beside them: nothing is told by colour alone.
GROUP_COLOURS = {
    "convolution": ("#2563eb", "#6ea8fe"),
    "depthwise": ("#7c3aed", "#b197fc"),
    "matrix": ("#0f766e", "#38d9a9"),
    "pooling": ("#0891b2", "#66d9e8"),
    "activation": ("#dc2626", "#ff8787"),
    "elementwise": ("#ca8a04", "#ffd43b"),
    "reduction": ("#65a30d", "#c0eb75"),
    "shape": ("#64748b", "#adb5bd"),
    "quantisation": ("#db2777", "#faa2c1"),
    "control": ("#ea580c", "#ffa94d"),
    "signal": ("#16a34a", "#8ce99a"),
    "custom": ("#1f2937", "#dee2e6"),
}
CHIP_PIXELS = 10


def is_dark(palette: QPalette) -> bool:
    """Whether the window is dark."""
    return palette.color(QPalette.ColorRole.Window).lightnessF() < 0.5


def chip(group: str, palette: QPalette) -> QIcon:
    """A small square in the colour of a family of operators."""
    return _chip(group, is_dark(palette))


@lru_cache(maxsize=64)
def _chip(group: str, dark: bool) -> QIcon:
    icon = QIcon()
    for scale in (1, 2, 3):
        pixmap = QPixmap(CHIP_PIXELS * scale, CHIP_PIXELS * scale)
        pixmap.setDevicePixelRatio(scale)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(GROUP_COLOURS.get(group, GROUP_COLOURS["custom"])[dark]))
        painter.drawRoundedRect(QRectF(0, 0, CHIP_PIXELS, CHIP_PIXELS), 3, 3)
        painter.end()
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected, QIcon.Mode.Active):
            icon.addPixmap(pixmap, mode)
    return icon


def channel_colour(number: int, count: int, dark: bool) -> QColor:
    """Colours that differ in hue, of one lightness."""
    hue = 0.58 + 0.85 * number / max(count, 1)
    return QColor.fromHslF(hue % 1.0, 0.65, 0.68 if dark else 0.42)
