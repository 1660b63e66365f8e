# SPDX-License-Identifier: Apache-2.0
"""A dialog that asks for one line of text, such as a name."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from tflm_studio.editing.proposal import Proposal
from tflm_studio.ui.views.proposal_dialog import ProposalDialog


class TextDialog(ProposalDialog):
    """A line of text; the operation says while typing whether it can be used."""

    def __init__(
        self,
        title: str,
        label: str,
        text: str,
        make: Callable[[str], Proposal],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(title, "text_dialog", parent)
        self._make = make
        self.line = self.add_line(label, "text", text)
        self.line.selectAll()
        self.finish()

    def propose(self) -> Proposal:
        return self._make(self.line.text())
