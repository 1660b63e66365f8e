# SPDX-License-Identifier: Apache-2.0
"""What the selected thing stores: values, histogram, heat map, line and bytes of a buffer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from importlib import import_module
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, QThread, Signal, SignalInstance
from PySide6.QtGui import QAction, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QStackedLayout,
    QStackedWidget,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.kernel_images import kernel_axes
from tflm_studio.analysis.statistics import Statistics, measure
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.analysis.value_blocks import channel_axis
from tflm_studio.editing.associated_files import PLACE as FILES
from tflm_studio.editing.document import Change, Document
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.ui.models.selection import Selection
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.models.value_table import ValueGrid, touched_bytes
from tflm_studio.ui.models.view_choices import ViewChoices
from tflm_studio.ui.views.axis_slicer import AxisSlicer
from tflm_studio.ui.views.elided_label import ElidedLabel
from tflm_studio.ui.views.read_as_button import ReadAsButton
from tflm_studio.ui.views.statistics_strip import StatisticsStrip
from tflm_studio.ui.views.values_page import ValuesPage

BACKGROUND_ELEMENTS = 1 << 20  # more are measured in a thread
FIRST_PAINT_MS = 60
DECODED_AT_ONCE = 1 << 18  # bytes and values; more are decoded in a thread
MIN_WIDTH_WITH_STRIP = 560

NOTHING = "Select a tensor, an operator with weights, a buffer or a metadata entry."
ASSOCIATED_FILE = "The inspector shows the beginning of an associated file."
NO_WEIGHTS = "This operator has no constant weights."
NO_DATA = "This tensor has no stored data: it lives in the arena at run time."
EMPTY_BUFFER = "This buffer is empty."
DECODING = "Decoding…"

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
class SlicingPage(Protocol):
    """A page that may ask for another slice: the grid that shows it."""

    slice_wanted: SignalInstance


@runtime_checkable
class PlotLike(Protocol):
    """What the view asks of a page that draws channels."""

    channel_chosen: SignalInstance
    channel: int | None

    def show_channel(self, channel: int | None) -> None:
        """Points a channel out that was picked elsewhere, None for none."""


@runtime_checkable
class RememberingPage(Protocol):
    """A page that remembers how people like to look at it."""

    def follow_choices(self, choices: ViewChoices) -> None:
        """Remembers what is chosen about it in these choices."""


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
    is_known = contents.kind.kind != "opaque" or contents.texts is not None
    return is_known and contents.count > 0


def _has_numbers(contents: BufferContents) -> bool:
    return contents.kind.kind in ("integer", "float", "bool") and contents.count > 0


def _has_kernels(contents: BufferContents) -> bool:
    return _has_numbers(contents) and kernel_axes(contents) is not None


def _has_channels(contents: BufferContents) -> bool:
    return _has_numbers(contents) and bool(contents.shape)


PAGES = (
    PageRow("Values", "values_page", "ValuesPage", _has_values),
    PageRow("Histogram", "histogram_page", "HistogramPage", _has_numbers),
    PageRow("Heat map", "heat_map_page", "HeatMapPage", _has_numbers),
    PageRow("Kernels", "kernels_page", "KernelsPage", _has_kernels),
    PageRow("Line", "line_page", "LinePage", _has_numbers),
    PageRow("Channels", "channels_page", "ChannelsPage", _has_channels),
    PageRow("Compare", "compare_page", "ComparePage", _has_numbers),
    PageRow("Hex", "hex_page", "HexPage", lambda contents: len(contents.all_bytes) > 0),
)


class BufferView(QWidget):
    """Shows and edits the bytes behind the selection, on one page at a time.

    Args:
        document: What is edited.
        selection: What to follow.
        parent: Owner of the widget.

    Attributes:
        refused: Emitted with the reason when an edit is refused; also shown in the view.
        choices: How people like to look at values and plots.
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
        self._offered: list[QAction] = []
        self._wanted_page = 0
        self.choices = ViewChoices(self)
        self._channel: int | None = None
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_measured)
        self._decoder = LatestTask(self)
        self._decoder.finished.connect(self._on_decoded)
        self._decoder.failed.connect(self._on_not_decoded)
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
        self._slicer = AxisSlicer()
        self._slicer.changed.connect(self._on_slicer_changed)
        column.addWidget(self._slicer)
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
        self._place = _named(ElidedLabel(), "place")
        self._place.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._place.setForegroundRole(QPalette.ColorRole.PlaceholderText)
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
        self._read_as = _named(ReadAsButton(), "read_as")
        self._read_as.changed.connect(self._on_type_changed)
        parts = (self._name, self._place, None, self._real, self._type, self._read_as)
        return _row(*parts, margins=(8, 4, 8, 2))

    def _build_tabs(self) -> QHBoxLayout:
        self._tabs = _named(QTabBar(drawBase=False, expanding=False), "pages")
        self._tabs.setUsesScrollButtons(True)
        for page in PAGES:
            self._tabs.addTab(page.title)
        self._tabs.currentChanged.connect(self._on_tab_changed)
        return _row(self._tabs, None, margins=(0, 0, 8, 0))

    @property
    def grid(self) -> ValueGrid | None:
        """What is shown, and how it is read; None if nothing is."""
        return self._grid

    def add_line(self, line: QWidget) -> None:
        """Puts a line of text below the name of what is shown."""
        self._column.insertWidget(1, line)

    @property
    def contents(self) -> BufferContents | None:
        """What is shown, as it is stored; None if nothing is."""
        is_shown = self._stored is not None and self._stored.data is not None
        return self._stored if is_shown else None

    def chosen(self) -> NDArray[np.int64] | None:
        """Flat indices of several elements that are selected where values are shown.

        Raises:
            EditError: There are too many.
        """
        page, grid = self._page_stack.currentWidget(), self._grid
        if not isinstance(page, ValuesPage) or grid is None or self._stored is None:
            return None
        seen, stored = grid.contents, self._stored
        # Read in another way, the same index is another element.
        is_same = (seen.kind, seen.first_byte) == (stored.kind, stored.first_byte)
        found = page.chosen() if is_same else None
        return found if found is not None and len(found) > 1 else None

    def offer(self, action: QAction) -> None:
        """Puts a command into the menu of the values."""
        self._offered.append(action)
        for page in self._pages.values():
            if isinstance(page, ValuesPage):
                page.view.addAction(action)

    def show_page(self, title: str) -> None:
        """Shows the page with this title, and keeps to it where it fits."""
        self._tabs.setCurrentIndex([page.title for page in PAGES].index(title))

    def page(self, number: int) -> BufferPage:
        """A page of `PAGES`, made if it was not shown before."""
        if number not in self._pages:
            page = PAGES[number].make(self._document)
            assert isinstance(page, QWidget)
            page.refused.connect(self._on_page_refused)
            if isinstance(page, ValuesPage):
                page.view.addActions(self._offered)
            tools = getattr(page, "tools", None)
            if tools is not None:
                self._slicer.add_tools(tools)
            if isinstance(page, RememberingPage):
                page.follow_choices(self.choices)
            if isinstance(page, PlotLike):
                page.channel_chosen.connect(self.choose_channel)
            if isinstance(page, SlicingPage):
                page.slice_wanted.connect(self._on_slicer_changed)
            self._page_stack.addWidget(page)
            self._pages[number] = page
            self._stale.add(number)
        return self._pages[number]

    def restore_choices(self, made: Mapping[str, str]) -> None:
        """Takes over how values and plots were looked at before."""
        self.choices.restore(made)
        for page in self._pages.values():
            if isinstance(page, RememberingPage):
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
        self._decoder.cancel()
        stored = contents_at(self._document.model, address)
        self._say("")
        if stored is None or stored.data is None:
            self._stored, self._grid = stored, None
            self._task.cancel()
            self._empty.setText(_why_empty(stored, address))
            self._stack.setCurrentIndex(0)
            return
        with QSignalBlocker(self._type):
            self._type.setCurrentIndex(0)
        self._read_as.reset()
        self._show_stored(self._decoded(stored))

    def _show_stored(self, stored: BufferContents) -> None:
        self._stored = stored
        self._type.setItemText(0, f"as stored: {stored.kind.name}")
        self._place.say(stored.place)
        self._fit_name()
        self._stack.setCurrentIndex(1)
        self._show_contents(self._read(stored))

    def _decoded(self, stored: BufferContents) -> BufferContents:
        """The contents with decoded values, or as they are until a thread has decoded them."""
        decoding = stored.decoding
        if decoding is None:
            return stored
        if len(stored.all_bytes) + math.prod(stored.declared_shape or ()) > DECODED_AT_ONCE:
            self._decoder.start(lambda cancelled: decoding())
            return replace(stored, note=f"{DECODING} {stored.note}".strip())
        try:
            return decoding()
        except EditError as error:
            return _not_decoded(stored, error)

    def _on_decoded(self, contents: BufferContents) -> None:
        old, grid = self._stored, self._grid
        if old is None or grid is None or not old.reads_like(contents):
            self._show_stored(contents)
            return
        self._stored = contents
        whole = range(len(contents.all_bytes))
        self._update_bytes(replace(grid, contents=self._read(contents)), whole)

    def _on_not_decoded(self, error: Exception) -> None:
        if not isinstance(error, EditError):
            raise error
        if self._stored is not None:
            self._show_stored(_not_decoded(self._stored, error))

    def _read(self, stored: BufferContents) -> BufferContents:
        kind = self._type.currentData() or stored.kind
        if self._type.currentData() is None and not self._read_as.is_set:
            return stored
        try:
            return stored.read_as(kind, self._read_as.first_byte, self._read_as.shape)
        except EditError as error:
            return replace(stored, note=str(error))

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

    def _on_slicer_changed(self, grid: ValueGrid) -> None:
        axis = channel_axis(grid.contents)
        if axis is not None and axis in grid.sliceable_axes:
            self._channel = grid.fixed[axis]
        self._show_grid(grid)

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
            self._choose_page(self._grid.contents)

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
        tools = getattr(page, "tools", None)
        self._slicer.show_page(uses_axes=page.uses_axes, tools=tools)
        self._fit_strip()

    def _measure(self, grid: ValueGrid) -> None:
        work = partial(measure, grid.contents, real=grid.is_real)
        self._statistics = None
        if grid.contents.texts is not None:
            self._task.cancel()
        elif grid.contents.count > BACKGROUND_ELEMENTS:

            def measure_later(cancelled: Callable[[], bool]) -> Statistics:
                QThread.msleep(FIRST_PAINT_MS)  # or the window would wait for the interpreter
                return work(cancelled=cancelled)

            self._task.start(measure_later)
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
        if new is not None and new.decoding is not None and grid is not None:
            self._decode_anew(new)
            return
        if old is None or new is None or grid is None or not old.reads_like(new):
            self._on_selection_changed(self._selection.address)
            return
        touched = touched_bytes(change.edits, new)
        if touched:
            # Bytes that were overwritten keep their place in a file that is saved again.
            self._stored = replace(new, file_offset=old.file_offset)
            self._update_bytes(replace(grid, contents=self._read(self._stored)), touched)

    def _decode_anew(self, new: BufferContents) -> None:
        """Decodes once more; what is shown stays until that is done."""
        self._decoder.cancel()
        decoded = self._decoded(new)
        if not self._decoder.is_running:
            self._on_decoded(decoded)

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
        if reason:
            self.refused.emit(reason)

    def _say(self, text: str) -> None:
        self._notice.setText(excerpt(text))
        self._notice.setVisible(bool(text))

    def _fit_name(self) -> None:
        """Cuts a long name in the middle; its end tells what it is."""
        name = self._stored.name if self._stored is not None else ""
        others = (self._place, self._real, self._type, self._read_as)
        shown = [w.sizeHint().width() + 8 for w in others if not w.isHidden()]
        room = self.width() - sum(shown) - 24
        metrics, middle = self._name.fontMetrics(), Qt.TextElideMode.ElideMiddle
        self._name.setText(metrics.elidedText(excerpt(name), middle, max(room, 60)))
        self._name.setToolTip(tool_tip(name))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_name()
        self._fit_strip()

    def _fit_strip(self) -> None:
        page = self._page_stack.currentWidget()
        has_room = self.width() >= MIN_WIDTH_WITH_STRIP
        self._strip.setVisible(has_room and not getattr(page, "fills_width", False))


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


def _not_decoded(stored: BufferContents, error: EditError) -> BufferContents:
    """Contents of which only the bytes can be told."""
    return replace(stored, decoding=None, note=f"{error} Shown as stored.")


def _why_empty(contents: BufferContents | None, address: Address) -> str:
    if contents is not None:
        return NO_DATA if contents.tensor_address is not None else EMPTY_BUFFER
    if address[:1] == FILES:
        return ASSOCIATED_FILE
    return NO_WEIGHTS if address[2:3] == ("operators",) else NOTHING
