# SPDX-License-Identifier: Apache-2.0
"""Tells of edits that reach further than they seem to, and offers to undo or to confine them.

The edit is done, and told once: who edits many values of a shared buffer is not asked again,
but as long as the notice stands it speaks of all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from tflm_studio.editing.detached_edits import edit_alone
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.operators import find_tensor
from tflm_studio.model.place_names import name_thing, thing_at
from tflm_studio.model.schema import Metadata, Model, Operator, Tensor
from tflm_studio.ui.models.far_edits import FarEdit

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

MOST_SENTENCES = 3
HERE, UNDO = "Change only here", "Undo"


@dataclass(slots=True)
class _Question:
    """What the notice speaks of: the steps from `start` to `end` of the whole history."""

    far: FarEdit
    start: int
    end: int


class ReachNotices(QObject):
    """Speaks in the notice bar of a window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._known: set[FarEdit] = set()
        self._question: _Question | None = None
        window.session.reached.connect(self._on_reached)
        window.session.told.connect(self.tell)
        window.notice.closed.connect(self._forget)

    def tell(self, text: str) -> None:
        """Says what a change did besides; behind what there is to say of its reach."""
        question = self._question
        if question is not None and question.end == self._done and self._is_shown:
            self._ask(question, text)
        else:
            self._window.notice.say(text)

    @property
    def _done(self) -> int:
        """How many steps are done, those counted that are forgotten."""
        history = self._window.document.history
        return history.forgotten + history.position

    @property
    def _is_shown(self) -> bool:
        return not self._window.notice.isHidden()

    def _forget(self) -> None:
        self._question = None

    def _on_reached(self, far: FarEdit) -> None:
        question, done = self._question, self._done
        if question is not None and question.far == far and question.end in (done - 1, done):
            question.end = done
            self._ask(question)
        elif far not in self._known:
            self._known.add(far)
            self._question = _Question(far, done - 1, done)
            self._ask(self._question)

    def _ask(self, question: _Question, more: str = "") -> None:
        answers: dict[str, Callable[[], object]] = {}
        user = self._user(question.far.thing)
        if user is not None:
            answers[self._here_text(user)] = lambda: self._confine(question, user)
        answers[UNDO] = lambda: self._undo(question)
        sentences = [reach.text for reach in question.far.reaches[:MOST_SENTENCES]]
        text = f"This reaches further. {' '.join(sentences)} {more}".strip()
        self._window.notice.ask(text, answers)

    def _here_text(self, user: Address) -> str:
        selected = thing_at(self._window.session.selection.address)
        is_here = selected == user or (
            selected[2:3] == ("operators",) and user[2:3] == ("tensors",)
        )
        return HERE if is_here else f"Change only for {name_thing(self._model, user)}"

    # ------------------------------------------------------------------ whose edit it was

    def _user(self, thing: Address) -> Address | None:
        """Which user of a shared thing was meant: the one selected last."""
        for place in self._window.session.selection.trail:
            user = self._user_at(thing_at(place), thing)
            if user is not None:
                return user
        return None

    def _user_at(self, place: Address, thing: Address) -> Address | None:
        kind, index = thing[0], thing[-1]
        value = find_address(self._model, place)
        if kind == "operator_codes" and isinstance(value, Operator):
            return place if value.opcode_index == index else None
        if kind != "buffers":
            return None
        if isinstance(value, (Tensor, Metadata)):
            return place if value.buffer == index else None
        if isinstance(value, Operator):
            subgraph = (self._model.subgraphs or [])[int(place[1])]
            for t in value.inputs or []:
                tensor = find_tensor(subgraph, t)
                if tensor is not None and tensor.buffer == index:
                    return (*place[:2], "tensors", t)
        return None

    @property
    def _model(self) -> Model:
        return self._window.document.model

    # ------------------------------------------------------------------ answers

    def _undo(self, question: _Question) -> None:
        """Takes the last step back; the next one is told of again."""
        self._known.discard(question.far)
        if question.end == self._done:
            self._window.document.undo()

    def _confine(self, question: _Question, user: Address) -> None:
        """Does the edits anew, on a copy that only one user has."""
        document, history = self._window.document, self._window.document.history
        if question.end != self._done:
            return
        count = min(question.end - question.start, history.position)
        steps = history.steps[history.position - count : history.position]
        edits = [edit for step in steps for edit in step.edits]
        label = f"{steps[-1].label}, only there"
        for _ in steps:
            document.undo()
        session = self._window.session
        if not session.propose(lambda: edit_alone(self._model, user, edits).labelled(label)):
            for _ in steps:
                document.redo()
        self._question = None
