# SPDX-License-Identifier: Apache-2.0
"""Cells of the table of boards: a bar for how full a memory is, a verdict in colour."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from tflm_studio.firmware.board_fit import TIGHT_SHARE, Verdict
from tflm_studio.ui.models.board_table import SHARE_ROLE, VERDICT_COLUMN, VERDICT_ROLE
from tflm_studio.ui.views.colours import is_dark

# For light and dark backgrounds; the word stands beside them.
COLOURS = {
    Verdict.FITS: ("#15803d", "#69db7c"),
    Verdict.TIGHT: ("#a16207", "#ffd43b"),
    Verdict.NO: ("#b91c1c", "#ff8787"),
}
BAR_OPACITY = 0.22
INSET = 2


def verdict_colour(verdict: Verdict, palette: QPalette) -> QColor:
    """The colour of a verdict on a background."""
    return QColor(COLOURS[verdict][is_dark(palette)])


class BoardCells(QStyledItemDelegate):
    """Paints the bars behind the percentages and the verdicts."""

    def initStyleOption(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        super().initStyleOption(option, index)
        if index.column() == VERDICT_COLUMN:
            colour = verdict_colour(index.data(VERDICT_ROLE), option.palette)
            option.palette.setColor(QPalette.ColorRole.Text, colour)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        super().paint(painter, option, index)
        share = index.data(SHARE_ROLE)
        if share is None or option.state & QStyle.StateFlag.State_Selected:
            return
        verdict = Verdict.FITS
        if share > 1 - TIGHT_SHARE:
            verdict = Verdict.NO if share > 1 else Verdict.TIGHT
        colour = verdict_colour(verdict, option.palette)
        colour.setAlphaF(BAR_OPACITY)
        room = QRectF(option.rect).adjusted(INSET, INSET, -INSET, -INSET)
        room.setWidth(max(room.width() * min(share, 1.0), 1.0))
        painter.save()
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        painter.drawRect(room)
        painter.restore()
