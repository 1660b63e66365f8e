# SPDX-License-Identifier: Apache-2.0
"""What values are compared with, and how differences are shown."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QWidget

from tflm_studio.model.excerpts import excerpt

AS_OPENED, TENSOR, FILE = "opened", "tensor", "file"
TITLES = {
    AS_OPENED: "with the file as opened",
    TENSOR: "with another tensor…",
    FILE: "with a file…",
}
MAP, LARGEST = "Map of differences", "Largest differences"
LONGEST_NAME = 28


class CompareTools(QWidget):
    """Two lists to choose from.

    Attributes:
        source_wanted: Emitted with what to compare with.
        view_wanted: Emitted when differences are to be shown in another way.
        source: What is compared with now.
    """

    source_wanted = Signal(str)
    view_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source = AS_OPENED
        self._name = ""
        self.sources, self.views = QComboBox(), QComboBox()
        self.sources.setObjectName("compare_source")
        self.sources.setAccessibleName("Compare with")
        for key, title in TITLES.items():
            self.sources.addItem(title, key)
        self.views.setObjectName("compare_view")
        self.views.setAccessibleName("Show as")
        self.views.addItems([LARGEST, MAP])
        for field in (self.sources, self.views):
            field.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.sources.activated.connect(
            lambda: self.source_wanted.emit(self.sources.currentData())
        )
        self.views.currentIndexChanged.connect(lambda: self.view_wanted.emit())
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.sources)
        row.addWidget(self.views)

    @property
    def wants_map(self) -> bool:
        """Whether differences are to be drawn."""
        return self.views.currentText() == MAP

    def show_source(self, source: str | None = None, name: str = "") -> None:
        """Shows what is compared with; what was before if not given."""
        if source is not None:
            self.source, self._name = source, name
        with QSignalBlocker(self.sources):
            for key, title in TITLES.items():
                row = self.sources.findData(key)
                short = excerpt(self._name, LONGEST_NAME)
                is_named = key == self.source and short
                self.sources.setItemText(row, f"with {short}" if is_named else title)
            self.sources.setCurrentIndex(self.sources.findData(self.source))
        self.sources.setToolTip(self._name)
