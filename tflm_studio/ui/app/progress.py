# SPDX-License-Identifier: Apache-2.0
"""Work that may take its time: in a thread, with a dialog that appears if it does."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any, TypeVar

from PySide6.QtCore import QEventLoop, Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QProgressDialog, QWidget

from tflm_studio.model.cancellation import CancelledError, cancellable
from tflm_studio.ui.models.tasks import LatestTask

Result = TypeVar("Result")

BACKGROUND_BYTES = 4 * 2**20  # smaller files are read and written faster than a thread starts
TEXT_WEIGHT = 8  # a byte of C or JSON takes as long as so many of a flatbuffer
PATIENCE_MS = 300


def run_with_progress(
    parent: QWidget | None, text: str, work: Callable[[], Result], *, may_drop: bool
) -> Result:
    """Runs `work` in a thread while the window waits, and returns its result.

    Args:
        parent: The window that waits.
        text: What the dialog says.
        work: Must not touch widgets; it ends where it calls `check_cancelled`.
        may_drop: Whether a person who cancels need not wait until `work` has ended. What it
            works on must not be changed then.

    Raises:
        CancelledError: The person cancelled, and nothing has changed.
        Exception: Whatever `work` raised.
    """
    dialog = _Progress(text, parent)
    task, loop, outcome = LatestTask(dialog), QEventLoop(), _Outcome()
    task.finished.connect(outcome.keep)
    task.failed.connect(outcome.keep_error)
    for signal in (task.finished, task.failed):
        signal.connect(loop.quit)
    unwanted = Event()
    dialog.cancelled.connect(unwanted.set)
    if may_drop:
        dialog.cancelled.connect(loop.quit)

    def run(is_stale: Callable[[], bool]) -> Result:
        with cancellable(lambda: is_stale() or unwanted.is_set()):
            return work()

    dialog.setValue(0)
    task.start(run)
    loop.exec()
    task.cancel()
    dialog.finish()
    if outcome.error is not None:
        raise outcome.error
    if not outcome.is_kept:
        raise CancelledError("Cancelled; nothing has changed.")
    result: Result = outcome.result
    return result


class _Progress(QProgressDialog):
    """A dialog that appears after a while, and stays until what it waits for has ended."""

    cancelled = Signal()

    def __init__(self, text: str, parent: QWidget | None) -> None:
        super().__init__(text, "Cancel", 0, 0, parent)
        self._is_cancelled = False
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setMinimumDuration(PATIENCE_MS)
        self.setWindowTitle("TFLM Studio")
        self.canceled.disconnect()  # Qt would hide it at once
        self.canceled.connect(self._cancel)

    def _cancel(self) -> None:
        self._is_cancelled = True
        self.setLabelText("Cancelling…")
        self.setCancelButton(None)
        self.cancelled.emit()

    def finish(self) -> None:
        """Puts the dialog away."""
        self.reset()
        self.hide()
        self.deleteLater()

    def reject(self) -> None:
        if not self._is_cancelled:
            self._cancel()

    def closeEvent(self, event: QCloseEvent) -> None:
        event.ignore()
        self.reject()


class _Outcome:
    def __init__(self) -> None:
        self.result: Any = None
        self.error: Exception | None = None
        self.is_kept = False

    def keep(self, result: Any) -> None:
        self.result, self.is_kept = result, True

    def keep_error(self, error: Exception) -> None:
        self.error = error
