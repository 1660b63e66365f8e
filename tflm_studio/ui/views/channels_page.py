# SPDX-License-Identifier: Apache-2.0
"""A table of the channels of a tensor: their scales, ends, moments and use of the range."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import (
    QItemSelectionModel,
    QModelIndex,
    QPersistentModelIndex,
    QSignalBlocker,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QGuiApplication, QKeySequence, QPainter, QPalette
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QFrame,
    QHeaderView,
    QLabel,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.channel_statistics import (
    ChannelStatistics,
    default_axis,
    measure_channels,
)
from tflm_studio.analysis.statistics import MeasuringCancelledError, Statistics
from tflm_studio.analysis.value_blocks import channel_axis
from tflm_studio.editing.document import Document
from tflm_studio.model.errors import EditError
from tflm_studio.ui.models.channel_table import ChannelTable, columns_of
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.value_table import ValueGrid

BACKGROUND_ELEMENTS = 1 << 18  # more are measured in a thread
BAR_ALPHA = 0.28
SAMPLED_ROWS = 64
PADDING = 22

Index = QModelIndex | QPersistentModelIndex


class BarDelegate(QStyledItemDelegate):
    """Draws a bar behind a share."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        share = model.share(index) if isinstance(model, ChannelTable) else None
        super().paint(painter, option, index)
        if share:
            colour = option.palette.color(
                QPalette.ColorGroup.Active, QPalette.ColorRole.Accent
            )
            colour.setAlphaF(BAR_ALPHA)
            bar = option.rect.adjusted(3, 3, -3, -3)
            bar.setWidth(max(round(bar.width() * min(share, 1.0)), 1))
            painter.fillRect(bar, colour)


class ChannelsPage(QWidget):
    """The channels along one axis; choosing one shows its slice on the other pages.

    Attributes:
        refused: Emitted with the reason when nothing can be told.
        slice_wanted: Emitted with the grid of a channel that was chosen.
        channel_chosen: Emitted with the channel if plots tell the same ones apart.
        channel: The one that was chosen here or elsewhere, None for none.
        uses_axes: Whether it shows a slice along chosen axes.
        fills_width: It takes the room of the statistics.
        tools: The choice of the axis.
    """

    refused = Signal(str)
    slice_wanted = Signal(object)  # ValueGrid
    channel_chosen = Signal(int)
    uses_axes = False
    fills_width = True

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid: ValueGrid | None = None
        self.channel: int | None = None
        self._shape_key: object = None
        self._fitted: object = None
        self.table = ChannelTable(self)
        self.view = self._build_view()
        self.tools = QComboBox()
        self.tools.setObjectName("channel_axis")
        self.tools.setAccessibleName("Axis of the channels")
        self.tools.setToolTip("The axis that channels are counted along")
        self.tools.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.tools.currentIndexChanged.connect(lambda: self._measure())
        self.caption = QLabel()
        self.caption.setObjectName("channels_caption")
        self.caption.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.caption.setContentsMargins(8, 2, 8, 2)
        self.caption.setMinimumWidth(1)
        self._task = LatestTask(self)
        self._task.finished.connect(self._show)
        self._task.failed.connect(self._on_task_failed)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.caption)
        column.addWidget(self.view, 1)
        self.setFocusProxy(self.view)

    def _build_view(self) -> QTableView:
        view = QTableView()
        view.setObjectName("channels")
        view.setAccessibleName("Channels")
        view.setFrameShape(QFrame.Shape.NoFrame)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setAlternatingRowColors(True)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setTabKeyNavigation(False)
        view.setItemDelegate(BarDelegate(view))
        view.setModel(self.table)
        view.setSortingEnabled(True)
        view.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        view.horizontalHeader().setSortIndicatorClearable(True)
        view.horizontalHeader().setHighlightSections(False)
        view.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(view.fontMetrics().height() + 6)
        copy = QAction("Copy rows", view)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        copy.triggered.connect(self.copy_rows)
        view.addAction(copy)
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        view.clicked.connect(self._on_view_chosen)
        view.activated.connect(self._on_view_chosen)
        return view

    @property
    def axis(self) -> int:
        """The axis that channels are counted along."""
        return max(self.tools.currentIndex(), 0)

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Measures the channels of a tensor, unless only the slice is another."""
        old, self._grid = self._grid, grid
        contents = grid.contents
        key = (contents.shape, contents.axis_names, contents.place)
        if key != self._shape_key:
            self._shape_key = key
            with QSignalBlocker(self.tools):
                self.tools.clear()
                for name, size in zip(contents.axis_names, contents.shape, strict=True):
                    self.tools.addItem(f"channels: {name} ({size:,})")
                self.tools.setCurrentIndex(default_axis(contents))
        if old is None or (old.contents, old.is_real) != (contents, grid.is_real):
            self._measure()
        else:
            self._mark()

    def show_channel(self, channel: int | None) -> None:
        """Marks the row of a channel that was picked elsewhere, None for none."""
        self.channel = channel
        self._mark()

    def _mark(self) -> None:
        grid = self._grid
        if grid is None or self.axis != channel_axis(grid.contents):
            return
        rows = range(self.table.rowCount())
        found = (row for row in rows if self.table.channel(row) == self.channel)
        row = next(found, None)
        if row is None:
            self.view.clearSelection()
        elif row != self.view.currentIndex().row() or not self.view.selectedIndexes():
            # Not `selectRow`: that adds to the selection while a person holds Ctrl.
            flags = QItemSelectionModel.SelectionFlag
            self.view.selectionModel().setCurrentIndex(
                self.table.index(row, 0), flags.ClearAndSelect | flags.Rows
            )

    def show_statistics(self, statistics: Statistics | None) -> None:
        """The figures of all values together have their own place."""

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Measures anew after some bytes have changed."""
        self._grid = grid
        self._measure()

    def _measure(self) -> None:
        grid = self._grid
        if grid is None:
            return
        contents, axis, real = grid.contents, self.axis, grid.is_real
        if contents.count > BACKGROUND_ELEMENTS:
            self.caption.setText("measuring…")
            self._task.start(
                lambda cancelled: measure_channels(
                    contents, axis, real=real, cancelled=cancelled
                )
            )
            return
        self._task.cancel()
        try:
            self._show(measure_channels(contents, axis, real=real))
        except EditError as error:
            self._on_task_failed(error)

    def _on_task_failed(self, error: Exception) -> None:
        if isinstance(error, MeasuringCancelledError):
            return
        if not isinstance(error, EditError):
            raise error
        self.table.show_columns([])
        self.caption.setText(str(error))

    def _show(self, found: ChannelStatistics) -> None:
        grid = self._grid
        if grid is None:
            return
        name = grid.contents.axis_names[found.axis]
        is_whole = grid.contents.kind.kind != "float" and not grid.is_real
        self.table.show_columns(columns_of(found, name, is_whole=is_whole))
        values = "real values" if grid.is_real else "values"
        self.caption.setText(
            f"{len(found.low):,} channels along {name}, {found.size:,} {values} in each; "
            "a click shows the slice of one"
        )
        titles = tuple(column.title for column in self.table.columns)
        if self._fitted != (titles, grid.is_real, grid.contents.place):
            self._fitted = (titles, grid.is_real, grid.contents.place)
            self._fit_columns()
        self._mark()

    def _fit_columns(self) -> None:
        metrics, rows = (
            self.view.fontMetrics(),
            range(min(self.table.rowCount(), SAMPLED_ROWS)),
        )
        for number, column in enumerate(self.table.columns):
            texts = [column.text(self.table.channel(row)) for row in rows]
            wide = max(map(metrics.horizontalAdvance, [*texts, column.title]))
            self.view.setColumnWidth(number, wide + PADDING)

    def _on_view_chosen(self, index: QModelIndex) -> None:
        grid = self._grid
        if grid is None or not index.isValid():
            return
        axis, channel = self.axis, self.table.channel(index.row())
        others = [each for each in grid.long_axes if each != axis]
        if not others or axis not in grid.long_axes:
            return
        fixed = list(grid.fixed)
        fixed[axis] = channel
        across = others[-1] if grid.column_axis == axis else grid.across
        down = None if grid.down == axis else grid.down
        self.slice_wanted.emit(replace(grid, fixed=tuple(fixed), down=down, across=across))
        if axis == channel_axis(grid.contents):
            self.channel_chosen.emit(channel)

    def copy_rows(self) -> None:
        """Puts the selected rows, or all, on the clipboard, with titles and tabs."""
        chosen = sorted({i.row() for i in self.view.selectionModel().selectedRows()})
        rows = chosen or list(range(self.table.rowCount()))
        columns = self.table.columns
        lines = ["\t".join(column.title for column in columns)]
        for row in rows:
            channel = self.table.channel(row)
            lines.append("\t".join(column.text(channel) for column in columns))
        QGuiApplication.clipboard().setText("\n".join(lines))
