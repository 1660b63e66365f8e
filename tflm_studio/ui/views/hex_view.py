# SPDX-License-Identifier: Apache-2.0
"""The bytes of a buffer, sixteen a row, to read and to overwrite by typing hex digits."""

from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontDatabase,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.byte_values import parse_hex
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import WriteBytes
from tflm_studio.model.errors import EditError

PER_ROW = 16
MAX_COPIED_BYTES = 1 << 20
HEX_DIGITS = "0123456789abcdef"

Group = QPalette.ColorGroup
Paint = QPalette.ColorRole


class _Columns(NamedTuple):
    """Left edges of the columns, in characters."""

    file: int | None
    hexadecimal: int
    text: int
    end: int


def _columns(has_file_offset: bool) -> _Columns:
    first = 20 if has_file_offset else 10
    text = first + PER_ROW * 3 + 2
    return _Columns(10 if has_file_offset else None, first, text, text + PER_ROW)


class HexView(QAbstractScrollArea):
    """Bytes with their offsets in the buffer and in the file, and as text.

    Typing two hex digits overwrites the byte at the cursor, as one step of the document; so
    does pasting many.

    Attributes:
        refused: Emitted with the reason when a byte cannot be written.
        moved: Emitted when the cursor stands on another byte, or its bytes have changed.
        cursor_byte: Offset of the byte at the cursor.
        data: The bytes.
    """

    refused = Signal(str)
    moved = Signal()

    def __init__(self, document: Document, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._contents: BufferContents | None = None
        self.data = memoryview(b"")
        self._columns = _columns(False)
        self._pending = ""
        self.cursor_byte = 0
        self._anchor = 0
        self.setObjectName("bytes")
        self.setAccessibleName("Bytes")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.viewport().setBackgroundRole(Paint.Base)
        self.viewport().setCursor(Qt.CursorShape.IBeamCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    @property
    def selected_bytes(self) -> range:
        """Offsets of the selected bytes."""
        ends = sorted((self._anchor, self.cursor_byte))
        return range(ends[0], min(ends[1] + 1, len(self.data)))

    def show_contents(self, contents: BufferContents) -> None:
        """Shows the bytes of a buffer; the cursor stays in a buffer shown before."""
        before = self._contents.buffer_index if self._contents is not None else None
        if before != contents.buffer_index:
            self.cursor_byte = self._anchor = 0
            self.verticalScrollBar().setValue(0)
        self.take(contents)
        self._fit_scroll_bars()

    def take(self, contents: BufferContents) -> None:
        """Shows the same bytes after some have changed."""
        self._contents = contents
        self.data = contents.all_bytes
        self._columns = _columns(contents.file_offset is not None)
        self._pending = ""
        self.cursor_byte = min(self.cursor_byte, max(len(self.data) - 1, 0))
        self._anchor = min(self._anchor, max(len(self.data) - 1, 0))
        self.viewport().update()
        self.moved.emit()

    @property
    def file_offset(self) -> int | None:
        """Where the bytes start in the file, if they do."""
        return self._contents.file_offset if self._contents is not None else None

    @property
    def _cell(self) -> tuple[int, int]:
        metrics = self.fontMetrics()
        return metrics.horizontalAdvance("0"), metrics.height() + 3

    def _fit_scroll_bars(self) -> None:
        width, height = self._cell
        rows = -(-len(self.data) // PER_ROW)
        visible = max(self.viewport().height() // height - 1, 1)
        self.verticalScrollBar().setRange(0, max(rows - visible, 0))
        self.verticalScrollBar().setPageStep(visible)
        wide = (self._columns.end + 2) * width
        self.horizontalScrollBar().setRange(0, max(wide - self.viewport().width(), 0))
        self.horizontalScrollBar().setPageStep(self.viewport().width())
        self.horizontalScrollBar().setSingleStep(width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit_scroll_bars()

    def paintEvent(self, event: QPaintEvent) -> None:
        width, height = self._cell
        painter = QPainter(self.viewport())
        painter.setFont(self.font())
        painter.translate(width - self.horizontalScrollBar().value(), 0)
        self._paint_header(painter)
        first = self.verticalScrollBar().value()
        for line in range(self.viewport().height() // height + 1):
            start = (first + line) * PER_ROW
            if start >= len(self.data):
                break
            self._paint_row(painter, start, (line + 1) * height)

    def _color(self, role: QPalette.ColorRole) -> QColor:
        group = Group.Active if self.hasFocus() else Group.Inactive
        return self.palette().color(group, role)

    def _paint_header(self, painter: QPainter) -> None:
        painter.setPen(self._color(Paint.PlaceholderText))
        self._text(painter, 0, 0, "offset")
        if self._columns.file is not None:
            self._text(painter, self._columns.file, 0, "in file")
        for column in range(PER_ROW):
            self._text(painter, self._byte_column(column), 0, f"{column:02x}")
        self._text(painter, self._columns.text, 0, "text")

    def _text(self, painter: QPainter, column: int, top: int, text: str) -> None:
        width, height = self._cell
        painter.drawText(
            QRect(column * width, top, (len(text) + 1) * width, height),
            int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft),
            text,
        )

    def _byte_column(self, column: int) -> int:
        return self._columns.hexadecimal + column * 3 + column // 8

    def _paint_row(self, painter: QPainter, start: int, top: int) -> None:
        painter.setPen(self._color(Paint.PlaceholderText))
        self._text(painter, 0, top, f"{start:08x}")
        offset = self.file_offset
        if self._columns.file is not None and offset is not None:
            self._text(painter, self._columns.file, top, f"{offset + start:08x}")
        for column, byte in enumerate(self.data[start : start + PER_ROW]):
            self._paint_byte(painter, start + column, byte, top)

    def _paint_byte(self, painter: QPainter, place: int, byte: int, top: int) -> None:
        width, height = self._cell
        column = place % PER_ROW
        is_cursor, is_selected = place == self.cursor_byte, place in self.selected_bytes
        character = chr(byte) if 32 <= byte < 127 else "·"
        digits = f"{byte:02x}"
        if is_cursor and self._pending:
            digits = self._pending + "_"
        places = (
            (self._byte_column(column), digits),
            (self._columns.text + column, character),
        )
        for left, text in places:
            box = QRect(left * width - width // 2, top, (len(text) + 1) * width, height)
            if len(text) == 1:
                box = QRect(left * width, top, width, height)
            if is_selected:
                painter.fillRect(box, self._color(Paint.Highlight))
            if is_cursor:
                painter.setPen(self._color(Paint.Accent))
                painter.drawRect(box.adjusted(0, 0, -1, -1))
            plain = Paint.PlaceholderText if byte == 0 or text == "·" else Paint.Text
            painter.setPen(self._color(Paint.HighlightedText if is_selected else plain))
            self._text(painter, left, top, text)

    def byte_at(self, point: QPoint) -> int | None:
        """Offset of the byte under a point of the viewport."""
        width, height = self._cell
        line = point.y() // height - 1
        x = (point.x() + self.horizontalScrollBar().value()) / width - 1
        start = (self.verticalScrollBar().value() + line) * PER_ROW
        if line < 0 or x < self._columns.hexadecimal - 0.5:
            return None
        column = int(x - self._columns.text)
        if x < self._columns.text - 1:
            inside = x - self._columns.hexadecimal + 0.5
            column = int((inside - (inside > 8 * 3 + 0.5)) / 3)
        place = start + min(max(column, 0), PER_ROW - 1)
        return place if place < len(self.data) else None

    def byte_rect(self, place: int) -> QRect:
        """Where the digits of a byte are in the viewport."""
        width, height = self._cell
        left = (self._byte_column(place % PER_ROW) + 1) * width
        line = place // PER_ROW - self.verticalScrollBar().value() + 1
        return QRect(
            left - self.horizontalScrollBar().value(), line * height, 2 * width, height
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        place = self.byte_at(event.position().toPoint())
        if place is not None and event.button() == Qt.MouseButton.LeftButton:
            extend = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.move_cursor(place, extend=extend)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        place = self.byte_at(event.position().toPoint())
        if place is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self.move_cursor(place, extend=True)

    def move_cursor(self, place: int, *, extend: bool = False) -> None:
        """Puts the cursor on a byte and scrolls to it; `extend` extends the selection."""
        self._pending = ""
        self.cursor_byte = min(max(place, 0), max(len(self.data) - 1, 0))
        if not extend:
            self._anchor = self.cursor_byte
        bar, row = self.verticalScrollBar(), self.cursor_byte // PER_ROW
        bar.setValue(min(max(bar.value(), row - bar.pageStep() + 1), row))
        self.viewport().update()
        self.moved.emit()

    def select(self, place: int, size: int) -> None:
        """Selects bytes, with the cursor on the first of them."""
        self.move_cursor(place + size - 1)
        self.move_cursor(place, extend=True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        text, plain = event.text().lower(), Qt.KeyboardModifier.NoModifier
        shift = Qt.KeyboardModifier.ShiftModifier
        pad = Qt.KeyboardModifier.KeypadModifier
        extend = bool(event.modifiers() & shift)
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_selection()
        elif event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.matches(QKeySequence.StandardKey.SelectAll):
            self._anchor = 0
            self.move_cursor(len(self.data) - 1, extend=True)
        elif event.key() == Qt.Key.Key_Escape and self._pending:
            self.move_cursor(self.cursor_byte)
        elif (target := self._target(event)) is not None:
            self.move_cursor(target, extend=extend)
        elif text and text in HEX_DIGITS and event.modifiers() in (plain, shift, pad):
            self._type_digit(text)
        else:
            super().keyPressEvent(event)

    def _target(self, event: QKeyEvent) -> int | None:
        place, page = self.cursor_byte, self.verticalScrollBar().pageStep() * PER_ROW
        is_far = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        row = place // PER_ROW * PER_ROW
        column = place % PER_ROW
        last = max(len(self.data) - 1, 0)
        moves = {
            Qt.Key.Key_Left: place - 1,
            Qt.Key.Key_Right: place + 1,
            Qt.Key.Key_Up: max(place - PER_ROW, column),
            Qt.Key.Key_Down: place + PER_ROW,
            Qt.Key.Key_PageUp: max(place - page, column),
            Qt.Key.Key_PageDown: place + page,
            Qt.Key.Key_Home: 0 if is_far else row,
            Qt.Key.Key_End: last if is_far else row + PER_ROW - 1,
        }
        return moves.get(Qt.Key(event.key()))

    def _type_digit(self, digit: str) -> None:
        if not self.data:
            return
        if not self._pending:
            self._pending = digit
            self.viewport().update()
            return
        byte, self._pending = int(self._pending + digit, 16), ""
        if self.write(self.cursor_byte, bytes([byte])):
            self.move_cursor(self.cursor_byte + 1)
        self.viewport().update()

    def write(self, place: int, new: bytes) -> bool:
        """Overwrites bytes as one step of the document; tells why if it is refused."""
        contents = self._contents
        if contents is None or not new:
            return False
        try:
            if place + len(new) > len(self.data):
                raise EditError(
                    f"{len(new):,} bytes from byte {place:,} on run past the end of the "
                    f"{len(self.data):,} bytes here."
                )
            label = f"buffer {contents.buffer_index}: {self._told(place, new)}"
            address = ("buffers", contents.buffer_index, "data")
            self._document.do([WriteBytes(address, place, new)], label)
        except EditError as error:
            self.refused.emit(str(error))
            return False
        return True

    def _told(self, place: int, new: bytes) -> str:
        if len(new) == 1:
            return f"byte {place} {self.data[place]:#04x} → {new[0]:#04x}"
        return f"{len(new):,} bytes from byte {place:,} on"

    def paste(self) -> None:
        """Overwrites the bytes from the cursor on with hex digits from the clipboard."""
        start = self.selected_bytes.start
        try:
            new = parse_hex(QGuiApplication.clipboard().text())
        except EditError as error:
            self.refused.emit(str(error))
            return
        if self.write(start, new):
            self._anchor = start
            self.move_cursor(start + len(new) - 1, extend=True)

    def copy_selection(self) -> None:
        """Puts the selected bytes on the clipboard as hex digits."""
        chosen = self.selected_bytes
        if len(chosen) > MAX_COPIED_BYTES:
            self.refused.emit(
                f"{len(chosen):,} bytes are selected; no more than {MAX_COPIED_BYTES:,} fit."
            )
        else:
            text = self.data[chosen.start : chosen.stop].hex(" ")
            QGuiApplication.clipboard().setText(text)
