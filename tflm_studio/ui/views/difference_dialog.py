# SPDX-License-Identifier: Apache-2.0
"""What differs between the open model and another one: stays open beside its window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from PySide6.QtCore import (
    QEvent,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    Qt,
    QTimer,
    Signal,
)
from PySide6.QtGui import QAction, QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QLineEdit,
    QPushButton,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.table_text import as_aligned_text
from tflm_studio.editing.document import ChangeKind
from tflm_studio.editing.stillness import RestlessError, read_still
from tflm_studio.formats.c_source_reader import SeveralModelsError
from tflm_studio.model.cancellation import cancellable
from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.difference_table import (
    MOST_SHOWN,
    DifferenceFilter,
    DifferenceRow,
    DifferenceTable,
    difference_rows,
)
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tasks import LatestTask
from tflm_studio.ui.views.empty_note import EmptyNote
from tflm_studio.ui.views.wrapped_label import WrappedLabel

SIZE = 980, 560
WIDTHS = 230, 190, 200, 200
ROW_PADDING = 8
AGAIN_MS = 150  # until a model that was being changed is looked at again
_TO_TABLE = (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_SELECT = QItemSelectionModel.SelectionFlag
Roles = QDialogButtonBox.ButtonRole


class DifferenceDialog(QDialog):
    """Compares in a thread, and leads to the places that differ.

    Args:
        session: The open model.
        there: What the other model is called.
        parent: The window.

    Attributes:
        place_wanted: Emitted with a place of the open model to be shown.
        several: Emitted with the error that names the models of a file with several.
    """

    place_wanted = Signal(object)
    several = Signal(object)

    def __init__(self, session: Session, there: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("difference_dialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._session, self._there = session, there
        self.setWindowTitle(f"Compare {session.document.name} with {there}")
        self._read: Callable[[], Model] | None = None
        self._task = LatestTask(self)
        self._task.finished.connect(self._show)
        self._task.failed.connect(self._on_failed)
        self._again = QTimer(self)
        self._again.setObjectName("compare_again")
        self._again.setSingleShot(True)
        self._again.setInterval(AGAIN_MS)
        self._again.timeout.connect(self.compare_anew)
        session.changed.connect(self._on_document_changed)
        self._build()

    # ------------------------------------------------------------------ building

    def _build(self) -> None:
        self.summary = WrappedLabel()
        self.summary.setObjectName("difference_summary")
        self.summary.setTextFormat(Qt.TextFormat.PlainText)
        self.filter = QLineEdit()
        self.filter.setObjectName("difference_filter")
        self.filter.setAccessibleName("Filter")
        self.filter.setPlaceholderText("Show rows with these words")
        self.filter.setClearButtonEnabled(True)
        self.note = WrappedLabel()
        self.note.setObjectName("difference_note")
        self.note.setTextFormat(Qt.TextFormat.PlainText)
        self._build_table()
        self._build_buttons()
        self.filter.textChanged.connect(self._on_filter_typed)
        self.filter.installEventFilter(self)
        column = QVBoxLayout(self)
        for part in (self.summary, self.filter):
            column.addWidget(part)
        column.addWidget(self.view, 1)
        column.addWidget(self.note)
        column.addWidget(self.buttons)
        self.resize(*SIZE)
        self._refresh()

    def _build_table(self) -> None:
        self.table = DifferenceTable(self._there)
        self.rows = DifferenceFilter(self.table, self)
        self.view = view = QTableView()
        view.setObjectName("difference_table")
        view.setAccessibleName("Differences")
        view.setModel(self.rows)
        view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        view.setAlternatingRowColors(True)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setTabKeyNavigation(False)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + ROW_PADDING)
        header = view.horizontalHeader()
        header.setHighlightSections(False)
        header.setStretchLastSection(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicatorClearable(True)
        view.setSortingEnabled(True)
        for section, width in enumerate(WIDTHS):
            header.resizeSection(section, width)
        view.activated.connect(self._go_to)
        view.selectionModel().selectionChanged.connect(self._refresh)
        copy = QAction("Copy rows", view)
        copy.setShortcut(QKeySequence.StandardKey.Copy)
        copy.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        copy.triggered.connect(self.copy_selected)
        view.addAction(copy)
        self.empty_note = EmptyNote(view)
        self.empty_note.clear_wanted.connect(self.filter.clear)

    def _build_buttons(self) -> None:
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        self.go = self._add_button("&Show in the window", "show_place", self._go_to_current)
        self.copy_button = self._add_button("&Copy as text", "copy_differences", self.copy_all)
        self.anew = self._add_button("Compare &anew", "compare_anew", self.compare_anew)
        self.anew.setShortcut(QKeySequence.StandardKey.Refresh)
        self.buttons.rejected.connect(self.reject)
        for button in self.buttons.buttons():
            # Enter is for the table and the filter.
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)

    def _add_button(self, text: str, name: str, act: Callable[[], object]) -> QPushButton:
        button = self.buttons.addButton(text, Roles.ActionRole)
        button.setObjectName(name)
        button.clicked.connect(lambda: act())
        return button

    # ------------------------------------------------------------------ comparing

    def compare(self, read: Callable[[], Model]) -> None:
        """Reads another model in a thread and shows what differs."""
        self._read = read
        self.compare_anew()

    def compare_anew(self) -> None:
        """Reads the other model again, and compares with the open one as it is now."""
        if self._read is None:
            return
        here, read = self._session.document.model, self._read

        def work(is_stale: Callable[[], bool]) -> list[DifferenceRow]:
            with cancellable(is_stale):
                there = read()
                return read_still(lambda: difference_rows(here, there))

        self.summary.setText(f"Comparing with {self._there}…")
        self.note.clear()
        self._task.start(work)
        self._refresh()

    def _show(self, found: list[DifferenceRow]) -> None:
        self.table.show(found[:MOST_SHOWN])
        self.summary.setText(self._sum_up(found))
        self.note.setText(
            f"Only the first {MOST_SHOWN:,} are shown." if len(found) > MOST_SHOWN else ""
        )
        if found:
            self.view.setCurrentIndex(self.rows.index(0, 0))
            self.view.setFocus()
        self._refresh()

    def _sum_up(self, found: list[DifferenceRow]) -> str:
        name = self._session.document.name
        if not found:
            return f"Nothing differs between {name}, as it is open here, and {self._there}."
        counts = Counter(row.kind for row in found[:MOST_SHOWN])
        parts = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common())
        more = "More than " if len(found) > MOST_SHOWN else ""
        total = plural(min(len(found), MOST_SHOWN), "difference")
        return f"{more}{total} between {name}, as it is open here, and {self._there}: {parts}."

    def _on_failed(self, error: Exception) -> None:
        if isinstance(error, RestlessError):
            self._again.start()
            return
        if isinstance(error, SeveralModelsError) and len(error.symbols) > 1:
            self.several.emit(error)
            return
        self.table.show([])
        self.summary.setText(f"{self._there} cannot be compared.")
        self.note.setText(str(error))
        self._refresh()

    def _on_document_changed(self, change: object) -> None:
        if getattr(change, "kind", None) is ChangeKind.SAVED or self._task.is_running:
            return
        self.note.setText(
            "The model has been changed since; Compare anew shows what differs now."
        )

    # ------------------------------------------------------------------ rows

    def _on_filter_typed(self, text: str) -> None:
        self.rows.search(text)
        self._refresh()

    def _refresh(self) -> None:
        is_waiting = self._task.is_running
        self.view.setEnabled(not is_waiting)
        self.anew.setEnabled(not is_waiting and self._read is not None)
        self.copy_button.setEnabled(self.rows.rowCount() > 0 and not is_waiting)
        self.go.setEnabled(self.view.currentIndex().isValid() and not is_waiting)
        is_filtered_away = bool(self.table.shown) and not self.rows.rowCount()
        self.empty_note.show_if(is_filtered_away)

    def _go_to_current(self) -> None:
        self._go_to(self.view.currentIndex())

    def _go_to(self, index: QModelIndex) -> None:
        row = self.rows.row_at(index)
        if row is not None:
            self.place_wanted.emit(row.near)

    def copy_all(self) -> None:
        """Puts all rows that are shown on the clipboard as aligned text."""
        self._copy(range(self.rows.rowCount()))

    def copy_selected(self) -> None:
        """Puts the selected rows on the clipboard as aligned text."""
        self._copy(sorted(i.row() for i in self.view.selectionModel().selectedRows()))

    def _copy(self, numbers: Iterable[int]) -> None:
        found = (self.rows.row_at(self.rows.index(row, 0)) for row in numbers)
        cells = [row.cells for row in found if row is not None]
        QGuiApplication.clipboard().setText(as_aligned_text(self.table.titles, cells))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        is_key = watched is self.filter and event.type() is QEvent.Type.KeyPress
        if is_key and isinstance(event, QKeyEvent) and event.key() in _TO_TABLE:
            self.view.setFocus()
            if self.rows.rowCount() and not self.view.currentIndex().isValid():
                self.view.setCurrentIndex(self.rows.index(0, 0))
            return True
        return super().eventFilter(watched, event)

    def done(self, result: int) -> None:
        self._again.stop()
        self._task.cancel()
        super().done(result)
