# SPDX-License-Identifier: Apache-2.0
"""The recovery journal: every step of a document, on disk before the next one is taken.

A journal is a folder with `steps.jsonl`, one event a line, and `bytes.bin`, which the lines
refer to. Lines are handed to the system at once, so that they outlive this process, and synced
to the disk within a second, so that most outlive the machine. Steps are numbered from the
first one ever, so that those the history forgets keep their numbers. The events:

    {"journal": 1, "name": ..., "base": FILE}      the first line: what step 0 starts from
    {"at": n, "step": {label, edits, inverses}}    step n was done; later ones are gone
    {"go": n}                                      undone or done again until n steps are done
    {"saved": FILE, "position": n}                 the file holds the state after n steps
"""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from hashlib import sha256
from io import FileIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from tflm_studio.editing.document import Change, ChangeKind, Document
from tflm_studio.editing.edit_json import edit_to_json
from tflm_studio.editing.history import Step
from tflm_studio.formats.flatbuffer_reader import Origin

VERSION = 1
STEPS, BYTES, BASE = "steps.jsonl", "bytes.bin", "base.tflite"
SYNC_SECONDS = 0.5
# Larger files are told apart by size and time: a digest would take longer than an edit may.
MAX_DIGEST_BYTES = 64 * 2**20


class Journal:
    """Writes the steps of a document down as they are done.

    Args:
        document: Whose steps.
        folder: Where journals are kept; this one becomes a folder in it with the first step.

    Attributes:
        problem: Why nothing is written any more, None as long as all is well.
        path: The folder of this journal, None before the first step.
    """

    def __init__(self, document: Document, folder: Path) -> None:
        self.problem: str | None = None
        self.path: Path | None = None
        self._document = document
        self._folder = folder
        self._lines: FileIO | None = None
        self._bytes: FileIO | None = None
        self._wake = threading.Event()
        self._is_closed = False
        self._unsubscribe = document.subscribe(self._on_change)

    @classmethod
    def resume(cls, document: Document, path: Path) -> Journal:
        """Goes on with the journal that a document was recovered from."""
        journal = cls(document, path.parent)
        journal._open(path)
        return journal

    def close(self) -> None:
        """Ends the journal and removes it: the document is finished."""
        self._unsubscribe()
        self._is_closed = True
        self._wake.set()
        for file in (self._lines, self._bytes):
            if file is not None:
                file.close()
        if self.path is not None:
            shutil.rmtree(self.path, ignore_errors=True)

    # ------------------------------------------------------------------ writing

    def _on_change(self, change: Change) -> None:
        if self.problem is not None or (self.path is None and not change.edits):
            return
        try:
            if self.path is None:
                self._begin()
            self._record(change)
        except OSError as error:
            self.problem = error.strerror or str(error)

    def _begin(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = time.strftime("%Y%m%d-%H%M%S-")
        self._open(Path(mkdtemp(prefix=name, dir=self._folder)))
        self._write({"journal": VERSION, "name": self._document.name, "base": self._base()})

    def _open(self, path: Path) -> None:
        # Unbuffered: what is written survives the end of this process.
        self._lines = (path / STEPS).open("ab", buffering=0)
        self._bytes = (path / BYTES).open("ab", buffering=0)
        lock(self._lines.fileno())
        self.path = path
        threading.Thread(target=self._sync_in_time, name="journal", daemon=True).start()

    def _base(self) -> dict[str, Any]:
        document, origin = self._document, self._document.model.extra
        if not isinstance(origin, Origin):
            raise OSError(0, "the model was not read from a file")
        held = origin.file_bytes
        if document.path is not None and document.path.stat().st_size == len(held):
            return file_facts(document.path, held, origin)
        # No file holds what the steps start from, so the journal does.
        assert self.path is not None
        (self.path / BASE).write_bytes(origin.data)
        return {"copy": BASE}

    def _record(self, change: Change) -> None:
        history = self._document.history
        position = history.forgotten + history.position
        if change.kind is ChangeKind.DONE:
            step = history.steps[history.position - 1]
            self._write({"at": position - 1, "step": self._step_to_json(step)})
        elif change.kind is ChangeKind.SAVED:
            path, origin = self._document.path, self._document.model.extra
            assert path is not None
            held = path.read_bytes() if path.stat().st_size <= MAX_DIGEST_BYTES else b""
            self._write({"saved": file_facts(path, held, origin), "position": position})
        else:
            self._write({"go": position})
        self._wake.set()

    def _step_to_json(self, step: Step) -> dict[str, Any]:
        return {
            "label": step.label,
            "edits": [edit_to_json(edit, self._put) for edit in step.edits],
            "inverses": [edit_to_json(edit, self._put) for edit in step.inverses],
        }

    def _put(self, data: bytes | bytearray | memoryview) -> list[int]:
        assert self._bytes is not None
        view = memoryview(data).cast("B")
        place = self._bytes.seek(0, os.SEEK_END)
        _write_all(self._bytes, view)
        return [place, len(view)]

    def _write(self, event: dict[str, Any]) -> None:
        assert self._lines is not None
        raw = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        _write_all(self._lines, memoryview(raw))

    def _sync_in_time(self) -> None:
        while not self._is_closed:
            self._wake.wait()
            self._wake.clear()
            time.sleep(SYNC_SECONDS)
            try:
                for file in (self._bytes, self._lines):
                    if file is not None:
                        os.fsync(file.fileno())
            except (OSError, ValueError):
                return  # closed meanwhile, or a disk that fails: the next write says so


def file_facts(path: Path, held: bytes | memoryview, origin: object) -> dict[str, Any]:
    """What tells the contents of a file apart from others.

    Args:
        path: The file.
        held: Its contents, as far as they are known; a digest is made of them unless they are
            large.
        origin: Says which array of a C source is meant.
    """
    status = path.stat()
    source = origin.source if isinstance(origin, Origin) else None
    known = 0 < len(held) <= MAX_DIGEST_BYTES
    return {
        "path": str(path.resolve()),
        "size": len(held) if known else status.st_size,
        "time": status.st_mtime_ns,
        "sha256": sha256(held).hexdigest() if known else None,
        "symbol": source.symbol if source is not None else None,
    }


def lock(handle: int) -> bool:
    """Marks a journal as in use by this process; returns whether it was free.

    The system takes the mark away when the process ends, however it ends.
    """
    try:
        import fcntl
    except ImportError:  # Windows: there an open file cannot be removed, which serves as well
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _write_all(file: FileIO, data: memoryview) -> None:
    written = 0
    while written < len(data):
        written += file.write(data[written:]) or 0
