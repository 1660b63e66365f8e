# SPDX-License-Identifier: Apache-2.0
"""Chooses which part of a tensor is shown, and which axes run down and across."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QSpinBox, QWidget

from tflm_studio.ui.models.value_grid import ValueGrid
from tflm_studio.ui.views.flow_layout import FlowLayout

ALL = "all"


class AxisSlicer(QWidget):
    """A line of fields for the axes of a tensor, with room for the tools of a page.

    Attributes:
        changed: Emitted with the grid that is wanted.
    """

    changed = Signal(object)  # ValueGrid

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid: ValueGrid | None = None
        self._key: object = None
        self._fields: list[QWidget] = []
        self._tools: list[QWidget] = []
        self._uses_axes = True
        self._layout = FlowLayout(self)
        self._layout.setContentsMargins(8, 3, 8, 3)

    def add_tools(self, tools: QWidget) -> None:
        """Keeps the tools of a page in the line; `show_page` says which are shown."""
        self._tools.append(tools)
        self._layout.addWidget(tools)

    def show_page(self, *, uses_axes: bool, tools: QWidget | None) -> None:
        """Shows what a page has use for."""
        self._uses_axes = uses_axes
        for each in self._fields:
            each.setVisible(uses_axes)
        for each in self._tools:
            each.setVisible(each is tools)
        self.setVisible(tools is not None or (uses_axes and bool(self._fields)))

    def show_grid(self, grid: ValueGrid) -> None:
        """Offers the axes of a grid."""
        contents = grid.contents
        axes = (grid.down, grid.across, grid.column_axis, grid.sliceable_axes)
        key = (contents.shape, contents.axis_names, axes)
        self._grid = grid
        if key != self._key:
            self._key = key
            self._rebuild(grid)
        for axis in grid.sliceable_axes:
            spin, fixed = self.findChild(QSpinBox, f"axis_{axis}"), grid.fixed[axis]
            if spin is not None:
                with QSignalBlocker(spin):
                    spin.setValue(-1 if fixed is None else fixed)

    def _rebuild(self, grid: ValueGrid) -> None:
        for field in self._fields:
            self._layout.removeWidget(field)
            field.blockSignals(True)  # what is half typed there means other axes
            field.hide()
            field.setObjectName("")
            field.deleteLater()
        for tools in self._tools:
            self._layout.removeWidget(tools)
        self._fields = []
        if len(grid.long_axes) > 1:
            self._add_choice("rows", grid)
            self._add_choice("columns", grid)
        for axis in grid.sliceable_axes:
            self._add_axis(grid, axis)
        for tools in self._tools:
            self._layout.addWidget(tools)
        for field in self._fields:
            field.setVisible(self._uses_axes)

    def _add_choice(self, name: str, grid: ValueGrid) -> None:
        choice = QComboBox()
        choice.setObjectName(name)
        choice.setAccessibleName(f"Axis of the {name}")
        choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        is_rows = name == "rows"
        choice.setToolTip(
            f"Which axis runs {'down the rows' if is_rows else 'across columns'}"
        )
        current = grid.column_axis
        if is_rows:
            if len(grid.long_axes) > 2:
                choice.addItem(f"{name}: {ALL}", None)
            current = grid.row_axes[0] if len(grid.long_axes) == 2 and grid.row_axes else None
            current = grid.down if grid.down in grid.row_axes else current
        for axis in grid.long_axes:
            choice.addItem(f"{name}: {grid.contents.axis_names[axis]}", axis)
        choice.setCurrentIndex(choice.findData(current))
        choice.activated.connect(lambda: self._on_choice_activated(name, choice))
        self._add(choice)

    def _add_axis(self, grid: ValueGrid, axis: int) -> None:
        name, last = grid.contents.axis_names[axis], grid.contents.shape[axis] - 1
        may_be_all = grid.down is None
        spin = QSpinBox()
        spin.setObjectName(f"axis_{axis}")
        spin.setAccessibleName(name)
        spin.setRange(-1 if may_be_all else 0, last)
        spin.setPrefix(f"{name} ")
        spin.setToolTip(f"Which {name} to show, 0 to {last}")
        if may_be_all:
            spin.setSpecialValueText(f"{name} {ALL}")
            spin.setToolTip(f"{spin.toolTip()}; all of them below 0")
        spin.setWrapping(False)
        fixed = grid.fixed[axis]
        spin.setValue(-1 if fixed is None else fixed)
        spin.valueChanged.connect(lambda value: self._on_spin_changed(axis, value))
        self._add(spin)

    def _add(self, field: QWidget) -> None:
        self._layout.addWidget(field)
        self._fields.append(field)

    def _on_choice_activated(self, name: str, choice: QComboBox) -> None:
        grid, axis = self._grid, choice.currentData()
        if grid is None:
            return
        down, across = grid.down, grid.column_axis
        if name == "rows":
            if axis is not None and axis == across:  # they change places
                across = grid.row_axes[-1] if grid.row_axes else None
            down = axis
        else:
            if axis == down or (len(grid.long_axes) == 2 and down is not None):
                down = across
            across = axis
        if len(grid.long_axes) == 2:
            down = None
        free = (None,) * len(grid.contents.shape)
        fixed = free if down is None or down != grid.down else grid.fixed
        self.changed.emit(replace(grid, fixed=fixed, down=down, across=across))

    def _on_spin_changed(self, axis: int, value: int) -> None:
        grid = self._grid
        if grid is not None:
            fixed = list(grid.fixed)
            fixed[axis] = value if value >= 0 else None
            self.changed.emit(replace(grid, fixed=tuple(fixed)))
