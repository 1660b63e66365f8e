# SPDX-License-Identifier: Apache-2.0
"""A model before and after a change: how many of what, what goes and comes, what to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tflm_studio.editing.previews import Preview
from tflm_studio.model.excerpts import excerpt
from tflm_studio.ui.views.wrapped_label import WrappedLabel

MOST_NAMED = 2000  # in a list: nobody reads more
MOST_NOTES = 40
LONGEST_NOTE = 600
NOTES_PIXELS = 110
FILE_SIZE = "file size"
LINES = (
    ("operators", "operators"),
    ("tensors", "tensors"),
    ("buffers", "buffers"),
    ("operator_codes", "operator codes"),
    ("subgraphs", "subgraphs"),
    ("signature_defs", "signatures"),
    ("metadata", "metadata"),
)
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class PreviewView(QWidget):
    """Shows a `Preview`: a table of counts, lists of names, notes."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("preview")
        self._cells: dict[tuple[str, str], QLabel] = {}
        self.names = QTreeWidget()
        self.names.setObjectName("preview_names")
        self.names.setHeaderHidden(True)
        self.names.setUniformRowHeights(True)
        self.names.setAccessibleName("What goes and what comes")
        self.notes = WrappedLabel()
        self.notes.setObjectName("preview_notes")
        self.notes.setTextFormat(Qt.TextFormat.PlainText)
        self.notes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._notes_area = QScrollArea()
        self._notes_area.setFrameShape(QFrame.Shape.NoFrame)
        self._notes_area.setWidgetResizable(True)
        self._notes_area.setWidget(self.notes)
        self.notes.setAlignment(Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(self._make_table())
        column.addWidget(self.names, 1)
        column.addWidget(self._notes_area)
        self.clear()

    def _make_table(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(4, 1)
        for column, title in enumerate(("", "before", "after", "change")):
            label = QLabel(title)
            label.setEnabled(False)
            label.setAlignment(RIGHT)
            grid.addWidget(label, 0, column)
        for line, (_, title) in enumerate((*LINES, ("", FILE_SIZE)), start=1):
            grid.addWidget(QLabel(title), line, 0)
            for column, name in enumerate(("before", "after", "change"), start=1):
                cell = QLabel()
                cell.setObjectName(f"{name}.{title}")
                cell.setAlignment(RIGHT)
                cell.setMinimumWidth(cell.fontMetrics().horizontalAdvance("00,000,000 B"))
                grid.addWidget(cell, line, column)
                self._cells[title, name] = cell
        return grid

    def clear(self) -> None:
        """Shows that there is nothing to show."""
        for cell in self._cells.values():
            cell.setText("–")
            cell.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        self.names.clear()
        self._notes_area.hide()

    def show_preview(self, seen: Preview, *, is_part: bool = False) -> None:
        """Shows a preview.

        Args:
            seen: The preview.
            is_part: Whether what is there afterwards is another model, a part of this one.
        """
        for name, title in LINES:
            self._show_line(title, seen.before.counts[name], seen.after.counts[name])
        self._show_line(FILE_SIZE, seen.before.file_bytes, seen.after.file_bytes, " B")
        self._show_names(seen, "Not in it" if is_part else "Removed")
        notes = [excerpt(note, LONGEST_NOTE) for note in seen.notes[:MOST_NOTES]]
        if len(seen.notes) > MOST_NOTES:
            notes.append(f"and {len(seen.notes) - MOST_NOTES:,} more")
        self.notes.setText("\n".join(f"• {note}" for note in notes))
        self._notes_area.setVisible(bool(notes))
        self._fit_notes()

    def _show_line(
        self, title: str, before: int | None, after: int | None, unit: str = ""
    ) -> None:
        role = QPalette.ColorRole
        is_same = before == after
        change = (after or 0) - (before or 0)
        texts = {
            "before": "cannot be saved" if before is None else f"{before:,}{unit}",
            "after": "cannot be saved" if after is None else f"{after:,}{unit}",
            "change": "" if is_same or None in (before, after) else f"{change:+,}{unit}",
        }
        for name, text in texts.items():
            cell = self._cells[title, name]
            cell.setText(text.replace("-", "\N{MINUS SIGN}"))
            cell.setForegroundRole(role.PlaceholderText if is_same else role.WindowText)

    def _show_names(self, seen: Preview, gone: str) -> None:
        self.names.clear()
        lists: Iterator[tuple[str, Sequence[str]]] = iter(
            (
                (f"{gone}: operators", seen.removed_operators),
                ("Added: operators", seen.added_operators),
                (f"{gone}: tensors", seen.removed_tensors),
                ("Added: tensors", seen.added_tensors),
            )
        )
        for title, names in lists:
            if not names:
                continue
            top = QTreeWidgetItem([f"{title} ({len(names):,})"])
            top.addChildren([QTreeWidgetItem([excerpt(n)]) for n in names[:MOST_NAMED]])
            if len(names) > MOST_NAMED:
                top.addChild(QTreeWidgetItem([f"and {len(names) - MOST_NAMED:,} more"]))
            self.names.addTopLevelItem(top)
        if not self.names.topLevelItemCount():
            none = QTreeWidgetItem(["No operator and no tensor goes or comes."])
            none.setDisabled(True)
            self.names.addTopLevelItem(none)
        first = self.names.topLevelItem(0)
        if first is not None:
            first.setExpanded(True)

    def _fit_notes(self) -> None:
        height = self.notes.heightForWidth(max(self.width(), 1)) + 4
        self._notes_area.setFixedHeight(min(height, NOTES_PIXELS))

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit_notes()
