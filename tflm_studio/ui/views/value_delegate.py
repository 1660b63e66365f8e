# SPDX-License-Identifier: Apache-2.0
"""How cells and headers of a table of values are painted and edited."""

from __future__ import annotations

from PySide6.QtCore import (
    QEvent,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    Qt,
    Signal,
)
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPalette
from PySide6.QtWidgets import (
    QHeaderView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from tflm_studio.ui.models.value_table import ValueTable
from tflm_studio.ui.views.value_colours import ColourScale, cell_colours

PADDING = 12  # pixels beside the digits of a cell
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)

Index = QModelIndex | QPersistentModelIndex


class ValueDelegate(QStyledItemDelegate):
    """Paints numbers straight from the grid: a third of the time that seven roles take.

    Attributes:
        fill_wanted: Emitted with what is typed when it shall stand in all selected cells.
        scale: Which values have which colours; None for none.
    """

    fill_wanted = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.scale: ColourScale | None = None
        self._colours: dict[int, QColor] = {}
        self._palette_key = 0

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, ValueTable)
        rect, palette = option.rect, option.palette
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        is_active = bool(option.state & QStyle.StateFlag.State_Active)
        active, inactive = QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive
        group = active if is_active else inactive
        colour = self._colour(model, index, palette) if self.scale is not None else None
        if is_selected:
            painter.fillRect(rect, palette.brush(group, QPalette.ColorRole.Highlight))
        elif colour is not None:
            painter.fillRect(rect, colour)
        elif self.scale is None and (
            option.features & QStyleOptionViewItem.ViewItemFeature.Alternate
        ):
            painter.fillRect(rect, palette.brush(group, QPalette.ColorRole.AlternateBase))
        role = QPalette.ColorRole.HighlightedText if is_selected else QPalette.ColorRole.Text
        painter.setPen(palette.color(group, role))
        inner = rect.adjusted(PADDING // 2, 0, -PADDING // 2, 0)
        text = model.text(index.row(), index.column())
        painter.drawText(inner, int(model.alignment), text)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(palette.color(group, QPalette.ColorRole.Accent))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))

    def _colour(self, model: ValueTable, index: Index, palette: QPalette) -> QColor | None:
        if palette.cacheKey() != self._palette_key:
            self._palette_key, self._colours = palette.cacheKey(), cell_colours(palette)
        number = model.number(index.row(), index.column())
        if number is None or self.scale is None:
            return None
        return self._colours.get(self.scale.step(number))

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> QWidget:
        model, editor = index.model(), QLineEdit(parent)
        assert isinstance(model, ValueTable)
        editor.setAlignment(model.alignment)
        editor.setFont(option.font)
        editor.setFrame(False)
        editor.setAutoFillBackground(True)
        return editor

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if (
            isinstance(watched, QLineEdit)
            and isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and event.key() in ENTER
            and event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            text = watched.text()
            self.closeEditor.emit(watched, QStyledItemDelegate.EndEditHint.NoHint)
            self.fill_wanted.emit(text)
            return True
        return super().eventFilter(watched, event)


class IndexHeader(QHeaderView):
    """A quiet header of numbers, aligned as the values are."""

    def __init__(self, orientation: Qt.Orientation, parent: QWidget) -> None:
        super().__init__(orientation, parent)
        self.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.setMinimumSectionSize(8)
        self.setFont(parent.font())
        self.setSectionsClickable(True)

    def paintSection(self, painter: QPainter, rect: QRect, section: int) -> None:
        palette, role = self.palette(), Qt.ItemDataRole.DisplayRole
        painter.fillRect(rect, palette.color(QPalette.ColorRole.Window))
        model, selected = self.model(), self.selectionModel().currentIndex()
        is_row = self.orientation() == Qt.Orientation.Vertical
        is_current = section == (selected.row() if is_row else selected.column())
        text = QPalette.ColorRole.Text if is_current else QPalette.ColorRole.PlaceholderText
        painter.setPen(palette.color(QPalette.ColorGroup.Active, text))
        inner = rect.adjusted(PADDING // 2, 0, -PADDING // 2, 0)
        side = RIGHT
        if not is_row and isinstance(model, ValueTable):
            side = model.alignment
        painter.drawText(inner, int(side), model.headerData(section, self.orientation(), role))
