# SPDX-License-Identifier: Apache-2.0
"""Tensors that get other bytes, types, shapes or scales, all told by the model of before.

The edits do not depend on each other, so no draft is needed, and a thread may make them. A
tensor whose buffer others use gets one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from tflm_studio.editing.edits import Edit, Set
from tflm_studio.editing.field_values import copied
from tflm_studio.editing.located import bytes_of, tensor_at, tensor_place
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.renumbering import insert_items
from tflm_studio.editing.shared_buffers import shared_buffers
from tflm_studio.model.comparison import same_bytes
from tflm_studio.model.place_names import at_start, name_tensor
from tflm_studio.schema.tables import Buffer, Model, QuantizationParameters

Place = tuple[int, int]  # a subgraph and a tensor of it


class Remaking:
    """Collects what becomes of tensors.

    Attributes:
        model: The model.
        notes: What there is to tell.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.notes: list[str] = []
        self._edits: list[Edit] = []
        self._new: list[Buffer] = []
        self._shared = shared_buffers(model)

    def set_data(self, place: Place, data: bytes) -> None:
        """Gives a tensor other bytes, of any length."""
        index = tensor_at(self.model, *place).buffer
        buffers = self.model.buffers or []
        if 0 < index < len(buffers) and index not in self._shared:
            if not same_bytes(bytes_of(self.model, index), data):
                self._edits.append(Set(("buffers", index, "data"), data))
            return
        own = len(buffers) + len(self._new)
        self._edits.append(Set((*tensor_place(*place), "buffer"), own))
        self._new.append(Buffer(data=data))
        name = at_start(name_tensor(self.model, *place))
        self.notes.append(
            f"{name} gets a buffer of its own; others go on to use buffer {index}."
        )

    def set_type(self, place: Place, type: int) -> None:
        """Gives a tensor another element type."""
        if tensor_at(self.model, *place).type != type:
            self._edits.append(Set((*tensor_place(*place), "type"), type))

    def set_shape(self, place: Place, shape: Sequence[int]) -> None:
        """Gives a tensor another shape; -1 in its signature stays -1."""
        tensor = tensor_at(self.model, *place)
        if list(tensor.shape or []) == list(shape):
            return
        self._edits.append(Set((*tensor_place(*place), "shape"), list(shape)))
        if tensor.shape_signature and len(tensor.shape_signature) == len(shape):
            pairs = zip(tensor.shape_signature, shape, strict=True)
            signature = [-1 if old == -1 else new for old, new in pairs]
            self._edits.append(Set((*tensor_place(*place), "shape_signature"), signature))

    def set_quantization(self, place: Place, made: QuantizationParameters | None) -> None:
        """Gives a tensor another quantisation, or none."""
        if made is not None or tensor_at(self.model, *place).quantization is not None:
            self._edits.append(Set((*tensor_place(*place), "quantization"), made))

    def reorder_channels(self, place: Place, axis: int, kept: Sequence[int]) -> None:
        """Lets the scales of a tensor follow its channels along an axis.

        Args:
            place: The tensor.
            axis: Of the channels.
            kept: The channels of before, in the order of afterwards.
        """
        tensor = tensor_at(self.model, *place)
        old, count = tensor.quantization, (tensor.shape or [])[axis]
        if old is None or old.quantized_dimension != axis or len(old.scale or ()) != count:
            return
        if count == 1:
            return
        made: QuantizationParameters = copied(old)
        for name in ("scale", "zero_point", "min", "max"):
            values = getattr(old, name)
            if values is not None and len(values) == count:
                setattr(made, name, [values[channel] for channel in kept])
        self.set_quantization(place, made)

    def set(self, edit: Edit) -> None:
        """Takes an edit that is about something else."""
        self._edits.append(edit)

    def proposal(self, label: str) -> Proposal:
        """All of it as one step."""
        added = Proposal()
        if self._new:
            count = len(self.model.buffers or [])
            added = insert_items(self.model, "buffers", count, self._new)
        notes = tuple(dict.fromkeys((*self.notes, *added.notes)))
        return Proposal((*added.edits, *self._edits), notes, label)
