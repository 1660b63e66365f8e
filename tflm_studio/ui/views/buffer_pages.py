# SPDX-License-Identifier: Apache-2.0
"""The pages of the buffer view, what it asks of them and which contents they fit."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple, Protocol, runtime_checkable

from PySide6.QtCore import SignalInstance

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.kernel_images import kernel_axes
from tflm_studio.analysis.statistics import Statistics
from tflm_studio.editing.document import Document
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.models.view_choices import ViewChoices


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
