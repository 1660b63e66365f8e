# SPDX-License-Identifier: Apache-2.0
"""Names changed by a regular expression, in a process of its own that can be stopped.

Some expressions take years, and Python can neither be asked to give up nor do anything else
meanwhile.
"""

from __future__ import annotations

import json
import sys

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

MOST_MS = 1500
TOO_SLOW = "The regular expression takes too long for these names; make it simpler."
NOT_STARTED = "Regular expressions cannot be used here: no Python could be started."
SCRIPT = """
import json, re, sys
names, pattern, replacement = json.loads(sys.stdin.buffer.read())
try:
    answer = [re.sub(pattern, replacement, name) for name in names]
except (re.error, IndexError, OverflowError, RecursionError) as error:
    answer = str(error)
sys.stdout.buffer.write(json.dumps(answer).encode())
"""


class RegexRenames(QObject):
    """Asks for names one request at a time; a new request ends the one before."""

    renamed = Signal(object)  # list[str]
    refused = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._give_up)

    def ask(self, names: list[str], pattern: str, replacement: str) -> None:
        """Starts to rename; `renamed` or `refused` tells how it went."""
        self.stop()
        process = self._process = QProcess(self)
        process.finished.connect(lambda *_: self._read(process))
        process.errorOccurred.connect(lambda kind: self._fail(process, kind))
        process.start(sys.executable, ["-I", "-S", "-c", SCRIPT])
        process.write(json.dumps([names, pattern, replacement]).encode())
        process.closeWriteChannel()
        self._timer.start(MOST_MS)

    def stop(self) -> None:
        """Forgets what was asked last."""
        self._timer.stop()
        process, self._process = self._process, None
        if process is None:
            return
        if process.state() != QProcess.ProcessState.NotRunning:
            process.kill()
            process.waitForFinished()
        process.deleteLater()

    def _give_up(self) -> None:
        self.stop()
        self.refused.emit(TOO_SLOW)

    def _fail(self, process: QProcess, kind: QProcess.ProcessError) -> None:
        if process is self._process and kind == QProcess.ProcessError.FailedToStart:
            self.stop()
            self.refused.emit(NOT_STARTED)

    def _read(self, process: QProcess) -> None:
        if process is not self._process:
            return
        data = bytes(process.readAllStandardOutput().data())
        self.stop()
        try:
            answer = json.loads(data)
        except ValueError:
            answer = "it could not be carried out"
        if isinstance(answer, str):
            self.refused.emit(f"The regular expression cannot be used: {answer}.")
        else:
            self.renamed.emit(answer)
