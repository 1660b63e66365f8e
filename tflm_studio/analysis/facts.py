# SPDX-License-Identifier: Apache-2.0
"""A model in one line: what a status bar says, each fact counted only when it must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tflm_studio.formats.flatbuffer_reader import Origin
from tflm_studio.model.address import Address
from tflm_studio.model.excerpts import excerpt
from tflm_studio.model.graph import data_bytes
from tflm_studio.model.operators import OperatorKnowledge, find_knowledge
from tflm_studio.model.outside import has_outside
from tflm_studio.model.place_names import plural
from tflm_studio.schema.tables import Model

MOST_NAMED = 4
LONGEST_NAME = 40
_COUNTED = frozenset(("opcode_index", "custom_options", "large_custom_options_offset"))
_FACTS_OF = {
    "operators": ("kinds", "has_outside"),
    "buffers": ("weight_bytes", "has_outside"),
}
Fact = TypeVar("Fact")


class ModelFacts:
    """Sums over a whole model; each is found when it is asked for and kept.

    Args:
        model: What is counted.
    """

    def __init__(self, model: Model) -> None:
        self._model = model
        self._known: dict[str, Any] = {}

    def follow(self, addresses: Iterable[Address]) -> None:
        """Forgets what changes at some places may have changed."""
        for part in {part for address in addresses for part in _parts(address)}:
            for name in _FACTS_OF[part]:
                self._known.pop(name, None)

    @property
    def weight_bytes(self) -> int:
        """Bytes of data in all buffers."""
        return self._find("weight_bytes", _weight_bytes)

    @property
    def kinds(self) -> list[OperatorKnowledge]:
        """The kinds of operators that are used."""
        return self._find("kinds", _kinds)

    @property
    def has_outside(self) -> bool:
        """Whether bytes of a buffer or operator stand behind the flatbuffer."""
        return self._find("has_outside", has_outside)

    @property
    def operator_count(self) -> int:
        """Operators of all subgraphs."""
        return sum(len(subgraph.operators or []) for subgraph in self._model.subgraphs or [])

    def _find(self, name: str, find: Callable[[Model], Fact]) -> Fact:
        if name not in self._known:
            self._known[name] = find(self._model)
        found: Fact = self._known[name]
        return found

    def describe(self) -> str:
        """Sizes, operators, and which of them TFLM lacks."""
        parts = []
        if isinstance(self._model.extra, Origin):
            parts.append(f"{len(self._model.extra.data):,} bytes as opened")
        parts.append(f"weights {self.weight_bytes:,} bytes")
        lacking = [known.name for known in self.kinds if known.resolver is None]
        where = f"{_some(lacking)} not in TFLM" if lacking else "all in TFLM"
        operators = plural(self.operator_count, "operator")
        parts.append(f"{operators} of {plural(len(self.kinds), 'kind')}, {where}")
        return "      ".join(parts)

    def name_kinds(self) -> str:
        """The kinds of operators that are used, one behind the other."""
        return ", ".join(excerpt(known.name, LONGEST_NAME) for known in self.kinds)


def _parts(address: Address) -> tuple[str, ...]:
    """The parts of a model that are counted and that a change at a place may change."""
    match address:
        case ("subgraphs", int(), "operators", int(), step, *_):
            return ("operators",) if step in _COUNTED else ()
        case ("subgraphs", int(), step, *_):
            return ("operators",) if step == "operators" else ()
        case ("subgraphs", *_) | ("operator_codes", *_):
            return ("operators",)
        case ("buffers", *_):
            return ("buffers",)
        case (_, *_):
            return ()
    return ("operators", "buffers")


def _weight_bytes(model: Model) -> int:
    return sum(data_bytes(buffer.data) for buffer in model.buffers or [])


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
