# SPDX-License-Identifier: Apache-2.0
"""The estimate of the arena, made anew after every edit, and what the interpreter measured."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from tflm_studio.analysis.arena_buffers import PlanError
from tflm_studio.analysis.arena_size import ArenaEstimate, estimate_arena
from tflm_studio.editing.document import Change, ChangeKind
from tflm_studio.editing.offline_planning import offline_problems
from tflm_studio.editing.stillness import RestlessError, read_still
from tflm_studio.formats.model_file import encode
from tflm_studio.formats.offline_plan import OFFLINE_PLAN
from tflm_studio.model.cancellation import CancelledError, cancellable
from tflm_studio.model.errors import StudioError
from tflm_studio.model.metadata_content import find_metadata
from tflm_studio.model.schema import Model
from tflm_studio.runtime.arena_measurement import FIRST_ARENA, Measurement, measure_arena
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tasks import LatestTask

PAUSE_MS = 60  # edits that follow each other faster count as one
LARGE_OPERATORS = 1500  # more are looked at in a thread, and only while someone looks
TENSORS_EACH = 4  # so many tensors weigh as much as an operator


class ArenaWatch(QObject):
    """What the arena of a document takes.

    Attributes:
        estimate: The newest estimate; None before the first, or if there is none.
        problem: Why there is no estimate; "" if there is one.
        plan_problems: What is wrong with the offline plan.
        measurement: What the interpreter said since the last edit.
        measure_problem: Why it said nothing.
        is_wanted: Whether someone looks: large models are estimated only then.
    """

    changed = Signal()

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent or session)
        self._session = session
        self.estimate: ArenaEstimate | None = None
        self.problem = ""
        self.plan_problems: list[str] = []
        self.measurement: Measurement | None = None
        self.measure_problem = ""
        self._is_wanted = False
        self._is_stale = True
        self._planning = LatestTask(self)
        self._planning.finished.connect(self._take)
        self._planning.failed.connect(self._take_failure)
        self._measuring = LatestTask(self)
        self._measuring.finished.connect(self._take_measurement)
        self._measuring.failed.connect(self._take_measure_failure)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self.refresh)
        session.changed.connect(self._on_changed)
        self._timer.start()

    @property
    def is_wanted(self) -> bool:
        """Whether someone looks."""
        return self._is_wanted

    @is_wanted.setter
    def is_wanted(self, is_wanted: bool) -> None:
        self._is_wanted = is_wanted
        if is_wanted and self._is_stale and not self._timer.isActive():
            self.refresh()

    @property
    def has_offline_plan(self) -> bool:
        """Whether the model brings a plan of its own."""
        return find_metadata(self._session.document.model, OFFLINE_PLAN) is not None

    @property
    def is_measuring(self) -> bool:
        """Whether the interpreter is at work."""
        return self._measuring.is_running

    def refresh(self) -> None:
        """Makes the estimate anew: a small model's at once, a large one's in a thread."""
        model = self._session.document.model
        self._planning.cancel()
        if not self.is_large:
            self._try(lambda: _estimated(model))
        elif self._is_wanted:
            self._planning.start(lambda is_stale: _estimated_unless(model, is_stale))
        else:
            self.estimate, self.problem, self.plan_problems = None, "", []
            self.changed.emit()

    @property
    def is_large(self) -> bool:
        """Whether the model takes a while to plan."""
        subgraphs = self._session.document.model.subgraphs or []
        operators = sum(len(each.operators or []) for each in subgraphs)
        tensors = sum(len(each.tensors or []) for each in subgraphs)
        return operators > LARGE_OPERATORS or tensors > TENSORS_EACH * LARGE_OPERATORS

    def measure(self) -> None:
        """Asks the interpreter, in a process of its own."""
        self.measurement, self.measure_problem = None, ""
        try:
            data = encode(self._session.document.model).tobytes()
        except StudioError as error:
            self._take_measure_failure(error)
            return
        size = 2 * self.estimate.recommended if self.estimate is not None else 0
        first = max(size, FIRST_ARENA)

        def work(is_stale: Callable[[], bool]) -> Measurement:
            with cancellable(is_stale):
                return measure_arena(data, first)

        self._measuring.start(work)
        self.changed.emit()

    def stop_measuring(self) -> None:
        """Ends the interpreter."""
        self._measuring.cancel()
        self.changed.emit()

    def _on_changed(self, change: Change) -> None:
        if change.kind is ChangeKind.SAVED:
            return
        self._is_stale = True
        self._planning.cancel()
        self._measuring.cancel()
        self.measurement, self.measure_problem = None, ""
        self._timer.start()

    def _try(self, make: Callable[[], tuple[ArenaEstimate, list[str]]]) -> None:
        try:
            made = make()
        except PlanError as error:
            self._take_failure(error)
        else:
            self._take(made)

    def _take(self, made: tuple[ArenaEstimate, list[str]]) -> None:
        self.estimate, self.plan_problems = made
        self.problem, self._is_stale = "", False
        self.changed.emit()

    def _take_failure(self, error: Exception) -> None:
        if isinstance(error, RestlessError):
            self._timer.start()
            return
        self.estimate, self.plan_problems, self._is_stale = None, [], False
        self.problem = str(error)
        self.changed.emit()

    def _take_measurement(self, measurement: Measurement) -> None:
        self.measurement = measurement
        self.changed.emit()

    def _take_measure_failure(self, error: Exception) -> None:
        self.measure_problem = "" if isinstance(error, CancelledError) else str(error)
        self.changed.emit()


def _estimated(model: Model) -> tuple[ArenaEstimate, list[str]]:
    estimate = estimate_arena(model)
    return estimate, offline_problems(model, estimate.plan)


def _estimated_unless(
    model: Model, is_stale: Callable[[], bool]
) -> tuple[ArenaEstimate, list[str]]:
    with cancellable(is_stale):
        return read_still(lambda: _estimated(model))
