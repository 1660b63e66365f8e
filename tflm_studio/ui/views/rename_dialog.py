# SPDX-License-Identifier: Apache-2.0
"""A dialog that replaces a part of the names of several tensors, and shows them before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QHeaderView, QTableView, QWidget

from tflm_studio.editing import tensors
from tflm_studio.editing.located import subgraph_at, tensor_at
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.errors import EditError
from tflm_studio.model.place_names import plural
from tflm_studio.model.schema import Model
from tflm_studio.ui.models.regex_renames import RegexRenames
from tflm_studio.ui.models.rename_table import NewName, RenameTable
from tflm_studio.ui.views.proposal_dialog import ProposalDialog

WIDTH, TABLE_HEIGHT = 620, 240
ROW_PADDING = 8


class RenameDialog(ProposalDialog):
    """Find and replace within names; a regular expression is run where it can be stopped."""

    def __init__(
        self,
        model: Model,
        subgraph_index: int,
        indices: Sequence[int],
        parent: QWidget | None = None,
    ) -> None:
        count = plural(len(indices), "tensor")
        super().__init__(f"Rename {count}", "rename_dialog", parent)
        self._model, self._subgraph_index = model, subgraph_index
        self._names = {k: tensor_at(model, subgraph_index, k).name or "" for k in indices}
        self._taken = Counter(
            tensor.name or "" for tensor in subgraph_at(model, subgraph_index).tensors or []
        )
        self._new: dict[int, str] = {}
        self._regex = RegexRenames(self)
        self._regex.renamed.connect(self._show)
        self._regex.refused.connect(self._refuse)
        self.pattern = self.add_line("&Find", "find")
        self.replacement = self.add_line("Replace &by", "replacement")
        self.is_regex = QCheckBox(r"Regular &expression; \1 is its first group")
        self.is_regex.setObjectName("is_regex")
        self.is_regex.toggled.connect(self.entered)
        self.form.addRow("", self.is_regex)
        self.table = RenameTable()
        self.column.addWidget(self._make_view(), 1)
        self.resize(WIDTH, self.sizeHint().height())
        self.finish()

    def _make_view(self) -> QTableView:
        view = QTableView()
        view.setObjectName("rename_table")
        view.setModel(self.table)
        view.setMinimumHeight(TABLE_HEIGHT)
        view.setAlternatingRowColors(True)
        view.setShowGrid(False)
        view.setWordWrap(False)
        view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        view.verticalHeader().hide()
        view.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + ROW_PADDING)
        header = view.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        header.resizeSection(0, self.fontMetrics().horizontalAdvance("Tensor 0000"))
        return view

    def check(self) -> None:
        """Works out the new names; a regular expression answers later."""
        self._regex.stop()
        pattern, new = self.pattern.text(), self.replacement.text()
        if not pattern:
            self._refuse("Say which part of the names to replace.")
        elif not self.is_regex.isChecked():
            self._show([name.replace(pattern, new) for name in self._names.values()])
        else:
            self.ok.setEnabled(False)
            self._regex.ask(list(self._names.values()), pattern, new)

    def _show(self, names: list[str]) -> None:
        pairs = zip(self._names.items(), names, strict=True)
        changed = {index: new for (index, old), new in pairs if new != old}
        self._new = changed
        owners = self._taken - Counter(self._names[index] for index in changed)
        owners.update(changed.values())
        self.table.show(
            [
                NewName(index, self._names[index], new, bool(new) and owners[new] > 1)
                for index, new in changed.items()
            ]
        )
        super().check()

    def _refuse(self, text: str) -> None:
        self._new = {}
        self.table.show([])
        self.refuse(text)

    def propose(self) -> Proposal:
        if not self._new:
            raise EditError("No name has this part.")
        return tensors.rename(self._model, self._subgraph_index, self._new)

    def hint(self) -> str:
        return f"{plural(len(self._new), 'name')} of {len(self._names):,} will change."

    def done(self, result: int) -> None:
        self._regex.stop()
        super().done(result)
