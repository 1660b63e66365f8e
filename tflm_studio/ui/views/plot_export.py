# SPDX-License-Identifier: Apache-2.0
"""What a plot shows as a picture, as vector graphics and as a table in text.

Both pictures are painted by the widgets themselves or their scenes. pyqtgraph's exporters know
a single plot, not a colour bar beside it, and print names of fonts that only Qt understands.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from PySide6.QtCore import QBuffer, QIODevice, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPalette
from PySide6.QtWidgets import QGraphicsView, QWidget

SCALE = 2  # pixels of a picture for each of the screen
ROWS_AT_ONCE = 4096


class Drawn(NamedTuple):
    """What a plot shows as a table.

    Attributes:
        headings: Of the columns.
        rows: Made as they are asked for, from arrays and not from widgets.
    """

    headings: Sequence[str]
    rows: Iterable[Sequence[object]]


def picture(widget: QWidget, title: str) -> QImage:
    """The widget below a title, in twice as many pixels as on the screen."""
    size = _size(widget)
    image = QImage(size * SCALE, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(SCALE)
    painter = QPainter(image)
    _paint_title(painter, widget, title, size)
    widget.render(painter, QPoint(0, _title_height(widget)))
    painter.end()
    return image


def png_bytes(image: QImage) -> bytes:
    """A picture as a file."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return bytes(buffer.data().data())


def vector_graphics(widget: QWidget, title: str) -> bytes:
    """The widget below a title as SVG."""
    from PySide6.QtSvg import QSvgGenerator  # takes 20 ms, and few need it

    size, buffer = _size(widget), QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setResolution(96)  # what a pixel of the web is
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(0, 0), size))
    generator.setTitle(title)
    painter = QPainter(generator)
    _paint_title(painter, widget, title, size)
    for view in widget.findChildren(QGraphicsView):
        # Not as widgets: what those clip lands where it would be in their own corner.
        room = QRect(view.mapTo(widget, QPoint(0, _title_height(widget))), view.size())
        view.render(painter, QRectF(room), view.viewport().rect())
    painter.end()
    return bytes(buffer.data().data())


def table_text(drawn: Drawn) -> Iterator[bytes]:
    """A table as comma-separated values, some rows at a time."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(drawn.headings)
    for number, row in enumerate(drawn.rows, 1):
        writer.writerow(row)
        if number % ROWS_AT_ONCE == 0:
            yield _taken(text)
    yield _taken(text)


def _taken(text: io.StringIO) -> bytes:
    found = text.getvalue().encode()
    text.seek(0)
    text.truncate()
    return found


def _title_height(widget: QWidget) -> int:
    return widget.fontMetrics().height() + 12


def _size(widget: QWidget) -> QSize:
    return widget.size() + QSize(0, _title_height(widget))


def _paint_title(painter: QPainter, widget: QWidget, title: str, size: QSize) -> None:
    palette, height = widget.palette(), _title_height(widget)
    painter.fillRect(QRect(QPoint(0, 0), size), palette.color(QPalette.ColorRole.Base))
    painter.setPen(palette.color(QPalette.ColorRole.Text))
    painter.setFont(widget.font())
    room = QRect(12, 4, size.width() - 24, height - 4)
    cut = widget.fontMetrics().elidedText(title, Qt.TextElideMode.ElideMiddle, room.width())
    painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter), cut)
