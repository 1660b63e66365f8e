# SPDX-License-Identifier: Apache-2.0
"""The tensors of a subgraph: name, shape, type, quantisation, buffer, makers and users."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import chain

from PySide6.QtCore import QObject

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.operations import parse_shape
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.tensor_names import rename
from tflm_studio.editing.tensor_scale import set_scale
from tflm_studio.model.address import Address
from tflm_studio.model.errors import EditError
from tflm_studio.model.field_text import parse_whole_number
from tflm_studio.model.graph import Wiring, shape_text
from tflm_studio.model.operators import has_data, tensor_bytes
from tflm_studio.model.place_names import plural
from tflm_studio.model.quantization import find_quantization
from tflm_studio.model.schema import Tensor, TensorType
from tflm_studio.model.tensor_types import element_type, format_float
from tflm_studio.ui.models.record_table import Column, RecordTable
from tflm_studio.ui.models.session import Session, rewires

TYPE_COLUMN = 3


class TensorTable(RecordTable):
    """One row per tensor of the subgraph that is shown."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(session, parent)
        session.subgraph_changed.connect(self.reload)

    def records(self) -> list[Tensor]:
        return self.session.subgraph.tensors or []

    def list_address(self) -> Address:
        return ("subgraphs", self.session.subgraph_index, "tensors")

    def make_columns(self) -> list[Column]:
        return [
            Column("#", str, is_number=True, sort_key=int, hint="Tensor index"),
            Column("Name", self._name, self._name, edits=self._rename),
            Column(
                "Shape",
                lambda row: shape_text(self.records()[row].shape, "×"),
                self._shape_tip,
                lambda row: shape_text(self.records()[row].shape),
                self._reshape,
                sort_key=lambda row: self.records()[row].shape or [],
            ),
            Column(
                "Type",
                lambda row: element_type(self.records()[row].type).name,
                edits=self._retype,
            ),
            Column(
                "Quantisation",
                self._quantisation,
                self._quantisation_tip,
                edits=self._requantise,
                hint="Scale and, in parentheses, zero point",
            ),
            Column(
                "Buffer",
                self._buffer,
                edits=self._rebuffer,
                is_number=True,
                sort_key=lambda row: self.records()[row].buffer,
                hint="Index of the buffer with its data",
            ),
            Column("Kind", self._kind, hint="Constant, variable, input, output or made"),
            Column("Made by", self._made_by, hint="Operators that output it"),
            Column("Used by", self._used_by, hint="Operators that read it"),
        ]

    def rows_touched(self, edits: Sequence[Edit]) -> Iterable[int]:
        """Its own row; all rows where operators, the model's ends or buffers were moved."""
        shown, buffers = self.session.subgraph_index, set()
        for edit in edits:
            match edit.address:
                case ("subgraphs", int(s), *_) if s == shown and rewires(edit):
                    return range(self.rowCount())
                case ("buffers",):
                    return range(self.rowCount())
                case ("buffers", int(b), *_):
                    buffers.add(b)
        users = (self.session.tensors_with_buffer(shown, b) for b in buffers)
        return {*super().rows_touched(edits), *chain.from_iterable(users)}

    def size_of(self, row: int) -> int:
        """Bytes of its data: as stored, or as made when the model runs."""
        return tensor_bytes(self.session.document.model, self.records()[row])

    def types_of(self, row: int) -> frozenset[str]:
        return frozenset((element_type(self.records()[row].type).name,))

    def _links(self) -> Wiring:
        return self.session.wiring(self.session.subgraph_index)

    def _place(self, row: int, *steps: str) -> Address:
        return (*self.list_address(), row, *steps)

    def _name(self, row: int) -> str:
        return self.records()[row].name or ""

    def _rename(self, row: int, text: str) -> Proposal:
        session = self.session
        return rename(session.document.model, session.subgraph_index, {row: text})

    def _reshape(self, row: int, text: str) -> list[Edit]:
        return [Set(self._place(row, "shape"), parse_shape(text))]

    def _retype(self, row: int, text: str) -> list[Edit]:
        return [Set(self._place(row, "type"), parse_tensor_type(text))]

    def _rebuffer(self, row: int, text: str) -> list[Edit]:
        count = len(self.session.document.model.buffers or [])
        index = parse_whole_number(text)
        if not 0 <= index < count:
            raise EditError(f"There is no buffer {index}; the model has {count} buffers.")
        return [Set(self._place(row, "buffer"), index)]

    def _requantise(self, row: int, text: str) -> list[Edit]:
        return set_scale(self._place(row), self.records()[row], text)

    def _shape_tip(self, row: int) -> str:
        tensor = self.records()[row]
        text = f"shape {shape_text(tensor.shape, '×')}"
        if tensor.shape_signature:
            text += (
                f"\nshape_signature {shape_text(tensor.shape_signature, '×')} (-1: unknown)"
            )
        return text

    def _quantisation(self, row: int) -> str:
        tensor = self.records()[row]
        found = find_quantization(tensor)
        if found is None:
            return _senseless(tensor)
        if len(found.scale) > 1:
            return f"{len(found.scale)} scales"
        return f"{format_float(found.scale[0])} ({int(found.zero_point[0])})"

    def _quantisation_tip(self, row: int) -> str:
        tensor = self.records()[row]
        found = find_quantization(tensor)
        if found is None or tensor.quantization is None:
            return "real = stored value"
        if len(found.scale) == 1:
            scale, zero = format_float(found.scale[0]), int(found.zero_point[0])
            return f"real = {scale} × (stored − {zero})"
        low, high = format_float(found.scale.min()), format_float(found.scale.max())
        axis = tensor.quantization.quantized_dimension
        return f"one scale per channel along dimension {axis}: {low} to {high}"

    def _buffer(self, row: int) -> str:
        return str(self.records()[row].buffer)

    def _kind(self, row: int) -> str:
        tensor, links = self.records()[row], self._links()
        kinds = []
        if has_data(self.session.document.model, tensor):
            kinds.append("constant")
        if tensor.is_variable:
            kinds.append("variable")
        if row in links.inputs:
            kinds.append("input")
        if row in links.outputs:
            kinds.append("output")
        return ", ".join(kinds)

    def _made_by(self, row: int) -> str:
        return " ".join(map(str, self._links().makers.of(row)))

    def _used_by(self, row: int) -> str:
        return " ".join(map(str, self._links().users.of(row)))


def _senseless(tensor: Tensor) -> str:
    """What is stored as quantisation though it is no affine one."""
    stored = tensor.quantization
    if stored is None:
        return ""
    if stored.details is not None:
        return type(stored.details).__name__
    scales, zeros = len(stored.scale or ()), len(stored.zero_point or ())
    if not scales and not zeros:
        return ""
    return f"{plural(scales, 'scale')}, {plural(zeros, 'zero point')}: does not fit"


def parse_tensor_type(text: str) -> int:
    """The TensorType a person names or numbers.

    Raises:
        EditError: There is no such type.
    """
    bare = text.strip().upper()
    if bare in TensorType.__members__:
        return TensorType[bare]
    if re.fullmatch(r"(TYPE )?[0-9]{1,3}", bare):
        return int(bare.removeprefix("TYPE "))
    names = ", ".join(name.lower() for name in TensorType.__members__)
    raise EditError(f"'{text}' is not a tensor type; choose one of {names}.")
