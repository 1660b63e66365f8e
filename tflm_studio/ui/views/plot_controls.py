# SPDX-License-Identifier: Apache-2.0
"""The quiet row of lists and boxes above a plot, remembered by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from PySide6.QtCore import QSignalBlocker, QSize, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QSpinBox, QWidget

from tflm_studio.ui.models.view_choices import ViewChoices

ON, OFF = "on", "off"
SHORTEST = 44  # pixels of a list or an index


class Choice(NamedTuple):
    """One of some options; the first is what is chosen at first.

    Attributes:
        key: What it is remembered by.
        title: What it is about, for tool tips and screen readers.
        options: Stored value and text of each; without any it is a box to tick.
        initial: The stored value at first, the first option if empty.
    """

    key: str
    title: str
    options: tuple[tuple[str, str], ...] = ()
    initial: str = ""


class ShortComboBox(QComboBox):
    """As wide as its longest text where there is room, a few letters where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)

    def minimumSizeHint(self) -> QSize:
        return QSize(SHORTEST, super().minimumSizeHint().height())


class PlotControls(QWidget):
    """Shows choices and remembers them.

    Attributes:
        changed: Emitted with the key of what was chosen.
    """

    changed = Signal(str)

    def __init__(self, *rows: Choice) -> None:
        super().__init__()
        self._choices = ViewChoices(self)
        self._rows = {row.key: row for row in rows}
        self._widgets: dict[str, QComboBox | QCheckBox] = {}
        self._layout = QHBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 8, 0)
        self._layout.setSpacing(6)
        self._layout.addStretch(1)
        for row in rows:
            widget = self._combo_box(row) if row.options else self._check_box(row)
            widget.setObjectName(row.key)
            widget.setToolTip(row.title)
            self._widgets[row.key] = widget
            self._layout.addWidget(widget)

    def _combo_box(self, row: Choice) -> QComboBox:
        box = ShortComboBox()
        box.setAccessibleName(row.title)
        for value, text in row.options:
            box.addItem(text, value)
        box.activated.connect(lambda: self._on_chosen(row.key, str(box.currentData())))
        return box

    def _check_box(self, row: Choice) -> QCheckBox:
        box = QCheckBox(row.title)
        box.clicked.connect(lambda: self._on_chosen(row.key, ON if box.isChecked() else OFF))
        return box

    def add(self, widget: QWidget, before: str) -> None:
        """Puts another widget before that of a choice."""
        self._layout.insertWidget(self._layout.indexOf(self._widgets[before]), widget)

    def follow(self, choices: ViewChoices) -> None:
        """Remembers by these choices from now on, and shows what they say."""
        self._choices = choices
        for key, widget in self._widgets.items():
            if isinstance(widget, QComboBox):
                widget.setCurrentIndex(max(widget.findData(self.value(key)), 0))
            else:
                widget.setChecked(self.value(key) == ON)

    def value(self, key: str) -> str:
        """What is chosen: the stored value of an option, or "on" or "off"."""
        row = self._rows[key]
        values = [value for value, _ in row.options] or [OFF, ON]
        chosen = self._choices.get(key, row.initial)
        return chosen if chosen in values else (row.initial or values[0])

    def is_on(self, key: str) -> bool:
        """Whether a box is ticked."""
        return self.value(key) == ON

    def choose(self, key: str, value: str) -> None:
        """Chooses as a person would."""
        self._choices.choose(key, value)
        self.follow(self._choices)
        self.changed.emit(key)

    def name_options(self, key: str, *texts: str) -> None:
        """Gives the options of a choice other texts."""
        widget = self._widgets[key]
        assert isinstance(widget, QComboBox)
        for number, text in enumerate(texts):
            widget.setItemText(number, text)

    def show_only(self, keys: Collection[str]) -> None:
        """Hides what makes no sense for what is shown."""
        for key, widget in self._widgets.items():
            widget.setVisible(key in keys)

    def _on_chosen(self, key: str, value: str) -> None:
        self._choices.choose(key, value)
        self.changed.emit(key)


class IndexBox(QSpinBox):
    """A small box for an index along an axis."""

    def minimumSizeHint(self) -> QSize:
        return QSize(SHORTEST, super().minimumSizeHint().height())

    def show_axis(self, name: str, size: int, index: int) -> None:
        """Counts along another axis."""
        with QSignalBlocker(self):
            self.setPrefix(f"{name} ")
            self.setAccessibleName(name)
            self.setToolTip(f"Which {name} to show, 0 to {size - 1}.")
            self.setRange(0, max(size - 1, 0))
            self.setValue(index)
