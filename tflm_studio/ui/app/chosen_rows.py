# SPDX-License-Identifier: Apache-2.0
"""What commands are for: the selected rows of a table, and what a dialog asks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tflm_studio.model.errors import EditError
from tflm_studio.ui.views.proposal_dialog import ProposalDialog, ask
from tflm_studio.ui.views.record_view import RecordView

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow


def chosen_rows(view: RecordView) -> list[int]:
    """The rows that are selected because a person chose them, the current one first.

    Rows that are only marked, because something else is selected, are none of them.
    """
    place, own = view.session.selection.address, view.table.list_address()
    if len(place) <= len(own) or place[: len(own)] != own:
        return []
    current = int(place[len(own)])
    if current >= view.table.rowCount():
        return []
    rows = view.selected_rows()
    is_shown = view.proxy.mapFromSource(view.table.index(current, 0)).isValid()
    if current not in rows:  # the filter hides it, or a click with Ctrl took it out
        return rows if is_shown and rows else [current]
    return [current, *(row for row in rows if row != current)]


def ask_in(window: MainWindow, make: Callable[[], ProposalDialog]) -> bool:
    """Shows a dialog and does what it is told; what cannot be asked is said.

    Returns:
        Whether something was done.
    """
    window.commands.files.take_over_typing()
    try:
        dialog = make()
    except EditError as error:
        window.session.refused.emit(str(error))
        return False
    proposal = ask(dialog)
    return proposal is not None and window.session.do(proposal)
