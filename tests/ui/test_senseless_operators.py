# SPDX-License-Identifier: Apache-2.0
"""Every command for operators on files that are sound and make no sense."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest
from PySide6.QtWidgets import QApplication

from tests.formats.senseless import CRAFTED
from tests.ui.walk import crafted
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.operator_actions import OPERATOR_ACTIONS
from tflm_studio.ui.app.windows import Windows
from tflm_studio.ui.models.tensor_choices import TensorChoices
from tflm_studio.ui.views.operator_add_dialog import AddOperatorDialog
from tflm_studio.ui.views.operator_custom_dialog import CustomOperatorDialog
from tflm_studio.ui.views.operator_dialog import OperatorDialog
from tflm_studio.ui.views.operator_kind_dialog import OperatorKindDialog
from tflm_studio.ui.views.tensor_picker import TensorPicker


def carry_out_all(window: MainWindow, random: Random) -> None:
    """Each command once, for some operators, in any order."""
    for row in random.sample(OPERATOR_ACTIONS, len(OPERATOR_ACTIONS)):
        count = window.operator_view.table.rowCount()
        chosen = random.sample(range(min(count, 50)), min(count, random.randint(0, 3)))
        window.operator_view.clearSelection()
        window.operator_view.select_rows(chosen)
        QApplication.processEvents()
        before = window.document.history.position
        action = window.commands.actions[row.id]
        action.trigger()
        QApplication.processEvents()
        assert window.document.history.position in (before, before + 1)
        if random.random() < 0.5:
            for _ in range(window.document.history.position - before):
                window.document.undo()


def look_at_choices(window: MainWindow) -> None:
    """What a picker says of all tensors, for an operator and for a new one."""
    session = window.session
    for place in (0, len(session.subgraph.operators or [])):
        for as_output in (False, True):
            choices = TensorChoices(
                session, session.subgraph_index, place, as_output=as_output, optional=True
            )
            picker = TensorPicker(choices, None, window)
            table = picker.table
            for row in range(min(table.rowCount(), 40)):
                for column in range(table.columnCount()):
                    table.index(row, column).data()
            picker.field.setText("1")
            picker.deleteLater()


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Random:
    """Dialogs that are filled in by chance and accepted."""
    random = Random(5)

    def use(dialog: OperatorDialog) -> int:
        if isinstance(dialog, AddOperatorDialog | OperatorKindDialog):
            dialog.kinds.field.setText(random.choice(["conv", "concat", "split", "x y", "if"]))
        if isinstance(dialog, AddOperatorDialog):
            for edit in (*dialog.slots.inputs, *dialog.slots.outputs):
                edit.setText(random.choice(["", "0", "1", "-1", "99999", "zzz"]))
        if isinstance(dialog, CustomOperatorDialog):
            dialog.code.setEditText(random.choice(["", "npu"]))
        dialog.accept()
        return dialog.result()

    monkeypatch.setattr(OperatorDialog, "exec", use)
    return random


STEP = 1 if os.environ.get("TFLM_STUDIO_ALL") else 25


@pytest.mark.parametrize("part", range(2 if STEP == 1 else 1))
def test_crafted_models(part: int, windows: Windows, tmp_path: Path, answers: Random) -> None:
    named = [each for each in crafted() if each[0] in CRAFTED]
    for name, data in named[part :: 2 * STEP]:
        path = tmp_path / "model.tflite"
        path.write_bytes(data)
        window = windows.open_path(path)
        assert window is not None, name
        look_at_choices(window)
        for index in range(min(2, len(window.document.model.subgraphs or []))):
            window.session.show_subgraph(index)
            carry_out_all(window, answers)
        while window.document.history.can_undo:
            window.document.undo()
        assert not window.document.modified
        window.close()
