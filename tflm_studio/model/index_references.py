# SPDX-License-Identifier: Apache-2.0
"""Every place in a model that names something by its position in a list.

The schema does not say which of its numbers are such indices, so `INDEX_FIELDS` does: one row
per field. `Tensor.external_buffer` is no index (it is compared with `ExternalBuffer.id`), and
`debug_metadata_index` counts entries inside a metadata blob, not a list of the model. The
indices inside metadata blobs are the business of `editing.bound_metadata`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import compress
from operator import attrgetter
from typing import Any, NamedTuple

from tflm_studio.model.address import Address, find_field
from tflm_studio.model.errors import EditError
from tflm_studio.schema.structure import Field, Kind, Table
from tflm_studio.schema.tables import (
    BlockwiseQuantization,
    CallOnceOptions,
    CallOptions,
    ExternalBuffer,
    IfOptions,
    Metadata,
    Model,
    MultiAxisQuantization,
    Operator,
    QuantizationParameters,
    SignatureDef,
    StablehloCaseOptions,
    StableHLOCompositeOptions,
    StablehloCustomCallOptions,
    StablehloReduceOptions,
    StablehloReduceWindowOptions,
    StablehloScatterOptions,
    StablehloSortOptions,
    StablehloWhileOptions,
    SubGraph,
    Tensor,
    TensorMap,
    WhileOptions,
)


class Space(Enum):
    """A list whose items are named by position; the value is its field."""

    TENSORS = "tensors"
    OPERATORS = "operators"
    BUFFERS = "buffers"
    OPERATOR_CODES = "operator_codes"
    SUBGRAPHS = "subgraphs"
    EXTERNAL_GROUPS = "external_buffer_groups"

    @property
    def is_per_subgraph(self) -> bool:
        """Whether every subgraph has such a list of its own."""
        return self in (Space.TENSORS, Space.OPERATORS)

    @property
    def noun(self) -> str:
        """What one item is called."""
        return self.value.replace("_", " ").removesuffix("s")


def space_of(place: Address) -> tuple[Space, int | None]:
    """The space that a list is, and its subgraph.

    Args:
        place: Such as `("buffers",)` or `("subgraphs", 0, "tensors")`.

    Raises:
        EditError: It is the address of something else.
    """
    match place:
        case ("subgraphs", int(index), "tensors" | "operators" as name):
            return Space(name), index
        case (str(name),) if name in _MODEL_LISTS:
            return Space(name), None
    raise EditError("Only lists of tensors, operators, buffers... can be renumbered.")


_MODEL_LISTS = frozenset(space.value for space in Space if not space.is_per_subgraph)


@dataclass(frozen=True, slots=True)
class IndexField:
    """A field that holds an index, or a list of them.

    Attributes:
        table: The class that has the field.
        name: The field.
        space: The list that the index counts.
        may_be_none: Whether -1 stands for nothing.
    """

    table: type[Table]
    name: str
    space: Space
    may_be_none: bool = False

    @property
    def row(self) -> Field:
        """The schema row of the field."""
        row = find_field(self.table, self.name)
        assert row is not None
        return row


def _rows(space: Space, *rows: tuple[type[Table], str]) -> tuple[IndexField, ...]:
    return tuple(IndexField(table, name, space) for table, name in rows)


INDEX_FIELDS: tuple[IndexField, ...] = (
    IndexField(Operator, "inputs", Space.TENSORS, may_be_none=True),
    IndexField(Operator, "outputs", Space.TENSORS),
    IndexField(Operator, "intermediates", Space.TENSORS, may_be_none=True),
    IndexField(BlockwiseQuantization, "scales", Space.TENSORS),
    IndexField(BlockwiseQuantization, "zero_points", Space.TENSORS, may_be_none=True),
    IndexField(MultiAxisQuantization, "scales", Space.TENSORS),
    IndexField(MultiAxisQuantization, "zero_points", Space.TENSORS, may_be_none=True),
    *_rows(
        Space.TENSORS,
        (SubGraph, "inputs"),
        (SubGraph, "outputs"),
        (TensorMap, "tensor_index"),
    ),
    *_rows(
        Space.BUFFERS,
        (Tensor, "buffer"),
        (Metadata, "buffer"),
        (Model, "metadata_buffer"),
    ),
    *_rows(Space.OPERATOR_CODES, (Operator, "opcode_index")),
    *_rows(Space.EXTERNAL_GROUPS, (ExternalBuffer, "group")),
    *_rows(
        Space.SUBGRAPHS,
        (SignatureDef, "subgraph_index"),
        (CallOptions, "subgraph"),
        (CallOnceOptions, "init_subgraph_index"),
        (IfOptions, "then_subgraph_index"),
        (IfOptions, "else_subgraph_index"),
        (WhileOptions, "cond_subgraph_index"),
        (WhileOptions, "body_subgraph_index"),
        (StablehloCaseOptions, "branch_subgraph_indices"),
        (StablehloCustomCallOptions, "called_computations"),
        (StableHLOCompositeOptions, "decomposition_subgraph_index"),
        (StablehloReduceOptions, "body_subgraph_index"),
        (StablehloReduceWindowOptions, "body_subgraph_index"),
        (StablehloScatterOptions, "update_computation_subgraph_index"),
        (StablehloSortOptions, "comparator_subgraph_index"),
        (StablehloWhileOptions, "cond_subgraph_index"),
        (StablehloWhileOptions, "body_subgraph_index"),
    ),
)

# The lists that lead from the model to the tables of a class.
_LISTS: dict[type[Table], tuple[tuple[str, ...], ...]] = {
    Model: ((),),
    SubGraph: (("subgraphs",),),
    Tensor: (("subgraphs", "tensors"),),
    Operator: (("subgraphs", "operators"),),
    Metadata: (("metadata",),),
    SignatureDef: (("signature_defs",),),
    TensorMap: (("signature_defs", "inputs"), ("signature_defs", "outputs")),
    ExternalBuffer: (("external_buffers",),),
}
# The unions that other tables are members of: whose items have them, and the way from there.
_UNIONS: tuple[tuple[type[Table], type[Table], tuple[str, ...]], ...] = (
    (Operator, Operator, ("builtin_options",)),
    (Operator, Operator, ("builtin_options_2",)),
    (Tensor, QuantizationParameters, ("quantization", "details")),
)


class Column(NamedTuple):
    """A field that holds indices, for neighbouring items of a list.

    Attributes:
        place: The list; the empty address for the model itself.
        start: Index of the first item.
        items: The items.
        tail: Fields that lead from an item to the table that has the field.
        field: What is known of the field.
        reached: Where there is a tail, the index of each item from which it leads to a table,
            and this table.
    """

    place: Address
    start: int
    items: list[Any]
    tail: tuple[str, ...]
    field: IndexField
    reached: list[tuple[int, Any]]

    def values(self) -> Iterator[tuple[int, int | list[int]]]:
        """Index of each item that has the field, and what it holds there."""
        name, table_class = self.field.name, self.field.table
        if not self.tail:
            for index, item in enumerate(self.items, self.start):
                value = getattr(item, name)
                if value is not None:
                    yield index, value
        for index, table in self.reached:
            # A member of a union may be another than the one that has the field.
            if table.__class__ is table_class:
                value = getattr(table, name)
                if value is not None:
                    yield index, value

    def may_reach(self, first: int) -> bool:
        """Whether any of the indices may be this one or larger: a quick look.

        Most changes are near the end of a list, behind what most fields hold.
        """
        if self.tail:
            return bool(self.reached)
        if first <= 0:
            return True
        held = filter(None, map(attrgetter(self.field.name), self.items))
        if self.field.row.kind is Kind.SCALARS:
            return max(map(max, held), default=0) >= first
        return max(held, default=0) >= first

    def address_of(self, index: int) -> Address:
        """Where the field of an item is."""
        item = (*self.place, index) if self.place else ()
        return (*item, *self.tail, self.field.name)


def _ways(table: type[Table]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """How to reach a class: through which lists, and from an item of the last."""
    if table in _LISTS:
        return [(lists, ()) for lists in _LISTS[table]]
    found = []
    for item, holder, tail in _UNIONS:
        row = find_field(holder, tail[-1])
        if row is not None and table in row.members:
            found.append((_LISTS[item][0], tail))
    assert found, table
    return found


_PLAN = [(field, lists, tail) for field in INDEX_FIELDS for lists, tail in _ways(field.table)]


def index_columns(
    model: Model, space: Space, subgraph_index: int | None = None
) -> Iterator[Column]:
    """All fields that hold indices of a space, list by list.

    Args:
        model: The model.
        space: What the indices count.
        subgraph_index: Whose tensors; needed for them, ignored otherwise.
    """
    only = subgraph_index if space.is_per_subgraph else None
    known: dict[tuple[Address, int, tuple[str, ...]], list[tuple[int, Any]]] = {}
    for field, lists, tail in _PLAN:
        if field.space is space:
            for place, start, items in _lists_at(model, lists, only):
                # Several fields of one table are reached by one way.
                key = place, start, tail
                if tail and key not in known:
                    known[key] = _reached(items, start, tail)
                yield Column(place, start, items, tail, field, known.get(key, []))


def _reached(items: list[Any], start: int, tail: tuple[str, ...]) -> list[tuple[int, Any]]:
    """The tables that a way leads to, with the index of the item it starts from."""
    # Side by side: tens of thousands of pairs would wake the garbage collector.
    indices, tables = list(range(start, start + len(items))), items
    for step in tail:
        following = list(map(attrgetter(step), tables))
        indices, tables = list(compress(indices, following)), list(filter(None, following))
    return list(zip(indices, tables, strict=True))


def _lists_at(
    model: Model, names: tuple[str, ...], only: int | None
) -> Iterator[tuple[Address, int, list[Any]]]:
    """Lists with their addresses and the index of the first item; the model is one of one."""
    if not names:
        yield (), 0, [model]
        return
    outer = getattr(model, names[0]) or []
    if len(names) == 1 and only is None:
        yield names, 0, outer
        return
    for index, item in enumerate(outer):
        if only is not None and _is_elsewhere(names[0], index, item, only):
            continue
        if len(names) == 1:
            yield names, index, [item]
        else:
            yield (names[0], index, names[1]), 0, getattr(item, names[1]) or []


def _is_elsewhere(name: str, index: int, item: Any, only: int) -> bool:
    if name == "subgraphs":
        return index != only
    return name == "signature_defs" and item.subgraph_index != only


class Reference(NamedTuple):
    """A field of a model that holds indices.

    Attributes:
        address: The field; a list is one reference.
        field: What is known of it.
        value: What it holds, an index or a list of them.
    """

    address: Address
    field: IndexField
    value: int | list[int]

    @property
    def indices(self) -> list[int]:
        """What it holds, as a list."""
        return self.value if isinstance(self.value, list) else [self.value]


def references(
    model: Model, space: Space, subgraph_index: int | None = None
) -> Iterator[Reference]:
    """All fields that hold indices of a space, one by one. O(operators + tensors).

    Args:
        model: The model.
        space: What the indices count.
        subgraph_index: Whose tensors; needed for them, ignored otherwise.
    """
    for column in index_columns(model, space, subgraph_index):
        for index, value in column.values():
            yield Reference(column.address_of(index), column.field, value)
