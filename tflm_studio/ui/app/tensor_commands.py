# SPDX-License-Identifier: Apache-2.0
"""The commands of a window for tensors, and for what they are to the subgraph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction

from tflm_studio.editing import buffers, graph_ends, tensors
from tflm_studio.editing.index_users import users_of
from tflm_studio.editing.located import tensor_at
from tflm_studio.editing.proposal import Proposal, in_sequence
from tflm_studio.model.place_names import name_tensor
from tflm_studio.model.schema import Model
from tflm_studio.ui.app.buffer_commands import BufferCommands
from tflm_studio.ui.app.chosen_rows import ask_in, chosen_rows
from tflm_studio.ui.views.add_tensor_dialog import AddTensorDialog
from tflm_studio.ui.views.buffer_dialogs import ShareBufferDialog, UseBufferDialog
from tflm_studio.ui.views.delete_tensors_dialog import DeleteTensorsDialog
from tflm_studio.ui.views.quantize_dialog import QuantizeDialog
from tflm_studio.ui.views.record_view import RecordView
from tflm_studio.ui.views.rename_dialog import RenameDialog
from tflm_studio.ui.views.text_dialog import TextDialog

if TYPE_CHECKING:
    from tflm_studio.ui.app.main_window import MainWindow

Operation = Callable[[Model, int, int], Proposal]


class TensorCommands(QObject):
    """Carries out what the menu and the tables ask for.

    Attributes:
        buffers: The commands for buffers.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.buffers = BufferCommands(window)

    def install(self, actions: Mapping[str, QAction]) -> None:
        """Gives the tables their keys, which count only while a table has the focus."""
        window = self._window
        for view, names in (
            (window.tensor_view, ("tensor.duplicate", "tensor.delete")),
            (window.buffer_table_view, ("buffer.duplicate", "buffer.delete")),
        ):
            for name in names:
                give_key(view, actions[name])
            # With the selection, what can be done changes as well.
            view.selectionModel().selectionChanged.connect(
                lambda *_: window.commands.refresh()
            )

    def facts(self) -> dict[str, bool]:
        """What is possible now."""
        chosen, session = self._chosen(), self._window.session
        links = session.wiring(session.subgraph_index)
        inputs, outputs = links.inputs, links.outputs
        return {
            "has_subgraph": bool(self._model.subgraphs),
            "has_tensor": bool(chosen),
            "has_tensors": len(chosen) > 1,
            "is_input": bool(chosen) and inputs.issuperset(chosen),
            "is_output": bool(chosen) and outputs.issuperset(chosen),
            "is_no_input": bool(chosen) and inputs.isdisjoint(chosen),
            "is_no_output": bool(chosen) and outputs.isdisjoint(chosen),
            **self.buffers.facts(),
        }

    @property
    def _model(self) -> Model:
        return self._window.document.model

    @property
    def _subgraph(self) -> int:
        return self._window.session.subgraph_index

    def _chosen(self) -> list[int]:
        return chosen_rows(self._window.tensor_view)

    def _propose(self, make: Callable[[], Proposal]) -> bool:
        return self._window.session.propose(make)

    def _each(self, operation: Operation, label: str) -> bool:
        """Does something to all chosen tensors, in one step."""
        chosen, subgraph = self._chosen(), self._subgraph
        if len(chosen) == 1:
            return self._propose(partial(operation, self._model, subgraph, chosen[0]))
        parts = [lambda model, k=k: operation(model, subgraph, k) for k in sorted(chosen)]
        label = label.format(f"{len(chosen):,} tensors")
        return self._propose(lambda: in_sequence(self._model, *parts, label=label))

    # ------------------------------------------------------------------ they come and go

    def add(self) -> None:
        """Asks what the tensor is, and adds it behind the others."""
        before = self._count()
        if ask_in(
            self._window, lambda: AddTensorDialog(self._model, self._subgraph, self._window)
        ):
            self._select_from(before)

    def duplicate(self) -> None:
        """Copies the chosen tensors with their data."""
        self._duplicate(with_data=True)

    def duplicate_sharing(self) -> None:
        """Copies the chosen tensors; the copies use the same buffers."""
        self._duplicate(with_data=False)

    def _duplicate(self, *, with_data: bool) -> None:
        chosen, before = sorted(self._chosen()), self._count()
        if chosen and self._propose(
            lambda: tensors.duplicate(self._model, self._subgraph, chosen, with_data=with_data)
        ):
            self._select_from(before)

    def _count(self) -> int:
        return self._window.tensor_view.table.rowCount()

    def _select_from(self, first: int) -> None:
        """Selects the tensors that were added, and shows them."""
        self._window.show_place(("subgraphs", self._subgraph, "tensors", first))
        self._window.tensor_view.select_rows(range(first, self._count()))

    def delete(self) -> None:
        """Deletes the chosen tensors; if something uses them, asks what it shall do."""
        chosen = sorted(self._chosen())
        place = ("subgraphs", self._subgraph, "tensors")
        if not chosen:
            return
        if users_of(self._model, place, chosen):
            ask_in(
                self._window,
                lambda: DeleteTensorsDialog(self._model, self._subgraph, chosen, self._window),
            )
            return
        self._propose(
            lambda: tensors.delete(self._model, self._subgraph, chosen, remove_buffers=True)
        )

    def merge(self) -> None:
        """Lets users of the other chosen tensors use the current one."""
        keep, *others = self._chosen()
        self._propose(lambda: tensors.merge(self._model, self._subgraph, keep, others))

    def rename(self) -> None:
        """Asks for a name, or for a pattern if several tensors are chosen."""
        chosen = self._chosen()
        if len(chosen) > 1:
            ask_in(
                self._window,
                lambda: RenameDialog(
                    self._model, self._subgraph, sorted(chosen), self._window
                ),
            )
        elif chosen:
            ask_in(self._window, lambda: self._name_dialog(chosen[0]))

    def _name_dialog(self, index: int) -> TextDialog:
        return TextDialog(
            f"Rename {name_tensor(self._model, self._subgraph, index)}",
            "&Name",
            tensor_at(self._model, self._subgraph, index).name or "",
            lambda name: tensors.rename(self._model, self._subgraph, {index: name}),
            self._window,
        )

    # ------------------------------------------------------------------ what they are

    def make_constant(self) -> None:
        """Gives the chosen tensors data of their own."""
        self._each(tensors.make_constant, "Make {} constants")

    def make_variable(self) -> None:
        """Lets the chosen tensors keep their values."""
        self._each(tensors.make_variable, "Make {} variables")

    def make_activation(self) -> None:
        """Lets the chosen tensors get their values in each run."""
        self._each(tensors.make_activation, "Make {} activations")

    def make_input(self) -> None:
        """Adds the chosen tensors to the inputs."""
        self._each(graph_ends.make_input, "Make {} inputs")

    def make_output(self) -> None:
        """Adds the chosen tensors to the outputs."""
        self._each(graph_ends.make_output, "Make {} outputs")

    def remove_input(self) -> None:
        """Takes the chosen tensors out of the inputs."""
        self._each(graph_ends.remove_input, "Remove {} from the inputs")

    def remove_output(self) -> None:
        """Takes the chosen tensors out of the outputs."""
        self._each(graph_ends.remove_output, "Remove {} from the outputs")

    def insert_quantize(self) -> None:
        """Asks how, and puts a QUANTIZE behind the current tensor."""
        self._insert_step(back=False)

    def insert_dequantize(self) -> None:
        """Asks for whom, and puts a DEQUANTIZE behind the current tensor."""
        self._insert_step(back=True)

    def _insert_step(self, *, back: bool) -> None:
        index, window = self._chosen()[0], self._window
        ask_in(
            window,
            lambda: QuantizeDialog(
                self._model, self._subgraph, index, back=back, parent=window
            ),
        )

    # ------------------------------------------------------------------ their buffers

    def use_buffer(self) -> None:
        """Asks for a buffer, which the current tensor uses from then on."""
        index, window = self._chosen()[0], self._window
        ask_in(window, lambda: UseBufferDialog(self._model, self._subgraph, index, window))

    def share_buffer(self) -> None:
        """Asks whose buffer the chosen tensors shall use."""
        ask_in(
            self._window,
            lambda: ShareBufferDialog(
                self._model, self._subgraph, self._chosen(), self._window
            ),
        )

    def own_buffer(self) -> None:
        """Gives each chosen tensor a buffer that nothing else uses."""
        self._each(buffers.detach, "Buffers of their own for {}")


def give_key(view: RecordView, action: QAction) -> None:
    """Lets the keys of an action count only in a table."""
    action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
    view.addAction(action)
