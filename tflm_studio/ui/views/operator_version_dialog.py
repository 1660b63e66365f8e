# SPDX-License-Identifier: Apache-2.0
"""Which version some operators get."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFormLayout, QSpinBox, QWidget

from tflm_studio.editing.operator_codes import LARGEST
from tflm_studio.editing.operators import set_version
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.operators import operator_code
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.operator_dialog import OperatorDialog

WIDTH = 420


class OperatorVersionDialog(OperatorDialog):
    """Asks for a version, starting from that of the first operator."""

    def __init__(
        self, session: Session, rows: Sequence[int], parent: QWidget | None = None
    ) -> None:
        super().__init__(session, "operator_version_dialog", "Version of operators", parent)
        self._rows = rows
        self.version = QSpinBox()
        self.version.setObjectName("operator_version")
        self.version.setRange(1, LARGEST)
        operators = session.subgraph.operators or []
        code = operator_code(session.document.model, operators[rows[0]]) if rows else None
        self.version.setValue(code.version if code is not None else 1)
        self.version.selectAll()
        self.version.valueChanged.connect(lambda _: self.check_soon())
        content = QWidget()
        form = QFormLayout(content)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("&Version", self.version)
        self.finish_layout(content)
        self.setMinimumWidth(WIDTH)
        self.check()

    def make(self) -> Proposal:
        model = self.session.document.model
        return set_version(model, self.subgraph_index, self._rows, self.version.value())
