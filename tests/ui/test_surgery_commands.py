# SPDX-License-Identifier: Apache-2.0
"""Changes of the whole graph: shown first, done as one step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QMessageBox,
)
from pytestqt.qtbot import QtBot

from tests.conftest import SAMPLES
from tests.ui.conftest import Opener
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Set
from tflm_studio.formats.model_file import encode, load_model_from_file, read_model
from tflm_studio.model.schema import Buffer, Model, Operator, OperatorCode, SubGraph, Tensor
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.surgery_actions import SURGERY_ACTIONS
from tflm_studio.ui.app.windows import Windows
from tflm_studio.ui.views import surgery_dialog
from tflm_studio.ui.views.preview_view import FILE_SIZE
from tflm_studio.ui.views.surgery_dialog import LOOKING, NOTHING, SurgeryDialog

Act = Callable[[SurgeryDialog], None]


@pytest.fixture
def in_dialog(
    monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> Callable[[MainWindow, str, Act], None]:
    """Triggers a command, acts in its dialog, and presses OK if that is possible."""

    def carry_out(window: MainWindow, name: str, act: Act) -> None:
        seen: list[bool] = []

        def exec_dialog(dialog: SurgeryDialog) -> int:
            dialog.show()
            qtbot.waitExposed(dialog)
            act(dialog)
            seen.append(True)
            ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
            if dialog.isVisible():
                if ok.isEnabled():
                    qtbot.mouseClick(ok, Qt.MouseButton.LeftButton)
                else:
                    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
            assert not dialog.isVisible()
            return dialog.result()

        monkeypatch.setattr(SurgeryDialog, "exec", exec_dialog)
        action = window.commands.actions[f"surgery.{name}"]
        assert action.isEnabled(), name
        action.trigger()
        assert seen == [True]

    return carry_out


InDialog = Callable[[MainWindow, str, Act], None]


def cell(dialog: SurgeryDialog, column: str, line: str) -> str:
    label = dialog.findChild(QLabel, f"{column}.{line}")
    assert label is not None
    return label.text()


def operators(window: MainWindow) -> list[Operator]:
    return window.session.subgraph.operators or []


def names(dialog: SurgeryDialog) -> list[str]:
    tree = dialog.preview.names
    return [tree.topLevelItem(k).text(0) for k in range(tree.topLevelItemCount())]  # type: ignore[union-attr]


def select_operator(window: MainWindow, index: int) -> None:
    window.session.selection.select(("subgraphs", 0, "operators", index))


def saved(window: MainWindow) -> bytes:
    return encode(window.document.model).tobytes()


def test_the_menu_has_every_surgery_and_needs_an_operator_for_some(window: MainWindow) -> None:
    titles = [a.text().replace("&", "") for a in window.menuBar().actions()]
    assert "Surgery" in titles
    window.session.selection.select(("buffers", 0))
    enabled = {row.id: window.commands.actions[row.id].isEnabled() for row in SURGERY_ACTIONS}
    assert [name for name, possible in enabled.items() if not possible] == [
        "surgery.truncate_after",
        "surgery.truncate_before",
        "surgery.extract",
        "surgery.put_inside",
    ]
    select_operator(window, 0)
    assert window.commands.actions["surgery.extract"].isEnabled()
    letters = [row.text[row.text.index("&") + 1].lower() for row in SURGERY_ACTIONS]
    assert len(set(letters)) == len(letters)


def test_truncating_is_previewed_done_as_one_step_and_undone(
    window: MainWindow, in_dialog: InDialog
) -> None:
    before, count = saved(window), len(operators(window))
    kept = operators(window)[1]

    def act(dialog: SurgeryDialog) -> None:
        assert cell(dialog, "before", "operators") == str(count)
        assert cell(dialog, "after", "operators") == "2"
        assert cell(dialog, "change", "operators") == f"−{count - 2}"
        assert cell(dialog, "after", FILE_SIZE).endswith(" B")
        assert names(dialog)[0] == f"Removed: operators ({count - 2})"
        assert "removed" in dialog.preview.notes.text()
        assert len(operators(window)) == count

    select_operator(window, 1)
    in_dialog(window, "truncate_after", act)
    assert operators(window)[-1] is kept
    assert window.session.selection.address == ("subgraphs", 0, "operators", 1)
    assert len(window.document.history.steps) == 1
    assert "removed" in window.notice.label.text()
    assert window.notice.isVisible()
    window.document.undo()
    assert saved(window) == before

    select_operator(window, count - 1)
    last = operators(window)[-1]
    in_dialog(window, "truncate_before", lambda _: None)
    assert operators(window) == [last]
    assert window.session.selection.address == ("subgraphs", 0, "operators", 0)


def test_the_file_is_as_large_as_the_preview_says(
    window: MainWindow, in_dialog: InDialog
) -> None:
    said: list[str] = []
    select_operator(window, 0)
    in_dialog(window, "truncate_after", lambda d: said.append(cell(d, "after", FILE_SIZE)))
    assert said == [f"{len(saved(window)):,} B"]


def test_cancel_changes_nothing(window: MainWindow, in_dialog: InDialog) -> None:
    before = saved(window)
    select_operator(window, 0)
    in_dialog(window, "truncate_after", lambda dialog: dialog.reject())
    assert saved(window) == before
    assert not window.document.history.steps


def test_a_refusal_is_told_in_the_dialog_and_ok_is_impossible(
    window: MainWindow, in_dialog: InDialog
) -> None:
    def act(dialog: SurgeryDialog) -> None:
        assert "nothing can be taken away" in dialog.note.text()
        assert cell(dialog, "before", "operators") == "–"
        assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()

    in_dialog(window, "remove_edge_quantization", act)
    assert not window.document.history.steps


def test_ticks_decide_and_the_preview_follows(
    window: MainWindow, in_dialog: InDialog, qtbot: QtBot
) -> None:
    def act(dialog: SurgeryDialog) -> None:
        first = cell(dialog, "after", FILE_SIZE)
        for name in ("tensors", "subgraphs"):
            box = dialog.findChild(QCheckBox, f"tick.{name}")
            assert box is not None
            box.setFocus()
            qtbot.keyClick(box, Qt.Key.Key_Space)
        assert cell(dialog, "after", FILE_SIZE) != first
        assert dialog.note.text() == NOTHING
        assert not dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()
        dialog.ticks["tensors"].click()

    in_dialog(window, "strip_names", act)
    subgraph = window.session.subgraph
    named = {k for k, tensor in enumerate(subgraph.tensors or []) if tensor.name is not None}
    assert named <= {*(subgraph.inputs or []), *(subgraph.outputs or [])}


def test_what_is_unused_goes(window: MainWindow, in_dialog: InDialog) -> None:
    model = window.document.model
    assert model.buffers is not None
    count = len(model.buffers)
    from tflm_studio.editing import buffers as buffer_operations

    window.session.do(buffer_operations.add(model, b"nobody needs this"))

    def act(dialog: SurgeryDialog) -> None:
        assert cell(dialog, "change", "buffers") == "−1"
        dialog.ticks["buffers"].click()
        assert cell(dialog, "change", "buffers") == ""
        assert "Nothing is unused" in dialog.preview.notes.text()
        dialog.ticks["buffers"].click()

    in_dialog(window, "remove_unused", act)
    assert len(model.buffers) == count


def test_identical_buffers_codes_and_order(windows: Windows, in_dialog: InDialog) -> None:
    """One small model that is in need of all of these."""
    window = windows.show_document(Document(untidy_model()))
    in_dialog(window, "share_buffers", lambda _: None)
    assert len(window.document.model.buffers or []) == 2
    select_operator(window, 0)
    reader = operators(window)[0]
    in_dialog(window, "sort_operators", lambda _: None)
    assert operators(window)[1] is reader
    assert window.session.selection.address == ("subgraphs", 0, "operators", 1)
    in_dialog(window, "upgrade_codes", lambda _: None)
    codes = window.document.model.operator_codes or []
    assert [int(code.builtin_code) for code in codes] == [0, 22]
    assert len(window.document.history.steps) == 3


def untidy_model() -> Model:
    """Twice the same buffer, an old operator code, and operators in the wrong order."""
    tensors = [
        Tensor([1, 2], 9, 0, "in"),  # type: ignore[arg-type]
        Tensor([1, 2], 9, 1, "a"),  # type: ignore[arg-type]
        Tensor([1, 2], 9, 2, "b"),  # type: ignore[arg-type]
        Tensor([1, 2], 9, 0, "sum"),  # type: ignore[arg-type]
        Tensor([1, 2], 9, 0, "out"),  # type: ignore[arg-type]
    ]
    made = Model(
        3,
        [OperatorCode(0, None, 1), OperatorCode(22, None, 1)],
        [
            SubGraph(
                tensors,
                [0],
                [4],
                [Operator(0, [3, 2], [4]), Operator(0, [0, 1], [3]), Operator(1, [4], [])],
            )
        ],
        "untidy",
        [Buffer(), Buffer(b"\x01\x02"), Buffer(b"\x01\x02")],
    )
    del made.subgraphs[0].operators[2]  # type: ignore[index]
    return read_model(encode(made).tobytes(), "untidy.tflite")


def test_external_data_comes_inside(windows: Windows, in_dialog: InDialog) -> None:
    from tflm_studio.editing.placement import put_outside

    window = windows.show_document(Document(untidy_model()))
    model = window.document.model
    window.session.do(put_outside(model, [("buffers", 1)]))
    in_dialog(window, "put_inside", lambda _: None)
    assert (model.buffers or [])[1].offset == 0


def test_a_selection_becomes_a_model_in_a_window_of_its_own(
    window: MainWindow,
    windows: Windows,
    in_dialog: InDialog,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    before = saved(window)
    window.tabs.setCurrentIndex(0)
    window.operator_view.select_rows([1, 2])

    def act(dialog: SurgeryDialog) -> None:
        assert "2 selected operators" in dialog.sentence.text()
        assert cell(dialog, "after", "operators") == "2"
        assert names(dialog)[0].startswith("Not in it: operators")

    in_dialog(window, "extract", act)
    assert saved(window) == before
    assert not window.document.modified
    _, made = windows.open_windows
    assert made.document.name == "part_of_shapes_int8.tflite"
    assert made.document.path is None
    assert made.isWindowModified()
    assert len(operators(made)) == 2
    assert "Its inputs" in made.notice.label.text()
    target = tmp_path / "part.tflite"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(target), ""))
    assert made.commands.files.save()
    assert not made.isWindowModified()
    assert len(load_model_from_file(target).subgraphs[0].operators or []) == 2  # type: ignore[index]


def test_a_part_that_was_not_saved_is_asked_about(
    window: MainWindow,
    windows: Windows,
    in_dialog: InDialog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    select_operator(window, 0)
    in_dialog(window, "extract", lambda _: None)
    made = windows.open_windows[-1]

    def question(*_: object) -> QMessageBox.StandardButton:
        asked.append(True)
        return QMessageBox.StandardButton.Discard

    monkeypatch.setattr(QMessageBox, "question", question)
    assert made.close()
    assert asked == [True]


def test_a_second_model_is_appended(
    open_sample: Opener,
    in_dialog: InDialog,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    window = open_sample("sine_float.tflite")
    count, before = len(operators(window)), saved(window)
    second = tmp_path / "second.tflite"
    second.write_bytes((SAMPLES / "sine_float.tflite").read_bytes())
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(second), ""))

    def act(dialog: SurgeryDialog) -> None:
        assert "second.tflite" in dialog.sentence.text()
        assert cell(dialog, "after", "operators") == str(2 * count)

    in_dialog(window, "append", act)
    assert len(operators(window)) == 2 * count
    assert window.session.selection.address == ("subgraphs", 0, "operators", count)
    assert window.document.history.steps[-1].label == "Append second.tflite"
    window.document.undo()
    assert saved(window) == before


def test_a_file_that_is_no_model_is_not_appended(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told: list[str] = []
    path = tmp_path / "not.tflite"
    path.write_bytes(b"nothing of the kind")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    monkeypatch.setattr(QMessageBox, "warning", lambda _w, _t, text: told.append(text))
    window.commands.actions["surgery.append"].trigger()
    assert "not.tflite" in told[0]
    assert not window.document.history.steps


def test_a_large_model_is_looked_at_once_the_dialog_stands(
    window: MainWindow, in_dialog: InDialog, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(surgery_dialog, "FEW_THINGS", 3)
    select_operator(window, 0)

    def act(dialog: SurgeryDialog) -> None:
        ok = dialog.buttons.button(QDialogButtonBox.StandardButton.Ok)
        assert dialog.note.text() == LOOKING
        assert not ok.isEnabled()
        qtbot.waitUntil(ok.isEnabled)
        assert QApplication.overrideCursor() is None
        assert dialog.note.isHidden()

    in_dialog(window, "truncate_after", act)
    assert len(operators(window)) == 1


def test_senseless_models_are_refused_in_the_dialog(
    window: MainWindow, in_dialog: InDialog
) -> None:
    window.session.do(Set(("subgraphs", 0, "operators", 0, "inputs"), [9999]))
    window.session.do(Set(("subgraphs", 0, "operators", 1, "opcode_index"), 77))
    window.session.do(Set(("subgraphs", 0, "outputs"), None))
    select_operator(window, 1)
    steps = len(window.document.history.steps)
    for row in SURGERY_ACTIONS:
        name = row.id.partition(".")[2]
        if name in ("append", "put_inside"):
            continue
        in_dialog(window, name, lambda dialog: dialog.reject())
    assert len(window.document.history.steps) == steps
