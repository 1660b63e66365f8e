# SPDX-License-Identifier: Apache-2.0
"""Commands for tensors, buffers and the model on sound files that make no sense."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from tests.conftest import IS_THOROUGH
from tests.formats.senseless import CRAFTED
from tflm_studio.editing.document import Document
from tflm_studio.model.address import Address, find_address
from tflm_studio.ui.app.windows import Windows
from tflm_studio.ui.views.proposal_dialog import ProposalDialog

OURS = ("tensor.", "buffer.", "weights.", "model.", "signature.", "metadata.", "subgraph.")
NAMES = ("calling_itself", "indices_out_of_range", "Model", "every_table")
PLACES: tuple[Address, ...] = (
    ("subgraphs", 0, "tensors", 0),
    ("subgraphs", 0, "tensors", 1),
    ("buffers", 0),
    ("buffers", 1),
    ("metadata", 0),
    ("signature_defs", 0),
    ("subgraphs", 0),
)


@pytest.mark.parametrize("name", NAMES if IS_THOROUGH else NAMES[1:2])
def test_commands_do_it_or_say_why_not(
    name: str, windows: Windows, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def press_ok(dialog: ProposalDialog) -> int:
        if dialog.ok.isEnabled():
            dialog.accept()
        return dialog.result()

    monkeypatch.setattr(ProposalDialog, "exec", press_ok)
    for question in ("getOpenFileName", "getSaveFileName"):
        monkeypatch.setattr(QFileDialog, question, lambda *_: ("", ""))
    window = windows.show_document(Document(CRAFTED[name]()))
    qtbot.waitExposed(window)
    document, actions = window.document, window.commands.actions
    ours = [action for id, action in actions.items() if id.startswith(OURS)]
    for place in PLACES:
        for action in ours if find_address(document.model, place) is not None else ():
            window.session.selection.select(place)
            if action.isEnabled():
                action.trigger()
            while document.history.can_undo:
                document.undo()
    assert not document.modified
