# SPDX-License-Identifier: Apache-2.0
"""The outline: the parts of a model as a tree, each leading to its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QContextMenuEvent
from PySide6.QtWidgets import QFrame, QMenu, QTreeWidget, QTreeWidgetItem, QWidget

from tflm_studio.editing.associated_files import PLACE as FILES
from tflm_studio.editing.associated_files import archive_problem
from tflm_studio.model.address import Address
from tflm_studio.model.excerpts import SHOWN_NAME_CHARACTERS, excerpt
from tflm_studio.model.graph import tensor_text
from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import Model, SubGraph
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tool_tips import tool_tip

ADDRESS = Qt.ItemDataRole.UserRole
MOST_ENDS = 64  # and files
ROW_PIXELS = 20


class Line(NamedTuple):
    """One line: how deep it stands, what it says, where it leads."""

    depth: int
    text: str
    address: Address


class Outline(QTreeWidget):
    """Model, subgraphs with their ends, buffers, metadata, files and signatures."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("outline")
        self.setHeaderHidden(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setIndentation(14)
        self.setUniformRowHeights(True)
        self._session = session
        self._lines: list[Line] = []
        self._items: list[QTreeWidgetItem] = []
        self._following = False
        self._offered: dict[str, list[QAction]] = {}
        self.refresh()
        self.currentItemChanged.connect(self._on_current_changed)
        self.itemClicked.connect(self._on_current_changed)
        session.changed.connect(self.refresh)
        session.selection.changed.connect(self._follow)

    def offer(self, step: str, actions: list[QAction]) -> None:
        """Gives lines that lead to a list, or into one, a menu; "" is for the model itself."""
        self._offered[step] = actions

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        item = self.itemAt(event.pos()) if by_mouse else self.currentItem()
        if item is None:
            return
        place = event.globalPos()
        if not by_mouse:
            place = self.viewport().mapToGlobal(self.visualItemRect(item).bottomLeft())
        self.setCurrentItem(item)
        self._on_current_changed(item)
        self.menu_for(tuple(item.data(0, ADDRESS))).popup(place)

    def menu_for(self, address: Address) -> QMenu:
        """The commands for what a line leads to."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        steps = [str(step) for step in reversed(address) if step in self._offered]
        menu.addActions(self._offered.get(steps[0] if steps else "", []))
        return menu

    def refresh(self) -> None:
        """Shows the parts as they are now; only lines that differ are touched."""
        lines = list(_lines(self._session))
        shape = [(line.depth, line.address) for line in lines]
        if shape != [(line.depth, line.address) for line in self._lines]:
            self._rebuild(lines)
        for item, line in zip(self._items, lines, strict=True):
            if item.text(0) != line.text:
                item.setText(0, line.text)
                item.setToolTip(0, tool_tip(line.text))
        self._lines = lines

    def _rebuild(self, lines: list[Line]) -> None:
        self._following = True
        self.clear()
        self._items = []
        above: dict[int, QTreeWidgetItem] = {}
        for line in lines:
            item = QTreeWidgetItem([line.text])
            item.setData(0, ADDRESS, line.address)
            item.setSizeHint(0, QSize(0, ROW_PIXELS))
            if line.depth:
                above[line.depth - 1].addChild(item)
            else:
                self.addTopLevelItem(item)
            above[line.depth] = item
            self._items.append(item)
        for line, item in zip(lines, self._items, strict=True):
            item.setExpanded(line.depth < 2 and line.text.split(" ")[0] != "Operator")
        self._following = False

    def _on_current_changed(self, item: QTreeWidgetItem | None) -> None:
        if item is not None and not self._following:
            self._session.selection.select(tuple(item.data(0, ADDRESS)))

    def _follow(self, address: Address) -> None:
        self._following = True
        found = next(
            (
                i
                for i, line in zip(self._items, self._lines, strict=True)
                if line.address == address
            ),
            None,
        )
        if found is not None and self.currentItem() is not found:
            self.setCurrentItem(found)
        elif found is None:
            self.selectionModel().clear()
        self._following = False


def _lines(session: Session) -> Iterator[Line]:
    model = session.document.model
    yield Line(0, session.document.name, ())
    for index, subgraph in enumerate(model.subgraphs or []):
        yield from _subgraph_lines(index, subgraph)
    weights = _bytes_text(session.facts.weight_bytes)
    yield Line(1, f"Buffers  {len(model.buffers or []):,}, {weights}", ("buffers",))
    yield Line(1, f"Operator codes  {len(model.operator_codes or [])}", ("operator_codes",))
    yield Line(1, f"Metadata  {len(model.metadata or [])}", ("metadata",))
    for index, entry in enumerate(model.metadata or []):
        yield Line(2, _name(entry.name), ("metadata", index))
    files = model.associated_files or []
    yield Line(1, f"Associated files  {_files_text(model)}", FILES)
    for index, file in enumerate(files[:MOST_ENDS]):
        yield Line(2, _name(file.name), (*FILES, index))
    yield Line(1, f"Signatures  {len(model.signature_defs or [])}", ("signature_defs",))
    for index, signature in enumerate(model.signature_defs or []):
        yield Line(2, _name(signature.signature_key), ("signature_defs", index))


def _name(name: str | None) -> str:
    return excerpt(name or "unnamed", SHOWN_NAME_CHARACTERS)


def _files_text(model: Model) -> str:
    if archive_problem(model):
        return "unreadable"
    return f"{len(model.associated_files or []):,}"


def _subgraph_lines(index: int, subgraph: SubGraph) -> Iterator[Line]:
    place: Address = ("subgraphs", index)
    name = f"  {_name(subgraph.name)}" if subgraph.name else ""
    yield Line(1, f"Subgraph {index}{name}", place)
    yield Line(2, plural(len(subgraph.operators or []), "operator"), (*place, "operators"))
    yield Line(2, plural(len(subgraph.tensors or []), "tensor"), (*place, "tensors"))
    for kind, indices in (("Input", subgraph.inputs), ("Output", subgraph.outputs)):
        for tensor_index in (indices or [])[:MOST_ENDS]:
            text = f"{kind}  {tensor_text(subgraph, tensor_index)}"
            known = 0 <= tensor_index < len(subgraph.tensors or [])
            yield Line(2, text, (*place, "tensors", tensor_index) if known else place)


def _bytes_text(count: int) -> str:
    for limit, unit in ((2**20, "MB"), (2**10, "KB")):
        if count >= limit:
            return f"{count / limit:,.1f} {unit}"
    return f"{count} bytes"
