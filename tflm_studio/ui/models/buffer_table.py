# SPDX-License-Identifier: Apache-2.0
"""The buffers of a model: index, type, size, first values, who uses them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tflm_studio.editing.edits import Edit
from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.model.address import Address, find_address
from tflm_studio.model.graph import data_bytes, data_view
from tflm_studio.model.place_names import name_thing
from tflm_studio.model.schema import Buffer, Tensor
from tflm_studio.model.tensor_types import (
    RAW_BYTES,
    ElementType,
    decode,
    element_type,
    format_value,
)
from tflm_studio.ui.models.record_table import Column, RecordTable

FIRST_VALUES = 8


class BufferTable(RecordTable):
    """One row per buffer; its type is that of the first tensor that uses it."""

    def records(self) -> list[Buffer]:
        return self.session.document.model.buffers or []

    def list_address(self) -> Address:
        return ("buffers",)

    def make_columns(self) -> list[Column]:
        return [
            Column("Index", str, is_number=True, sort_key=int),
            Column("Type", lambda row: self._type(row).name if self._has_data(row) else ""),
            Column(
                "Size",
                lambda row: f"{self._size(row):,}" if self._size(row) else "empty",
                self._size_tip,
                is_number=True,
                sort_key=self._size,
                hint="Bytes of data",
            ),
            Column("Values", self._values, hint="The first values; all of them are below"),
            Column("Used by", self._used_by, self._used_by_tip),
        ]

    def rows_touched(self, edits: Sequence[Edit]) -> Iterable[int]:
        """Its own row; all rows where a tensor or entry may have turned to another buffer."""
        for edit in edits:
            match edit.address:
                case ("metadata", *_) | ("subgraphs",) | ("subgraphs", int()):
                    return range(self.rowCount())
                case ("subgraphs", int(), "tensors") | ("subgraphs", int(), "tensors", int()):
                    return range(self.rowCount())
                case ("subgraphs", int(), "tensors", int(), "buffer" | "type" | "name"):
                    return range(self.rowCount())
        return super().rows_touched(edits)

    def size_of(self, row: int) -> int:
        return self._size(row)

    def types_of(self, row: int) -> frozenset[str]:
        return frozenset((self._type(row).name,)) if self._has_data(row) else frozenset()

    def _size(self, row: int) -> int:
        return data_bytes(self.records()[row].data)

    def _has_data(self, row: int) -> bool:
        return self._size(row) > 0

    def _size_tip(self, row: int) -> str:
        model = self.session.document.model
        origin = model.extra if isinstance(model.extra, Origin) else None
        offset = origin.offset_of(self.records()[row].data) if origin else None
        if offset is None:
            return "Not in the file as it was opened; saving aligns it to 16 bytes."
        fit = "16-byte aligned" if offset % 16 == 0 else f"not 16-byte aligned ({offset % 16})"
        return f"At byte {offset:,} of the file, {fit}"

    def _type(self, row: int) -> ElementType:
        for place in self.session.buffer_users(row):
            tensor = find_address(self.session.document.model, place)
            if isinstance(tensor, Tensor):
                kind = element_type(tensor.type)
                return kind if kind.bits else RAW_BYTES
        return RAW_BYTES

    def _values(self, row: int) -> str:
        if not self._has_data(row):
            return ""
        data, kind = data_view(self.records()[row].data), self._type(row)
        values = decode(data, kind, 0, FIRST_VALUES)
        shown = " ".join(format_value(value, kind) for value in values)
        return f"{shown} …" if kind.count(len(data)) > len(values) else shown

    def _used_by(self, row: int) -> str:
        model, users = self.session.document.model, self.session.buffer_users(row)
        # The sentinel buffer 0 is used by every tensor without data.
        more = f" and {len(users) - 3} more" if len(users) > 3 else ""
        return ", ".join(name_thing(model, place) for place in users[:3]) + more

    def _used_by_tip(self, row: int) -> str:
        model, users = self.session.document.model, self.session.buffer_users(row)
        return "\n".join(name_thing(model, place) for place in users[:40]) or "nothing uses it"
