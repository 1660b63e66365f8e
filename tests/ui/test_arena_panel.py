# SPDX-License-Identifier: Apache-2.0
"""The arena panel: it follows edits, names what it shows, moves bars of an offline plan."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from threading import Event

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt, QThreadPool
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

import tflm_studio as ts
from tests.analysis.test_memory_plan import chain
from tflm_studio.analysis.arena_size import ArenaEstimate
from tflm_studio.editing.document import Document
from tflm_studio.editing.offline_offsets import find_plan
from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.runtime.arena_measurement import MeasureError, Measurement
from tflm_studio.ui.app.main_window import MainWindow
from tflm_studio.ui.app.theme import apply_theme
from tflm_studio.ui.models import arena_watch
from tflm_studio.ui.models.arena_watch import ArenaWatch
from tflm_studio.ui.models.session import Session
from tflm_studio.ui.views.arena_axis import scope_labels
from tflm_studio.ui.views.arena_geometry import ArenaGeometry
from tflm_studio.ui.views.arena_panel import ArenaPanel

LEFT = Qt.MouseButton.LeftButton
Key, Modifier = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def panel(qtbot: QtBot) -> Iterator[ArenaPanel]:
    session = Session(Document(chain(1000, 400, 2000, 80)))
    watch = ArenaWatch(session)
    panel = ArenaPanel(session, watch)
    panel.session, panel.watch = session, watch  # type: ignore[attr-defined]
    panel.resize(700, 320)
    qtbot.addWidget(panel)
    panel.show()
    panel.set_shown(True)
    watch.refresh()
    yield panel
    QThreadPool.globalInstance().waitForDone(5000)
    QApplication.processEvents()
    session.close()


def session_of(panel: ArenaPanel) -> Session:
    found: Session = panel.session  # type: ignore[attr-defined]
    return found


def watch_of(panel: ArenaPanel) -> ArenaWatch:
    found: ArenaWatch = panel.watch  # type: ignore[attr-defined]
    return found


def offsets(panel: ArenaPanel) -> tuple[int, ...]:
    plan = find_plan(session_of(panel).document.model)
    assert plan is not None
    return plan.offsets


def center(panel: ArenaPanel, row: int) -> QPoint:
    place: QPoint = panel.chart.rect_of(row).center().toPoint()
    return place


def test_figures_follow_an_edit(panel: ArenaPanel, qtbot: QtBot) -> None:
    before = panel.figures.text()
    assert "head 2,400" in before
    assert before.count("(estimate") == 2
    edit = ts.edits.Set("subgraphs[0].tensors[2].shape", [4000])
    with qtbot.waitSignal(watch_of(panel).changed):
        session_of(panel).do(edit)
    assert "head 4,400" in panel.figures.text()


def test_a_click_selects_everywhere_and_a_selection_is_marked(
    panel: ArenaPanel, qtbot: QtBot
) -> None:
    qtbot.mouseClick(panel.chart.viewport(), LEFT, pos=center(panel, 2))
    assert session_of(panel).selection.address == ("subgraphs", 0, "tensors", 2)
    assert panel.chart.selected_row == 2
    session_of(panel).selection.select(("subgraphs", 0, "operators", 1))
    assert panel.chart.selected_row == -1
    qtbot.keyClick(panel.chart, Key.Key_Right)
    assert session_of(panel).selection.address == ("subgraphs", 0, "tensors", 0)
    qtbot.keyClick(panel.chart, Key.Key_Right)
    assert session_of(panel).selection.address == ("subgraphs", 0, "tensors", 1)


def test_a_bar_says_what_it_is(panel: ArenaPanel) -> None:
    place = QPointF(center(panel, 1))
    assert panel.chart.row_at(place) == 1
    assert panel.chart.describe(1).splitlines() == [
        "tensor 1",
        "400 bytes at 2,000, up to 2,400",
        "in use Relu 0 to Relu 1",
        "planned by the interpreter",
    ]
    assert panel.chart.row_at(QPointF(1, 1)) == -1


def test_a_bar_of_an_offline_plan_is_dragged_in_one_step(
    panel: ArenaPanel, qtbot: QtBot
) -> None:
    session, port = session_of(panel), panel.chart.viewport()
    qtbot.mouseClick(panel.make_plan, LEFT)
    watch_of(panel).refresh()
    assert offsets(panel) == (0, 2000, 0, 2000)
    assert panel.remove_plan.isEnabled()
    start = center(panel, 3)
    qtbot.mousePress(port, LEFT, pos=start)
    for height in (6, 12, 18):
        qtbot.mouseMove(port, start - QPoint(0, height))
    qtbot.mouseRelease(port, LEFT, pos=start - QPoint(0, 18))
    steps = session.document.history.steps
    assert len(steps) == 2
    moved = offsets(panel)[3]
    assert moved > 2000
    assert moved % 16 == 0
    assert steps[-1].label == f"Move tensor 3 to {moved:,} in the arena"
    watch_of(panel).refresh()
    session.selection.select(("subgraphs", 0, "tensors", 3))
    qtbot.keyClick(panel.chart, Key.Key_Down, Modifier.AltModifier)
    assert offsets(panel)[3] == moved - 16
    session.document.undo()
    session.document.undo()
    assert offsets(panel)[3] == 2000


def test_a_place_that_is_taken_is_refused_with_the_reason(
    panel: ArenaPanel, qtbot: QtBot
) -> None:
    qtbot.mouseClick(panel.make_plan, LEFT)
    watch_of(panel).refresh()
    with qtbot.waitSignal(session_of(panel).refused) as refused:
        panel.chart.moved.emit(1, 0)
    assert "would lie over tensor" in refused.args[0]
    assert offsets(panel) == (0, 2000, 0, 2000)


def test_measured_figures_stand_beside_until_the_next_edit(
    panel: ArenaPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Measurement(3000, 2416, 584, (), 2**20)
    monkeypatch.setattr(arena_watch, "measure_arena", lambda *_: found)
    qtbot.mouseClick(panel.measure, LEFT)
    qtbot.waitUntil(lambda: not watch_of(panel).is_measuring)
    assert "Measured: head 2,416" in panel.note.text()
    session_of(panel).do(ts.edits.Set("subgraphs[0].tensors[2].shape", [4000]))
    watch_of(panel).refresh()
    assert panel.note.text() == ""

    def refuse(*_: object) -> Measurement:
        raise MeasureError("TFLM's interpreter crashed (signal 11).")

    monkeypatch.setattr(arena_watch, "measure_arena", refuse)
    qtbot.mouseClick(panel.measure, LEFT)
    qtbot.waitUntil(lambda: not watch_of(panel).is_measuring)
    assert panel.note.text() == "TFLM's interpreter crashed (signal 11)."


@pytest.mark.parametrize("room", [300, 60, 40])
def test_operators_are_numbered_below_as_far_as_there_is_room(
    panel: ArenaPanel, room: int
) -> None:
    plan = panel.chart._plan
    assert plan is not None
    geometry = ArenaGeometry(plan, 50, 60 + room, 200)
    labels = list(scope_labels(geometry, lambda text: 7 * len(text)))
    texts = [text for _, text in labels]
    assert texts[0] == "start"
    assert texts == sorted(texts, key=lambda text: int(text) if text.isdigit() else -1)
    boxes = [box for box, _ in labels]
    assert all(a.right() < b.left() for a, b in pairwise(boxes))
    if room == 300:
        assert texts[1:] == [str(k) for k in range(geometry.scope_count - 1)]
        places = [geometry.scope_at(box.center().x()) for box in boxes]
        assert [int(place) for place in places] == list(range(geometry.scope_count))


def test_measuring_can_be_ended(
    panel: ArenaPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(*_: object) -> Measurement:
        while True:
            check_cancelled()

    monkeypatch.setattr(arena_watch, "measure_arena", wait)
    qtbot.mouseClick(panel.measure, LEFT)
    assert panel.measure.text() == "&Cancel"
    qtbot.mouseClick(panel.measure, LEFT)
    assert panel.measure.text() == "Meas&ure"
    assert QThreadPool.globalInstance().waitForDone(5000)
    assert panel.note.text() == ""


def test_a_large_model_is_planned_in_a_thread(
    panel: ArenaPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arena_watch, "LARGE_OPERATORS", 1)
    watch = watch_of(panel)
    with qtbot.waitSignal(watch.changed):
        session_of(panel).do(ts.edits.Set("subgraphs[0].tensors[2].shape", [4000]))
    assert "head 4,400" in panel.figures.text()


def test_a_large_model_waits_until_someone_looks(
    panel: ArenaPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = watch_of(panel)
    monkeypatch.setattr(arena_watch, "LARGE_OPERATORS", 1)
    panel.set_shown(False)
    watch.refresh()
    assert watch.estimate is None
    session_of(panel).do(ts.edits.Set("subgraphs[0].tensors[2].shape", [4000]))
    qtbot.waitSignal(watch.changed).wait()
    assert watch.estimate is None
    with qtbot.waitSignal(watch.changed):
        panel.set_shown(True)
    assert "head 4,400" in panel.figures.text()


def test_a_thread_never_shows_what_is_only_tried_out(
    panel: ArenaPanel, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, begun, go_on = watch_of(panel), Event(), Event()
    make, heads = arena_watch.estimate_arena, []

    def slow(model: ts.Model) -> ArenaEstimate:
        begun.set()
        go_on.wait(5)
        found = make(model)
        heads.append(found.head)
        return found

    monkeypatch.setattr(arena_watch, "LARGE_OPERATORS", 1)
    monkeypatch.setattr(arena_watch, "estimate_arena", slow)
    shown = []
    watch.changed.connect(lambda: shown.append(watch.estimate and watch.estimate.head))
    watch.refresh()
    assert begun.wait(5)
    with ts.Draft(session_of(panel).document.model) as draft:
        draft.do([ts.edits.Set("subgraphs[0].tensors[2].shape", [9000])])
        go_on.set()
        QThreadPool.globalInstance().waitForDone(5000)
    qtbot.waitUntil(lambda: len(shown) > 0)
    assert heads == [9408, 2400]
    assert shown == [2400]


def test_a_model_without_a_plan_says_why(panel: ArenaPanel) -> None:
    model = session_of(panel).document.model
    model.subgraphs[0].operators[0].inputs = [0]
    model.operator_codes[0].builtin_code = 118  # IF, whose options name subgraph 0
    model.subgraphs[0].operators[0].builtin_options = ts.schema.tables.IfOptions()
    watch_of(panel).refresh()
    assert "Subgraph 0 runs itself" in panel.note.text()
    assert panel.chart.plan is None
    assert not panel.make_plan.isEnabled()


def test_zoom_and_both_themes(panel: ArenaPanel, qtbot: QtBot, qapp: QApplication) -> None:
    chart = panel.chart
    width = chart.rect_of(2).width()
    qtbot.keyClick(chart, Key.Key_Plus)
    assert chart.rect_of(2).width() > width
    qtbot.keyClick(chart, Key.Key_0)
    assert chart.rect_of(2).width() == width
    colours = []
    for theme in ("light", "dark"):
        apply_theme(qapp, theme)
        qapp.processEvents()
        image = panel.grab().toImage()
        colours.append(
            QColor(image.pixel(image.width() // 2, image.height() - 30)).lightness()
        )
    apply_theme(qapp, "light")
    assert colours[0] > 150 > colours[1]


def test_the_window_shows_the_estimate(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.arena_watch.estimate is not None)
    estimate = window.arena_watch.estimate
    assert estimate is not None
    said = window.status_line.arena_label.text()
    assert said == f"arena ≈ {estimate.recommended / 1024:,.1f} KiB"
    dock = next(dock for dock in window.docks if dock.windowTitle() == "Arena")
    assert not window.arena_watch.is_wanted, "another panel stands before it"
    dock.raise_()
    qtbot.waitUntil(lambda: window.arena_watch.is_wanted)
    qtbot.mouseClick(
        window.arena_panel.chart.viewport(), LEFT, pos=center(window.arena_panel, 0)
    )
    row = int(estimate.plan.buffers.tensor[0])
    assert window.session.selection.address == ("subgraphs", 0, "tensors", row)
    assert window.tabs.currentWidget() is window.tensor_view


def test_a_plan_older_than_the_model_harms_nothing(panel: ArenaPanel, qtbot: QtBot) -> None:
    session, place = session_of(panel), center(panel, 2)
    model = session.document.model
    session.do([ts.edits.Set("subgraphs[0].operators", []), *_without_tensors(model)])
    panel.chart.viewport().repaint()
    assert panel.chart.describe(2).startswith("tensor 2\n")
    qtbot.mouseClick(panel.chart.viewport(), LEFT, pos=place)
    assert session.selection.address == ()
    panel.chart.moved.emit(2, 16)
    assert len(session.document.history.steps) == 1


def _without_tensors(model: ts.Model) -> list[ts.edits.Edit]:
    ends = [ts.edits.Set(f"subgraphs[0].{end}", []) for end in ("inputs", "outputs")]
    return [*ends, ts.edits.Set("subgraphs[0].tensors", [])]


def test_a_panel_behind_another_answers_no_keys(panel: ArenaPanel) -> None:
    buttons = (panel.measure, panel.make_plan, panel.remove_plan)
    assert [each.shortcut().toString() for each in buttons] == ["Alt+U", "Alt+P", "Alt+N"]
    panel.set_shown(False)
    panel._refresh()
    assert [each.shortcut().toString() for each in buttons] == [""] * 3
    panel.set_shown(True)
    assert panel.make_plan.shortcut().toString() == "Alt+P"
