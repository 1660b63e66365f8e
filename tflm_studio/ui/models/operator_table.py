# SPDX-License-Identifier: Apache-2.0
"""The operators of a subgraph: number, name, args, inputs, outputs, weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from PySide6.QtCore import QObject, Qt

from tflm_studio.editing.edits import Edit
from tflm_studio.editing.operations import (
    Column as TensorColumn,
)
from tflm_studio.editing.operations import parse_indices, set_operator_tensors
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.address import Address
from tflm_studio.model.graph import data_bytes, short_shape_text, tensor_text
from tflm_studio.model.operators import (
    enum_text,
    find_tensor,
    knowledge_of,
    operator_args,
    operator_code,
    schema_name,
    split_inputs,
)
from tflm_studio.model.schema import Operator, Tensor
from tflm_studio.model.tensor_types import element_type
from tflm_studio.ui.models.record_table import Column, Index, RecordTable
from tflm_studio.ui.models.session import Session

NOTHING = "-"
MOST_LINES = 24  # of a tool tip
INDEX_COLUMNS = {3: "inputs", 4: "outputs", 5: "weights"}


class OperatorTable(RecordTable):
    """One row per operator, in execution order."""

    asked_also = ("Type", "Size")

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(session, parent)
        session.subgraph_changed.connect(self.reload)

    def records(self) -> list[Operator]:
        return self.session.subgraph.operators or []

    def list_address(self) -> Address:
        return ("subgraphs", self.session.subgraph_index, "operators")

    def make_columns(self) -> list[Column]:
        order = "Tensor indices. Double-click to wire the operator to other tensors."
        return [
            Column(
                "#",
                str,
                is_number=True,
                sort_key=int,
                hint="Place in execution order. Drag to move the operator.",
            ),
            Column("Name", self._name, self._name_tip, found_as=self._names),
            Column(
                "Args", self._args, self._args_tip, hint="Options that are not the default"
            ),
            self._index_column("Inputs", "inputs", order),
            self._index_column("Outputs", "outputs", order),
            self._index_column(
                "Weights", "weights", "Constant weights, then the bias. " + order
            ),
            Column(
                "Size",
                lambda row: f"{size:,}" if (size := self.size_of(row)) else NOTHING,
                is_number=True,
                sort_key=self.size_of,
                hint="Bytes of the constants it reads: weights, biases and parameters",
            ),
            Column("Output shape", self._output_shape),
        ]

    def _index_column(self, title: str, column: TensorColumn, hint: str) -> Column:
        return Column(
            title,
            text=lambda row: self._indices_text(row, column),
            tooltip=lambda row: self._indices_tip(row, column),
            edit_text=lambda row: " ".join(map(str, self._indices(row, column))),
            edits=self._rewire(column),
            sort_key=lambda row: self._indices(row, column),
            hint=hint,
        )

    def _rewire(self, column: TensorColumn) -> Callable[[int, str], Proposal]:
        def edits(row: int, text: str) -> Proposal:
            model, subgraph_index = self.session.document.model, self.session.subgraph_index
            indices = parse_indices(text)
            return set_operator_tensors(model, subgraph_index, row, column, indices)

        return edits

    def rows_touched(self, edits: Sequence[Edit]) -> Iterable[int]:
        """Rows of the operators themselves, and of all that use what has changed."""
        shown, tensors, buffers = self.session.subgraph_index, set(), set()
        for edit in edits:
            match edit.address:
                case ("operator_codes", *_) | ("buffers",):
                    return range(self.rowCount())
                case ("subgraphs", int(s), "tensors") if s == shown:
                    return range(self.rowCount())
                case ("subgraphs", int(s), "tensors", int(t), *_) if s == shown:
                    tensors.add(t)
                case ("buffers", int(b), *_):
                    buffers.add(b)
        return {*super().rows_touched(edits), *self._users(tensors, buffers)}

    def _users(self, tensors: set[int], buffers: set[int]) -> list[int]:
        shown = self.session.subgraph_index
        for buffer in buffers:
            tensors.update(self.session.tensors_with_buffer(shown, buffer))
        if not tensors:
            return []
        wiring = self.session.wiring(shown)
        return [k for t in tensors for k in (*wiring.makers.of(t), *wiring.users.of(t))]

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsDragEnabled if index.isValid() else flags

    def group(self, row: int) -> str:
        return knowledge_of(self.session.document.model, self.records()[row]).group

    def _name(self, row: int) -> str:
        return knowledge_of(self.session.document.model, self.records()[row]).name

    def _names(self, row: int) -> str:
        """The name, and the one that the schema and error messages have for it."""
        known = knowledge_of(self.session.document.model, self.records()[row])
        return f"{known.name}\n{schema_name(known)}"

    def size_of(self, row: int) -> int:
        """Bytes of the constants it reads: weights, biases and parameters."""
        buffers = self.session.document.model.buffers or []
        used = {tensor.buffer for tensor in self._tensors(self.records()[row].inputs)}
        return sum(data_bytes(buffers[b].data) for b in used if b < len(buffers))

    def types_of(self, row: int) -> frozenset[str]:
        """The types of its inputs, weights and outputs."""
        operator = self.records()[row]
        tensors = (*self._tensors(operator.inputs), *self._tensors(operator.outputs))
        return frozenset(element_type(tensor.type).name for tensor in tensors)

    def _tensors(self, indices: list[int] | None) -> list[Tensor]:
        found = (find_tensor(self.session.subgraph, index) for index in indices or [])
        return [tensor for tensor in found if tensor is not None]

    def _name_tip(self, row: int) -> str:
        model, operator = self.session.document.model, self.records()[row]
        known, code = knowledge_of(model, operator), operator_code(model, operator)
        where = f"TFLM: {known.resolver}()" if known.resolver else "Not in TFLM's resolver"
        version = f", version {code.version}" if code is not None else ""
        return f"{known.name}{version}\n{where}"

    def _args(self, row: int) -> str:
        model = self.session.document.model
        return operator_args(model, self.session.subgraph, self.records()[row]) or NOTHING

    def _args_tip(self, row: int) -> str:
        operator = self.records()[row]
        options = operator.builtin_options or operator.builtin_options_2
        rows = getattr(options, "FIELDS", ())
        lines = [f"{field.name}: {enum_text(getattr(options, field.name))}" for field in rows]
        return "\n".join(lines) or "No options"

    def _indices(self, row: int, column: TensorColumn) -> list[int]:
        operator = self.records()[row]
        if column == "outputs":
            return list(operator.outputs or [])
        parts = split_inputs(self.session.document.model, self.session.subgraph, operator)
        positions = parts.inputs if column == "inputs" else parts.weights + parts.biases
        return [(operator.inputs or [])[position] for position in positions]

    def _indices_text(self, row: int, column: TensorColumn) -> str:
        indices = self._indices(row, column)
        if column == "weights":
            operator = self.records()[row]
            parts = split_inputs(self.session.document.model, self.session.subgraph, operator)
            biases = [str((operator.inputs or [])[position]) for position in parts.biases]
            weights = [str(index) for index in indices[: len(parts.weights)]]
            bias = f"(bias {' '.join(biases)})" if biases else ""
            return " ".join([*weights, bias]).strip() or NOTHING
        return " ".join(map(str, indices)) or NOTHING

    def _indices_tip(self, row: int, column: TensorColumn) -> str:
        indices, subgraph = self._indices(row, column), self.session.subgraph
        lines = [f"{i}  {tensor_text(subgraph, i)}" for i in indices[:MOST_LINES]]
        if len(indices) > MOST_LINES:
            lines.append(f"and {len(indices) - MOST_LINES:,} more")
        return "\n".join(lines) or "none"

    def _output_shape(self, row: int) -> str:
        outputs = self.records()[row].outputs or []
        tensor = find_tensor(self.session.subgraph, outputs[0]) if outputs else None
        return short_shape_text(tensor.shape) if tensor is not None else NOTHING
