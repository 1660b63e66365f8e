# SPDX-License-Identifier: Apache-2.0
"""The values of a buffer: a table to edit them, the slice it shows, their statistics."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import (
    QEvent,
    QItemSelectionRange,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRect,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import (
    QAction,
    QFontDatabase,
    QGuiApplication,
    QKeySequence,
    QPainter,
    QPalette,
)
from PySide6.QtWidgets import (
    QAbstractButton,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.document import Document
from tflm_studio.ui.models.value_table import ValueGrid, ValueTable

MAX_COPIED_CELLS = 1 << 20
SAMPLED_CELLS = 512  # whose widths stand for all
PADDING = 12  # pixels beside the digits of a cell
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter

Index = QModelIndex | QPersistentModelIndex


class ValueDelegate(QStyledItemDelegate):
    """Paints numbers straight from the grid: a third of the time that seven roles take."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        assert isinstance(model, ValueTable)
        rect, palette = option.rect, option.palette
        is_selected = bool(option.state & QStyle.StateFlag.State_Selected)
        is_active = bool(option.state & QStyle.StateFlag.State_Active)
        active, inactive = QPalette.ColorGroup.Active, QPalette.ColorGroup.Inactive
        group = active if is_active else inactive
        if is_selected:
            painter.fillRect(rect, palette.brush(group, QPalette.ColorRole.Highlight))
        elif option.features & QStyleOptionViewItem.ViewItemFeature.Alternate:
            painter.fillRect(rect, palette.brush(group, QPalette.ColorRole.AlternateBase))
        role = QPalette.ColorRole.HighlightedText if is_selected else QPalette.ColorRole.Text
        painter.setPen(palette.color(group, role))
        inner = rect.adjusted(2, 0, -PADDING // 2, 0)
        painter.drawText(inner, int(RIGHT), model.text(index.row(), index.column()))
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(palette.color(group, QPalette.ColorRole.Accent))
            painter.drawRect(rect.adjusted(0, 0, -1, -1))

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> QWidget:
        editor = QLineEdit(parent)
        editor.setAlignment(Qt.AlignmentFlag.AlignRight)
        editor.setFont(option.font)
        editor.setFrame(False)
        editor.setAutoFillBackground(True)
        return editor


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
        inner = rect.adjusted(2, 0, -PADDING // 2, 0)
        painter.drawText(
            inner, int(RIGHT), model.headerData(section, self.orientation(), role)
        )


class ValuesPage(QWidget):
    """A table of values; editing a cell is one step of the document.

    Attributes:
        refused: Emitted with the reason when a value cannot be stored.
        uses_axes: Whether it shows a slice along chosen axes.
    """

    refused = Signal(str)
    uses_axes = True

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.table = ValueTable(document, self)
        self.table.refused.connect(self.refused)
        self.view = self._build_view()
        self._corner = self.view.findChild(QAbstractButton)
        assert self._corner is not None
        self._corner.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self.setFocusProxy(self.view)

    def _build_view(self) -> QTableView:
        view = QTableView()
        view.setObjectName("values")
        view.setAccessibleName("Values")
        view.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setWordWrap(False)
        view.setShowGrid(False)
        view.setAlternatingRowColors(True)
        view.setItemDelegate(ValueDelegate(view))
        view.setModel(self.table)
        view.setHorizontalHeader(IndexHeader(Qt.Orientation.Horizontal, view))
        view.setVerticalHeader(IndexHeader(Qt.Orientation.Vertical, view))
        view.verticalHeader().setDefaultSectionSize(view.fontMetrics().height() + 5)
        copy = QAction("Copy values", view)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        copy.triggered.connect(self.copy_selection)
        view.addAction(copy)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        return view

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._corner and event.type() == QEvent.Type.Paint:
            # The style draws a raised button, beside headers that are flat.
            return True
        return super().eventFilter(watched, event)

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows the values of a grid."""
        self.table.show_grid(grid)
        self._fit_sections(grid, statistics)

    def show_statistics(self, statistics: Statistics | None) -> None:
        """A table has no use for statistics."""

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Shows the same grid after some bytes have changed."""
        self.table.update_bytes(grid, first, last)

    def _fit_sections(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        metrics = self.view.fontMetrics()
        step = max(1, grid.contents.count // SAMPLED_CELLS)
        texts = [grid.text(flat) for flat in range(0, grid.contents.count, step)]
        texts.append(f"+{grid.columns}")
        if statistics is not None and isinstance(statistics.low, int):
            texts += [str(statistics.low), str(statistics.high)]
        widest = max(map(len, texts), default=1)
        width = metrics.horizontalAdvance("0" * max(widest, 3)) + PADDING
        self.view.horizontalHeader().setDefaultSectionSize(width)
        label = max(grid.row_label(0), grid.row_label(grid.rows - 1), key=len)
        self.view.verticalHeader().setFixedWidth(
            metrics.horizontalAdvance(label) + PADDING + 4
        )

    def copy_selection(self) -> None:
        """Puts the selected values on the clipboard, tabs between columns."""
        ranges = self.view.selectionModel().selection().toList()
        cells = sum(item.width() * item.height() for item in ranges)
        if cells > MAX_COPIED_CELLS:
            self.refused.emit(
                f"{cells:,} values are selected; at most {MAX_COPIED_CELLS:,} can be copied."
            )
        elif ranges:
            QGuiApplication.clipboard().setText("\n".join(map(self._range_text, ranges)))

    def _range_text(self, cells: QItemSelectionRange) -> str:
        columns = range(cells.left(), cells.right() + 1)
        rows = range(cells.top(), cells.bottom() + 1)
        return "\n".join("\t".join(self.table.text(r, c) for c in columns) for r in rows)


class AxisSlicer(QWidget):
    """Chooses which part of a tensor the table and the heat map show.

    Attributes:
        changed: Emitted with the fixed index, or None for all, of each axis.
    """

    changed = Signal(object)  # tuple[int | None, ...]

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spins: dict[int, QSpinBox] = {}
        self._fixed: tuple[int | None, ...] = ()
        self._key: Any = None
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)

    def show_grid(self, grid: ValueGrid) -> None:
        """Offers the axes of a grid."""
        key = (grid.contents.shape, grid.contents.axis_names, grid.sliceable_axes)
        self._fixed = grid.fixed
        if key == self._key:
            self._show_fixed()
            return
        self._key = key
        while (item := self._layout.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._spins.clear()
        for axis in grid.sliceable_axes:
            self._add_axis(grid, axis)

    def _show_fixed(self) -> None:
        for axis, spin in self._spins.items():
            fixed = self._fixed[axis]
            with QSignalBlocker(spin):
                spin.setValue(-1 if fixed is None else fixed)

    def _add_axis(self, grid: ValueGrid, axis: int) -> None:
        name, last = grid.contents.axis_names[axis], grid.contents.shape[axis] - 1
        spin, fixed = QSpinBox(), grid.fixed[axis]
        spin.setObjectName(f"axis_{axis}")
        spin.setAccessibleName(name)
        spin.setRange(-1, last)
        spin.setPrefix(f"{name} ")
        spin.setSpecialValueText(f"{name} all")
        spin.setValue(-1 if fixed is None else fixed)
        spin.setToolTip(f"Which {name} to show, 0 to {last}; all of them below 0.")
        spin.valueChanged.connect(self._on_spin_changed)
        self._layout.addWidget(spin)
        self._spins[axis] = spin

    def _on_spin_changed(self) -> None:
        chosen = {axis: spin.value() for axis, spin in self._spins.items()}
        fixed = tuple(
            chosen[axis] if chosen.get(axis, -1) >= 0 else None
            for axis in range(len(self._fixed))
        )
        self.changed.emit(fixed)


def muted_label(text: str) -> QLabel:
    """A label that stands back."""
    label = QLabel(text)
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


class StatisticsStrip(QScrollArea):
    """What the bytes and the values of a buffer are like, in a column of figures."""

    WIDTH = 262

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("statistics")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFixedWidth(self.WIDTH)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        body = QWidget()
        self._form = QFormLayout(body)
        self._form.setContentsMargins(12, 6, 8, 6)
        self._form.setVerticalSpacing(3)
        self._form.setHorizontalSpacing(14)
        self._form.setFormAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self._figures = {name: QLabel() for name in _FIGURES}
        for name, figure in self._figures.items():
            figure.setObjectName(name)
            figure.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._form.addRow(muted_label(name), figure)
        self.setWidget(body)

    def show_statistics(self, contents: BufferContents, statistics: Statistics | None) -> None:
        """Shows the figures of a buffer; those of its values only if they are measured."""
        texts = _storage_figures(contents)
        texts |= {"min / max": "measuring…"} if statistics is None else _figures(statistics)
        if contents.quantization is None:
            texts.pop("saturated", None)
        for name, figure in self._figures.items():
            figure.setText(texts.get(name, ""))
            self._form.setRowVisible(figure, bool(texts.get(name)))


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
        "bytes": f"{contents.nbytes:,}",
    }
    if len(contents.shape) > 1:
        texts["axes"] = ", ".join(contents.axis_names)
    if start is not None:
        texts["bytes"] += f", {start % 16} mod 16" if start % 16 else ", 16-aligned"
        texts["as opened"] = f"at {start:#x}"
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
