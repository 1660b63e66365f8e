# SPDX-License-Identifier: Apache-2.0
"""Work that was not saved when the program ended, brought back from its journal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from tflm_studio.editing.document import Document
from tflm_studio.editing.edit_json import edit_from_json
from tflm_studio.editing.history import Step
from tflm_studio.editing.journal import BYTES, STEPS, VERSION, Journal, lock
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.errors import EditError, ReadError, StudioError

MAX_LINE_BYTES = 2**28


class RecoveryError(StudioError):
    """Work cannot be brought back; the message says why and where the journal is."""


@dataclass(slots=True)
class Event:
    """One sound line of a journal.

    Attributes:
        number: The step's number for "at", how many steps are done for the others.
        step: The step, for "at".
        file: What identifies the file, for a base.
    """

    number: int
    step: Step | None = None
    file: dict[str, Any] | None = None


@dataclass(slots=True)
class Recoverable:
    """A journal with work that is in no file.

    Attributes:
        folder: The journal.
        name: What the document was called.
        path: Its file, None if it had none.
        unsaved: How many steps are not in the file.
        events: What happened, as far as the journal is sound.
        sound_bytes: Length of the sound part of its lines.
    """

    folder: Path
    name: str
    path: Path | None
    unsaved: int
    events: list[Event]
    sound_bytes: int


def find_recoverable(folder: Path) -> list[Recoverable]:
    """Journals that no running program writes and that hold unsaved work, oldest first.

    Journals with nothing to bring back are removed.
    """
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if not (path / STEPS).is_file():
            continue
        with (path / STEPS).open("ab") as file:
            if not lock(file.fileno()):
                continue
        journal = _read_journal(path)
        if journal is not None and journal.unsaved:
            found.append(journal)
        elif journal is not None:
            discard(journal)
    return found


def discard(journal: Recoverable) -> None:
    """Removes a journal."""
    shutil.rmtree(journal.folder, ignore_errors=True)


def recover(journal: Recoverable) -> tuple[Document, Journal]:
    """Opens the document as it was, with its history, and goes on with its journal.

    Raises:
        RecoveryError: The file has changed since, or cannot be read; the journal stays.
    """
    start = max(k for k, event in enumerate(journal.events) if event.file is not None)
    document = _open_base(journal, journal.events[start].file or {})
    _lay_down(document, journal.events[: start + 1])
    try:
        for event in journal.events[start + 1 :]:
            _replay(document, event)
    except EditError as error:
        raise RecoveryError(
            f"{journal.name}: the journal does not fit the file: {error} It stays in "
            f"{journal.folder}."
        ) from error
    with (journal.folder / STEPS).open("rb+") as file:
        # What was being written when the program ended is no event.
        file.truncate(journal.sound_bytes)
    return document, Journal.resume(document, journal.folder)


def _open_base(journal: Recoverable, file: dict[str, Any]) -> Document:
    if "copy" in file:
        return Document(load_model_from_file(journal.folder / Path(file["copy"]).name))
    path = Path(file["path"])
    if not _is_same_file(path, file):
        what = "has changed" if path.exists() else "was removed"
        raise RecoveryError(
            f"{path}: {what} since {journal.name} was edited, so the "
            f"{journal.unsaved} unsaved steps cannot be applied to it. They stay in "
            f"{journal.folder}; put the old file back to bring them back."
        )
    try:
        return Document.open(path, file.get("symbol"))
    except ReadError as error:
        raise RecoveryError(f"{error} The unsaved steps stay in {journal.folder}.") from error


def _is_same_file(path: Path, file: dict[str, Any]) -> bool:
    try:
        status = path.stat()
        if status.st_size != file["size"]:
            return False
        if file["sha256"] is None:
            return bool(status.st_mtime_ns == file["time"])
        return bool(sha256(path.read_bytes()).hexdigest() == file["sha256"])
    except (OSError, KeyError):
        return False


def _lay_down(document: Document, events: list[Event]) -> None:
    """Gives the history the steps that led to the base, which need not be applied."""
    steps: list[Step] = []
    for event in events:
        if event.step is not None:
            steps[event.number :] = [event.step]
    document.history.restore(steps, events[-1].number)


def _replay(document: Document, event: Event) -> None:
    history = document.history
    document.go_to(event.number - history.forgotten)
    if event.file is not None:
        history.mark_clean()
    elif event.step is not None:
        document.do_again(event.step)


# ---------------------------------------------------------------------- reading journals


def _read_journal(folder: Path) -> Recoverable | None:
    """What a journal holds up to its first damage, None if its first line is damaged."""
    try:
        data = (folder / BYTES).read_bytes() if (folder / BYTES).exists() else b""
        lines = list(_lines(folder / STEPS))
    except OSError:
        return None
    header = _parse(lines[0]) if lines else None
    if header is None or header.get("journal") != VERSION or "base" not in header:
        return None
    events, sound = [Event(0, file=header["base"])], len(lines[0])
    for line in lines[1:]:
        event = _event(line, data)
        if event is None:
            break
        events.append(event)
        sound += len(line)
    path = events[0].file and events[0].file.get("path")
    for event in events:
        path = event.file.get("path", path) if event.file else path
    name = str(header.get("name", folder.name))
    return Recoverable(
        folder, name, Path(path) if path else None, _unsaved(events), events, sound
    )


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE_BYTES):
            if not line.endswith(b"\n"):
                return
            yield line


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _event(line: bytes, data: bytes) -> Event | None:
    json_event = _parse(line)
    if json_event is None:
        return None

    def get(place: Any) -> bytes:
        start, size = place
        if not 0 <= start <= start + size <= len(data):
            raise ValueError("bytes are missing")
        return data[start : start + size]

    try:
        if "at" in json_event:
            return Event(int(json_event["at"]), step=_step(json_event["step"], get))
        if "saved" in json_event:
            return Event(int(json_event["position"]), file=dict(json_event["saved"]))
        return Event(int(json_event["go"]))
    except (EditError, KeyError, TypeError, ValueError):
        return None


def _step(value: Any, get: Any) -> Step:
    edits, inverses = (
        tuple(edit_from_json(each, get) for each in value[name])
        for name in ("edits", "inverses")
    )
    return Step(str(value["label"]), edits, inverses)


def _unsaved(events: list[Event]) -> int:
    """How many steps lie between the file and the last state."""
    position = base = low = 0
    for event in events:
        position = event.number + (event.step is not None)
        if event.file is not None:
            base = low = position
        low = min(low, event.number)
    return (base - low) + (position - low)
