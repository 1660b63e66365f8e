# SPDX-License-Identifier: Apache-2.0
"""The inspector's page for a tensor: name, shape, type, quantisation, makers and users."""

from __future__ import annotations

from typing import Any

from tflm_studio.editing.edits import Edit
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.tensor_names import rename
from tflm_studio.model.address import Address
from tflm_studio.model.graph import data_bytes, short_shape_text
from tflm_studio.model.operators import has_data
from tflm_studio.model.place_names import count_text, name_thing
from tflm_studio.model.schema import Field, Tensor
from tflm_studio.model.tensor_types import element_type
from tflm_studio.ui.views.inspector_page import FactList, InspectorPage
from tflm_studio.ui.views.links import link, link_list
from tflm_studio.ui.views.shared_line import others_of, reaches_of


class TensorPage(InspectorPage):
    """Fields from the schema rows, and links to who makes and uses the tensor."""

    USUAL = ("name", "type", "shape", "buffer", "is_variable", "quantization")

    @property
    def tensor(self) -> Tensor:
        """The tensor that is shown."""
        assert isinstance(self.thing, Tensor)
        return self.thing

    def build(self) -> None:
        self.facts = FactList(self.session)
        self.form = self.add_fields()
        self.column.insertWidget(self.column.indexOf(self.form) + 1, self.facts)

    def edits_for(self, row: Field, value: Any) -> Proposal | list[Edit]:
        if row.name != "name" or not value:
            return super().edits_for(row, value)
        place = int(self.address[1]), {int(self.address[3]): value}
        return rename(self.session.document.model, *place)

    def refresh(self) -> None:
        tensor, model = self.tensor, self.session.document.model
        index, subgraph_index = int(self.address[3]), self.address[1]
        self.set_heading(
            tensor.name or "unnamed", f"tensor {index} of subgraph {subgraph_index}"
        )
        wiring = self.session.wiring(int(subgraph_index))

        def named(indices: list[int], *, by_caller: bool) -> str:
            places: list[Address] = [
                ("subgraphs", subgraph_index, "operators", k) for k in indices
            ]
            caller = ["the model's caller"] if by_caller else []
            links = link_list(places, lambda p: name_thing(model, p), "")
            return ", ".join([*caller, *([links] if links else [])]) or "no operator"

        makers, users = wiring.makers.of(index), wiring.users.of(index)
        self.facts.set_fact("made by", named(makers, by_caller=index in wiring.inputs))
        self.facts.set_fact("used by", named(users, by_caller=index in wiring.outputs))
        self.facts.set_fact("data", self._data_text())
        with self.facts.anew("also used by", "reaches"):
            others = others_of(self.session, tensor.buffer, self.address)
            if others:
                self.facts.set_fact("also used by", others)
            reaches = reaches_of(self.session, self.address)
            if reaches:
                self.facts.set_fact("reaches", reaches)

    def _data_text(self) -> str:
        tensor, model = self.tensor, self.session.document.model
        if not has_data(model, tensor):
            return "none stored: lives in the arena at run time"
        buffer = (model.buffers or [])[tensor.buffer]
        size, kind = data_bytes(buffer.data), element_type(tensor.type)
        place = link(("buffers", tensor.buffer), f"buffer {tensor.buffer}")
        text = f"{size:,} bytes in {place}"
        wanted = _wanted_bytes(tensor)
        if kind.bits and wanted is not None and wanted != size and tensor.sparsity is None:
            shape = short_shape_text(tensor.shape)
            text += f"; {shape} {kind.name} needs {count_text(wanted)}"
        return text


def _wanted_bytes(tensor: Tensor) -> int | None:
    """Bytes that shape and type ask for; None if the shape makes no sense."""
    count = 1
    for size in tensor.shape or []:
        if size < 0:
            return None
        count *= size
    return element_type(tensor.type).nbytes(count)
