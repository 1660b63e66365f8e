# SPDX-License-Identifier: Apache-2.0
"""What dialogs for operations share: a form, a note that says what will happen, and OK."""

from __future__ import annotations

from typing import ClassVar

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.ui.views.wrapped_label import WrappedLabel

NARROWEST_PIXELS = 460
NOTE_LINES = 2
LONGEST_NOTE = 600
LONGEST_TEXT = 2**31 - 1  # Qt cuts at 32,767 unless told otherwise


class ProposalDialog(QDialog):
    """Asks how an operation shall be done; OK is possible only with what it accepts.

    Attributes:
        proposal: What the operation proposes for what is entered now.
        DELAY_MS: How long after the last key the operation is asked, where that takes time.
    """

    DELAY_MS: ClassVar[int] = 0

    def __init__(self, title: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setObjectName(name)
        self.proposal = Proposal()
        self.column = QVBoxLayout(self)
        self.column.addStrut(NARROWEST_PIXELS)
        self.form = QFormLayout()
        self.form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        self.column.addLayout(self.form)
        self.note = WrappedLabel()
        self.note.setObjectName("note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setAlignment(Qt.AlignmentFlag.AlignTop)
        # The dialog keeps its size while sentences come and go.
        self.note.setMinimumHeight(NOTE_LINES * self.fontMetrics().lineSpacing())
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.check)

    def finish(self) -> None:
        """Puts note and buttons below what a subclass has built, and checks it."""
        self.column.addWidget(self.note)
        self.column.addWidget(self.buttons)
        self.check()

    @property
    def ok(self) -> QPushButton:
        """The button that accepts."""
        return self.buttons.button(QDialogButtonBox.StandardButton.Ok)

    def propose(self) -> Proposal:
        """What is entered, as a proposal.

        Raises:
            EditError: It is not possible; says why.
        """
        raise NotImplementedError

    def entered(self, *_: object) -> None:
        """Has what is entered looked at."""
        if not self.DELAY_MS:
            self.check()
            return
        self.ok.setEnabled(False)
        self._timer.start(self.DELAY_MS)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._timer.isActive():
            # OK waits for the operation to be asked; who presses Enter waits for nothing.
            self._timer.stop()
            self.check()
        super().keyPressEvent(event)

    def check(self) -> None:
        """Looks at what is entered and says what will happen, or why it cannot."""
        try:
            self.proposal = self.propose()
        except EditError as error:
            self.refuse(str(error))
        else:
            self.say(" ".join(self.proposal.notes) or self.hint())
            self.ok.setEnabled(True)

    def accept(self) -> None:
        """Closes the dialog, unless what is entered turns out not to be possible."""
        try:
            self.proposal = self.propose()
        except EditError as error:
            self.refuse(str(error))
        else:
            super().accept()

    def hint(self) -> str:
        """What to say when there is nothing to tell."""
        return ""

    def say(self, text: str) -> None:
        """Shows a note."""
        self.note.setForegroundRole(QPalette.ColorRole.WindowText)
        self.note.setText(excerpt(text, LONGEST_NOTE))

    def refuse(self, text: str) -> None:
        """Shows why it is not possible; OK cannot be pressed."""
        self.proposal = Proposal()
        self.note.setForegroundRole(QPalette.ColorRole.BrightText)
        self.note.setText(excerpt(text, LONGEST_NOTE))
        self.ok.setEnabled(False)

    def add_line(self, label: str, name: str, text: str = "") -> QLineEdit:
        """A line of text with a label before it."""
        line = QLineEdit()
        line.setMaxLength(LONGEST_TEXT)
        line.setText(text)
        line.setObjectName(name)
        line.textChanged.connect(self.entered)
        self.form.addRow(label, line)
        return line


def ask(dialog: ProposalDialog) -> Proposal | None:
    """What a person wants done; None if nothing."""
    try:
        return dialog.proposal if dialog.exec() else None
    finally:
        dialog.deleteLater()
