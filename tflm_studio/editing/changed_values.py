# SPDX-License-Identifier: Apache-2.0
"""New numbers for weights, as a proposal that writes no more bytes than have changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.editing.bound_metadata import metadata_users
from tflm_studio.editing.edits import Edit, WriteBytes
from tflm_studio.editing.proposal import Proposal
from tflm_studio.editing.weight_target import PIECE, Piece, Weights
from tflm_studio.model.graph import buffer_users
from tflm_studio.model.place_names import name_thing, named_few, plural
from tflm_studio.model.tensor_types import Array, ElementType, encode
from tflm_studio.schema.tables import Model

EDIT_BYTES = 128  # what an edit costs beside its bytes: writing fewer of those is no gain
MOST_WRITES = 256
Change = Callable[[Array, Piece], Array]


@dataclass(frozen=True, slots=True)
class Effect:
    """How far values change.

    Attributes:
        count: How many values were looked at.
        changed: How many differ afterwards.
        saturated: How many lie beyond what the type can hold, and got its end.
        not_finite: How many are NaN or infinite afterwards.
        largest: The largest difference of a value before and after.
        noise: Sum of the squares of the differences.
        signal: Sum of the squares of the values before.
    """

    count: int = 0
    changed: int = 0
    saturated: int = 0
    not_finite: int = 0
    largest: float = 0.0
    noise: float = 0.0
    signal: float = 0.0

    def __add__(self, other: Effect) -> Effect:
        return Effect(
            self.count + other.count,
            self.changed + other.changed,
            self.saturated + other.saturated,
            self.not_finite + other.not_finite,
            max(self.largest, other.largest),
            self.noise + other.noise,
            self.signal + other.signal,
        )

    @property
    def rms(self) -> float:
        """Root of the mean square of the differences."""
        return math.sqrt(self.noise / self.count) if self.count else 0.0

    @property
    def sqnr(self) -> float:
        """Signal to noise in decibels; infinite if nothing changes."""
        if not self.noise:
            return math.inf
        return 10 * math.log10(self.signal / self.noise) if self.signal else -math.inf

    def sentences(self, kind: ElementType) -> list[str]:
        """What people want to know of it."""
        if not self.changed:
            return [f"None of {plural(self.count, 'value')} changes."]
        verb = "changes" if self.changed == 1 else "change"
        told = [
            f"{self.changed:,} of {plural(self.count, 'value')} {verb}, by {self.largest:.4g} "
            f"at most (RMS {self.rms:.4g})."
        ]
        if self.saturated:
            told.append(f"{plural(self.saturated, 'value')} saturated: {kind_ends(kind)}.")
        if self.not_finite:
            told.append(f"{plural(self.not_finite, 'value')} not finite.")
        return told


@dataclass(frozen=True, slots=True)
class ValueProposal(Proposal):
    """A proposal that changes values.

    Attributes:
        effect: How far they change.
    """

    effect: Effect = Effect()


def kind_ends(kind: ElementType) -> str:
    """What a type can hold, in words."""
    if kind.kind == "float":
        return f"{kind.name} cannot hold them"
    return f"{kind.name} holds {kind.low:,} to {kind.high:,}"


def effect_of(old: Array, new: Array, saturated: int = 0) -> Effect:
    """How far values differ; what is not finite on either side counts as no difference."""
    before, after = old.astype(np.float64), new.astype(np.float64)
    same = (before == after) | (np.isnan(before) & np.isnan(after))
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(np.isfinite(before) & np.isfinite(after), np.abs(after - before), 0)
        squares = float(np.square(np.where(np.isfinite(before), before, 0)).sum())
        noise = float(np.square(apart).sum())
    return Effect(
        count=len(before),
        changed=int((~same).sum()),
        saturated=saturated,
        not_finite=int((~np.isfinite(after)).sum()),
        largest=float(apart.max(initial=0.0)),
        noise=noise,
        signal=squares,
    )


def changed(weights: Weights, change: Change, label: str) -> ValueProposal:
    """What gives weights other numbers.

    Args:
        weights: What is changed.
        change: The new numbers for some, from those of now.
        label: What the history calls it.

    Raises:
        EditError: The type cannot hold a new number at all.
    """
    contents, effect = weights.contents, Effect()
    writes: list[tuple[int, bytes]] = []
    most = max(4, MOST_WRITES * PIECE // max(weights.count, PIECE))
    for piece in weights.pieces():
        raw = piece.raw()
        old = piece.meaning(raw)
        with np.errstate(all="ignore"):
            wanted = np.broadcast_to(np.asarray(change(old, piece)), old.shape)
        new_raw, saturated = _kept(piece, raw, old, wanted)
        differs = _differ(new_raw, raw)
        effect += effect_of(old, piece.meaning(new_raw), saturated)
        if differs.any():
            writes += _writes(contents, piece.flat[differs], new_raw[differs], most)
    place = ("buffers", contents.buffer_index, "data")
    edits: list[Edit] = [WriteBytes(place, offset, data) for offset, data in _joined(writes)]
    notes = effect.sentences(weights.kind)
    if edits:
        notes += sharing_notes(weights.model, contents.buffer_index)
    return ValueProposal(tuple(edits), tuple(notes), label, effect)


def _kept(piece: Piece, raw: Array, old: Array, wanted: Array) -> tuple[Array, int]:
    """New stored numbers; what stays the same keeps its bits."""
    new, saturated = piece.to_raw(wanted)
    if piece.weights.kind.kind == "float":
        same = np.isnan(old) & np.isnan(wanted.astype(np.float64))
    else:
        same = (wanted == old).astype(bool)
    return np.where(same, raw, new).astype(raw.dtype), saturated


def _differ(new: Array, old: Array) -> NDArray[np.bool_]:
    """Where bits differ: -0.0 is not 0.0, a NaN is the same NaN."""
    bits = np.dtype(f"u{old.dtype.itemsize}")
    found: NDArray[np.bool_] = new.view(bits) != np.ascontiguousarray(old).view(bits)
    return found


def _writes(
    contents: BufferContents, flat: NDArray[np.int64], raw: Array, most: int
) -> list[tuple[int, bytes]]:
    """Where which bytes go, for elements by ascending index; small gaps are written over."""
    kind = contents.kind
    per_byte = 8 // kind.bits if kind.is_packed else 1
    size = max(1, kind.bits // 8)
    gaps = (flat[1:] // per_byte - flat[:-1] // per_byte - 1) * size
    narrow = EDIT_BYTES
    if len(gaps) >= most:
        narrow = max(narrow, int(np.partition(gaps, len(gaps) - most)[len(gaps) - most]))
    cuts = np.flatnonzero(gaps > narrow) + 1
    data = contents.data or b""
    found = []
    for first, stop in zip([0, *cuts.tolist()], [*cuts.tolist(), len(flat)], strict=True):
        start, end = int(flat[first]), int(flat[stop - 1]) + 1
        found.append(_span(data, kind, start, end, flat[first:stop], raw[first:stop]))
    return found


def _span(
    data: bytes | memoryview,
    kind: ElementType,
    start: int,
    end: int,
    flat: NDArray[np.int64],
    raw: Array,
) -> tuple[int, bytes]:
    if not kind.is_packed:
        size = kind.bits // 8
        span = np.frombuffer(data, kind.storage, end - start, start * size).copy()
        span[flat - start] = raw
        return start * size, span.tobytes()
    per_byte = 8 // kind.bits
    first, stop = start // per_byte, -(-end // per_byte)
    # All bits of the bytes, so that those behind the last element stay.
    filled = np.frombuffer(data, np.uint8, stop - first, first)
    shifts = np.arange(0, 8, kind.bits, dtype=np.uint8)
    slots = ((filled[:, None] >> shifts) & ((1 << kind.bits) - 1)).reshape(-1)
    slots[flat - first * per_byte] = raw.astype(np.int64) & ((1 << kind.bits) - 1)
    return first, encode(slots, kind)


def _joined(writes: Iterable[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Writes that follow each other as one."""
    found: list[tuple[int, list[bytes]]] = []
    end = -1
    for offset, data in writes:
        if offset == end:
            found[-1][1].append(data)
        else:
            found.append((offset, [data]))
        end = offset + len(data)
    return [(offset, b"".join(parts)) for offset, parts in found]


def sharing_notes(model: Model, buffer_index: int) -> list[str]:
    """Who sees new bytes of a buffer, if there are several."""
    users = [name_thing(model, user) for user in buffer_users(model).get(buffer_index, [])]
    users += metadata_users(model, {buffer_index})
    if len(users) < 2:
        return []
    return [f"Buffer {buffer_index} is shared: {named_few(users)} see the new values."]
