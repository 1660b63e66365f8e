# SPDX-License-Identifier: Apache-2.0
"""Undo and redo: the steps done to a model, with labels and a limit in bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.stillness import moving
from tflm_studio.model.errors import EditError
from tflm_studio.schema.tables import Model

DEFAULT_BUDGET_BYTES = 256 * 2**20
MERGE_SECONDS = 1.0


@dataclass(slots=True)
class Step:
    """What one command did.

    Attributes:
        label: For people, such as "Conv2D 2: stride_h 1 → 2".
        edits: In the order they were applied.
        inverses: What takes each edit back, in the same order.
        merges: Whether a like step right behind may become part of this one.
        done_at: Monotonic seconds.
        cost_bytes: About how much memory it takes.
    """

    label: str
    edits: tuple[Edit, ...]
    inverses: tuple[Edit, ...]
    merges: bool = False
    done_at: float = field(default_factory=time.monotonic)
    cost_bytes: int = field(init=False)

    def __post_init__(self) -> None:
        self.cost_bytes = sum(edit.cost_bytes for edit in (*self.edits, *self.inverses))


def apply_all(model: Model, edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Applies edits one after the other, all or none, and returns the inverse of each.

    Raises:
        EditError: One of them cannot be applied; those before it have been taken back.
    """
    inverses: list[Edit] = []
    with moving():
        try:
            for edit in edits:
                inverses.append(edit.apply(model))  # noqa: PERF401 (undone below)
        except EditError:
            for inverse in reversed(inverses):
                inverse.apply(model)
            raise
    return tuple(inverses)


class History:
    """The steps behind and ahead of the present state.

    Attributes:
        steps: All that are known, oldest first.
        position: How many of them are done.
        forgotten: How many older ones have been dropped.
    """

    def __init__(self, budget_bytes: int = DEFAULT_BUDGET_BYTES) -> None:
        self.steps: list[Step] = []
        self.position = 0
        self.forgotten = 0
        self.budget_bytes = budget_bytes
        self._clean: int | None = 0
        self._spent_bytes = 0

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return self.position > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return self.position < len(self.steps)

    @property
    def is_clean(self) -> bool:
        """Whether the present state is the one that was marked clean."""
        return self.position == self._clean

    @property
    def clean_position(self) -> int | None:
        """The position marked clean, None if it can no longer be reached."""
        return self._clean

    def mark_clean(self) -> None:
        """Declares the present state to be what is in the file."""
        self._clean = self.position

    def mark_unsaved(self) -> None:
        """Declares that no file holds any state of the model yet."""
        self._clean = None

    def push(self, step: Step) -> None:
        """Adds a step that has been done; what could be done again is forgotten."""
        self._spent_bytes -= sum(gone.cost_bytes for gone in self.steps[self.position :])
        del self.steps[self.position :]
        if self._clean is not None and self._clean > self.position:
            self._clean = None
        if not self._merge(step):
            self.steps.append(step)
            self.position += 1
            self._spent_bytes += step.cost_bytes
            self._forget()

    def restore(self, steps: list[Step], position: int) -> None:
        """Takes over steps of another time, of which so many are done and in the file."""
        self.steps, self.position = steps, position
        self._spent_bytes = sum(step.cost_bytes for step in steps)
        self.mark_clean()

    def _merge(self, step: Step) -> bool:
        """Makes the step part of the last one: one entry for a run of steps of a spin box."""
        last = self.steps[-1] if self.steps else None
        if (
            last is None
            or not (last.merges and step.merges)
            or self.is_clean
            or step.done_at - last.done_at > MERGE_SECONDS
            or [edit.address for edit in last.edits] != [edit.address for edit in step.edits]
            or not all(isinstance(edit, Set) for edit in (*last.edits, *step.edits))
        ):
            return False
        before = last.label.rsplit(" → ", 1)[0]
        after = step.label.rsplit(" → ", 1)[-1]
        label = f"{before} → {after}"
        merged = Step(label, step.edits, last.inverses, True, step.done_at)
        self._spent_bytes += merged.cost_bytes - last.cost_bytes
        self.steps[-1] = merged
        return True

    def _forget(self) -> None:
        """Drops the oldest steps beyond the budget, never the newest."""
        drop = 0
        while self._spent_bytes > self.budget_bytes and drop < len(self.steps) - 1:
            self._spent_bytes -= self.steps[drop].cost_bytes
            drop += 1
        if drop:
            del self.steps[:drop]
            self.position -= drop
            self.forgotten += drop
            reachable = self._clean is not None and self._clean >= drop
            self._clean = (self._clean or 0) - drop if reachable else None
