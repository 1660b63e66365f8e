# SPDX-License-Identifier: Apache-2.0
"""What the pages of the inspector share: a heading, sections, and lines of facts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from tflm_studio.editing.document import Change
from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.schema import Field, Table
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.views.field_form import FieldForm
from tflm_studio.ui.views.fold import Fold
from tflm_studio.ui.views.links import LinkLabel
from tflm_studio.ui.views.wrapped_label import WrappedLabel

LONGEST_TITLE = 90


class InspectorPage(QWidget):
    """The form for one thing; it is built once and refreshed after every change.

    Attributes:
        address: Where the thing stands in the model.
        USUAL: Fields that are always shown, in this order.
        HIDDEN: Fields that other panels show.
    """

    USUAL: ClassVar[tuple[str, ...]] = ()
    HIDDEN: ClassVar[frozenset[str]] = frozenset()

    def __init__(
        self, session: Session, address: Address, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.session = session
        self.address = address
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(6)
        self._title = WrappedLabel()
        self._subtitle = WrappedLabel()
        self._build_heading()
        self.build()
        self.built_from = self.structure()
        self.refresh()

    # ------------------------------------------------------------------ for subclasses

    def build(self) -> None:
        """Makes the sections."""
        self.add_fields()

    def refresh(self) -> None:
        """Shows what the model says now."""

    def structure(self) -> object:
        """What must stay the same for the page to be refreshed rather than built again."""
        return type(self.thing), tuple(self.main_fields())

    def main_fields(self) -> list[str]:
        """The usual fields, and those of the others that say something."""
        thing = self.thing
        said = (
            row.name
            for row in thing.ROWS
            if row.name not in self.HIDDEN
            and row.name not in self.USUAL
            and getattr(thing, row.name) != row.default
        )
        return [*self.USUAL, *said]

    def edits_for(self, row: Field, value: Any) -> Proposal | list[Edit]:
        """What a value that was entered does; a page may do more than set the field."""
        return [Set((*self.address, row.name), value)]

    @property
    def thing(self) -> Table:
        """The table that is shown."""
        value = find_address(self.session.document.model, self.address)
        assert isinstance(value, Table)
        return value

    def must_rebuild(self, change: Change) -> bool:
        """Whether a change needs other fields than the page has."""
        return bool(change.edits) and self.structure() != self.built_from

    # ------------------------------------------------------------------ parts

    def add_fields(self) -> FieldForm:
        """A form for the main fields, and a fold for all others."""
        form = self.make_form(self.main_fields())
        self.column.addWidget(form)
        self.add_other_fields()
        return form

    def add_other_fields(self) -> None:
        """A fold for the fields that the main form does not show."""
        hidden = self.HIDDEN.union(self.main_fields())
        others = [row.name for row in self.thing.ROWS if row.name not in hidden]
        if others:
            kind = type(self.thing).__name__
            opened = self.session.open_fields
            more = Fold("more", lambda: self.make_form(others), opened, f"{kind}.more")
            more.summary.say(", ".join(others))
            self.column.addWidget(more)

    def make_form(self, names: list[str]) -> FieldForm:
        """A form for some fields of the thing."""
        return FieldForm(
            self.session, self.address, self.thing, names, edits_for=self.edits_for
        )

    def _build_heading(self) -> None:
        font = QFont(self.font())
        font.setPointSizeF(font.pointSizeF() * 1.25)
        font.setBold(True)
        self._title.setFont(font)
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._subtitle.setTextFormat(Qt.TextFormat.PlainText)
        self._subtitle.setEnabled(False)
        self.column.addWidget(self._title)
        self.column.addWidget(self._subtitle)

    def set_heading(self, title: str, subtitle: str) -> None:
        """The name of the thing, and which one it is."""
        # Names may wrap behind the signs that part them; at most three lines of them.
        short = title if len(title) <= LONGEST_TITLE else f"…{title[1 - LONGEST_TITLE :]}"
        self._title.setText(re.sub(r"([/_;:.])", "\\1\u200b", short))
        self._title.setToolTip(tool_tip(title))
        self._subtitle.setText(subtitle)

    def add_section(self, title: str, widget: QWidget) -> None:
        """A widget under a small heading."""
        self.column.addWidget(section_label(title))
        self.column.addWidget(widget)


class FactList(QWidget):
    """Names and values in two columns; values may hold links."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._values: dict[str, LinkLabel] = {}
        self._names: dict[str, QLabel] = {}
        self._stale: set[str] = set()

    @contextmanager
    def anew(self, *names: str) -> Iterator[None]:
        """Hides the facts that are not set meanwhile, all or those of some names."""
        self._stale = set(self._values).intersection(names or self._values)
        yield
        for name in self._stale:
            self._values[name].hide()
            self._names[name].hide()
        self._stale = set()

    def set_fact(self, name: str, html: str) -> None:
        """Shows a value; the first time also its name."""
        if name not in self._values:
            line = self._grid.rowCount()
            label = QLabel(name)
            label.setEnabled(False)
            self._values[name] = LinkLabel(self._session)
            top = Qt.AlignmentFlag.AlignTop
            self._names[name] = label
            self._grid.addWidget(label, line, 0, top)
            self._grid.addWidget(self._values[name], line, 1)
        self._stale.discard(name)
        value = self._values[name]
        # Setting or showing what is there already has the whole page laid out anew.
        if value.text() != html:
            value.setText(html)
        if value.isHidden():
            value.show()
            self._names[name].show()


def section_label(title: str) -> QLabel:
    """A small heading."""
    label = QLabel(title.upper())
    font = QFont(label.font())
    font.setPointSizeF(font.pointSizeF() * 0.85)
    font.setBold(True)
    font.setLetterSpacing(QFont.SpacingType.PercentageSpacing, 105)
    label.setFont(font)
    label.setEnabled(False)
    label.setContentsMargins(0, 8, 0, 0)
    label.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    return label
