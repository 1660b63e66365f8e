# SPDX-License-Identifier: Apache-2.0
"""A model in one line: what a status bar says."""

from __future__ import annotations

from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.operators import OperatorKnowledge, find_knowledge
from tflm_studio.model.place_names import plural
from tflm_studio.schema.tables import Model

MOST_NAMED = 4
LONGEST_NAME = 40


def describe_facts(model: Model) -> str:
    """Sizes, operators, and which of them TFLM lacks."""
    parts = []
    if isinstance(model.extra, Origin):
        parts.append(f"{len(model.extra.data):,} bytes as opened")
    weights = sum(data_bytes(buffer.data) for buffer in model.buffers or [])
    parts.append(f"weights {weights:,} bytes")
    operators = sum(len(subgraph.operators or []) for subgraph in model.subgraphs or [])
    kinds = _kinds(model)
    lacking = [known.name for known in kinds if known.resolver is None]
    where = f"{_some(lacking)} not in TFLM" if lacking else "all in TFLM"
    parts.append(f"{plural(operators, 'operator')} of {plural(len(kinds), 'kind')}, {where}")
    return "      ".join(parts)


def name_kinds(model: Model) -> str:
    """The kinds of operators that are used, one behind the other."""
    return ", ".join(excerpt(known.name, LONGEST_NAME) for known in _kinds(model))


def _kinds(model: Model) -> list[OperatorKnowledge]:
    used = {
        operator.opcode_index
        for subgraph in model.subgraphs or []
        for operator in subgraph.operators or []
    }
    codes = (code for k, code in enumerate(model.operator_codes or []) if k in used)
    return list({known.name: known for known in map(find_knowledge, codes)}.values())


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    shown = (excerpt(name, LONGEST_NAME) for name in names[:MOST_NAMED])
    return ", ".join(shown) + more
