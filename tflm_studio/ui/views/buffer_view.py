# SPDX-License-Identifier: Apache-2.0
"""What the selected thing stores: values, histogram, heat map, line and bytes of a buffer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from PySide6.QtCore import QSignalBlocker, Qt, Signal, SignalInstance
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QStackedLayout,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.buffer_contents import BufferContents, contents_at
from tflm_studio.analysis.kernel_images import kernel_axes
from tflm_studio.analysis.statistics import Statistics, measure
from tflm_studio.analysis.value_blocks import channel_axis
from tflm_studio.editing.associated_files import PLACE as FILES
from tflm_studio.editing.document import Change, Document
from tflm_studio.model.address import Address
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.ui.models.selection import Selection
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.models.value_table import ValueGrid, touched_bytes
from tflm_studio.ui.models.view_choices import ViewChoices
from tflm_studio.ui.views.values_page import AxisSlicer, StatisticsStrip, muted_label

BACKGROUND_ELEMENTS = 1 << 20  # more are measured in a thread
MIN_WIDTH_WITH_STRIP = 480

NOTHING = "Select a tensor, an operator with weights, a buffer or a metadata entry."
ASSOCIATED_FILE = "The inspector shows the beginning of an associated file."
NO_WEIGHTS = "This operator has no constant weights."
NO_DATA = "This tensor has no stored data: it lives in the arena at run time."
EMPTY_BUFFER = "This buffer is empty."

AnyWidget = TypeVar("AnyWidget", bound=QWidget)


class BufferPage(Protocol):
    """What the view asks of a page; a page is a widget that is made when first shown."""

    uses_axes: bool
    refused: SignalInstance

    def show_contents(self, grid: ValueGrid, statistics: Statistics | None) -> None:
        """Shows other contents; statistics are None until they are measured."""

    def show_statistics(self, statistics: Statistics | None) -> None:
        """Shows the statistics of the same contents."""

    def update_bytes(self, grid: ValueGrid, first: int, last: int) -> None:
        """Shows the same contents after bytes `first` to `last` have changed."""


@runtime_checkable
class PlotLike(Protocol):
    """What the view asks of a page that draws channels and remembers how."""

    channel_chosen: SignalInstance
    channel: int | None

    def follow_choices(self, choices: ViewChoices) -> None:
        """Remembers what is chosen about it in these choices."""

    def show_channel(self, channel: int | None) -> None:
        """Points a channel out that was picked elsewhere, None for none."""


class PageRow(NamedTuple):
    """A page: its tab, its class and what it can show.

    The module is loaded when the page is first shown, because plots load pyqtgraph.
    """

    title: str
    module: str
    name: str
    fits: Callable[[BufferContents], bool]

    def make(self, document: Document) -> BufferPage:
        """The page itself."""
        module = import_module(f"tflm_studio.ui.views.{self.module}")
        page: BufferPage = getattr(module, self.name)(document)
        return page


def _has_values(contents: BufferContents) -> bool:
    return contents.kind.kind != "opaque" and contents.count > 0


def _has_numbers(contents: BufferContents) -> bool:
    return contents.kind.kind in ("integer", "float", "bool") and contents.count > 0


def _has_kernels(contents: BufferContents) -> bool:
    return _has_numbers(contents) and kernel_axes(contents) is not None


PAGES = (
    PageRow("Values", "values_page", "ValuesPage", _has_values),
    PageRow("Histogram", "histogram_page", "HistogramPage", _has_numbers),
    PageRow("Heat map", "heat_map_page", "HeatMapPage", _has_numbers),
    PageRow("Kernels", "kernels_page", "KernelsPage", _has_kernels),
    PageRow("Line", "line_page", "LinePage", _has_numbers),
    PageRow("Hex", "hex_page", "HexPage", lambda contents: contents.nbytes > 0),
)


class BufferView(QWidget):
    """Shows and edits the bytes behind the selection, on one page at a time.

    Args:
        document: What is edited.
        selection: What to follow.
        parent: Owner of the widget.

    Attributes:
        refused: Emitted with the reason when an edit is refused; also shown in the view.
        choices: How people like to look at plots.
    """

    refused = Signal(str)

    def __init__(
        self, document: Document, selection: Selection, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("buffer_view")
        self._document = document
        self._selection = selection
        self._stored: BufferContents | None = None
        self._grid: ValueGrid | None = None
        self._statistics: Statistics | None = None
        self._pages: dict[int, BufferPage] = {}
        self._stale: set[int] = set()
        self._wanted_page = 0
        self.choices = ViewChoices(self)
        self._channel: int | None = None
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_measured)
        self._build()
        dispose = document.subscribe(self._on_document_changed)
        self.destroyed.connect(lambda: dispose())
        selection.changed.connect(self._on_selection_changed)
        self._on_selection_changed(selection.address)

    def _build(self) -> None:
        centre = Qt.AlignmentFlag.AlignCenter
        self._empty = _named(QLabel(alignment=centre, wordWrap=True), "empty")
        self._empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._notice = _named(
            QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText), "notice"
        )
        self._notice.setContentsMargins(8, 2, 8, 4)
        self._notice.hide()
        self._page_stack = QStackedWidget()
        self._strip = StatisticsStrip()
        body = _row(self._page_stack, self._strip, margins=(0, 0, 0, 0))
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._column = column
        column.addLayout(self._build_header())
        column.addLayout(self._build_tabs())
        column.addWidget(self._notice)
        column.addLayout(body, 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(content)

    def _build_header(self) -> QHBoxLayout:
        self._name = _named(QLabel(textFormat=Qt.TextFormat.PlainText), "name")
        font = self._name.font()
        font.setBold(True)
        self._name.setFont(font)
        self._place = _named(muted_label(""), "place")
        self._real = _named(QCheckBox("Real values"), "real")
        self._real.setToolTip("Shows scale × (stored − zero point), not the stored integers.")
        self._real.toggled.connect(self._on_real_toggled)
        self._type = _named(QComboBox(), "type")
        self._type.setAccessibleName("Read as type")
        self._type.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self._type.setToolTip("How the bytes are read; changes nothing in the model.")
        self._type.addItem("Auto", None)
        for kind in ELEMENT_TYPES.values():
            self._type.addItem(kind.name, kind)
        self._type.currentIndexChanged.connect(self._on_type_changed)
        parts = (self._name, self._place, None, self._real, self._type)
        return _row(*parts, margins=(8, 4, 8, 2))

    def _build_tabs(self) -> QHBoxLayout:
        self._tabs = _named(QTabBar(drawBase=False, expanding=False), "pages")
        self._tabs.setUsesScrollButtons(True)
        for page in PAGES:
            self._tabs.addTab(page.title)
        self._tabs.currentChanged.connect(self._on_tab_changed)
        self._slicer = AxisSlicer()
        self._slicer.changed.connect(self._on_slicer_changed)
        return _row(self._tabs, None, self._slicer, margins=(0, 0, 8, 0))

    def add_line(self, line: QWidget) -> None:
        """Puts a line of text below the name of what is shown."""
        self._column.insertWidget(1, line)

    def show_page(self, title: str) -> None:
        """Shows the page with this title, and keeps to it where it fits."""
        self._tabs.setCurrentIndex([page.title for page in PAGES].index(title))

    def page(self, number: int) -> BufferPage:
        """A page of `PAGES`, made if it was not shown before."""
        if number not in self._pages:
            page = PAGES[number].make(self._document)
            assert isinstance(page, QWidget)
            page.refused.connect(self._on_page_refused)
            if isinstance(page, PlotLike):
                page.follow_choices(self.choices)
                page.channel_chosen.connect(self.choose_channel)
            self._page_stack.addWidget(page)
            self._pages[number] = page
            self._stale.add(number)
        return self._pages[number]

    def restore_choices(self, made: Mapping[str, str]) -> None:
        """Takes over how plots were looked at before."""
        self.choices.restore(made)
        for page in self._pages.values():
            if isinstance(page, PlotLike):
                page.follow_choices(self.choices)

    def choose_channel(self, channel: int) -> None:
        """Shows this channel on all pages that tell channels apart."""
        grid = self._grid
        axis = channel_axis(grid.contents) if grid is not None else None
        if grid is None or axis is None:
            return
        self._channel = channel
        if axis in grid.sliceable_axes:
            fixed = tuple(channel if a == axis else f for a, f in enumerate(grid.fixed))
            self._show_grid(replace(grid, fixed=fixed))
        else:
            self._show_channel()

    def _show_channel(self) -> None:
        page = self.page(self._tabs.currentIndex())
        if isinstance(page, PlotLike):
            page.show_channel(self._channel)

    def _on_selection_changed(self, address: Address) -> None:
        self._channel = None
        self._stored = contents_at(self._document.model, address)
        self._say("")
        if self._stored is None or self._stored.data is None:
            self._grid = None
            self._task.cancel()
            self._empty.setText(_why_empty(self._stored, address))
            self._stack.setCurrentIndex(0)
            return
        with QSignalBlocker(self._type):
            self._type.setCurrentIndex(0)
        self._type.setItemText(0, f"as stored: {self._stored.kind.name}")
        self._place.setText(self._stored.place)
        self._fit_name()
        self._stack.setCurrentIndex(1)
        self._show_contents(self._stored)

    def _read(self, stored: BufferContents) -> BufferContents:
        kind = self._type.currentData()
        return stored if kind is None else stored.read_as(kind)

    def _on_type_changed(self) -> None:
        if self._stored is not None:
            self._show_contents(self._read(self._stored))

    def _show_contents(self, contents: BufferContents) -> None:
        self._real.setVisible(contents.quantization is not None)
        self._show_grid(ValueGrid(contents, self._real.isChecked()))
        self._say(contents.note)

    def _on_real_toggled(self) -> None:
        if self._grid is not None:
            self._show_grid(replace(self._grid, is_real=self._real.isChecked()))

    def _on_slicer_changed(self, fixed: tuple[int | None, ...]) -> None:
        if self._grid is not None:
            axis = channel_axis(self._grid.contents)
            if axis in self._grid.sliceable_axes:
                self._channel = fixed[axis] if axis is not None else None
            self._show_grid(replace(self._grid, fixed=fixed))

    def _show_grid(self, grid: ValueGrid) -> None:
        old, self._grid = self._grid, grid
        if old is None or (old.contents, old.is_real) != (grid.contents, grid.is_real):
            self._measure(grid)
        self._slicer.show_grid(grid)
        self._stale = set(self._pages)
        self._choose_page(grid.contents)

    def _choose_page(self, contents: BufferContents) -> None:
        fitting = [number for number, page in enumerate(PAGES) if page.fits(contents)]
        chosen = self._wanted_page if self._wanted_page in fitting else fitting[0]
        with QSignalBlocker(self._tabs):
            for number in range(len(PAGES)):
                self._tabs.setTabEnabled(number, number in fitting)
            self._tabs.setCurrentIndex(chosen)
        self._show_page(chosen)

    def _on_tab_changed(self, number: int) -> None:
        self._wanted_page = number
        if self._grid is not None:
            self._show_page(number)

    def _show_page(self, number: int) -> None:
        page = self.page(number)
        if number in self._stale and self._grid is not None:
            if isinstance(page, PlotLike):
                page.channel = self._channel
            page.show_contents(self._grid, self._statistics)
            self._stale.discard(number)
        elif isinstance(page, PlotLike):
            page.show_channel(self._channel)
        assert isinstance(page, QWidget)
        self._page_stack.setCurrentWidget(page)
        self._slicer.setVisible(page.uses_axes)

    def _measure(self, grid: ValueGrid) -> None:
        work = partial(measure, grid.contents, real=grid.is_real)
        self._statistics = None
        if grid.contents.count > BACKGROUND_ELEMENTS:
            self._task.start(lambda cancelled: work(cancelled=cancelled))
        else:
            self._task.cancel()
            self._statistics = work()
        self._strip.show_statistics(grid.contents, self._statistics)

    def _on_measured(self, statistics: Statistics) -> None:
        self._statistics = statistics
        if self._grid is not None:
            self._strip.show_statistics(self._grid.contents, statistics)
            self.page(self._tabs.currentIndex()).show_statistics(statistics)

    def _on_document_changed(self, change: Change) -> None:
        if not change.edits:
            return
        old, grid = self._stored, self._grid
        new = contents_at(self._document.model, self._selection.address)
        if old is None or new is None or grid is None or not old.reads_like(new):
            self._on_selection_changed(self._selection.address)
            return
        touched = touched_bytes(change.edits, new)
        if touched:
            # Bytes that were overwritten keep their place in a file that is saved again.
            self._stored = replace(new, file_offset=old.file_offset)
            self._update_bytes(replace(grid, contents=self._read(self._stored)), touched)

    def _update_bytes(self, grid: ValueGrid, touched: range) -> None:
        self._grid, number = grid, self._tabs.currentIndex()
        self._stale = set(self._pages) - {number}
        self._say(grid.contents.note)
        self._measure(grid)
        page = self.page(number)
        page.update_bytes(grid, touched.start, touched.stop - 1)
        if self._statistics is not None:
            page.show_statistics(self._statistics)

    def _on_page_refused(self, reason: str) -> None:
        self._say(reason)
        self.refused.emit(reason)

    def _say(self, text: str) -> None:
        self._notice.setText(excerpt(text))
        self._notice.setVisible(bool(text))

    def _fit_name(self) -> None:
        """Cuts a long name in the middle; its end tells what it is."""
        name = self._stored.name if self._stored is not None else ""
        others = (self._place, self._real, self._type)
        room = self.width() - sum(w.sizeHint().width() for w in others) - 56
        metrics, middle = self._name.fontMetrics(), Qt.TextElideMode.ElideMiddle
        self._name.setText(metrics.elidedText(excerpt(name), middle, max(room, 60)))
        self._name.setToolTip(tool_tip(name))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_name()
        self._strip.setVisible(event.size().width() >= MIN_WIDTH_WITH_STRIP)


def _named(widget: AnyWidget, name: str) -> AnyWidget:
    widget.setObjectName(name)
    return widget


def _row(*parts: QWidget | None, margins: tuple[int, int, int, int]) -> QHBoxLayout:
    """Widgets side by side; None is room that grows."""
    row = QHBoxLayout()
    row.setContentsMargins(*margins)
    row.setSpacing(8)
    for part in parts:
        if part is None:
            row.addStretch(1)
        else:
            row.addWidget(part)
    return row


def _why_empty(contents: BufferContents | None, address: Address) -> str:
    if contents is not None:
        return NO_DATA if contents.tensor_address is not None else EMPTY_BUFFER
    if address[:1] == FILES:
        return ASSOCIATED_FILE
    return NO_WEIGHTS if address[2:3] == ("operators",) else NOTHING
