# SPDX-License-Identifier: Apache-2.0
"""The line above a buffer: its name and place, and how its bytes are read."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QWidget,
)

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.model.errors import EditError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.views.elided_label import ElidedLabel
from tflm_studio.ui.views.read_as_button import ReadAsButton

LEAST_NAME_PIXELS = 60

AnyWidget = TypeVar("AnyWidget", bound=QWidget)


class BufferHeader(QWidget):
    """Says what is shown, and lets its bytes be read in another way.

    Attributes:
        read_as_changed: Emitted when the bytes are to be read as something else.
        real_toggled: Emitted with whether real values are wanted.
    """

    read_as_changed = Signal()
    real_toggled = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self._full_name = ""
        self._name = _named(QLabel(textFormat=Qt.TextFormat.PlainText), "name")
        font = self._name.font()
        font.setBold(True)
        self._name.setFont(font)
        self._place = _named(ElidedLabel(), "place")
        self._place.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._place.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self._real = _named(QCheckBox("Real values"), "real")
        self._real.setToolTip("Shows scale × (stored − zero point), not the stored integers.")
        self._real.toggled.connect(self.real_toggled)
        self._type = self._build_type()
        self._read_as = _named(ReadAsButton(), "read_as")
        self._read_as.changed.connect(self.read_as_changed)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 2)
        row.setSpacing(8)
        row.addWidget(self._name)
        row.addWidget(self._place)
        row.addStretch(1)
        for field in (self._real, self._type, self._read_as):
            row.addWidget(field)

    def _build_type(self) -> QComboBox:
        choice = _named(QComboBox(), "type")
        choice.setAccessibleName("Read as type")
        choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        choice.setToolTip("How the bytes are read; changes nothing in the model.")
        choice.addItem("Auto", None)
        for kind in ELEMENT_TYPES.values():
            choice.addItem(kind.name, kind)
        choice.currentIndexChanged.connect(self.read_as_changed)
        return choice

    @property
    def is_real(self) -> bool:
        """Whether the reals that stored values stand for are wanted."""
        return self._real.isChecked()

    def reset(self) -> None:
        """Reads bytes as they are stored."""
        with QSignalBlocker(self._type):
            self._type.setCurrentIndex(0)
        self._read_as.reset()

    def show_stored(self, stored: BufferContents) -> None:
        """Says what and where a buffer is; `fit` it to the width then."""
        self._type.setItemText(0, f"as stored: {stored.kind.name}")
        self._place.say(stored.place)
        self._full_name = stored.name

    def offer_reals(self, *, are_there: bool) -> None:
        """Lets reals be chosen if the values stand for some."""
        self._real.setVisible(are_there)

    def read(self, stored: BufferContents) -> BufferContents:
        """The contents as their bytes are to be read; a note says if they cannot be."""
        kind = self._type.currentData()
        if kind is None and not self._read_as.is_set:
            return stored
        first_byte, shape = self._read_as.first_byte, self._read_as.shape
        try:
            return stored.read_as(kind or stored.kind, first_byte, shape)
        except EditError as error:
            return replace(stored, note=str(error))

    def fit(self, width: int) -> None:
        """Cuts a long name in the middle; its end tells what it is."""
        others = (self._place, self._real, self._type, self._read_as)
        shown = [w.sizeHint().width() + 8 for w in others if not w.isHidden()]
        room = max(width - sum(shown) - 24, LEAST_NAME_PIXELS)
        metrics, middle = self._name.fontMetrics(), Qt.TextElideMode.ElideMiddle
        self._name.setText(metrics.elidedText(excerpt(self._full_name), middle, room))
        self._name.setToolTip(tool_tip(self._full_name))


def _named(widget: AnyWidget, name: str) -> AnyWidget:
    widget.setObjectName(name)
    return widget
