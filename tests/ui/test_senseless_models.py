# SPDX-License-Identifier: Apache-2.0
"""Every file that the reader accepts can be shown, edited and saved, however senseless it is.

`python -m tests.ui.walk` walks over all models; here are some of each kind.
"""

from itertools import islice
from pathlib import Path
from random import Random

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from tests.conftest import IS_THOROUGH, readable_models
from tests.formats.mutants import one_convolution
from tests.formats.senseless import CRAFTED, convolution_with, tensors_of
from tests.ui.visits import Visits
from tests.ui.walk import Named, Walker, accepted_mutants, crafted, random_ones
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Set
from tflm_studio.schema import tables as t
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.windows import Windows
from tflm_studio.ui.models.tool_tips import tool_tip
from tflm_studio.ui.views.field_editors import TextEditor
from tflm_studio.ui.views.links import LinkLabel
from tflm_studio.ui.views.operator_page import OperatorPage
from tflm_studio.ui.views.operator_tensors import MOST_LINES
from tflm_studio.ui.views.tensor_page import TensorPage

LONG = "x" * 1_000_000
LARGEST = 100_000  # bytes of a real model


def check_walk(named: list[Named], folder: Path, edits: int = 2 if IS_THOROUGH else 1) -> None:
    walker = Walker(folder, thoroughness=1)
    for name, data in named:
        walker.walk(name, data, edits=edits)
    assert walker.findings.faults == []
    assert walker.findings.walked == len(named)


# Those that are most unlike each other; the command walks over the others too.
TOLD_APART = (
    *("calling_itself", "wired_in_a_circle", "indices_out_of_range"),
    *("hostile_floats", "sentinel_with_data", "scale 1 0"),
)


@pytest.mark.parametrize("part", range(2))
def test_crafted_models(part: int, tmp_path: Path, qtbot: QtBot) -> None:
    assert set(TOLD_APART) <= set(CRAFTED)
    names = TOLD_APART[part :: 2 if IS_THOROUGH else 6]
    check_walk([each for each in crafted() if each[0] in names], tmp_path)


@pytest.mark.parametrize("seed", range(2 if IS_THOROUGH else 1))
def test_random_models(seed: int, tmp_path: Path, qtbot: QtBot) -> None:
    check_walk(list(random_ones(1, seed)), tmp_path)


def test_accepted_mutants(tmp_path: Path, qtbot: QtBot) -> None:
    check_walk(
        list(islice(accepted_mutants(1_000, 3), 0, 90, 30 if IS_THOROUGH else 90)), tmp_path
    )


@pytest.mark.parametrize("part", range(2 if IS_THOROUGH else 1))
def test_real_models(part: int, models_folder: Path, tmp_path: Path, qtbot: QtBot) -> None:
    paths = [p for p in readable_models(models_folder) if p.stat().st_size < LARGEST]
    chosen = Random(part).sample(paths, min(1, len(paths)))
    check_walk([(path.name, path.read_bytes()) for path in chosen], tmp_path, edits=1)


# ------------------------------------------------------------------ what the walks found


def shown(windows: Windows, qtbot: QtBot, model: t.Model) -> MainWindow:
    window = windows.show_document(Document(model))
    qtbot.waitExposed(window)
    return window


def test_a_link_to_a_buffer_that_is_not_there(windows: Windows, qtbot: QtBot) -> None:
    model = one_convolution()
    model.metadata = [t.Metadata("lost", 2**32 - 1)]
    window = shown(windows, qtbot, model)
    window.session.selection.select(("metadata", 0))
    label = next(
        each for each in window.inspector.findChildren(LinkLabel) if "href" in each.text()
    )
    label.linkActivated.emit("buffers[4294967295]")
    assert window.session.selection.address == ("buffers", 2**32 - 1)
    assert not window.buffer_table_view.selectionModel().selectedRows()


def test_a_megabyte_of_text_takes_little_time(windows: Windows, qtbot: QtBot) -> None:
    model = CRAFTED["long_texts"]()
    window = shown(windows, qtbot, model)
    visits = Visits(window, Random(1), 1)
    visits.panels()
    assert max(visits.times)[0] < 1.0, max(visits.times)


def test_a_long_text_is_cut_in_its_cell_and_copied_whole(
    windows: Windows, qtbot: QtBot
) -> None:
    model = one_convolution()
    tensors_of(model)[0].name = f"start{LONG}end"
    window = shown(windows, qtbot, model)
    cell = window.tensor_view.model().index(0, 1)
    text = cell.data()
    assert text.startswith("startx")
    assert text.endswith("xend")
    assert "…" in text
    assert len(text) == 1_000
    assert len(cell.data(Qt.ItemDataRole.ToolTipRole)) == 2_000
    window.tabs.setCurrentIndex(1)
    window.tensor_view.selectRow(0)
    window.commands.edit_copy()
    assert f"start{LONG}end" in QGuiApplication.clipboard().text()


def test_a_text_too_long_for_a_line_is_not_edited_in_one(
    windows: Windows, qtbot: QtBot
) -> None:
    window = shown(windows, qtbot, one_convolution())
    window.session.selection.select(("subgraphs", 0, "tensors", 0))
    page = window.inspector.page
    assert isinstance(page, TensorPage)
    editor = page.form.editor("name")
    assert isinstance(editor, TextEditor)
    window.document.do(Set("subgraphs[0].tensors[0].name", LONG))
    assert editor.line.isReadOnly()
    editor.line.editingFinished.emit()
    assert tensors_of(window.document.model)[0].name == LONG
    window.document.undo()
    assert not editor.line.isReadOnly()
    assert editor.line.text() == "in"


def test_names_are_no_markup(windows: Windows, qtbot: QtBot) -> None:
    assert tool_tip("<b>") == '<p style="white-space:pre-wrap">&lt;b&gt;</p>'
    assert tool_tip("a & b") == "a & b"
    assert tool_tip("line\n" * 100).count("\n") == 40
    model = one_convolution()
    model.buffers = [*(model.buffers or []), t.Buffer(data=b"<b>1.0</b>")]
    model.metadata = [t.Metadata("min_runtime_version", len(model.buffers) - 1)]
    tensors_of(model)[1].name = "<i>weights</i>"
    window = shown(windows, qtbot, model)
    labels = [label.text() for label in window.metadata_panel.findChildren(QLabel)]
    assert "&lt;b&gt;1.0&lt;/b&gt;" in labels
    name = window.buffer_view.findChild(QLabel, "name")
    assert isinstance(name, QLabel)
    assert name.textFormat() is Qt.TextFormat.PlainText


def test_an_operator_with_a_thousand_inputs(windows: Windows, qtbot: QtBot) -> None:
    window = shown(windows, qtbot, CRAFTED["long_lists"]())
    visits = Visits(window, Random(1), 2)
    with visits.step("select"):
        window.session.selection.select(("subgraphs", 0, "operators", 0))
    page = window.inspector.page
    assert isinstance(page, OperatorPage)
    assert len(page.tensors[0].edits) == MOST_LINES
    texts = [label.text() for label in page.findChildren(QLabel)]
    assert "and 1,336 more: the table of operators has them all" in texts
    tip = window.operator_view.table.index(0, 3).data(Qt.ItemDataRole.ToolTipRole)
    assert tip.count("\n") == 24


@pytest.mark.parametrize("shape", [[3] * 10_000, [2**31 - 1] * 3_000, [1] * 3_000 + [18]])
def test_a_shape_beyond_all_counting(shape: list[int], windows: Windows, qtbot: QtBot) -> None:
    window = shown(windows, qtbot, convolution_with(shape=shape))
    visits = Visits(window, Random(1), 1)
    for address in (("subgraphs", 0, "tensors", 1), ("buffers", 1)):
        visits._visit(address)
    assert max(visits.times)[0] < 1.0, max(visits.times)
    texts = [label.text() for label in window.buffer_view.findChildren(QLabel)]
    assert any("dimensions: shown without the shape" in text for text in texts)


def test_walks_hear_of_what_goes_wrong(
    tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A walk that hears nothing of exceptions in slots would find nothing."""
    walker = Walker(tmp_path, thoroughness=1)

    def fail(window: MainWindow, address: object) -> None:
        raise KeyError("in a slot")

    monkeypatch.setattr(MainWindow, "_on_selection_changed", fail)
    walker.walk(*next(random_ones(1, 1)), edits=0)
    assert any("in a slot" in fault for fault in walker.findings.faults)
