# SPDX-License-Identifier: Apache-2.0
"""What a person may look at and do in a window, all of it, one after the other."""

import html
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QSpinBox,
    QTableView,
    QToolTip,
    QWidget,
)

from tests.editing.random_edits import random_edit
from tflm_studio.formats.flatbuffer_columns import same_content
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.address import Address
from tflm_studio.model.errors import WriteError
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.views.buffer_pages import PAGES
from tflm_studio.ui.views.field_editors import (
    EnumEditor,
    FieldEditor,
    IntegerEditor,
    TextEditor,
)
from tflm_studio.ui.views.links import LinkLabel
from tflm_studio.ui.views.record_view import RecordView
from tflm_studio.ui.views.tensor_index_edit import TensorIndexEdit

Role = Qt.ItemDataRole
EXTRA_ROLES = range(Role.UserRole, Role.UserRole + 5)
TYPED = ("", "-1", "999999999999", "0 1 2", "1x2", "nan", "'\"\\<b>\u202e", "x" * 3_000)
HREF = re.compile(r'href="([^"]*)"')
Item = TypeVar("Item")


REFUSALS = ("does not know", "no place", "bytes at")


class Visits:
    """Goes through the panels of a window.

    Args:
        window: The window.
        random: Chooses what is visited where there is much of a kind.
        most: How many things of a kind are visited.

    Attributes:
        times: Seconds that each step took the thread of the window, with its name.
    """

    def __init__(self, window: MainWindow, random: Random, most: int) -> None:
        self.window = window
        self.random = random
        self.most = most
        self.times: list[tuple[float, str]] = []
        self._seen: set[str] = set()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Takes the time of a step, with everything that Qt does behind it."""
        start = time.thread_time()
        yield
        QApplication.processEvents()
        self.times.append((time.thread_time() - start, name))

    def some(self, items: list[Item], most: int | None = None) -> list[Item]:
        """The first, the last and some of the others, in order."""
        most = self.most if most is None else most
        if len(items) <= most:
            return items
        inner = self.random.sample(range(1, len(items) - 1), max(most - 2, 0))
        return [items[k] for k in sorted({0, len(items) - 1, *inner})][:most]

    # ------------------------------------------------------------------ looking

    def panels(self) -> None:
        """Everything that can be looked at."""
        with self.step("first look"):
            self.window.resize(self.window.minimumSize())  # there is less to paint
        self._visit_tables()
        choice = self.window.tabs.subgraph_choice
        for subgraph in self.some(list(range(choice.count())), 3)[1:]:
            with self.step(f"subgraph {subgraph}"):
                choice.activated.emit(subgraph)
            self._visit_tables()
        for address in self._addresses():
            self._visit(address)
        self._visit_outline()
        self._visit_arena()
        self._go_back_and_forward()
        self._hover_labels(self.window.statusBar())

    def _addresses(self) -> list[Address]:
        model = self.window.document.model
        found: list[Address] = [()]
        for s in self.some(list(range(len(model.subgraphs or []))), 4):
            subgraph = (model.subgraphs or [])[s]
            found.append(("subgraphs", s))
            for kind in ("operators", "tensors"):
                items = list(range(len(getattr(subgraph, kind) or [])))
                found += [("subgraphs", s, kind, k) for k in self.some(items)]
        for kind in ("buffers", "metadata", "signature_defs", "operator_codes"):
            items = list(range(len(getattr(model, kind) or [])))
            found += [(kind, k) for k in self.some(items)]
        beyond: list[Address] = [("buffers", 2**31), ("subgraphs", 9, "tensors", 9)]
        return [*found, *beyond, ("metadata", 70_000), ("subgraphs", 0, "tensors")]

    def _visit(self, address: Address) -> None:
        window = self.window
        with self.step(f"select {address}"):
            window.session.selection.select(address)
        self._follow_links(address)
        with self.step(f"back to {address}"):
            window.show_place(address)
        self._visit_buffer_view()

    def _follow_links(self, address: Address) -> None:
        labels = self.window.inspector.findChildren(LinkLabel)
        hrefs = [href for label in labels for href in HREF.findall(label.text())]
        for href in self.some(list(dict.fromkeys(hrefs)), 4):
            with self.step(f"link {href} of {address}"):
                label = self.window.inspector.findChild(LinkLabel)
                assert label is not None
                label.linkActivated.emit(html.unescape(href))
            self.window.session.selection.back()
        self._hover_labels(self.window.inspector)

    def _hover_labels(self, panel: QWidget) -> None:
        labels = [label for label in panel.findChildren(QLabel) if label.toolTip()]
        for label in self.some(labels, 3):
            with self.step("tool tip of a label"):
                hover(label, QPoint(2, 2))

    def _visit_outline(self) -> None:
        outline = self.window.outline
        items = [*self.some(outline._items)]
        for item in items:
            with self.step(f"outline {item.text(0)[:20]}"):
                outline.setCurrentItem(item)
                hover(outline.viewport(), outline.visualItemRect(item).center())

    def _visit_arena(self) -> None:
        watch, panel = self.window.arena_watch, self.window.arena_panel
        dock = next(dock for dock in self.window.docks if dock.widget() is panel)
        with self.step("plan the arena"):
            watch.refresh()
        with self.step("show the arena"):
            dock.raise_()
            panel.grab()
        plan = panel.chart.plan
        rows = range(len(plan.offset)) if plan is not None else range(0)
        for row in self.some(list(rows), 3):
            with self.step(f"bar {row} of the arena"):
                panel.chart.describe(row)
                panel.chart.picked.emit(row)
                panel.grab()
        self.window.buffer_view.parentWidget().raise_()

    def _go_back_and_forward(self) -> None:
        with self.step("back and forward"):
            for _ in range(3):
                self.window.session.selection.back()
            for _ in range(3):
                self.window.session.selection.forward()

    # ------------------------------------------------------------------ tables

    def _visit_tables(self) -> None:
        for tab in range(self.window.tabs.count()):
            with self.step(f"tab {tab}"):
                self.window.tabs.setCurrentIndex(tab)
            with self.step(f"filter tab {tab}"):
                self._filter()
        panel = self.window.metadata_panel
        for view in (*self.window.record_views, panel.ends, panel.signatures, panel.entries):
            self._visit_table(view)

    def _filter(self) -> None:
        for text in ("a", "\u202e([", ">1k -type:int8", "#0-99 name:o", "buffer:>3"):
            self.window.find_field.setText(text)
        self.window.find_field.clear()

    def _visit_table(self, view: RecordView) -> None:
        table, name = view.table, view.objectName()
        for row in self.some(list(range(table.rowCount())), 2 * self.most):
            start = time.thread_time()
            for column in range(table.columnCount()):
                ask(table, table.index(row, column))
            self.times.append((time.thread_time() - start, f"{name} row {row}"))
        for column in range(table.columnCount()):
            start = time.thread_time()
            for role in Role:
                table.headerData(column, Qt.Orientation.Horizontal, role)
            view.sortByColumn(column, Qt.SortOrder.AscendingOrder)
            view.sortByColumn(column, Qt.SortOrder.DescendingOrder)
            self.times.append((time.thread_time() - start, f"{name} sorted by {column}"))
        view.sortByColumn(-1, Qt.SortOrder.AscendingOrder)
        with self.step(f"{name} tool tips"):
            for column in range(table.columnCount()):
                rect = view.visualRect(view.model().index(0, column))
                hover(view.viewport(), rect.center())
        with self.step(f"{name} copied"):
            view.selectAll()
            view.selected_text()
            view.clearSelection()

    # ------------------------------------------------------------------ buffer view

    def _visit_buffer_view(self) -> None:
        view = self.window.buffer_view
        types = child(view, QComboBox, "type")
        real = child(view, QCheckBox, "real")
        if view._grid is None or view._grid.contents.title in self._seen:
            return  # several things lead to one buffer
        self._seen.add(view._grid.contents.title)
        self._visit_pages("as stored", len(PAGES))
        if real.isVisible():
            with self.step("real values"):
                real.setChecked(True)
            self._visit_pages("real", 2)
            real.setChecked(False)
        for spin in view._slicer.findChildren(QSpinBox)[:1]:
            with self.step("slice"):
                spin.setValue(spin.maximum())
        for number in self.random.sample(range(1, types.count()), min(self.most, 2)):
            with self.step(f"read as {types.itemText(number)}"):
                types.setCurrentIndex(number)
            self._visit_pages(f"as {types.itemText(number)}", 1)
        types.setCurrentIndex(0)

    def _visit_pages(self, how: str, most: int) -> None:
        view = self.window.buffer_view
        for number in sorted(self.random.sample(range(len(PAGES)), most)):
            page = PAGES[number]
            if view._grid is None or not view._tabs.isTabEnabled(number):
                continue
            with self.step(f"{page.title} {how} of {view._grid.contents.place}"):
                view.show_page(page.title)
                shown: Any = view.page(number)
                if hasattr(shown, "describe"):
                    for x, y in ((0, 0), (-1, 1e300), (3.2, -7.0), (1e9, 0)):
                        shown.describe(QPointF(x, y))
                if hasattr(shown, "table"):
                    self._visit_values(shown.table, shown.view)

    def _visit_values(self, table: QAbstractItemModel, view: QTableView) -> None:
        rows, columns = table.rowCount(), table.columnCount()
        for row, column in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2)):
            ask(table, table.index(row, column))
            for role in Role:
                table.headerData(row, Qt.Orientation.Vertical, role)
                table.headerData(column, Qt.Orientation.Horizontal, role)
        hover(view.viewport(), view.visualRect(table.index(0, 0)).center())

    # ------------------------------------------------------------------ editing

    def edits(self, count: int, path: Path, original: bytes) -> None:
        """Types into cells and fields, edits anything, takes it back, and saves it all."""
        window = self.window
        window.session.selection.select(())
        self._type_into_cells()
        for address in self.some(self._addresses(), 4):
            window.session.selection.select(address)
            self._type_into_fields()
            self._type_into_values()
        for number in range(count):
            edit = random_edit(window.document.model, self.random)
            with self.step(f"edit {number}: {type(edit).__name__} {edit.place}"):
                window.session.do(edit)
        self._save(path)
        while window.document.history.can_undo:
            with self.step("undo"):
                window.document.undo()
        window.document.save(path)
        assert path.read_bytes() == original, "undoing all gave other bytes"
        while window.document.history.can_redo:
            with self.step("redo"):
                window.document.redo()

    def _save(self, path: Path) -> None:
        document = self.window.document
        with self.step("save"):
            try:
                document.save(path)
            except WriteError as error:
                # What the schema does not know can only stay where it is, and what is not
                # there cannot be moved.
                assert any(reason in str(error) for reason in REFUSALS)
                return
        assert same_content(load_model_from_file(path), document.model), (
            "reads back differently"
        )

    def _type_into_cells(self) -> None:
        panel = self.window.metadata_panel
        for view in (*self.window.record_views, panel.ends, panel.signatures, panel.entries):
            table = view.table
            for row in self.some(list(range(table.rowCount())), 2):
                for column in range(table.columnCount()):
                    index = table.index(row, column)
                    if table.flags(index) & Qt.ItemFlag.ItemIsEditable:
                        text = self.random.choice(TYPED)
                        with self.step(f"type {text[:9]!r} into {view.objectName()} {column}"):
                            table.setData(index, text)
                            table.setData(index, index.data(Role.EditRole))

    def _type_into_fields(self) -> None:
        page = self.window.inspector.page
        assert page is not None
        for name in [editor.row.name for editor in page.findChildren(FieldEditor)]:
            editor = next(
                (e for e in self._editors() if e.row.name == name), None
            )  # the page may have been built again
            text = self.random.choice(TYPED)
            with self.step(f"type {text[:9]!r} into {name}"):
                if isinstance(editor, IntegerEditor):
                    editor.box.lineEdit().setText(text)
                    editor.box.editingFinished.emit()
                    editor.box.stepBy(1)
                elif isinstance(editor, TextEditor):
                    editor.line.setText(text)
                    editor.line.editingFinished.emit()
                elif isinstance(editor, EnumEditor):
                    editor.box.setCurrentIndex(editor.box.count() - 1)
                    editor.box.activated.emit(editor.box.currentIndex())
        for edit in self.window.inspector.findChildren(TensorIndexEdit)[:1]:
            edit.setText(self.random.choice(TYPED))
            edit.editingFinished.emit()

    def _editors(self) -> list[FieldEditor]:
        page = self.window.inspector.page
        return page.findChildren(FieldEditor) if page is not None else []

    def _type_into_values(self) -> None:
        view = self.window.buffer_view
        if view._grid is None or not view._tabs.isTabEnabled(0):
            return
        view.show_page(PAGES[0].title)
        page: Any = view.page(0)
        for text in ("0", "-1", "1e400", "nan", "true"):
            with self.step(f"type {text} into values"):
                page.table.setData(page.table.index(0, 0), text)


def child(parent: QWidget, kind: type[Any], name: str) -> Any:
    """A widget by class and name."""
    found = parent.findChild(kind, name)
    assert found is not None, name
    return found


def ask(model: QAbstractItemModel, index: QModelIndex) -> None:
    """Asks an item for everything that a view may ask for."""
    for role in (*Role, *EXTRA_ROLES):
        model.data(index, role)
    model.flags(index)


def hover(widget: QWidget, place: QPoint) -> None:
    """Rests the pointer on a place until its tool tip shows."""
    where = widget.mapToGlobal(place)
    QApplication.sendEvent(widget, QHelpEvent(QEvent.Type.ToolTip, place, where))
    QToolTip.hideText()


__all__ = ["Visits"]
