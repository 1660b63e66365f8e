# SPDX-License-Identifier: Apache-2.0
"""Which kind some operators become, and what of their options stays."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from tflm_studio.editing.operator_options import carried_options
from tflm_studio.editing.operators import change_kind
from tflm_studio.editing.proposal import Proposal
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.operator_dialog import OperatorDialog
from tflm_studio.ui.views.operator_kind_list import OperatorKindList

HEIGHT = 520
MOST_KEPT = 8


class OperatorKindDialog(OperatorDialog):
    """Asks for a kind."""

    def __init__(
        self, session: Session, rows: Sequence[int], parent: QWidget | None = None
    ) -> None:
        super().__init__(
            session, "operator_kind_dialog", "Change the kind of operators", parent
        )
        self._rows = rows
        self.kinds = OperatorKindList(session.document.model)
        self.kinds.changed.connect(self.check_soon)
        self.kinds.chosen.connect(self.accept)
        self.finish_layout(self.kinds)
        self.resize(self.width(), HEIGHT)
        self.kinds.setFocus()
        self.check()

    def make(self) -> Proposal:
        model = self.session.document.model
        return change_kind(model, self.subgraph_index, self._rows, self.kinds.kind())

    def describe(self, proposal: Proposal) -> str:
        kept = self._kept()
        said = f" Kept: {', '.join(kept)}." if kept else ""
        return f"{proposal.label}.{said}"

    def _kept(self) -> list[str]:
        """What the options say that stays, each once for all operators."""
        operators, kind = self.session.subgraph.operators or [], self.kinds.kind()
        found: dict[str, None] = {}
        for row in self._rows:
            found |= dict.fromkeys(carried_options(operators[row], kind).kept)
        more = len(found) - MOST_KEPT
        return [*found][:MOST_KEPT] + ([f"and {more} more"] if more > 0 else [])
