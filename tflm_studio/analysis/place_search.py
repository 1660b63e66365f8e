# SPDX-License-Identifier: Apache-2.0
"""Places of a model by what people call them: addresses, numbers, names, error messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

from tflm_studio.analysis.runtime_messages import NamedPlace, find_named_place
from tflm_studio.model.address import Address, find_address, parse_address
from tflm_studio.model.errors import EditError
from tflm_studio.model.operators import (
    find_knowledge,
    knowledge_of,
    operator_name,
    schema_name,
)
from tflm_studio.model.place_names import thing_at
from tflm_studio.schema.tables import Model, SubGraph

MOST_FOUND = 60
LONGEST_SEARCH = 100_000
_LISTS = {
    "operator": "operators",
    "op": "operators",
    "o": "operators",
    "node": "operators",
    "n": "operators",
    "tensor": "tensors",
    "t": "tensors",
    "buffer": "buffers",
    "b": "buffers",
    "subgraph": "subgraphs",
    "sg": "subgraphs",
    "metadata": "metadata",
    "m": "metadata",
    "file": "associated_files",
    "f": "associated_files",
    "signature": "signature_defs",
    "code": "operator_codes",
}
_NUMBERED = re.compile(r"([a-z]+)s?\s*[#\[(]?\s*([0-9]{1,10})\s*[\])]?", re.IGNORECASE)
_IN_SUBGRAPH = re.compile(r"subgraph ([0-9]{1,10})[,:]?\s+(.+)", re.IGNORECASE | re.DOTALL)
_OPERATOR_NUMBER = re.compile(r"(\S+) ([0-9]{1,10})")
_IN_SUBGRAPHS = ("operators", "tensors")


def search_places(
    model: Model, text: str, subgraph_index: int = 0, most: int = MOST_FOUND
) -> list[Address]:
    """Things that a text may mean, the likeliest first.

    Args:
        model: Where they stand.
        text: An address, `t5`, `tensor 5`, `op 12`, `buffer 7`, a number, words of a name, or
            a message of TFLM or TFLite.
        subgraph_index: Where operators and tensors are meant to be, and looked for first.
        most: How many to find.
    """
    text = text[:LONGEST_SEARCH].strip()
    if not text:
        return []
    within = _IN_SUBGRAPH.fullmatch(text)
    if within is not None:
        subgraph_index, text = int(within[1]), within[2]
    found = (place for find in _WAYS for place in find(model, text, subgraph_index))
    return list(dict.fromkeys(islice(found, most)))


def _by_address(model: Model, text: str, _: int) -> Iterator[Address]:
    try:
        address = parse_address(text)
    except EditError:
        return
    thing = thing_at(address)
    if thing and find_address(model, address) is not None:
        yield thing


def _by_message(model: Model, text: str, subgraph_index: int) -> Iterable[Address]:
    place = find_named_place(text)
    if place is None:
        return ()
    if place.index is None:
        return _operators_called(model, place, subgraph_index)
    return _existing(model, place.kind, place.index, subgraph_index)


def _operators_called(
    model: Model, place: NamedPlace, subgraph_index: int
) -> Iterator[Address]:
    for s, subgraph in _subgraphs(model, subgraph_index):
        for k, operator in enumerate(subgraph.operators or []):
            if place.name == schema_name(knowledge_of(model, operator)):
                yield ("subgraphs", s, "operators", k)


def _by_number(model: Model, text: str, subgraph_index: int) -> Iterator[Address]:
    match = _NUMBERED.fullmatch(text)
    word = match[1].lower() if match is not None else ""
    kind = _LISTS.get(word) or _LISTS.get(word.removesuffix("s"))
    if match is not None and kind is not None:
        yield from _existing(model, kind, int(match[2]), subgraph_index)


def _by_kind_and_number(model: Model, text: str, subgraph_index: int) -> Iterator[Address]:
    """An operator as the window names it, such as "Conv2D 3"."""
    match = _OPERATOR_NUMBER.fullmatch(text)
    if match is None:
        return
    for place in _existing(model, "operators", int(match[2]), subgraph_index):
        if operator_name(model, find_address(model, place)).lower() == match[1].lower():
            yield place


def _by_bare_number(model: Model, text: str, subgraph_index: int) -> Iterator[Address]:
    if re.fullmatch(r"#?[0-9]{1,10}", text):
        for kind in (*_IN_SUBGRAPHS, "buffers"):
            yield from _existing(model, kind, int(text.lstrip("#")), subgraph_index)


def _existing(model: Model, kind: str, index: int, subgraph_index: int) -> Iterator[Address]:
    place: Address = (kind, index)
    if kind in _IN_SUBGRAPHS:
        place = ("subgraphs", subgraph_index, *place)
    if find_address(model, place) is not None:
        yield place


def _by_words(model: Model, text: str, subgraph_index: int) -> Iterator[Address]:
    """Things whose names have all words; those called just so come first."""
    whole = text.casefold()
    words, named = whole.split(), list(_names(model, subgraph_index))
    yield from (place for place, name in named if name == whole)
    for place, name in named:
        if name != whole and all(word in name for word in words):
            yield place


def _names(model: Model, subgraph_index: int) -> Iterator[tuple[Address, str]]:
    for s, subgraph in _subgraphs(model, subgraph_index):
        for k, tensor in enumerate(subgraph.tensors or []):
            if tensor.name:
                yield ("subgraphs", s, "tensors", k), tensor.name.casefold()
    known = [find_knowledge(code).name.casefold() for code in model.operator_codes or []]
    for s, subgraph in _subgraphs(model, subgraph_index):
        for k, operator in enumerate(subgraph.operators or []):
            if operator.opcode_index < len(known):
                yield ("subgraphs", s, "operators", k), known[operator.opcode_index]
    for s, subgraph in _subgraphs(model, subgraph_index):
        yield ("subgraphs", s), (subgraph.name or "").casefold()
    for kind, name in _NAMED:
        for k, item in enumerate(getattr(model, kind) or []):
            yield (kind, k), (name(item) or "").casefold()


_NAMED: tuple[tuple[str, Callable[[Any], str | None]], ...] = (
    ("metadata", lambda entry: entry.name),
    ("associated_files", lambda file: file.name),
    ("signature_defs", lambda signature: signature.signature_key),
)


_WAYS = (
    _by_address,
    _by_message,
    _by_number,
    _by_kind_and_number,
    _by_bare_number,
    _by_words,
)


def _subgraphs(model: Model, first: int) -> list[tuple[int, SubGraph]]:
    numbered = list(enumerate(model.subgraphs or []))
    return sorted(numbered, key=lambda each: each[0] != first)
