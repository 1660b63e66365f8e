# SPDX-License-Identifier: Apache-2.0
"""An editor for tensor indices that says, while typing, which tensors they name."""

from __future__ import annotations

import re

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, Signal
from PySide6.QtGui import QFontDatabase, QHideEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QStyle, QToolButton, QWidget

from tflm_studio.editing.operations import parse_indices
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import tensor_text
from tflm_studio.ui.models.tensor_choices import TensorChoices
from tflm_studio.ui.views.tensor_picker import pick_tensor

MOST_LINES = 8
LONGEST_TEXT = 2**31 - 1
BUTTON_PIXELS = 18
_OTHERS = (
    Qt.KeyboardModifier.AltModifier
    | Qt.KeyboardModifier.ControlModifier
    | Qt.KeyboardModifier.ShiftModifier
)


class TensorIndexEdit(QLineEdit):
    """A line of indices such as `4 7 -1`, with a hint below that names the tensors.

    F4 and Down open a list of the tensors; what is picked there is entered as if typed.

    Args:
        choices: What can be named.
        is_single: Whether the line is for one index only.
    """

    picked = Signal()

    def __init__(
        self, choices: TensorChoices, parent: QWidget | None = None, *, is_single: bool = False
    ) -> None:
        super().__init__(parent)
        self.choices = choices
        self._is_single = is_single
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setMaxLength(LONGEST_TEXT)
        self.hint = QLabel(self, Qt.WindowType.ToolTip)
        self.hint.setMargin(6)
        self.hint.setFrameShape(QFrame.Shape.StyledPanel)
        self.hint.setTextFormat(Qt.TextFormat.PlainText)
        self.hint.setAccessibleName("Tensors named")
        self.textChanged.connect(self._update_hint)
        self.returnPressed.connect(self.hint.hide)
        self.installEventFilter(self)

    def hint_text(self) -> str:
        """What the hint says about the present text."""
        try:
            indices = parse_indices(self.text())
        except EditError as error:
            return str(error)
        shown = indices if len(indices) <= MOST_LINES else indices[: MOST_LINES - 1]
        lines = [self._line(index) for index in shown]
        if len(indices) > len(shown):
            lines.append(f"… and {len(indices) - len(shown)} more")
        return "\n".join(lines) or "no tensors"

    def _line(self, index: int) -> str:
        problem = self.choices.problem(index)
        text = f"{index}  {tensor_text(self.choices.subgraph, index)}"
        return f"{text}  ⚠ {problem}" if problem else text

    def pick(self) -> None:
        """Lets the person choose a tensor from a list."""
        self.hint.hide()
        chosen = pick_tensor(self.choices, self._index_at_cursor(), self)
        if chosen is not None:
            self._enter(str(chosen))
            self.picked.emit()

    def _index_at_cursor(self) -> int | None:
        cursor = self.cursorPosition()
        for number in re.finditer(r"-?[0-9]{1,10}", self.text()):
            if number.start() <= cursor <= number.end():
                return int(number[0])
        return None

    def _enter(self, index: str) -> None:
        """In place of the one index or of what is selected, or else at the cursor."""
        if self._is_single or not self.text().strip(" -–"):
            self.setText(index)
            return
        if self.hasSelectedText():
            start, end = self.selectionStart(), self.selectionEnd()
        else:
            start = end = self.cursorPosition()
        before, behind = self.text()[:start], self.text()[end:]
        before += " " * (before[-1:] not in ("", " "))
        self.setText(f"{before}{index}{' ' * (behind[:1] not in ('', ' '))}{behind}")
        self.setCursorPosition(len(before) + len(index))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The hint opens with the first focus; a delegate shows its editor already focused.
        if watched is self and event.type() in (QEvent.Type.FocusIn, QEvent.Type.Show):
            self._update_hint()
        elif watched is self and event.type() is QEvent.Type.FocusOut:
            self.hint.hide()
        return super().eventFilter(watched, event)

    def hideEvent(self, event: QHideEvent) -> None:
        self.hint.hide()
        super().hideEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.hint.hide()
        if event.key() in (Qt.Key.Key_F4, Qt.Key.Key_Down) and not event.modifiers() & _OTHERS:
            self.pick()
            return
        super().keyPressEvent(event)

    def _update_hint(self) -> None:
        if not self.isVisible() or not self.hasFocus():
            return
        self.hint.setText(self.hint_text())
        self.hint.adjustSize()
        gap = self.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameVMargin)
        self.hint.move(self.mapToGlobal(QPoint(0, self.height() + gap)))
        self.hint.show()


def pick_button(edit: TensorIndexEdit) -> QToolButton:
    """A small button beside a line that opens the list of tensors."""
    button = QToolButton()
    button.setArrowType(Qt.ArrowType.DownArrow)
    button.setAutoRaise(True)
    button.setFixedWidth(BUTTON_PIXELS)
    # The line keeps the focus, and has keys for the same.
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    button.setToolTip("Pick a tensor from a list (F4)")
    button.setAccessibleName(f"Pick a tensor for {edit.accessibleName()}")
    button.clicked.connect(edit.setFocus)
    button.clicked.connect(edit.pick)
    return button
