# SPDX-License-Identifier: Apache-2.0
"""What the selected thing stores: values, histogram, heat map, line and bytes of a buffer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QAction, QPalette, QResizeEvent
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QStackedLayout,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.analysis.value_blocks import channel_axis
from tflm_studio.editing.associated_files import PLACE as FILES
from tflm_studio.editing.document import Change, Document
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.ui.models.contents_decoder import ContentsDecoder, not_decoded
from tflm_studio.ui.models.measuring import Measuring
from tflm_studio.ui.models.selection import Selection
from tflm_studio.ui.models.value_table import ValueGrid, touched_bytes
from tflm_studio.ui.models.view_choices import ViewChoices
from tflm_studio.ui.views.axis_slicer import AxisSlicer
from tflm_studio.ui.views.buffer_header import BufferHeader
from tflm_studio.ui.views.buffer_pages import PAGES, BufferPage, PlotLike
from tflm_studio.ui.views.page_stack import PageStack
from tflm_studio.ui.views.statistics_strip import StatisticsStrip
from tflm_studio.ui.views.values_page import ValuesPage

MIN_WIDTH_WITH_STRIP = 560

NOTHING = "Select a tensor, an operator with weights, a buffer or a metadata entry."
ASSOCIATED_FILE = "The inspector shows the beginning of an associated file."
NO_WEIGHTS = "This operator has no constant weights."
NO_DATA = "This tensor has no stored data: it lives in the arena at run time."
EMPTY_BUFFER = "This buffer is empty."


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
        self._wanted_page = 0
        self._channel: int | None = None
        self.choices = ViewChoices(self)
        self._measuring = Measuring(self)
        self._measuring.measured.connect(self._on_measured)
        self._decoder = ContentsDecoder(self)
        self._decoder.decoded.connect(self._on_decoded)
        self._decoder.failed.connect(self._on_not_decoded)
        self._build()
        dispose = document.subscribe(self._on_document_changed)
        self.destroyed.connect(lambda: dispose())
        selection.changed.connect(self._on_selection_changed)
        self._on_selection_changed(selection.address)

    def _build(self) -> None:
        self._empty = QLabel(alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._empty.setObjectName("empty")
        self._empty.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._notice = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self._notice.setObjectName("notice")
        self._notice.setContentsMargins(8, 2, 8, 4)
        self._notice.hide()
        self._header = BufferHeader()
        self._header.read_as_changed.connect(self._on_read_as_changed)
        self._header.real_toggled.connect(self._on_real_toggled)
        self._slicer = AxisSlicer()
        self._slicer.changed.connect(self._on_slicer_changed)
        self._build_pages()
        content = QWidget()
        self._column = QVBoxLayout(content)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self._header)
        self._column.addLayout(_row(self._tabs, None, margins=(0, 0, 8, 0)))
        self._column.addWidget(self._slicer)
        self._column.addWidget(self._notice)
        self._column.addLayout(_row(self._pages, self._strip, margins=(0, 0, 0, 0)), 1)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(content)

    def _build_pages(self) -> None:
        self._tabs = QTabBar(drawBase=False, expanding=False)
        self._tabs.setObjectName("pages")
        self._tabs.setUsesScrollButtons(True)
        for page in PAGES:
            self._tabs.addTab(page.title)
        self._tabs.currentChanged.connect(self._on_tab_changed)
        self._pages = PageStack(self._document, self.choices)
        self._pages.refused.connect(self._on_page_refused)
        self._pages.channel_chosen.connect(self.choose_channel)
        self._pages.slice_wanted.connect(self._on_slicer_changed)
        self._pages.tools_made.connect(self._slicer.add_tools)
        self._strip = StatisticsStrip()

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
        page, grid = self._pages.currentWidget(), self._grid
        if not isinstance(page, ValuesPage) or grid is None or self._stored is None:
            return None
        seen, stored = grid.contents, self._stored
        # Read in another way, the same index is another element.
        is_same = (seen.kind, seen.first_byte) == (stored.kind, stored.first_byte)
        found = page.chosen() if is_same else None
        return found if found is not None and len(found) > 1 else None

    def offer(self, action: QAction) -> None:
        """Puts a command into the menu of the values."""
        self._pages.offer(action)

    def show_page(self, title: str) -> None:
        """Shows the page with this title, and keeps to it where it fits."""
        self._tabs.setCurrentIndex([page.title for page in PAGES].index(title))

    def page(self, number: int) -> BufferPage:
        """A page of `PAGES`, made if it was not shown before."""
        return self._pages.page(number)

    def restore_choices(self, made: Mapping[str, str]) -> None:
        """Takes over how values and plots were looked at before."""
        self.choices.restore(made)
        self._pages.follow_choices()

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
            self._measuring.cancel()
            self._empty.setText(_why_empty(stored, address))
            self._stack.setCurrentIndex(0)
            return
        self._header.reset()
        self._show_stored(self._decoder.decode(stored))

    def _show_stored(self, stored: BufferContents) -> None:
        self._stored = stored
        self._header.show_stored(stored)
        self._header.fit(self.width())
        self._stack.setCurrentIndex(1)
        self._show_contents(self._header.read(stored))

    def _on_decoded(self, contents: BufferContents) -> None:
        old, grid = self._stored, self._grid
        if old is None or grid is None or not old.reads_like(contents):
            self._show_stored(contents)
            return
        self._update_bytes(contents, grid, range(len(contents.all_bytes)))

    def _on_not_decoded(self, error: EditError) -> None:
        if self._stored is not None:
            self._show_stored(not_decoded(self._stored, error))

    def _on_read_as_changed(self) -> None:
        if self._stored is not None:
            self._show_contents(self._header.read(self._stored))

    def _show_contents(self, contents: BufferContents) -> None:
        self._header.offer_reals(are_there=contents.quantization is not None)
        self._show_grid(ValueGrid(contents, self._header.is_real))
        self._say(contents.note)

    def _on_real_toggled(self, is_wanted: bool) -> None:
        if self._grid is not None:
            self._show_grid(replace(self._grid, is_real=is_wanted))

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
        self._pages.make_stale()
        self._choose_page(grid)

    def _choose_page(self, grid: ValueGrid) -> None:
        fitting = [number for number, page in enumerate(PAGES) if page.fits(grid.contents)]
        chosen = self._wanted_page if self._wanted_page in fitting else fitting[0]
        with QSignalBlocker(self._tabs):
            for number in range(len(PAGES)):
                self._tabs.setTabEnabled(number, number in fitting)
            self._tabs.setCurrentIndex(chosen)
        self._show_page(chosen, grid)

    def _on_tab_changed(self, number: int) -> None:
        self._wanted_page = number
        if self._grid is not None:
            self._say(self._grid.contents.note)  # what another page said is over
            self._choose_page(self._grid)

    def _show_page(self, number: int, grid: ValueGrid) -> None:
        page = self._pages.show_page(number, grid, self._measuring.statistics, self._channel)
        tools = getattr(page, "tools", None)
        self._slicer.show_page(uses_axes=page.uses_axes, tools=tools)
        self._fit_strip()

    def _measure(self, grid: ValueGrid) -> None:
        self._measuring.start(grid)
        self._strip.show_statistics(grid.contents, self._measuring.statistics)

    def _on_measured(self, statistics: Statistics) -> None:
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
            self._update_bytes(replace(new, file_offset=old.file_offset), grid, touched)

    def _decode_anew(self, new: BufferContents) -> None:
        """Decodes once more; what is shown stays until that is done."""
        self._decoder.cancel()
        decoded = self._decoder.decode(new)
        if not self._decoder.is_running:
            self._on_decoded(decoded)

    def _update_bytes(self, stored: BufferContents, old: ValueGrid, touched: range) -> None:
        """Shows the same grid of contents of which some bytes are others."""
        grid = replace(old, contents=self._header.read(stored))
        number = self._tabs.currentIndex()
        self._stored, self._grid = stored, grid
        self._pages.make_stale(but=number)
        self._say(grid.contents.note)
        self._measure(grid)
        page = self.page(number)
        page.update_bytes(grid, touched.start, touched.stop - 1)
        if self._measuring.statistics is not None:
            page.show_statistics(self._measuring.statistics)

    def _on_page_refused(self, reason: str) -> None:
        self._say(reason)
        if reason:
            self.refused.emit(reason)

    def _say(self, text: str) -> None:
        self._notice.setText(excerpt(text))
        self._notice.setVisible(bool(text))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._header.fit(self.width())
        self._fit_strip()

    def _fit_strip(self) -> None:
        page = self._pages.currentWidget()
        has_room = self.width() >= MIN_WIDTH_WITH_STRIP
        self._strip.setVisible(has_room and not getattr(page, "fills_width", False))


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
