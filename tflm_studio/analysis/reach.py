# SPDX-License-Identifier: Apache-2.0
"""How far a change reaches beyond the thing that it is made on.

A buffer may be that of several tensors, a tensor may be read by several operators: who changes
one should know. What a change of a thing does to its neighbours is no news and is not told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, Protocol

from tflm_studio.analysis.compressed_tensors import find_compression
from tflm_studio.formats.compression_metadata import COMPRESSION
from tflm_studio.formats.offline_plan import (
    OFFLINE_PLAN,
    PLANNED_ONLINE,
    parse_offline_plan,
)
from tflm_studio.model.address import Address
from tflm_studio.model.calls import called_subgraphs
from tflm_studio.model.errors import ReadError
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.graph import Wiring, wiring_of
from tflm_studio.model.metadata_content import find_metadata, metadata_content
from tflm_studio.model.place_names import at_start, name_thing, plural
from tflm_studio.schema.tables import Model, SubGraph

MOST_NAMED = 4
LONGEST_NAME = 40
# What a field of a tensor says about nobody but the tensor itself.
_OWN_FIELDS = frozenset(("name", "shape_signature", "has_rank"))
# What the room that a tensor takes in the arena depends on.
_ROOM_FIELDS = frozenset(("shape", "type", "is_variable", "buffer"))


class Reach(NamedTuple):
    """What else a change reaches.

    Attributes:
        text: A sentence.
        addresses: The things it is about.
    """

    text: str
    addresses: tuple[Address, ...]


class _HasAddress(Protocol):
    @property
    def address(self) -> Address: ...


Place = Address | _HasAddress
WiringOf = Callable[[int], Wiring]
UsersOf = Callable[[int], list[Address]]


def reach_of(
    model: Model,
    places: Iterable[Place],
    *,
    wiring: WiringOf | None = None,
    buffer_users: UsersOf | None = None,
) -> list[Reach]:
    """What changes at some places reach beyond the things there.

    Args:
        model: The model before the changes.
        places: Addresses or edits.
        wiring: Gives the wiring of a subgraph, if it is known already.
        buffer_users: Gives what uses a buffer, if it is known already.
    """
    look = _Look(model, wiring, buffer_users)
    found: dict[str, Reach] = {}
    addresses = [place if isinstance(place, tuple) else place.address for place in places]
    for address in dict.fromkeys(addresses):
        for reach in look.at(address):
            text = at_start(reach.text)
            found.setdefault(text, reach._replace(text=text))
    return list(found.values())


class _Look:
    def __init__(self, model: Model, wiring: WiringOf | None, users: UsersOf | None) -> None:
        self.model, self.wiring, self.users = model, wiring, users
        self.subgraphs = model.subgraphs or []
        self.wirings: dict[int, Wiring] = {}

    def at(self, address: Address) -> Iterator[Reach]:
        match address:
            case ("buffers", int(index), *_):
                yield from self.of_buffer(index)
            case ("operator_codes", int(index), *_):
                yield from self.of_operator_code(index)
            case ("subgraphs", int(s), "tensors", int(t), *rest) if self.is_tensor(s, t):
                field = str(rest[0]) if rest else ""
                if field not in _OWN_FIELDS:
                    yield from self.of_tensor(s, t, field)
            case ("subgraphs", int(s), "inputs" | "outputs", *_) if (
                0 <= s < len(self.subgraphs)
            ):
                yield from self.of_ends(s)

    def is_tensor(self, s: int, t: int) -> bool:
        if not 0 <= s < len(self.subgraphs):
            return False
        return 0 <= t < len(self.subgraphs[s].tensors or [])

    # -------------------------------------------------------------- buffers and codes

    def of_buffer(self, index: int) -> Iterator[Reach]:
        users = self.users_of_buffer(index)
        if len(users) > 1:
            yield self.told(f"Buffer {index} is that of", users, "thing")
        for user in users[:MOST_NAMED]:
            match user:
                case ("subgraphs", int(s), "tensors", int(t)):
                    yield from self.of_readers(s, t)
        yield from self.of_tables(index)

    def users_of_buffer(self, index: int) -> list[Address]:
        if self.users is not None:
            return self.users(index)
        found: list[Address] = [
            ("subgraphs", s, "tensors", t)
            for s, subgraph in enumerate(self.subgraphs)
            for t, tensor in enumerate(subgraph.tensors or [])
            if tensor.buffer == index
        ]
        entries = enumerate(self.model.metadata or [])
        found += [("metadata", m) for m, entry in entries if entry.buffer == index]
        return found

    def of_tables(self, index: int) -> Iterator[Reach]:
        """Compressed tensors whose values a buffer holds."""
        compression = find_compression(self.model)
        tensors: list[Address] = [
            ("subgraphs", s, "tensors", lut.tensor)
            for s, luts in enumerate(compression.subgraphs if compression else ())
            for lut in luts
            if lut.value_buffer == index
        ]
        if tensors:
            text = f"{COMPRESSION} takes from buffer {index} the values of"
            yield self.told(text, tensors, "compressed tensor")

    def of_operator_code(self, index: int) -> Iterator[Reach]:
        operators: list[Address] = [
            ("subgraphs", s, "operators", k)
            for s, subgraph in enumerate(self.subgraphs)
            for k, operator in enumerate(subgraph.operators or [])
            if operator.opcode_index == index
        ]
        if len(operators) > 1:
            yield self.told(f"Operator code {index} is that of", operators, "operator")

    # -------------------------------------------------------------- tensors

    def of_tensor(self, s: int, t: int, field: str) -> Iterator[Reach]:
        yield from self.of_readers(s, t)
        yield from self.of_ends_at(s, t)
        yield from self.of_calls(s, t)
        if field in _ROOM_FIELDS or not field:
            yield from self.of_plan(s, t)
            yield from self.of_compression(s, t)

    def of_readers(self, s: int, t: int) -> Iterator[Reach]:
        readers: list[Address] = [
            ("subgraphs", s, "operators", k) for k in self.links(s).users.of(t)
        ]
        if len(readers) > 1:
            name = self.name(("subgraphs", s, "tensors", t))
            yield self.told(f"{name} is read by", readers, "operator")

    def links(self, s: int) -> Wiring:
        if s not in self.wirings:
            known = self.wiring
            self.wirings[s] = wiring_of(self.subgraphs[s]) if known is None else known(s)
        return self.wirings[s]

    def of_ends_at(self, s: int, t: int) -> Iterator[Reach]:
        subgraph, thing = self.subgraphs[s], ("subgraphs", s, "tensors", t)
        for side in ("inputs", "outputs"):
            if t in (getattr(subgraph, side) or ()):
                whose = "the model" if s == 0 else f"subgraph {s}"
                text = f"{self.name(thing)} is one of the {side} of {whose}."
                yield Reach(text, (thing,))
                yield from self.of_callers(s)
        for index, entry in enumerate(self.model.signature_defs or []):
            if entry.subgraph_index != s:
                continue
            for alias in (*(entry.inputs or []), *(entry.outputs or [])):
                if alias.tensor_index == t:
                    key, name = _cut(entry.signature_key), _cut(alias.name)
                    text = f"Signature {key} offers {self.name(thing)} as {name}."
                    yield Reach(text, (("signature_defs", index),))

    def of_calls(self, s: int, t: int) -> Iterator[Reach]:
        """Subgraphs that are given a tensor, or give it."""
        operators, links = self.subgraphs[s].operators or [], self.links(s)
        for index in dict.fromkeys((*links.makers.of(t), *links.users.of(t))):
            called = dict.fromkeys(called_subgraphs(operators[index]))
            if called:
                caller: Address = ("subgraphs", s, "operators", index)
                numbers = " and ".join(str(k) for k in [*called][:MOST_NAMED])
                text = f"{self.name(caller)} runs subgraph {numbers}, which has to agree."
                yield Reach(text, (caller, *(("subgraphs", k) for k in called)))

    def of_plan(self, s: int, t: int) -> Iterator[Reach]:
        index = find_metadata(self.model, OFFLINE_PLAN)
        if index is None:
            return
        counts = [len(subgraph.tensors or []) for subgraph in self.subgraphs]
        data = metadata_content(self.model, (self.model.metadata or [])[index])
        try:
            plan = parse_offline_plan(data, sum(counts))
        except ReadError:
            return
        offset = plan.offsets[sum(counts[:s]) + t]
        if offset != PLANNED_ONLINE:
            name = self.name(("subgraphs", s, "tensors", t))
            text = f"{OFFLINE_PLAN} puts {name} at byte {offset:,} of the arena."
            yield Reach(text, (("metadata", index),))

    def of_compression(self, s: int, t: int) -> Iterator[Reach]:
        compression, index = (
            find_compression(self.model),
            find_metadata(self.model, COMPRESSION),
        )
        parts = compression.subgraphs if compression is not None else ()
        if s < len(parts) and any(lut.tensor == t for lut in parts[s]):
            name = self.name(("subgraphs", s, "tensors", t))
            text = f"{COMPRESSION} has {name} decompressed with a table."
            yield Reach(text, (("metadata", index or 0),))

    # -------------------------------------------------------------- ends

    def of_ends(self, s: int) -> Iterator[Reach]:
        for index, entry in enumerate(self.model.signature_defs or []):
            if entry.subgraph_index == s:
                key = _cut(entry.signature_key)
                text = f"Signature {key} names the inputs and outputs of subgraph {s}."
                yield Reach(text, (("signature_defs", index),))
        yield from self.of_callers(s)

    def of_callers(self, s: int) -> Iterator[Reach]:
        if len(self.subgraphs) < 2:
            return
        callers: list[Address] = [
            ("subgraphs", k, "operators", index)
            for k, subgraph in enumerate(self.subgraphs)
            for index, operator in enumerate(_callers(subgraph))
            if s in operator
        ]
        if callers:
            yield self.told(f"Subgraph {s} has to agree with", callers, "operator")

    # -------------------------------------------------------------- words

    def told(self, text: str, things: list[Address], noun: str) -> Reach:
        if len(things) > MOST_NAMED:
            named = ", ".join(map(self.name, things[: MOST_NAMED - 1]))
            named = f"{plural(len(things), noun)}: {named} and others"
        else:
            *first, last = map(self.name, things)
            named = f"{', '.join(first)} and {last}" if first else last
        return Reach(f"{text} {named}.", tuple(things))

    def name(self, thing: Address) -> str:
        return name_thing(self.model, thing)


def _callers(subgraph: SubGraph) -> list[list[int]]:
    return [called_subgraphs(operator) for operator in subgraph.operators or []]


def _cut(text: str | None) -> str:
    return f"'{excerpt(text, LONGEST_NAME)}'" if text else "unnamed"
