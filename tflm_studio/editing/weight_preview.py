# SPDX-License-Identifier: Apache-2.0
"""What the values of a tensor would be after a proposal, which is not done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tflm_studio.analysis.buffer_contents import BufferContents
from tflm_studio.analysis.stored_contents import contents_at
from tflm_studio.editing.edits import Edit, Insert, Set, WriteBytes
from tflm_studio.editing.field_values import copied
from tflm_studio.editing.located import bytes_of
from tflm_studio.editing.proposal import Proposal
from tflm_studio.model.address import Address
from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.model.graph import data_view
from tflm_studio.model.quantization import BlockQuantization, Reals
from tflm_studio.schema.tables import Buffer, Model, SubGraph, Tensor

BINS = 96
PIECE = 1 << 18
COUNTED_BITS = 16
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class BeforeAfter:
    """How often the reals of a tensor occur, before and after, in the same bins.

    Attributes:
        edges: Of the bins, one more than there are bins.
        before: Counts now.
        after: Counts afterwards.
    """

    edges: Reals
    before: Counts
    after: Counts


def contents_after(
    model: Model, contents: BufferContents, proposal: Proposal
) -> BufferContents | None:
    """What a tensor or buffer would hold after a proposal of `editing.weights`.

    Args:
        model: The model of now; it is not changed.
        contents: What is there now.
        proposal: What would be done. Its edits give tensors other fields and buffers other
            bytes; buffers may come at the end.
    """
    address, index = contents.tensor_address, contents.buffer_index
    if address is None:
        data = _data_after(model, index, proposal)
        return contents_at(Model(buffers=[Buffer(), Buffer(data=data)]), ("buffers", 1))
    tensor = ((model.subgraphs or [])[int(address[1])].tensors or [])[int(address[3])]
    changed: Tensor = copied(tensor)
    for edit in proposal.edits:
        if isinstance(edit, Set) and edit.address[:-1] == address:
            setattr(changed, str(edit.address[-1]), edit.value)
    data = _data_after(model, changed.buffer, proposal)
    changed.buffer = 1
    alone = Model(
        subgraphs=[SubGraph([changed], [], [], [])], buffers=[Buffer(), Buffer(data=data)]
    )
    found = contents_at(alone, ("subgraphs", 0, "tensors", 0))
    if found is not None and isinstance(contents.quantization, BlockQuantization):
        return replace(found, quantization=contents.quantization)  # of tensors left out here
    return found


def _data_after(model: Model, index: int, proposal: Proposal) -> bytes | bytearray:
    data: bytes | bytearray = bytes_of(model, index).tobytes()
    place: Address = ("buffers", index, "data")
    for edit in proposal.edits:
        if isinstance(edit, Insert) and edit.address == ("buffers",) and edit.index == index:
            data = bytes(data_view(edit.item.data))
        elif edit.address == place:
            data = _written(data, edit)
    return data


def _written(data: bytes | bytearray, edit: Edit) -> bytes | bytearray:
    if isinstance(edit, Set):
        return bytes(edit.value or b"")
    if isinstance(edit, WriteBytes):
        data = data if isinstance(data, bytearray) else bytearray(data)
        data[edit.offset : edit.offset + len(edit.data)] = edit.data
    return data


def before_and_after(before: BufferContents, after: BufferContents) -> BeforeAfter | None:
    """Histograms of reals over the range of both; None if nothing is finite. O(n)."""
    ranges = [span for side in (before, after) for span in _ranges(side)]
    if not ranges:
        return None
    low, high = min(span[0] for span in ranges), max(span[1] for span in ranges)
    if low == high:
        low, high = low - 0.5, high + 0.5
    with np.errstate(all="ignore"):
        edges = np.linspace(low, high, BINS + 1)
        is_drawn = np.isfinite(edges).all() and (np.diff(edges) > 0).all()
    if not is_drawn:
        return None  # nearly all that a float64 can hold, or too near to be told apart
    return BeforeAfter(edges, _counts(before, edges), _counts(after, edges))


def _finite(contents: BufferContents) -> Iterator[tuple[Reals, Counts | None]]:
    """Finite reals, some at once, and how often each occurs; None for once."""
    quantization, kind = contents.quantization, contents.kind
    is_per_channel = quantization is not None and quantization.inner > 0
    if kind.kind == "integer" and kind.bits <= COUNTED_BITS and not is_per_channel:
        yield _counted(contents)
        return
    for start in range(0, contents.count, PIECE):
        check_cancelled()
        with np.errstate(invalid="ignore"):
            reals = contents.reals(start, PIECE)
        yield reals[np.isfinite(reals)], None


def _counted(contents: BufferContents) -> tuple[Reals, Counts]:
    """The few numbers that a narrow type can hold: far quicker than all of them."""
    low, quantization = contents.kind.low, contents.quantization
    counts = np.zeros(1 << contents.kind.bits, np.int64)
    for start in range(0, contents.count, PIECE):
        check_cancelled()
        stored = contents.values(start, PIECE).astype(np.intp)
        counts += np.bincount(stored - low, minlength=len(counts))
    found = np.flatnonzero(counts)
    stored = found + low
    reals = stored.astype(np.float64) if quantization is None else quantization.to_real(stored)
    is_finite = np.isfinite(reals)
    return reals[is_finite], counts[found][is_finite]


def _ranges(contents: BufferContents) -> Iterator[tuple[float, float]]:
    for reals, _ in _finite(contents):
        if reals.size:
            yield float(reals.min()), float(reals.max())


def _counts(contents: BufferContents, edges: Reals) -> Counts:
    counts = np.zeros(len(edges) - 1, np.int64)
    for reals, times in _finite(contents):
        # Bins of one width are found by arithmetic, edges of any kind by searching.
        found = np.histogram(reals, len(counts), (edges[0], edges[-1]), weights=times)[0]
        counts += found.astype(np.int64)
    return counts
