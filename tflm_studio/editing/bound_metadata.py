# SPDX-License-Identifier: Apache-2.0
"""Metadata that holds indices, and what becomes of it when they change.

Each kind is a row of `BOUND_METADATA` with the indices it holds and a function that rewrites
its bytes. What cannot be read or rewritten is dropped: a stale plan is worse than none.

"buffer_location" is no such kind: it holds the text "outside flatbuffers", the exporter's mark
that constants stand behind the flatbuffer at `Buffer.offset`, and no index.
"TFLITE_METADATA" describes the inputs and outputs of subgraphs in their order, not by index.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from tflm_studio.editing.index_map import GONE, Renumbered, arranged
from tflm_studio.editing.offline_clashes import unplanned_by
from tflm_studio.formats.compression_metadata import (
    COMPRESSION,
    LutTensor,
    encode_compression,
    parse_compression,
)
from tflm_studio.formats.control_dependencies import (
    CONTROL_DEPENDENCIES,
    Edge,
    encode_control_dependencies,
    parse_control_dependencies,
)
from tflm_studio.formats.offline_plan import (
    OFFLINE_PLAN,
    PLANNED_ONLINE,
    encode_offline_plan,
    parse_offline_plan,
)
from tflm_studio.model.errors import ReadError
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.index_references import Space
from tflm_studio.schema.tables import Metadata, Model, SubGraph

MOST_BRIDGES = 65_536
MOST_NAMED = 6

# What a function returns: the new bytes, and what to tell people beside that they are new.
Rewritten = tuple[bytes, list[str]]


class BoundKind(NamedTuple):
    """A kind of metadata that holds indices.

    Attributes:
        name: Name of its entries.
        spaces: Which indices it holds or depends on.
        rewrite: Makes the new bytes of the old ones; raises `ReadError` to drop the entry.
    """

    name: str
    spaces: frozenset[Space]
    rewrite: Callable[[Model, Renumbered, memoryview], Rewritten]


class MetadataUpdate(NamedTuple):
    """What becomes of an entry of `Model.metadata`.

    Attributes:
        entry: Its index.
        data: Its new bytes, None if it is dropped.
        notes: Sentences for people.
    """

    entry: int
    data: bytes | None
    notes: list[str]


def metadata_updates(model: Model, change: Renumbered) -> Iterator[MetadataUpdate]:
    """The entries that a change of indices touches, each with its new content."""
    for index, entry in enumerate(model.metadata or []):
        kind = _KINDS.get(entry.name or "")
        if kind is None or not change.indices.changes:
            continue
        if change.space is Space.BUFFERS and change.indices(entry.buffer) == GONE:
            # Whatever stands in for it holds something else.
            note = f"{kind.name} was dropped: its buffer is removed."
            yield MetadataUpdate(index, None, [note])
            continue
        if change.space not in kind.spaces:
            continue
        try:
            old = entry_data(model, entry)
            data, notes = kind.rewrite(model, change, old)
        except ReadError as error:
            yield MetadataUpdate(index, None, [f"{kind.name} was dropped: {error}."])
            continue
        if data != old:
            notes = notes or ["indices renumbered"]
            if len(notes) > MOST_NAMED:
                more = f"{len(notes) - MOST_NAMED:,} more changes of this kind"
                notes = [*notes[:MOST_NAMED], more]
            yield MetadataUpdate(index, data, [f"{kind.name}: {note}." for note in notes])


def metadata_users(model: Model, buffers: set[int]) -> list[str]:
    """Which tensors take their values from the buffers because metadata says so."""
    found = []
    for entry in model.metadata or []:
        if entry.name == COMPRESSION:
            try:
                subgraphs = parse_compression(entry_data(model, entry)).subgraphs
            except ReadError:
                continue
            found += [
                f"{COMPRESSION} (table of tensor {lut.tensor} of subgraph {k})"
                for k, luts in enumerate(subgraphs)
                for lut in luts
                if lut.value_buffer in buffers
            ]
    return found


def entry_data(model: Model, entry: Metadata) -> memoryview:
    """The bytes of an entry.

    Raises:
        ReadError: It has none.
    """
    buffers = model.buffers or []
    if entry.buffer >= len(buffers):
        raise ReadError(f"there is no buffer {entry.buffer}")
    data = buffers[entry.buffer].data
    if data is None or not data_bytes(data):
        raise ReadError(f"buffer {entry.buffer} has no data")
    return memoryview(data).cast("B")


def listed(noun: str, indices: Iterable[int]) -> str:
    """Such as "tensor 3" or "tensors 3, 5, 7"; long lists are cut."""
    numbers = sorted(indices)
    more = f" and {len(numbers) - MOST_NAMED} more" if len(numbers) > MOST_NAMED else ""
    text = ", ".join(map(str, numbers[:MOST_NAMED])) + more
    return f"{noun}{'s' if len(numbers) != 1 else ''} {text}"


def _where(model: Model, change: Renumbered) -> str:
    several = len(model.subgraphs or []) > 1 and change.subgraph_index is not None
    return f" of subgraph {change.subgraph_index}" if several else ""


def _gone(change: Renumbered) -> list[int]:
    return [old for old, new in enumerate(change.indices.new_of) if new == GONE]


# ------------------------------------------------------------------ OfflineMemoryAllocation


def _offline_plan(model: Model, change: Renumbered, data: memoryview) -> Rewritten:
    counts = [len(subgraph.tensors or []) for subgraph in model.subgraphs or []]
    plan = parse_offline_plan(data, sum(counts))
    unplanned = unplanned_by(model, change, plan.offsets)
    offsets = [PLANNED_ONLINE if k in unplanned else o for k, o in enumerate(plan.offsets)]
    parts, at = [], 0
    for count in counts:
        parts.append(offsets[at : at + count])
        at += count
    notes = [*unplanned.values()]
    if change.space is Space.TENSORS:
        s = change.subgraph_index or 0
        gone = [k for k in _gone(change) if parts[s][k] != PLANNED_ONLINE]
        if gone:
            notes.append(f"offset of {listed('tensor', gone)}{_where(model, change)} removed")
        parts[s] = [parts[s][k] if k >= 0 else PLANNED_ONLINE for k in change.indices.old_of()]
    if change.space is Space.SUBGRAPHS:
        fresh = ([PLANNED_ONLINE] * _tensor_count(added) for added in change.added)
        parts = arranged(change, parts, fresh)
    if change.added and change.space is not Space.OPERATORS:
        notes.append(f"the new {change.space.value} are planned online")
    known = plan.subgraph_count == len(counts)
    return encode_offline_plan(
        replace(
            plan,
            subgraph_count=len(parts) if known else plan.subgraph_count,
            offsets=tuple(offset for part in parts for offset in part),
        )
    ), notes


def _tensor_count(subgraph: object) -> int:
    return len(subgraph.tensors or []) if isinstance(subgraph, SubGraph) else 0


# ------------------------------------------------------------------ control dependencies


def _control_dependencies(model: Model, change: Renumbered, data: memoryview) -> Rewritten:
    dependencies = parse_control_dependencies(data)
    subgraphs = model.subgraphs or []
    if len(dependencies) > len(subgraphs):
        raise ReadError(f"it describes {len(dependencies)} subgraphs of {len(subgraphs)}")
    for s, edges in enumerate(dependencies):
        count = len(subgraphs[s].operators or [])
        if not all(0 <= index < count for edge in edges for index in edge):
            raise ReadError(f"it names operators that subgraph {s} does not have")
    dependencies += [[] for _ in range(len(subgraphs) - len(dependencies))]
    if change.space is Space.SUBGRAPHS:
        dependencies = arranged(change, dependencies, ([] for _ in change.added))
        return encode_control_dependencies(dependencies), []
    s = change.subgraph_index or 0
    dependencies[s], notes = _renumbered_edges(change, dependencies[s])
    return encode_control_dependencies(dependencies), [
        f"{note}{_where(model, change)}" for note in notes
    ]


def _renumbered_edges(change: Renumbered, edges: list[Edge]) -> tuple[list[Edge], list[str]]:
    gone = set(_gone(change))
    bridged = _bridged(edges, gone)
    kept, notes = [], []
    for before, after in bridged:
        edge = change.indices(before), change.indices(after)
        if before < after and edge[0] > edge[1]:
            notes.append(
                f"operator {before} before {after} removed: the new order is against it"
            )
        else:
            kept.append(edge)
    lost = sum(before in gone or after in gone for before, after in edges)
    if lost:
        named = listed("operator", {k for edge in edges for k in edge} & gone)
        notes.append(f"pairs with {named} removed, the order of those around kept")
    return kept, notes


def _bridged(edges: list[Edge], gone: set[int]) -> list[Edge]:
    """The edges without some operators; what had to run before one runs before the next."""
    kept = dict.fromkeys(edges)
    before: dict[int, dict[int, None]] = defaultdict(dict)
    after: dict[int, dict[int, None]] = defaultdict(dict)
    for a, b in edges:
        before[b][a] = after[a][b] = None
    made = 0
    for index in sorted(gone & (before.keys() | after.keys())):
        earlier, later = before.pop(index, {}), after.pop(index, {})
        earlier.pop(index, None)
        later.pop(index, None)
        made += len(earlier) * len(later)
        if made > MOST_BRIDGES:
            raise ReadError(f"too much depends on operator {index}, which is removed")
        for a in earlier:
            after[a].pop(index, None)
        for b in later:
            before[b].pop(index, None)
        for a in earlier:
            for b in later:
                if a != b:
                    kept[a, b] = before[b][a] = after[a][b] = None
    return [edge for edge in kept if not gone & set(edge)]


# ------------------------------------------------------------------ compression


def _compression(model: Model, change: Renumbered, data: memoryview) -> Rewritten:
    compression = parse_compression(data)
    parts = [list(luts) for luts in compression.subgraphs]
    _check_compression(model, parts)
    notes = []
    count = len(model.subgraphs or [])
    if change.space is Space.SUBGRAPHS:
        parts += [[] for _ in range(count - len(parts))]
        parts = arranged(change, parts, ([] for _ in change.added))
    elif change.space is Space.BUFFERS:
        final = change.final
        parts = [
            [lut._replace(value_buffer=final(lut.value_buffer)) for lut in luts]
            for luts in parts
        ]
    elif (change.subgraph_index or 0) < len(parts):
        s = change.subgraph_index or 0
        gone = [lut.tensor for lut in parts[s] if change.indices(lut.tensor) == GONE]
        parts[s] = [
            lut._replace(tensor=change.indices(lut.tensor))
            for lut in parts[s]
            if lut.tensor not in gone
        ]
        if gone:
            notes.append(f"{listed('tensor', gone)}{_where(model, change)} removed")
    if parts == [list(luts) for luts in compression.subgraphs]:
        return bytes(data), []
    subgraphs = tuple(map(tuple, parts))
    return encode_compression(compression._replace(subgraphs=subgraphs)), notes


def _check_compression(model: Model, parts: list[list[LutTensor]]) -> None:
    subgraphs, buffers = model.subgraphs or [], len(model.buffers or [])
    if len(parts) > len(subgraphs):
        raise ReadError(f"it describes {len(parts)} subgraphs of {len(subgraphs)}")
    for s, luts in enumerate(parts):
        count = len(subgraphs[s].tensors or [])
        for lut in luts:
            if not 0 <= lut.tensor < count or lut.value_buffer >= buffers:
                raise ReadError(
                    f"it names tensor {lut.tensor} of subgraph {s} with buffer "
                    f"{lut.value_buffer}, and there is no such tensor or buffer"
                )


BOUND_METADATA = (
    BoundKind(
        OFFLINE_PLAN,
        frozenset((Space.TENSORS, Space.OPERATORS, Space.SUBGRAPHS)),
        _offline_plan,
    ),
    BoundKind(
        CONTROL_DEPENDENCIES,
        frozenset((Space.OPERATORS, Space.SUBGRAPHS)),
        _control_dependencies,
    ),
    BoundKind(
        COMPRESSION,
        frozenset((Space.TENSORS, Space.BUFFERS, Space.SUBGRAPHS)),
        _compression,
    ),
)
_KINDS = {kind.name: kind for kind in BOUND_METADATA}
