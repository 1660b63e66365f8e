# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from tflm_studio.editing import signatures
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.chosen_rows import ask_in
from tflm_studio.ui.views.signature_dialog import SignatureDialog
from tflm_studio.ui.views.text_dialog import TextDialog

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

MESSAGE_MS = 6000


class SignatureCommands(QObject):
    """Carries out what the menu and the table of signatures ask for."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        return {"has_signature": self._selected() is not None}

    @property
    def _model(self) -> Model:
        return self._window.document.model

    def _selected(self) -> int | None:
        match self._window.session.selection.address:
            case ("signature_defs", int(index), *_):
                return index if index < len(self._model.signature_defs or []) else None
        return None

    def add(self) -> None:
        """Asks for a key and a subgraph."""
        window = self._window
        index = window.session.subgraph_index
        if ask_in(window, lambda: SignatureDialog(self._model, index, window)):
            last = len(self._model.signature_defs or []) - 1
            window.session.selection.select(("signature_defs", last))

    def rename(self) -> None:
        """Asks for another key."""
        index = self._selected()
        if index is not None:
            ask_in(self._window, lambda: self._key_dialog(index))

    def _key_dialog(self, index: int) -> TextDialog:
        key = (self._model.signature_defs or [])[index].signature_key or ""
        return TextDialog(
            "Rename the signature",
            "&Key",
            key,
            lambda text: signatures.rename(self._model, index, text),
            self._window,
        )

    def rebuild(self) -> None:
        """Lets the signature name what its subgraph gets and gives now."""
        index = self._selected()
        if index is None:
            return
        before = self._window.document.history.position
        self._window.session.propose(lambda: signatures.rebuild(self._model, index))
        if self._window.document.history.position == before:
            self._window.statusBar().showMessage("It is in step already.", MESSAGE_MS)

    def delete(self) -> None:
        """Deletes the signature."""
        index = self._selected()
        if index is not None:
            self._window.session.propose(lambda: signatures.delete(self._model, index))
