# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for the subgraph that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from tflm_studio.editing import subgraphs
from tflm_studio.editing.fresh_names import fresh_name
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.chosen_rows import ask_in
from tflm_studio.ui.views.text_dialog import TextDialog

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow


class SubgraphCommands(QObject):
    """Carries out what the menu and the outline ask for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        count = self._count()
        return {
            "can_move_subgraph_up": count > 1 and self._shown > 0,
            "can_move_subgraph_down": self._shown < count - 1,
            "has_several_subgraphs": count > 1,
        }

    @property
    def _model(self) -> Model:
        return self._window.document.model

    @property
    def _shown(self) -> int:
        return self._window.session.subgraph_index

    def _count(self) -> int:
        return len(self._model.subgraphs or [])

    def add(self) -> None:
        """Asks for a name and adds an empty subgraph."""
        names = {subgraph.name for subgraph in self._model.subgraphs or []}
        if ask_in(
            self._window,
            lambda: TextDialog(
                "Add a subgraph",
                "&Name",
                fresh_name("subgraph", names),
                lambda name: subgraphs.add(self._model, name),
                self._window,
            ),
        ):
            self._select(self._count() - 1)

    def duplicate(self) -> None:
        """Copies the subgraph."""
        if self._window.session.propose(lambda: subgraphs.duplicate(self._model, self._shown)):
            self._select(self._count() - 1)

    def rename(self) -> None:
        """Asks for another name."""
        ask_in(
            self._window,
            lambda: TextDialog(
                f"Rename subgraph {self._shown}",
                "&Name",
                self._window.session.subgraph.name or "",
                lambda name: subgraphs.rename(self._model, self._shown, name),
                self._window,
            ),
        )

    def move_up(self) -> None:
        """Gives the subgraph the place before."""
        self._move(self._shown - 1)

    def move_down(self) -> None:
        """Gives the subgraph the place behind."""
        self._move(self._shown + 1)

    def _move(self, target: int) -> None:
        if self._window.session.propose(
            lambda: subgraphs.move(self._model, self._shown, target)
        ):
            self._select(target)

    def delete(self) -> None:
        """Deletes the subgraph; one that operators run stays, and they are named."""
        self._window.session.propose(lambda: subgraphs.delete(self._model, self._shown))

    def _select(self, index: int) -> None:
        self._window.session.selection.select(("subgraphs", index))
        self._window.session.show_subgraph(index)
