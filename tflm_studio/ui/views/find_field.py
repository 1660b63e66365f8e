# SPDX-License-Identifier: Apache-2.0
"""The field that narrows the tables, with a note on what it understood and a help."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPalette
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QToolButton,
    QWidget,
)

from tflm_studio.ui.views.elided_label import ElidedLabel

FIELD_PIXELS = 280
HINT = "Find rows: conv int8 >1k #12 …   Ctrl+F"
_EXAMPLES = (
    ("conv relu", "rows with both words, in any order, in any column"),
    ('"two words"', "these words one behind the other"),
    ("int8", "rows of just this element type, not uint8"),
    (
        ">1k  <16KB  =1024",
        "by bytes of data (of operators: of their weights); k is 1,024",
    ),
    ("12  #12  #3-7", "the row with this index; #12 also among other words"),
    ("inputs:34  name:conv", "what a column says; the beginning of its title will do"),
    ("name:=conv1", "a cell that says just this"),
    ("buffer:>12  size:>2M", "a number in a cell; with a unit, the size"),
    ("-word  -type:int8", "all rows but these"),
    ("Node number 12 (CONV_2D) failed …", "an error message: the operator or tensor it names"),
)


class FindField(QLineEdit):
    """Takes a query; Enter and Down lead to the rows that were found, Escape ends it."""

    left = Signal()  # for the rows
    ended = Signal()
    entered = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("find_field")
        self.setAccessibleName("Find rows")
        self.setPlaceholderText(HINT)
        self.setToolTip(help_text())
        self.setClearButtonEnabled(True)
        self.setFixedWidth(FIELD_PIXELS)

    def show_as(self, *, wrong: bool) -> None:
        """Shows whether the query could be understood."""
        palette = QPalette()
        if wrong:
            palette.setColor(QPalette.ColorRole.Text, palette.brightText().color())
        self.setPalette(palette)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.entered.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.ended.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Down):
            self.left.emit()
        elif event.key() == Qt.Key.Key_F1:
            show_help(self)
        else:
            super().keyPressEvent(event)


class FindBar(QWidget):
    """The field with its note on the left and its help on the right."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = FindField()
        self.note = ElidedLabel()
        self.note.setObjectName("find_note")
        self.note.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        help_button = QToolButton()
        help_button.setObjectName("find_help")
        help_button.setText("?")
        help_button.setAutoRaise(True)
        help_button.setToolTip("What can be typed here (F1)")
        help_button.setAccessibleName("What can be typed in the find field")
        help_button.clicked.connect(lambda: show_help(self.field))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.note, 1)
        row.addWidget(self.field)
        row.addWidget(help_button)

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Shows a note beside the field; red if the query is wrong."""
        role = QPalette.ColorRole.BrightText if wrong else QPalette.ColorRole.PlaceholderText
        self.note.setForegroundRole(role)
        self.note.say(text)
        self.field.show_as(wrong=wrong)


def help_text() -> str:
    """What can be typed, as a table."""
    lines = "".join(
        f"<tr><td><code>{query.replace('<', '&lt;')}</code></td>"
        f"<td style='padding-left:14px'>{meaning}</td></tr>"
        for query, meaning in _EXAMPLES
    )
    return f"<p><b>Find rows</b> that fit all of it:</p><table cellspacing='2'>{lines}</table>"


def show_help(field: QWidget) -> QFrame:
    """Opens the help below the field; Escape or a click elsewhere closes it."""
    popup = QFrame(field, Qt.WindowType.Popup)
    popup.setObjectName("find_help_popup")
    popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    popup.setFrameShape(QFrame.Shape.StyledPanel)
    label = QLabel(help_text())
    label.setMargin(10)
    label.setTextFormat(Qt.TextFormat.RichText)
    row = QHBoxLayout(popup)
    row.setContentsMargins(0, 0, 0, 0)
    row.addWidget(label)
    popup.adjustSize()
    corner = field.mapToGlobal(QPoint(field.width() - popup.width(), field.height() + 2))
    popup.move(max(corner.x(), 0), corner.y())
    popup.show()
    return popup
