# SPDX-License-Identifier: Apache-2.0
"""Which subgraphs an operator runs, and which of a model are run at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tflm_studio.model.address import Address
from tflm_studio.model.index_references import INDEX_FIELDS, Space
from tflm_studio.schema.structure import Table
from tflm_studio.schema.tables import Model, Operator, SignatureDef


def _fields_with_subgraphs() -> dict[type[Table], tuple[str, ...]]:
    found: dict[type[Table], tuple[str, ...]] = defaultdict(tuple)
    for field in INDEX_FIELDS:
        if field.space is Space.SUBGRAPHS and field.table is not SignatureDef:
            found[field.table] += (field.name,)
    return dict(found)


_FIELDS = _fields_with_subgraphs()


def called_subgraphs(operator: Operator) -> list[int]:
    """Indices of the subgraphs that the options of an operator name, sound or not."""
    found: list[int] = []
    for options in (operator.builtin_options, operator.builtin_options_2):
        for name in _FIELDS.get(type(options), ()) if isinstance(options, Table) else ():
            value = getattr(options, name) or 0
            found += value if isinstance(value, list) else [value]
    return found


def callers_of(model: Model, subgraph_index: int) -> list[Address]:
    """Addresses of the operators that run a subgraph. O(operators)."""
    return [
        ("subgraphs", s, "operators", k)
        for s, subgraph in enumerate(model.subgraphs or [])
        for k, operator in enumerate(subgraph.operators or [])
        if subgraph_index in called_subgraphs(operator)
    ]


def run_subgraphs(model: Model, first: Iterable[int] | None = None) -> set[int]:
    """The subgraphs that are run. O(operators).

    Args:
        model: The model.
        first: Where to start; the main subgraph and those of the signatures if not given.
    """
    subgraphs = model.subgraphs or []
    if first is None:
        first = [0, *(entry.subgraph_index for entry in model.signature_defs or [])]
    waiting, found = list(first), set[int]()
    while waiting:
        index = waiting.pop()
        if index in found or not 0 <= index < len(subgraphs):
            continue
        found.add(index)
        for operator in subgraphs[index].operators or []:
            waiting += called_subgraphs(operator)
    return found
