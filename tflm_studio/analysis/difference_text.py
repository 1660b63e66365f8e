# SPDX-License-Identifier: Apache-2.0
"""Two values of a field that differ, in words: what stands where they part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tflm_studio.model.address import Address
from tflm_studio.model.cancellation import check_cancelled
from tflm_studio.model.comparison import PIECE_BYTES
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.field_text import item_text
from tflm_studio.model.graph import data_bytes, describe_tensor
from tflm_studio.model.index_references import IndexField, Space
from tflm_studio.model.operators import find_knowledge, operator_name
from tflm_studio.model.place_names import plural
from tflm_studio.schema.associated_file import AssociatedFile
from tflm_studio.schema.structure import Field, Kind, OpaqueMember, Table
from tflm_studio.schema.tables import (
    Buffer,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    SignatureDef,
    SubGraph,
    Tensor,
)

ABSENT = "absent"
LONGEST_TEXT = 200
LONGEST_NAME = 40
SHOWN_BYTES = 8
SHOWN_ITEMS = 12
_BEFORE = 2  # items that are shown before the first that differs


class Texts(NamedTuple):
    """Both values in words, and what there is to say about the two."""

    old: str
    new: str
    note: str = ""


def bytes_texts(first: Any, second: Any) -> Texts:
    """Two runs of bytes: how many differ, and from where on. Costs a pass over both."""
    if first is None or second is None:
        return Texts(*(_bytes_text(data, 0) for data in (first, second)))
    at, count = _compare(first, second)
    old, new = _bytes_text(first, at), _bytes_text(second, at)
    sizes = data_bytes(first), data_bytes(second)
    if sizes[0] == sizes[1]:
        verb = "differs" if count == 1 else "differ"
        return Texts(old, new, f"{plural(count, 'byte')} {verb} from offset {at:,}")
    longer = plural(abs(sizes[0] - sizes[1]), "byte")
    more = "more" if sizes[1] > sizes[0] else "fewer"
    if not min(sizes):
        return Texts(old, new, f"{longer} {more}")
    where = "the rest is equal" if at == min(sizes) else f"they differ from offset {at:,}"
    return Texts(old, new, f"{longer} {more}, {where}")


def _compare(first: Any, second: Any) -> tuple[int, int]:
    """Where two runs of bytes begin to differ, and in how many of those both have."""
    a, b = np.frombuffer(first, np.uint8), np.frombuffer(second, np.uint8)
    common, count, at = min(len(a), len(b)), 0, -1
    for start in range(0, common, PIECE_BYTES):
        check_cancelled()
        end = min(start + PIECE_BYTES, common)
        unequal = a[start:end] != b[start:end]
        if at < 0 and unequal.any():
            at = start + int(unequal.argmax())
        count += int(np.count_nonzero(unequal))
    return (common if at < 0 else at), count


def _bytes_text(data: Any, at: int) -> str:
    if data is None:
        return ABSENT
    size = data_bytes(data)
    shown = bytes(memoryview(data).cast("B")[at : at + SHOWN_BYTES]).hex(" ") if size else ""
    if not shown:
        return plural(size, "byte")
    where = f" at {at:,}" if at else ""
    more = "…" if at + SHOWN_BYTES < size else ""
    return f"{plural(size, 'byte')}{where}: {shown}{more}"


def list_texts(
    first: Sequence[Any] | None,
    second: Sequence[Any] | None,
    text_of: Sequence[Callable[[Any], str]],
) -> Texts:
    """Two lists of numbers; long ones from where they begin to differ.

    Args:
        first: A list.
        second: Another one.
        text_of: What makes a text of an item of each.
    """
    at = 0
    longest = max(len(first or ()), len(second or ()))
    if first is not None and second is not None and longest > SHOWN_ITEMS:
        pairs = enumerate(zip(first, second, strict=False))
        at = next((k for k, (a, b) in pairs if a != b), min(len(first), len(second)))
        at = max(at - _BEFORE, 0)
    return Texts(
        *(_list_text(v, at, t) for v, t in zip((first, second), text_of, strict=True))
    )


def _list_text(values: Sequence[Any] | None, at: int, text_of: Callable[[Any], str]) -> str:
    if values is None:
        return ABSENT
    if not len(values):
        return "empty"
    shown = ", ".join(map(text_of, values[at : at + SHOWN_ITEMS]))
    if len(values) <= SHOWN_ITEMS:
        return excerpt(f"[{shown}]", LONGEST_TEXT)
    head = "…, " if at else ""
    more = ", …" if at + SHOWN_ITEMS < len(values) else ""
    return excerpt(f"[{head}{shown}{more}] ({len(values):,} items)", LONGEST_TEXT)


def value_text(row: Field, value: Any) -> str:
    """A value of a field that is neither bytes nor a list of numbers."""
    if value is None:
        return ABSENT
    if row.kind is Kind.SCALAR:
        return item_text(row, value)
    if isinstance(value, str):
        return f"'{excerpt(value, LONGEST_TEXT)}'"
    if isinstance(value, OpaqueMember):
        return f"unknown kind {value.number}"
    if isinstance(value, list):
        return plural(len(value), "item")
    return excerpt(_table_text(value), LONGEST_TEXT)


def _table_text(table: Table) -> str:
    """The fields of a table that are not as the schema has them anyway."""
    parts = []
    for row in table.ROWS:
        value = getattr(table, row.name)
        if value is None or value == row.default:
            continue
        if isinstance(value, Table):
            text = type(value).__name__
        elif row.kind is Kind.SCALARS:
            text = _list_text(value, 0, partial(item_text, row))
        elif row.kind is Kind.BYTES:
            text = plural(data_bytes(value), "byte")
        else:
            text = value_text(row, value)
        parts.append(f"{row.name} {text}")
    return f"{type(table).__name__}: {', '.join(parts)}" if parts else type(table).__name__


def index_text(model: Model, field: IndexField, subgraph_index: int, index: int) -> str:
    """An index with the name of what it stands for."""
    name = _NAME_AT[field.space](model, subgraph_index, index) if index >= 0 else ""
    return f"{index} {excerpt(name, LONGEST_NAME)}" if name else str(index)


def _tensor_name(model: Model, subgraph_index: int, index: int) -> str:
    subgraphs = model.subgraphs or []
    tensors = (
        (subgraphs[subgraph_index].tensors or []) if subgraph_index < len(subgraphs) else []
    )
    return (tensors[index].name or "") if index < len(tensors) else ""


def _code_name(model: Model, _: int, index: int) -> str:
    codes = model.operator_codes or []
    return f"({find_knowledge(codes[index]).name})" if index < len(codes) else ""


def _subgraph_name(model: Model, _: int, index: int) -> str:
    subgraphs = model.subgraphs or []
    return (subgraphs[index].name or "") if index < len(subgraphs) else ""


def _no_name(_model: Model, _subgraph_index: int, _index: int) -> str:
    return ""


_NAME_AT: dict[Space, Callable[[Model, int, int], str]] = {
    **dict.fromkeys(Space, _no_name),
    Space.TENSORS: _tensor_name,
    Space.OPERATOR_CODES: _code_name,
    Space.SUBGRAPHS: _subgraph_name,
}


def item_summary(model: Model, address: Address, item: Table) -> str:
    """A thing that only one of two models has."""
    match item:
        case Tensor():
            text = describe_tensor(item)
        case Operator():
            text = _operator_summary(model, address, item)
        case OperatorCode():
            text = f"{find_knowledge(item).name} version {item.version}"
        case Buffer():
            text = "empty" if item.data is None else _bytes_text(item.data, 0)
        case SubGraph():
            operators, tensors = len(item.operators or []), len(item.tensors or [])
            counts = f"{plural(operators, 'operator')}, {plural(tensors, 'tensor')}"
            text = f"{excerpt(item.name or 'unnamed', LONGEST_NAME)}  {counts}"
        case Metadata():
            text = f"{excerpt(item.name or 'unnamed', LONGEST_NAME)}  buffer {item.buffer}"
        case SignatureDef():
            text = item.signature_key or "unnamed"
        case AssociatedFile():
            size = plural(data_bytes(item.data), "byte")
            text = f"{excerpt(item.name or 'unnamed', LONGEST_TEXT)}  {size}"
        case _:
            text = _table_text(item)
    return excerpt(text, LONGEST_TEXT)


def _operator_summary(model: Model, address: Address, operator: Operator) -> str:
    subgraph_index = int(address[1])
    names = [
        _tensor_name(model, subgraph_index, index) or str(index)
        for index in (operator.outputs or [])[:SHOWN_ITEMS]
        if index >= 0
    ]
    made = f" → {', '.join(excerpt(name, LONGEST_NAME) for name in names)}" if names else ""
    return f"{excerpt(operator_name(model, operator), LONGEST_NAME)}{made}"
