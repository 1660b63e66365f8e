# SPDX-License-Identifier: Apache-2.0
"""The axis slicer, as other values are shown while a person types into it."""

from PySide6.QtWidgets import QSpinBox
from pytestqt.qtbot import QtBot

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.model.tensor_types import ELEMENT_TYPES
from tflm_studio.schema.enums import TensorType
from tflm_studio.ui.models.value_grid import ValueGrid
from tflm_studio.ui.views.axis_slicer import AxisSlicer


def grid_of(*shape: int) -> ValueGrid:
    data, names = memoryview(bytes(120)), tuple("abcdef"[: len(shape)])
    kind = ELEMENT_TYPES[TensorType.INT8]
    return ValueGrid(BufferContents(1, data, kind, shape, None, "", "", axis_names=names))


def test_what_is_half_typed_harms_no_other_tensor(qtbot: QtBot) -> None:
    slicer = AxisSlicer()
    qtbot.addWidget(slicer)
    slicer.show()
    slicer.show_grid(grid_of(2, 3, 4, 5))
    spin = slicer.findChild(QSpinBox, "axis_2")
    assert spin is not None
    spin.setKeyboardTracking(False)
    spin.setFocus()
    spin.lineEdit().setText("c 3")
    asked: list[object] = []
    slicer.changed.connect(asked.append)
    slicer.show_grid(grid_of(10, 12))
    spin.interpretText()
    assert asked == []
