# SPDX-License-Identifier: Apache-2.0
"""A page with a plot: a line of text and choices above it, and what can be exported.

This module loads pyqtgraph: import it only when a plot is shown.
"""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeySequence, QPalette
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QVBoxLayout, QWidget

from tflm_studio.formats.atomic_file import write_atomically
from tflm_studio.model.errors import WriteError
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.value_table import ValueGrid
from tflm_studio.ui.models.view_choices import ViewChoices
from tflm_studio.ui.views.elided_label import ElidedLabel
from tflm_studio.ui.views.plot import Plot
from tflm_studio.ui.views.plot_controls import Choice, PlotControls
from tflm_studio.ui.views.plot_export import (
    Drawn,
    picture,
    png_bytes,
    table_text,
    vector_graphics,
)

PICTURES = "PNG picture (*.png);;SVG graphics (*.svg)"
TABLES = "Comma-separated values (*.csv)"


class PlotPage(QWidget):
    """A plot below a line that says what is shown, or what is under the cursor.

    Args:
        plot: The plot.
        choices: What can be chosen about it.
        beside: Widgets at the right of the plot.

    Attributes:
        refused: Emitted with the reason when an export fails.
        channel_chosen: Emitted with the channel that a person has picked.
        uses_axes: Whether it shows a slice along chosen axes.
        exporting: Writes tables in a thread.
    """

    refused = Signal(str)
    channel_chosen = Signal(int)
    uses_axes = False

    def __init__(self, plot: Plot, choices: tuple[Choice, ...], *beside: QWidget) -> None:
        super().__init__()
        self.plot = plot
        self.grid: ValueGrid | None = None
        self.channel: int | None = None
        self.caption = ""
        self.controls = PlotControls(*choices)
        self.controls.changed.connect(self.show_choice)
        self.exporting = LatestTask(self)
        self.exporting.finished.connect(self._on_exporting_finished)
        self.exporting.failed.connect(self._on_exporting_failed)
        self._build(beside)
        self.setFocusProxy(plot)
        self._is_moved = False
        box = plot.getViewBox()
        box.sigRangeChangedManually.connect(self._on_view_moved)
        box.sigResized.connect(self._on_view_resized)
        plot.hovered.connect(self._on_plot_hovered)
        plot.reset_asked.connect(self.show_whole)
        plot.menu_asked.connect(self._on_plot_menu_asked)

    def _build(self, beside: tuple[QWidget, ...]) -> None:
        self._line = ElidedLabel("")
        self._line.setObjectName("caption")
        self._line.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._line.setContentsMargins(8, 2, 8, 0)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.Base)
        self._canvas = QWidget()
        across = QHBoxLayout(self._canvas)
        across.setContentsMargins(0, 0, 0, 0)
        across.setSpacing(0)
        across.addWidget(self.plot, 1)
        for widget in beside:
            across.addWidget(widget)
        body = QVBoxLayout(self)
        body.setContentsMargins(0, 0, 0, 0)
        body.setSpacing(0)
        body.addWidget(self._line)
        body.addWidget(self._canvas, 1)

    @property
    def tools(self) -> PlotControls:
        """What stands in the line above all pages while this one is shown."""
        return self.controls

    def follow_choices(self, choices: ViewChoices) -> None:
        """Remembers what is chosen about the plot in these choices."""
        self.controls.follow(choices)

    def show_channel(self, channel: int | None) -> None:
        """Points a channel out that was picked elsewhere, None for none."""
        self.channel = channel

    def show_choice(self, key: str) -> None:
        """Shows the same contents after a choice was made."""

    def show_whole(self) -> None:
        """Shows the whole of what is drawn, and goes on to when the size changes."""
        self._is_moved = False
        self.reset_view()

    def reset_view(self) -> None:
        """Sets the ranges of the axes to the whole of what is drawn."""

    def _on_view_moved(self) -> None:
        self._is_moved = True

    def _on_view_resized(self) -> None:
        if self.grid is not None and not self._is_moved:
            self.reset_view()

    def describe(self, place: QPointF) -> str:
        """What is at a place of the plot; empty for nothing."""
        return ""

    def drawn(self) -> Drawn:
        """What is drawn as a table."""
        return Drawn((), ())

    def set_caption(self, text: str) -> None:
        """Says what is shown."""
        self.caption = text
        self._line.setText(text)

    def _on_plot_hovered(self, place: QPointF | None) -> None:
        found = self.describe(place) if place is not None and self.grid is not None else ""
        self._line.setText(found or self.caption)

    # ------------------------------------------------------------------ exports

    @property
    def title(self) -> str:
        """What is shown, for a picture that is seen without the window."""
        contents = self.grid.contents if self.grid is not None else None
        parts = (contents.name, contents.place) if contents is not None else ()
        return "  ·  ".join((*parts, self.caption))

    def menu(self) -> QMenu:
        """What can be done with the plot."""
        menu = QMenu(self)
        menu.addAction("&Reset view", QKeySequence(Qt.Key.Key_Home), self.show_whole)
        menu.addSeparator()
        menu.addAction("&Copy picture", self.copy_picture)
        menu.addAction("Export &picture…", self.ask_for_picture)
        menu.addAction("Export &values as CSV…", self.ask_for_table)
        return menu

    def _on_plot_menu_asked(self, place: QPoint) -> None:
        menu = self.menu()
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def copy_picture(self) -> None:
        """Puts a picture of the plot on the clipboard."""
        QGuiApplication.clipboard().setImage(picture(self._canvas, self.title))

    def ask_for_picture(self) -> None:
        """Asks for a file and writes a picture of the plot."""
        chosen, kind = self._ask("Export picture", ".png", PICTURES)
        if chosen is not None:
            suffix = ".svg" if "svg" in kind else ".png"
            self.export_picture(chosen if chosen.suffix else chosen.with_suffix(suffix))

    def ask_for_table(self) -> None:
        """Asks for a file and writes what is drawn as text."""
        chosen, _ = self._ask("Export values as CSV", ".csv", TABLES)
        if chosen is not None:
            self.export_table(chosen if chosen.suffix else chosen.with_suffix(".csv"))

    def _ask(self, what: str, suffix: str, kinds: str) -> tuple[Path | None, str]:
        name = self.grid.contents.name if self.grid is not None else ""
        proposed = re.sub(r"[^\w.-]+", "_", name).strip("_.")[:80] or "plot"
        chosen, kind = QFileDialog.getSaveFileName(self, what, f"{proposed}{suffix}", kinds)
        return (Path(chosen) if chosen else None), kind

    def export_picture(self, path: Path) -> None:
        """Writes a picture: vector graphics if the name ends in .svg, else pixels as PNG."""
        if path.suffix.lower() == ".svg":
            data = vector_graphics(self._canvas, self.title)
        else:
            data = png_bytes(picture(self._canvas, self.title))
        try:
            write_atomically(path, [data])
        except WriteError as error:
            self.refused.emit(str(error))

    def export_table(self, path: Path) -> None:
        """Writes what is drawn as comma-separated values, in a thread."""
        drawn = self.drawn()
        self.exporting.start(lambda cancelled: write_atomically(path, table_text(drawn)))

    def _on_exporting_finished(self, result: object) -> None:
        """The file is there."""

    def _on_exporting_failed(self, error: Exception) -> None:
        if not isinstance(error, WriteError):
            raise error
        self.refused.emit(str(error))
