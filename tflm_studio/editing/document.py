# SPDX-License-Identifier: Apache-2.0
"""An open model: where it came from, what was done to it, and the one door to change it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum
from hashlib import sha256
from pathlib import Path

from tflm_studio.editing.edits import Edit
from tflm_studio.editing.history import History, Step, apply_all
from tflm_studio.editing.proposal import Proposal, as_proposal
from tflm_studio.formats.atomic_file import keeping_backup, looking_before
from tflm_studio.formats.file_stamp import is_same_path, stamp_of
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.formats.model_file import (
    files_written,
    load_model_from_file,
    save_in_place,
    save_model_to_file,
)
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError, FileChangedError
from tflm_studio.schema.tables import Model

PathLike = str | os.PathLike[str]


class ChangeKind(Enum):
    """What made the model change."""

    DONE = "done"
    UNDONE = "undone"
    REDONE = "redone"
    SAVED = "saved"


@dataclass(frozen=True, slots=True)
class Change:
    """What observers of a document receive.

    Attributes:
        kind: Whether edits were done, undone or done again, or the document was saved.
        edits: Those that were applied to the model just now, in this order.
    """

    kind: ChangeKind
    edits: tuple[Edit, ...] = ()

    def touches(self, place: Address) -> bool:
        """Whether an edit is at the place, below it, or above it."""
        return any(
            edit.address[: len(place)] == place[: len(edit.address)] for edit in self.edits
        )


Observer = Callable[[Change], None]


class Document:
    """A model that is open for editing.

    Args:
        model: What to edit; from now on only `do`, `undo` and `redo` change it.
        path: Its file, None if it has none yet.
    """

    def __init__(self, model: Model, path: PathLike | None = None) -> None:
        self.model = model
        self.path = Path(path) if path is not None else None
        self._stamp = stamp_of(self.path) if self.path is not None else None
        self._is_as_read = True
        self._held = self._digest_of(None)
        self._written: tuple[Path, bytes | None] | None = None  # by `write`, with its digest
        self.history = History()
        self._touched: set[Address] | None = set()
        self._observers: list[Observer] = []

    @classmethod
    def open(cls, path: PathLike, symbol: str | None = None) -> Document:
        """Opens a file.

        Args:
            path: A flatbuffer or a C source with a byte array.
            symbol: Which array of a C source, if several hold a model.

        Raises:
            ReadError: The file cannot be read as a model; says why and where.
        """
        return cls(load_model_from_file(path, symbol), path)

    @property
    def name(self) -> str:
        """What messages and the title call the document."""
        if self.path is not None:
            return self.path.name
        origin = self.model.extra
        return Path(origin.name).name if isinstance(origin, Origin) else "untitled"

    @property
    def modified(self) -> bool:
        """Whether the model differs from the file by what was done to it."""
        return not self.history.is_clean

    def subscribe(self, observer: Observer) -> Callable[[], None]:
        """Calls the observer after every change; returns what ends that."""
        self._observers.append(observer)
        return lambda: self._observers.remove(observer)

    def do(
        self,
        edits: Proposal | Edit | Iterable[Edit],
        label: str | None = None,
        *,
        merge: bool = False,
    ) -> bool:
        """Changes the model, as one step that can be undone.

        Args:
            edits: What to apply, in this order, all or none.
            label: What the history calls the step; the proposal's own, or made from the edits,
                if not given.
            merge: Whether a like step within a second becomes part of the one before.

        Returns:
            Whether anything changed; a step that changes nothing is not recorded.

        Raises:
            EditError: An edit was refused; the model is as it was.
        """
        proposal = as_proposal(edits)
        step = proposal.edits
        # A single edit that changes nothing is known beforehand; checking each of many in a
        # model that its predecessors have not yet changed would refuse sound steps.
        if not step or (len(step) == 1 and not step[0].changes(self.model)):
            return False
        text = label or proposal.label or self._describe(step)
        inverses = apply_all(self.model, step)
        self.history.push(Step(text, step, inverses, merge))
        self._notify(Change(ChangeKind.DONE, step))
        return True

    def do_again(self, step: Step) -> None:
        """Does a step of another time as it was done then, even if it changes nothing now.

        Raises:
            EditError: An edit was refused; the model is as it was.
        """
        inverses = apply_all(self.model, step.edits)
        self.history.push(Step(step.label, step.edits, inverses))
        self._notify(Change(ChangeKind.DONE, step.edits))

    def _describe(self, edits: tuple[Edit, ...]) -> str:
        first = edits[0].describe(self.model)
        return first if len(edits) == 1 else f"{first} and {len(edits) - 1} more"

    def undo(self) -> None:
        """Takes the last step back.

        Raises:
            EditError: There is none.
        """
        if not self.history.can_undo:
            raise EditError("There is nothing to undo.")
        step = self.history.steps[self.history.position - 1]
        edits = tuple(reversed(step.inverses))
        apply_all(self.model, edits)
        self.history.position -= 1
        self._notify(Change(ChangeKind.UNDONE, edits))

    def redo(self) -> None:
        """Does the step that was taken back last again.

        Raises:
            EditError: There is none.
        """
        if not self.history.can_redo:
            raise EditError("There is nothing to redo.")
        step = self.history.steps[self.history.position]
        apply_all(self.model, step.edits)
        self.history.position += 1
        self._notify(Change(ChangeKind.REDONE, step.edits))

    def go_to(self, position: int) -> None:
        """Undoes or redoes until this many steps of the history are done."""
        while self.history.position > max(position, 0) and self.history.can_undo:
            self.undo()
        while self.history.position < position and self.history.can_redo:
            self.redo()

    def changed_on_disk(self) -> bool:
        """Whether another program has changed or removed the file since it was read or saved.

        A file that was only touched does not count, as long as it can be told.
        """
        if self.path is None or self._stamp is None:
            return False
        stamp = stamp_of(self.path)
        if stamp == self._stamp:
            return False
        origin = self.model.extra
        if stamp is not None and self._takes_over_surroundings():
            self._stamp = stamp
            return False
        if stamp is None:
            return True
        if self._is_as_read and isinstance(origin, Origin):
            is_changed = not origin.is_held_by(self.path)
        else:
            is_changed = not stamp.is_same_writing(self._stamp)
        if not is_changed:
            self._stamp = stamp
        return is_changed

    def _takes_over_surroundings(self) -> bool:
        """Whether only what is around the model has changed, which then stays as it is now.

        So several models of one file can be open at once, and saving one keeps the others.
        """
        origin = self.model.extra
        if self.path is None or not isinstance(origin, Origin) or origin.source is None:
            return False
        try:
            text = self.path.read_bytes()
        except OSError:
            return False
        if self._held is None or self._held != self._digest_of(text):
            return False
        if text != origin.source.text:
            origin.source = origin.source.on(text)
        return True

    def _digest_in(self, path: Path) -> bytes | None:
        origin = self.model.extra
        if not isinstance(origin, Origin) or origin.source is None:
            return None
        try:
            return self._digest_of(path.read_bytes())
        except OSError:
            return None

    def _digest_of(self, text: bytes | None) -> bytes | None:
        """What tells the model in the text of its file from others; that read, if None."""
        origin = self.model.extra
        source = origin.source if isinstance(origin, Origin) else None
        if source is None:
            return None
        held = source.data if text is None else source.data_in(text)
        return None if held is None else sha256(held).digest()

    def save(
        self, path: PathLike | None = None, *, overwrite: bool = False, backup: bool = False
    ) -> None:
        """Writes the model to its file, or to another that becomes its file.

        A document opened from a C source is written back as that source: only the bytes of
        the array and its size change.

        Args:
            path: The file; the document's own if not given.
            overwrite: Whether changes by other programs may be lost.
            backup: Whether what the file held before is kept beside it as `.bak`.

        Raises:
            FileChangedError: Another program has changed the document's file.
            WriteError: The file could not be written; it is as it was.
            EditError: The document has no file and none is given.
        """
        target = Path(path) if path is not None else self.path
        if target is None:
            raise EditError("This model has no file yet; save it under a name.")
        self.write(target, overwrite=overwrite, backup=backup)
        self.note_saved(target)

    def write(self, path: PathLike, *, overwrite: bool = False, backup: bool = False) -> None:
        """The part of `save` that takes its time; may run in another thread.

        Nothing may change the document meanwhile, and `note_saved` has to follow.

        Raises:
            FileChangedError: Another program has changed the document's file.
            WriteError: The file could not be written; it is as it was.
        """
        is_own = self.path is not None and is_same_path(Path(path), self.path)
        with ExitStack() as around:
            if not overwrite and is_own:
                # A file that was removed has nothing that could be lost.
                if os.path.lexists(path) and self.changed_on_disk():
                    raise self._changed_error()
                around.enter_context(looking_before(self._refuse_if_written))
            for file in files_written(self.model, Path(path)) if backup else ():
                around.enter_context(keeping_backup(file))
            save_in_place(self.model, path, changed=self._touched)
        written = files_written(self.model, Path(path))[0]
        self._written = written, self._digest_in(written)

    def _refuse_if_written(self) -> None:
        """Refuses a file that was written to since the last look, also around the model."""
        stamp = stamp_of(self.path) if self.path is not None else None
        if stamp is None or self._stamp is None or stamp.is_same_writing(self._stamp):
            return
        raise self._changed_error()

    def _changed_error(self) -> FileChangedError:
        return FileChangedError(
            f"{self.path}: another program has changed this file since it was opened or saved "
            "here. Reload it, save under another name, or overwrite it."
        )

    def note_saved(self, path: PathLike) -> None:
        """Declares a file to hold the present state of the model."""
        self.path = files_written(self.model, Path(path))[0]
        self._stamp = stamp_of(self.path)
        self._is_as_read = False
        known, self._written = self._written, None
        is_known = known is not None and known[0] == self.path
        self._held = known[1] if known and is_known else self._digest_in(self.path)
        self.history.mark_clean()
        self._notify(Change(ChangeKind.SAVED))

    def save_as(self, path: PathLike) -> None:
        """Writes the model to another file, which becomes the document's file.

        Raises:
            WriteError: The file could not be written.
        """
        self.save(path)

    def export_c(self, path: PathLike, symbol: str | None = None) -> None:
        """Writes the model as a C source with a header beside it; the document stays as it is.

        Raises:
            WriteError: A file could not be written.
            EditError: `symbol` is not a C identifier.
        """
        save_model_to_file(self.model, path, symbol)

    def _remember(self, edits: Iterable[Edit]) -> None:
        """Notes which fields may differ from the file, as long as no list has moved them."""
        if self._touched is None:
            return
        if all(edit.keeps_places for edit in edits):
            self._touched.update(edit.address for edit in edits)
        else:
            self._touched = None

    def _notify(self, change: Change) -> None:
        self._remember(change.edits)
        failures = []
        for observer in tuple(self._observers):
            try:
                observer(change)
            except Exception as error:
                # The others must hear of it all the same, or they would show what is no more.
                failures.append(error)
        if failures:
            raise failures[0]
