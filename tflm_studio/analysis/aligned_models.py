# SPDX-License-Identifier: Apache-2.0
"""Which things of two models are the same one: by name, by what they make, by content.

Nearly everything in a model is named by its position in a list. Who compares two models by
position finds everything behind an inserted tensor changed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Any

from tflm_studio.analysis.list_alignment import (
    GONE,
    Alignment,
    KeyPair,
    Keys,
    align,
    side_by_side,
)
from tflm_studio.model.address import Address
from tflm_studio.model.operators import NO_TENSOR, builtin_code
from tflm_studio.schema.associated_file import AssociatedFile
from tflm_studio.schema.structure import Table
from tflm_studio.schema.tables import (
    Buffer,
    ExternalBuffer,
    ExternalBufferGroup,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    SignatureDef,
    SubGraph,
    Tensor,
    TensorMap,
)

SAMPLE_BYTES = 32  # of the beginning and the end of a buffer
KeyOf = Callable[[Any], Hashable]


def _or_none(text: str | None) -> Hashable:
    return text or None


_KNOWN_BY: dict[type[Table], tuple[KeyOf, ...]] = {
    SubGraph: (
        lambda item: _or_none(item.name),
        lambda item: (len(item.tensors or ()), len(item.operators or ())),
    ),
    Tensor: (
        lambda item: _or_none(item.name),
        lambda item: (item.type, tuple(item.shape or ())),
    ),
    OperatorCode: (
        lambda code: (builtin_code(code), code.custom_code, code.version),
        lambda code: (builtin_code(code), code.custom_code),
    ),
    Metadata: (lambda item: _or_none(item.name),),
    SignatureDef: (lambda item: _or_none(item.signature_key),),
    TensorMap: (lambda item: _or_none(item.name),),
    ExternalBuffer: (lambda item: item.id,),
    ExternalBufferGroup: (lambda item: _or_none(item.name),),
    AssociatedFile: (lambda item: _or_none(item.name),),
}


def align_items(first: Sequence[Table], second: Sequence[Table]) -> Alignment:
    """Finds the same items of two lists of one kind by what such things are known by."""
    kind = type(first[0] if first else second[0]) if first or second else Table
    known_by = _KNOWN_BY.get(kind, ())
    if not known_by:
        return side_by_side(len(first), len(second))
    levels = [partial(_keys, key, first, second) for key in known_by]
    return align(len(first), len(second), levels)


def _keys(key: KeyOf, first: Sequence[Table], second: Sequence[Table]) -> KeyPair:
    return KeyPair([*map(key, first)], [*map(key, second)])


class AlignedModels:
    """The lists of two models that others refer to, side by side.

    Args:
        first: A model.
        second: Another one.

    Attributes:
        lists: Alignments, by the address of the list in the first model.
    """

    def __init__(self, first: Model, second: Model) -> None:
        self._first, self._second = first, second
        self.lists: dict[Address, Alignment] = {}
        for name in ("subgraphs", "operator_codes", "metadata"):
            self.lists[name,] = align_items(
                getattr(first, name) or [], getattr(second, name) or []
            )
        self._subgraphs = list(self.lists["subgraphs",].pairs)
        for i, j in self._subgraphs:
            self._align_tensors(i, j)
        self.lists["buffers",] = self._aligned_buffers()
        for i, j in self._subgraphs:
            self._align_operators(i, j)

    def tensors(self, subgraph_index: int) -> Alignment | None:
        """The tensors of a subgraph of the first model; None if the second has no such."""
        return self.lists.get(("subgraphs", subgraph_index, "tensors"))

    def _align_tensors(self, i: int, j: int) -> None:
        first, second = _subgraph(self._first, i), _subgraph(self._second, j)
        self.lists["subgraphs", i, "tensors"] = align_items(
            first.tensors or [], second.tensors or []
        )

    # ------------------------------------------------------------------ operators

    def _align_operators(self, i: int, j: int) -> None:
        first = _subgraph(self._first, i).operators or []
        second = _subgraph(self._second, j).operators or []
        tensors = self.lists["subgraphs", i, "tensors"]
        place: Address = ("subgraphs", i, "operators")
        kinds = _kinds(self._first, first), _kinds(self._second, second)
        made = [operator.outputs for operator in first], [other.outputs for other in second]
        if tensors.is_plain and kinds[0] == kinds[1] and made[0] == made[1]:
            self.lists[place] = side_by_side(len(first), len(second))
            return
        outputs = _wires(first, "outputs", tensors), _wires(second, "outputs", None)

        def inputs() -> tuple[Keys, Keys]:
            return _wires(first, "inputs", tensors), _wires(second, "inputs", None)

        levels = [
            lambda: KeyPair(*map(_both, kinds, outputs)),
            lambda: KeyPair(*outputs),
            lambda: KeyPair(*map(_both, kinds, inputs())),
            lambda: KeyPair(*kinds),
        ]
        self.lists[place] = align(len(first), len(second), levels)

    # ------------------------------------------------------------------ buffers

    def _aligned_buffers(self) -> Alignment:
        first, second = self._first.buffers or [], self._second.buffers or []
        named = self._named_buffers()
        if len(first) == len(second) and named[0] == named[1]:
            return side_by_side(len(first), len(second))
        contents = [*map(_content, first)], [*map(_content, second)]
        users = _owners(named[0], len(first)), _owners(named[1], len(second))
        levels = [
            lambda: KeyPair(
                *([*zip(*each, strict=True)] for each in zip(contents, users, strict=True))
            ),
            lambda: KeyPair(*contents),
            lambda: KeyPair(*users),
        ]
        return align(len(first), len(second), levels)

    def _named_buffers(self) -> tuple[list[int], list[int]]:
        """Which buffers the tensors and metadata have that are in both models."""
        first: list[int] = []
        second: list[int] = []
        for s, other in self._subgraphs:
            tensors = _subgraph(self._first, s).tensors or []
            others = _subgraph(self._second, other).tensors or []
            common = self.lists["subgraphs", s, "tensors"].common
            first += [tensors[i].buffer for i in common[0]]
            second += [others[j].buffer for j in common[1]]
        common = self.lists["metadata",].common
        first += [(self._first.metadata or [])[i].buffer for i in common[0]]
        second += [(self._second.metadata or [])[j].buffer for j in common[1]]
        return first, second


def _owners(buffers: list[int], count: int) -> Keys:
    """For each buffer the number of the first thing that has it."""
    owners = dict(zip(reversed(buffers), range(len(buffers) - 1, -1, -1), strict=True))
    return [owners.get(buffer) for buffer in range(count)]


def _subgraph(model: Model, index: int) -> SubGraph:
    return (model.subgraphs or [])[index]


def _content(buffer: Buffer) -> Hashable:
    """What tells a buffer from others at a glance; a value in the middle makes no other."""
    if buffer.data is None:
        return None, buffer.offset, buffer.size
    data = memoryview(buffer.data)
    if data.nbytes <= 2 * SAMPLE_BYTES:
        return bytes(data)
    return data.nbytes, bytes(data[:SAMPLE_BYTES]), bytes(data[-SAMPLE_BYTES:])


def _kinds(model: Model, operators: Sequence[Operator]) -> list[Hashable]:
    codes = [(builtin_code(code), code.custom_code) for code in model.operator_codes or []]
    count = len(codes)
    return [
        codes[operator.opcode_index]
        if operator.opcode_index < count
        else operator.opcode_index
        for operator in operators
    ]


def _wires(
    operators: Sequence[Operator], side: str, tensors: Alignment | None
) -> list[Hashable | None]:
    """The tensors of each operator by their numbers in the second model, if it has them."""
    lists = [getattr(operator, side) or () for operator in operators]
    if tensors is not None and not tensors.is_plain:
        lists = [[*map(tensors.partner, indices)] for indices in lists]
    return [
        tuple(indices)
        if indices and GONE not in indices and set(indices) != {NO_TENSOR}
        else None
        for indices in lists
    ]


def _both(first: Keys, second: Keys) -> list[Hashable | None]:
    return [None if b is None else (a, b) for a, b in zip(first, second, strict=True)]
