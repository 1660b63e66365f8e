# SPDX-License-Identifier: Apache-2.0
"""Custom options that are a flexbuffer, edited as a tree."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from flatbuffers import flexbuffers
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QComboBox, QDialogButtonBox, QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from tests.conftest import SAMPLES
from tflm_studio.editing.document import Document
from tflm_studio.formats.flex_options import FlexNode, read_flex
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.schema import Operator, OperatorCode
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.windows import Windows
from tflm_studio.ui.views.field_menu import FieldMenu
from tflm_studio.ui.views.flex_dialog import BY_POSITION, FlexDialog
from tflm_studio.ui.views.flex_view import KEY, TYPE, VALUE
from tflm_studio.ui.views.operator_page import OperatorPage

Key = Qt.Key
OPTIONS = {"T": 7, "fft_length": 512, "more": {"name": "Hann", "on": True}, "sizes": [1, "x"]}
DATA = bytes(flexbuffers.Dumps(OPTIONS))


@pytest.fixture
def dialog(qtbot: QtBot) -> FlexDialog:
    made = FlexDialog(DATA, read_flex(DATA), "options")
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    return made


def go_to(dialog: FlexDialog, name: str, column: int) -> None:
    found = dialog.view.findItems(name, Qt.MatchFlag.MatchRecursive, KEY)
    assert len(found) == 1, name
    dialog.view.setCurrentItem(found[0], column)
    dialog.view.setFocus()


def type_text(dialog: FlexDialog, text: str, qtbot: QtBot) -> None:
    """Types over the cell whose editor is open."""
    editor = [e for e in dialog.view.findChildren(QLineEdit) if e.isVisible()][-1]
    editor.selectAll()
    editor.insert(text)  # keyClicks types ASCII only
    qtbot.keyClick(editor, Key.Key_Return)
    for _ in range(2):  # the view takes the text over, then the lines are made anew
        QApplication.processEvents()


def edit(dialog: FlexDialog, name: str, column: int, text: str, qtbot: QtBot) -> None:
    go_to(dialog, name, column)
    qtbot.keyClick(dialog.view, Key.Key_F2)
    type_text(dialog, text, qtbot)


def is_ok(dialog: FlexDialog) -> bool:
    return dialog.buttons.button(QDialogButtonBox.StandardButton.Ok).isEnabled()


def press(dialog: FlexDialog, name: str, qtbot: QtBot) -> None:
    button = dialog.findChild(QPushButton, f"flex_{name}")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    QApplication.processEvents()


def options(dialog: FlexDialog) -> object:
    return flexbuffers.Loads(dialog.data)


def test_a_value_is_typed_and_what_did_not_change_has_the_same_bytes(
    dialog: FlexDialog, qtbot: QtBot
) -> None:
    assert dialog.data is DATA
    assert dialog.note.text() == "Not changed."
    edit(dialog, "fft_length", VALUE, "1024", qtbot)
    edit(dialog, "name", VALUE, "Hamming", qtbot)
    more = {"name": "Hamming", "on": True}
    assert options(dialog) == {**OPTIONS, "fft_length": 1024, "more": more}
    edit(dialog, "fft_length", VALUE, "512", qtbot)
    edit(dialog, "name", VALUE, "Hann", qtbot)
    assert dialog.data == DATA


def test_a_value_out_of_range_is_refused_and_told(dialog: FlexDialog, qtbot: QtBot) -> None:
    edit(dialog, "T", VALUE, str(2**63), qtbot)
    assert "out of range: -9223372036854775808" in dialog.note.text()
    edit(dialog, "on", VALUE, "maybe", qtbot)
    assert "neither true nor false" in dialog.note.text()
    assert dialog.data == DATA


def test_a_key_is_renamed_and_finds_its_place(dialog: FlexDialog, qtbot: QtBot) -> None:
    edit(dialog, "T", KEY, "zeta", qtbot)
    assert options(dialog) == {**{k: OPTIONS[k] for k in OPTIONS if k != "T"}, "zeta": 7}
    top = dialog.view.topLevelItem(0)
    assert top is not None
    names = [top.child(k).text(KEY) for k in range(top.childCount())]
    assert names == ["fft_length", "more", "sizes", "zeta"]
    current = dialog.view.currentItem()
    assert current is not None
    assert current.text(KEY) == "zeta"
    edit(dialog, "zeta", KEY, "more", qtbot)
    assert "another entry with the key 'more'" in dialog.note.text()
    edit(dialog, "zeta", KEY, "ü", qtbot)
    assert "ASCII" in dialog.note.text()


def test_places_in_vectors_have_no_keys_and_maps_no_values(
    dialog: FlexDialog, qtbot: QtBot
) -> None:
    for name, column in (("[0]", KEY), ("options", KEY), ("more", VALUE)):
        go_to(dialog, name, column)
        qtbot.keyClick(dialog.view, Key.Key_F2)
        assert not any(e.isVisible() for e in dialog.view.findChildren(QLineEdit))


def test_a_type_is_chosen_from_a_list(dialog: FlexDialog, qtbot: QtBot) -> None:
    go_to(dialog, "fft_length", TYPE)
    qtbot.keyClick(dialog.view, Key.Key_F2)
    box = next(b for b in dialog.view.findChildren(QComboBox) if b.isVisible())
    box.setCurrentIndex(box.findText("string"))
    box.activated.emit(box.currentIndex())
    QApplication.processEvents()
    assert options(dialog) == {**OPTIONS, "fft_length": "512"}


def test_entries_are_added_copied_and_removed(dialog: FlexDialog, qtbot: QtBot) -> None:
    go_to(dialog, "options", KEY)
    assert not dialog.findChild(QPushButton, "flex_remove").isEnabled()  # type: ignore[union-attr]
    press(dialog, "add", qtbot)
    type_text(dialog, "brand_new", qtbot)
    go_to(dialog, "[1]", KEY)
    qtbot.keyClick(dialog.view, Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    go_to(dialog, "more", KEY)
    qtbot.keyClick(dialog.view, Key.Key_Delete)
    expected = {"T": 7, "brand_new": 0, "fft_length": 512, "sizes": [1, "x", "x"]}
    assert options(dialog) == expected
    go_to(dialog, "T", KEY)
    press(dialog, "duplicate", qtbot)
    assert options(dialog) == {**expected, "T_1": 7}
    assert is_ok(dialog)


def test_enter_edits_the_current_line_and_escape_leaves_the_dialog(
    dialog: FlexDialog, qtbot: QtBot
) -> None:
    go_to(dialog, "T", KEY)
    dialog.view.setCurrentItem(dialog.view.currentItem(), VALUE)
    qtbot.keyClick(dialog.view, Key.Key_Return)
    assert dialog.isVisible()
    type_text(dialog, "8", qtbot)
    assert options(dialog) == {**OPTIONS, "T": 8}
    qtbot.keyClick(dialog.view, Key.Key_Escape)
    assert not dialog.isVisible()


def test_the_keyboard_edits_values_unless_it_is_led_to_a_key(
    dialog: FlexDialog, qtbot: QtBot
) -> None:
    view = dialog.view
    qtbot.keyClick(view, Key.Key_Down)
    qtbot.keyClick(view, Key.Key_F2)
    type_text(dialog, "8", qtbot)
    assert options(dialog) == {**OPTIONS, "T": 8}
    for _ in range(2):
        qtbot.keyClick(view, Key.Key_Left)
    assert view.currentColumn() == KEY
    for _ in range(2):
        qtbot.keyClick(view, Key.Key_Right)
    assert view.currentColumn() == VALUE


# ------------------------------------------------------------------ in the window


@pytest.fixture
def signal(windows: Windows) -> Callable[[bytes | None, str], MainWindow]:
    """A window on a model whose operator 0 is a custom one."""

    def show(data: bytes | None, name: str) -> MainWindow:
        model = load_model_from_file(SAMPLES / "sine_int8.tflite")
        assert model.subgraphs is not None
        assert model.operator_codes is not None
        model.operator_codes.append(OperatorCode(32, name, 1, 32))  # type: ignore[arg-type]
        operator = Operator(
            len(model.operator_codes) - 1, inputs=[0], outputs=[1], custom_options=data
        )
        assert model.subgraphs[0].operators is not None
        model.subgraphs[0].operators[0] = operator
        window = windows.show_document(Document(model))
        window.session.selection.select(("subgraphs", 0, "operators", 0))
        return window

    return show


def menu_of(window: MainWindow) -> FieldMenu:
    page = window.inspector.page
    assert isinstance(page, OperatorPage)
    return page.form.menu("custom_options")


def test_the_operator_page_tells_the_entries(
    signal: Callable[[bytes | None, str], MainWindow],
) -> None:
    window = signal(DATA, "SignalRfft")
    page = window.inspector.page
    assert isinstance(page, OperatorPage)
    assert page.flex.isVisible()
    assert page.flex.text().splitlines()[:3] == ["T: 7", "fft_length: 512", "more: map"]
    window.session.do([])
    page.form.enter("custom_options", b"\x01\x02\x03\x04\x05")
    assert not page.flex.isVisible()


def test_ok_in_the_dialog_is_one_step_and_undo_brings_the_bytes_back(
    signal: Callable[[bytes | None, str], MainWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = signal(DATA, "SignalRfft")
    warned = []

    def change(dialog: FlexDialog) -> int:
        warned.append(BY_POSITION in dialog.warning.text() and not dialog.warning.isHidden())
        dialog.view.root.items[0].value = 9
        dialog.view.changed.emit()
        return 1

    monkeypatch.setattr(FlexDialog, "exec", change)
    menu = menu_of(window)
    texts = [text for text, _ in menu.choices()]
    assert texts.index("Edit as a tree…") + 1 == texts.index("Edit the bytes…")
    menu.edit_apart()
    operator = window.session.subgraph.operators[0]  # type: ignore[index]
    assert flexbuffers.Loads(bytes(operator.custom_options or b"")) == {**OPTIONS, "T": 9}
    assert warned == [True]
    window.document.undo()
    assert operator.custom_options == DATA
    assert not window.document.modified


def test_others_are_not_warned_of_and_opaque_bytes_have_no_tree(
    signal: Callable[[bytes | None, str], MainWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    roots: list[FlexNode] = []

    def look(dialog: FlexDialog) -> int:
        seen.append(dialog.warning.isHidden())
        roots.append(dialog.view.root)
        return 0

    monkeypatch.setattr(FlexDialog, "exec", look)
    menu_of(signal(DATA, "MyOperator")).choose("Edit as a tree")
    assert seen == [True]
    texts = [text for text, _ in menu_of(signal(bytes(range(200, 250)), "Mine")).choices()]
    assert not any("tree" in text for text in texts)
    menu_of(signal(None, "Mine")).choose("Begin a tree")
    assert roots[-1].items == []


def test_the_options_of_real_signal_operators(windows: Windows, models_folder: Path) -> None:
    path = models_folder / "tensorflow__tflite-micro" / "audio_preprocessor_int8.tflite"
    window = windows.open_path(path)
    assert window is not None
    window.session.selection.select(("subgraphs", 0, "operators", 1))
    for index, operator in enumerate(window.session.subgraph.operators or []):
        if operator.custom_options:
            window.session.selection.select(("subgraphs", 0, "operators", index))
            page = window.inspector.page
            assert isinstance(page, OperatorPage)
            assert ": " in page.flex.text() or page.flex.text() == "no entries"
