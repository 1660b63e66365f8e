# SPDX-License-Identifier: Apache-2.0
"""Values changed in their dialog, as a person does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, QThreadPool
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QFileDialog, QLineEdit
from pytestqt.qtbot import QtBot

import tflm_studio as ts
from tests.conftest import SAMPLES
from tests.editing.weight_models import W, holding
from tests.ui.dialogs import accept, answering, click, write
from tflm_studio.model.address import parse_address
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.views import weights_dialog
from tflm_studio.ui.views.values_page import ValuesPage
from tflm_studio.ui.views.weight_operations import OPERATIONS
from tflm_studio.ui.views.weights_dialog import LOOKING, WeightsDialog

MIX = "subgraphs[0].tensors[7]"


def shapes() -> Model:
    return ts.Document.open(str(SAMPLES / "shapes_int8.tflite")).model


def dialog_for(
    qtbot: QtBot, model: Model, operation: str = "scale", address: str = W, **more: Any
) -> WeightsDialog:
    dialog = WeightsDialog(model, parse_address(address), operation, **more)
    qtbot.addWidget(dialog)
    return dialog


def line(dialog: WeightsDialog, name: str) -> QLineEdit:
    found = dialog.findChild(QLineEdit, name)
    assert found is not None
    return found


def figure(dialog: WeightsDialog, title: str) -> str:
    return dialog.effect.figures[title].text()


def test_what_is_typed_is_previewed_and_done(qtbot: QtBot) -> None:
    model = holding(np.array([1, -2, 3, 100]), "int8", [0.5])
    dialog = dialog_for(qtbot, model)
    assert (dialog.note.text(), dialog.ok.isEnabled()) == ("None of 4 values changes.", False)
    dialog.show()
    write(line(dialog, "factor"), "2", qtbot)
    assert not dialog.ok.isEnabled()  # until it has been looked at
    qtbot.waitUntil(dialog.ok.isEnabled, timeout=2000)
    assert "4 of 4 values change" in dialog.note.text()
    assert "1 value saturated: int8 holds -128 to 127" in dialog.note.text()
    assert figure(dialog, "changed") == "4 (100 %)"
    assert figure(dialog, "saturated") == "1"
    assert figure(dialog, "largest change") == "13.5"
    dialog.real.click()
    write(line(dialog, "factor"), "-1", qtbot)
    qtbot.keyClick(line(dialog, "factor"), Qt.Key.Key_Return)  # waits for nothing
    assert not dialog.isVisible()
    ts.Document(model).do(dialog.proposal)
    assert ts.values(model, W).tolist() == [-1, 2, -3, -100]


def test_wrong_entries_say_why_and_cannot_be_done(qtbot: QtBot) -> None:
    dialog = dialog_for(qtbot, holding(np.array([1.0, 2.0])), "formula")
    for text, reason in (
        ("x + foo(x)", "character 5, 'foo(x)'"),
        ("", "is empty"),
        ("x / 0", "2 values not finite"),
    ):
        line(dialog, "text").setText(text)
        dialog.check()
        assert reason in dialog.note.text()
        is_refused = dialog.note.foregroundRole() == QPalette.ColorRole.BrightText
        assert dialog.ok.isEnabled() is not is_refused
    dialog.list.setCurrentRow([o.id for o in OPERATIONS].index("clip"))
    line(dialog, "low").setText("abc")
    dialog.check()
    assert dialog.note.text().startswith("Low: ")
    dialog.accept()
    assert dialog.result() == 0


def test_every_operation_has_its_form_and_keeps_what_was_typed(qtbot: QtBot) -> None:
    dialog = dialog_for(qtbot, shapes(), address=MIX)
    assert dialog.list.count() == len(OPERATIONS)
    for row, operation in enumerate(OPERATIONS):
        dialog.list.setCurrentRow(row)
        assert dialog.parameters.sentence.text() == operation.sentence
        assert [*dialog.parameters.fields] == [p.name for p in operation.parameters]
        assert dialog.note.text()
    dialog.list.setCurrentRow(0)
    line(dialog, "factor").setText("7")
    dialog.list.setCurrentRow(1)
    dialog.list.setCurrentRow(0)
    assert line(dialog, "factor").text() == "7"


def test_the_tab_key_goes_from_the_list_through_the_lines_to_the_ticks(qtbot: QtBot) -> None:
    model = holding(np.array([1, -2, 3, 100]), "int8", [0.5])
    dialog = dialog_for(qtbot, model, where=np.array([1, 2]))
    dialog.show()
    dialog.list.setCurrentRow([each.id for each in OPERATIONS].index("clip"))
    dialog.list.setFocus()
    qtbot.waitUntil(lambda: line(dialog, "low").isVisible())
    reached = []
    for _ in range(4):
        qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Tab)
        reached.append(dialog.focusWidget().objectName())
    assert reached == ["low", "high", "real", "selected"]


def test_types_and_layers_are_changed_with_all_that_follows(qtbot: QtBot) -> None:
    model = shapes()
    document = ts.Document(model)
    dialog = dialog_for(qtbot, model, "delete_channels", MIX)
    line(dialog, "channels").setText("0-11")
    dialog.check()
    assert "not zero" in dialog.note.text()
    document.do(dialog.proposal)
    assert ts.values(model, MIX).shape == (4, 1, 1, 8)
    order = dialog_for(qtbot, model, "permute_channels", MIX)
    assert line(order, "channels").text() == "0-3"
    assert not order.ok.isEnabled()
    line(order, "channels").setText("3-0")
    order.check()
    assert order.ok.isEnabled()
    back = dialog_for(qtbot, model, "dequantise", MIX)
    assert "TFLM does not run it with int8 values and a filter of float32" in back.note.text()
    document.do(back.proposal)
    again = dialog_for(qtbot, model, "quantise", MIX)
    box, choice = again.findChild(QCheckBox, "bias"), again.findChild(QComboBox, "axis")
    assert box is not None
    assert choice is not None
    assert "int8 with 4 scales along axis 0" in again.note.text()
    choice.setCurrentText("one scale for all")
    assert "int8 with one scale" in again.note.text()


def test_values_come_from_a_file(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = holding(np.zeros((2, 2)), "float32")
    np.save(tmp_path / "new.npy", np.array([[1, 2], [3, 4]]))
    (tmp_path / "new.csv").write_text("1,2\n3,5\n")
    dialog = dialog_for(qtbot, model, "replace_values")
    assert "choose a .npy" in dialog.note.text()
    for name, last in (("new.npy", 4.0), ("new.csv", 5.0)):
        chosen = str(tmp_path / name), ""
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, c=chosen: c)
        click(dialog, "browse", qtbot)
        dialog.check()
        document = ts.Document(model)
        document.do(dialog.proposal)
        assert ts.values(model, W)[1, 1] == last
    line(dialog, "path").setText(str(tmp_path / "none.npy"))
    dialog.check()
    assert "none.npy: cannot be read" in dialog.note.text()


def test_many_values_are_looked_at_in_a_thread(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights_dialog, "BACKGROUND_ELEMENTS", 10)
    dialog = dialog_for(qtbot, holding(np.arange(50.0)), "offset")
    line(dialog, "amount").setText("1")
    dialog.check()
    assert (dialog.note.text(), dialog.ok.isEnabled()) == (LOOKING, False)
    line(dialog, "amount").setText("2")
    dialog.check()  # what the first one finds is dropped
    qtbot.waitUntil(dialog.ok.isEnabled, timeout=3000)
    assert figure(dialog, "largest change") == "2"
    line(dialog, "amount").setText("inf")
    dialog.check()
    qtbot.waitUntil(lambda: dialog.note.text() != LOOKING, timeout=3000)
    assert "finite" in dialog.note.text()
    assert not dialog.ok.isEnabled()
    dialog.reject()
    QThreadPool.globalInstance().waitForDone(3000)


def test_selected_values_are_changed_alone(
    window: MainWindow, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    window.show_place(parse_address(MIX))
    page = window.buffer_view.page(0)
    assert isinstance(page, ValuesPage)
    action = window.commands.actions["weights.change"]
    assert action in page.view.actions()
    selection = QItemSelection(page.table.index(0, 1), page.table.index(1, 3))
    page.view.selectionModel().select(
        selection, QItemSelectionModel.SelectionFlag.ClearAndSelect
    )
    before = ts.values(window.document.model, MIX).copy().reshape(-1)

    def act(dialog: WeightsDialog) -> None:
        assert dialog.selected.text() == "&Only the 6 selected values"
        write(line(dialog, "factor"), "0", qtbot)
        accept(dialog, qtbot)

    shown = answering(monkeypatch)(act)
    action.trigger()
    assert shown == ["weights_dialog"]
    now = ts.values(window.document.model, MIX).reshape(-1)
    chosen = [1, 2, 3, 9, 10, 11]
    assert not now[chosen].any()
    assert np.array_equal(np.delete(now, chosen), np.delete(before, chosen))
    assert window.document.history.steps[-1].label.startswith("Multiply 6 values of tensor 7")
    window.document.undo()
    assert np.array_equal(ts.values(window.document.model, MIX).reshape(-1), before)
    window.show_place(("subgraphs", 0, "tensors", 0))  # an activation
    QApplication.processEvents()
    assert not action.isEnabled()
