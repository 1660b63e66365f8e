# SPDX-License-Identifier: Apache-2.0
"""The pages of the buffer view that were shown so far, and which of them are up to date."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QStackedWidget, QWidget

from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.document import Document
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.models.view_choices import ViewChoices
from tflm_studio.ui.views.buffer_pages import (
    PAGES,
    BufferPage,
    PlotLike,
    RememberingPage,
    SlicingPage,
)
from tflm_studio.ui.views.values_page import ValuesPage


class PageStack(QStackedWidget):
    """Makes each page when it is first shown, and tells it of other contents when it is seen.

    Args:
        document: What the pages edit.
        choices: How people like to look at values and plots.

    Attributes:
        refused: Emitted with the reason when a page refuses an edit, or with "".
        channel_chosen: Emitted with the channel that was picked on a page.
        slice_wanted: Emitted with the grid that a page asks for.
        tools_made: Emitted with fields of a page that stand above it while it is shown.
    """

    refused = Signal(str)
    channel_chosen = Signal(int)
    slice_wanted = Signal(object)  # ValueGrid
    tools_made = Signal(QWidget)

    def __init__(self, document: Document, choices: ViewChoices) -> None:
        super().__init__()
        self._document = document
        self._choices = choices
        self._pages: dict[int, BufferPage] = {}
        self._stale: set[int] = set()
        self._offered: list[QAction] = []

    def page(self, number: int) -> BufferPage:
        """A page of `PAGES`, made if it was not shown before."""
        if number not in self._pages:
            page = PAGES[number].make(self._document)
            self._connect(page)
            self._pages[number] = page
            self._stale.add(number)
        return self._pages[number]

    def _connect(self, page: BufferPage) -> None:
        assert isinstance(page, QWidget)
        page.refused.connect(self.refused)
        if isinstance(page, ValuesPage):
            page.view.addActions(self._offered)
        tools = getattr(page, "tools", None)
        if tools is not None:
            self.tools_made.emit(tools)
        if isinstance(page, RememberingPage):
            page.follow_choices(self._choices)
        if isinstance(page, PlotLike):
            page.channel_chosen.connect(self.channel_chosen)
        if isinstance(page, SlicingPage):
            page.slice_wanted.connect(self.slice_wanted)
        self.addWidget(page)

    def offer(self, action: QAction) -> None:
        """Puts a command into the menu of the values."""
        self._offered.append(action)
        for page in self._pages.values():
            if isinstance(page, ValuesPage):
                page.view.addAction(action)

    def follow_choices(self) -> None:
        """Shows all pages as people like to look at them, after that was restored."""
        for page in self._pages.values():
            if isinstance(page, RememberingPage):
                page.follow_choices(self._choices)

    def make_stale(self, but: int | None = None) -> None:
        """Has pages show other contents when they are seen next, all but one."""
        self._stale = set(self._pages) - {but}

    def show_page(
        self, number: int, grid: ValueGrid, statistics: Statistics | None, channel: int | None
    ) -> BufferPage:
        """Brings a page to the front, up to date."""
        page = self.page(number)
        if number in self._stale:
            if isinstance(page, PlotLike):
                page.channel = channel
            page.show_contents(grid, statistics)
            self._stale.discard(number)
        elif isinstance(page, PlotLike):
            page.show_channel(channel)
        assert isinstance(page, QWidget)
        self.setCurrentWidget(page)
        return page
