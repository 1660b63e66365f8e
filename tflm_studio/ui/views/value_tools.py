# SPDX-License-Identifier: Apache-2.0
"""The tools of the table of values: where to go, and how values are written."""

from __future__ import annotations

import math

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QToolButton, QWidget

from tflm_studio.model.errors import EditError
from tflm_studio.ui.models.value_grid import ValueGrid, ValueLook

ARROW_PIXELS = 10
DECIMALS = {"As many decimals as it takes": None, "3 decimals": 3, "6 decimals": 6}


class ValueTools(QWidget):
    """A field to go to an element and a menu of looks.

    Attributes:
        place_wanted: Emitted with the flat index of an element.
        refused: Emitted with the reason when there is no such element, "" when there is.
        look_changed: Emitted when values are to be written in another way.
        look: How values are written.
    """

    place_wanted = Signal("qint64")  # type: ignore[arg-type]
    refused = Signal(str)
    look_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.look = ValueLook()
        self._grid: ValueGrid | None = None
        self.field = QLineEdit()
        self.field.setObjectName("go_to_element")
        self.field.setAccessibleName("Go to element")
        self.field.setPlaceholderText("Go to 3,0,2")
        self.field.setFixedWidth(self.field.fontMetrics().horizontalAdvance("0" * 14) + 16)
        self.field.returnPressed.connect(self._go)
        button = QToolButton()
        button.setObjectName("look")
        button.setText("Look")
        button.setToolTip("How values are written; changes nothing of them")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(self._build_menu(button))
        # The style draws the arrow over the end of the text.
        button.setMinimumWidth(button.sizeHint().width() + ARROW_PIXELS)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.field)
        row.addWidget(button)

    def _build_menu(self, parent: QWidget) -> QMenu:
        menu, group = QMenu(parent), QActionGroup(parent)
        self._decimals: dict[int | None, QAction] = {}
        for text, decimals in DECIMALS.items():
            action = menu.addAction(text)
            action.setCheckable(True)
            action.setData(decimals)
            group.addAction(action)
            self._decimals[decimals] = action
        menu.addSeparator()
        self.both = menu.addAction("Real and stored values side by side")
        self.both.setObjectName("both")
        self.colours = menu.addAction("Colour cells by value")
        self.colours.setObjectName("colours")
        for action in (self.both, self.colours):
            action.setCheckable(True)
        self._tick()
        menu.triggered.connect(self._on_menu_triggered)
        return menu

    def set_look(self, look: ValueLook) -> None:
        """Chooses how values are written, as a person would in the menu."""
        self.look = look
        self._tick()
        self.look_changed.emit()

    def _tick(self) -> None:
        self._decimals.get(self.look.decimals, self._decimals[None]).setChecked(True)
        self.both.setChecked(self.look.has_both)
        self.colours.setChecked(self.look.has_colours)

    def _on_menu_triggered(self) -> None:
        chosen = next(d for d, action in self._decimals.items() if action.isChecked())
        self.set_look(ValueLook(chosen, self.both.isChecked(), self.colours.isChecked()))

    def show_grid(self, grid: ValueGrid) -> None:
        """Offers what the values of a grid have use for."""
        contents, self._grid = grid.contents, grid
        self.both.setEnabled(contents.quantization is not None)
        self.colours.setEnabled(contents.texts is None)
        example = ",".join(str(min(size - 1, 1)) for size in contents.shape[:4])
        self.field.setPlaceholderText(f"Go to {example}" if example else "Go to 0")
        self.field.setToolTip(
            f"An index along each axis ({', '.join(contents.axis_names)}), or the number of "
            f"the element, 0 to {contents.count - 1:,}; Enter goes there"
        )

    def _go(self) -> None:
        if self._grid is None:
            return
        try:
            flat = flat_index(self.field.text(), self._grid.contents.shape)
        except EditError as error:
            self.refused.emit(str(error))
            return
        self.refused.emit("")
        self.place_wanted.emit(flat)


def flat_index(text: str, shape: tuple[int, ...]) -> int:
    """The element that a person names by indices such as `3,0,2`, or by its number.

    Raises:
        EditError: There is no such element.
    """
    parts = text.replace("[", " ").replace("]", " ").replace(",", " ").split()
    if not parts or not all(part.isascii() and part.isdigit() for part in parts):
        raise EditError("Write an index along each axis, such as 3,0,2, or one number.")
    if any(len(part) > 18 for part in parts):
        raise EditError("There is no element so far behind.")
    numbers = [int(part) for part in parts]
    if len(numbers) == 1 and len(shape) != 1:
        flat, count = numbers[0], math.prod(shape)
        if flat >= count:
            raise EditError(f"The last element is {count - 1:,}.")
        return flat
    if len(numbers) != len(shape):
        raise EditError(f"There are {len(shape)} axes, not {len(numbers)}.")
    flat = 0
    for axis, (number, size) in enumerate(zip(numbers, shape, strict=True)):
        if number >= size:
            raise EditError(f"Index {number} of axis {axis} is beyond the last, {size - 1}.")
        flat = flat * size + number
    return flat
