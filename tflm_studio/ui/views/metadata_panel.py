# SPDX-License-Identifier: Apache-2.0
"""The metadata tab: version, description, ends with ranges, metadata entries, files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from html import escape

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.row_query import RowQuery
from tflm_studio.editing.associated_files import archive_problem
from tflm_studio.model.address import Address
from tflm_studio.ui.models.metadata_tables import (
    AssociatedFileTable,
    EndsTable,
    MetadataTable,
    SignatureTable,
    metadata_bytes,
    preview,
)
from tflm_studio.ui.models.record_table import RecordTable
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.field_form import FieldForm
from tflm_studio.ui.views.inspector_page import FactList, section_label
from tflm_studio.ui.views.record_view import ROW_PIXELS, RecordView
from tflm_studio.ui.views.wrapped_label import WrappedLabel

MIN_RUNTIME_VERSION = "min_runtime_version"
FORM_WIDTH = 620
MOST_ROWS = 14
ROOM_FOR_BUTTONS = 48
ROWS_FOR_NOTE = 4  # as high is what stands in a table without a row that fits


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
        self._empty: dict[str, WrappedLabel] = {}
        self._build_model()
        self._buttons: dict[str, QHBoxLayout] = {}
        ends = EndsTable(session, self)
        self.ends = self._add_table("inputs and outputs", ends, "ends_table")
        self.signatures = self._add_table(
            "signatures", SignatureTable(session, self), "signature_table"
        )
        self.entries = self._add_table(
            "metadata entries", MetadataTable(session, self), "metadata_table"
        )
        files = AssociatedFileTable(session, self)
        self.files = self._add_table("associated files", files, "associated_file_table")
        self._column.addStretch(1)
        session.changed.connect(self.refresh)
        session.selection.changed.connect(self._reveal)
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

    def offer(self, view: RecordView, actions: Iterable[QAction]) -> None:
        """Gives a table its commands, as buttons below it and as a menu on each row."""
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        buttons = self._buttons[view.objectName()]
        for place, action in enumerate(actions):
            # With the dots that Qt takes off, without the letter that is for menus.
            action.setIconText(action.text().replace("&", ""))
            view.addAction(action)
            button = QToolButton()
            button.setDefaultAction(action)
            button.setObjectName(f"button.{action.objectName()}")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            buttons.insertWidget(place, button)

    @property
    def views(self) -> tuple[RecordView, RecordView, RecordView]:
        """The tables: ends, metadata entries, associated files."""
        return self.ends, self.entries, self.files

    def filter(self, text: str) -> RowQuery:
        """Shows only the rows of the tables that fit a text.

        Returns:
            What it was taken for; it is wrong only if no table has the columns it names.
        """
        queries = [view.filter(text) for view in self.views if view.table.rowCount()]
        understood = (query for query in queries if not query.problem)
        return next(understood, queries[0] if queries else RowQuery())

    def _reveal(self, address: Address) -> None:
        """Scrolls to the table that has what was selected elsewhere."""
        for view in (self.signatures, self.entries, self.files):
            if address[:1] == view.table.list_address() and not view.hasFocus():
                # The tab may be shown only now, and has no layout yet.
                QTimer.singleShot(0, self, partial(self._show, view))

    def _show(self, view: RecordView) -> None:
        self.ensureVisible(0, view.geometry().bottom(), 0, ROOM_FOR_BUTTONS)
        # Of a view, this means its current row.
        self.ensureWidgetVisible(view)

    def _add_table(self, title: str, table: RecordTable, name: str) -> RecordView:
        self._column.addWidget(section_label(title))
        view = RecordView(table, name)
        view.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._empty[name] = empty = WrappedLabel()
        empty.setObjectName(f"no_{name}")
        empty.setTextFormat(Qt.TextFormat.PlainText)
        empty.setText("none")
        empty.setEnabled(False)
        self._column.addWidget(view)
        self._column.addWidget(empty)
        self._buttons[name] = buttons = QHBoxLayout()
        buttons.addStretch(1)
        self._column.addLayout(buttons)

        def fit(*_: int) -> None:
            rows = table.rowCount()
            view.setVisible(rows > 0)
            empty.setVisible(rows == 0)
            rows = ROWS_FOR_NOTE if view.is_filtered_away else view.proxy.rowCount()
            frame = view.horizontalHeader().sizeHint().height() + 2 * view.frameWidth()
            across = view.horizontalScrollBar()
            frame += across.sizeHint().height() if across.maximum() > 0 else 0
            view.setFixedHeight(frame + ROW_PIXELS * min(rows, MOST_ROWS) + 4)

        for model in (table, view.proxy):
            for signal in (model.rowsInserted, model.rowsRemoved, model.modelReset):
                signal.connect(fit)
        view.proxy.layoutChanged.connect(fit)
        table.modelReset.connect(view.fit_columns)
        view.horizontalScrollBar().rangeChanged.connect(fit)
        fit()
        return view

    def refresh(self) -> None:
        """Shows what the model says now."""
        model = self._session.document.model
        entry = next((e for e in model.metadata or [] if e.name == MIN_RUNTIME_VERSION), None)
        stated = preview(metadata_bytes(model, entry)) if entry is not None else "not stated"
        self._facts.set_fact(MIN_RUNTIME_VERSION, escape(stated) or "empty")
        problem = archive_problem(model)
        no_files = self._empty[self.files.objectName()]
        no_files.setEnabled(bool(problem))
        no_files.setText(
            "The archive behind the model is kept as it is: its files cannot be shown, "
            f"because {problem}."
            if problem
            else "none"
        )
