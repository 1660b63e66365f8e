# SPDX-License-Identifier: Apache-2.0
"""New numbers for weights, as a proposal that writes no more bytes than have changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.editing.bound_metadata import metadata_users
from tflm_studio.editing.edits import Edit, WriteBytes
from tflm_studio.editing.value_effects import Effect, ValueProposal, effect_of
from tflm_studio.editing.value_writes import Write, dense_write, joined, writes_of
from tflm_studio.editing.weight_target import PIECE, Flags, Piece, Weights
from tflm_studio.model.errors import EditError
from tflm_studio.model.graph import buffer_users
from tflm_studio.model.place_names import name_thing, named_few
from tflm_studio.model.tensor_types import Array
from tflm_studio.schema.tables import Model

MOST_WRITES = 1024
Change = Callable[[Array, Piece], Array]


def changed(
    weights: Weights, change: Change, label: str, *, by_value: bool = False
) -> ValueProposal:
    """What gives weights other numbers.

    Args:
        weights: What is changed.
        change: The new numbers for some, from those of now.
        label: What the history calls it.
        by_value: Whether equal numbers become equal ones, wherever they stand.

    Raises:
        EditError: The type cannot hold a new number at all.
    """
    table = ValueTable.of(weights, change) if by_value else None
    contents, effect = weights.contents, table.effect if table is not None else Effect()
    writes: list[Write] = []
    most = max(4, MOST_WRITES * PIECE // max(weights.count, PIECE))
    for piece in weights.pieces():
        raw = piece.raw()
        if table is not None:
            new_raw, differs = table.mapped(raw)
        else:
            new_raw, more = _changed(piece, raw, change)
            differs, effect = _differ(new_raw, raw), effect + more
        writes += _writes(contents, piece, new_raw, differs, most)
    place = ("buffers", contents.buffer_index, "data")
    edits: list[Edit] = [WriteBytes(place, offset, data) for offset, data in joined(writes)]
    notes = effect.sentences(weights.kind)
    if edits:
        notes += sharing_notes(weights.model, contents.buffer_index)
    return ValueProposal(tuple(edits), tuple(notes), label, effect)


def _writes(
    contents: BufferContents, piece: Piece, raw: Array, differs: Flags, most: int
) -> list[Write]:
    if not differs.any():
        return []
    if piece.chosen is None and not contents.kind.is_packed:
        dense = dense_write(piece.start, raw, differs)
        if dense is not None:
            return [dense]
    return writes_of(contents, piece.flat[differs], raw[differs], most)


def _changed(
    piece: Piece, raw: Array, change: Change, counts: NDArray[np.int64] | None = None
) -> tuple[Array, Effect]:
    """New stored numbers for some of now; what stays the same keeps its bits."""
    old = piece.meaning(raw)
    with np.errstate(all="ignore"):
        wanted = np.broadcast_to(np.asarray(change(old, piece)), old.shape)
    new, beyond = piece.to_raw(wanted)
    if piece.weights.kind.kind == "float":
        same = np.isnan(old) & np.isnan(wanted.astype(np.float64))
    else:
        same = (wanted == old).astype(bool)
    new_raw = np.where(same, raw, new).astype(raw.dtype)
    return new_raw, effect_of(old, piece.meaning(new_raw), beyond, counts)


def _differ(new: Array, old: Array) -> Flags:
    """Where bits differ: -0.0 is not 0.0, a NaN is the same NaN."""
    found: Flags = _bits(new) != _bits(old)
    return found


def _bits(raw: Array) -> Array:
    return np.ascontiguousarray(raw).view(np.dtype(f"u{raw.dtype.itemsize}"))


@dataclass(frozen=True, slots=True, eq=False)
class ValueTable:
    """What becomes of each of the few numbers that a narrow type can hold.

    Attributes:
        new: New stored numbers by the bits of those of now.
        differs: Whether they are others.
        effect: On all chosen numbers.
    """

    new: Array
    differs: Flags
    effect: Effect

    @classmethod
    def of(cls, weights: Weights, change: Change) -> ValueTable | None:
        """The table for a change that looks at nothing but the number; None if it is no gain.

        It is none as well if a number is refused: asking for each finds the place of it.
        """
        quantization = weights.contents.quantization
        is_per_channel = weights.is_real and quantization is not None and quantization.inner
        size = 1 << max(weights.kind.bits, 8)
        if weights.kind.bits > 16 or is_per_channel or weights.count < 4 * size:
            return None
        counts, dtype = np.zeros(size, np.int64), weights.kind.storage
        for piece in weights.pieces():
            raw = piece.raw()
            dtype = raw.dtype
            counts += np.bincount(_bits(raw), minlength=size)
        found = np.flatnonzero(counts)
        present = found.astype(f"u{dtype.itemsize}").view(dtype)
        any_place = Piece(weights, 0, len(present), np.zeros(len(present), np.int64))
        try:
            made, effect = _changed(any_place, present, change, counts[found])
        except EditError:
            return None
        new = np.zeros(size, dtype)
        new[found] = made
        differs = np.zeros(size, bool)
        differs[found] = _differ(made, present)
        return cls(new, differs, effect)

    def mapped(self, raw: Array) -> tuple[Array, Flags]:
        """New stored numbers, and which of them are others."""
        bits = _bits(raw)
        return self.new[bits], self.differs[bits]


def sharing_notes(model: Model, buffer_index: int) -> list[str]:
    """Who sees new bytes of a buffer, if there are several."""
    users = [name_thing(model, user) for user in buffer_users(model).get(buffer_index, [])]
    users += metadata_users(model, {buffer_index})
    if len(users) < 2:
        return []
    return [f"Buffer {buffer_index} is shared: {named_few(users)} see the new values."]
