# SPDX-License-Identifier: Apache-2.0
"""The metadata tab: version, description, inputs and outputs with ranges, metadata entries."""

from __future__ import annotations

from html import escape

from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from tflm_studio.model.excerpts import excerpt
from tflm_studio.ui.models.metadata_tables import (
    EndsTable,
    MetadataTable,
    metadata_bytes,
    preview,
)
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.field_form import FieldForm
from tflm_studio.ui.views.inspector_page import FactList, section_label
from tflm_studio.ui.views.record_view import ROW_PIXELS, RecordView

MIN_RUNTIME_VERSION = "min_runtime_version"
FORM_WIDTH = 620
MOST_ROWS = 14


class MetadataPanel(QScrollArea):
    """Everything that is said about the model as a whole."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("metadata_panel")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self._session = session
        body = QWidget()
        self._column = QVBoxLayout(body)
        self._column.setContentsMargins(16, 8, 16, 16)
        self.setWidget(body)
        self._build_model()
        ends = EndsTable(session, self)
        self.ends = self._add_table("inputs and outputs", ends, "ends_table")
        self.entries = self._add_table(
            "metadata entries", MetadataTable(session, self), "metadata_table"
        )
        self._column.addStretch(1)
        session.changed.connect(self.refresh)
        self.refresh()

    def _build_model(self) -> None:
        self._column.addWidget(section_label("model"))
        fields = ("version", "description")
        self.form = FieldForm(self._session, (), self._session.document.model, fields)
        self.form.setMaximumWidth(FORM_WIDTH)
        self._column.addWidget(self.form)
        self._facts = FactList(self._session)
        self._facts.setMaximumWidth(FORM_WIDTH)
        self._column.addWidget(self._facts)

    def _add_table(
        self, title: str, table: EndsTable | MetadataTable, name: str
    ) -> RecordView:
        self._column.addWidget(section_label(title))
        view = RecordView(table, name)
        view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        empty = QLabel("none")
        empty.setEnabled(False)
        self._column.addWidget(view)
        self._column.addWidget(empty)

        def fit() -> None:
            rows = table.rowCount()
            view.setVisible(rows > 0)
            empty.setVisible(rows == 0)
            frame = view.horizontalHeader().sizeHint().height() + 2 * view.frameWidth()
            view.setFixedHeight(frame + ROW_PIXELS * min(rows, MOST_ROWS) + 4)

        for signal in (table.rowsInserted, table.rowsRemoved, table.modelReset):
            signal.connect(fit)
        fit()
        return view

    def refresh(self) -> None:
        """Shows what the model says now."""
        model = self._session.document.model
        entry = next((e for e in model.metadata or [] if e.name == MIN_RUNTIME_VERSION), None)
        stated = preview(metadata_bytes(model, entry)) if entry is not None else "not stated"
        self._facts.set_fact(MIN_RUNTIME_VERSION, escape(stated) or "empty")
        keys = [
            signature.signature_key or "unnamed" for signature in model.signature_defs or []
        ]
        self._facts.set_fact("signatures", escape(excerpt(", ".join(keys))) or "none")
