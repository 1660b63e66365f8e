# SPDX-License-Identifier: Apache-2.0
"""The main window of one document: tables in the middle, panels around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDockWidget,
    QLabel,
    QMainWindow,
    QTabWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.analysis.opening import opening_notes
from tflm_studio.editing.associated_files import PLACE as FILES
from tflm_studio.editing.document import Change, ChangeKind, Document
from tflm_studio.editing.journal import Journal
from tflm_studio.model.address import Address
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.operators import weight_inputs
from tflm_studio.model.place_names import name_thing, thing_at
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.commands import Commands
from tflm_studio.ui.app.finding import Finding
from tflm_studio.ui.app.reach_notices import ReachNotices
from tflm_studio.ui.app.settings import Settings
from tflm_studio.ui.models.arena_watch import ArenaWatch
from tflm_studio.ui.models.buffer_table import BufferTable
from tflm_studio.ui.models.file_watch import FileWatch
from tflm_studio.ui.models.operator_table import INDEX_COLUMNS, OperatorTable
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tensor_table import TYPE_COLUMN, TensorTable
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.views.arena_panel import ArenaPanel
from tflm_studio.ui.views.buffer_view import BufferView
from tflm_studio.ui.views.delegates import (
    ChipDelegate,
    ElementTypeDelegate,
    TensorIndexDelegate,
)
from tflm_studio.ui.views.find_field import FindBar, FindField
from tflm_studio.ui.views.history_panel import HistoryPanel
from tflm_studio.ui.views.inspector import Inspector
from tflm_studio.ui.views.metadata_panel import MetadataPanel
from tflm_studio.ui.views.notice_bar import NoticeBar
from tflm_studio.ui.views.operator_view import OperatorView
from tflm_studio.ui.views.outline import Outline
from tflm_studio.ui.views.record_view import RecordView
from tflm_studio.ui.views.resolver_panel import ResolverPanel
from tflm_studio.ui.views.shared_line import SharedLine
from tflm_studio.ui.views.start_panel import StartPanel

if TYPE_CHECKING:
    from tflm_studio.ui.app.windows import Windows

DEFAULT_SIZE = QSize(1440, 900)
MINIMUM_SIZE = QSize(760, 480)
ROOM_SHARE = 0.95  # of the screen, for who has a small one
SEARCHED_OPERATORS = 200
STATUS_INDENT = 18
TABS = ("operators", "tensors", "buffers", "metadata")
LEFT, RIGHT = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
BUFFER, FIRST_BEHIND = 2, 4  # of the docks: behind the buffer stand those seldom looked at
BOTTOM = Qt.DockWidgetArea.BottomDockWidgetArea


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
        self._select_first()  # before the panels, which would show something else first
        self._build_docks()
        self._build_status()
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

    def _build_tabs(self) -> QTabWidget:
        self.tabs = QTabWidget()
        self.tabs.setObjectName("tabs")
        self.tabs.setDocumentMode(True)
        self.operator_view = OperatorView(OperatorTable(self.session, self), "operator_table")
        # Names of tensors differ at their ends.
        left = Qt.TextElideMode.ElideLeft
        self.tensor_view = RecordView(TensorTable(self.session, self), "tensor_table", left)
        self.buffer_table_view = RecordView(BufferTable(self.session, self), "buffer_table")
        self.metadata_panel = MetadataPanel(self.session)
        self._set_delegates()
        pages = (
            self.operator_view,
            self.tensor_view,
            self.buffer_table_view,
            self.metadata_panel,
        )
        for name, page in zip(TABS, pages, strict=True):
            self.tabs.addTab(page, name.capitalize())
        self.subgraph_choice = QComboBox()
        self.subgraph_choice.setObjectName("subgraph_choice")
        self.subgraph_choice.setToolTip("The subgraph that the tables show")
        self.subgraph_choice.activated.connect(self._on_subgraph_chosen)
        self.session.subgraph_changed.connect(self.subgraph_choice.setCurrentIndex)
        self.session.subgraph_changed.connect(self.title_tabs)
        self.tabs.setCornerWidget(self.subgraph_choice)
        self.tabs.currentChanged.connect(lambda: self.finding.follow_tab())
        return self.tabs

    def _set_delegates(self) -> None:
        operators = self.operator_view.table
        assert isinstance(operators, OperatorTable)
        self.operator_view.setItemDelegateForColumn(1, ChipDelegate(self.operator_view))
        for column in INDEX_COLUMNS:
            delegate = TensorIndexDelegate(operators, self.operator_view)
            self.operator_view.setItemDelegateForColumn(column, delegate)
        types = ElementTypeDelegate(self.tensor_view)
        self.tensor_view.setItemDelegateForColumn(TYPE_COLUMN, types)

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
        self.docks = [
            self._add_dock("Outline", self.outline, LEFT),
            self._add_dock("Inspector", self.inspector, RIGHT),
            self._add_dock("Buffer", self.buffer_view, BOTTOM),
            self._add_dock("History", self.history_panel, BOTTOM),
            self._add_dock("Arena", self.arena_panel, BOTTOM),
            self._add_dock("Resolver", self.resolver_panel, BOTTOM),
        ]
        self._stack_docks()
        self.setCorner(Qt.Corner.BottomLeftCorner, BOTTOM)
        self.setCorner(Qt.Corner.BottomRightCorner, RIGHT)

    def _stack_docks(self) -> None:
        behind: list[ArenaPanel | ResolverPanel] = [self.arena_panel, self.resolver_panel]
        for dock, panel in zip(self.docks[FIRST_BEHIND:], behind, strict=True):
            self.tabifyDockWidget(self.docks[BUFFER], dock)
            dock.visibilityChanged.connect(panel.set_shown)
        self.docks[BUFFER].raise_()

    def _open_models(self) -> list[tuple[str, Model]]:
        others = self.windows.open_windows if self.windows is not None else []
        every = [self, *(window for window in others if window is not self)]
        return [(window.document.name, window.document.model) for window in every]

    def _add_dock(self, title: str, widget: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title)
        dock.setObjectName(f"dock.{title.lower()}")
        dock.setWidget(widget)
        self.addDockWidget(area, dock)
        return dock

    def _build_toolbar(self) -> None:
        toolbar = QToolBar("Toolbar")
        toolbar.setObjectName("toolbar")
        toolbar.setMovable(False)
        toolbar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.commands.fill_toolbar(toolbar)
        self.find_bar = FindBar()
        self.finding = Finding(self, self.find_bar)
        toolbar.addWidget(self.find_bar)
        self.addToolBar(toolbar)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)

    def _build_status(self) -> None:
        self.facts_label, self.arena_label, self.place_label = QLabel(), QLabel(), QLabel()
        self.arena_label.setObjectName("arena_label")
        self.arena_label.setIndent(STATUS_INDENT)
        for label in (self.facts_label, self.arena_label, self.place_label):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.statusBar().addWidget(self.facts_label)
        self.statusBar().addWidget(self.arena_label)
        self.arena_watch.changed.connect(self._show_arena)
        self.statusBar().addPermanentWidget(self.place_label)

    # ------------------------------------------------------------------ layout

    def _restore_layout(self) -> None:
        self.setMinimumSize(MINIMUM_SIZE)
        room = self.screen().availableGeometry().size() * ROOM_SHARE
        self.resize(DEFAULT_SIZE.boundedTo(room))
        self._default_state = self.saveState()
        layout = self.settings.layout()
        if layout is not None and self.restoreGeometry(layout[0]):
            self.restoreState(layout[1])
        else:
            # Docks take sizes only once the window is laid out.
            QTimer.singleShot(0, self, self.reset_dock_sizes)

    def show_dock(self, panel: QWidget) -> None:
        """Shows a panel of a dock and gives it the focus."""
        dock = next(each for each in self.docks if each.widget() is panel)
        dock.show()
        dock.raise_()
        panel.setFocus()

    def reset_layout(self) -> None:
        """Puts all panels back to where they were at first."""
        self.restoreState(self._default_state)
        for dock in self.docks:
            dock.show()
        self.docks[BUFFER].raise_()
        self.reset_dock_sizes()

    def reset_dock_sizes(self) -> None:
        """Gives the docks their share of the window."""
        outline, inspector, buffer, history, *_ = self.docks
        width, height = self.width(), self.height()
        side = max(180, width // 7)
        across, along = Qt.Orientation.Horizontal, Qt.Orientation.Vertical
        self.resizeDocks([outline, inspector], [side, max(260, width * 24 // 100)], across)
        self.resizeDocks([buffer], [height * 38 // 100], along)
        self.resizeDocks([buffer, history], [width * 33 // 50, width * 7 // 50], across)

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
        self.title_tabs()
        self.facts_label.setText(self.session.facts.describe())
        self.facts_label.setToolTip(tool_tip(self.session.facts.name_kinds()))
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
        kind = _tab_of(address)
        current = TABS[self.tabs.currentIndex()]
        # A click in a table keeps its tab; links lead to the tab of what they name.
        if kind and kind != current and not self._has_focus_in_tables():
            self.tabs.setCurrentIndex(TABS.index(kind))
        self._show_place()
        self.commands.refresh()

    def _has_focus_in_tables(self) -> bool:
        return self.tabs.isAncestorOf(self.focusWidget()) if self.focusWidget() else False

    def title_tabs(self) -> None:
        """Says how many rows the tables show, and names the subgraphs."""
        model, index = self.document.model, self.session.subgraph_index
        subgraphs = model.subgraphs or []
        for tab, view in enumerate(self.record_views):
            self.tabs.setTabText(tab, f"{TABS[tab].capitalize()}  {view.count_text()}")
        named = (excerpt(s.name or "", SHOWN_NAME_CHARACTERS) for s in subgraphs)
        names = [f"Subgraph {k}  {name}".strip() for k, name in enumerate(named)]
        shown = [self.subgraph_choice.itemText(k) for k in range(self.subgraph_choice.count())]
        if names != shown:
            self.subgraph_choice.clear()
            self.subgraph_choice.addItems(names)
            self.subgraph_choice.setCurrentIndex(index)
        self.subgraph_choice.setVisible(len(names) > 1)

    def _show_place(self) -> None:
        thing = thing_at(self.session.selection.address)
        self.place_label.setText(name_thing(self.document.model, thing) if thing else "")

    def _show_arena(self) -> None:
        estimate = self.arena_watch.estimate
        text = f"arena ≈ {estimate.recommended / 1024:,.1f} KiB" if estimate else ""
        self.arena_label.setText(text)
        self.arena_label.setToolTip(
            f"A kTensorArenaSize of {estimate.recommended:,} bytes is recommended (estimate)"
            if estimate
            else ""
        )

    @property
    def find_field(self) -> FindField:
        """What narrows the tables."""
        return self.find_bar.field

    @property
    def record_views(self) -> tuple[RecordView, ...]:
        """The tables of operators, tensors and buffers."""
        return self.operator_view, self.tensor_view, self.buffer_table_view

    def _on_subgraph_chosen(self, index: int) -> None:
        self.session.show_subgraph(index)

    def _select_first(self) -> None:
        """Selects the first operator with weights, so that there is something to look at."""
        model, table = self.document.model, self.operator_view.table
        assert isinstance(table, OperatorTable)
        operators = table.records()[:SEARCHED_OPERATORS]
        with_weights = (
            row
            for row, o in enumerate(operators)
            if weight_inputs(model, self.session.subgraph, o)
        )
        if operators:
            row = next(with_weights, 0)
            self.session.selection.start((*table.list_address(), row))

    def show_place(self, address: Address) -> None:
        """Selects a place and shows the tab it stands in."""
        self.session.selection.select(address)
        kind = _tab_of(address)
        if kind:
            self.tabs.setCurrentIndex(TABS.index(kind))

    # ------------------------------------------------------------------ for commands

    @property
    def is_untouched_sample(self) -> bool:
        """Whether the window may give way to a file."""
        return self.is_sample and not self.document.history.steps

    def current_table(self) -> QAbstractItemView | None:
        """The table of the current tab, if it has one."""
        page = self.tabs.currentWidget()
        return page if isinstance(page, QAbstractItemView) else None

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


def _tab_of(address: Address) -> str:
    """The tab that shows a place; "" if none does."""
    if address[:1] == FILES:
        return "metadata"
    return next((str(step) for step in reversed(address) if step in TABS), "")
