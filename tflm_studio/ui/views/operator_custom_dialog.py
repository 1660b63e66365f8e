# SPDX-License-Identifier: Apache-2.0
"""Which custom operator takes the place of some operators."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QFormLayout, QSizePolicy, QWidget

from tflm_studio.editing.operators import replace_by_custom
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.operator_kinds import operator_kinds
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.operator_dialog import OperatorDialog

WIDTH = 460


class CustomOperatorDialog(OperatorDialog):
    """Asks for a custom code; those of the model and those of TFLM are proposed."""

    def __init__(
        self, session: Session, rows: Sequence[int], parent: QWidget | None = None
    ) -> None:
        title = "Replace by a custom operator"
        super().__init__(session, "operator_custom_dialog", title, parent)
        self._rows = rows
        self.code = QComboBox()
        self.code.setObjectName("operator_custom_code")
        self.code.setEditable(True)
        self.code.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        codes = session.document.model.operator_codes or []
        own = [code.custom_code for code in codes if code.custom_code]
        known = [kind.custom_code for kind in operator_kinds() if kind.custom_code]
        self.code.addItems([*dict.fromkeys([*own, *known])])
        self.code.setCurrentIndex(-1)
        self.code.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        line, completer = self.code.lineEdit(), self.code.completer()
        if line is not None and completer is not None:
            line.setPlaceholderText("The name that it is registered by")
            # A custom code is another if its case is.
            completer.setCaseSensitivity(Qt.CaseSensitivity.CaseSensitive)
        self.code.editTextChanged.connect(lambda _: self.check_soon())
        content = QWidget()
        form = QFormLayout(content)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Custom &code", self.code)
        self.finish_layout(content)
        self.setMinimumWidth(WIDTH)
        self.check()

    def make(self) -> Proposal:
        model, name = self.session.document.model, self.code.currentText().strip()
        return replace_by_custom(model, self.subgraph_index, self._rows, name)
