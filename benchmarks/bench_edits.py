# SPDX-License-Identifier: Apache-2.0
"""Edits in a window of 20,000 operators, from the call to the repainted table."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtWidgets import QApplication

from benchmarks.interleaved import Comparison, Limit, Task
from tflm_studio.editing import operators
from tflm_studio.editing.document import Document
from tflm_studio.editing.edits import Edit, Insert, Move, Set
from tflm_studio.editing.proposal import Proposal
from tflm_studio.schema import tables as t
from tflm_studio.ui.app.main_window import MainWindow

OPERATORS = "subgraphs[0].operators"
A_FRAME = Limit(seconds=0.05)
SURGERY = Limit(seconds=0.1)
MANY = 1000


def edits(path: Path) -> Iterator[Comparison]:
    """What is measured in one window on one file."""
    application = QApplication.instance() or QApplication([])
    window = MainWindow(Document.open(path))
    window.resize(1440, 900)
    window.show()
    application.processEvents()
    document, turn = window.document, count()

    def doing(make: Callable[[], Edit | Proposal]) -> Task:
        def do() -> None:
            document.do(make())
            application.processEvents()

        return do

    def undo() -> None:
        document.undo()
        application.processEvents()
        document.redo()
        application.processEvents()

    flag = f"{OPERATORS}[3].builtin_options.keep_num_dims"
    one = doing(lambda: Set(flag, next(turn) % 2 == 0))
    yield Comparison("one option, repainted", one, limit=A_FRAME)
    yield Comparison("undo and redo, repainted", undo, limit=Limit(seconds=0.1))
    rewire = doing(lambda: Set(f"{OPERATORS}[3].inputs", [9, 10, 11 + next(turn) % 5]))
    yield Comparison("rewire an operator, repainted", rewire, limit=A_FRAME)
    insert = doing(lambda: Insert(OPERATORS, 5, t.Operator(0, [9], [10])))
    yield Comparison("insert an operator, repainted", insert, limit=A_FRAME)
    move = doing(lambda: Move(OPERATORS, 5, 9))
    yield Comparison("move an operator, repainted", move, limit=A_FRAME)

    model, middle = document.model, len(window.session.subgraph.operators or []) // 2
    add = doing(lambda: operators.add(model, 0, middle, "Add", inputs=[9, 9], outputs=[10]))
    yield Comparison("add in the middle, repainted", add, limit=SURGERY)
    drop = doing(lambda: operators.delete(model, 0, [middle]))
    yield Comparison("delete in the middle, repainted", drop, limit=SURGERY)
    shift = doing(lambda: operators.move(model, 0, [middle], middle + 2, force=True))
    yield Comparison("move in the middle, repainted", shift, limit=SURGERY)

    def many() -> None:
        for _ in range(MANY):
            document.do(Set(flag, next(turn) % 2 == 0))
        application.processEvents()

    yield Comparison("1,000 edits", many, limit=Limit(seconds=3))
    document.history.mark_clean()
    window.close()
