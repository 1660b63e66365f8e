# SPDX-License-Identifier: Apache-2.0
"""The main window of one document: tables in the middle, panels around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QMainWindow,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.opening import opening_notes
from tflm_studio.editing.document import Change, ChangeKind, Document
from tflm_studio.editing.journal import Journal
from tflm_studio.model.address import Address
from tflm_studio.model.place_names import name_thing, thing_at
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.commands import Commands
from tflm_studio.ui.app.dock_layout import DockLayout
from tflm_studio.ui.app.finding import Finding
from tflm_studio.ui.app.reach_notices import ReachNotices
from tflm_studio.ui.app.settings import Settings
from tflm_studio.ui.models.arena_watch import ArenaWatch
from tflm_studio.ui.models.file_watch import FileWatch
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.arena_panel import ArenaPanel
from tflm_studio.ui.views.buffer_view import BufferView
from tflm_studio.ui.views.find_field import FindBar, FindField
from tflm_studio.ui.views.history_panel import HistoryPanel
from tflm_studio.ui.views.inspector import Inspector
from tflm_studio.ui.views.notice_bar import NoticeBar
from tflm_studio.ui.views.outline import Outline
from tflm_studio.ui.views.record_view import RecordView
from tflm_studio.ui.views.resolver_panel import ResolverPanel
from tflm_studio.ui.views.shared_line import SharedLine
from tflm_studio.ui.views.start_panel import StartPanel
from tflm_studio.ui.views.status_line import StatusLine
from tflm_studio.ui.views.table_tabs import TableTabs

if TYPE_CHECKING:
    from tflm_studio.ui.app.windows import Windows

DEFAULT_SIZE = QSize(1440, 900)
MINIMUM_SIZE = QSize(760, 480)
ROOM_SHARE = 0.95  # of the screen, for who has a small one


class MainWindow(QMainWindow):
    """One document in a window.

    Args:
        document: What is shown and edited.
        windows: All windows of the program; none but this one if not given.
        is_sample: Whether it is the bundled sample, shown to who came without a file.
        settings: What is remembered between sessions; that of `windows` if not given.
        journal: Where the steps are written down until the window is closed.
    """

    def __init__(
        self,
        document: Document,
        windows: Windows | None = None,
        *,
        is_sample: bool = False,
        settings: Settings | None = None,
        journal: Journal | None = None,
    ) -> None:
        super().__init__()
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.document = document
        self.is_sample = is_sample
        self.windows = windows
        self.journal = journal
        self._has_warned = False
        self._told_of_outside = False
        known = windows.settings if windows is not None else None
        self.settings = settings or known or Settings()
        self.session = Session(document, self)
        self.setObjectName("main_window")
        self.setAcceptDrops(True)
        self.setDockNestingEnabled(True)
        self._build_center()
        self.tabs.select_first()  # before the panels, which would show something else first
        self._build_docks()
        self.status_line = StatusLine(self.arena_watch)
        self.setStatusBar(self.status_line)
        self.commands = Commands(self)
        self._build_toolbar()
        self.file_watch = FileWatch(self)
        self.file_watch.changed.connect(self.say_if_file_changed)
        self.file_watch.watch(document.path)
        self.session.changed.connect(self._on_document_changed)
        self.session.refused.connect(self.notice.say)
        self.reach_notices = ReachNotices(self)
        self.session.selection.changed.connect(self._on_selection_changed)
        self._restore_layout()
        self._on_document_changed(None)
        if windows is not None:
            windows.add(self)
        self._say_what_was_found()

    # ------------------------------------------------------------------ building

    def _build_center(self) -> None:
        center = QWidget()
        column = QVBoxLayout(center)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.notice = NoticeBar()
        self.start_panel: StartPanel | None = None
        if self.is_sample:
            self.start_panel = StartPanel(self.settings.recent_files)
            column.addWidget(self.start_panel)
        column.addWidget(self._build_tabs(), 1)
        # Below the tables: above, it would move them under the pointer.
        column.addWidget(self.notice)
        self.setCentralWidget(center)

    def _build_tabs(self) -> TableTabs:
        self.tabs = TableTabs(self.session)
        self.operator_view = self.tabs.operator_view
        self.tensor_view = self.tabs.tensor_view
        self.buffer_table_view = self.tabs.buffer_table_view
        self.metadata_panel = self.tabs.metadata_panel
        return self.tabs

    def _build_docks(self) -> None:
        self.outline = Outline(self.session)
        self.inspector = Inspector(self.session)
        self.buffer_view = BufferView(self.document, self.session.selection)
        self.buffer_view.add_line(SharedLine(self.session))
        self.buffer_view.restore_choices(self.settings.view_choices)
        self.buffer_view.choices.changed.connect(self._on_view_choices_changed)
        self.history_panel = HistoryPanel(self.session)
        self.arena_watch = ArenaWatch(self.session)
        self.arena_panel = ArenaPanel(self.session, self.arena_watch)
        self.resolver_panel = ResolverPanel(self.session, self._open_models)
        self.dock_layout = DockLayout(
            self,
            {
                "Outline": self.outline,
                "Inspector": self.inspector,
                "Buffer": self.buffer_view,
                "History": self.history_panel,
                "Arena": self.arena_panel,
                "Resolver": self.resolver_panel,
            },
        )
        self.docks = self.dock_layout.docks

    def _open_models(self) -> list[tuple[str, Model]]:
        others = self.windows.open_windows if self.windows is not None else []
        every = [self, *(window for window in others if window is not self)]
        return [(window.document.name, window.document.model) for window in every]

    def _build_toolbar(self) -> None:
        toolbar = QToolBar("Toolbar")
        toolbar.setObjectName("toolbar")
        toolbar.setMovable(False)
        toolbar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.commands.fill_toolbar(toolbar)
        self.find_bar = FindBar()
        self.finding = Finding(self, self.find_bar)
        self.tabs.currentChanged.connect(lambda: self.finding.follow_tab())
        toolbar.addWidget(self.find_bar)
        self.addToolBar(toolbar)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)

    # ------------------------------------------------------------------ layout

    def _restore_layout(self) -> None:
        self.setMinimumSize(MINIMUM_SIZE)
        room = self.screen().availableGeometry().size() * ROOM_SHARE
        self.resize(DEFAULT_SIZE.boundedTo(room))
        self.dock_layout.keep()
        layout = self.settings.layout()
        if layout is not None and self.restoreGeometry(layout[0]):
            self.restoreState(layout[1])
        else:
            # Docks take sizes only once the window is laid out.
            QTimer.singleShot(0, self, self.dock_layout.reset_sizes)

    def _on_view_choices_changed(self) -> None:
        self.settings.view_choices = self.buffer_view.choices.made

    # ------------------------------------------------------------------ news

    def _on_document_changed(self, change: Change | None) -> None:
        if change is not None:
            self.notice.hide()
            if change.kind is ChangeKind.SAVED:
                self.file_watch.watch(self.document.path)
        sample = "  (sample)" if self.is_sample and self.document.path is None else ""
        self.setWindowTitle(f"{self.document.name}{sample}[*] — TFLM Studio")
        self.setWindowModified(self.document.modified)
        self.tabs.show_counts()
        self.status_line.show_facts(self.session.facts)
        self._show_place()
        self.commands.refresh()
        if change is not None and self.session.facts.has_outside != self._told_of_outside:
            self._say_what_was_found()
        self._warn_without_journal()

    def _say_what_was_found(self) -> None:
        notes = opening_notes(self.document.model)
        self._told_of_outside = self.session.facts.has_outside
        answers: dict[str, Callable[[], object]] = {}
        if self.session.facts.has_outside:
            answers["Put all inside"] = self.commands.edit_put_inside
        if notes:
            self.notice.ask(" ".join(notes), answers)

    def say_if_file_changed(self) -> None:
        """Tells that another program has changed or removed the file, and what can be done."""
        path = self.document.path
        if path is None or not self.document.changed_on_disk():
            return
        if not path.exists():
            self.notice.say(f"{path} was removed by another program. Saving writes it anew.")
            return
        lost = " and lose my changes" if self.document.modified else ""
        self.notice.ask(
            f"{self.document.name} was changed by another program.",
            {
                f"Reload{lost}": self.commands.files.reload,
                "Compare…": self.compare_with_disk,
                "Keep mine": lambda: None,
            },
        )

    def compare_with_disk(self) -> None:
        """Shows what differs from the file; what to do about it is still to be decided."""
        self.commands.comparisons.disk()
        self.say_if_file_changed()

    def _warn_without_journal(self) -> None:
        problem = self.journal.problem if self.journal is not None else None
        if problem is not None and not self._has_warned:
            self._has_warned = True
            self.notice.say(
                f"Steps can no longer be written down for recovery: {problem}. Save soon."
            )

    def _on_selection_changed(self, address: Address) -> None:
        self.tabs.follow(address)
        self._show_place()
        self.commands.refresh()

    def _show_place(self) -> None:
        thing = thing_at(self.session.selection.address)
        place = name_thing(self.document.model, thing) if thing else ""
        self.status_line.place_label.setText(place)

    @property
    def find_field(self) -> FindField:
        """What narrows the tables."""
        return self.find_bar.field

    @property
    def record_views(self) -> tuple[RecordView, ...]:
        """The tables of operators, tensors and buffers."""
        return self.tabs.record_views

    def show_place(self, address: Address) -> None:
        """Selects a place and shows the tab it stands in."""
        self.session.selection.select(address)
        self.tabs.show_tab_of(address)

    # ------------------------------------------------------------------ for commands

    @property
    def is_untouched_sample(self) -> bool:
        """Whether the window may give way to a file."""
        return self.is_sample and not self.document.history.steps

    def current_record_view(self) -> RecordView | None:
        """The table of records that has the focus, or that of the current tab."""
        focus = self.focusWidget()
        every = (*self.record_views, *self.metadata_panel.views)
        page = self.tabs.currentWidget()
        return next(
            (view for view in every if view in (focus, page) and view.isVisible()), None
        )

    # ------------------------------------------------------------------ Qt events

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.commands.files.open_path(url.toLocalFile())

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.commands.files.may_close():
            event.ignore()
            return
        self.settings.set_layout(self.saveGeometry(), self.saveState())
        self.session.close()
        if self.journal is not None:
            self.journal.close()
        if self.windows is not None:
            self.windows.remove(self)
        event.accept()
