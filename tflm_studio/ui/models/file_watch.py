# SPDX-License-Identifier: Apache-2.0
"""News of a file that another program changes, removes, or puts another in place of."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

DELAY_MS = 200  # programs write in several steps


class FileWatch(QObject):
    """Watches one file and its folder: Qt loses a file that is replaced."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._path: Path | None = None
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self)
        self._timer.setObjectName("file_watch_delay")
        self._timer.setSingleShot(True)
        self._timer.setInterval(DELAY_MS)
        self._timer.timeout.connect(self._on_quiet)
        self._watcher.fileChanged.connect(self._timer.start)
        self._watcher.directoryChanged.connect(self._timer.start)

    def watch(self, path: Path | None) -> None:
        """Watches this file instead of the last one."""
        known = [*self._watcher.files(), *self._watcher.directories()]
        if known:
            self._watcher.removePaths(known)
        self._path = path
        self._add()

    def _add(self) -> None:
        if self._path is None:
            return
        wanted = [path for path in (self._path, self._path.parent) if path.exists()]
        known = {*self._watcher.files(), *self._watcher.directories()}
        missing = [str(path) for path in wanted if str(path) not in known]
        if missing:
            self._watcher.addPaths(missing)

    def _on_quiet(self) -> None:
        self._add()
        self.changed.emit()
