# SPDX-License-Identifier: Apache-2.0
"""Values decoded from bytes that do not hold them as they are; in a thread, if many."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QObject, Signal

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.model.errors import EditError
from tflm_studio.ui.models.tasks import LatestTask

DECODED_AT_ONCE = 1 << 18  # bytes and values; more are decoded in a thread
DECODING = "Decoding…"


class ContentsDecoder(QObject):
    """Contents with decoded values, at once or later; only the newest are delivered.

    Attributes:
        decoded: Emitted with contents that took a thread.
        failed: Emitted with the `EditError` if those cannot be decoded.
    """

    decoded = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._task = LatestTask(self)
        self._task.finished.connect(self.decoded)
        self._task.failed.connect(self._on_failed)

    @property
    def is_running(self) -> bool:
        """Whether decoded contents are still to come."""
        return self._task.is_running

    def cancel(self) -> None:
        """Gives up what is being decoded."""
        self._task.cancel()

    def decode(self, stored: BufferContents) -> BufferContents:
        """The contents with decoded values, or as they are until a thread has decoded them."""
        decoding = stored.decoding
        if decoding is None:
            return stored
        if len(stored.all_bytes) + math.prod(stored.declared_shape or ()) > DECODED_AT_ONCE:
            self._task.start(lambda cancelled: decoding())
            return replace(stored, note=f"{DECODING} {stored.note}".strip())
        try:
            return decoding()
        except EditError as error:
            return not_decoded(stored, error)

    def _on_failed(self, error: Exception) -> None:
        if not isinstance(error, EditError):
            raise error
        self.failed.emit(error)


def not_decoded(stored: BufferContents, error: EditError) -> BufferContents:
    """Contents of which only the bytes can be told."""
    return replace(stored, decoding=None, note=f"{error} Shown as stored.")
