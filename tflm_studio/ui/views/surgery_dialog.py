# SPDX-License-Identifier: Apache-2.0
"""Shows what a change of the whole graph would do, before it is done.

Looking means to change the model on trial and to put it back. That is done in the thread of
the window, which cannot paint a half-changed model meanwhile; large models are looked at once
the dialog stands, under an hourglass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCursor, QGuiApplication, QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.editing.extraction import Extraction
from tflm_studio.editing.previews import compare, preview
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError
from tflm_studio.model.schema import Model
from tflm_studio.ui.views.preview_view import PreviewView
from tflm_studio.ui.views.wrapped_label import WrappedLabel

PATIENCE_MS = 30  # for the dialog to be painted before a large model is looked at
FEW_THINGS = 3000  # operators and tensors: so many are looked at in less than 0.1 s
NOTHING = "This would change nothing."
LOOKING = "Looking at what would happen…"
WIDTH_PIXELS, HEIGHT_PIXELS = 620, 560

Outcome = Proposal | Extraction
Ticks = dict[str, bool]


@dataclass(frozen=True, slots=True)
class Tick:
    """A choice of a surgery that is on or off.

    Attributes:
        name: What it is called in the dictionary that `Surgery.make` gets.
        text: What it says.
        is_on: Whether it is on at first.
    """

    name: str
    text: str
    is_on: bool = True


@dataclass(frozen=True, slots=True)
class Surgery:
    """A change of a whole graph, to be looked at.

    Attributes:
        title: What it is called, such as "Strip names".
        sentence: What it does.
        make: What would be done for some ticks; may raise `EditError`.
        ticks: What can be chosen.
        ok: What the button says that does it.
    """

    title: str
    sentence: str
    make: Callable[[Ticks], Outcome]
    ticks: tuple[Tick, ...] = ()
    ok: str = "OK"


class SurgeryDialog(QDialog):
    """What a surgery does, its ticks, and what the model would be.

    Attributes:
        outcome: What OK stands for; None if the surgery is refused or would change nothing.
    """

    def __init__(self, model: Model, surgery: Surgery, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("surgery_dialog")
        self.setWindowTitle(surgery.title)
        self._model, self._surgery = model, surgery
        self.outcome: Outcome | None = None
        self.sentence = WrappedLabel(surgery.sentence)
        self.sentence.setTextFormat(Qt.TextFormat.PlainText)
        self.ticks = {tick.name: self._make_tick(tick) for tick in surgery.ticks}
        self.preview = PreviewView()
        self.note = WrappedLabel()
        self.note.setObjectName("surgery_note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        buttons = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(buttons.Ok | buttons.Cancel)
        self._ok = self.buttons.button(buttons.Ok)
        self._ok.setText(surgery.ok)
        self._build()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.look)
        self._look_soon()

    def _make_tick(self, tick: Tick) -> QCheckBox:
        box = QCheckBox(tick.text)
        box.setObjectName(f"tick.{tick.name}")
        box.setChecked(tick.is_on)
        box.toggled.connect(self._look_soon)
        return box

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(self.sentence)
        choices = QVBoxLayout()
        choices.setSpacing(2)
        for box in self.ticks.values():
            choices.addWidget(box)
        column.addLayout(choices)
        column.addWidget(self.preview, 1)
        column.addWidget(self.note)
        column.addWidget(self.buttons)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self.resize(WIDTH_PIXELS, HEIGHT_PIXELS)

    def _look_soon(self) -> None:
        self.outcome = None
        self._ok.setEnabled(False)
        things = sum(
            len(subgraph.operators or []) + len(subgraph.tensors or [])
            for subgraph in self._model.subgraphs or []
        )
        if things <= FEW_THINGS:
            self.look()
        else:
            self._say(LOOKING)
            self._timer.start(PATIENCE_MS)

    def look(self) -> None:
        """Finds out what would happen, and shows it."""
        self._timer.stop()
        self.outcome = None
        QGuiApplication.setOverrideCursor(QCursor(Qt.CursorShape.WaitCursor))
        try:
            made = self._surgery.make({name: b.isChecked() for name, b in self.ticks.items()})
            is_part = isinstance(made, Extraction)
            seen = (
                compare(self._model, made.model, made.notes)
                if isinstance(made, Extraction)
                else preview(self._model, made)
            )
        except EditError as error:
            self.preview.clear()
            self._say(str(error), is_refused=True)
            return
        finally:
            QGuiApplication.restoreOverrideCursor()
        self.preview.show_preview(seen, is_part=is_part)
        if isinstance(made, Proposal) and not made.edits:
            self._say("" if seen.notes else NOTHING)
            return
        self.outcome = made
        self._say("")
        self._ok.setEnabled(True)
        self._ok.setDefault(True)

    def _say(self, text: str, *, is_refused: bool = False) -> None:
        role = QPalette.ColorRole
        self.note.setForegroundRole(role.BrightText if is_refused else role.WindowText)
        self.note.setText(text)
        self.note.setVisible(bool(text))
        self._ok.setEnabled(False)
