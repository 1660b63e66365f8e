# SPDX-License-Identifier: Apache-2.0
"""Where in a buffer reading begins, and in which shape: a button with a small form."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QPushButton,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from tflm_studio.editing.operations import parse_shape
from tflm_studio.model.errors import EditError

NOTHING_SET = "Offset…"
ARROW_PIXELS = 10


class ReadAsButton(QToolButton):
    """Lets bytes be read from another byte on, in another shape; changes nothing of them.

    Attributes:
        changed: Emitted when others were chosen.
        first_byte: Where reading begins.
        shape: Dimensions; None for those of the tensor, or a list.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.first_byte = 0
        self.shape: tuple[int, ...] | None = None
        self.setText(NOTHING_SET)
        self.setToolTip("From which byte on and in which shape the bytes are read")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu, form = QMenu(self), QWidget()
        rows = QFormLayout(form)
        rows.setContentsMargins(10, 8, 10, 8)
        self.offset_field, self.shape_field = QLineEdit(), QLineEdit()
        for name, field, text in (
            ("offset", self.offset_field, "0, or 0x40"),
            ("shape", self.shape_field, "as it fits, or 3x5"),
        ):
            field.setObjectName(f"read_{name}")
            field.setPlaceholderText(text)
            field.returnPressed.connect(self._take)
            rows.addRow(f"Byte {name}" if name == "offset" else "Shape", field)
        self.problem = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.problem.setObjectName("read_problem")
        self.problem.hide()
        rows.addRow(self.problem)
        take, back = QPushButton("Read"), QPushButton("As stored")
        take.setObjectName("read_take")
        back.setObjectName("read_reset")
        take.clicked.connect(self._take)
        back.clicked.connect(self._put_back)
        rows.addRow(back, take)
        action = QWidgetAction(menu)
        action.setDefaultWidget(form)
        menu.addAction(action)
        menu.aboutToShow.connect(self.offset_field.setFocus)
        self.setMenu(menu)

    def sizeHint(self) -> QSize:
        # The style draws the arrow over the end of the text.
        return super().sizeHint() + QSize(ARROW_PIXELS, 0)

    @property
    def is_set(self) -> bool:
        """Whether anything else than what is stored was chosen."""
        return bool(self.first_byte) or self.shape is not None

    def reset(self) -> None:
        """Reads as stored again, and says nothing of it."""
        self._set(0, None)
        self.offset_field.clear()
        self.shape_field.clear()

    def _put_back(self) -> None:
        self.reset()
        self._close()

    def _take(self) -> None:
        try:
            first_byte, shape = self._entered()
        except EditError as error:
            self.problem.setText(str(error))
            self.problem.show()
            return
        self._set(first_byte, shape)
        self._close()

    def _entered(self) -> tuple[int, tuple[int, ...] | None]:
        offset, shape = self.offset_field.text().strip(), self.shape_field.text().strip()
        return parse_offset(offset or "0"), tuple(parse_shape(shape)) if shape else None

    def _set(self, first_byte: int, shape: tuple[int, ...] | None) -> None:
        self.first_byte, self.shape = first_byte, shape
        self.problem.hide()
        text = f"at {first_byte:#x}" if first_byte else ""
        if shape is not None:
            text += (", " if text else "") + ("×".join(map(str, shape)) or "scalar")
        self.setText(text or NOTHING_SET)

    def _close(self) -> None:
        self.menu().close()
        self.changed.emit()


def parse_offset(text: str) -> int:
    """A byte offset that a person typed, decimal or as 0x….

    Raises:
        EditError: The text is something else.
    """
    bare = text.strip().replace(",", "").replace("_", "")
    try:
        number = int(bare, 16) if bare.lower().startswith("0x") else int(bare)
    except ValueError:
        number = -1
    if not 0 <= number < 2**62:
        raise EditError(f"'{text.strip()[:40]}' is no offset; write 64 or 0x40.")
    return number
