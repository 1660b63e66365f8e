# SPDX-License-Identifier: Apache-2.0
"""The inspector edits every field of every table, made from the schema rows."""

from __future__ import annotations

import math
from pathlib import Path
from random import Random

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

import tflm_studio as ts
from tests.conftest import SAMPLES
from tests.editing.random_edits import random_number
from tflm_studio.editing.file_state import FileState
from tflm_studio.formats.flatbuffer_writer import lay_out
from tflm_studio.formats.model_file import load_model_from_file
from tflm_studio.model.address import Address, resolve
from tflm_studio.schema.structure import Field, Kind
from tflm_studio.schema.tables import (
    Model,
    Operator,
    OperatorCode,
    QuantizationParameters,
    SubGraph,
    Tensor,
)
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.windows import Windows
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views import field_form, field_menu
from tflm_studio.ui.views.bytes_dialog import BytesDialog, hex_text, read_hex
from tflm_studio.ui.views.field_editors import (
    BoolEditor,
    EnumEditor,
    FieldEditor,
    IntegerEditor,
    NoteEditor,
    TextEditor,
)
from tflm_studio.ui.views.field_form import FieldForm
from tflm_studio.ui.views.nested_fields import ListItem, TablesField, UnionField
from tflm_studio.ui.views.number_dialog import NumberDialog
from tflm_studio.ui.views.quiet_combo_box import QuietComboBox

OPERATOR: Address = ("subgraphs", 0, "operators", 0)
TENSOR: Address = ("subgraphs", 0, "tensors", 0)


def press(parent: QWidget, name: str, qtbot: QtBot) -> None:
    button = parent.findChild(QWidget, name)
    assert button is not None, name
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def form_of(window: MainWindow, address: Address) -> FieldForm:
    """The form that edits the table at an address, in the inspector."""
    for form in window.inspector.findChildren(FieldForm):
        if form._address == address and form.isVisible():
            return form
    raise AssertionError(address)


def type_into(editor: FieldEditor, value: object, qtbot: QtBot) -> None:
    """Enters a value as a person does, with keys and clicks."""
    if isinstance(editor, BoolEditor):
        if editor.box.isChecked() != value:
            editor.box.click()
    elif isinstance(editor, EnumEditor):
        editor.box.setCurrentIndex(editor.box.findData(int(value)))  # type: ignore[call-overload]
        editor.box.activated.emit(editor.box.currentIndex())
    elif isinstance(editor, (IntegerEditor, TextEditor)):
        line = editor.box.lineEdit() if isinstance(editor, IntegerEditor) else editor.line
        target = editor.box if isinstance(editor, IntegerEditor) else line
        line.selectAll()
        line.insert(text_of(editor.row, value))
        qtbot.keyClick(target, Qt.Key.Key_Return)
    else:
        raise TypeError(type(editor))


def text_of(row: Field, value: object) -> str:
    if isinstance(value, list):
        return " ".join(text_of(row, item) for item in value)
    return repr(value) if isinstance(value, float) else str(getattr(value, "value", value))


def another(row: Field, value: object, random: Random) -> object:
    """Another value that the field can hold."""
    while True:
        if row.kind is Kind.SCALAR:
            new: object = random_number(row, random)
        elif row.kind is Kind.STRING:
            new = random.choice(["text", "ünïcode", "a b"])
        else:
            new = [random_number(row, random) for _ in range(3)]
        if row.enum is not None and row.kind is Kind.SCALAR:
            new = random.choice(list(row.enum))
        is_nan = isinstance(new, float) and math.isnan(new)
        if new != value and not is_nan and repr(new) not in ("inf", "-inf"):
            return new


def model_of_all_options() -> Model:
    """An operator for each option table of the schema."""
    operators = []
    for row in Operator.ROWS:
        for member in row.members if row.kind is Kind.UNION else ():
            operator = Operator(inputs=[0], outputs=[1])
            setattr(operator, row.name, member())
            operators.append(operator)
    tensors = [Tensor(name=name, shape=[1]) for name in "ab"]
    return Model(
        version=3,
        operator_codes=[OperatorCode()],
        subgraphs=[SubGraph(tensors=tensors, operators=operators, inputs=[0], outputs=[1])],
    )


def test_shapes_that_no_longer_follow_are_told_and_fitted(
    window: MainWindow, qtbot: QtBot
) -> None:
    window.session.selection.select(OPERATOR)
    button = window.inspector.findChild(QPushButton, "fit_shapes")
    assert button is not None
    assert not button.isVisible()
    window.document.do(ts.edits.Set("subgraphs[0].operators[0].builtin_options.padding", 1))
    QApplication.processEvents()
    assert button.isVisible()
    press(window.inspector, "fit_shapes", qtbot)
    QApplication.processEvents()
    assert not button.isVisible()
    assert resolve(window.document.model, (*TENSOR[:3], 3)).shape == [1, 7, 7, 8]


def test_a_choice_without_room_ends_in_dots(qtbot: QtBot) -> None:
    box = QuietComboBox()
    qtbot.addWidget(box)
    box.addItem("DepthwiseConv2DOptions")
    box.resize(120, 26)
    assert box.shown_text().startswith("Depthw")
    assert box.shown_text().endswith("…")
    box.resize(400, 26)
    assert box.shown_text() == "DepthwiseConv2DOptions"


def test_every_field_of_every_option_table_is_edited(tmp_path: Path, qtbot: QtBot) -> None:
    path, random, refused = tmp_path / "options.tflite", Random(1), []
    ts.save_model_to_file(model_of_all_options(), path)
    before, document = path.read_bytes(), ts.Document.open(path)
    session = Session(document)
    session.refused.connect(refused.append)
    operators = session.subgraph.operators or []
    assert len(operators) >= 149
    edited = 0
    for number, operator in enumerate(operators):
        name = "builtin_options" if operator.builtin_options else "builtin_options_2"
        place: Address = ("subgraphs", 0, "operators", number, name)
        form = FieldForm(session, place, getattr(operator, name))
        qtbot.addWidget(form)
        form.show()
        for row in getattr(operator, name).ROWS:
            if row.deprecated:
                continue
            if row.kind in (Kind.TABLE, Kind.TABLES, Kind.UNION):
                form.nested(row.name).set_open(True)
                continue
            value = resolve(document.model, (*place, row.name))
            if row.kind is Kind.BYTES:
                form.enter(row.name, b"\x01\x02")
            elif row.enum is not None and len(row.enum) < 2:
                form.enter(row.name, 99)  # of its one value there is no other
            else:
                type_into(form.editor(row.name), another(row, value, random), qtbot)
            assert resolve(document.model, (*place, row.name)) != value, (number, row.name)
            edited += 1
        form.hide()
    assert edited > 200
    assert not refused
    document.save()
    saved = load_model_from_file(path)
    assert lay_out(saved).tobytes() == lay_out(document.model).tobytes()
    document.go_to(0)
    document.save()
    assert path.read_bytes() == before


def test_wide_numbers_and_exact_floats(windows: Windows, tmp_path: Path, qtbot: QtBot) -> None:
    model = ts.load_model_from_file(SAMPLES / "sine_int8.tflite")
    model.subgraphs[0].tensors[0].quantization = QuantizationParameters(
        scale=[0.1], zero_point=[0]
    )
    path = tmp_path / "m.tflite"
    ts.save_model_to_file(model, path)
    window = windows.open_path(path)
    assert window is not None
    window.session.selection.select(TENSOR)
    place: Address = (*TENSOR, "quantization")
    form = form_of(window, place)
    for name, text, value in [
        ("zero_point", "-9223372036854775808", [-(2**63)]),
        ("zero_point", "9223372036854775807", [2**63 - 1]),
        ("scale", "inf", [math.inf]),
        ("scale", "0.1", [0.10000000149011612]),
    ]:
        editor = form.editor(name)
        assert isinstance(editor, TextEditor)
        editor.line.setText(text)
        qtbot.keyClick(editor.line, Qt.Key.Key_Return)
        assert resolve(window.document.model, (*place, name)) == value
        assert editor.line.text() == text
    editor = form.editor("zero_point")
    assert isinstance(editor, TextEditor)
    editor.line.setText("9223372036854775808")
    qtbot.keyClick(editor.line, Qt.Key.Key_Return)
    assert "does not fit" in window.notice.label.text()
    assert editor.line.text() == "9223372036854775807"


def test_what_differs_from_the_file_is_marked_and_taken_back(window: MainWindow) -> None:
    window.session.selection.select(OPERATOR)
    place: Address = (*OPERATOR, "builtin_options")
    window.session.do(ts.edits.Set((*place, "stride_w"), 7))
    form = form_of(window, place)
    button = form.findChild(QWidget, "menu.stride_w")
    assert button.text() == field_menu.CHANGED_SIGN
    assert form._labels["stride_w"].font().bold()
    assert "In the file" in form._labels["stride_w"].toolTip()
    assert form.findChild(QWidget, "menu.stride_h").text() == field_menu.MENU_SIGN
    window.document.save()
    assert button.text() == field_menu.MENU_SIGN
    window.document.undo()
    assert button.text() == field_menu.CHANGED_SIGN
    before = resolve(window.document.model, (*place, "stride_w"))
    form.menu("stride_w").choose("Back to what the file has: 7")
    assert before != 7
    assert resolve(window.document.model, (*place, "stride_w")) == 7
    assert button.text() == field_menu.MENU_SIGN


def test_defaults_absent_and_empty(window: MainWindow) -> None:
    window.session.selection.select(TENSOR)
    form = form_of(window, TENSOR)
    model = window.document.model
    tensor = model.subgraphs[0].tensors[0]
    form.menu("name").choose("Make absent")
    assert tensor.name is None
    form.menu("name").choose("Make empty")
    assert tensor.name == ""
    form.menu("type").choose("Set to the default: FLOAT32")
    assert tensor.type == 0
    form.menu("shape").choose("Make absent")
    assert tensor.shape is None
    form.menu("quantization").choose("Make absent")
    assert tensor.quantization is None
    form.menu("quantization").choose("Add")
    assert tensor.quantization.scale == [1.0]
    form.menu("name").choose("Copy the address")
    assert QApplication.clipboard().text() == "subgraphs[0].tensors[0].name"
    form.menu("type").choose("Copy the value")
    assert QApplication.clipboard().text() == "FLOAT32"


def test_the_kind_of_a_union_is_changed(window: MainWindow, qtbot: QtBot) -> None:
    place: Address = (*OPERATOR, "builtin_options")
    window.session.do(ts.edits.Set((*place, "stride_w"), 3))
    window.session.selection.select(OPERATOR)
    union = form_of(window, OPERATOR).nested("builtin_options")
    assert isinstance(union, UnionField)
    for kind in ("Pool2DOptions", "none", "Conv2DOptions"):
        box: QComboBox = union.kind
        box.setCurrentText(kind)
        box.activated.emit(box.currentIndex())
        union = form_of(window, OPERATOR).nested("builtin_options")
        assert isinstance(union, UnionField)
        value = resolve(window.document.model, place)
        assert ("none" if value is None else type(value).__name__) == kind
        assert union.kind.currentText() == kind
        if kind == "Pool2DOptions":
            assert value.stride_w == 3
            assert form_of(window, place).editor("filter_width").isVisible()


def first_item(field: TablesField) -> ListItem:
    assert field.body is not None
    return field.body.findChild(ListItem)


def test_lists_of_tables_grow_move_and_shrink(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(())
    codes = form_of(window, ()).nested("operator_codes")
    assert isinstance(codes, TablesField)
    model = window.document.model
    before = [code.version for code in model.operator_codes]
    used = [operator.opcode_index for operator in model.subgraphs[0].operators]
    codes.set_open(True)
    press(codes, "add.operator_codes", qtbot)
    assert len(model.operator_codes) == len(before) + 1
    item = first_item(codes)
    item.choose("Move down")
    assert [operator.opcode_index for operator in model.subgraphs[0].operators] == [
        {0: 1, 1: 0}.get(index, index) for index in used
    ]
    item = first_item(codes)
    item.choose("Remove")
    assert "still used" in window.notice.label.text()
    item.set_open(True)
    form = form_of(window, ("operator_codes", 0))
    type_into(form.editor("version"), 9, qtbot)
    assert model.operator_codes[0].version == 9
    window.document.go_to(0)
    assert [code.version for code in model.operator_codes] == before


def test_sparsity_is_made_by_hand(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(TENSOR)
    window.inspector.findChild(QWidget, "fold.Tensor.more").set_open(True)
    form = next(f for f in window.inspector.findChildren(FieldForm) if "sparsity" in f._nested)
    form.nested("sparsity").set_open(True)
    press(window.inspector, "add.sparsity", qtbot)
    # What says something is a main field now.
    place: Address = (*TENSOR, "sparsity")
    form_of(window, place).nested("dim_metadata").set_open(True)
    press(window.inspector, "add.dim_metadata", qtbot)
    dimensions = form_of(window, place).nested("dim_metadata")
    dimensions.findChild(ListItem).set_open(True)
    inner = form_of(window, (*place, "dim_metadata", 0))
    union = inner.nested("array_segments")
    assert isinstance(union, UnionField)
    union.kind.setCurrentText("Uint8Vector")
    union.kind.activated.emit(union.kind.currentIndex())
    union.set_open(True)
    vector = form_of(window, (*place, "dim_metadata", 0, "array_segments"))
    vector.enter("values", bytes([1, 2, 255]))
    segments = resolve(window.document.model, (*place, "dim_metadata", 0, "array_segments"))
    assert list(segments.values) == [1, 2, 255]
    window.document.go_to(0)
    assert window.document.model.subgraphs[0].tensors[0].sparsity is None


# ------------------------------------------------------------------ windows of their own


def test_lists_are_edited_as_a_table(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    window.session.selection.select(TENSOR)
    window.session.do(ts.edits.Set((*TENSOR, "shape"), [1, 2, 3]))

    def edit(dialog: NumberDialog) -> int:
        view, table = dialog.view, dialog.table
        assert [table.index(row, 0).data() for row in range(3)] == ["1", "2", "3"]
        QApplication.clipboard().setText("7\n8\n9\n10\n")
        view.setCurrentIndex(table.index(1, 0))
        qtbot.keyClick(view, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        assert table.rowCount() == 5
        view.selectAll()
        view.copy()
        assert QApplication.clipboard().text() == "1\n7\n8\n9\n10"
        assert not table.setData(table.index(0, 0), "x")
        assert "not a whole number" in dialog.note.text()
        view.clearSelection()
        view.selectRow(0)
        for button in dialog.findChildren(QPushButton):
            if button.text() == "&Remove rows":
                button.click()
        return 1

    monkeypatch.setattr(NumberDialog, "exec", edit)
    form_of(window, TENSOR).menu("shape").choose("Edit as a table…")
    assert window.document.model.subgraphs[0].tensors[0].shape == [7, 8, 9, 10]


def test_scales_are_edited_per_channel(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    place: Address = (*TENSOR, "quantization")
    start = QuantizationParameters(scale=[0.5, 0.25, 0.125], zero_point=[0, 1, 2])
    window.session.do(ts.edits.Set(place, start))
    window.session.selection.select(TENSOR)

    def edit(dialog: NumberDialog) -> int:
        QApplication.clipboard().setText("0.75\t5\n0.5\t6")
        dialog.view.setCurrentIndex(dialog.table.index(1, 0))
        dialog.view.paste()
        return 1

    monkeypatch.setattr(NumberDialog, "exec", edit)
    form_of(window, TENSOR).menu("quantization").choose("Edit per channel…")
    quantization = window.document.model.subgraphs[0].tensors[0].quantization
    assert (quantization.scale, quantization.zero_point) == ([0.5, 0.75, 0.5], [0, 5, 6])
    assert (quantization.min, quantization.max) == (None, None)
    assert window.document.history.steps[-1].label.startswith("tensor ")
    window.document.undo()
    assert window.document.model.subgraphs[0].tensors[0].quantization.zero_point == [0, 1, 2]


def test_bytes_are_edited(window: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    model = window.document.model
    window.session.do(ts.edits.Set((*OPERATOR, "custom_options"), b"old"))
    window.session.selection.select(OPERATOR)

    def edit(dialog: BytesDialog) -> int:
        dialog.hex.setPlainText("0x01, 0x02 ff zz")
        assert "'zz' (word 4)" in dialog.note.text()
        assert not dialog._ok.isEnabled()
        dialog.hex.setPlainText("0x01, 0x02 ff41")
        assert dialog.note.text() == "4 bytes"
        assert dialog.characters.toPlainText() == "...A"
        return 1

    monkeypatch.setattr(BytesDialog, "exec", edit)
    editor = form_of(window, OPERATOR).editor("custom_options")
    assert isinstance(editor, NoteEditor)
    editor.button.click()
    assert bytes(model.subgraphs[0].operators[0].custom_options) == b"\x01\x02\xffA"
    assert read_hex(hex_text(bytes(range(256)))) == bytes(range(256))


# ------------------------------------------------------------------ inputs and outputs


def test_optional_inputs_are_named_and_left_out(window: MainWindow, qtbot: QtBot) -> None:
    window.session.selection.select(OPERATOR)
    operator = window.document.model.subgraphs[0].operators[0]
    before = list(operator.inputs)
    assert len(before) == 3

    def enter(position: int, text: str) -> None:
        edit = window.inspector.findChild(QLineEdit, f"inputs.{position}")
        edit.setFocus()
        edit.selectAll()
        edit.insert(text)
        qtbot.keyClick(edit, Qt.Key.Key_Return)

    enter(2, "")
    assert operator.inputs == before[:2]
    enter(2, "")
    assert operator.inputs == before[:2]
    enter(2, str(before[2]))
    assert operator.inputs == before
    enter(1, "9999")
    assert "no tensor 9999" in window.notice.label.text()
    assert operator.inputs == before
    enter(1, "")
    assert operator.inputs == [before[0], -1, before[2]]


def test_forms_look_again_only_where_something_shows(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking costs as much as there are steps: a thousand edits must not look each time."""
    window.session.selection.select(("buffers", 1))
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    looked: list[Address] = []

    def look(_: Model, __: object, address: Address) -> FileState:
        looked.append(address)
        return FileState()

    monkeypatch.setattr(field_form, "file_state", look)
    window.document.do(ts.edits.Set((*OPERATOR, "builtin_options", "stride_w"), 5))
    assert looked == []
    window.document.do(ts.edits.Set("description", "other"))
    assert looked == [()]
