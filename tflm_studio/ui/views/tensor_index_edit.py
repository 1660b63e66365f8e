# SPDX-License-Identifier: Apache-2.0
"""An editor for tensor indices that says, while typing, which tensors they name."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt
from PySide6.QtGui import QFontDatabase, QHideEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QStyle, QWidget

from tflm_studio.editing.operations import parse_indices
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import tensor_text
from tflm_studio.model.schema import SubGraph

MOST_LINES = 8
LONGEST_TEXT = 2**31 - 1


class TensorIndexEdit(QLineEdit):
    """A line of indices such as `4 7 -1`, with a hint below that names the tensors."""

    def __init__(self, subgraph: SubGraph, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._subgraph = subgraph
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.setMaxLength(LONGEST_TEXT)
        self.hint = QLabel(self, Qt.WindowType.ToolTip)
        self.hint.setMargin(6)
        self.hint.setFrameShape(QFrame.Shape.StyledPanel)
        self.hint.setTextFormat(Qt.TextFormat.PlainText)
        self.hint.setAccessibleName("Tensors named")
        self.textChanged.connect(self._update_hint)
        self.installEventFilter(self)

    def hint_text(self) -> str:
        """What the hint says about the present text."""
        try:
            indices = parse_indices(self.text())
        except EditError as error:
            return str(error)
        shown = indices if len(indices) <= MOST_LINES else indices[: MOST_LINES - 1]
        lines = [f"{index}  {tensor_text(self._subgraph, index)}" for index in shown]
        if len(indices) > len(shown):
            lines.append(f"… and {len(indices) - len(shown)} more")
        return "\n".join(lines) or "no tensors"

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
        super().keyPressEvent(event)

    def _update_hint(self) -> None:
        self.hint.setText(self.hint_text())
        self.hint.adjustSize()
        if not self.isVisible() or not self.hasFocus():
            return
        gap = self.style().pixelMetric(QStyle.PixelMetric.PM_FocusFrameVMargin)
        self.hint.move(self.mapToGlobal(QPoint(0, self.height() + gap)))
        self.hint.show()
