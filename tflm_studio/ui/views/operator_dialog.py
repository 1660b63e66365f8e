# SPDX-License-Identifier: Apache-2.0
"""Dialogs that change operators: they say what will happen, and OK is possible if it can."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.wrapped_label import WrappedLabel

MANY_OPERATORS = 2000
PAUSE_MS = 200
NOTE_LINES = 3


class OperatorDialog(QDialog):
    """Asks for one change of operators; subclasses say which.

    Attributes:
        proposal: What was checked last, None if it is not possible.
    """

    def __init__(
        self, session: Session, name: str, title: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.session = session
        self.subgraph_index = session.subgraph_index
        self.proposal: Proposal | None = None
        self.setObjectName(name)
        self.setWindowTitle(title)
        self.note = WrappedLabel()
        self.note.setObjectName("operator_note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.note.setMinimumHeight(NOTE_LINES * self.fontMetrics().lineSpacing())
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        count = len(session.subgraph.operators or [])
        self._later = QTimer(self, singleShot=True)
        self._later.setInterval(PAUSE_MS if count > MANY_OPERATORS else 0)
        self._later.timeout.connect(self.check)

    def finish_layout(self, content: QWidget) -> None:
        """Puts note and buttons below what a subclass shows."""
        column = QVBoxLayout(self)
        column.addWidget(content, 1)
        column.addWidget(self.note)
        column.addWidget(self.buttons)

    # ------------------------------------------------------------------ for subclasses

    def make(self) -> Proposal:
        """What is asked for.

        Raises:
            EditError: It is not possible.
        """
        raise NotImplementedError

    def describe(self, proposal: Proposal) -> str:
        """In words what will happen."""
        return f"{proposal.label}."

    # ------------------------------------------------------------------ checking

    def check(self) -> None:
        """Says what will happen, or why it cannot."""
        self._later.stop()
        try:
            self.proposal = self.make()
            lines = [self.describe(self.proposal), *self.proposal.notes]
        except EditError as error:
            self.proposal, lines = None, [str(error)]
        self.note.setText("\n".join(lines))
        ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        ok.setEnabled(self.proposal is not None)

    def check_soon(self) -> None:
        """Checks once the person pauses, or at once if it takes no time."""
        # Whoever is faster than that presses OK, and `accept` checks.
        self.buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(True)
        self._later.start()

    def accept(self) -> None:
        if self._later.isActive():
            self.check()
        if self.proposal is not None:
            super().accept()
