# SPDX-License-Identifier: Apache-2.0
"""How cells of the tables are drawn and edited."""

from __future__ import annotations

from PySide6.QtCore import (
    QAbstractItemModel,
    QModelIndex,
    QPersistentModelIndex,
    QSize,
    Qt,
    Signal,
)
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from tflm_studio.model.schema import TensorType
from tflm_studio.model.tensor_types import element_type
from tflm_studio.ui.models.operator_table import INDEX_COLUMNS, OperatorTable
from tflm_studio.ui.models.record_table import ADDRESS_ROLE, GROUP_ROLE
from tflm_studio.ui.models.tensor_choices import TensorChoices
from tflm_studio.ui.views.colours import CHIP_PIXELS, chip
from tflm_studio.ui.views.tensor_index_edit import TensorIndexEdit

Index = QModelIndex | QPersistentModelIndex


class ChipDelegate(QStyledItemDelegate):
    """Draws the colour chip of an operator's family before its name."""

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        group = index.data(GROUP_ROLE)
        if group:
            option.features |= QStyleOptionViewItem.ViewItemFeature.HasDecoration
            option.icon = chip(group, option.palette)
            option.decorationSize = QSize(CHIP_PIXELS + 4, CHIP_PIXELS)


class TensorIndexDelegate(QStyledItemDelegate):
    """Edits a cell of tensor indices, naming the tensors while typing."""

    def __init__(self, table: OperatorTable, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._table = table

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> QWidget:
        session = self._table.session
        as_output = INDEX_COLUMNS[index.column()] == "outputs"
        choices = TensorChoices(
            session,
            session.subgraph_index,
            int(index.data(ADDRESS_ROLE)[-1]),
            as_output=as_output,
            optional=not as_output,
        )
        editor = TensorIndexEdit(choices, parent)
        editor.setFrame(False)
        return editor


class TypeChoice(QComboBox):
    """A list of types; arrow keys only look at them, Enter or a click chooses."""

    picked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._looks = False
        self.activated.connect(self._on_activated)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._looks = True
        super().keyPressEvent(event)
        self._looks = False

    def _on_activated(self) -> None:
        if not self._looks:
            self.picked.emit()


class ElementTypeDelegate(QStyledItemDelegate):
    """Edits a tensor's type by choosing from all there are."""

    def createEditor(
        self, parent: QWidget, option: QStyleOptionViewItem, index: Index
    ) -> QWidget:
        editor = TypeChoice(parent)
        editor.addItems([element_type(kind).name for kind in TensorType])
        editor.picked.connect(lambda: self._finish(editor))
        return editor

    def _finish(self, editor: QComboBox) -> None:
        self.commitData.emit(editor)
        self.closeEditor.emit(editor)

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        text = str(index.data(Qt.ItemDataRole.EditRole))
        if editor.findText(text) < 0:
            # A value that the schema does not know stays choosable.
            editor.addItem(text)
        editor.setCurrentText(text)

    def setModelData(self, editor: QWidget, model: QAbstractItemModel, index: Index) -> None:
        assert isinstance(editor, QComboBox)
        model.setData(index, editor.currentText())
