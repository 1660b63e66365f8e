# SPDX-License-Identifier: Apache-2.0
"""Changes that are thought out but not made yet, with what there is to tell of them.

What an operation would do can be shown before `Document.do` does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType

from tflm_studio.editing.edits import Edit
from tflm_studio.editing.history import apply_all
from tflm_studio.editing.stillness import moving
from tflm_studio.schema.tables import Model


@dataclass(frozen=True, slots=True)
class Proposal:
    """What to do, and what to tell.

    Attributes:
        edits: For `Document.do`, in this order.
        notes: A sentence for each thing that happens beyond what was asked for, and for each
            thing that could not be done.
        label: What the history calls the step; made from the edits if empty.
    """

    edits: tuple[Edit, ...] = ()
    notes: tuple[str, ...] = ()
    label: str = ""

    def labelled(self, label: str) -> Proposal:
        """The same under another name."""
        return replace(self, label=label)

    def preceded_by(self, notes: Iterable[str]) -> Proposal:
        """The same with other sentences before its own."""
        return replace(self, notes=tuple(dict.fromkeys((*notes, *self.notes))))


Part = Callable[[Model], Proposal]
MOST_NOTES = 8


class Draft:
    """A model that is changed on trial, step by step, and put back in the end.

    Each step sees what those before it have done. Nothing hears of it. Afterwards the model is
    as it was.

        with Draft(model) as draft:
            draft.do(insert_items(model, "buffers", 3, [Buffer()]))
            draft.do([Set("subgraphs[0].tensors[1].buffer", 3)])
        document.do(draft.proposal("a buffer of its own"))

    Args:
        model: What is changed meanwhile.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._edits: list[Edit] = []
        self._inverses: list[Edit] = []
        self._notes: dict[str, None] = {}
        self._trial = ExitStack()

    def __enter__(self) -> Draft:
        self._trial.enter_context(moving())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._trial:
            for edit in reversed(self._inverses):
                edit.put_back(self.model)
            self._inverses.clear()

    def do(self, change: Proposal | Edit | Iterable[Edit]) -> None:
        """Takes a step.

        Raises:
            EditError: It was refused; the model is as after the step before.
        """
        made = as_proposal(change)
        self._inverses += apply_all(self.model, made.edits)
        self._edits += made.edits
        self.note(*made.notes)

    @property
    def has_steps(self) -> bool:
        """Whether anything has been changed."""
        return bool(self._edits)

    def note(self, *sentences: str) -> None:
        """Adds what there is to tell, each sentence once."""
        self._notes.update(dict.fromkeys(sentences))

    def proposal(self, label: str = "") -> Proposal:
        """All steps as one."""
        return Proposal(tuple(self._edits), tuple(self._notes), label)


def as_proposal(change: Proposal | Edit | Iterable[Edit]) -> Proposal:
    """Edits as a proposal with nothing to tell."""
    if isinstance(change, Proposal):
        return change
    return Proposal((change,) if isinstance(change, Edit) else tuple(change))


def in_sequence(model: Model, *parts: Part, label: str = "") -> Proposal:
    """Several changes as one, each made for the model that those before it leave.

    The model is changed on the way and is as it was in the end.

    Args:
        model: The model.
        parts: Such as `lambda model: remove_items(model, "buffers", [3])`.
        label: What the history calls the step.

    Raises:
        EditError: A part was refused; the model is as it was.
    """
    with Draft(model) as draft:
        for part in parts:
            draft.do(part(model))
    return draft.proposal(label)


def cut_notes(notes: list[str]) -> list[str]:
    """The first of many notes, and how many more there are."""
    if len(notes) <= MOST_NOTES:
        return notes
    return [*notes[:MOST_NOTES], f"{len(notes) - MOST_NOTES:,} more notes of this kind."]
