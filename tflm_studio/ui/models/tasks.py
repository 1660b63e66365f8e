# SPDX-License-Identifier: Apache-2.0
"""Work in the background of which only the newest result counts."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from PySide6.QtCore import QCoreApplication, QObject, QRunnable, Qt, QThreadPool, Signal

Work = Callable[[Callable[[], bool]], Any]


class _Generation:
    """Which start of a task counts; shared with its jobs, which may outlive the task."""

    def __init__(self) -> None:
        self.number = 0


class _Outcome(NamedTuple):
    generation: _Generation
    number: int
    result: Any
    error: Exception | None


class _Outbox(QObject):
    arrived = Signal(object)


@lru_cache(maxsize=1)
def _outbox() -> _Outbox:
    """What all workers emit from; it lives as long as the program.

    One for each task would die with the last reference to it, which may be a worker's: an
    object that dies in another thread while its signal is on the way crashes the program.
    """
    return _Outbox()


class _Job(QRunnable):
    def __init__(self, generation: _Generation, work: Work) -> None:
        super().__init__()
        self._outbox = _outbox()
        self._generation = generation
        self._number = generation.number
        self._work = work

    def is_cancelled(self) -> bool:
        return self._generation.number != self._number

    def run(self) -> None:
        if self.is_cancelled():
            return
        result, error = None, None
        try:
            result = self._work(self.is_cancelled)
        except Exception as caught:  # delivered to the thread of the window
            error = caught
        if not self.is_cancelled():
            self._outbox.arrived.emit(_Outcome(self._generation, self._number, result, error))


class LatestTask(QObject):
    """Runs one function after another in the thread pool and delivers the newest result.

    Starting another one, or `cancel`, makes the one before stale: it is told when it asks, and
    whatever it still returns or raises is dropped.

    Attributes:
        finished: Emitted with the result, in the thread of this object.
        failed: Emitted with the exception that the function raised.
    """

    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._is_running = False
        # Bound to the generation alone: this object is gone when its signal says so.
        generation = self._generation = _Generation()
        self.destroyed.connect(lambda: _make_stale(generation))
        _outbox().arrived.connect(self._on_outbox_arrived, Qt.ConnectionType.QueuedConnection)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.cancel)

    @property
    def is_running(self) -> bool:
        """Whether a result is still expected."""
        return self._is_running

    def start(self, work: Work) -> None:
        """Runs `work` in a thread.

        Args:
            work: Gets a function that says whether its result is still wanted. It must hold
                no widgets: what it holds is let go in the other thread.
        """
        self.cancel()
        self._is_running = True
        QThreadPool.globalInstance().start(_Job(self._generation, work))

    def cancel(self) -> None:
        """Makes what runs now stale."""
        _make_stale(self._generation)
        self._is_running = False

    def _on_outbox_arrived(self, outcome: _Outcome) -> None:
        generation = self._generation
        if outcome.generation is not generation or outcome.number != generation.number:
            return
        self._is_running = False
        if outcome.error is not None:
            self.failed.emit(outcome.error)
        else:
            self.finished.emit(outcome.result)


def _make_stale(generation: _Generation) -> None:
    generation.number += 1
