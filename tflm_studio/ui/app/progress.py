# SPDX-License-Identifier: Apache-2.0
"""Work that may take its time: in a thread, with a dialog that appears if it does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from PySide6.QtCore import QEventLoop, Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QProgressDialog, QWidget

from tflm_studio.ui.models.tasks import LatestTask

Result = TypeVar("Result")

BACKGROUND_BYTES = 4 * 2**20  # smaller files are read and written faster than a thread starts
PATIENCE_MS = 300


class CancelledError(Exception):
    """The person did not want to wait."""


def run_with_progress(
    parent: QWidget | None, text: str, work: Callable[[], Result], *, can_cancel: bool
) -> Result:
    """Runs `work` in a thread while the window waits, and returns its result.

    Args:
        parent: The window that waits.
        text: What the dialog says.
        work: Must not touch widgets.
        can_cancel: Whether the result may be dropped halfway.

    Raises:
        CancelledError: The person cancelled; what `work` still returns is dropped.
        Exception: Whatever `work` raised.
    """
    dialog = _Progress(text, can_cancel, parent)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setMinimumDuration(PATIENCE_MS)
    dialog.setWindowTitle("TFLM Studio")
    task, loop, outcome = LatestTask(dialog), QEventLoop(), _Outcome()
    task.finished.connect(outcome.keep)
    task.failed.connect(outcome.keep_error)
    for signal in (task.finished, task.failed):
        signal.connect(loop.quit)
    if can_cancel:
        dialog.canceled.connect(loop.quit)
    dialog.setValue(0)
    task.start(lambda _cancelled: work())
    loop.exec()
    cancelled = can_cancel and dialog.wasCanceled()
    task.cancel()
    dialog.reset()
    dialog.deleteLater()
    if outcome.error is not None:
        raise outcome.error
    if cancelled and not outcome.is_kept:
        raise CancelledError
    result: Result = outcome.result
    return result


class _Progress(QProgressDialog):
    """A dialog that only goes away by itself, unless what it waits for can be cancelled."""

    def __init__(self, text: str, can_cancel: bool, parent: QWidget | None) -> None:
        super().__init__(text, "Cancel" if can_cancel else "", 0, 0, parent)
        self._can_cancel = can_cancel
        if not can_cancel:
            self.setCancelButton(None)

    def reject(self) -> None:
        if self._can_cancel:
            super().reject()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._can_cancel:
            super().closeEvent(event)
        else:
            event.ignore()


class _Outcome:
    def __init__(self) -> None:
        self.result: Any = None
        self.error: Exception | None = None
        self.is_kept = False

    def keep(self, result: Any) -> None:
        self.result, self.is_kept = result, True

    def keep_error(self, error: Exception) -> None:
        self.error = error
