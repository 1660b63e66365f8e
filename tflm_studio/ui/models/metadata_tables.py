# SPDX-License-Identifier: Apache-2.0
"""The ends of a model and what is said about it: inputs, outputs, metadata, files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from PySide6.QtCore import QObject

from tflm_studio.editing import metadata_entries, signatures
from tflm_studio.editing.associated_files import PLACE, rename_file
from tflm_studio.editing.document import Change, ChangeKind
from tflm_studio.editing.edits import Edit
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.signatures import SIDES, Side
from tflm_studio.editing.tensor_names import rename
from tflm_studio.model.address import Address
from tflm_studio.model.graph import data_bytes, shape_text
from tflm_studio.model.operators import find_tensor, tensor_bytes
from tflm_studio.model.quantization import find_quantization, value_range
from tflm_studio.model.schema import (
    AssociatedFile,
    Metadata,
    Model,
    SignatureDef,
    Tensor,
    TensorMap,
)
from tflm_studio.model.tensor_types import element_type, format_float
from tflm_studio.ui.models.record_table import Column, RecordTable
from tflm_studio.ui.models.session import Session

PREVIEW_BYTES = 48


class MetadataTable(RecordTable):
    """One row per metadata entry."""

    def records(self) -> list[Metadata]:
        return self.session.document.model.metadata or []

    def list_address(self) -> Address:
        return ("metadata",)

    def make_columns(self) -> list[Column]:
        return [
            Column(
                "Name",
                lambda row: self.records()[row].name or "",
                edits=lambda row, text: metadata_entries.rename(
                    self.session.document.model, row, text
                ),
            ),
            Column(
                "Buffer",
                lambda row: str(self.records()[row].buffer),
                is_number=True,
                sort_key=lambda row: self.records()[row].buffer,
            ),
            Column("Size", lambda row: f"{len(self._bytes(row)):,}", is_number=True),
            Column("Content", lambda row: preview(self._bytes(row))),
        ]

    def rows_touched(self, edits: Sequence[Edit]) -> Iterable[int]:
        """Its own row; all rows if buffers were written to."""
        if any(edit.address[:1] == ("buffers",) for edit in edits):
            return range(self.rowCount())
        return super().rows_touched(edits)

    def size_of(self, row: int) -> int:
        return len(self._bytes(row))

    def _bytes(self, row: int) -> memoryview:
        return metadata_bytes(self.session.document.model, self.records()[row])


class AssociatedFileTable(RecordTable):
    """One row per file in the archive behind the model."""

    def records(self) -> list[AssociatedFile]:
        return self.session.document.model.associated_files or []

    def list_address(self) -> Address:
        return PLACE

    def make_columns(self) -> list[Column]:
        return [
            Column(
                "Name",
                lambda row: self.records()[row].name or "",
                edits=lambda row, text: rename_file(self.session.document.model, row, text),
            ),
            Column(
                "Size",
                lambda row: f"{self._size(row):,}",
                is_number=True,
                sort_key=self._size,
                hint="Bytes, unpacked",
            ),
            Column("Content", lambda row: preview(file_bytes(self.records()[row]))),
        ]

    def size_of(self, row: int) -> int:
        return self._size(row)

    def _size(self, row: int) -> int:
        return data_bytes(self.records()[row].data)


def file_bytes(file: AssociatedFile) -> memoryview:
    """What an associated file holds."""
    return memoryview(b"" if file.data is None else file.data).cast("B")


def metadata_bytes(model: Model, entry: Metadata) -> memoryview:
    """The bytes of a metadata entry, none if its buffer does not exist."""
    buffers = model.buffers or []
    data = buffers[entry.buffer].data if entry.buffer < len(buffers) else None
    return memoryview(data if data is not None and data_bytes(data) else b"").cast("B")


def preview(data: memoryview) -> str:
    """The start of some bytes: as text if they are printable, else in hexadecimal."""
    head = bytes(data[:PREVIEW_BYTES])
    more = " …" if len(data) > len(head) else ""
    lines = head.rstrip(b"\0").splitlines()  # lists of labels have a line for each
    if any(lines) and all(32 <= byte < 127 for line in lines for byte in line):
        return " · ".join(line.decode("ascii") for line in lines) + more
    return head.hex(" ") + more


class SignatureTable(RecordTable):
    """One row per signature."""

    def records(self) -> list[SignatureDef]:
        return self.session.document.model.signature_defs or []

    def list_address(self) -> Address:
        return ("signature_defs",)

    def make_columns(self) -> list[Column]:
        return [
            Column(
                "Key",
                lambda row: self.records()[row].signature_key or "",
                edits=lambda row, text: signatures.rename(
                    self.session.document.model, row, text
                ),
            ),
            Column(
                "Subgraph",
                lambda row: str(self.records()[row].subgraph_index),
                is_number=True,
                sort_key=lambda row: self.records()[row].subgraph_index,
            ),
            Column("Inputs", lambda row: _aliases(self.records()[row].inputs)),
            Column("Outputs", lambda row: _aliases(self.records()[row].outputs)),
        ]


def _aliases(entries: list[TensorMap] | None) -> str:
    named = ((entry.name or "unnamed", entry.tensor_index) for entry in entries or [])
    return ", ".join(f"{name} ({index})" for name, index in named)


class End(NamedTuple):
    """An input or output of the model, or of one of its signatures.

    Attributes:
        kind: What it is, in words.
        name: Of the tensor, or what the signature calls it.
        subgraph_index: Which subgraph.
        tensor_index: Which tensor.
        signature: Index of the signature; None for an end of the subgraph itself.
        side: Whether it is one of the inputs or of the outputs.
        position: Its place among them.
    """

    kind: str
    name: str
    subgraph_index: int
    tensor_index: int
    signature: int | None
    side: Side
    position: int


class EndsTable(RecordTable):
    """Inputs and outputs of the first subgraph and of every signature, with their ranges."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        self._ends = list(_ends(session.document.model))
        super().__init__(session, parent)

    def records(self) -> list[End]:
        return self._ends

    def list_address(self) -> Address:
        # The rows are gathered from several lists; none of them is this table's own.
        return ("ends",)

    @property
    def kind(self) -> str:
        return "tensors"

    def address_of(self, row: int) -> Address:
        """Where the tensor of a row stands."""
        end = self._ends[row]
        return ("subgraphs", end.subgraph_index, "tensors", end.tensor_index)

    def make_columns(self) -> list[Column]:
        return [
            Column("End", lambda row: self._ends[row].kind),
            Column("Name", lambda row: self._ends[row].name, edits=self._rename),
            Column("Tensor", lambda row: str(self._ends[row].tensor_index), is_number=True),
            Column("Shape", lambda row: self._of(row, lambda t: shape_text(t.shape, "×"))),
            Column("Type", lambda row: self._of(row, lambda t: element_type(t.type).name)),
            Column("Scale", lambda row: self._of(row, _scale), is_number=True),
            Column("Zero point", lambda row: self._of(row, _zero_point), is_number=True),
            Column(
                "Range",
                lambda row: self._of(row, _range),
                hint="Smallest and largest real value",
            ),
        ]

    def size_of(self, row: int) -> int:
        model, tensor = self.session.document.model, self._tensor(row)
        return tensor_bytes(model, tensor) if tensor is not None else 0

    def types_of(self, row: int) -> frozenset[str]:
        tensor = self._tensor(row)
        return frozenset((element_type(tensor.type).name,) if tensor is not None else ())

    def index_of(self, row: int) -> int:
        """The index of its tensor."""
        return self._ends[row].tensor_index

    def _rename(self, row: int, text: str) -> Proposal:
        end, model = self._ends[row], self.session.document.model
        if end.signature is None:
            return rename(model, end.subgraph_index, {end.tensor_index: text})
        return signatures.rename_alias(model, end.signature, end.side, end.position, text)

    def _of(self, row: int, text: Callable[[Tensor], str]) -> str:
        tensor = self._tensor(row)
        return text(tensor) if tensor is not None else "no such tensor"

    def _tensor(self, row: int) -> Tensor | None:
        end = self._ends[row]
        subgraphs = self.session.document.model.subgraphs or []
        known = end.subgraph_index < len(subgraphs)
        return find_tensor(subgraphs[end.subgraph_index], end.tensor_index) if known else None

    def _on_document_changed(self, change: Change) -> None:
        if change.kind is ChangeKind.SAVED or not (
            change.touches(("subgraphs",)) or change.touches(("signature_defs",))
        ):
            return
        if all(edit.address[2:3] == ("operators",) for edit in change.edits):
            return  # they change no tensor
        ends = list(_ends(self.session.document.model))
        if len(ends) != len(self._ends):
            self._ends = ends
            self.reload()
        else:
            self._ends = ends
            self.refresh(range(self.rowCount()))


def _ends(model: Model) -> Iterable[End]:
    for subgraph in (model.subgraphs or [])[:1]:
        for side in SIDES:
            for position, tensor_index in enumerate(getattr(subgraph, side) or []):
                tensor = find_tensor(subgraph, tensor_index)
                name = (tensor and tensor.name) or ""
                yield End(side[:-1], name, 0, tensor_index, None, side, position)
    for index, signature in enumerate(model.signature_defs or []):
        key = signature.signature_key or "unnamed"
        for side in SIDES:
            for position, entry in enumerate(getattr(signature, side) or []):
                yield End(
                    f"{key} {side[:-1]}",
                    entry.name or "",
                    signature.subgraph_index,
                    entry.tensor_index,
                    index,
                    side,
                    position,
                )


def _scale(tensor: Tensor) -> str:
    found = find_quantization(tensor)
    if found is None:
        return ""
    return (
        format_float(found.scale[0]) if len(found.scale) == 1 else f"{len(found.scale)} scales"
    )


def _zero_point(tensor: Tensor) -> str:
    found = find_quantization(tensor)
    return "" if found is None else str(int(found.zero_point[0]))


def _range(tensor: Tensor) -> str:
    ends = value_range(tensor, element_type(tensor.type))
    return "" if ends is None else f"{ends[0]:.4g} to {ends[1]:.4g}"
