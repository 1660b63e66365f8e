# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for changes to the whole graph."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from tflm_studio.editing import buffers, operator_codes, operators, surgeries
from tflm_studio.editing.document import Document
from tflm_studio.editing.extraction import Extraction
from tflm_studio.formats.model_file import encode, read_model
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.errors import ReadError, StudioError
from tflm_studio.model.place_names import name_thing, plural, thing_at
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.file_commands import OPEN_FILTER, FileCommands
from tflm_studio.ui.views.surgery_dialog import Outcome, Surgery, SurgeryDialog, Tick

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow


class SurgeryCommands(QObject):
    """Carries out what the menu asks for; each surgery is shown before it is done."""

    def __init__(self, window: MainWindow, files: FileCommands) -> None:
        super().__init__(window)
        self._window = window
        self._files = files

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        return {
            "can_cut": self._operator() is not None,
            "has_subgraph": bool(self._model.subgraphs),
        }

    @property
    def _model(self) -> Model:
        return self._window.document.model

    def _operator(self) -> tuple[int, int] | None:
        """The subgraph and the index of the selected operator, None if none is selected."""
        match self._window.session.selection.address:
            case ("subgraphs", int(s), "operators", int(k), *_) as address:
                return (s, k) if find_address(self._model, address[:4]) is not None else None
        return None

    def _operators(self) -> tuple[int, list[int]] | None:
        """The subgraph and the indices of all selected operators."""
        chosen, session = self._operator(), self._window.session
        if chosen is None:
            return None
        subgraph_index, index = chosen
        rows = self._window.operator_view.selected_rows()
        is_shown = subgraph_index == session.subgraph_index and index in rows
        return subgraph_index, sorted(rows) if is_shown else [index]

    # ------------------------------------------------------------------ cutting

    def truncate_after(self) -> None:
        """Makes an operator the last one."""
        chosen = self._operator()
        if chosen is None:
            return
        name = name_thing(self._model, ("subgraphs", chosen[0], "operators", chosen[1]))
        self._perform(
            Surgery(
                "Truncate after the operator",
                f"What {name} makes becomes the outputs of its subgraph. What is not needed "
                "to compute it is removed.",
                lambda _: surgeries.truncate_after(self._model, *chosen),
                ok="Truncate",
            )
        )

    def truncate_before(self) -> None:
        """Makes an operator the first one."""
        chosen = self._operator()
        if chosen is None:
            return
        name = name_thing(self._model, ("subgraphs", chosen[0], "operators", chosen[1]))
        self._perform(
            Surgery(
                "Truncate before the operator",
                f"What {name} is given at run time becomes the inputs of its subgraph. What "
                "is not needed from there on is removed.",
                lambda ticks: surgeries.truncate_before(self._model, *chosen, **ticks),
                (Tick("more_inputs", "What later operators need as well becomes inputs too"),),
                ok="Truncate",
            )
        )

    def extract(self) -> None:
        """Opens the selected operators as a model of their own."""
        chosen = self._operators()
        if chosen is None:
            return
        outcome = self._look(
            Surgery(
                "Extract the selection as a new model",
                f"Makes a model of {plural(len(chosen[1]), 'selected operator')}, with "
                "weights, quantisation and names, and opens it in another window. This model "
                "stays as it is.",
                lambda _: surgeries.extract(self._model, *chosen),
                ok="Extract",
            )
        )
        if isinstance(outcome, Extraction):
            self._show_part(outcome)

    def _show_part(self, part: Extraction) -> None:
        """Opens a part of the model, as if it had been read, in a window; it has no file."""
        stem = Path(self._window.document.name).stem
        try:
            made = read_model(encode(part.model).tobytes(), f"part_of_{stem}.tflite")
        except StudioError as error:
            self._files.report("The model was not extracted", error)
            return
        document = Document(made)
        document.history.mark_unsaved()
        window = self._files.windows.show_document(document)
        if part.notes:
            window.notice.say(" ".join(part.notes))

    def append(self) -> None:
        """Asks for a second model and puts it behind this one."""
        settings = self._window.settings
        chosen, _ = QFileDialog.getOpenFileName(
            self._window, "Append a second model", settings.folder, OPEN_FILTER
        )
        if not chosen:
            return
        path = Path(chosen)
        try:
            second = self._files.windows.load(path, self._window)
        except ReadError as error:
            self._files.report("The file cannot be opened", error)
            return
        if second is None:
            return
        settings.folder = str(path.resolve().parent)
        before = len((self._model.subgraphs or [])[0].operators or [])
        label = f"Append {path.name}"
        is_done = self._perform(
            Surgery(
                "Append a second model",
                f"The outputs of this model become the inputs of {path.name}, whose outputs "
                "are those of the whole.",
                lambda _: surgeries.append_model(self._model, second).labelled(label),
                ok="Append",
            )
        )
        if is_done:
            self._window.show_place(("subgraphs", 0, "operators", before))

    # ------------------------------------------------------------------ order and numbers

    def remove_edge_quantization(self) -> None:
        """Lets the model be given integers and give integers."""
        index = self._window.session.subgraph_index
        self._perform(
            Surgery(
                "Remove quantisation at the edges",
                f"Quantize operators behind float inputs{self._of(index)} and Dequantize "
                "operators before float outputs are taken away: the integers become the "
                "inputs and outputs.",
                lambda ticks: surgeries.remove_edge_quantization(
                    self._model, subgraph_index=index, **ticks
                ),
                (Tick("inputs", "Inputs"), Tick("outputs", "Outputs")),
                ok="Remove",
            )
        )

    def sort_operators(self) -> None:
        """Puts operators into an order in which they can run."""
        index = self._window.session.subgraph_index
        self._perform(
            Surgery(
                "Sort operators topologically",
                f"Each operator{self._of(index)} is put behind those that make what it reads. "
                "What is in order stays where it is.",
                lambda _: operators.sort_topologically(self._model, index),
                ok="Sort",
            )
        )

    def upgrade_codes(self) -> None:
        """Writes the codes of old files to both fields."""
        self._perform(
            Surgery(
                "Upgrade legacy operator codes",
                "Operator codes of old files have only deprecated_builtin_code; they get the "
                "same in builtin_code, which TFLM asks for in IF, WHILE and CALL_ONCE.",
                lambda _: operator_codes.upgrade_legacy(self._model),
                ok="Upgrade",
            )
        )

    def _of(self, subgraph_index: int) -> str:
        several = len(self._model.subgraphs or []) > 1
        return f" of subgraph {subgraph_index}" if several else ""

    # ------------------------------------------------------------------ making it smaller

    def strip_names(self) -> None:
        """Takes names away."""
        self._perform(
            Surgery(
                "Strip names",
                "Names take room in the file, and nothing in a model refers to them.",
                lambda ticks: surgeries.strip_names(self._model, **ticks),
                (
                    Tick("tensors", "Names of tensors"),
                    Tick("keep_ends", "Keep the names of inputs and outputs"),
                    Tick("subgraphs", "Names of subgraphs"),
                ),
                ok="Strip",
            )
        )

    def remove_unused(self) -> None:
        """Removes what nothing uses."""
        self._perform(
            Surgery(
                "Remove what is unused",
                "What neither the main subgraph nor a signature leads to is removed. "
                "Operators stay.",
                lambda ticks: surgeries.remove_unused(self._model, **ticks),
                (
                    Tick("tensors", "Tensors that no operator, input or output names"),
                    Tick("buffers", "Buffers that no tensor and no metadata names"),
                    Tick("operator_codes", "Operator codes of no operator"),
                    Tick("subgraphs", "Subgraphs that are never run"),
                ),
                ok="Remove",
            )
        )

    def share_buffers(self) -> None:
        """Keeps one of all buffers with the same bytes."""
        self._perform(
            Surgery(
                "Share identical buffers",
                "Of buffers with the same bytes one stays, for all that use them. Editing it "
                "changes all of them.",
                lambda _: buffers.share_identical(self._model),
                ok="Share",
            )
        )

    def put_inside(self) -> None:
        """Brings what stands behind the flatbuffer into it."""
        self._perform(
            Surgery(
                "Put external data inside",
                "Bytes of buffers and custom options that stand behind the flatbuffer come "
                "into it, where TFLM reads them. It can hold 2 GB.",
                lambda _: surgeries.inline_external(self._model),
                ok="Put inside",
            )
        )

    # ------------------------------------------------------------------ doing it

    def _look(self, surgery: Surgery) -> Outcome | None:
        """Shows a surgery; None if the person does not want it."""
        dialog = SurgeryDialog(self._model, surgery, self._window)
        try:
            return dialog.outcome if dialog.exec() else None
        finally:
            dialog.deleteLater()

    def _perform(self, surgery: Surgery) -> bool:
        """Shows a surgery and does it as one step; returns whether that was done."""
        outcome = self._look(surgery)
        if outcome is None or isinstance(outcome, Extraction):
            return False
        place = thing_at(self._window.session.selection.address)
        chosen = find_address(self._model, place)
        if not self._window.session.do(outcome):
            return False
        self._select_again(place, chosen)
        return True

    def _select_again(self, place: Address, chosen: object) -> None:
        """Selects what was selected, wherever it is now, or what stands at its place."""
        if not place:
            return
        items = find_address(self._model, place[:-1])
        siblings = items if isinstance(items, list) else []
        index = next((k for k, item in enumerate(siblings) if item is chosen), None)
        if index is None and siblings:
            index = min(int(place[-1]), len(siblings) - 1)
        self._window.session.selection.select(() if index is None else (*place[:-1], index))
