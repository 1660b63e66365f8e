# SPDX-License-Identifier: Apache-2.0
"""Lines of text whose words lead to other places of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QWidget

from tflm_studio.model.address import Address, format_address, parse_address
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.wrapped_label import WrappedLabel

MOST_LINKS = 24


class LinkLabel(WrappedLabel):
    """Text with links; following one selects the place it names."""

    def __init__(
        self, session: Session, html: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(html, parent)
        self._session = session
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextBrowserInteraction)
        self.linkActivated.connect(self._follow)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange and self.text():
            # The colour of links is taken when the text is set.
            text = self.text()
            self.clear()
            self.setText(text)

    def _follow(self, href: str) -> None:
        self._session.selection.select(parse_address(href))


def link(address: Address, text: str) -> str:
    """A link to a place; bare text if there can be no such place."""
    if any(isinstance(step, int) and step < 0 for step in address):
        return escape(text)
    return (
        f'<a style="text-decoration:none" href="{escape(format_address(address))}">'
        f"{escape(text)}</a>"
    )


def link_list(
    places: Sequence[Address],
    name: Callable[[Address], str],
    nothing: str,
    most: int = MOST_LINKS,
) -> str:
    """Links to places one behind the other, or what to say if there are none.

    Args:
        places: Where they lead; only the first of many are named.
        name: What a link is called.
        nothing: Said if there are no places.
        most: How many are named.
    """
    shown = ", ".join(link(place, name(place)) for place in places[:most])
    more = f" and {len(places) - most:,} more" if len(places) > most else ""
    return shown + more or nothing
