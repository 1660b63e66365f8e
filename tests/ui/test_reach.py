# SPDX-License-Identifier: Apache-2.0
"""What an edit touches besides the thing it is made on, told, and confined if wanted."""

from __future__ import annotations

import time

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from tests.conftest import SAMPLES
from tests.ui.conftest import edit_cell
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Set, WriteBytes
from tflm_studio.editing.proposal import Proposal
from tflm_studio.formats.model_file import encode, load_model_from_file
from tflm_studio.model.address import Address
from tflm_studio.model.schema import Buffer, Operator, SignatureDef, SubGraph
from tflm_studio.schema.tables import CallOnceOptions, TensorMap
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.windows import Windows
from tflm_studio.ui.models.far_edits import find_far
from tflm_studio.ui.views.links import LinkLabel
from tflm_studio.ui.views.shared_line import SharedLine

TENSOR: Address = ("subgraphs", 0, "tensors", 1)
OTHER: Address = ("subgraphs", 0, "tensors", 2)


@pytest.fixture
def window(windows: Windows, qtbot: QtBot) -> MainWindow:
    """Tensors 1 and 2 share a buffer; all operators have code 0; there is a signature."""
    model = load_model_from_file(SAMPLES / "sine_int8.tflite")
    assert model.subgraphs is not None
    subgraph = model.subgraphs[0]
    assert subgraph.tensors is not None
    subgraph.tensors[2].buffer = subgraph.tensors[1].buffer
    for operator in subgraph.operators or []:
        operator.opcode_index = 0
    ends = [TensorMap("x", t) for t in subgraph.inputs or []]
    model.signature_defs = [SignatureDef(ends, [], signature_key="serving")]
    window = windows.show_document(Document(model))
    qtbot.waitExposed(window)
    return window


def shared(window: MainWindow) -> int:
    return int(window.session.subgraph.tensors[1].buffer)  # type: ignore[index]


def data_of(window: MainWindow, buffer_index: int) -> bytes:
    buffers = window.document.model.buffers
    assert buffers is not None
    return bytes(buffers[buffer_index].data or b"")


def write(window: MainWindow, offset: int, value: int) -> None:
    """As a page of the buffer view does it."""
    place = ("buffers", shared(window), "data")
    window.document.do([WriteBytes(place, offset, bytes([value]))])


def answers(window: MainWindow) -> dict[str, QPushButton]:
    buttons = window.notice.findChildren(QPushButton)
    return (
        {b.text(): b for b in buttons if not b.isHidden()} if window.notice.isVisible() else {}
    )


def press(window: MainWindow, text: str, qtbot: QtBot) -> None:
    qtbot.mouseClick(answers(window)[text], Qt.MouseButton.LeftButton)


def test_a_value_typed_into_a_shared_buffer_is_done_and_told(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.session.selection.select(TENSOR)
    view = window.buffer_view.findChild(QTableView)
    assert view is not None
    before, saved = data_of(window, shared(window)), encode(window.document.model).tobytes()
    title = str(view.model().headerData(0, Qt.Orientation.Horizontal))
    edit_cell(qtbot, view, 0, title, "5")
    assert data_of(window, shared(window)) != before
    assert f"Buffer {shared(window)} is that of tensor 1" in window.notice.label.text()
    assert list(answers(window)) == ["Change only here", "Undo"]

    old = shared(window)
    press(window, "Change only here", qtbot)
    assert data_of(window, old) == before
    assert shared(window) != old
    assert data_of(window, shared(window)) != before
    assert window.session.subgraph.tensors[2].buffer == old  # type: ignore[index]
    assert len(window.document.history.steps) == 1
    assert not window.notice.isVisible()
    assert window.session.selection.address == TENSOR
    window.document.undo()
    assert encode(window.document.model).tobytes() == saved


def test_undo_is_an_answer_and_the_next_edit_is_told_again(
    window: MainWindow, qtbot: QtBot
) -> None:
    before = data_of(window, shared(window))
    window.session.selection.select(TENSOR)
    write(window, 0, 7)
    press(window, "Undo", qtbot)
    assert data_of(window, shared(window)) == before
    assert not window.notice.isVisible()
    write(window, 0, 8)
    assert window.notice.isVisible()


def test_many_edits_are_one_question(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(TENSOR)
    old, before = shared(window), data_of(window, shared(window))
    for offset in range(3):
        write(window, offset, 100 + offset)
    assert window.notice.isVisible()
    press(window, "Change only here", qtbot)
    assert data_of(window, old) == before
    assert data_of(window, shared(window)) == bytes([100, 101, 102]) + before[3:]
    assert len(window.document.history.steps) == 1


def test_who_closes_the_notice_is_not_asked_again(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(TENSOR)
    write(window, 0, 1)
    close = window.notice.findChild(QToolButton)
    assert close is not None
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    for offset in range(3):
        write(window, offset, 50)
        assert not window.notice.isVisible()
    # Another buffer is another matter, and so are other users.
    window.session.do(Set((*OTHER[:3], 3, "buffer"), shared(window)))
    write(window, 0, 51)
    assert window.notice.isVisible()


def test_an_answer_is_for_the_state_it_was_asked_in(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(TENSOR)
    write(window, 0, 1)
    buttons = answers(window)
    window.session.do(Set(("version",), 4))
    assert not window.notice.isVisible()
    for button in buttons.values():
        button.click()
    assert len(window.document.history.steps) == 2
    assert window.document.history.position == 2


def test_in_the_buffer_itself_the_tensor_one_came_from_is_meant(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.session.selection.start(("metadata", 0))
    place = ("buffers", shared(window), "data")
    window.session.selection.select(place[:2])
    window.session.do(WriteBytes(place, 0, b"\x01"))
    assert list(answers(window)) == ["Undo"]
    window.session.selection.select(OTHER)
    window.session.selection.select(place[:2])
    window.session.do(WriteBytes(place, 1, b"\x02"))
    wanted, _ = answers(window)
    assert wanted.startswith("Change only for tensor 2")
    press(window, wanted, qtbot)
    assert window.session.subgraph.tensors[2].buffer != place[1]  # type: ignore[index]
    assert shared(window) == place[1]


def test_an_operator_code_of_several_operators(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(("subgraphs", 0, "operators", 1))
    window.session.selection.select(("operator_codes", 0))
    window.session.do(Set(("operator_codes", 0, "version"), 7))
    assert "Operator code 0 is that of" in window.notice.label.text()
    wanted, _ = answers(window)
    assert wanted.endswith(" 1")
    press(window, wanted, qtbot)
    codes = window.document.model.operator_codes or []
    assert codes[0].version != 7
    assert codes[-1].version == 7
    operators = window.session.subgraph.operators or []
    assert [o.opcode_index for o in operators] == [0, len(codes) - 1, 0]


def test_a_tensor_that_a_signature_offers(window: MainWindow) -> None:
    t = (window.session.subgraph.inputs or [])[0]
    place: Address = ("subgraphs", 0, "tensors", t)
    window.session.do(Set((*place, "shape"), [2, 1]))
    assert "Signature 'serving' offers tensor" in window.notice.label.text()
    assert list(answers(window)) == ["Undo"]
    window.session.do(Set((*place, "name"), "other"))
    assert not window.notice.isVisible()


def test_what_is_used_once_is_not_spoken_of(window: MainWindow) -> None:
    tensor = (window.session.subgraph.tensors or [])[3]
    window.session.do(WriteBytes(("buffers", tensor.buffer, "data"), 0, b"\x01"))
    window.session.do(Set(("subgraphs", 0, "tensors", 3, "shape"), [1]))
    window.session.do(Set(("subgraphs", 0, "name"), "x"))
    assert not window.notice.isVisible()


def test_what_an_operation_tells_stands_behind_it(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(TENSOR)
    edit = WriteBytes(("buffers", shared(window), "data"), 0, b"\x01")
    window.session.do(Proposal((edit,), ("One byte was rounded.",)))
    text = window.notice.label.text()
    assert text.startswith("This reaches further. Buffer")
    assert text.endswith("One byte was rounded.")
    qtbot.waitUntil(lambda: "Undo" in answers(window))
    window.session.do(Proposal((Set(("version",), 4),), ("Something else.",)))
    assert window.notice.label.text() == "Something else."
    assert answers(window) == {}


def test_it_costs_next_to_nothing(window: MainWindow) -> None:
    model, session = window.document.model, window.session
    model.buffers.extend(Buffer() for _ in range(20_000))  # type: ignore[union-attr]
    edit = WriteBytes(("buffers", shared(window), "data"), 0, b"\x01")
    find_far(model, [edit], session.wiring, session.buffer_users)
    start = time.perf_counter()
    for _ in range(50):
        find_far(model, [edit], session.wiring, session.buffer_users)
    assert (time.perf_counter() - start) / 50 < 0.001


# ------------------------------------------------------------------ quiet lines and links


def line_of(window: MainWindow) -> SharedLine:
    line = window.buffer_view.findChild(SharedLine)
    assert isinstance(line, SharedLine)
    return line


def test_the_buffer_view_says_who_else_uses_the_bytes(window: MainWindow) -> None:
    window.session.selection.select(TENSOR)
    line = line_of(window)
    assert line.isVisible()
    assert line.text().startswith("Also used by: <a")
    assert "subgraphs[0].tensors[2]" in line.text()
    assert "tensors[1]" not in line.text()
    line.linkActivated.emit("subgraphs[0].tensors[2]")
    assert window.session.selection.address == OTHER
    assert "tensors[1]" in line.text()
    window.session.selection.select(("buffers", shared(window)))
    assert line.text().startswith("Used by: ")
    window.session.selection.select(TENSOR)
    window.session.do(Set((*OTHER, "buffer"), 0))
    assert not line.isVisible()


def fact(window: MainWindow, name: str) -> str:
    page = window.inspector.page
    assert page is not None
    label = next(
        label
        for label in page.findChildren(QLabel)
        if label.text() == name and label.isVisible()
    )
    grid = label.parentWidget().layout()  # type: ignore[union-attr]
    row, *_ = grid.getItemPosition(grid.indexOf(label))  # type: ignore[union-attr]
    value = grid.itemAtPosition(row, 1).widget()  # type: ignore[union-attr]
    assert isinstance(value, LinkLabel)
    return value.text()


def test_pages_say_what_belongs_together(window: MainWindow) -> None:
    select = window.session.selection.select
    select(TENSOR)
    assert "subgraphs[0].tensors[2]" in fact(window, "also used by")
    t = (window.session.subgraph.inputs or [])[0]
    select(("subgraphs", 0, "tensors", t))
    assert "signature_defs[0]" in fact(window, "reaches")
    select(("signature_defs", 0))
    assert f"subgraphs[0].tensors[{t}]" in fact(window, "given")
    assert fact(window, "gives") == "nothing"
    select(("subgraphs", 0))
    assert "signature_defs[0]" in fact(window, "signatures")
    assert fact(window, "called by") == "the model's caller"


def test_subgraphs_and_operators_that_run_them_are_links(
    windows: Windows, qtbot: QtBot
) -> None:
    model = load_model_from_file(SAMPLES / "sine_int8.tflite")
    assert model.subgraphs is not None
    caller = Operator(0, builtin_options=CallOnceOptions(1))
    (model.subgraphs[0].operators or []).append(caller)
    model.subgraphs.append(SubGraph([], [], [], [], "set up"))
    window = windows.show_document(Document(model))
    qtbot.waitExposed(window)
    place: Address = ("subgraphs", 0, "operators", 3)
    window.session.selection.select(place)
    assert 'href="subgraphs[1]"' in fact(window, "runs")
    window.session.selection.select(("subgraphs", 1))
    assert window.session.subgraph_index == 1
    assert 'href="subgraphs[0].operators[3]"' in fact(window, "called by")
    window.commands.actions["go.back"].trigger()
    assert window.session.selection.address == place
    assert window.session.subgraph_index == 0


def test_back_leads_over_tabs_even_from_a_table(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(("subgraphs", 0, "operators", 1))
    window.tabs.setCurrentIndex(0)
    window.inspector.setFocus()  # as a click at a link there does
    window.session.selection.select(TENSOR)
    assert window.tabs.currentIndex() == 1
    window.session.selection.select(("buffers", shared(window)))
    assert window.tabs.currentIndex() == 2
    window.buffer_table_view.setFocus()
    alt = Qt.KeyboardModifier.AltModifier
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    seen = []
    for _ in range(2):
        qtbot.keyClick(window, Qt.Key.Key_Left, alt)
        seen.append((window.tabs.currentIndex(), window.session.selection.address))
    assert seen == [(1, TENSOR), (0, ("subgraphs", 0, "operators", 1))]
    qtbot.keyClick(window, Qt.Key.Key_Right, alt)
    assert window.tabs.currentIndex() == 1
