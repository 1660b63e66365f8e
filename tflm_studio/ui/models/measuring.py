# SPDX-License-Identifier: Apache-2.0
"""Measures what is shown, in a thread if it is much."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QThread, Signal

from tflm_studio.analysis.statistics import Statistics, measure
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.models.value_table import ValueGrid

BACKGROUND_ELEMENTS = 1 << 20  # more are measured in a thread
FIRST_PAINT_MS = 60


class Measuring(QObject):
    """The statistics of a grid, once they are there.

    Attributes:
        measured: Emitted with statistics that took a thread.
        statistics: Of what was given last; None until they are measured.
    """

    measured = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.statistics: Statistics | None = None
        self._task = LatestTask(self)
        self._task.finished.connect(self._on_finished)

    def cancel(self) -> None:
        """Gives up what is being measured."""
        self._task.cancel()

    def start(self, grid: ValueGrid) -> None:
        """Measures a grid, at once if that takes no time; texts have no figures."""
        work = partial(measure, grid.contents, real=grid.is_real)
        self.cancel()
        self.statistics = None
        if grid.contents.texts is not None:
            return
        if grid.contents.count <= BACKGROUND_ELEMENTS:
            self.statistics = work()
            return

        def measure_later(cancelled: Callable[[], bool]) -> Statistics:
            QThread.msleep(FIRST_PAINT_MS)  # or the window would wait for the interpreter
            return work(cancelled=cancelled)

        self._task.start(measure_later)

    def _on_finished(self, statistics: Statistics) -> None:
        self.statistics = statistics
        self.measured.emit(statistics)
