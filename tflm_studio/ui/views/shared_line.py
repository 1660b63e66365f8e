# SPDX-License-Identifier: Apache-2.0
"""Who else uses what is selected, and what changes of it would reach."""

from __future__ import annotations

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget

from tflm_studio.analysis.reach import reach_of
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.editing.document import Change
from tflm_studio.model.address import Address
from tflm_studio.model.place_names import name_thing, thing_at
from tflm_studio.ui.models.session import Session, relinks
from tflm_studio.ui.views.links import MOST_LINKS, LinkLabel, link, link_list

MOST_IN_LINE = 4  # more would push the values out of a low panel


def others_of(
    session: Session, buffer_index: int, user: Address, most: int = MOST_LINKS
) -> str:
    """Links to all users of a buffer but one; "" if there are none, or it has no bytes."""
    model = session.document.model
    others = [place for place in session.buffer_users(buffer_index) if place != user]
    # Tensors without data all name buffer 0.
    if not buffer_index or not others:
        return ""
    return link_list(others, lambda place: name_thing(model, place), "", most)


def reaches_of(session: Session, tensor: Address) -> str:
    """What a change of a tensor would reach besides the operators that make and use it."""
    found = reach_of(
        session.document.model,
        [tensor],
        wiring=session.wiring,
        buffer_users=session.buffer_users,
    )
    readers = session.wiring(int(tensor[1])).users.of(int(tensor[3]))
    shown = {tensor, *((*tensor[:2], "operators", k) for k in readers)}
    far = ((reach, [a for a in reach.addresses if a not in shown]) for reach in found)
    return "<br>".join(link(others[0], reach.text) for reach, others in far if others)


class SharedLine(LinkLabel):
    """A quiet line below the name of a buffer's contents: who else uses the bytes."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, parent=parent)
        self.setObjectName("shared_line")
        self.setContentsMargins(8, 0, 8, 2)
        self.setForegroundRole(QPalette.ColorRole.PlaceholderText)
        session.selection.changed.connect(self.show_place)
        session.changed.connect(self._on_document_changed)
        self.show_place(session.selection.address)

    def show_place(self, address: Address) -> None:
        """Speaks of the bytes that a place stands for."""
        contents = contents_at(self._session.document.model, address)
        text = ""
        if contents is not None and contents.data is not None:
            thing = thing_at(address)
            if thing[0] != "buffers":
                thing = contents.tensor_address or thing
            others = others_of(self._session, contents.buffer_index, thing, MOST_IN_LINE)
            # A selected buffer is none of its users.
            word = "Used by" if thing[0] == "buffers" else "Also used by"
            is_shared = len(self._session.buffer_users(contents.buffer_index)) > 1
            text = f"{word}: {others}" if others and is_shared else ""
        if text != self.text():
            self.setText(text)
        self.setVisible(bool(text))

    def _on_document_changed(self, change: Change) -> None:
        if any(map(relinks, change.edits)):
            self.show_place(self._session.selection.address)
